"""How ``conformance search`` prints what it found: readable, and ready to be promoted to a family."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from xent_conformance.explain.search import Found, Target
from xent_conformance.reference.clauses import clause
from xent_conformance.reports.text.wording import answer, number


def show(target: Target, found: Found, console: Console) -> None:
    """The worst row found, its verdict, and the line that makes it a case."""
    inputs, verdict, fmt = found.inputs, found.verdict, found.inputs.format
    console.print(
        f"[bold]worst found[/bold] for {escape(target.implementation)} {target.mode} {target.output} in "
        f"{target.dtype}, {found.tried} rows of {target.n} tried (not a proof: only what was tried)"
    )
    console.print(f"  {answer(verdict)}, {number(verdict['ratio'])} of the stable bound")
    broken = clause(verdict["clause"])
    console.print(
        f"  {verdict['status'].replace('_', ' ')}: clause {broken.id} ({broken.level}) {broken.title}"
    )
    for name, row in (("logits", inputs.logits), ("labels", inputs.labels), ("cotangent", inputs.cotangent)):
        if row.size:
            index = name == "labels" and inputs.definition.labels == "index"
            bits = "" if index else "  " + " ".join(fmt.hex(v) for v in row[0].tolist())
            console.print(f"  {name}: {escape(str(row[0].tolist()))}{bits}")
    labels = f", np.array({inputs.labels[0].tolist()})" if inputs.labels.size else ""
    console.print("to promote it, add to a family in cases/families/:")
    line = f'yield Ask("found", np.array({inputs.logits[0].tolist()}), "1.1"{labels})'
    console.print(f"  {line}", markup=False, soft_wrap=True)
