"""A pytest of somebody else: a process of its own, in which the plug-in is installed by its entry point."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests.support.paths import ROOT
from xent_conformance.version import __version__

_QUIET = ["-p", "no:cacheprovider", "-p", "no:hypothesispytest", "--color=no"]


@dataclass(frozen=True)
class Done:
    """How it ended, and what it printed."""

    status: int
    text: str

    @cached_property
    def told(self) -> dict[str, str]:
        """By the name of each conformance test, its last outcome (needs ``-rA``)."""
        found = re.findall(r"^([A-Z]+) \S*test_frameworks\.py::test_conformance\[(\S+)\]", self.text, re.M)
        return {name: outcome for outcome, name in found}

    def section(self, name: str) -> str:
        """What is printed of one test that failed."""
        _, _, rest = self.text.partition(f" test_conformance[{name}] ")
        return re.split(r"^(?:__+ |==+ )", rest, maxsplit=1, flags=re.M)[0]


def run_pytest(here: Path, *arguments: str, path: Sequence[Path] = (), installed: bool = True) -> Done:
    """``pytest ARGUMENTS`` in the folder ``here``; modules are found in ``path`` too."""
    site = here / "site"
    if installed:
        _install(site)
    folders = [*([site] if installed else []), ROOT, *path]
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "COV_"))}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *_QUIET, "--basetemp", str(here / "base"), *arguments],
        cwd=here,
        env={**kept, "PYTHONPATH": os.pathsep.join(map(str, folders)), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    return Done(done.returncode, done.stdout + done.stderr)


def _install(site: Path) -> None:
    """What ``pip install`` would leave of the entry points in pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    info = site / f"xent_conformance-{__version__}.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    metadata = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {__version__}\n"
    (info / "METADATA").write_text(metadata, encoding="utf-8")
    lines = [f"{name} = {value}" for name, value in project["entry-points"]["pytest11"].items()]
    (info / "entry_points.txt").write_text("\n".join(["[pytest11]", *lines, ""]), encoding="utf-8")
