"""``--format json``: one strict document on standard output, with the keys that docs/JSON.md says."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.by_hand import Install
from tests.support.cli import conformance
from tests.support.documents import PAGE, documented
from xent_conformance.commands.line import EVIDENCE, FAILED, USAGE

pytestmark = pytest.mark.usefixtures("forked")

SMALL = ["--profile", "quick", "--dtype", "float32", "--operator", "softmax", "--family", "two_classes"]
CASE = "softmax/special_values/nan_first/float32/n10/r0"


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def _strict(constant: str) -> Any:
    raise AssertionError(f"{constant} is no JSON")


def _told(*arguments: str, status: int = 0) -> Any:
    """What is printed, read strictly."""
    return json.loads(
        conformance(*arguments, "--format", "json", status=status).stdout, parse_constant=_strict
    )


def _keys(told: Any) -> set[str]:
    return set(told[0] if isinstance(told, list) else told)


def test_run_and_what_is_made_of_its_file(install: Install) -> None:
    """A document each of run, causes, gate and compare, which say the same of the same."""
    install(fake="AlwaysNan")
    run = _told("run", *SMALL)
    assert _keys(run) == documented("## run")
    assert run["file"] == "run.parquet" and run["complete"] is True and run["tested"] == ["fake 1.0"]
    assert sum(run["by_status"].values()) == run["verdicts"] > 0
    assert run["by_framework"]["fake"]["breaks_must"] == run["by_status"]["breaks_must"] > 0

    causes = _told("causes", "run.parquet")
    assert causes == run["causes"] and _keys(causes) == documented("## causes")
    assert causes[0]["returned"] == "NaN" and causes[0]["ulps"] is None
    assert causes[0]["harm"] == "special_of_plain"
    conformance("causes", "run.parquet", "--json", "causes.json")
    assert json.loads(Path("causes.json").read_text(encoding="utf-8")) == causes

    gate = _told("gate", "run.parquet", status=FAILED)
    assert _keys(gate) == documented("## gate") and gate["status"] == FAILED
    assert run["gate"] == {k: gate[k] for k in ("status", "verdict", "headline")}

    compared = _told("compare", "run.parquet", "run.parquet")
    assert _keys(compared) == documented("## compare")
    assert compared["pairs"] == run["verdicts"]


def test_a_run_that_is_incomplete_prints_its_document_and_fails(install: Install) -> None:
    install(gone="Absent", fake="Exact")
    named = ("--framework", "gone", "--framework", "fake")
    run = _told("run", *named, *SMALL, status=EVIDENCE)
    assert run["complete"] is False and run["absent"][0]["framework"] == "gone"


def test_notes_of_a_gate_are_beside_its_document(install: Install) -> None:
    install(fake="AlwaysNan")
    conformance("run", *SMALL)
    done = conformance("gate", "run.parquet", "--format", "json", "--junit", "j.xml", status=FAILED)
    json.loads(done.stdout)
    assert "wrote j.xml" in done.stderr


def test_sweep() -> None:
    told = _told("sweep", "--implementation", "numpy:sigmoid-naive", "--dtype", "half")
    assert _keys(told) == documented("## sweep")
    words = PAGE[PAGE.index("An entry of `parts`") :].split("\n")[0]
    named = set(re.findall(r"`(\w+)`", words))
    (part,) = told["parts"]
    assert set(part) | set(part["maximum"]) | set(part["broken"][0]) <= named
    assert told == json.loads(Path("sweep.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("what", ["operators", "implementations", "families", "clauses", "devices"])
def test_lists(what: str, install: Install) -> None:
    install(fake="Exact")
    told = _told("list", what)
    assert all(set(entry) == documented(f"`list {what}`") for entry in told)
    if what == "families":
        assert next(f for f in told if f["name"] == "two_classes")["quick"]["softmax"] == [2]
    if what == "implementations":
        assert told[0]["modes"] == {"eager": "quick"}


def test_explain(install: Install) -> None:
    install(fake="AlwaysNan")
    told = _told("explain", CASE)
    assert _keys(told) == documented("## explain")
    assert told["inputs"]["logits"][0] == {"decimal": "NaN", "bits": "0x7fc00000"}
    assert len(told["inputs"]["logits"]) == len(told["exact"]["value"]) == 10
    assert told["exact"]["value"][0] == "NaN"
    (framework,) = told["frameworks"]
    words = PAGE[PAGE.index("An entry of `answers`") :].split("\n")[0]
    for answer in framework["answers"]:
        assert set(answer) <= set(re.findall(r"`(\w+)`", words)) | {"answers"}
        assert answer["right"] == answer["returned"] == "NaN" and answer["status"] == "conforms"


def test_of_what_breaks_a_clause_the_cause_is_told(install: Install) -> None:
    install(fake="AlwaysNan")
    told = _told("explain", "softmax/ordinary/unit/float32/n10/r0")
    (framework,) = told["frameworks"]
    named: Mapping[str, Any] = {cause["id"]: cause for cause in framework["causes"]}
    broken = [a for a in framework["answers"] if a["status"] == "breaks_must"]
    assert broken and all(a["cause"] in named and a["ulps"] is None for a in broken)


def test_what_matches_nothing_prints_no_document() -> None:
    done = conformance("explain", CASE, "--implementation", "nobody", "--format", "json", status=USAGE)
    assert not done.stdout


def test_a_page_and_stubs_go_to_standard_output(install: Install) -> None:
    install(fake="AlwaysNan")
    conformance("run", *SMALL)
    assert conformance("report", "run.parquet", "-o", "-").stdout.rstrip().endswith("</html>")
    assert "[[waiver]]" in conformance("waive", "run.parquet", "-o", "-").stdout
    assert not Path("-").exists()
