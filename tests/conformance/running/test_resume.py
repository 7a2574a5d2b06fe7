"""An interrupted run loses nothing that was finished, and never passes for a whole one."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.support.by_hand import Install, selection
from tests.support.small_run import verdict
from xent_conformance.asking.asker import Asking
from xent_conformance.asking.selection import Selection
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.run.file import SCHEMA, Run, read_run
from xent_conformance.reports.run.unusable import RunFileError
from xent_conformance.running import conversation, crews, header
from xent_conformance.running.engine import run
from xent_conformance.running.journal import Journal
from xent_conformance.running.keeping import Occupied

pytestmark = pytest.mark.usefixtures("forked")


class Interrupted(Exception):
    """What a test's progress callback raises, as Ctrl-C would."""


def _run(out: Path, **options: Any) -> Run:
    return run(selection(), out, oracle=Oracle(), **options)


def _interrupt(out: Path, after: int, name: str = "fake", **options: Any) -> None:
    """Run until ``name`` has finished so many batches."""

    def progress(framework: str, done: int, planned: int) -> None:
        if framework == name and done == after:
            raise Interrupted

    with pytest.raises(Interrupted):
        _run(out, progress=progress, **options)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "run.parquet"


def _journal(out: Path) -> list[Path]:
    return sorted(out.with_name("run.parquet.partial").glob("part-*.parquet"))


def test_an_interruption_leaves_a_journal_and_no_run_file(install: Install, out: Path) -> None:
    install(fake="Exact")
    _interrupt(out, after=2)
    assert not out.exists()
    assert len(_journal(out)) == 1
    with pytest.raises(RunFileError, match="has not finished; wait for it, or go on"):
        read_run(out)


def test_resumed_and_uninterrupted_runs_are_equal(install: Install, out: Path, tmp_path: Path) -> None:
    install(fake="OneUlpOff", other="Raises")
    whole = _run(tmp_path / "whole.parquet")
    _interrupt(out, after=1)
    _interrupt(out, after=3, resume=True)
    result = _run(out, resume=True)
    assert result.verdicts.equals(whole.verdicts)
    assert result.complete
    assert result.header["finished"] == result.header["planned"] == {"fake": 4, "other": 4}
    assert result.header["exhibits"] == whole.header["exhibits"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run.parquet", "whole.parquet"]


def test_finished_batches_are_not_asked_again(install: Install, out: Path) -> None:
    """The framework that goes on would answer otherwise: what was finished keeps its first answer."""
    install(fake="Exact")
    _interrupt(out, after=2)
    install(fake="SaysExact")
    counts: list[int] = []
    result = _run(out, resume=True, progress=lambda name, done, planned: counts.append(done))
    assert counts[0] == 2 and counts[-1] == 4
    nan = result.verdicts.filter(outcome="returned", symptom="NaN")
    batches = [b.id for b in selection().batches()]
    assert set(nan["operator"]) == {batches[2].split("/")[0], batches[3].split("/")[0]}
    finished = result.verdicts.filter(operator=batches[0].split("/")[0])
    assert set(finished["status"]) == {"conforms", "open"}


def test_an_absent_framework_may_come_back(install: Install, out: Path) -> None:
    install(fake="Exact", other="Absent")
    _interrupt(out, after=3)
    install(fake="Exact", other="Exact")
    assert _run(out, resume=True).complete


@pytest.mark.parametrize("share", [0.0, 0.5, 0.999])
def test_a_torn_part_is_asked_again(share: float, install: Install, out: Path, tmp_path: Path) -> None:
    install(fake="Exact")
    whole = _run(tmp_path / "whole.parquet")
    _interrupt(out, after=2)
    (part,) = _journal(out)
    part.write_bytes(part.read_bytes()[: int(part.stat().st_size * share)])
    result = _run(out, resume=True)
    assert result.verdicts.equals(whole.verdicts) and result.complete


@pytest.mark.parametrize(
    "changes",
    [
        {"dtypes": ("float64",)},
        {"families": ("two_classes",)},
        {"frameworks": ("fake",)},
        {"profile": "standard"},
    ],
    ids=lambda c: next(iter(c)),
)
def test_another_selection_does_not_resume(changes: dict[str, Any], install: Install, out: Path) -> None:
    install(fake="Exact")
    _interrupt(out, after=2)
    with pytest.raises(
        RunFileError, match=r"belongs to another run .*; delete it, or run with --force and without"
    ):
        run(selection(**changes), out, oracle=Oracle(), resume=True)
    assert _journal(out), "refusing keeps what was finished"


def test_another_reference_does_not_resume(
    install: Install, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(fake="Exact")
    _interrupt(out, after=2)
    monkeypatch.setattr(header, "of_reference", lambda: "another")
    with pytest.raises(RunFileError, match="belongs to another run"):
        _run(out, resume=True)


@pytest.mark.parametrize(
    "damaged",
    [{"x" * 100_000: "y" * 100_000}, {f"key {i}": i for i in range(10_000)}, {"suite": ["z"] * 100_000}],
    ids=["long", "many", "deep"],
)
def test_a_damaged_identity_is_refused_in_a_line(
    damaged: dict[str, Any], install: Install, out: Path
) -> None:
    install(fake="Exact")
    _interrupt(out, after=2)
    identity = Path(f"{out}.partial") / "identity.json"
    identity.write_text(json.dumps(json.loads(identity.read_text("utf-8")) | damaged), encoding="utf-8")
    with pytest.raises(RunFileError, match="belongs to another run") as refused:
        _run(out, resume=True)
    assert len(str(refused.value)) < 2_500


@pytest.mark.parametrize("identity", ["", "{", "[]"])
def test_a_torn_identity_does_not_resume(identity: str, install: Install, out: Path) -> None:
    install(fake="Exact")
    _interrupt(out, after=2)
    (out.with_name("run.parquet.partial") / "identity.json").write_text(identity)
    with pytest.raises(RunFileError, match="belongs to another run"):
        _run(out, resume=True)


def test_an_interruption_before_the_first_answer_leaves_nothing(install: Install, out: Path) -> None:
    install(fake="Exact")
    _interrupt(out, after=0)
    assert not out.with_name("run.parquet.partial").exists()
    assert _run(out).complete


def test_what_may_go_on_by_itself_does_where_it_was_interrupted_and_begins_elsewhere(
    install: Install, out: Path
) -> None:
    """As the versions of an upgrade do, which are the same tomorrow."""
    install(fake="Exact")
    _interrupt(out, after=2, resume=None)
    counts: list[int] = []
    result = _run(out, resume=None, progress=lambda name, done, planned: counts.append(done))
    assert counts[0] == 2 and result.complete
    _interrupt(out, after=2, resume=None)
    with pytest.raises(Occupied):
        run(selection(dtypes=("float64",)), out, oracle=Oracle(), resume=None)


def test_nothing_to_resume(install: Install, out: Path) -> None:
    install(fake="Exact")
    with pytest.raises(
        RunFileError, match=r"nothing to resume: there is no .*\.partial; run without --resume"
    ):
        _run(out, resume=True)


def test_a_run_that_begins_anew_loses_the_answers_of_an_interrupted_one_only_by_force(
    install: Install, out: Path
) -> None:
    install(fake="AlwaysNan")
    _interrupt(out, after=3)
    install(fake="Exact")
    with pytest.raises(Occupied, match=r"partial has the answers .*: --resume goes on with it, --force"):
        _run(out)
    assert _journal(out)
    result = _run(out, force=True)
    assert set(result.verdicts["status"]) == {"conforms", "open"}


def test_an_error_of_ours_while_asking_is_raised_and_interrupts(
    install: Install, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A defect of the suite is no finding about a framework."""
    install(fake="Exact")
    calls: list[int] = []

    class Failing(Asking):
        def answers(self) -> Any:
            calls.append(1)
            return super().answers() if len(calls) < 3 else 1 // 0

    monkeypatch.setattr(conversation, "Asking", Failing)
    with pytest.raises(ZeroDivisionError):
        _run(out)
    assert not out.exists()
    monkeypatch.setattr(conversation, "Asking", Asking)
    assert _run(out, resume=True).complete


def test_an_interruption_ends_the_workers(
    install: Install, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where a worker was ahead of the judge, so that its thread waits for room among the events."""
    waits = threading.Event()

    class Full(conversation.Threads):
        def _tell(self, name: str, event: Any) -> None:
            if self._events:
                waits.set()
            super()._tell(name, event)

    def when_full(*_: object) -> None:
        assert waits.wait(30)
        raise Interrupted

    install(fake="RaisesAlways")
    monkeypatch.setattr(conversation, "AHEAD", -1)  # no event beside another
    monkeypatch.setattr(crews, "Threads", Full)
    with pytest.raises(Interrupted):
        run(Selection("quick", families=("two_classes",)), out, oracle=Oracle(), progress=when_full)
    asking = [t for t in threading.enumerate() if t.name.startswith("ask-fake")]
    for thread in asking:
        thread.join(timeout=3)
    assert not any(thread.is_alive() for thread in asking)


# --- the journal alone ------------------------------------------------------------------------------


def _row(case: str) -> pl.DataFrame:
    return pl.DataFrame([verdict(case=case)], schema=SCHEMA)


def test_a_part_does_not_overwrite_another(out: Path) -> None:
    """Each part is a name of its own, also after one before it was torn."""
    journal = Journal(out, {}, resume=False)
    for batch in ("a", "b"):
        journal.add([("fake", batch)], _row(batch))
    first, _ = _journal(out)
    first.write_bytes(b"PAR1")
    again = Journal(out, {}, resume=True)
    assert again.done("fake") == {"b"}
    again.add([("fake", "a")], _row("a"))
    assert sorted(again.verdicts()["case"]) == ["a", "b"]
    assert Journal(out, {}, resume=True).done("fake") == {"a", "b"}


def test_done_is_told_apart_by_framework(out: Path) -> None:
    journal = Journal(out, {"suite": "x"}, resume=False)
    journal.add([("fake", "a"), ("other", "b")], pl.concat([_row("a"), _row("b")]))
    assert len(_journal(out)) == 1
    again = Journal(out, {"suite": "x"}, resume=True)
    assert (again.done("fake"), again.done("other"), again.done("third")) == ({"a"}, {"b"}, set())
    again.remove()
    assert not again.folder.exists()
