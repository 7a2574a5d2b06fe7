"""How ``conformance search`` prints what it found: readable, and ready to be promoted to a family."""

from __future__ import annotations

from rich.console import Console

from xent_conformance.explain.search import Found, Target
from xent_conformance.reference.clauses import clause
from xent_conformance.reports.run.words import Status
from xent_conformance.reports.terminal.screen import say
from xent_conformance.reports.text.numbers import shortest, ulps
from xent_conformance.reports.text.wording import Answer


def show(target: Target, found: Found, console: Console) -> None:
    """The worst row found, its verdict, and the line that makes it a case."""
    inputs, verdict, fmt = found.inputs, found.verdict, found.inputs.format
    where = f" for {target.implementation} {target.mode} {target.output} in {target.dtype}, "
    tried = f"{found.tried} rows of {target.n} tried (not a proof: only what was tried)"
    say(console, ("worst found", "bold"), where, tried)
    say(console, f"  {Answer.of(verdict).graded}, {ulps(verdict['ratio'])} of the stable bound")
    broken = clause(verdict["clause"])
    status = Status(verdict["status"]).word
    say(console, f"  {status}: clause {broken.id} ({broken.level}) {broken.title}")
    for name, row in (("logits", inputs.logits), ("labels", inputs.labels), ("cotangent", inputs.cotangent)):
        if not row.size:
            continue
        if name == "labels" and inputs.definition.labels == "index":
            say(console, f"  {name}: {row[0].tolist()}")
            continue
        numbers = ", ".join(shortest(v, fmt.name) for v in row[0].tolist())
        say(console, f"  {name}: [{numbers}]  {' '.join(fmt.hex(v) for v in row[0].tolist())}")
    labels = f", np.array({inputs.labels[0].tolist()})" if inputs.labels.size else ""
    say(console, "to promote it, add to a family in cases/families/:")
    say(console, f'  yield Ask("found", np.array({inputs.logits[0].tolist()}), "1.1"{labels})')
