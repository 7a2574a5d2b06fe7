"""Adapters from elsewhere: named with ``--plugin``, or installed as entry points.

A plug-in is a module with an adapter class (see :mod:`xent_conformance.frameworks.interface`). It is named
``MODULE``, ``MODULE:CLASS``, ``path/to/file.py`` or ``path/to/file.py:CLASS``, or by an entry point of the
group ``conformance.frameworks``. Taken, it is an entry like any other. Its module is
imported here, its framework is not: an adapter imports that in ``__init__``, in a worker.
"""

from __future__ import annotations

import contextlib
import difflib
import importlib
import importlib.metadata
import importlib.util
import site
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from xent_conformance.discovery.framework import FRAMEWORKS, Framework
from xent_conformance.discovery.problems import problems
from xent_conformance.reports.run import commands

GROUP = "conformance.frameworks"
"""The group of entry points."""


class PluginError(ValueError):
    """A plug-in that cannot be used; the message says why and what to do."""


class PluginNotFound(PluginError):
    """Nothing of that name is there."""


@dataclass(frozen=True)
class Located:
    """An adapter class, the ``MODULE:CLASS`` a worker finds it by, and the folders it looks in."""

    kind: Any
    adapter: str
    search: tuple[str, ...]


@dataclass(frozen=True)
class Broken:
    """An installed plug-in that was left out, and why."""

    source: str
    reason: str

    def __str__(self) -> str:
        return f"plug-in {self.source} is left out: {self.reason}"


def load(reference: str) -> list[Framework]:
    """Take the adapters that ``reference`` names among the frameworks. Taking one twice changes nothing.

    Raises :class:`PluginError` where one of them cannot be taken; then none is.
    """
    found = [_framework(located, reference) for located in locate(reference)]
    for framework in found:
        _check_name(framework, found)
    for framework in found:
        FRAMEWORKS.setdefault(framework.name, framework)
    return [FRAMEWORKS[framework.name] for framework in found]


def load_installed() -> list[Broken]:
    """Take every installed entry point; those that cannot be taken, with the reason."""
    broken = []
    for entry in entry_points():
        try:
            load(entry.value)
        except PluginError as error:
            broken.append(Broken(_described(entry), str(error)))
    return broken


def entry_points() -> list[importlib.metadata.EntryPoint]:
    """What is installed in the group, in an order that does not depend on the disk."""
    found = importlib.metadata.entry_points(group=GROUP)
    return sorted(found, key=lambda e: (e.name, e.value))


def locate(reference: str) -> list[Located]:
    """The adapter classes that ``reference`` names: the one it says, or every public one of its module.

    Raises :class:`PluginError`; :class:`PluginNotFound` where there is no such module or file.
    """
    where, class_name = _split(reference)
    module, folder = _from_file(Path(where)) if where.endswith(".py") else _from_name(where)
    search = () if folder in _everywhere() else (folder,)
    names = [class_name] if class_name else _adapters_in(module)
    if class_name and not hasattr(module, class_name):
        near = difflib.get_close_matches(class_name, _adapters_in(module), n=3) or _adapters_in(module)
        hint = f"; there is {', '.join(near)}" if near else ""
        raise PluginError(f"{where} has no class {class_name}{hint}")
    if not names:
        raise PluginError(
            f"{where} has no adapter: a public class with `implementations` and `run` "
            "(see conformance/frameworks/interface.py)"
        )
    return [Located(getattr(module, name), f"{module.__name__}:{name}", search) for name in names]


def _split(reference: str) -> tuple[str, str]:
    """``("MODULE", "CLASS")``; no class where none is named."""
    where, colon, name = reference.rpartition(":")
    return (where, name) if colon and name.isidentifier() else (reference, "")


def _adapters_in(module: ModuleType) -> list[str]:
    """Public classes that are written in the module and look like adapters, each by its first name."""
    found: dict[type, str] = {}
    for name, kind in vars(module).items():
        public = isinstance(kind, type) and kind.__module__ == module.__name__ and not name.startswith("_")
        if public and hasattr(kind, "implementations") and hasattr(kind, "run"):
            found.setdefault(kind, name)
    return [*found.values()]


# --- finding and importing a module --------------------------------------------------------------------


def _from_file(path: Path) -> tuple[ModuleType, str]:
    """The module in a file, by its own name, as a worker that looks in its folder would import it."""
    path = path.resolve()
    name, folder = path.stem, str(path.parent)
    if not path.is_file():
        raise PluginNotFound(f"there is no file {path}")
    if not name.isidentifier():
        raise PluginError(f"{path.name} cannot be imported: a module's name has letters, digits and _ alone")
    other = _origin_of(name)
    if other not in (None, str(path)):
        raise PluginError(
            f"{path.name} has the name of another module ({other}), which it would hide: rename it"
        )
    return _imported(name, folder), folder


def _from_name(name: str) -> tuple[ModuleType, str]:
    """The module of that name, in the current folder too, and the folder that it is importable from."""
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)  # `conformance` is a script: its own folder is on the path, not ours
        importlib.invalidate_caches()
    if not all(part.isidentifier() for part in name.split(".")):
        raise PluginNotFound(f"{name!r} is no module; name MODULE, MODULE:CLASS or path/to/file.py")
    with _importing(name):
        spec = importlib.util.find_spec(name)
    if spec is None:
        hint = f"; for the file, name {name}.py" if Path(f"{name}.py").is_file() else ""
        raise PluginNotFound(f"there is no module {name} on the path or in {here}{hint}")
    depth = name.count(".") + (spec.submodule_search_locations is not None)
    origin = Path(spec.origin) if spec.origin and spec.has_location else None
    folder = str(origin.resolve().parents[depth]) if origin else here
    return _imported(name, folder), folder


def _imported(name: str, folder: str) -> ModuleType:
    """The module, imported with its folder before all others, as in a worker; the folder stays, last."""
    sys.path.insert(0, folder)
    importlib.invalidate_caches()
    try:
        with _importing(name):
            return importlib.import_module(name)
    finally:
        sys.path.remove(folder)
        if folder not in sys.path:
            sys.path.append(folder)


@contextlib.contextmanager
def _importing(name: str) -> Iterator[None]:
    """Whatever a foreign module raises while it is imported becomes a :class:`PluginError`."""
    try:
        yield
    except (Exception, SystemExit) as error:  # noqa: BLE001  # it is foreign code
        if isinstance(error, ModuleNotFoundError) and _is_of(error.name, name):
            raise PluginNotFound(f"there is no module {name}: {error}") from None
        words = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        hint = "; import the framework in __init__, never at the top" * isinstance(error, ImportError)
        raise PluginError(f"importing {name} raises {words}{hint}") from None


def _is_of(missing: str | None, name: str) -> bool:
    """Whether what is missing is the module itself, or a package that it would be in."""
    return missing is not None and (name == missing or name.startswith(f"{missing}."))


def _origin_of(name: str) -> str | None:
    """The file of a top-level module that is loaded, or would be; ``built-in`` where it has none."""
    if name in sys.modules:
        file = getattr(sys.modules[name], "__file__", None)
        return str(Path(file).resolve()) if file else "built-in"
    spec = importlib.util.find_spec(name)
    if spec is None:
        return None
    return str(Path(spec.origin).resolve()) if spec.origin and spec.has_location else "built-in"


def _everywhere() -> Iterator[str]:
    """Folders that are on every worker's own path: named again they would come before the library's."""
    for folder in (*site.getsitepackages(), site.getusersitepackages()):
        yield str(Path(folder).resolve())


# --- taking it in ----------------------------------------------------------------------------------------


def _framework(located: Located, reference: str) -> Framework:
    """The entry among the frameworks. Raises :class:`PluginError` for a class that a run could not use."""
    wrong = problems(located.kind)
    if wrong:
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        raise PluginError(
            f"{located.adapter}: {wrong[0]}{more}; `{commands.line('check-plugin', reference)}` says all"
        )
    kind = located.kind
    install = f"pip install {kind.distribution}"
    return Framework(kind.name, located.adapter, install, search=located.search, optional=True)


def _check_name(framework: Framework, together: list[Framework]) -> None:
    if taken := name_taken(framework.name, framework.adapter, [(f.name, f.adapter) for f in together]):
        raise PluginError(f"{framework.adapter}: {taken}; {ANOTHER_NAME}")


ANOTHER_NAME = "give the class another `name`"
"""What to do about a name that is taken."""


def name_taken(name: object, adapter: str, together: Iterable[tuple[object, str]] = ()) -> str:
    """That a framework, or an adapter ``together`` with it, has the adapter's name, in words; else empty.

    ``together``: names and adapters. What is no text is nobody's name.
    """
    if not isinstance(name, str):
        return ""
    others = [FRAMEWORKS[name].adapter] if name in FRAMEWORKS else []
    others += [of for called, of in together if called == name]
    by = next((other for other in others if other != adapter), "")
    return by and f"the name {name!r} is taken by {by}"


def _described(entry: importlib.metadata.EntryPoint) -> str:
    """``mine = mine.adapter:Mine of mine-dist 1.0``."""
    whose = f" of {entry.dist.name} {entry.dist.version}" if entry.dist else ""
    return f"{entry.name} = {entry.value}{whose}"
