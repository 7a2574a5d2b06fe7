"""``conformance explain``: what a person types to see one row of a run again, on whatever device it was."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import pytest

from tests.support.by_hand import Install
from tests.support.cli import invoke
from tests.support.small_run import verdict
from xent_conformance.asking.process import Process, connect
from xent_conformance.commands.line import EVIDENCE, USAGE
from xent_conformance.discovery.framework import Seat
from xent_conformance.explain import case, printing
from xent_conformance.explain.case import calls_of, found_case
from xent_conformance.reports.run.words import Row, Status

pytestmark = pytest.mark.usefixtures("forked")

CASE = "softmax/two_classes/confident_right/float32/n2/r0"


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def _explain(*arguments: str, status: int = 0) -> tuple[str, str]:
    """Standard output, and the error as one line."""
    result = invoke("explain", CASE, *arguments)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == status, result.output
    return result.stdout, " ".join(result.stderr.split())


def test_the_plain_devices_are_asked_where_none_is_named(install: Install) -> None:
    install(fake="tests.support.fakes_of_explain:Varied")
    out, _ = _explain()
    assert "fake.softmax eager cpu\n" in out and "fake.softmax eager gpu:0\n" in out
    assert "[setting=odd]" not in out


def test_a_variant_is_asked_under_its_setting(install: Install) -> None:
    """In a worker of its own: this one is off by an ulp under the setting, and right without."""
    install(fake="tests.support.fakes_of_explain:Varied")
    out, _ = _explain("--device", "cpu", "--device", "cpu[setting=odd]")
    plain, _, odd = out.partition("fake.softmax eager cpu[setting=odd]")
    assert "fake.softmax eager cpu\n" in plain and "(exact)" in plain
    assert odd and "(exact)" not in odd


def test_a_kind_of_device_names_all_of_its_kind(install: Install) -> None:
    install(fake="tests.support.fakes_of_explain:Varied")
    out, _ = _explain("--device", "gpu")
    assert "fake.softmax eager gpu:0\n" in out and "eager cpu" not in out


def test_a_device_that_is_not_there_is_said(install: Install) -> None:
    install(fake="Exact")
    out, _ = _explain("--device", "cuda", status=EVIDENCE)
    assert "fake: no device cuda here; there is cpu" in out
    _explain("--device", "cuda", "--device", "cpu")


def test_a_device_that_is_there_is_not_missed_where_an_output_is_not_returned(install: Install) -> None:
    install(fake="NoAutodiff")
    _explain("--device", "cpu", "--output", "grad_logits")


def test_a_clause_says_beside_the_answer_who_may_break_it_and_be_honest(install: Install) -> None:
    """Where it is broken, and nowhere else."""
    install(fake="tests.support.fakes_of_explain:MerelyStable")
    out, _ = _explain()
    value, _, gradient = out.partition("grad_logits: breaks should, clause 1.2")
    assert gradient and "note: An honest kernel can be here" in " ".join(gradient.split())
    assert "note:" not in value


def test_what_is_broken_heads_the_screen_where_it_is_not_what_the_case_asks_for(install: Install) -> None:
    install(fake="AlwaysNan")
    head = _explain()[0].splitlines()[1:4]
    assert re.match(r"broken in 2 answers: clause (?!1\.2)\S+ \(must\) .+: ", head[0])
    assert head[1].startswith("what the case asks for: clause 1.2 (should) Relative accuracy: ")
    assert head[2].startswith("softmax = ")
    for alike in ("tests.support.fakes_of_explain:MerelyStable", "Exact"):
        install(fake=alike)
        assert _explain()[0].splitlines()[1].startswith("clause 1.2 (should) Relative accuracy: ")


def test_of_what_is_broken_a_must_clause_comes_first_and_a_control_is_not_told_beside_others() -> None:
    own, must = verdict(status="breaks_should"), verdict(status="breaks_must")
    should = own | {"clause": "1.3"}
    control = must | {"formulation": "naive"}

    def heads(*rows: Row) -> list[str]:
        return [line.split(" (")[0] for line in printing._clauses(found_case(CASE)[1], rows)]

    asked, one = "what the case asks for: clause 1.2", "broken in 1 answer: clause"
    assert heads(should, should, must, verdict()) == [
        f"{one} 1.1",
        "broken in 2 answers: clause 1.3",
        asked,
    ]
    assert heads(own, must, control) == [f"{one} 1.1", f"{one} 1.2", asked]
    assert heads(own, control) == heads(verdict(), control) == heads() == ["clause 1.2"]
    assert heads(control) == [f"{one} 1.1", asked]


def test_a_variant_that_nobody_has_is_refused(install: Install) -> None:
    install(fake="tests.support.fakes_of_explain:Varied")
    _, error = _explain("--device", "cpu[setting=od]", status=USAGE)
    assert "unknown variant 'cpu[setting=od]': did you mean cpu[setting=odd]" in error


def test_a_variant_that_the_implementation_does_not_have(install: Install) -> None:
    install(fake="tests.support.fakes_of_explain:Varied", other="Exact")
    _, error = _explain("--implementation", "other*", "--device", "cpu[setting=odd]", status=USAGE)
    assert "no implementation of softmax matches 'other*' on cpu[setting=odd]" in error


def test_a_mode_that_widens_is_judged_as_in_a_run(install: Install) -> None:
    """A result of a wider type is right where the mode says so."""
    install(fake="tests.support.fakes_of_explain:Widens")
    out, _ = _explain()
    assert "wrong dtype" not in out and "conforms" in out and "breaks" not in out


# --- who is asked, and in which order -------------------------------------------------------------------


def test_who_gave_an_answer_is_said_with_the_framework_and_its_version(install: Install) -> None:
    """Keras has one name for the doors of all its backends."""
    install(one="Exact", two="Exact")
    out, _ = _explain()
    assert "one 1.0: fake.softmax eager cpu\n" in out and "two 1.0: fake.softmax eager cpu\n" in out


def test_the_broken_come_first(install: Install) -> None:
    install(right="Exact", wrong="AlwaysNan")
    out, _ = _explain()
    assert out.index("wrong 1.0: fake.softmax") < out.index("right 1.0: fake.softmax")
    (summary,) = [line for line in out.splitlines() if " answers of " in line]
    assert summary.startswith("4 answers of wrong 1.0, right 1.0: ") and "breaks must" in summary
    (told,) = [json.loads(_explain("--format", "json")[0])]
    assert [f["framework"] for f in told["frameworks"]] == ["wrong", "right"]
    assert [f["version"] for f in told["frameworks"]] == ["1.0", "1.0"]


def test_the_calls_of_one_framework_are_ordered_too() -> None:
    """A control is naive on purpose: it comes after what is as bad, and before what is less."""
    rows = [
        {
            "framework": "f",
            "implementation": name,
            "mode": "m",
            "device": "cpu",
            "status": s,
            "formulation": f,
        }
        for name, s, f in (
            ("right", Status.CONFORMS, "fused"),
            ("control", Status.BREAKS_MUST, "naive"),
            ("should", Status.BREAKS_SHOULD, "fused"),
            ("must", Status.CONFORMS, "fused"),
            ("must", Status.BREAKS_MUST, "fused"),
        )
    ]
    assert [call[0]["implementation"] for call in calls_of(rows)] == ["must", "control", "should", "right"]
    assert [len(call) for call in calls_of(rows)] == [2, 1, 1, 1]


def test_the_worst_stands_once_more_at_the_end(install: Install) -> None:
    """Where a terminal ends; of one answer alone there is nothing to pick out."""
    install(right="Exact", wrong="AlwaysNan", gone="Absent")
    last = _explain()[0].splitlines()[-3:]
    assert last[0] == "the worst: wrong 1.0: fake.softmax eager cpu"
    assert last[1].startswith("  value: breaks must, clause ") and "element 0: returned NaN" in last[2]
    assert "the worst" not in _explain("--framework", "right")[0]


def test_the_worst_breaks_a_must_clause_and_is_no_control() -> None:
    must = {"status": "breaks_must", "ulps": 3.0}
    rows = [
        verdict(status="breaks_should", ulps=1e9, case="should"),
        verdict(**must, case="must"),
        verdict(**must | {"ulps": math.nan}, case="no number"),
        verdict(**must | {"ulps": math.inf}, formulation="naive", case="a control"),
        verdict(),
    ]
    found = [printing._worst([rows[:n]]) for n in range(1, 6)]
    assert [worst and worst["case"] for worst in found] == ["should", "must", *["no number"] * 3]
    assert printing._worst([rows[3:]]) is None


@pytest.mark.parametrize("formatted", ["text", "json"])
def test_only_the_named_frameworks_are_started(
    formatted: str, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(one="Exact", two="Exact", gone="Absent")
    started: list[str] = []

    def remembered(seat: Seat) -> Process:
        started.append(seat.key)
        return connect(seat)

    monkeypatch.setattr(case, "connect", remembered)
    out, _ = _explain("--framework", "two", "--format", formatted)
    assert started == ["two"] and "one" not in out.replace("none", "") and "gone" not in out
    started.clear()
    _explain("--framework", "two", "--framework", "one", "--format", formatted)
    assert sorted(started) == ["one", "two"]


def test_only_the_named_modes_and_outputs_are_shown(install: Install) -> None:
    install(fake="tests.support.fakes_of_explain:TwoModes")
    out, _ = _explain()
    assert "fake.softmax eager cpu\n" in out and "fake.softmax slow cpu\n" in out
    out, _ = _explain("--mode", "slow", "--output", "value")
    assert "fake.softmax slow cpu\n" in out and "eager" not in out
    assert "  value: " in out and "  grad_logits: " not in out


REFUSED = {
    "unknown framework 'tow': did you mean two": ("--framework", "tow"),
    "unknown mode 'jti': there are eager": ("--mode", "jti"),
    "unknown output 'gradient': there are value, grad_logits": ("--output", "gradient"),
    "no implementation of softmax matches '*' of two on cpu[setting=odd]": (
        *("--framework", "two", "--device", "cpu[setting=odd]"),
    ),
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_nothing_answers_to_is_refused(words: str, install: Install) -> None:
    install(one="tests.support.fakes_of_explain:Varied", two="Exact")
    _, error = _explain(*REFUSED[words], status=USAGE)
    assert words in error


def test_a_mistyped_implementation_is_refused_before_anything_is_told(install: Install) -> None:
    install(fake="Exact")
    out, error = _explain("--implementation", "fake.sofmax", status=USAGE)
    told = "no implementation of softmax matches 'fake.sofmax' (did you mean fake.softmax? `conformance list"
    assert told in error and out == ""


def test_the_same_answer_is_told_once_under_all_who_gave_it(install: Install) -> None:
    install(one="Exact", two="Exact", off="OneUlpOff")
    out, _ = _explain()
    assert "\none 1.0: fake.softmax eager cpu\ntwo 1.0: fake.softmax eager cpu\n  value: conforms" in out
    assert out.count("  value: ") == 2, "that of another is its own"


def test_a_device_that_nobody_has_is_missed_whoever_else_is_not_installed(install: Install) -> None:
    install(fake="Exact", gone="Absent")
    out, error = _explain("--device", "cuda", status=EVIDENCE)
    assert "not installed: gone" in out
    assert "what was asked by name is not there: fake: no device cuda here; there is cpu" in error
    install(gone="Absent")
    _explain("--device", "cuda")  # of whom nobody knows which devices it had


def test_the_absent_is_one_line_and_an_error_where_it_was_named(install: Install) -> None:
    install(fake="Exact", gone="Absent", lost="Absent")
    out, _ = _explain()
    assert "\nnot installed: gone (pip install 'gone'), lost (pip install 'lost')\n" in out
    install(fake="Exact", **dict.fromkeys(("gone", "lost", "away", "off"), "Absent"))
    out, _ = _explain()
    (line,) = [line for line in out.splitlines() if "not installed" in line]
    assert line == "not installed, and not asked: 4 frameworks (how to get each: conformance doctor)"
    out, error = _explain("--framework", "gone", "--framework", "fake", status=EVIDENCE)
    assert "fake.softmax eager cpu\n" in out and "gone: not installed: ModuleNotFoundError" in out
    assert "what was asked by name is not there: gone (pip install 'gone')" in error
