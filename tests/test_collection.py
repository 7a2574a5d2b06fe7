"""How the tests are laid out: collected without a framework, helpers in one place, names of no machine."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.imported import framework_names
from tests.support.paths import PLUGINS, ROOT

TESTS = ROOT / "tests"

_WITHOUT = """
import json, sys
from importlib.machinery import PathFinder

absent = set(json.loads(sys.argv[1]))

class Without(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in absent else PathFinder.find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Without
import pytest
sys.exit(pytest.main(sys.argv[2:]))
"""


def without_frameworks(*arguments: str) -> tuple[int, str]:
    """The status and the words of a pytest that no framework is installed for."""
    absent = json.dumps(sorted(framework_names() | {"jaxlib"}))
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT, absent, *arguments, "-p", "no:cacheprovider"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_all_tests_are_collected_without_any_framework() -> None:
    status, said = without_frameworks("--collect-only", "-q", "-n0")
    assert status == 0, re.sub(r"^\S+::.*\n", "", said, flags=re.MULTILINE)[-4000:]
    files = {line.partition("::")[0] for line in said.splitlines() if "::" in line}
    missing = {f.relative_to(ROOT).as_posix() for f in TESTS.rglob("test_*.py")} - files
    browsers = {f"tests/reports/html/{name}.py" for name in ("test_browser", "test_browser_versions")}
    assert missing <= browsers, "they need a browser, and say so"
    assert "conformance/pytesting/test_frameworks.py" in files


def test_an_import_of_a_framework_at_the_top_would_be_seen(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("import torch\n", encoding="utf-8")
    status, said = without_frameworks("--collect-only", "-q", "--rootdir", str(tmp_path), str(tmp_path))
    assert status == pytest.ExitCode.INTERRUPTED and "No module named 'torch'" in said


def test_no_name_of_a_test_tells_where_the_checkout_lies(request: pytest.FixtureRequest) -> None:
    """A name is what a test is called by on another machine, in a log or after ``-k``."""
    folders = (str(ROOT), str(Path.home()), "/tmp/")
    named = [i.nodeid for i in request.session.items if any(f in i.nodeid for f in folders)]
    assert named == []


def test_helpers_are_imported_from_one_place() -> None:
    """By ``tests.support``; a bare name would be whichever module of that name comes first."""
    ours = {f.stem for f in TESTS.rglob("*.py")} | {f.name for f in TESTS.rglob("*/")}
    bare = sorted(ours - {"tests", "__init__"} - sys.stdlib_module_names - framework_names() - {"numpy"})
    wrong = []
    for file in sorted(TESTS.rglob("*.py")):
        if file.parent == PLUGINS:
            continue  # files of strangers, who have no package
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                first, _, rest = name.partition(".")
                if first in bare or (first == "tests" and rest.partition(".")[0] != "support"):
                    wrong.append(f"{file.relative_to(ROOT)}: {name}")
    assert wrong == []


def test_every_folder_of_tests_is_a_package() -> None:
    """Two files of one name in folders that are none would be one module."""
    folders = {f.parent for f in TESTS.rglob("*.py")} - {PLUGINS}
    assert [str(f.relative_to(ROOT)) for f in sorted(folders) if not (f / "__init__.py").exists()] == []
