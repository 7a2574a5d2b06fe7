"""The gate through the command line: every reason it can have, every exit status, each fired by a fake."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.support.by_hand import Install
from tests.support.cli import conformance
from tests.support.gating import (
    BFLOAT16,
    HUGE,
    SPECIAL,
    TWO_CLASSES,
    WITNESS,
    Make,
    changed,
    earlier,
    gated,
    kinds,
    waiver,
)
from tests.support.paths import ROOT
from tests.support.small_run import header, run_of, verdict
from xent_conformance.commands.base import FailOn
from xent_conformance.decision.evidence import another_suite, evidence
from xent_conformance.decision.policy import POLICIES
from xent_conformance.reports.run import file as run_file
from xent_conformance.reports.run.file import Run
from xent_conformance.reports.run.words import Status
from xent_conformance.reports.views.reasons import EVIDENCE, Kind

pytestmark = pytest.mark.usefixtures("forked")

# --- a run by itself ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fake", "asked", "status", "words"),
    [
        ("Exact", TWO_CLASSES, 0, "gate passed: 80 verdicts of fake 1.0"),
        ("Slow", TWO_CLASSES, 0, "gate passed: 80 verdicts of fake 1.0"),
        ("OneUlpOff", TWO_CLASSES, 0, "gate passed"),
        (
            "AlwaysNan",
            TWO_CLASSES,
            1,
            "gate failed: fake.softmax grad_logits: NaN (must 2.5 Two classes), 24",
        ),
        ("NanOnOverflow", HUGE, 1, "gate failed: fake.softmax"),
        ("Raises", SPECIAL, 1, "raised: raises for some numbers (must 3.2"),
        ("Crashes", SPECIAL, 1, "crashed: the process dies (must 3.2"),
        ("WrongShape", TWO_CLASSES, 1, "wrong shape: returns another shape (must 1.4"),
        ("FlushesToZero", HUGE, 0, "gate passed"),
        ("ClaimsWhatItLacks", TWO_CLASSES, 0, "gate passed"),
        ("DeclaresWhatItLacks", TWO_CLASSES, 0, "gate passed"),
        ("DeclaresWhatItLacks", BFLOAT16, 3, "has no answer of an implementation that users call"),
        (
            "ClaimsWhatItLacks",
            BFLOAT16,
            1,
            "refused: refuses what it declares (must 1.7 What is offered is answered)",
        ),
        (
            "RaisesAlways",
            TWO_CLASSES,
            1,
            "refused: refuses what it declares (must 1.7 What is offered is answered)",
        ),
    ],
)
def test_a_run_by_itself(fake: str, asked: tuple[str, ...], status: int, words: str, make: Make) -> None:
    found, told, lines = gated(make(fake, *asked))
    assert (found, words in lines[0]) == (status, True), lines[0]
    assert sum(told["by_status"].values()) == told["verdicts"]
    if status:
        first = next(r for r in told["reasons"] if r["blocking"])
        assert lines[-1] == first["command"]
        assert lines[-1].startswith("conformance ")


def test_a_kernel_that_hangs(make: Make) -> None:
    status, told, _ = gated(make("Hangs", *SPECIAL, "--timeout", "0.4"))
    assert status == 1
    assert "timed out" in {r["symptom"] for r in told["reasons"]}


def test_the_reproduction_is_a_command_that_shows_the_case(make: Make, install: Install) -> None:
    _, told, lines = gated(make("AlwaysNan", *TWO_CLASSES))
    install(fake="AlwaysNan")
    shown = conformance(*lines[-1].split()[1:], status=0).stdout
    assert "returned NaN" in shown and told["reasons"][0]["case"] in shown


def test_a_should_clause_warns_or_blocks(make: Make) -> None:
    run = make("FlushesToZero", *HUGE)
    status, told, lines = gated(run)
    assert status == 0 and kinds(told) == {Kind.SHOULD}
    assert not any(r["blocking"] for r in told["reasons"])
    assert any("should clause broken" in line for line in lines)
    status, told, _ = gated(run, "--fail-on", "should")
    assert status == 1 and all(r["blocking"] for r in told["reasons"])


def test_what_was_left_out_is_told_and_does_not_block(make: Make) -> None:
    both = (
        "--operator",
        "softmax",
        "--operator",
        "log_softmax",
        "--dtype",
        "float32",
        "--family",
        "two_classes",
    )
    status, told, lines = gated(make("Exact", *both, "--exclude", "fake.log_softmax"))
    assert status == 0 and kinds(told) == {Kind.EXCLUDED}
    assert "warnings: 1" in lines


# --- against a baseline -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "now", "options", "status", "kind"),
    [
        ("Exact", "Exact", (), 0, None),
        ("Exact", "NextVersion", (), 0, None),
        ("Exact", "AlwaysNan", (), 1, Kind.REGRESSED),
        ("Exact", "OneUlpOff", (), 0, Kind.DRIFTED),
        ("Exact", "OneUlpOff", ("--fail-on", "drift"), 1, Kind.DRIFTED),
        ("Exact", "OneUlpOff", ("--fail-on", "drift", "--drift-factor", "1000"), 0, Kind.BITS),
        ("OneUlpOff", "OneUlpBelow", (), 0, Kind.BITS),
        ("OneUlpOff", "OneUlpBelow", ("--fail-on", "bits"), 1, Kind.BITS),
        ("OneUlpOff", "Exact", ("--fail-on", "drift"), 0, None),
        ("FarOff", "FurtherOff", (), 1, Kind.LESS_ACCURATE),
        ("FurtherOff", "FarOff", (), 0, Kind.AS_BEFORE),
        ("AlwaysNan", "Exact", (), 0, None),
        ("AlwaysNan", "AlwaysNan", (), 0, Kind.AS_BEFORE),
        ("AlwaysNan", "AlwaysNan", ("--fail-on", "strict"), 1, Kind.AS_BEFORE),
        ("FarOff", "AlwaysNan", (), 1, Kind.REGRESSED),
        ("AlwaysNan", "FarOff", (), 0, Kind.AS_BEFORE),
        ("AlwaysNan", "FarOff", ("--fail-on", "strict"), 1, Kind.AS_BEFORE),
        ("Exact", "RaisesAlways", (), 1, Kind.REGRESSED),
    ],
)
def test_against_a_baseline(
    before: str, now: str, options: tuple[str, ...], status: int, kind: Kind | None, make: Make
) -> None:
    old, new = earlier(make(before, *TWO_CLASSES), Path("old.parquet")), make(now, *TWO_CLASSES)
    found, told, _ = gated(new, "--baseline", old, *options)
    assert found == status
    assert (kind in kinds(told)) if kind else not kinds(told) - {Kind.BITS}
    assert sum(told["changes"].values()) == 80


def test_what_is_better_in_one_place_does_not_pay_for_another(make: Make, tmp_path: Path) -> None:
    """Never netted: of the kind of row that is broken now none was, whatever is mended in other kinds."""
    old, new = make("AlwaysNan", *TWO_CLASSES), make("Exact", *TWO_CLASSES)
    good = changed(old, tmp_path / "old.parquet", lambda r: _mixed(r, read(new), BROKEN))
    bad = changed(new, tmp_path / "new.parquet", lambda r: _mixed(r, read(old), BROKEN))
    status, told, _ = gated(bad, "--baseline", good)
    (reason,) = [r for r in told["reasons"] if r["blocking"] and r["output"] == "value"]
    assert status == 1 and reason["kind"] == Kind.REGRESSED
    assert reason["detail"].startswith("a must clause is broken where it was not; before: conforms")
    assert told["changes"]["fixed"] == 80 - told["changes"]["regressed"] > 40


def test_one_more_row_of_what_was_broken_is_told(make: Make, tmp_path: Path) -> None:
    """The same cause in the same kind of row of the same place: nothing new, unless one is strict."""
    whole = make("AlwaysNan", *TWO_CLASSES)
    exact = read(make("Exact", *TWO_CLASSES))
    old = changed(whole, tmp_path / "old.parquet", lambda r: _mixed(r, exact, WITNESS))
    status, told, _ = gated(whole, "--baseline", old)
    assert status == 0 and told["changes"]["regressed"] == 2 and Kind.REGRESSED in kinds(told)
    assert gated(whole, "--baseline", old, "--fail-on", "strict")[0] == 1


def read(path: Path) -> Run:
    return run_file.read_run(path)


BROKEN = "softmax/two_classes/confident_wrong/"


def _mixed(run: Run, other: Run, prefix: str) -> Run:
    """The run, with the verdicts of another of the cases whose ids begin so."""
    parts = [
        r.verdicts.filter(pl.col("case").cast(pl.String).str.starts_with(prefix) == taken)
        for r, taken in ((run, False), (other, True))
    ]
    return Run(pl.concat(parts), run.headers)


def test_where_all_is_open_the_gate_says_so_and_shows_one() -> None:
    """An infinite logit, for instance, which is what is captured most."""
    (reason,) = evidence(
        run_of([verdict(status="open", case=f"softmax/a/b/float32/n2/r{i}") for i in (1, 0)])
    )
    assert (reason.kind, reason.blocking, reason.count) == (Kind.NO_VERDICTS, True, 2)
    assert reason.title == "all that was answered is open, so nothing is judged"
    assert "(clause 4.4)" in reason.detail
    assert reason.command.startswith("conformance explain softmax/a/b/float32/n2/r0")


@pytest.mark.parametrize(
    ("changes", "another"),
    [
        ({}, False),
        ({"suite": "0"}, True),
        ({"reference": "0"}, True),
        ({"instrument": "0"}, True),
        ({"corpus": "0"}, True),
        ({"corpus": "0", "selection": {**header()["selection"], "profile": "standard"}}, False),
    ],
    ids=str,
)
def test_another_version_of_the_suite_is_told_by_what_asks_and_judges(
    changes: dict[str, Any], another: bool
) -> None:
    """Another profile has another corpus in any case."""
    assert another_suite(run_of([verdict()], header(**changes)), run_of([verdict()])) == another


def test_a_file_of_cases_that_changed_makes_no_other_suite() -> None:
    """It is its author's, whichever suite asks it."""
    asked = {**header()["selection"], "cases": ["mine.json"]}
    old, new = (run_of([verdict()], header(selection=asked, corpus=digest)) for digest in ("0", "1"))
    assert not another_suite(old, new)


def test_fewer_cases_than_the_baseline(make: Make) -> None:
    old = make("Exact", *TWO_CLASSES, "--family", "special_values")
    status, told, lines = gated(make("Exact", *TWO_CLASSES), "--baseline", old)
    assert status == 3 and kinds(told) == {Kind.MISSING}
    assert lines[0].startswith("gate without a decision, evidence is missing: fake.softmax: ")
    assert "--family two_classes --family special_values" in lines[-1]


def test_an_implementation_that_is_gone(make: Make) -> None:
    asked = (
        "--dtype",
        "float32",
        "--family",
        "special_values",
        "--operator",
        "softmax",
        "--operator",
        "sigmoid",
    )
    status, told, _ = gated(make("NoSigmoid", *asked), "--baseline", make("Exact", *asked))
    assert status == 3 and {r["implementation"] for r in told["reasons"]} == {"fake.sigmoid"}


def test_other_bits_under_the_name_of_a_case(make: Make, tmp_path: Path) -> None:
    run = make("Exact", *TWO_CLASSES)
    old = changed(
        run, tmp_path / "o.parquet", lambda r: Run(r.verdicts.with_columns(hash=pl.lit("0")), r.headers)
    )
    status, told, _ = gated(run, "--baseline", old)
    assert status == 3 and kinds(told) == {Kind.NOT_COMPARABLE}
    assert "make a new baseline" in told["reasons"][0]["detail"]


def test_another_text_of_a_clause(make: Make, tmp_path: Path) -> None:
    def reworded(run: Run) -> Run:
        clauses = {**run.header["clauses"], "2.5": {"level": "must", "title": "Two", "text": "other"}}
        return Run(run.verdicts, ({**run.header, "clauses": clauses},))

    run = make("Exact", *TWO_CLASSES)
    status, told, _ = gated(run, "--baseline", changed(run, tmp_path / "o.parquet", reworded))
    assert status == 3 and told["changes"]["not comparable"] == 48


# --- evidence -----------------------------------------------------------------------------------------


def test_a_framework_that_was_asked_for_and_is_absent(make: Make) -> None:
    status, told, lines = gated(make("Exact", *TWO_CLASSES, also="Absent"))
    assert status == 3 and kinds(told) == {Kind.ABSENT}
    assert "gone was asked for and is absent" in lines[0]
    assert lines[-1] == "pip install 'gone'"


def test_missing_evidence_outweighs_a_failure(make: Make) -> None:
    """Exit status 3, though must clauses are broken as well: both are told."""
    status, told, _ = gated(make("AlwaysNan", *TWO_CLASSES, also="Absent"))
    assert status == 3 and kinds(told) == {Kind.ABSENT, Kind.MUST}


def test_nothing_but_controls(make: Make) -> None:
    status, told, _ = gated(make("OnlyNaive", *TWO_CLASSES))
    assert status == 3 and kinds(told) == {Kind.NO_VERDICTS} and told["verdicts"] == 0


def test_no_verdict_at_all(make: Make, tmp_path: Path) -> None:
    run = make("Exact", *TWO_CLASSES)
    empty = changed(run, tmp_path / "r.parquet", lambda r: Run(r.verdicts.clear(), r.headers))
    status, told, _ = gated(empty)
    assert status == 3 and kinds(told) == {Kind.NO_VERDICTS}


def test_a_baseline_without_verdicts(make: Make, tmp_path: Path) -> None:
    """Against nothing nothing is worse: that is no pass."""
    run = make("Exact", *TWO_CLASSES)
    empty = changed(run, tmp_path / "o.parquet", lambda r: Run(r.verdicts.clear(), r.headers))
    status, told, lines = gated(run, "--baseline", empty)
    assert status == 3 and kinds(told) == {Kind.NO_VERDICTS} and "the baseline has no verdict" in lines[0]


def test_an_unfinished_run(make: Make, tmp_path: Path) -> None:
    run = changed(
        make("Exact", *TWO_CLASSES),
        tmp_path / "r.parquet",
        lambda r: Run(r.verdicts, ({**r.header, "finished": {"fake": 0}},)),
    )
    status, told, lines = gated(run)
    assert status == 3 and kinds(told) == {Kind.UNFINISHED}
    assert "fake answered 0 of" in lines[0] and lines[-1].startswith("conformance run --profile quick")


def test_a_verdict_that_the_reference_could_not_decide(make: Make, tmp_path: Path) -> None:
    undecided = pl.when(pl.col("case") == WITNESS).then(pl.lit(Status.UNDECIDED.value)).otherwise("status")
    run = changed(
        make("Exact", *TWO_CLASSES),
        tmp_path / "r.parquet",
        lambda r: Run(r.verdicts.with_columns(status=undecided), r.headers),
    )
    status, told, _ = gated(run)
    assert status == 3 and kinds(told) == {Kind.UNDECIDED} and told["reasons"][0]["count"] == 2


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("torn", "bad.parquet: torn ("),
        ("tampered", "it was changed after the run, so it is no evidence"),
        ("foreign", "a Parquet file, but not one of ours"),
        ("older", "written by an older version of the suite"),
        ("newer", "written by a newer version of the suite"),
        ("gone", "no such file"),
        ("text", "bad.parquet: a text, and no run file"),
    ],
)
@pytest.mark.parametrize("place", ["run", "baseline", "compare", "waive"])
def test_a_file_that_is_no_evidence(
    damage: str, words: str, place: str, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = make("AlwaysNan", *TWO_CLASSES)
    bad = _damaged(good, tmp_path / "bad.parquet", damage, monkeypatch)
    command = {
        "run": ("gate", bad, "--json", "told.json", "--junit", "j.xml"),
        "baseline": ("gate", good, "--baseline", bad, "--json", "told.json"),
        "compare": ("compare", good, bad),
        "waive": ("waive", bad, "-o", "w.toml"),
    }[place]
    result = conformance(*command, status=3)
    assert words in result.stderr and "bad.parquet" in result.stderr
    assert result.stdout == "", "no verdict without evidence"
    assert not Path("told.json").exists() and not Path("w.toml").exists()


def _damaged(good: Path, bad: Path, damage: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    whole = good.read_bytes()
    if damage == "torn":
        bad.write_bytes(whole[: len(whole) // 2])
    elif damage == "text":
        bad.write_text("all is well\n")
    elif damage == "foreign":
        pl.DataFrame({"a": [1]}).write_parquet(bad)
    elif damage == "tampered":
        frame = pl.read_parquet(good).with_columns(status=pl.lit("conforms"))
        frame.write_parquet(bad, metadata={run_file._KEY: pl.read_parquet_metadata(good)[run_file._KEY]})
    elif damage in ("older", "newer"):
        step = 1 if damage == "newer" else -1
        with monkeypatch.context() as m:
            m.setattr(run_file, "SCHEMA_VERSION", run_file.SCHEMA_VERSION + step)
            bad.write_bytes(b"")
            run = run_file.Run(pl.read_parquet(good), ({"note": "of another time"},))
            run_file.write_run(bad, run)
    return bad


def test_the_same_run_twice_contradicts_itself(make: Make) -> None:
    run = make("Exact", *TWO_CLASSES)
    assert "two run files answer for fake.softmax" in conformance("gate", run, run, status=3).stderr


def test_runs_are_merged(make: Make) -> None:
    told = gated(make("Exact", *TWO_CLASSES), make("AlwaysNan", *SPECIAL))[1]
    assert told["status"] == 1 and told["verdicts"] > 80


# --- every kind, every way --------------------------------------------------------------------------------


def test_every_kind_of_reason_is_fired_here() -> None:
    """By its name: this file, and those of waivers and of answers, name each in an assertion."""
    here = Path(__file__)
    beside = (here, here.with_name("test_gate_waivers.py"), here.with_name("test_answers.py"))
    text = "".join(file.read_text("utf-8") for file in beside)
    assert [kind.name for kind in Kind if f"Kind.{kind.name}" not in text] == []
    assert {Kind.ABSENT, Kind.MISSING} < set(EVIDENCE)


def test_the_policies_are_those_of_the_gate() -> None:
    assert {f.value for f in FailOn} == set(POLICIES)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--fail-on", "everything"), "'everything' is not one of 'should', 'drift', 'bits', 'strict'"),
        (("--drift-factor", "0.5"), "Invalid value for '--drift-factor'"),
        (("--no-such",), "No such option"),
        (("--waivers", "gone.toml"), "gone.toml: cannot be read"),
        (("--waivers", "bad.toml"), "bad.toml: not TOML"),
        (("--waivers", "stub.toml"), "has no reason yet; write why"),
        (("--waivers", "good.toml", "--waivers", "twin.toml"), "is also in good.toml"),
        (("--json", "good.toml", "--waivers", "good.toml"), "that file is read by the same command"),
        (("--junit", "a", "--json", "a"), "that file is written (--junit) by the same command"),
    ],
)
def test_wrong_usage(options: tuple[str, ...], words: str, make: Make) -> None:
    Path("bad.toml").write_text("[[waiver]\n")
    Path("good.toml").write_text(waiver())
    Path("twin.toml").write_text(waiver())
    Path("stub.toml").write_text(waiver(reason=""))
    run = make("AlwaysNan", *TWO_CLASSES)
    result = conformance("gate", run, *options, "--markdown", "m.md", status=2)
    assert words in " ".join(result.stderr.replace("│", " ").split()), result.stderr
    assert result.stdout == "" and not Path("m.md").exists()


def test_a_gate_without_a_run_is_wrong_usage() -> None:
    conformance("gate", status=2)


def test_a_file_that_cannot_be_written(make: Make) -> None:
    Path("file").touch()
    run = make("Exact", *TWO_CLASSES)
    result = conformance("gate", run, "--no-known", "--json", "file/told.json", status=3)
    assert "--json file/told.json: no file can be made in file" in result.stderr


@pytest.mark.parametrize(("fake", "status"), [("Exact", 0), ("AlwaysNan", 1)])
def test_the_status_does_not_depend_on_what_is_written(fake: str, status: int, make: Make) -> None:
    run = make(fake, *TWO_CLASSES)
    outputs: list[Any] = []
    for option in ("--junit", "--markdown", "--comment", "--json", "--badge"):
        conformance("gate", run, "--no-known", option, f"{option[2:]}.out", status=status)
        outputs += [option, f"all/{option[2:]}.out"]
    conformance("gate", run, "--no-known", *outputs, "--github", status=status)
    for name in ("junit", "markdown", "json", "badge"):
        assert Path(f"{name}.out").read_text("utf-8") == Path(f"all/{name}.out").read_text("utf-8")
    assert (Path("comment.out").read_text("utf-8") == "") == (status == 0)


@pytest.mark.parametrize(("fake", "status"), [("Exact", 0), ("AlwaysNan", 1)])
def test_in_a_process_of_its_own(fake: str, status: int, make: Make) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "xent_conformance",
            "gate",
            str(make(fake, *TWO_CLASSES)),
            "--no-known",
        ],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.returncode == status and done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0].startswith("gate passed" if status == 0 else "gate failed: fake.softmax grad_logits: NaN")
    typed = shlex.join([sys.executable, "-m", "xent_conformance", "explain"])
    assert lines[-1].startswith(typed) == bool(status)
