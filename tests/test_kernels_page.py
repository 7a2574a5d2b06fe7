"""docs/KERNELS.md is true: its code runs and says what the page says (its commands: tests/test_pages.py)."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.paths import ROOT
from tests.support.pytest_inside import run_pytest
from tests.support.scripts import run_scripts
from xent_conformance import check
from xent_conformance.decision.waivers import read_waivers

PAGE = (ROOT / "docs" / "KERNELS.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
KERNELS, CHECKED, WHOLE, TESTS = PYTHON
SPARSE = "sparse_softmax_cross_entropy"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the reader works: the files of the page by the names that they have in it."""
    pytest.importorskip("torch")
    for text in (KERNELS, TESTS):
        name = text.partition("\n")[0].removeprefix("# ")
        (tmp_path / name).write_text(text, encoding="utf-8")
    (toml,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "mine.toml").write_text(toml, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop("my_kernels", None)


def test_the_code_says_what_the_page_says(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    exec(CHECKED, names)
    printed = capsys.readouterr().out
    (shown,) = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    assert printed.startswith(shown.rstrip().rstrip("…")), printed
    checked = names["checked"]
    must = checked.findings.filter(level="must")
    assert not checked.conforms and set(must["clause"]) >= {"7.1"}
    exec(WHOLE, names)
    printed = capsys.readouterr().out
    assert printed.startswith(checked.findings["case"][0]) and "import my_kernels" not in printed
    (folder / "shows_it.py").write_text(checked.script(), encoding="utf-8")
    ((status, told),) = run_scripts([folder / "shows_it.py"], "torch")
    assert status == 1 and "differs: " in told


def test_the_waiver_accepts_what_it_says(folder: Path) -> None:
    import my_kernels  # type: ignore[import-not-found]

    (waiver,) = read_waivers([folder / "mine.toml"])
    asked = {"operator": SPARSE, "framework": "torch", "dtypes": "float32", "families": "offsets"}
    accepted = check(my_kernels.cross_entropy, **asked, waivers="mine.toml")
    assert [w.state.value for w in accepted.waivers] == ["accepts"]
    before = check(my_kernels.cross_entropy, **asked)
    broken = {(r["clause"], r["output"]) for r in before.findings.iter_rows(named=True)}
    left = {(r["clause"], r["output"]) for r in accepted.findings.iter_rows(named=True)}
    assert broken - left == {(waiver.clause, "grad_logits")}


def test_the_tests_of_the_page(folder: Path) -> None:
    done = run_pytest(folder, "-rA", "-n", "0", "test_my_kernels.py", path=[folder])
    assert "PASSED test_my_kernels.py::test_by_the_fixture" in done.text, done.text
    for dtype in ("float32", "bfloat16"):
        assert f"FAILED test_my_kernels.py::test_cross_entropy[{dtype}]" in done.text
    failures, _, _ = done.text.partition("short test summary info")  # which repeats them where CI is set
    assert failures.count("  the worst 5 of ") == 2


def test_its_arguments_are_those_of_check() -> None:
    told = set(re.findall(r"`(\w+)=", PAGE)) - {"TRITON_INTERPRET", "interpret"}
    assert told <= set(inspect.signature(check).parameters)
    assert told >= {"dtypes", "differentiable", "takes", "mode", "device", "exclude", "waivers"}
