"""Waivers in the gate, through the command line: every state a waiver can have, each fired by a fake."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support import small_run as small
from tests.support.cli import conformance
from tests.support.gating import SPECIAL, TWO_CLASSES, WITNESS, Make, gated, kinds, waiver
from tests.support.small_gate import decided
from tests.support.small_gate import waiver as by_hand_waiver
from xent_conformance.decision.waivers import known_files, read_waivers
from xent_conformance.reports.views.reasons import Kind
from xent_conformance.reports.views.waivers import State
from xent_conformance.worker.machine import CHOOSE, instructions

OTHER = "softmax/two_classes/confident_right/float32/n2/r0"
LOGSUMEXP = "logsumexp/two_classes/confident_wrong/float32/n2/r0"
"""Of the corpus, and of what no implementation of softmax is ever asked."""

ONE_ONE = {"name": "fake-nan-1-1", "clause": "1.1", "witnesses": [OTHER]}


def _gated(make: Make, fake: str, *entries: dict[str, Any]) -> tuple[int, dict[str, Any], list[str]]:
    Path("w.toml").write_text("\n".join(waiver(**e) for e in entries))
    return gated(make(fake, *TWO_CLASSES), "--waivers", "w.toml")


def _state(told: dict[str, Any], name: str = "fake-nan") -> str:
    return next(str(w["state"]) for w in told["waivers"] if w["name"] == name)


def test_what_is_accepted_passes(make: Make) -> None:
    status, told, lines = _gated(make, "AlwaysNan", {}, ONE_ONE)
    assert status == 0 and _state(told) == State.ACCEPTS and told["waived"] == 80
    assert "80 accepted by your waivers" in lines[0]
    assert any("waivers: 2 accepts; 80 verdicts accepted" in line for line in lines)


def test_what_is_not_named_blocks(make: Make) -> None:
    status, told, _ = _gated(make, "AlwaysNan", {})
    assert status == 1 and {r["clause"] for r in told["reasons"]} == {"1.1"} and told["waived"] == 48


def test_an_expired_waiver(make: Make) -> None:
    status, told, lines = _gated(make, "AlwaysNan", {"expires": "2020-01-01"}, ONE_ONE)
    assert status == 1 and _state(told) == State.EXPIRED
    assert kinds(told) == {Kind.EXPIRED, Kind.MUST}, "what it accepted blocks again"
    assert any("expired: fake-nan: it expired on 2020-01-01" in line for line in lines)


def test_a_waiver_that_has_time_left(make: Make) -> None:
    status, told, _ = _gated(make, "AlwaysNan", {"expires": "2999-01-01"}, ONE_ONE)
    assert status == 0 and _state(told) == State.ACCEPTS


def test_a_stale_waiver(make: Make) -> None:
    status, told, lines = _gated(make, "Exact", {})
    assert status == 1 and _state(told) == State.STALE and kinds(told) == {Kind.STALE}
    assert lines[0] == "gate failed: waiver fake-nan: stale"
    assert lines[-1].startswith(f"conformance explain {WITNESS} --implementation fake.softmax")
    (line,) = [line for line in lines if line.startswith("  stale: ")]
    assert f"its witness {WITNESS} conforms now; take the waiver (or the witness) out of w.toml" in line
    assert line.endswith(f"next: {lines[-1]}")


@pytest.mark.parametrize("elsewhere", [True, False])
def test_a_waiver_of_another_processor(elsewhere: bool, make: Make) -> None:
    """Where the witness was never seen to fail, that it conforms is told and blocks nothing."""
    lacking = next(name for name in CHOOSE if name not in instructions().split())
    seen_with = lacking if elsewhere else f"-{lacking}"
    status, told, lines = _gated(make, "Exact", {"instructions": [seen_with]})
    assert _state(told) == (State.BETTER if elsewhere else State.STALE)
    assert status == (0 if elsewhere else 1) and bool(kinds(told)) is not elsewhere
    if elsewhere:
        assert f"it was seen to fail on one with {lacking}" in told["waivers"][0]["message"]
        (line,) = [line for line in lines if line.startswith("  better than known: fake-nan: ")]
        assert "next:" not in line


def test_a_waiver_of_another_processor_accepts_the_same_divergence_here(make: Make) -> None:
    lacking = next(name for name in CHOOSE if name not in instructions().split())
    status, told, _ = _gated(make, "AlwaysNan", {"instructions": [lacking]}, ONE_ONE)
    assert status == 0 and _state(told) == State.ACCEPTS and told["waived"] == 80


def test_a_waiver_of_another_library_accepts_nothing(make: Make) -> None:
    """It was seen on others: here nothing is stale, and nothing accepted."""
    status, told, lines = _gated(make, "AlwaysNan", {"libraries": ["numpy<1"]}, ONE_ONE)
    assert status == 1 and _state(told) == State.NOT_EVALUATED and kinds(told) == {Kind.MUST}
    assert any("fake 1.0 was not asked on numpy<1" in line for line in lines)
    status, told, _ = _gated(make, "AlwaysNan", {"libraries": ["numpy>=1"]}, ONE_ONE)
    assert status == 0 and _state(told) == State.ACCEPTS and told["waived"] == 80


def test_a_waiver_whose_witness_is_refused_now(make: Make) -> None:
    """A NaN that became a refusal is not covered."""
    status, told, _ = _gated(make, "RaisesAlways", {})
    assert status == 1 and _state(told) == State.WORSENED
    assert "now there is refused (1.7)" in told["waivers"][0]["message"]


@pytest.mark.parametrize(
    ("changes", "words", "command"),
    [
        (
            {"implementations": ["fake.sofmax"]},
            "fake has no implementation 'fake.sofmax'",
            "list implementations",
        ),
        ({"witnesses": [WITNESS + "9"]}, "there is no case", f"explain {WITNESS}9"),
        ({"witnesses": ["what"]}, "there is no case 'what'", "explain what"),
        *(
            (
                {"witnesses": [LOGSUMEXP], "implementations": [named]},
                f"none of its implementations computes logsumexp, of which its witness {LOGSUMEXP} is: "
                "name a case of softmax that fails",
                f"explain {LOGSUMEXP}",
            )
            for named in ("fake.softmax", "fake.*")
        ),
        ({"cases": ["softmax/masks/*"]}, f"its witness {WITNESS} is none of its cases", "explain"),
        ({"symptom": "infinite where finite"}, "nothing in its place is infinite where finite", "explain"),
    ],
)
def test_an_unmatched_waiver(changes: dict[str, Any], words: str, command: str, make: Make) -> None:
    """The last: every verdict in its place is accepted by others, so its own signature is nowhere."""
    others = [{"name": "all"}, ONE_ONE]
    status, told, lines = _gated(make, "AlwaysNan", changes, *others)
    assert status == 1 and _state(told) == State.UNMATCHED and kinds(told) == {Kind.UNMATCHED}
    assert words in told["waivers"][0]["message"]
    assert lines[-1].startswith(f"conformance {command}")


@pytest.mark.parametrize(
    ("fake", "changes", "words"),
    [
        ("AlwaysNan", {"symptom": "infinite where finite"}, "now there is NaN (2.5)"),
        ("FurtherOff", {"symptom": "beyond the stable bound", "ulps": 200000.0}, "now there is beyond"),
    ],
)
def test_a_waiver_that_has_worsened(fake: str, changes: dict[str, Any], words: str, make: Make) -> None:
    status, told, lines = _gated(make, fake, changes)
    assert status == 1 and _state(told) == State.WORSENED
    assert {Kind.WORSENED, Kind.MUST} <= kinds(told)
    assert words in told["waivers"][0]["message"]
    assert any(line.startswith("  worsened: fake-nan: it accepts") for line in lines)


def test_a_finite_error_that_became_nan_is_not_covered(make: Make) -> None:
    finite = {"symptom": "beyond the stable bound", "ulps": 1e9}
    entries = (finite, ONE_ONE | finite)
    assert _gated(make, "FarOff", *entries)[0] == 0
    assert _gated(make, "FurtherOff", *entries)[0] == 0, "more, and below the ceiling"
    status, told, _ = _gated(make, "AlwaysNan", *entries)
    assert status == 1 and {Kind.WORSENED, Kind.MUST} <= kinds(told) and told["waived"] == 0


def test_a_ceiling_is_a_ceiling(make: Make) -> None:
    """What is below it is accepted, what is above it blocks."""
    worst = max(r["ulps"] for r in _gated(make, "FarOff", {"name": "other"})[1]["reasons"] if r["ulps"])
    low = {"symptom": "beyond the stable bound", "ulps": worst / 2}
    status, told, _ = _gated(make, "FarOff", low, ONE_ONE | low)
    assert status == 1 and Kind.WORSENED in kinds(told) and 0 < told["waived"] < 80


@pytest.mark.parametrize(
    ("changes", "words", "command"),
    [
        ({"framework": "torch"}, "torch was not run", "conformance run --framework torch --profile standard"),
        (
            {"witnesses": ["softmax/two_classes/confident_wrong/float64/n2/r0"]},
            "none of its witnesses was asked",
            "conformance run --framework fake --profile standard",
        ),
        ({"modes": ["jit"]}, "none of its witnesses was asked", "conformance run --framework fake"),
        ({"devices": ["cuda*"]}, "none of its witnesses was asked", "conformance run --framework fake"),
    ],
)
def test_a_waiver_that_is_not_evaluated(
    changes: dict[str, Any], words: str, command: str, make: Make
) -> None:
    """It says nothing about this run, so it does not fail it."""
    status, told, lines = _gated(make, "Exact", changes)
    assert status == 0 and _state(told) == State.NOT_EVALUATED and kinds(told) == set()
    (found,) = told["waivers"]
    assert words in found["message"] and found["next"].startswith(command)
    assert any(line.startswith("  not evaluated: ") and "; next: conformance run" in line for line in lines)


def test_a_waiver_of_another_version_has_no_next_step(make: Make) -> None:
    """To ask this version again would say the same."""
    status, told, lines = _gated(make, "Exact", {"versions": ">=2"})
    (found,) = told["waivers"]
    assert status == 0 and _state(told) == State.NOT_EVALUATED and found["next"] == ""
    assert "fake 1.0 is not in its range >=2" in found["message"]
    assert not any("; next:" in line for line in lines)


def test_every_state_is_fired_here() -> None:
    text = Path(__file__).read_text("utf-8")
    assert [s.name for s in State if f"State.{s.name}" not in text] == []


def test_a_regression_under_a_waiver_passes(make: Make) -> None:
    """An upgrade whose new divergences are reviewed goes through."""
    Path("w.toml").write_text("\n".join([waiver(), waiver(**ONE_ONE)]))
    old, new = make("Exact", *TWO_CLASSES), make("AlwaysNan", *TWO_CLASSES)
    status, told, _ = gated(new, "--baseline", old, "--waivers", "w.toml")
    assert status == 0 and told["changes"]["regressed"] == 80
    assert kinds(told) == {Kind.ACCEPTED}, "what is new is said, though it is accepted"


def test_known_waivers_are_taken_unless_left_out(make: Make) -> None:
    run = make("Exact", *TWO_CLASSES)
    assert gated(run, known=False)[1]["waivers"] == []
    assert len(gated(run, known=True)[1]["waivers"]) == len(read_waivers(known_files())) > 0


def test_a_waiver_of_nan_does_not_cover_refusals(make: Make) -> None:
    case = "softmax/special_values/nan_first/float32/n10/r0"
    Path("w.toml").write_text(waiver(clause="3.2", cases=["softmax/special_values/*"], witnesses=[case]))
    status, told, _ = gated(make("Raises", *SPECIAL), "--waivers", "w.toml")
    assert status == 1 and told["waived"] == 0


def test_gate_names_the_known_waivers_option() -> None:
    assert "--no-known" in conformance("gate", "--help").stdout


@pytest.mark.parametrize(
    ("framework", "implementations", "state"),
    [
        ("jax", ("jax.nn.log_softmax+take",), State.UNMATCHED),  # of a loss alone
        ("jax", ("jax.nn.softmax",), State.NOT_EVALUATED),  # asked it in another run
        ("jax", ("jax.nn.*",), State.NOT_EVALUATED),
    ],
)
def test_a_witness_that_can_never_be_asked_accepts_nothing(
    framework: str, implementations: tuple[str, ...], state: State
) -> None:
    """What the implementations of a cause compute is declared; that a run was narrower proves nothing."""
    case = "softmax/ordinary/unit/float32/n10/r0"
    loss = small.verdict(
        framework=framework, implementation=implementations[0].replace("*", "log_softmax+take"),
        operator="sparse_softmax_cross_entropy", case="sparse_softmax_cross_entropy/a", status="breaks_must",
        cause="cut",
    )  # fmt: skip
    told = small.header()
    (torch,) = told["frameworks"]
    told["frameworks"] = [torch | {"framework": framework}]
    told["implementations"] = [
        {"framework": framework, "name": loss["implementation"], "operator": loss["operator"], "note": ""}
    ]
    given = by_hand_waiver(
        framework=framework, implementations=implementations, witnesses=(case,), cause="cut", clause="",
        symptom="", operators=("*",), outputs=("*",), ulps=None, source="w.toml",
    )  # fmt: skip
    gate = decided(small.run_of([loss], told), [given])
    (judged,) = gate.waivers
    assert judged.state is state and gate.waived == (0 if state is State.UNMATCHED else 1)
    assert any(r.kind is Kind.UNMATCHED and r.blocking for r in gate.reasons) is (state is State.UNMATCHED)
