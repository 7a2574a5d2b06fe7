"""What `make` installs into its environment, and which build of torch that is: said before it is downloaded.

For Linux, PyPI has torch with CUDA, under every version and for every Python: gigabytes that a report of a
CPU has no use for. CPU builds are on PyTorch's own index (https://pytorch.org/get-started/locally/), under
the same version with ``+cpu`` behind it. Which versions there are is asked without downloading any, and what
is installed is named whole, ``torch==2.13.0+cpu``. So, by ``--torch``:

``cpu``   a CPU build, of the package index or of PyTorch's; where there is none, nothing is installed
``any``   a CPU build where there is one, else what there is
``cuda``  what the package index has

Standard library alone: it runs before anything is installed.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import urllib.request
from collections.abc import Sequence
from pathlib import Path

CPU_INDEX = "https://download.pytorch.org/whl/cpu"

REACHED_WITHIN = 5.0
"""Seconds."""

LOCAL = "+cpu"
"""What stands behind the version of a CPU build for Linux; for Windows and macOS, PyPI has CPU builds."""

Pip = Sequence[str]


def reachable(index: str) -> bool:
    """Whether the index has torch, from here."""
    try:
        with urllib.request.urlopen(f"{index}/torch/", timeout=REACHED_WITHIN):
            return True
    except (OSError, ValueError):
        return False


def pinned(constraints: str) -> str:
    """The version of torch that the constraints name. Raises ValueError where they name none."""
    found = re.search(r"^torch==(\S+)$", constraints, re.MULTILINE)
    if found is None:
        raise ValueError("the constraints do not pin torch")
    return found[1]


def versions(pip: Pip, where: Sequence[str]) -> list[str]:
    """The versions of torch for this Python and system, by pip's own configuration; none is downloaded."""
    done = subprocess.run([*pip, "index", "versions", "torch", *where], capture_output=True, text=True)
    (listed,) = re.findall(r"^Available versions: (.*)$", done.stdout, re.MULTILINE) or [""]
    return [version.strip() for version in listed.split(",") if version.strip()]


def chosen(version: str, there: Sequence[str], torch: str, linux: bool) -> tuple[str, str]:
    """The requirement that is installed and what is said of it; an empty one where nothing may be."""
    exact, cpu = f"torch=={version}", f"torch=={version}{LOCAL}"
    if torch == "cuda":
        return exact, f"{exact}, as the package index has it"
    if not linux:
        return exact, f"{exact}, a CPU build"
    if version + LOCAL in there:
        return cpu, f"{cpu}, a CPU build"
    if torch == "any":
        return (
            exact,
            f"{exact} with CUDA, gigabytes: there is no CPU build in the indexes that can be reached",
        )
    lines = (
        f"Nothing is installed: {exact} would come with CUDA, gigabytes of it. The package index has no CPU",
        f"build for this Python, and {CPU_INDEX} cannot be reached or has none.",
        "make TORCH=any … takes it all the same; PIP_EXTRA_INDEX_URL=… names an index that has CPU builds.",
    )
    return "", "\n".join(lines)


def main(
    arguments: Sequence[str],
    *,
    pip: Pip = (sys.executable, "-m", "pip"),
    index: str = CPU_INDEX,
    linux: bool = sys.platform.startswith("linux"),
) -> int:
    """Look, say, install. The exit status: 1 where nothing may be installed, else pip's."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--torch", choices=("cpu", "any", "cuda"), default="cpu")
    parser.add_argument("--constraint", type=Path, required=True, help="a file that pins torch")
    parser.add_argument("what", nargs="+", help="words for pip install, after --")
    asked = parser.parse_args(arguments)
    where = ["--disable-pip-version-check"]
    version = pinned(asked.constraint.read_text(encoding="utf-8"))
    there: list[str] = []
    if asked.torch != "cuda" and linux:
        there = versions(pip, where)
        if version + LOCAL not in there and reachable(index):
            where += ["--extra-index-url", index]
            there = versions(pip, where)
    requirement, says = chosen(version, there, asked.torch, linux)
    print(says, file=sys.stdout if requirement else sys.stderr, flush=True)
    if not requirement:
        return 1
    words = ["--quiet", *where, "--constraint", str(asked.constraint), requirement, *asked.what]
    return subprocess.run([*pip, "install", *words]).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
