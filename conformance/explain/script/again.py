"""A call that is made once more, and should give the same bits (SPEC.md 7.3, 7.8 to 7.13), in a script.

The ways are those of :class:`xent_conformance.worker.delivery.Delivery`: twice, after a call of another
shape, by two threads at once, without gradients, through a graph that was kept, added to a gradient, with one
array for two arguments. Or the call is made once, and what it was given is looked at; or again, where memory
is filled with something else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from xent_conformance.cases.case import Batch
from xent_conformance.explain.script.format import block
from xent_conformance.frameworks.interface import GRADIENT_STATES, Array
from xent_conformance.judging.repeated import TWICE
from xent_conformance.reports.run.words import ONCE_MORE, Row, Status, Symptom
from xent_conformance.worker.bits import other_bits
from xent_conformance.worker.delivery import AGAIN, CHANGED
from xent_conformance.worker.unwritten import OTHER, PERTURB, UNWRITTEN, USUAL

CALLS = 3
"""So often a call is repeated: a cache may be right every second time."""

OFTEN = 1000
"""So often a call is repeated that gives other bits now and then."""

ROUNDS = 20
"""So often two threads start at once."""

RECORDED = "recorded"
"""Of a value: it is asked where gradients are. In ``Shown.state``, beside :data:`GRADIENT_STATES`."""

CHANGES = "changes"
"""The call is made once, and changes what it is given."""

SOMETIMES = "sometimes"
"""The call is repeated until it gives other bits, as it did in a run."""

FILLED = "filled"
"""The call is made again where memory that is allocated holds something else."""

Ask = Callable[[Array, str], Mapping[str, Array]]
"""What a new process answers to rows, in a manner of asking again."""

_TOLD: Mapping[str, str] = {
    "twice": "a call and the same call again",
    "other_between": "a call before and after one of another shape",
    "threads": "a call alone, and by two threads at once",
    "inference": "the value beside gradients, and without them",
    "second_backward": "a first and a second backward through one graph",
    "accumulated": "a gradient, and half of two that add up",
    "shared": "two equal arrays, and one in both places",
    CHANGES: "what a call is given, before it and after",
    SOMETIMES: f"a call, and the same call {OFTEN} times more",
    FILLED: "a call, and one where memory held something else",
}


@dataclass(frozen=True)
class Again:
    """How a call is made once more; ``rows`` are those of the first."""

    kind: str
    rows: int
    seen: str = ""
    """Of answers that differ from call to call: what was seen of them, in words."""

    @property
    def told(self) -> str:
        """What is compared, in words."""
        return _TOLD[self.kind]

    @property
    def states(self) -> tuple[str, ...]:
        """In which states the first and the second call are made; one where both are alike."""
        if self.kind not in GRADIENT_STATES:
            return ("",)
        return (RECORDED if self.kind == "inference" else "", self.kind)

    @property
    def imports(self) -> frozenset[str]:
        """What the script imports for it."""
        threads = {"import threading", "from concurrent.futures import ThreadPoolExecutor"}
        return frozenset({"threads": threads, FILLED: {"import ctypes"}}.get(self.kind, ()))

    def lines(self, names: Sequence[str]) -> list[str]:
        """Statements that make both calls of these arguments, by ``ask`` and ``ask_again``, and compare."""
        given = ", ".join(names)
        if self.kind == CHANGES:
            return _changed(names)
        if self.kind == FILLED:
            return [*_filled(given), *self._compared()]
        return [f"first = np.array(ask({given}), ndmin=1)", *self._seconds(names, given), *self._compared()]

    def _seconds(self, names: Sequence[str], given: str) -> list[str]:
        if self.kind == "twice":
            return [f"seconds = [ask({given}) for _ in range({CALLS})]"]
        if self.kind == SOMETIMES:
            return [f"seconds = (ask({given}) for _ in range({OFTEN}))  # until one is another"]
        if self.kind == "other_between":
            other = (
                [f"{name}[: {self.rows // 2}]" for name in names]
                if self.rows > 1
                else [f"np.repeat({name}, 2, axis=0)" for name in names]
            )
            return [f"ask({', '.join(other)})", f"seconds = [ask({given})]"]
        if self.kind == "threads":
            return [
                "both = threading.Barrier(2)",
                "",
                "",
                "def at_once(_):",
                "    both.wait()",
                f"    return np.array(ask({given}))",
                "",
                "",
                "with ThreadPoolExecutor(2) as pool:",
                f"    seconds = [a for _ in range({ROUNDS}) for a in pool.map(at_once, range(2))]",
            ]
        if self.kind == "shared":
            twice = [names[0] if n == _twin(names) else n for n in names]
            return [f"seconds = [ask({', '.join(twice)})]"]
        return [f"seconds = [ask_again({given})]"]

    def _compared(self) -> list[str]:
        inner = [
            "second = np.array(second, ndmin=1)",
            "other = first.view(np.uint64) != second.view(np.uint64)",
            "other &= ~(np.isnan(first) & np.isnan(second))",
            "if other.any():",
            "    place = tuple(int(i) for i in np.argwhere(other)[0])",
            '    print(f"{place} {float(first[place])} and {float(second[place])}")',
            f'    sys.exit(f"differ: {{other.sum()}} of {{other.size}} numbers: {self.told}")',
        ]
        return ["for second in seconds:", *block(inner), f'print("the same bits: {self.told}")']


def _twin(names: Sequence[str]) -> str:
    """The argument that has the logits' place as well."""
    return "labels" if "labels" in names else "cotangent"


def _filled(given: str) -> list[str]:
    return [
        "",
        "",
        "def ask_filled(byte):",
        "    # the GNU C library fills what is allocated with the byte: M_PERTURB",
        f"    if not ctypes.CDLL(None).mallopt({PERTURB}, byte ^ 255):",
        '        raise SystemExit("this C library does not fill memory")',
        f"    return np.array(ask({given}), ndmin=1)",
        "",
        "",
        f"first, seconds = ask_filled({USUAL}), [ask_filled({OTHER})]",
    ]


def _changed(names: Sequence[str]) -> list[str]:
    told = ", ".join(f'"{name}": {name}' for name in names)
    return [
        "",
        "",
        "def arithmetic(one=1.0, half=2.0**-53, tiny=2.0**-1022, least=2.0**-1060):",
        "    rounding = one + half != one, -one - half != -one, one - half / 2 != one",
        "    return rounding, (tiny / 2 == 0, least * 2.0**60 == 0)  # and what it flushes to zero",
        "",
        "",
        f"given = {{{told}}}",
        "before = {name: array.copy() for name, array in given.items()}",
        "thread = arithmetic()",
        f"ask({', '.join(names)})",
        "if arithmetic() != thread:",
        '    sys.exit("differs: the call changed how its thread rounds, or what it flushes to zero")',
        "changed = [name for name, array in given.items() if array.tobytes() != before[name].tobytes()]",
        "for name in changed:",
        '    print(f"{name} was {before[name]} and is {given[name]}")',
        "if changed:",
        "    sys.exit(f\"differs: the call changed its {' and '.join(changed)}\")",
        'print("what the call was given is as it was")',
    ]


def kind_of(batch: Batch, row: Row) -> str:
    """In which way a verdict's call is made once more to show it; empty where one call does."""
    again = str(batch.form.again)
    if row["symptom"] == Symptom.CHANGED_INPUTS:
        return CHANGES
    if row["symptom"] == Symptom.UNWRITTEN:
        return FILLED
    if again in ("", "alone"):  # a row alone, and in a batch: xent_conformance.explain.script.pairs
        return "twice" if row["clause"] == TWICE and row["symptom"] == Symptom.OTHER_BITS else _said(row)
    if again in GRADIENT_STATES and (row["output"] == "value") != (again == "inference"):
        return ""
    shown = row["status"] == Status.CONFORMS or row["symptom"] == Symptom.OTHER_BITS
    return again if shown or _said(row) else ""


def otherwise(ask: Ask, output: str, kind: str, ways: Iterable[Array]) -> Array | None:
    """The first of several takes of rows of which a new process gives other bits when asked once more."""
    # of two plain calls the worker compares the first with the second by itself
    manners = {"twice": ("twice", ""), CHANGES: ("",), FILLED: ("",)}.get(kind, (kind,))
    for take in ways:
        for again in manners:
            if _differs(ask(take, again), output, kind):
                return take
    return None


def _differs(results: Mapping[str, Array], output: str, kind: str) -> bool:
    if kind == CHANGES:
        return any(bool(a.any()) for name, a in results.items() if name.endswith(CHANGED))
    if kind == FILLED:
        return output + UNWRITTEN in results
    first, second = results.get(output), results.get(output + AGAIN)
    return first is not None and second is not None and bool(other_bits(first, second).any())


def _said(row: Row) -> str:
    """``twice`` where the number is one that came back the second time."""
    return "twice" if row["message"] == ONCE_MORE else ""
