"""The command beside a waiver that was not evaluated asks its witness, as the waiver names it."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import Any

import pytest

from tests.support.small_run import header, run_of
from xent_conformance.asking.selection import Selection
from xent_conformance.cases.corpus import find_case
from xent_conformance.decision.judged import for_waiver, judge_waivers
from xent_conformance.decision.waivers import Waiver, known_files, read_waivers
from xent_conformance.decision.witness import asked_in
from xent_conformance.reports.run.file import Run
from xent_conformance.reports.views.waivers import State

IN_FUNC = "torch-logit-second-derivative-of-nan"
"""A waiver of one mode, ``func``, which is asked later than eager."""


def _waiver(**changes: Any) -> Waiver:
    (found,) = [w for w in read_waivers(known_files()) if w.name == IN_FUNC]
    return replace(found, **changes)


def _run() -> Run:
    return run_of([], header())


def _asks(profile: str, waiver: Waiver) -> bool:
    """Whether ``run --framework … --profile …`` puts the witness to whom the waiver names, in its mode."""
    selection = Selection(profile, (waiver.framework,), operators=waiver.operators, families=("crossing",))
    batch, _ = find_case(waiver.witnesses[0])
    return any(b.id == batch.id for b in selection.batches()) and any(
        q.implementation in waiver.implementations and q.mode in waiver.modes
        for seat in selection.seats()
        for q in selection.questions(seat, batch, ["cpu"])
    )


def test_the_command_asks_the_mode_that_the_waiver_names() -> None:
    """``quick`` asks the case in eager alone: to say so again would lead nowhere."""
    waiver = _waiver()
    assert asked_in(waiver, waiver.witnesses[0], _run()) == "standard"
    assert _asks("standard", waiver) and not _asks("quick", waiver)


@pytest.mark.parametrize(
    ("changes", "profile"),
    [
        ({"modes": ("*",)}, "quick"),
        ({"modes": ("func", "no_such_mode")}, "standard"),
        ({"modes": ("no_such_mode",)}, ""),
        ({"devices": ("cuda*",)}, ""),
        ({"outputs": ("no_such_output",)}, ""),
        ({"framework": "not-here"}, "quick"),
        ({"witnesses": ("logit/mine/a/float32/n4/r0",)}, ""),
    ],
)
def test_the_smallest_profile_or_none(changes: dict[str, Any], profile: str) -> None:
    waiver = _waiver(**changes)
    assert asked_in(waiver, waiver.witnesses[0], _run()) == profile


def test_a_waiver_of_which_no_profile_asks_the_witness_names_no_command() -> None:
    run = _run()
    for modes, command in (
        (("func",), "conformance run --framework torch --profile standard"),
        (("no_such_mode",), ""),
    ):
        waiver = _waiver(modes=modes, cause="")
        day = datetime.date(2026, 1, 1)
        _, (judged,) = judge_waivers(run, run.faults, run.verdicts.lazy(), [waiver], day)
        assert judged.state is State.NOT_EVALUATED
        assert for_waiver(judged, run) == command
