"""Watches the public functions of a framework, and writes the call that is wanted to a file of cases.

A function is replaced wherever a module knows it by name: in the framework's public modules, and in modules
of the user's that have imported it already. A call inside a watched one is part of it and not seen by itself.
"""

from __future__ import annotations

import functools
import importlib
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from xent_conformance.capturing.jax_calls import JaxCalls
from xent_conformance.capturing.recorded import Calls, Inexpressible, Reader, Recorded, text_of
from xent_conformance.capturing.tensorflow_calls import TensorFlowCalls
from xent_conformance.capturing.torch_calls import TorchCalls
from xent_conformance.cases.corpus import families
from xent_conformance.cases.outside.translated import path_safe, printed
from xent_conformance.reports.atomic import write_text

FRAMEWORKS: Mapping[str, type[Calls]] = {
    "torch": TorchCalls,
    "tensorflow": TensorFlowCalls,
    "jax": JaxCalls,
}

NONFINITE = "nonfinite"


class Watch:
    """Which call is wanted, and what has been seen; ``found`` says which call was written."""

    def __init__(self, path: Path, *, call: int | None, when: str | None, origin: str = "") -> None:
        self.path = path
        self.call, self.when, self.origin = call, when, origin
        self.seen = 0
        self.found = ""
        self.inexpressible: dict[str, str] = {}
        self.on_found: Callable[[], None] = lambda: None
        self._inside = threading.local()

    def wrapped(self, calls: Calls, name: str, function: Any, reader: Reader) -> Any:
        """The function, and a look at each of its calls."""

        @functools.wraps(function)
        def watched(*arguments: Any, **keywords: Any) -> Any:
            if self.found or getattr(self._inside, "deep", False):
                return function(*arguments, **keywords)
            self._inside.deep = True
            # what is read is what it was before the call: a result may be written over its argument
            recorded = self._read(calls, name, reader, arguments, keywords)
            try:
                result = function(*arguments, **keywords)
            except Exception:
                self._consider(calls, name, recorded, fails=True)
                raise
            finally:
                self._inside.deep = False
            self._consider(calls, name, recorded, fails=not calls.finite(result))
            return result

        return watched

    def _read(
        self, calls: Calls, name: str, reader: Reader, arguments: Any, keywords: Mapping[str, Any]
    ) -> Recorded | None:
        self.seen += 1
        if self.call is not None and self.seen != self.call:
            return None
        try:
            return reader(calls.library, *arguments, **keywords)
        except Inexpressible as why:
            self.inexpressible[f"call {self.seen}, {name}"] = str(why)
        except TypeError as error:  # arguments that the function itself will refuse, or that are new to us
            self.inexpressible[f"call {self.seen}, {name}"] = f"its arguments are not known here ({error})"
        return None

    def _consider(self, calls: Calls, name: str, recorded: Recorded | None, *, fails: bool) -> None:
        if recorded is None or (self.when == NONFINITE and not fails):
            return
        where = f"call {self.seen} of {name}" + (f" in {self.origin}" if self.origin else "")
        family = path_safe(self.path.stem)
        family = f"captured_{family}"[:80] if family in families() else family
        try:
            told = text_of(recorded, family, f"call{self.seen}", f"captured: {where}, {calls.version}")
        except Inexpressible as why:
            self.inexpressible[f"call {self.seen}, {name}"] = str(why)
            return
        write_text(self.path, printed(told))
        self.found = where
        self.on_found()

    def nothing(self) -> str:
        """Why there is no file, in words."""
        if not self.seen:
            return "none of the functions that are watched was called"
        calls = f"{self.seen} call{'s' * (self.seen > 1)} of the functions that are watched"
        if self.inexpressible:
            name, why = next(iter(self.inexpressible.items()))
            others = len(self.inexpressible) - 1
            more = f" (and {others} more)" if others else ""
            return f"{calls}, none that a case can say: {name}: {why}{more}"
        if self.when == NONFINITE:
            return f"{calls}, and each returned finite numbers"
        return f"{calls}, so there is no call {self.call}"


@contextmanager
def watching(framework: str, watch: Watch) -> Iterator[None]:
    """The framework's functions, replaced for as long as this lasts. Raises ImportError without it."""
    calls = FRAMEWORKS[framework]()
    changed: list[tuple[ModuleType, str, Any]] = []
    try:
        for module, readers in calls.doors.items():
            there = _module(module)
            for name, reader in readers.items() if there is not None else ():
                function = getattr(there, name, None)
                if function is not None:
                    wrapped = watch.wrapped(calls, f"{module}.{name}", function, reader)
                    changed += _replaced(function, wrapped, calls)
        yield
    finally:
        for known, name, function in reversed(changed):
            setattr(known, name, function)


def _module(name: str) -> Any:
    """``tensorflow.nn`` is an attribute and no module of that name; None where it is not installed."""
    top, *rest = name.split(".")
    try:
        found = importlib.import_module(top)
        for part in rest:
            found = getattr(found, part, None) or importlib.import_module(f"{found.__name__}.{part}")
    except ImportError:
        return None
    return found


def _replaced(function: Any, wrapped: Any, calls: Calls) -> list[tuple[ModuleType, str, Any]]:
    """Put ``wrapped`` wherever the function is known: publicly, and by modules that are not a framework's."""
    tops = {module.partition(".")[0] for module in calls.doors} | {"jaxlib", "keras"}
    public = {id(_module(module)) for module in calls.doors} | {id(sys.modules.get(top)) for top in tops}
    changed = []
    for module in list(sys.modules.values()):
        own = getattr(module, "__name__", "").partition(".")[0] in tops
        if not isinstance(module, ModuleType) or (own and id(module) not in public):
            continue
        for name, value in list(vars(module).items()):
            if value is function:
                setattr(module, name, wrapped)
                changed.append((module, name, function))
    return changed
