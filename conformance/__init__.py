"""Who is asked, and the verdict.

From Python: ``check`` judges a function of one's own, ``conforms`` makes a test of that, ``capture`` writes a
call of one's own to a file of cases; ``run``, ``read_run`` and ``findings`` are the command line's. They are
loaded when they are first named, because a worker imports this package inside another interpreter that has
NumPy, ml_dtypes and one framework, and nothing else of ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xent_conformance.api import findings as findings
    from xent_conformance.api import read_run as read_run
    from xent_conformance.api import run as run
    from xent_conformance.capturing.capture import capture as capture
    from xent_conformance.kernel.check import check as check
    from xent_conformance.kernel.result import Checked as Checked
    from xent_conformance.kernel.result import Divergence as Divergence
    from xent_conformance.pytesting.kernels import conforms as conforms

from xent_conformance.version import __version__ as __version__

_EXPORTED = {
    "Checked": "xent_conformance.kernel.result",
    "Divergence": "xent_conformance.kernel.result",
    "capture": "xent_conformance.capturing.capture",
    "check": "xent_conformance.kernel.check",
    "conforms": "xent_conformance.pytesting.kernels",
    "findings": "xent_conformance.api",
    "read_run": "xent_conformance.api",
    "run": "xent_conformance.api",
}
"""What can be had from here, and the module that has it."""

__all__ = ["Checked", "Divergence", "capture", "check", "conforms", "findings", "read_run", "run"]


def _exported(name: str) -> Any:
    from importlib import import_module

    return getattr(import_module(_EXPORTED[name]), name)


def __getattr__(name: str) -> Any:
    if name in _EXPORTED:
        return _exported(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_EXPORTED})
