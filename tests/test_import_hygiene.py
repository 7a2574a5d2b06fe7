"""The floors of the house: what each package may import, looked at in fresh interpreters.

``reference``, ``cases`` and ``reports`` know no framework and nothing of the floors above them; a
worker runs in another interpreter that has little more than NumPy. A last test seeds violations and
sees them caught.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT

FRAMEWORKS = frozenset({"torch", "tensorflow", "jax", "jaxlib", "keras"})
HEAVY = frozenset({"polars", "flint", "typer", "rich", "jinja2", "platformdirs"})

MAY_NOT = {
    "reference": FRAMEWORKS | {"cases", "conformance", "reports"},
    "cases": FRAMEWORKS | {"conformance", "reports"},
    "reports": FRAMEWORKS | {"conformance", "cases", "reference"},
}
"""What no module of a package may load, itself or by what it imports."""

_SCRIPT = """
import contextlib, importlib, io, json, sys
with contextlib.redirect_stdout(io.StringIO()):
    for name in sys.argv[2:]:
        importlib.import_module(name)
    exec(sys.argv[1])
json.dump(sorted({name.partition(".")[0] for name in sys.modules}), sys.stdout)
"""


def loaded(*modules: str, then: str = "", root: Path = ROOT) -> set[str]:
    """Top-level names that a fresh interpreter has loaded after importing these modules."""
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, then, *modules],
        capture_output=True,
        text=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


def modules_of(package: str, root: Path = ROOT) -> list[str]:
    """The package and everything below it, by name, from the files alone."""
    files = sorted((root / package).rglob("*.py"))
    return [".".join(f.relative_to(root).with_suffix("").parts).removesuffix(".__init__") for f in files]


def trespasses(package: str, forbidden: frozenset[str], root: Path = ROOT) -> set[str]:
    """What the package loads and may not."""
    found = loaded(*modules_of(package, root), root=root)
    assert package in found, f"{root} has no {package}: nothing was imported, so nothing was checked"
    return found & forbidden


@pytest.mark.parametrize("package", MAY_NOT)
def test_a_floor_does_not_import_what_is_above_it(package: str) -> None:
    assert len(modules_of(package)) >= 4
    assert trespasses(package, MAY_NOT[package]) == set()


def test_a_worker_needs_numpy_and_ml_dtypes_alone() -> None:
    found = loaded(
        "xent_conformance.worker.serve",
        "xent_conformance.worker.wire",
        "xent_conformance.frameworks.interface",
    )
    assert found & (FRAMEWORKS | HEAVY | {"cases", "reference", "reports"}) == set()
    assert {"numpy", "ml_dtypes", "xent_conformance"} <= found


def test_adapters_do_not_import_their_framework_until_they_are_made() -> None:
    assert loaded(*modules_of("conformance")) & FRAMEWORKS == set()
    found = loaded(
        *(f"xent_conformance.frameworks.{name}" for name in ("torch", "tensorflow", "jax", "numpy"))
    )
    assert found & (FRAMEWORKS | HEAVY) == set()


@pytest.mark.parametrize("what", ["operators", "implementations", "families", "clauses"])
def test_listing_imports_no_framework(what: str) -> None:
    then = f"from xent_conformance.__main__ import app; app(['list', {what!r}], standalone_mode=False)"
    found = loaded("xent_conformance.__main__", then=then)
    assert found & FRAMEWORKS == set()
    assert "xent_conformance" in found and "rich" in found


def test_the_command_line_is_light_until_it_works() -> None:
    """``--help`` and ``--version`` should not wait for a data frame library."""
    assert (
        loaded("xent_conformance.__main__") & (FRAMEWORKS | {"polars", "flint", "jinja2", "cases", "reports"})
        == set()
    )


# --- the test of this test --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text", "caught"),
    [
        ("__init__", "import jax\n", {"jax"}),
        ("deep", "import tensorflow.keras\n", {"tensorflow"}),
        ("deep", "def f():\n    import torch\nf()\n", {"torch"}),
        ("deep", "from reports import helper\n", {"reports", "keras"}),  # by way of another
        ("deep", "try:\n    import jax\nexcept ImportError:\n    pass\n", {"jax"}),
        ("deep", "def later():\n    import torch\n", set()),  # a lazy import is what is wanted
        ("deep", "", set()),
    ],
)
def test_a_seeded_violation_is_caught(name: str, text: str, caught: set[str], tmp_path: Path) -> None:
    """Stand-ins for the packages, so that this needs no framework."""
    for module in ("jax", "torch", "tensorflow", "tensorflow.keras", "keras"):
        folder = tmp_path / module.replace(".", "/")
        folder.mkdir()
        (folder / "__init__.py").touch()
    for package in ("reference/floor", "reports"):
        (tmp_path / package).mkdir(parents=True)
        (tmp_path / package / "__init__.py").touch()
    (tmp_path / "reference/__init__.py").touch()
    (tmp_path / "reports/helper.py").write_text("import keras\n")
    (tmp_path / "reference/floor" / f"{name}.py").write_text(text)
    assert trespasses("reference", MAY_NOT["reference"], tmp_path) == caught


def test_a_package_that_is_not_there_is_not_a_pass(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="nothing was checked"):
        trespasses("reference", MAY_NOT["reference"], tmp_path)
