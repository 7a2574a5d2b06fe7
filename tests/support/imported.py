"""What a fresh interpreter has loaded after an import: of the house, and of others."""

from __future__ import annotations

import ast
import functools
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from tests.support.house import FLOORS, NAME
from tests.support.paths import ROOT
from xent_conformance.discovery.framework import FRAMEWORKS, Framework

WORKER_HAS = frozenset({"numpy", "ml_dtypes"})
"""What a worker's interpreter has in any case."""

_SCRIPT = """
import contextlib, importlib, io, json, pathlib, sys
from importlib.abc import MetaPathFinder
from importlib.util import spec_from_file_location

asked, floors, root = map(json.loads, sys.argv[1:])

class Floors(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        folder = pathlib.Path(root, floors[name]) if name in floors else None
        if folder is not None:
            file = folder / "__init__.py"
            return spec_from_file_location(name, file, submodule_search_locations=[str(folder)])

sys.meta_path.insert(0, Floors())
ours = lambda: [name for name in sys.modules if name.partition(".")[0] in floors]
told = []
for modules, then in asked:
    for name in ours():  # each begins anew; what others have loaded stays
        del sys.modules[name]
    with contextlib.redirect_stdout(io.StringIO()):
        for name in modules:
            importlib.import_module(name)
        exec(then)
    told.append([ours(), sorted({name.partition(".")[0] for name in sys.modules})])
json.dump(told, sys.stdout)
"""


def loaded(*asked: tuple[Sequence[str], str], root: Path = ROOT) -> list[tuple[set[str], set[str]]]:
    """For each ``(modules, then)``, imported and executed in one fresh interpreter: what is loaded.

    Modules of ours by their whole name, those that this entry itself has loaded; and the first names of all
    modules, those of the entries before it too.
    """
    given = [json.dumps(x) for x in (asked, dict(FLOORS), str(root))]
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, *given],
        capture_output=True,
        text=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [(set(ours), set(names)) for ours, names in json.loads(done.stdout)]


@functools.cache
def framework_names() -> frozenset[str]:
    """What the registered frameworks are imported as, by their adapters, and installed as."""
    return frozenset().union(*map(names_of, FRAMEWORKS.values())) - WORKER_HAS


def names_of(framework: Framework) -> frozenset[str]:
    """What one of them is imported as, wherever its adapter's file does it, and installed as."""
    adapter = framework.adapter.partition(":")[0]
    spec = find_spec(adapter)
    assert spec is not None and spec.origin is not None, adapter
    found = _imports(Path(spec.origin)) | {framework.declaration.distribution}
    return frozenset(found - sys.stdlib_module_names - {NAME})


def _imports(file: Path) -> set[str]:
    """First names of what a file imports, at its top or later."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            found.add(node.module.partition(".")[0])
    return found
