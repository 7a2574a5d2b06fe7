"""What was compiled in an earlier run gives the bits of what is compiled now, and is taken where it is.

So it is whatever was asked before: workers that share questions are asked in another order each time.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from xent_conformance.asking.process import compiled_folder
from xent_conformance.asking.selection import Selection
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.run.file import Run
from xent_conformance.running.engine import run
from xent_conformance.worker.compiled import RECORD, USER

FORMATS = {"torch": ("float32",)}
"""Of PyTorch fewer than two: each is seconds of a C++ compiler, three times."""

FAMILIES = {"torch": ("ordinary",)}
"""Of PyTorch those that it is glanced at with; of the others two lengths, and not all."""

ASKED = {
    "jax": ("jax.nn.softmax", "jax.nn.log_softmax+sum"),
    "tensorflow": ("tf.nn.softmax", "tf.nn.softmax_cross_entropy_with_logits"),
    "torch": ("torch.nn.functional.cross_entropy:indices",),
}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder where what is compiled is kept."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # where a framework would keep it by itself
    return compiled_folder()


def _there(cache: Path) -> dict[str, int]:
    """Files of compiled code, with the time of their last change."""
    own = (RECORD, USER)
    files = (p for p in cache.rglob("*") if p.is_file() and not p.name.endswith(own))
    return {str(p.relative_to(cache)): p.stat().st_mtime_ns for p in files if not p.name.endswith(".lock")}


@pytest.mark.long
@pytest.mark.parametrize("name", ASKED)
def test_the_bits_are_the_same_compiled_now_or_before(name: str, cache: Path) -> None:
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"not installed: {name}")
    oracle = Oracle()

    def once(*, kept: bool, implementation: tuple[str, ...] = ASKED[name]) -> Run:
        asked = Selection(
            "quick",
            frameworks=(name,),
            implementation=implementation,
            dtypes=FORMATS.get(name, ("float32", "bfloat16")),
            families=FAMILIES.get(name, ("two_classes", "special_values")),
        )
        return run(asked, None, oracle=oracle, jobs=1, cache=kept)

    anew = once(kept=False)
    assert not cache.exists(), "nothing is kept, and nothing was there"
    first = once(kept=True)
    made = _there(cache)
    assert made
    again = once(kept=True)
    if name != "torch":  # whose code is linked anew beside the graph that is kept
        assert _there(cache) == made, "nothing was compiled again"
        once(kept=True, implementation=ASKED[name][1:])
        assert _there(cache) == made, "nor when less was asked before"
    assert {"compile" if name == "torch" else "jit" if name == "jax" else "xla"} <= set(anew.verdicts["mode"])
    assert anew.verdicts.equals(first.verdicts) and anew.verdicts.equals(again.verdicts)
