"""Frameworks that misbehave, each with what must come of it: the status of its gate, and what is charged."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tests.support import fakes
from tests.support.by_hand import selection
from xent_conformance.decision.gate import decide
from xent_conformance.discovery.framework import FRAMEWORKS, Framework
from xent_conformance.reference.oracle import Oracle
from xent_conformance.running.engine import run

SECONDS = 2.0
"""An answer is waited for so long."""

SIZES = "tests.support.fakes_of_sizes:"

EXPECTED: dict[str, tuple[int, set[str]]] = {
    "Exact": (0, {"none"}),
    "Chatty": (0, {"none"}),
    "OddDevice": (0, {"none"}),
    "OneUlpOff": (1, {"none", "beyond the stable bound"}),
    "FarOff": (1, {"none", "beyond the stable bound"}),
    "AlwaysNan": (1, {"none", "NaN"}),
    "NanOnOverflow": (1, {"none", "NaN"}),
    "WrongShape": (1, {"wrong shape"}),
    "WrongDtype": (1, {"none", "wrong dtype"}),
    "ScalarValue": (1, {"none", "wrong shape"}),
    "Raises": (1, {"none", "raised"}),
    "RaisesAlways": (1, {"refused"}),
    "GradientRaises": (1, {"none", "refused"}),
    "OnlyBinary64": (1, {"refused"}),
    "Foreign": (1, {"none", "raised"}),
    "BreaksDown": (1, {"none", "raised"}),
    "PoisonedByNan": (1, {"none", "raised"}),
    "DiesOncePoisoned": (1, {"none", "raised"}),
    "Crashes": (1, {"none", "crashed"}),
    "GradientCrashes": (1, {"none", "crashed"}),
    "Exits": (1, {"none", "crashed"}),
    "Hangs": (1, {"none", "timed out"}),
    "NoDevices": (3, set()),
    "Absent": (3, set()),
    "BreaksOnImport": (3, set()),
    "OnlyNaive": (3, {"none"}),
    f"{SIZES}Endless": (1, {"wrong shape"}),
    f"{SIZES}Large": (1, {"wrong shape"}),
    f"{SIZES}Squared": (1, {"wrong shape"}),
    f"{SIZES}WritesFrames": (1, {"crashed"}),
    f"{SIZES}TalksByTheMegabyte": (1, {"none", "crashed"}),
}
"""By adapter of :mod:`tests.support.fakes`, or of the module that is named: status, and symptoms."""


@dataclass
class Misbehaved:
    """How many there were, and what was not as it must be."""

    adapters: int = 0
    wrong: list[str] = field(default_factory=list)


def campaign(cache: Path, names: list[str]) -> Misbehaved:
    """Ask each of them ordinary rows and those of special values, by workers, and decide on it alone.

    The ordinary ones come first: of a process that its first call breaks nobody knows that it was whole.
    """
    found, before = Misbehaved(), dict(FRAMEWORKS)
    try:
        for name in names:
            found.adapters += 1
            adapter = name if ":" in name else f"tests.support.fakes:{name}"
            FRAMEWORKS.clear()
            FRAMEWORKS["fake"] = Framework("fake", adapter, "pip install fake", (fakes.HERE,))
            asked = selection(
                frameworks=("fake",), operators=("softmax",), families=("ordinary", "special_values")
            )
            try:
                done = run(asked, None, oracle=Oracle(cache), timeout=SECONDS)
            except Exception as error:  # noqa: BLE001  # no framework may end a run
                found.wrong.append(f"{name}: {type(error).__name__}: {error}")
                continue
            told = decide(done, waivers=[]).status, set(done.verdicts["symptom"])
            if told != EXPECTED[name]:
                found.wrong.append(f"{name}: {told}, and {EXPECTED[name]} is right")
    finally:
        FRAMEWORKS.clear()
        FRAMEWORKS.update(before)
    return found
