"""``conformance smoke``: few questions of the first doors, a decision, and nothing written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pytest

from tests.support.by_hand import Install
from tests.support.cli import conformance
from tests.support.small_run import header, run_of, verdict
from xent_conformance.cases.smoke import OPERATORS
from xent_conformance.commands.line import EVIDENCE, FAILED, USAGE
from xent_conformance.commands.smoke import doors
from xent_conformance.decision import gate
from xent_conformance.decision.judged import JudgedWaiver
from xent_conformance.decision.waivers import known_files, read_waivers
from xent_conformance.discovery.framework import FRAMEWORKS
from xent_conformance.reports.run.file import SCHEMA, Run
from xent_conformance.reports.terminal.early import first_finding

pytestmark = pytest.mark.usefixtures("forked")


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_what_is_right_passes_and_nothing_is_written(install: Install) -> None:
    install(fake="Exact")
    done = conformance("smoke")
    assert "gate passed: " in done.stdout and "verdicts of fake 1.0" in done.stdout
    assert "finding" not in done.stderr
    assert list(Path.cwd().iterdir()) == []


def test_what_is_wrong_fails_and_shows_while_it_is_asked(install: Install) -> None:
    install(fake="AlwaysNan", other="Exact")
    done = conformance("smoke", "fake", status=FAILED)
    assert "gate failed" in done.stdout
    (line,) = [line for line in done.stderr.splitlines() if "a first finding" in line]
    assert "fake." in line and "breaks clause" in line and "conformance explain " in line
    quiet = conformance("smoke", "fake", "-q", status=FAILED)
    assert "first finding" not in quiet.stderr and quiet.stdout.startswith("gate failed")


def test_its_sentence_takes_no_look_at_the_corpus_for_the_waivers(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What to type about each is told by the commands that show waivers."""

    def looked(judged: JudgedWaiver, run: Run) -> str:
        raise AssertionError(f"looked for what to type about {judged.waiver.name}")

    monkeypatch.setattr(gate, "for_waiver", looked)
    install(fake="Exact")
    assert "gate passed: " in conformance("smoke").stdout
    waivers = read_waivers(known_files())
    told = gate.decide(run_of([], header()), waivers=waivers, next_steps=False)
    assert len(told.waivers) == len(waivers) and not any(w.next for w in told.waivers)
    with pytest.raises(AssertionError, match="looked for what to type about"):
        gate.decide(run_of([], header()), waivers=waivers)


def test_what_is_not_there(install: Install) -> None:
    install(gone="Absent")
    assert "gone" in conformance("smoke", "gone", status=EVIDENCE).stderr
    assert "fike" in conformance("smoke", "fike", status=USAGE).stderr


def test_the_doors_are_those_that_everybody_calls() -> None:
    assert doors(["torch"]) == doors(["pytorch"])
    assert set(doors(["torch"])) == {
        "torch.softmax",
        "torch.nn.functional.cross_entropy:indices",
        "torch.nn.functional.binary_cross_entropy_with_logits",
    }
    every = [i for f in FRAMEWORKS.values() for i in f.declaration.implementations if i.name in doors([])]
    assert {i.operator for i in every} >= set(OPERATORS)


def test_the_first_finding_is_the_worst_of_what_is_judged() -> None:
    rows = [
        verdict(case="a", status="breaks_should", level="should", clause="1.2", ulps=9.0),
        verdict(case="b", status="breaks_must", level="must", clause="1.1", ulps=3.0),
        verdict(case="c", status="breaks_must", level="must", clause="1.1", ulps=5.0),
        verdict(case="d", status="breaks_must", level="must", clause="1.1", ulps=99.0, formulation="naive"),
        verdict(case="e", status="conforms"),
    ]
    frame = pl.DataFrame(rows, schema=SCHEMA)
    plain: Mapping[str, object] = {"selection": {}}
    shown = "conformance explain c --implementation torch.softmax"
    assert first_finding(frame, plain).endswith(shown), "and no other"
    elsewhere = frame.with_columns(device=pl.lit("cuda:1"), implementation=pl.lit("mine.[a]"))
    again = "conformance explain c --implementation 'mine.[[]a]' --device cuda:1"
    assert first_finding(elsewhere, plain).endswith(again), "where it was found"
    assert "breaks clause 1.1 (must)" in first_finding(frame, plain)
    assert first_finding(frame.filter(pl.col("case").is_in(["d", "e"])), plain) == ""
    asked = {"selection": {"plugins": ("mine.py",)}, "cases": [{"file": "c.json", "name": "two"}]}
    given = first_finding(frame.with_columns(case=pl.lit("softmax/two/x/float32/n3/r0")), asked)
    assert given.endswith(" torch.softmax --plugin mine.py --cases c.json"), "as it was asked"
