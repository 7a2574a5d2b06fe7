"""``examples/kernels``: each conforms, run in a process of its own where its packages are installed."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import shared
from tests.support.paths import ROOT

KERNELS = ROOT / "examples" / "kernels"

SMALL = """
import runpy, sys
import xent_conformance
from xent_conformance.kernel import check as module

whole, FAMILIES = module.check, {families!r}


def check(function, **given):
    given.pop("exclude", None)
    return whole(function, families=FAMILIES, **given)


xent_conformance.check = check
sys.argv = {arguments!r}
runpy.run_path(sys.argv[0], run_name="__main__")
"""
"""The program as it stands, with the families that a test has time for: all of them take minutes."""

FAMILIES = ["ordinary", "huge_logits", "special_values", "index_range", "offsets", "layouts"]

EXAMPLES = {
    "triton_cross_entropy.py": (("triton", "torch"), {"TRITON_INTERPRET": "1"}, ()),
    "triton_softmax.py": (("triton", "torch"), {"TRITON_INTERPRET": "1"}, ()),
    "pallas_cross_entropy.py": (("jax",), {}, ()),
    "keras_cross_entropy.py keras-jax": (("keras", "jax"), {}, ("keras-jax",)),
    "keras_cross_entropy.py keras-torch": (("keras", "torch"), {}, ("keras-torch",)),
    "keras_cross_entropy.py keras-tensorflow": (("keras", "tensorflow"), {}, ("keras-tensorflow",)),
}


def _run(program: Path, tmp_path: Path, environment: dict[str, str], *arguments: str) -> tuple[int, str]:
    """All have one cache: what a run of this suite would otherwise make first is made by one of them."""
    cache = shared.once("cache-of-examples", lambda _: None)
    text = SMALL.format(families=FAMILIES, arguments=[str(program), *arguments])
    done = subprocess.run(
        [sys.executable, "-c", text],
        cwd=tmp_path,
        env={**os.environ, "XDG_CACHE_HOME": str(cache), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("example", EXAMPLES)
def test_it_conforms(example: str, tmp_path: Path) -> None:
    packages, environment, arguments = EXAMPLES[example]
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"not installed: pip install {' '.join(missing)}")
    status, told = _run(KERNELS / example.split()[0], tmp_path, environment, *arguments)
    assert status == 0 and "breaks must" not in told and " conforms" in told, told


def test_the_kernel_in_the_readme_is_the_one_that_is_run() -> None:
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"```python\n(@triton.*?)```", page, re.DOTALL)
    assert len(shown) == 1 and shown[0] in (KERNELS / "triton_softmax.py").read_text(encoding="utf-8")


def test_one_that_is_wrong_would_be_noticed(tmp_path: Path) -> None:
    """The largest logit is not taken away: it overflows."""
    pytest.importorskip("jax")
    right = (KERNELS / "pallas_cross_entropy.py").read_text(encoding="utf-8")
    wrong = right.replace("z = z - jnp.max(z, axis=-1, keepdims=True)", "z = z + 0")
    assert wrong != right
    (tmp_path / "wrong.py").write_text(wrong, encoding="utf-8")
    status, told = _run(tmp_path / "wrong.py", tmp_path, {})
    assert status == 1 and "Divergence" in told and "clause 2.1 (must)" in told


def test_every_example_is_run() -> None:
    assert {p.name for p in KERNELS.glob("*.py")} == {name.split()[0] for name in EXAMPLES}
