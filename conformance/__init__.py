"""Who is asked, and the verdict: frameworks, workers, engine, command line.

From Python: ``check`` judges a function of one's own; ``run``, ``read_run`` and ``findings`` are the command
line's. They are loaded when they are first named, because a worker imports this package inside another
interpreter that has NumPy, ml_dtypes and one framework, and nothing else of ours.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from conformance.api import findings as findings
    from conformance.api import read_run as read_run
    from conformance.api import run as run
    from conformance.checked import Checked as Checked
    from conformance.checked import Divergence as Divergence
    from conformance.checking import check as check

__version__ = "0.1.0"

_EXPORTED = {
    "Checked": "conformance.checked",
    "Divergence": "conformance.checked",
    "check": "conformance.checking",
    "findings": "conformance.api",
    "read_run": "conformance.api",
    "run": "conformance.api",
}
"""What can be had from here, and the module that has it."""

__all__ = ["Checked", "Divergence", "check", "findings", "read_run", "run"]


def _exported(name: str) -> Any:
    from importlib import import_module

    return getattr(import_module(_EXPORTED[name]), name)


def __getattr__(name: str) -> Any:
    if name in _EXPORTED:
        return _exported(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_EXPORTED})


class _Package(ModuleType):
    """``conformance.findings`` is the function, though the file it comes from has the same name.

    Importing a submodule sets it as an attribute of its package; for this one name that is refused.
    """

    @property
    def findings(self) -> Any:
        return _exported("findings")

    @findings.setter
    def findings(self, module: object) -> None:
        """The import system has ``sys.modules`` for the file."""


sys.modules[__name__].__class__ = _Package
