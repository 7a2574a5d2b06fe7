"""Versions of a framework, interpreters that have them, and installers that make such, all in a folder."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from tests.support.paths import PLUGINS

PLUGIN = str(PLUGINS / "fakeframe_plugin.py")

_FRAMEWORK = """
import numpy as np
__version__ = {version!r}
def softmax(x, factor={factor!r}):
    e = np.exp(x.astype(np.float64) - x.astype(np.float64).max(-1, keepdims=True))
    return (e / e.sum(-1, keepdims=True) * factor).astype(x.dtype)
def other_softmax(x):
    return softmax(x, factor=1.0)
"""

RIGHT, DRIFTED, WRONG, WORSE = 1.0, 1.0000008, 1.001, float("nan")
"""What a version multiplies its softmax by: as it is, a few ulps off, beyond every bound, not a number."""


def framework(folder: Path, version: str, factor: float = RIGHT) -> Path:
    """A folder from which ``fakeframe`` of that version is imported."""
    site = folder / f"site-{version}"
    site.mkdir(parents=True)
    text = _FRAMEWORK.format(version=version, factor=factor).replace("factor=nan", "factor=float('nan')")
    (site / "fakeframe.py").write_text(text)
    return site


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}")
    path.chmod(0o755)
    return path


def interpreter(folder: Path, version: str, factor: float = RIGHT, *, says: str = "") -> str:
    """A Python that has ``fakeframe`` in that version, or in the version that it ``says``."""
    site = framework(folder / version, says or version, factor)
    return str(script(folder / f"python-{version}", _runs(site)))


def _runs(site: Path) -> str:
    return f'PYTHONPATH="{site}" exec "{sys.executable}" "$@"\n'


def bare_interpreter(folder: Path) -> str:
    """A Python that has no ``fakeframe``."""
    return str(script(folder / "python-bare", f'exec "{sys.executable}" "$@"\n'))


_UV = """
echo "$@" >> "{log}"
case "$1 $2" in
"venv --quiet") sleep {slow}; mkdir -p "$5/bin"; printf '#!/bin/sh\\nexit 9\\n' > "$5/bin/python";;
"pip install")
    {install}
    for word in "$@"; do case "$word" in fakeframe==*)
        site="{folder}/site-${{word#fakeframe==}}"
        test -d "$site" || {{ echo "No solution found: there is no $word" >&2; exit 1; }}
        {{ echo '#!/bin/sh'; echo "PYTHONPATH=$site exec {python} \\"\\$@\\""; }} > "$5"
    esac; done
    chmod +x "$5";;
"pip freeze") echo "fakeframe==9.9"; echo "numpy==2.0.0";;
esac
"""


def fake_uv(folder: Path, *, install: str = "", slow: str = "0") -> Path:
    """A folder for ``PATH`` with an installer that knows the versions in ``folder`` and logs what it is told.

    ``install`` is shell that runs first when something is to be installed; ``slow`` are seconds.
    """
    text = _UV.format(log=folder / "uv.log", install=install, folder=folder, python=sys.executable, slow=slow)
    return script(folder / "bin" / "uv", text).parent


def told(folder: Path) -> Sequence[str]:
    """What the fake installer was told, a line a call."""
    log = folder / "uv.log"
    return log.read_text().splitlines() if log.is_file() else []
