"""How ``conformance explain`` and ``conformance search`` are printed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from rich.console import Console

from xent_conformance.cases.case import Batch, Case
from xent_conformance.explain.case import Answered, calls_of, certified_digits
from xent_conformance.explain.changing import changed, in_a_line
from xent_conformance.explain.search import Found, Target
from xent_conformance.reference.clauses import clause
from xent_conformance.reports.run import commands
from xent_conformance.reports.run.words import FAULTS, NAIVE, Row, Status
from xent_conformance.reports.terminal.screen import fits, left, say, table
from xent_conformance.reports.text.numbers import shortest, ulps
from xent_conformance.reports.text.wording import Answer, bits_text, flat, plural
from xent_conformance.reports.views.causes import Cause

SHOWN = 16
"""Elements of a row that are printed."""


FEW = 3
"""Frameworks that are not installed, of which each is told with what installs it."""


def show_changed(judged: Sequence[Row], asked_again: Sequence[Row], console: Console) -> None:
    """Print which answers to a case are others than those that were judged; nothing where none is."""
    pairs = list(changed(judged, asked_again))
    for was, now in pairs:
        say(console, (in_a_line(was, now), "bold"))
    if pairs:
        say(console)


def show_question(batch: Batch, case: Case, answered: Sequence[Answered], console: Console) -> None:
    """Print what the answers break, what is asked and what is right."""
    say(console, (case.id, "bold"), f"  {case.hash}")
    for line in _clauses(case, [r for a in answered for r in a.rows]):
        say(console, line)
    _inputs(batch, case, console)
    _exact(batch, case, console)


def show_answers(answered: Sequence[Answered], console: Console, named: Sequence[str] = ()) -> None:
    """Print every answer, the broken first, under who gave it; the same answer once, under all who gave it.

    That is framework, version, implementation, mode and device. Frameworks that are not installed share a
    short line, unless they are ``named``. Where answers differ, the worst stands once more at the end.
    """
    by_seat = {a.framework: a for a in answered}
    calls = calls_of({**r, "framework": a.framework} for a in answered for r in a.rows)
    if calls:
        counted = Counter(r["status"] for call in calls for r in call)
        told = ", ".join(f"{counted[s]} {s.word}" for s in Status if counted[s])
        who = ", ".join(_who(a) for a in answered if a.rows)
        say(console)
        say(console, f"{plural(counted.total(), 'answer')} of {who}: {told}")
    different = _alike(calls, by_seat)
    for answer, alike in different.items():
        say(console)
        for call in alike:
            _head(by_seat[call[0]["framework"]], call[0], console)
        for line in answer:
            say(console, line)
    for a in answered:
        if a.lacks or (a.absent and (a.seat.name in named or not a.not_installed)):
            say(console)
            said = "not installed: " if a.not_installed else ""
            say(console, f"{a.framework}: {said}{a.lacks or flat(a.absent)}")
    missing = [a for a in answered if a.not_installed and a.seat.name not in named]
    if missing:
        say(console)
        say(console, (_missing(missing), "dim"))
    if len(different) > 1 and (worst := _worst(calls)):
        say(console)
        _head(by_seat[worst["framework"]], worst, console, "the worst: ")
        for line in _told(worst):
            say(console, line)


def _missing(missing: Sequence[Answered]) -> str:
    """Who is not installed: a few, with what installs each; of more the number, and where they stand."""
    if len(missing) <= FEW:
        return f"not installed: {', '.join(f'{a.framework} ({a.install})' for a in missing)}"
    number = plural(len({a.seat.name for a in missing}), "framework")
    return f"not installed, and not asked: {number} (how to get each: {commands.doctor()})"


def _who(answered: Answered) -> str:
    """``torch 2.13.0``, ``keras-jax 3.15.1``: Keras has one name for each of its backends."""
    return f"{answered.framework} {answered.hello['version']}"


def _alike(
    calls: Sequence[Sequence[Row]], by_seat: Mapping[str, Answered]
) -> Mapping[tuple[str, ...], list[Sequence[Row]]]:
    """The calls by what there is to say of their answers, in the order of the first of each."""
    found: dict[tuple[str, ...], list[Sequence[Row]]] = {}
    for call in calls:
        found.setdefault(tuple(_lines(by_seat[call[0]["framework"]], call)), []).append(call)
    return found


def _worst(calls: Sequence[Sequence[Row]]) -> Row | None:
    """What breaks a clause by most, a must clause first, in what users call; None where nothing does."""
    broken = [r for call in calls for r in call if r["status"] in FAULTS and r["formulation"] != NAIVE]

    def size(row: Row) -> float:
        ulps: float | None = row["ulps"]
        return math.inf if ulps is None or math.isnan(ulps) else ulps

    return min(broken, key=lambda r: (FAULTS.index(r["status"]), -size(r)), default=None)


def _head(answered: Answered, first: Row, console: Console, before: str = "") -> None:
    say(
        console,
        f"{before}{_who(answered)}: ",
        (first["implementation"], "bold"),
        f" {first['mode']} {first['device']}",
    )


def _lines(answered: Answered, call: Sequence[Row]) -> Iterator[str]:
    for r in call:
        yield from _told(r)
        if r["status"] in FAULTS and (note := clause(r["clause"]).note):
            yield f"    note: {note}"
        if (cause := answered.causes.get(r["cause"])) and cause.hypothesis:
            yield f"    what gives this: {_formula(cause)}"


def _told(r: Row) -> Iterator[str]:
    """Which clause it is about, and what came back."""
    yield f"  {r['output']}: {Status(r['status']).word}, {_clause(r['clause'])}"
    element = f"element {r['index']}: " if r["grade"] != "none" else ""
    yield f"    {element}{flat(Answer.of(r).graded)}{_bits(r)}"


def _formula(cause: Cause) -> str:
    """What gives such numbers, and how many rows of the batch it explains."""
    rows, right = plural(cause.verdicts, "verdict"), plural(cause.conforming, "conforming one")
    said = f"of this batch it explains {rows}, and {right} do not contradict it"
    return f"{cause.hypothesis}: {cause.sentence}; {said}"


def _clause(number: str) -> str:
    return f"clause {number} ({clause(number).level}) {clause(number).title}"


def _bits(row: Row) -> str:
    """Of the numbers that the line has in decimal."""
    if row["grade"] == "none":
        return ""
    return f"  {bits_text(row, 'got')} against {bits_text(row, 'rounded')}"


def _clauses(case: Case, rows: Sequence[Row]) -> Iterator[str]:
    """The clause of the case; where the answers break another, first what they break, a must clause first.

    Of naive controls only where nobody else is asked.
    """
    called = [r for r in rows if r["formulation"] != NAIVE] or rows
    broken = Counter(r["clause"] for r in called if r["status"] in FAULTS)
    other = broken.keys() - {case.clause}
    for number in sorted(broken, key=lambda n: (clause(n).level != "must", -broken[n], n)) if other else ():
        said = f"broken in {plural(broken[number], 'answer')}"
        yield f"{said}: {_clause(number)}: {clause(number).text}"
    asks = "what the case asks for: " if other else ""
    # its text stands above where it is one of those
    rest = "" if other and case.clause in broken else f": {clause(case.clause).text}"
    yield f"{asks}{_clause(case.clause)}{rest}"


def _inputs(batch: Batch, case: Case, console: Console) -> None:
    inputs = batch.inputs
    say(console, f"{inputs.definition.name} = {inputs.definition.formula}")
    if batch.manner:
        say(console, f"asked with {batch.manner}")
    arrays, length = dict(_arrays(batch, case.row)), inputs.logits.shape[1]
    tables = [_elements(arrays, length)]
    # beside one another where they fit: then a row of the table is an element of the case
    if not fits(console, *tables[0]):
        tables = [_elements({name: array}, length) for name, array in arrays.items()]
    for columns, rows in tables:
        table(console, columns, rows, title="inputs", right=("element",))
    left(console, length - SHOWN, "element", "")


Numbers = list[tuple[str, str]]
"""Of each element, decimal and bits."""


def _elements(arrays: Mapping[str, Numbers], length: int) -> tuple[list[str], list[list[str]]]:
    """Columns, and a row an element: its number, then decimal and bits of each array."""
    columns = ["element", *(head for name in arrays for head in (name, "bits"))]
    numbers = [[*a, *[("", "")] * length] for a in arrays.values()]
    return columns, [[str(i), *(text for a in numbers for text in a[i])] for i in range(min(length, SHOWN))]


def _arrays(batch: Batch, row: int) -> Iterator[tuple[str, Numbers]]:
    """The arrays that the case has, by name: decimal and bits of their first elements."""
    inputs, fmt = batch.inputs, batch.inputs.format
    arrays = {
        "logits": inputs.logits[row],
        "labels": inputs.labels[row],
        "cotangent": inputs.cotangent[row],
        "tangent": inputs.tangent[row] if inputs.tangent.size else np.zeros(0),
    }
    for name, values in arrays.items():
        if not values.size:
            continue
        if name == "labels" and inputs.definition.labels == "index":
            yield name, [(str(int(v)), "") for v in values[:SHOWN]]
        else:
            shown = [float(v) for v in values[:SHOWN]]
            yield name, [(shortest(v, fmt.name), fmt.hex(v)) for v in shown]


def _exact(batch: Batch, case: Case, console: Console) -> None:
    for exact in certified_digits(batch, case):
        say(console, f"certified {exact.output}:")
        for i, text in enumerate(exact.elements[:SHOWN]):
            say(console, f"  [{i}] {text}")
        left(console, len(exact.elements) - SHOWN, "element", "")


# --- a search ---


def show_found(target: Target, found: Found, console: Console) -> None:
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
