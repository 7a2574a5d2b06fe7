"""At a mode that begins in a later profile every profile takes a glance, if the machine has what it takes."""

from __future__ import annotations

import io
import sysconfig
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from rich.console import Console

from tests.support.by_hand import Install
from xent_conformance.asking.selection import Selection
from xent_conformance.discovery.problems import problems
from xent_conformance.frameworks.interface import Glance
from xent_conformance.frameworks.torch import Torch
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.html.report import render
from xent_conformance.reports.run.file import Run
from xent_conformance.reports.run.findings import findings
from xent_conformance.reports.terminal import run as terminal
from xent_conformance.running.engine import run

pytestmark = pytest.mark.usefixtures("forked")

FAKES = "tests.support.fakes_of_modes"
THREE = ("softmax", "log_softmax", "logsumexp")


def _run(profile: str, **names: Any) -> Run:
    asked = {"operators": ("softmax",), "dtypes": ("float32",), "families": ("two_classes", "huge_logits")}
    return run(Selection(profile, **asked | names), None, oracle=Oracle())


def _families(found: Run, mode: str) -> set[str]:
    return set(found.verdicts.filter(mode=mode)["family"])


def test_a_glance_that_takes_long_has_a_worker_of_its_own(install: Install) -> None:
    install(fake=f"{FAKES}:Compiles")
    found = _run("quick")
    assert found.header["planned"].keys() == {"fake", "fake compile"} and found.complete
    assert _families(found, "eager") == {"two_classes", "huge_logits"}
    assert _families(found, "compile") == {"two_classes"}
    assert [f["framework"] for f in found.header["frameworks"]] == ["fake"], "it is one framework"
    assert found.tested == ("fake 1.0",)
    assert set(found.header["seconds_by_mode"]) == {"fake eager", "fake compile"}


def test_the_profile_that_asks_it_whole_takes_none(install: Install) -> None:
    install(fake=f"{FAKES}:Compiles")
    found = _run("full")
    assert found.header["planned"].keys() == {"fake"}
    assert _families(found, "compile") == {"two_classes", "huge_logits"}
    # of what it is asked, every question once
    asked = ["implementation", "mode", "device", "case", "output"]
    assert not found.verdicts.select(asked).is_duplicated().any()


def test_of_rows_of_some_lengths_alone() -> None:
    """Of a single class other code would be made, by a compiler that takes seconds."""
    (seat,) = [s for s in Selection("quick", ("torch",)).seats() if s.apart == "compile"]
    asked = Selection("quick", ("torch",), ("sparse_softmax_cross_entropy",), ("float32",))
    lengths = {b.inputs.n for b in asked.batches() if asked.questions(seat, b, ["cpu"])}
    assert lengths == {10, 1000}
    glance = Glance(("door",), lengths=(10,))
    assert glance.at("door", "ordinary", "float32", 10) and not glance.at("door", "ordinary", "float32", 1)
    assert Glance(("door",)).at("door", "ordinary", "float32", 1)


def test_one_that_does_not_is_asked_beside_the_rest(install: Install) -> None:
    install(fake=f"{FAKES}:Beside")
    found = _run("quick")
    assert found.header["planned"].keys() == {"fake"}
    assert _families(found, "compile") == {"two_classes"}


def test_what_this_machine_lacks_is_not_asked_and_is_told(install: Install) -> None:
    """It is no fault of the framework's, and no answer of it."""
    install(fake=f"{FAKES}:NoCompiler")
    found = _run("quick")
    assert set(found.verdicts["mode"]) == {"eager"} and found.complete
    assert found.header["frameworks"][0]["missing"] == {"compile": "there is no c++ on the path"}
    console = Console(file=io.StringIO(), width=200)
    terminal.summary(found, console)
    said = console.file.getvalue()  # type: ignore[attr-defined]
    assert "not asked: fake compile: there is no c++ on the path" in said


def test_what_an_older_version_lacks_is_not_asked_and_is_told(install: Install) -> None:
    """It is wrong about nothing; what no version is said to lack, and this one does, is a finding."""
    install(fake=f"{FAKES}:Older")
    found = _run("quick", operators=THREE)
    refused = found.verdicts.filter(pl.col("outcome") == "refused")
    assert set(refused["operator"]) == {"logsumexp"} and set(refused["status"]) == {"breaks_must"}
    assert "fake.log_softmax" not in set(found.verdicts["implementation"]) and found.complete
    assert found.header["frameworks"][0]["older"] == {"fake.log_softmax": "it came with 1.2"}
    console = Console(file=io.StringIO(), width=200)
    terminal.summary(found, console)
    told = "not asked: fake 1.0 has not fake.log_softmax"
    assert told in console.file.getvalue()  # type: ignore[attr-defined]
    assert told in render(found, findings(found.verdicts))


def test_what_a_version_should_have_and_has_not_is_a_finding(install: Install) -> None:
    install(fake=f"{FAKES}:Newer")
    found = _run("quick", operators=THREE)
    refused = found.verdicts.filter(pl.col("outcome") == "refused")
    assert set(refused["operator"]) == {"log_softmax", "logsumexp"}
    assert found.header["frameworks"][0]["older"] == {}


@pytest.mark.parametrize(("named", "where"), [((), "not_installed"), (("fake",), "absent")])
def test_a_framework_that_is_absent_is_told_once(
    install: Install, named: tuple[str, ...], where: str
) -> None:
    install(fake=f"{FAKES}:Gone", other="Exact")
    found = _run("quick", frameworks=(*named, "other") if named else ())
    assert [gap["framework"] for gap in found.header[where]] == ["fake"]
    assert found.complete is not bool(named)


def test_torch_compiles_where_there_are_a_compiler_and_headers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = object.__new__(Torch)  # what it needs is seen without it
    monkeypatch.setenv("CXX", str(tmp_path / "no-such-compiler"))
    assert "needs a C++ compiler" in adapter.missing()["compile"]
    monkeypatch.setenv("CXX", "sh")
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(tmp_path))
    assert f"there is no Python.h in {tmp_path}" in adapter.missing()["compile"]
    (tmp_path / "Python.h").touch()
    assert adapter.missing() == {}


@pytest.mark.parametrize(
    ("glances", "message"),
    [
        ({"compile": "torch.softmax"}, "`glances` is a dict with something else in it"),
        ({"compil": Glance(("torch.softmax",))}, "unknown mode in `glances`, 'compil'"),
        ({"compile": Glance(("torch.sofmax",))}, "unknown implementation in `glances['compile']`,"),
        ({"compile": Glance(("torch.softmax",), dtype="float31")}, "unknown format in `glances['compile']`,"),
    ],
)
def test_a_glance_at_what_is_not_there_is_a_problem(glances: dict[str, Any], message: str) -> None:
    (problem,) = problems(type("Odd", (Torch,), {"glances": glances}))
    assert message in str(problem)
