"""docs/CASES.md is true: its file is read and asked, its commands parse, its limits are the code's."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.support.by_hand import Install
from tests.support.cli import conformance
from tests.support.paths import ROOT
from xent_conformance.cases.outside import numbers, schema
from xent_conformance.cases.outside.files import read_file
from xent_conformance.reports.run.file import read_run

PAGE = (ROOT / "docs" / "CASES.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ conformance ([^#\n]+)", PAGE, re.MULTILINE)


def test_the_example_is_read_and_asked(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (example,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    Path("batch.json").write_text(example, encoding="utf-8")
    found = read_file("batch.json")
    assert [c.id for c in found.document.calls] == ["masked", "image", "in_bits"]
    assert {field for f in re.findall(r'"(\w+)":', example) for field in [f]} >= {*schema.CASE}, "all fields"
    install(fake="tests.support.fakes_in_any_manner:Whole")
    conformance("run", "--cases", "batch.json", "--profile", "quick")
    run = read_run(Path("run.parquet"))
    assert set(run.verdicts["variant"]) == {"masked", "image", "in_bits"}
    assert set(run.verdicts["status"]) <= {"conforms", "open"}
    assert {c["status"] for c in run.header["cases"][0]["claims"]} == {"conforms"}
    explain = shlex.split(COMMANDS[1])
    assert explain[1] in set(run.verdicts["case"])
    conformance(*explain)


def test_fields_and_limits_are_told() -> None:
    told = set(re.findall(r"`(\w+)`", PAGE))
    assert {*schema.DOCUMENT, *schema.CASE, *(a for given in schema.TAKES.values() for a in given)} <= told
    assert f"at most {schema.MAX_CASES:,}" in PAGE and numbers.MAX_NUMBERS == 2**22 and "2²²" in PAGE
    assert numbers.MAX_AXES == 8 and "one to eight axes" in PAGE
