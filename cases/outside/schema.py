"""The schema of a file of cases, and its reader: every field is known, fits, and is refused by name if not.

docs/CASES.md is its page. What comes out is a :class:`Call` for each case: the call as its author saw it, of
any rank, which :mod:`.batches` makes a batch of.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from xent_conformance.cases.outside.fields import check_known, choice_of, name_of, text_of
from xent_conformance.cases.outside.numbers import CasesError, floats, indices
from xent_conformance.reference.attributes import Attributes
from xent_conformance.reference.clauses import clauses
from xent_conformance.reference.formats import FORMATS, Floats, Format
from xent_conformance.reference.operators import OF_ROWS, Operator

SCHEMA = 1

MAX_CASES = 10_000

DOCUMENT = ("schema", "name", "source", "rounding", "cases")
CASE = (
    *("id", "operator", "dtype", "logits", "labels", "axis", "attributes", "cotangent", "tangent"),
    *("expected", "clause", "note"),
)
TAKES: Mapping[str, tuple[str, ...]] = {
    "none": (),
    "index": ("weight", "label_smoothing", "ignore_index", "reduction"),
    "dense": ("weight", "label_smoothing", "reduction"),
    "elements": ("weight", "pos_weight", "label_smoothing", "reduction"),
}
"""Attributes by what an operator takes for labels; ``elements`` where each element has its own."""

REDUCTIONS = ("none", "mean", "sum")


@dataclass(frozen=True)
class Call:
    """One case of a file: a call, with arrays of the rank that they have there.

    ``classes`` is the axis of the classes from the front. ``expected`` is what its author says the value is.
    """

    id: str
    operator: Operator
    format: Format
    logits: Floats
    labels: Floats | None
    classes: int
    attributes: Attributes
    cotangent: Floats | None
    tangent: Floats | None
    expected: Floats | None
    clause: str | None
    note: str

    @property
    def n(self) -> int:
        return int(self.logits.shape[self.classes])

    @property
    def lead(self) -> tuple[int, ...]:
        """The shape without the axis of the classes."""
        return (*self.logits.shape[: self.classes], *self.logits.shape[self.classes + 1 :])


@dataclass(frozen=True)
class Document:
    """A file of cases: ``name`` is the family of its batches."""

    name: str
    source: str
    calls: tuple[Call, ...]


def read_document(text: str, taken: Iterable[str] = ()) -> Document:
    """The cases in ``text``. Raises :class:`CasesError`; ``taken`` names families that there are already."""
    return document(_parsed(text), taken)


def document(found: Any, taken: Iterable[str] = ()) -> Document:
    """The cases in what a file of JSON holds."""
    if not isinstance(found, dict):
        raise CasesError('it holds no object: a file of cases begins {"schema": 1, "name": …, "cases": […]}')
    if found.get("schema") != SCHEMA or isinstance(found["schema"], bool):
        has = f"schema {found['schema']!r}" if "schema" in found else "no schema"
        raise CasesError(f'it has {has}, this version reads "schema": {SCHEMA} (docs/CASES.md)')
    check_known(found, DOCUMENT, "the file")
    name = name_of(found.get("name"), "name")
    if name in set(taken):
        raise CasesError(f"name {name!r} is a family of the corpus; give the file another")
    rounding = found.get("rounding", "exact")
    if rounding not in ("exact", "nearest"):
        raise CasesError(f'rounding is {rounding!r}; there are "exact" (the usual) and "nearest"')
    cases = found.get("cases")
    if not isinstance(cases, list) or not cases:
        raise CasesError("it has no cases: nothing is asked")
    if len(cases) > MAX_CASES:
        raise CasesError(f"it has {len(cases)} cases; a file holds at most {MAX_CASES}: give several files")
    calls = tuple(_call(case, f"cases[{i}]", rounding == "nearest") for i, case in enumerate(cases))
    seen: set[tuple[str, str, str, int]] = set()
    for call in calls:
        key = (call.operator.name, call.id, call.format.name, call.n)
        if key in seen:
            raise CasesError(f"case {call.id!r} is there twice for {call.operator.name} {call.format.name}")
        seen.add(key)
    return Document(name, text_of(found, "source", "the file"), calls)


def _parsed(text: str) -> Any:
    if not text.strip():
        raise CasesError("it is empty")
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise CasesError(f"it is no JSON: {error}") from None
    except RecursionError:
        raise CasesError("it is no file of cases: lists within lists without end") from None
    except CasesError:
        raise
    except ValueError as error:  # an integer of thousands of digits
        raise CasesError(f"it holds a number that cannot be read: {error}") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise CasesError(f"it says {twice!r} twice in one object: which counts?")
    return found


def _no_constant(name: str) -> Any:
    written = {"NaN": "nan", "Infinity": "inf", "-Infinity": "-inf"}[name]
    raise CasesError(f'{name} is no JSON: write "{written}", with its quotes')


# --- one case --------------------------------------------------------------------------------------------


def _call(case: Any, at: str, nearest: bool) -> Call:
    if not isinstance(case, dict):
        raise CasesError(f"{at} is no object")
    name = name_of(case.get("id"), f"{at}: id")
    where = f"case {name!r}"
    check_known(case, CASE, where)
    op = OF_ROWS[choice_of(case, "operator", OF_ROWS, where)]
    fmt = FORMATS[choice_of(case, "dtype", FORMATS, where)]

    def array(field: str) -> Floats | None:
        given = case.get(field)
        return None if given is None else floats(given, fmt, f"{where}: {field}", nearest=nearest)

    logits = array("logits")
    if logits is None:
        raise CasesError(f"{where}: it has no logits")
    if logits.ndim == 0:
        raise CasesError(f"{where}: logits is one number; it has an axis of classes: write [{logits}]")
    axis = _axis(case, op, logits.ndim, where)
    n = int(logits.shape[axis])
    lead = (*logits.shape[:axis], *logits.shape[axis + 1 :])
    attributes = _attributes(case, op, fmt, lead, n, where, nearest)
    value = () if attributes.reduction != "none" else lead if op.value_shape == "scalar" else logits.shape
    labels = _labels(case, op, array, where)
    expected = {"index": lead, "dense": logits.shape}.get(op.labels, ())
    for field, found, shape in (
        ("labels", labels, expected),
        ("cotangent", cotangent := array("cotangent"), value),
        ("tangent", tangent := array("tangent"), logits.shape),
        ("expected", says := array("expected"), value),
    ):
        if found is not None and found.shape != shape:
            raise CasesError(f"{where}: {field} has shape {found.shape}, with these logits it is {shape}")
    call = Call(
        *(name, op, fmt, logits, labels, axis, attributes, cotangent, tangent, says),
        clause=_clause(case, where),
        note=text_of(case, "note", where),
    )
    _defined(call, where)
    return call


def _labels(case: Mapping[str, Any], op: Operator, array: Any, where: str) -> Floats | None:
    given = case.get("labels")
    if (given is None) != (op.labels == "none"):
        has = "has no labels" if op.labels == "none" else f"needs labels ({_LABELS[op.labels]})"
        raise CasesError(f"{where}: {op.name} {has}")
    if op.labels == "index":
        return indices(given, f"{where}: labels")
    found: Floats | None = array("labels")
    return found


_LABELS = {"index": "one whole number a row", "dense": "one number a logit"}


def _axis(case: Mapping[str, Any], op: Operator, rank: int, where: str) -> int:
    axis = case.get("axis", -1)
    if type(axis) is not int or not -rank <= axis < rank:
        raise CasesError(f"{where}: axis is {axis!r}; with {rank} axes it is from {-rank} to {rank - 1}")
    if op.elementwise and axis % rank != rank - 1:
        raise CasesError(f"{where}: {op.name} has no axis of classes; leave axis out")
    return axis % rank


def _attributes(
    case: Mapping[str, Any],
    op: Operator,
    fmt: Format,
    lead: tuple[int, ...],
    n: int,
    where: str,
    nearest: bool,
) -> Attributes:
    given = case.get("attributes", {})
    if not isinstance(given, dict):
        raise CasesError(f"{where}: attributes is no object")
    takes = TAKES["elements" if op.elementwise and op.labels == "dense" else op.labels]
    check_known(given, takes, f"{where}: attributes of {op.name}")

    def weights(field: str) -> tuple[float, ...]:
        if given.get(field) is None:
            return ()
        found = floats(given[field], fmt, f"{where}: {field}", nearest=nearest)
        if found.shape != (n,) or not ((found >= 0) & (found < float("inf"))).all():
            raise CasesError(f"{where}: {field} is {n} numbers that are finite and not negative, one a class")
        return tuple(found.tolist())

    smoothing = given.get("label_smoothing", 0.0)
    if isinstance(smoothing, bool) or not isinstance(smoothing, int | float) or not 0 <= smoothing <= 1:
        raise CasesError(f"{where}: label_smoothing is {smoothing!r}; it is from 0 to 1")
    index = given.get("ignore_index")
    if index is not None and (type(index) is not int or abs(index) >= 2**53):
        raise CasesError(f"{where}: ignore_index is {index!r}; it is a whole number")
    reduction = given.get("reduction", "none")
    if reduction not in REDUCTIONS:
        raise CasesError(f"{where}: reduction is {reduction!r}; there are {', '.join(REDUCTIONS)}")
    rows = 1
    for k in lead:
        rows *= k
    examples = rows if reduction != "none" or rows == 0 else None
    return Attributes(weights("weight"), weights("pos_weight"), float(smoothing), index, reduction, examples)


def _defined(call: Call, where: str) -> None:
    """Refuse what the specification has no value for: an infinite label, a tangent beside a special value."""
    op, a = call.operator, call.attributes
    for field in ("labels", "cotangent", "tangent"):
        found = getattr(call, field)
        if found is None or not found.size:
            continue
        spoilt = abs(found) == float("inf") if field == "labels" else ~(abs(found) < float("inf"))
        if spoilt.any():
            raise CasesError(
                f"{where}: {field} holds an infinity, or a NaN, for which no clause says what is right"
            )
    if call.tangent is None:
        return
    if a != Attributes():
        raise CasesError(f"{where}: a tangent goes without attributes, and with a row at least")
    inside = abs(call.logits) < float("inf")
    if op.within_unit:
        inside = (call.logits > 0) & (call.logits < 1)
    named = op.labels != "index" or call.labels is None or ((call.labels >= 0) & (call.labels < call.n)).all()
    known = call.labels is None or (call.labels == call.labels).all()
    if not (inside.all() and named and known):
        raise CasesError(f"{where}: a tangent goes with logits and labels where the operator has derivatives")


def _clause(case: Mapping[str, Any], where: str) -> str | None:
    number = case.get("clause")
    if number is not None and (not isinstance(number, str) or number not in clauses()):
        raise CasesError(f"{where}: SPEC.md has no clause {number!r} (`conformance list clauses` shows all)")
    return number
