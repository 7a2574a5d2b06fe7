"""A function that is wrong now and then: what is asked again does not pass for what was judged."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.support.scripts import run_scripts
from xent_conformance import Checked, check
from xent_conformance.reports.views.causes import causes

SPARSE = "sparse_softmax_cross_entropy"
CHANGES = "differs from call to call"

KERNELS = """
import itertools

import torch

calls = itertools.count(1)


def loss(x, y):
    return -torch.log_softmax(x, -1).gather(1, y[:, None]).squeeze(1)


def now_and_then(x, y):
    return loss(x, y) * (1.5 if next(calls) % 400 == 5 else 1)


def each_seventh(x, y):
    return loss(x, y) * (1.01 if next(calls) % 7 == 0 else 1)


def always(x, y):
    return loss(x, y) * 1.5


broken = True


def mended(x, y):
    return loss(x, y) * (1.5 if broken else 1)
"""


@pytest.fixture
def kernels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    (tmp_path / "their_changing.py").write_text(KERNELS, encoding="utf-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.syspath_prepend(tmp_path)
    yield pytest.importorskip("their_changing")
    sys.modules.pop("their_changing")


def _check(function: Any, *families: str) -> Checked:
    return check(function, operator=SPARSE, framework="torch", dtypes="float32", families=families)


def _ran(script: str, tmp_path: Path) -> tuple[int, str]:
    path = tmp_path / "shows_it.py"
    path.write_text(script, encoding="utf-8")
    (ended,) = run_scripts([path], "torch")
    return ended


def test_what_is_wrong_now_and_then_is_said_first_and_asked_until_it_is_seen(
    kernels: ModuleType, tmp_path: Path
) -> None:
    checked = _check(kernels.now_and_then, "ordinary", "two_classes", "widths")
    assert not checked.conforms
    worst = checked.findings.row(0, named=True)
    first, *rest = " ".join(checked.explain().split("\n\n")[0].split()).partition(worst["case"])
    assert f"{worst['output']}: asked again it conforms: it differs from call to call; when it was" in first
    assert "breaks must by clause" in first and rest, "before the case is shown"
    script = checked.script()
    header = " ".join(script.split("\n\n")[0].replace("#", " ").split())
    assert f"{worst['symptom']} when it was judged; asked again it conforms: it differs from call" in header
    assert ": right" not in header
    status, told = _ran(script, tmp_path)
    assert status == 1 and "differ: " in told and "the same call 1000 times more" in told, told


def test_who_is_wrong_in_each_seventh_call_is_said_to_change_before_all_else(kernels: ModuleType) -> None:
    """Whatever rows that falls on: their clauses and shapes are told of nobody."""
    found = causes(_check(kernels.each_seventh).run)
    assert (found[0].hypothesis, found[0].level) == (CHANGES, "must")
    assert {"value", "grad_logits"} <= set(found[0].outputs)
    must = [cause for cause in found if cause.level == "must"]
    assert all(cause.hypothesis for cause in must), "nothing is unexplained"
    assert found[0].verdicts > 0.8 * sum(cause.verdicts for cause in must)


def test_what_is_the_same_each_time_is_not_said_to_change(kernels: ModuleType) -> None:
    checked = _check(kernels.always, "ordinary")
    assert CHANGES not in {cause.hypothesis for cause in causes(checked.run)}
    for case in checked.findings["case"].unique().to_list()[:5]:
        assert checked.explain(case).startswith(f"{case}  "), "the case, and nothing before it"
    assert "call to call" not in checked.script()


def test_what_is_not_seen_again_is_not_called_right(kernels: ModuleType, tmp_path: Path) -> None:
    checked = _check(kernels.mended, "two_classes")
    kernels.broken = False  # type: ignore[attr-defined]
    script = checked.script()
    assert "when it was judged; asked again it conforms" in " ".join(script.replace("#", " ").split())
    (tmp_path / "their_changing.py").write_text(KERNELS.replace("= True", "= False"), encoding="utf-8")
    status, told = _ran(script, tmp_path)
    assert status == 0 and "right" not in told and "the same bits: a call, and the same call 1000" in told
