"""What the gate prints and writes for people and for CI, through the command line."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tests.support import fakes
from tests.support.cli import conformance
from tests.support.gating import SPECIAL, TWO_CLASSES, Make, earlier, gated
from xent_conformance.decision.gate import decide
from xent_conformance.reports.run.file import read_run
from xent_conformance.reports.terminal import gate as terminal_gate
from xent_conformance.reports.views.gate import Gate


def test_the_first_line_says_it_and_the_last_repeats_it(make: Make) -> None:
    _, told, lines = gated(make("AlwaysNan", *TWO_CLASSES), "--baseline", make("Exact", *TWO_CLASSES))
    assert lines[0] == (
        "gate failed: fake.softmax grad_logits: regressed to NaN (must 2.5 Two classes), 24 verdicts; "
        "3 more reasons"
    )
    assert lines[-1] == told["reasons"][0]["command"]
    assert lines.count("against the baseline: 80 regressed") == 1
    numbered = [line for line in lines if line.lstrip()[:2] in {f"{i}." for i in range(1, 9)}]
    assert len(numbered) == 4


def test_a_pass_ends_without_a_command(make: Make) -> None:
    _, _, lines = gated(make("Exact", *TWO_CLASSES))
    assert lines[0] == "gate passed: 80 verdicts of fake 1.0"
    assert not any(line.startswith("conformance ") for line in lines)


def test_what_is_found_beside_a_baseline_alone_says_so_without_one(make: Make) -> None:
    run = make("Exact", *TWO_CLASSES)
    asked = ("--fail-on", "drift", "--fail-on", "bits", "--fail-on", "strict")
    told = [
        f"nothing is compared, so --fail-on {n} finds nothing: name a --baseline" for n in ("drift", "bits")
    ]
    _, _, lines = gated(run, *asked)
    assert [line for line in lines if "finds nothing" in line] == told
    _, _, lines = gated(run, "--baseline", run, *asked)
    assert not any("finds nothing" in line for line in lines)


def _printed(decision: Gate, **options: Any) -> list[str]:
    console = Console(file=io.StringIO(), width=60, highlight=False)
    terminal_gate.show(decision, console, **options)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def test_many_reasons_are_bounded(make: Make) -> None:
    decision = decide(read_run(make("AlwaysNan", *TWO_CLASSES)))
    many = replace(decision, reasons=decision.reasons * 250)
    lines = _printed(many, notes=["a note"])
    assert lines[0].endswith("999 more reasons")
    assert "… 995 more reasons: --verbose, --json FILE, --markdown FILE and --junit FILE hold all" in lines
    assert len(lines) < 60 and lines[-3] == "a note" and lines[-1] == decision.reasons[0].command


def test_the_text_of_a_framework_is_only_text(make: Make) -> None:
    """In the terminal, in Markdown, in JUnit, in annotations and in JSON."""
    run = make("Foreign", *SPECIAL)
    files = {f"--{n}": f"{n}.out" for n in ("junit", "markdown", "comment", "badge", "json")}
    options = [w for pair in files.items() for w in pair]
    done = conformance("gate", run, "--no-known", "--github", *options, status=1)
    lines = done.stdout.splitlines()
    assert "alert(1)" in done.stdout, "it is shown"
    for control in ("\x1b", "\x00"):
        assert control not in done.stdout
    commands = [line for line in lines if line.lstrip().startswith("::")]
    assert commands and all(line.startswith("::error title=conformance%3A must") for line in commands)
    for name in ("markdown", "comment"):
        text = Path(files[f"--{name}"]).read_text("utf-8")
        assert "<script" not in text and "\x1b" not in text and "alert(1)" in text
        assert not any(line.startswith("::") for line in text.splitlines())
    xml = Path("junit.out").read_text("utf-8")
    assert "<script" not in xml
    names = [str(case.get("name")) for case in ET.fromstring(xml).iter("testcase")]
    assert "fake|<script>.softmax value (softmax)" in names
    told = json.loads(Path("json.out").read_text("utf-8"))
    assert any(fakes.FOREIGN.split("\n")[0] in r["detail"] for r in told["reasons"])


def test_github(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where = tmp_path / "summary.md"
    where.write_text("of another command\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(where))
    done = conformance("gate", make("AlwaysNan", *TWO_CLASSES), "--no-known", "--github", status=1)
    text = where.read_text("utf-8")
    assert text.startswith("of another command\n## ❌ gate failed")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("gate failed") and lines[-1].startswith("conformance explain")
    assert sum(line.startswith("::error ") for line in lines) == 4


@pytest.mark.parametrize("where", [None, "no/such/folder/summary.md"])
def test_github_without_a_place_for_the_summary(
    where: str | None, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The annotations are printed, and the decision stands."""
    if where:
        monkeypatch.setenv("GITHUB_STEP_SUMMARY", where)
    done = conformance("gate", make("AlwaysNan", *TWO_CLASSES), "--no-known", "--github", status=1)
    assert done.stdout.count("\n::error ") == 4
    assert (f"{where} cannot be written" in done.stderr) is bool(where)


def test_a_pull_request_where_nothing_changed(make: Make) -> None:
    run = make("Exact", *TWO_CLASSES)
    old = earlier(run, Path("old.parquet"))
    conformance("gate", run, "--baseline", old, "--no-known", "--comment", "c.md", status=0)
    assert Path("c.md").read_text() == ""
    bad = make("AlwaysNan", *TWO_CLASSES)
    conformance("gate", bad, "--baseline", run, "--no-known", "--comment", "c.md", status=1)
    assert "80 regressed" in Path("c.md").read_text()


def test_the_badge(make: Make) -> None:
    conformance("gate", make("AlwaysNan", *TWO_CLASSES), "--no-known", "--badge", "b.json", status=1)
    assert json.loads(Path("b.json").read_text())["message"] == "failed, 4 reasons"
