"""What `make` installs into its environment, and which build of torch that is: said before it is downloaded.

For Linux, PyPI has torch with CUDA, under every version and for every Python: gigabytes that a report of a
CPU has no use for. CPU builds are on PyTorch's own index (https://pytorch.org/get-started/locally/), under
the same version with ``+cpu`` behind it, which the same pin takes where it is found. So, by ``--torch``:

``cpu``   that index as well, if it can be reached; where all the same CUDA would come, nothing is installed
``any``   that index as well; where CUDA comes, that is said, and it is installed
``cuda``  what the package index has

Standard library alone: it runs before anything is installed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

CPU_INDEX = "https://download.pytorch.org/whl/cpu"

PIP = "pip>=25.1"
"""Older ones download what they are only asked about: half a gigabyte, to tell that it is one."""

REACHED_WITHIN = 5.0
"""Seconds."""

CUDA = ("nvidia-", "cuda-")
"""How the distributions begin that a CUDA build of torch needs."""

Pip = Sequence[str]


def reachable(index: str) -> bool:
    """Whether the index has torch, from here."""
    try:
        with urllib.request.urlopen(f"{index}/torch/", timeout=REACHED_WITHIN):
            return True
    except (OSError, ValueError):
        return False


def planned(pip: Pip, arguments: Sequence[str]) -> list[Mapping[str, Any]]:
    """What ``pip install`` would install now, as its report has it. Raises CalledProcessError."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        words = ["install", "--quiet", "--dry-run", "--report", str(report), *arguments]
        subprocess.run([*pip, *words], check=True)
        installs: list[Mapping[str, Any]] = json.loads(report.read_text(encoding="utf-8"))["install"]
    return installs


def named(plan: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Version by name."""
    return {entry["metadata"]["name"].lower(): entry["metadata"]["version"] for entry in plan}


def told(found: Mapping[str, str], torch: str) -> tuple[str, bool]:
    """What is said of the plan, and whether it may be installed."""
    cuda = sorted(name for name in found if name.startswith(CUDA))
    count = f"{len(found)} distributions to install"
    if not cuda:
        build = f"torch {found['torch']}, a CPU build" if "torch" in found else "torch is there or not asked"
        return f"{count}: {build}", True
    brought = f"{count}: torch {found.get('torch', '')} with CUDA, and for it {', '.join(cuda)}"
    if torch != "cpu":
        return brought, True
    lines = (
        f"{brought}: gigabytes.",
        f"Nothing is installed. The package index has no CPU build, and {CPU_INDEX} cannot be reached.",
        "make TORCH=any … takes it all the same; PIP_EXTRA_INDEX_URL=… names an index that has CPU builds.",
    )
    return "\n".join(lines), False


def main(arguments: Sequence[str], pip: Pip = (sys.executable, "-m", "pip"), index: str = CPU_INDEX) -> int:
    """Plan, say, install. The exit status: 1 where nothing may be installed, else pip's."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--torch", choices=("cpu", "any", "cuda"), default="cpu")
    parser.add_argument("what", nargs="+", help="words for pip install, after --")
    asked = parser.parse_args(arguments)
    words: list[str] = ["--disable-pip-version-check", *asked.what]
    try:
        subprocess.run([*pip, "install", "--quiet", "--disable-pip-version-check", PIP], check=True)
        if asked.torch != "cuda" and reachable(index):
            words += ["--extra-index-url", index]
        says, may = told(named(planned(pip, words)), asked.torch)
        print(says, file=sys.stdout if may else sys.stderr, flush=True)
        if not may:
            return 1
        subprocess.run([*pip, "install", "--quiet", *words], check=True)
    except subprocess.CalledProcessError as failed:
        return failed.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
