"""``conformance check-plugin``: what is wrong with an adapter, one line a problem, with what to do.

From the outside in: can its module be found and imported, without its framework; is the class declared as
it should be; does it start; does it answer plain rows with arrays of the right kind; are they right.
"""

from __future__ import annotations

import difflib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.metadata import packages_distributions

from xent_conformance.asking.inside import made
from xent_conformance.check_plugin import calls as probe
from xent_conformance.check_plugin import values as easy
from xent_conformance.discovery import problems as declaration
from xent_conformance.discovery.framework import FRAMEWORKS
from xent_conformance.discovery.plugins import (
    ANOTHER_NAME,
    Located,
    PluginError,
    PluginNotFound,
    entry_points,
    load_installed,
    locate,
    name_taken,
)
from xent_conformance.discovery.problems import Problem
from xent_conformance.worker.hidden import hidden, without_of

_LIGHT = frozenset({"numpy", "ml_dtypes", "xent_conformance"})
"""What a worker's interpreter has in any case."""

_IMPORTS = """
import json, sys
sys.path[:] = [folder for folder in sys.path if folder]
sys.path[:0] = sys.argv[2:]
import xent_conformance.frameworks.interface, importlib
before = set(sys.modules)
importlib.import_module(sys.argv[1])
print(json.dumps(sorted({name.partition(".")[0] for name in set(sys.modules) - before})))
"""


def check(name: str) -> list[str]:
    """A line for each problem of the framework, the entry point or the module of that name.

    Raises :class:`~xent_conformance.discovery.plugins.PluginNotFound`, with near names, where there is none.
    """
    load_installed()  # its own name is known then; what is broken is found by the entry point's
    try:
        located = _located(name)
    except PluginNotFound as unknown:
        known = [*FRAMEWORKS, *(entry.name for entry in entry_points())]
        # who names a file means no framework
        near = [] if name.endswith(".py") else difflib.get_close_matches(name, known, n=3, cutoff=0.5)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise PluginNotFound(f"{unknown}{hint}") from None
    except PluginError as error:
        return [str(error)]
    several = len(located) > 1
    return [
        f"{one.kind.__name__}: {line}" if several else line
        for one in located
        for line in _lines(_problems(one, located))
    ]


def _located(name: str) -> list[Located]:
    """By the name of a framework, of an entry point, or of a module."""
    if name in FRAMEWORKS:
        return locate(FRAMEWORKS[name].adapter)
    entries = [entry.value for entry in entry_points() if entry.name == name]
    return locate(entries[0] if entries else name)


def _problems(located: Located, together: Sequence[Located]) -> Iterator[probe.About]:
    """All problems, as far as one can look: an adapter that does not start is not asked."""
    declared = declaration.problems(located.kind)
    found = (*declared, *_name_taken(located, together), *_heavy_imports(located))
    yield from (("", problem) for problem in found)
    if declared:
        return
    try:
        with hidden(without_of(located.kind)):  # as in its worker, which it has to start in
            adapter = made(located.kind)
    except ImportError as error:
        package = (error.name or "").partition(".")[0]
        if package in without_of(located.kind):
            yield "", Problem(f"its start imports {package}", "take that out of `without`")
            return
        hint = f"pip install {located.kind.distribution}"
        yield "", Problem(f"its framework is not installed, so nothing was asked ({error})", hint)
        return
    except Exception as error:  # noqa: BLE001  # it is foreign code
        yield "", Problem(f"it does not start: {type(error).__name__}: {error}", "see to its __init__")
        return
    identity = list(probe.identity(adapter))
    yield from (("", problem) for problem in identity)
    if identity:
        return
    wrong = list(probe.calls(adapter))
    yield from wrong
    if not wrong:
        yield from easy.values(located.kind, adapter)


def _name_taken(located: Located, together: Sequence[Located]) -> Iterator[Problem]:
    """Whether another framework, or one of the same module, is called so: a run takes none of two."""
    names = [(getattr(one.kind, "name", ""), one.adapter) for one in together]
    if taken := name_taken(getattr(located.kind, "name", ""), located.adapter, names):
        yield Problem(taken, ANOTHER_NAME)


def _heavy_imports(located: Located) -> Iterator[Problem]:
    """Frameworks that are loaded by importing the module alone, looked at in a fresh interpreter."""
    module = located.adapter.partition(":")[0]
    done = subprocess.run(
        [sys.executable, "-c", _IMPORTS, module, *located.search],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(folder for folder in sys.path if folder)},
        check=False,
    )
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        yield Problem(f"a worker cannot import {module} ({last[0]})", "import nothing that is not installed")
        return
    loaded = set(json.loads(done.stdout.splitlines()[-1])) - {module.partition(".")[0]}
    frameworks = {f.declaration.distribution for f in FRAMEWORKS.values()}
    for name in sorted(loaded & _modules_of(frameworks | {getattr(located.kind, "distribution", "")})):
        yield Problem(
            f"importing {module} imports {name}, which makes every listing slow",
            "import the framework in __init__, never at the top of the file",
        )


def _modules_of(distributions: set[str]) -> set[str]:
    """What frameworks are imported as, which nobody needs in order to list what there is."""
    there = {module for module, of in _distributions().items() if distributions & set(of)}
    return (there | distributions) - _LIGHT


@cache
def _distributions() -> Mapping[str, list[str]]:
    """Which distributions a top-level module comes from."""
    return packages_distributions()


def _lines(found: Iterable[probe.About]) -> list[str]:
    """A line a problem; one that several implementations share is said once."""
    by: dict[Problem, list[str]] = {}
    for name, problem in found:
        by.setdefault(problem, []).append(name)
    return [_line(problem, list(dict.fromkeys(filter(None, names)))) for problem, names in by.items()]


def _line(problem: Problem, names: list[str]) -> str:
    if not names:
        return str(problem)
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"{names[0]}{more}: {problem}"
