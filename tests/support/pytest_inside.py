"""A pytest of somebody else: a process of its own, in an environment where the suite is installed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests.support.paths import ROOT

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


def run_pytest(here: Path, *arguments: str, path: Sequence[Path] = (), plugged: bool = True) -> Done:
    """``pytest ARGUMENTS`` in the folder ``here``; modules are found in ``path`` and in the checkout too.

    Not ``plugged``: the entry point is there and not taken, as if the suite were not installed.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "COV_"))}
    without = () if plugged else ("-p", "no:conformance")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *_QUIET, *without, "--basetemp", str(here / "base"), *arguments],
        cwd=here,
        env={**kept, "PYTHONPATH": os.pathsep.join(map(str, [ROOT, *path])), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    return Done(done.returncode, done.stdout + done.stderr)
