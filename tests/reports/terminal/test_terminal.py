"""What is printed: counts that sum, names as they are, tables that are not empty."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from rich.console import Console

from tests.support.by_hand import Install
from xent_conformance.asking.process import end_all
from xent_conformance.cases.corpus import families
from xent_conformance.commands import listing
from xent_conformance.commands.base import Bars
from xent_conformance.discovery.doors import doors
from xent_conformance.discovery.framework import FRAMEWORKS, Framework
from xent_conformance.reference.clauses import clauses
from xent_conformance.reference.operators import OPERATORS
from xent_conformance.reports.run.file import SCHEMA, Run
from xent_conformance.reports.run.words import Status
from xent_conformance.reports.terminal import run as terminal

MARKUP = "evil[red].softmax[/red]"


def _console() -> Console:
    return Console(file=io.StringIO(), width=200, highlight=False)


def _printed(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def _verdicts(*rows: dict[str, Any]) -> pl.DataFrame:
    usual: dict[str, Any] = {
        name: {pl.String(): name, pl.Int32(): 1, pl.Float64(): 3.0}[kind] for name, kind in SCHEMA.items()
    }
    usual |= {
        "status": "breaks_must",
        "level": "must",
        "formulation": "fused",
        "grade": "divergent",
        "dtype": "float32",
    }
    return pl.DataFrame([usual | row for row in rows], schema=SCHEMA, orient="row")


def _run(*rows: dict[str, Any], absent: tuple[dict[str, str], ...] = ()) -> Run:
    gaps = {"absent": list(absent), "not_installed": []}
    return Run(_verdicts(*rows), ({"seconds": {"total": 1.25}, "frameworks": [], **gaps},))


def test_the_summary_counts_every_verdict() -> None:
    console = _console()
    rows = [{"status": s, "framework": f} for f in ("a", "b") for s in Status]
    terminal.summary(_run(*rows, {"status": "conforms", "framework": "a"}), console)
    text = _printed(console)
    assert "13 verdicts" in text
    lines = {line.split("│")[1].strip(): line for line in text.splitlines() if line.count("│") > 3}
    assert [c.strip() for c in lines["a"].split("│")[2:-1]] == ["2", "1", "1", "1", "1", "1", "7"]
    assert [c.strip() for c in lines["b"].split("│")[2:-1]] == ["1"] * 6 + ["6"]
    assert "time: total 1.2 s" in text


def test_the_title_says_how_many_are_of_controls() -> None:
    """The gate counts them not, and has another number."""
    console = _console()
    naive = {"formulation": "naive"}
    terminal.summary(_run({"status": "conforms"}, naive, naive), console)
    assert "3 verdicts, 2 of them on controls" in _printed(console)


def test_a_narrow_terminal_folds_no_number() -> None:
    console = Console(file=io.StringIO(), width=60, highlight=False)
    rows = [{"status": s, "framework": "keras-tensorflow"} for s in Status]
    terminal.summary(_run(*rows, {"status": "conforms"}), console)
    text = _printed(console)
    assert "keras-tensorflow: 1 conforms, 1 breaks must, 1 breaks should, 1 open, 1 unsupported" in text
    assert "framework: 1 conforms\n" in text


def test_open_answers_that_are_errors_are_told() -> None:
    console = _console()
    raised = {"status": "open", "outcome": "raised"}
    rows = [raised | {"framework": name} for name in "aab"]
    returned = {"status": "open", "outcome": "returned"}
    terminal.summary(_run(*rows, returned, raised | {"formulation": "naive"}), console)
    assert "open, so not judged: 4 answers, 3 of them errors (a 2 and b 1)" in _printed(console)
    terminal.summary(_run(returned), console)
    assert _printed(console).count("open, so") == 1


def test_what_is_absent_is_shown_with_how_to_get_it() -> None:
    console = _console()
    gap = {"framework": MARKUP, "message": "no [red] module", "install": "pip install 'x[torch]'"}
    terminal.summary(_run({"framework": MARKUP}, absent=(gap,)), console)
    text = _printed(console)
    for words in ("absent", "no [red] module", "add it with: pip install 'x[torch]'"):
        assert words in text
    assert text.count(MARKUP) == 2


def test_bars_take_what_the_engine_reports() -> None:
    console = _console()
    with Bars(console) as bars:
        for done in (0, 1, 3):
            bars.update("fake", done, 3)
        (task,) = bars._progress.tasks
        assert (task.description, task.completed, task.total) == ("fake", 3, 3)


# --- lists -------------------------------------------------------------------------------------------


def _listed(what: str) -> str:
    console = _console()
    listing.show(what, console)
    return _printed(console)


@pytest.mark.parametrize(
    ("what", "names"),
    [
        ("operators", set(OPERATORS)),
        ("families", set(families())),
        ("clauses", set(clauses())),
        ("implementations", {row.door.name for row in doors()}),
    ],
)
def test_lists_hold_everything(what: str, names: set[str]) -> None:
    text = _listed(what)
    assert names and [name for name in names if name not in text] == []


def test_devices_of_what_is_there_and_how_to_get_the_rest(install: Install) -> None:
    install(fake="Exact", gone="Absent")
    text = _listed("devices")
    for words in ("fake", "1.0", "cpu", "flavour = Exact", "gone", "not installed", "pip install 'gone'"):
        assert words in text


def test_devices_are_told_as_each_framework_starts(install: Install, tmp_path: Path) -> None:
    """The one that is ready is not kept waiting by one that never is, which is ended with the list."""
    (tmp_path / "slow.py").write_text("import time\n\nclass Slow:\n    name = 'slow'\n    time.sleep(3600)\n")
    install(fake="Exact")
    there = dict(FRAMEWORKS)
    FRAMEWORKS.clear()  # the slow one is the first
    FRAMEWORKS["slow"] = Framework("slow", "slow:Slow", "", (str(tmp_path),), given=there["fake"].declaration)
    FRAMEWORKS.update(there)
    told = listing._devices()
    assert next(told)["framework"] == "fake"
    told.close()
    end_all()


def test_devices_for_programs_are_in_the_order_of_the_frameworks(install: Install) -> None:
    install(gone="Absent", fake="Exact", other="Exact")
    assert [r["framework"] for r in listing.records("devices")] == ["gone", "fake", "other"]


@pytest.mark.usefixtures("opened")
def test_devices_where_one_framework_breaks_on_import(install: Install) -> None:
    install(broken="BreaksOnImport", fake="Exact")
    text = _listed("devices")
    assert "flavour = Exact" in text and "bool8" in text


def test_devices_with_brackets_in_their_names(install: Install) -> None:
    install(fake="OddDevice")
    assert "cpu[isa=avx2]" in _listed("devices")
