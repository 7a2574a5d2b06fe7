"""How to accept what blocks: said by every failing gate, written by ``waive``, and enough to pass."""

from __future__ import annotations

import math
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.support import decisions
from tests.support.cli import conformance
from tests.support.gating import gated
from tests.support.small_gate import now_header
from tests.support.small_run import header, run_of, verdict
from xent_conformance.decision import waivers
from xent_conformance.reports.ci.markdown import comment, summary
from xent_conformance.reports.run.file import write_run
from xent_conformance.reports.views.reasons import Kind

NAN: dict[str, Any] = {"status": "breaks_must", "symptom": "NaN", "grade": "wrong_special", "ulps": math.inf}

KNOWN_TO_THE_SUITE = """
[[waiver]]
name = "torch-known"
framework = "torch"
versions = ""
implementations = ["torch.softmax"]
outputs = ["value"]
operators = ["softmax"]
clause = "1.1"
symptom = "NaN"
cases = ["softmax/*"]
witnesses = ["softmax/ordinary/spread1/float32/n3/r0"]
reason = "the suite has seen it, and its authors said why"
link = "none"
"""


@pytest.fixture(autouse=True)
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A suite that knows one divergence, and a folder with a run before it and one with it."""
    known = tmp_path / "known"
    known.mkdir()
    (known / "torch.toml").write_text(KNOWN_TO_THE_SUITE, encoding="utf-8")
    monkeypatch.setattr(waivers, "KNOWN", known)
    monkeypatch.chdir(tmp_path)
    write_run(Path("old.parquet"), run_of([verdict()], header()))
    write_run(Path("new.parquet"), run_of([verdict(version="2.14.0", **NAN)], now_header()))


def _signed(path: str) -> None:
    text = Path(path).read_text(encoding="utf-8")
    text = text.replace('reason = ""', 'reason = "we have read it and can live with it"')
    Path(path).write_text(text.replace('link = ""', 'link = "none"'), encoding="utf-8")


def _typed(line: str) -> list[str]:
    return shlex.split(line)[1:]


def test_what_a_failing_gate_says_to_type_accepts_it() -> None:
    against = ("--baseline", "old.parquet")
    status, _, lines = gated(Path("new.parquet"), *against, known=True)
    assert status == 1
    said, _, then = lines[-2].removeprefix("to accept what blocks, after reading why: ").partition("; ")
    assert said == "conformance waive new.parquet --baseline old.parquet -o new-waivers.toml"
    assert then == "write reason and link of each, and decide again with --waivers new-waivers.toml"
    wrote = conformance(*_typed(said)).stdout
    assert "wrote new-waivers.toml: 1 stub for 1 verdict; write `reason` and `link` of each" in wrote
    _signed("new-waivers.toml")
    again = wrote.rpartition("then: ")[2].strip()
    assert again == "conformance gate new.parquet --baseline old.parquet --waivers new-waivers.toml"
    status, told, lines = gated(Path("new.parquet"), *_typed(again)[2:], known=True)
    assert status == 0, lines
    (mine,) = tomllib.loads(Path("new-waivers.toml").read_text(encoding="utf-8"))["waiver"]
    assert [a["waiver"] for a in told["accepted"]] == [mine["name"]] != ["torch-known"]
    assert not any(line.startswith("to accept") for line in lines)


def test_without_a_baseline_it_says_when_one_is_needed() -> None:
    done = conformance("waive", "new.parquet", "-o", "w.toml").stdout
    assert done.startswith("no finding of that level (must) is without a waiver: nothing is written; waivers")
    assert "to accept" not in done and "add --baseline OLD.parquet" in done and not Path("w.toml").exists()
    write_run(Path("fine.parquet"), run_of([verdict()], header()))
    done = conformance("waive", "fine.parquet", "-o", "w.toml").stdout
    assert done == "no finding of that level (must) is without a waiver: nothing is written\n"


def test_what_was_so_before_needs_no_waiver() -> None:
    before = run_of([verdict(**NAN)], header())
    write_run(Path("before.parquet"), before)
    words = ("waive", "new.parquet", "--baseline", "before.parquet", "--no-known", "-o", "w.toml")
    told = "nothing of that level (must) blocks against torch 2.13.0: nothing is written\n"
    assert conformance(*words).stdout == told and not Path("w.toml").exists()
    strict = conformance(*words, "--fail-on", "strict").stdout
    assert "wrote w.toml: 1 stub for 1 verdict" in strict and strict.rstrip().endswith("--fail-on strict")


def test_what_blocks_of_another_level_is_said() -> None:
    should = NAN | {"status": "breaks_should", "level": "should", "clause": "1.2"}
    write_run(Path("new.parquet"), run_of([verdict(version="2.14.0", **should)], now_header()))
    against = ("--baseline", "old.parquet")
    done = conformance("waive", "new.parquet", *against, "-o", "w.toml").stdout
    assert done.rstrip().endswith("nothing is written; 1 verdict of the other level do: add --level all")
    status, _, lines = gated(Path("new.parquet"), *against, known=True)
    said = lines[-2].partition(": ")[2].partition("; ")[0]
    assert status == 1 and said.endswith("--level should")
    assert "wrote new-waivers.toml: 1 stub for" in conformance(*_typed(said)).stdout


def test_a_policy_without_a_baseline_is_refused() -> None:
    told = conformance("waive", "new.parquet", "--fail-on", "strict", "-o", "w.toml", status=2).stderr
    assert "name it with --baseline" in told


def test_the_summary_and_the_comment_say_it_as_well() -> None:
    gate = decisions.gate(decisions.reason(level="must"))
    for text in (summary(gate), comment(gate)):
        assert "`conformance waive RUN.parquet -o new-waivers.toml`" in text
    gone = decisions.reason(Kind.REGRESSED, level="must", symptom="none")
    for cannot in (decisions.gate(gone), decisions.gate(decisions.missing(Kind.ABSENT)), decisions.gate()):
        assert cannot.acceptance == ("", "") and "waive" not in summary(cannot)
