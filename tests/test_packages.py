"""What is installed is what there is: every package is in pyproject.toml, and all goes by one name."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest

from tests.support.house import FLOORS, NAME, House
from tests.support.paths import ROOT

TOOL = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]

SETUPTOOLS = TOOL["setuptools"]

OLD = {"conformance", "reference", "cases", "reports"}
"""The folders at the top; none is a module's name."""


def missing(house: House, listed: list[str]) -> list[str]:
    """What to write into, or to take out of, ``packages`` in pyproject.toml."""
    there = {module for module, file in house.modules.items() if file.name == "__init__.py"}
    told = [f'add to packages in pyproject.toml: "{name}",' for name in sorted(there - set(listed))]
    told += [f'take out of packages in pyproject.toml: "{name}",' for name in sorted(set(listed) - there)]
    for module, file in house.modules.items():
        package = module.rpartition(".")[0]
        if file.name != "__init__.py" and package not in there:
            told.append(f"{file.relative_to(house.root).parent} has modules and no __init__.py")
    return sorted(set(told))


def test_every_package_is_listed() -> None:
    assert missing(House(), SETUPTOOLS["packages"]) == []
    assert SETUPTOOLS["packages"] == sorted(SETUPTOOLS["packages"])


def test_what_is_not_listed_is_named(tmp_path: Path) -> None:
    for folder in (*FLOORS.values(), "conformance/new", "reports/bare"):
        (tmp_path / folder).mkdir()
        if folder != "reports/bare":
            (tmp_path / folder / "__init__.py").touch()
    (tmp_path / "reports/bare/module.py").touch()
    assert missing(House(tmp_path), [*FLOORS, f"{NAME}.gone"]) == [
        f'add to packages in pyproject.toml: "{NAME}.new",',
        "reports/bare has modules and no __init__.py",
        f'take out of packages in pyproject.toml: "{NAME}.gone",',
    ]


def packed_data() -> set[Path]:
    """What is installed beside the modules, by the patterns of package-data."""
    return {
        file
        for name, patterns in SETUPTOOLS["package-data"].items()
        for pattern in patterns
        for file in (ROOT / folder_of(name)).glob(pattern)
    }


def test_every_data_file_is_packed() -> None:
    """What lies beside the modules and is none goes along, by a pattern of package-data.

    What is published is read in the repository, and is no part of what is installed.
    """
    there = {
        file
        for folder in FLOORS.values()
        for file in (ROOT / folder).rglob("*")
        if file.is_file() and file.suffix != ".py" and not {"__pycache__", "published"} & set(file.parts)
    }
    assert there - packed_data() == set()


def folder_of(package: str) -> str:
    """Where an installed package lies in the checkout."""
    floor = max((f for f in FLOORS if f"{package}.".startswith(f"{f}.")), key=len)
    return FLOORS[floor] + package.removeprefix(floor).replace(".", "/")


# --- one name ------------------------------------------------------------------------------------------


def imports(text: str, *, strings: bool = True) -> list[tuple[int, str]]:
    """Line and module of each import in a program, and of each program in its strings."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.append((node.lineno, node.module or ""))
        elif strings and isinstance(node, ast.Constant) and isinstance(node.value, str):
            found += [(node.lineno, module) for _, module in _program(node.value)]
    return found


def _program(text: str) -> list[tuple[int, str]]:
    try:
        return imports(text) if "import" in text else []
    except (SyntaxError, ValueError):
        return []  # a sentence, and no program


def test_uv_builds_a_checkout_anew_when_anything_that_is_installed_has_changed() -> None:
    """By default it looks at pyproject.toml alone: after `git pull` the suite of yesterday would answer."""
    watched = {file for key in TOOL["uv"]["cache-keys"] for file in ROOT.glob(key["file"])}
    installed = {*House().modules.values(), *packed_data(), ROOT / "pyproject.toml"}
    assert len(installed) > 200 and installed <= watched


def test_no_module_is_imported_under_an_old_name() -> None:
    """By no program of ours, nor by one that it writes; what tests write may be what is refused."""
    files = [
        (file, folder)
        for folder in (*FLOORS.values(), "tests", "docs", "benchmarks")
        for file in sorted((ROOT / folder).rglob("*.py"))
    ]
    wrong = [
        f"{file.relative_to(ROOT)}:{line}: {module}"
        for file, folder in files
        for line, module in imports(file.read_text(encoding="utf-8"), strings=folder != "tests")
        if module.partition(".")[0] in OLD
    ]
    assert wrong == []
    assert len(files) > 300


ONE_SYSTEM = {"fcntl", "grp", "msvcrt", "pwd", "resource", "termios", "winreg"}
"""Modules that Python has on some systems alone."""


def test_every_module_can_be_imported_on_any_system() -> None:
    for module, file in House().modules.items():
        imported = {name.partition(".")[0] for _, name in imports(file.read_text(encoding="utf-8"))}
        assert imported & ONE_SYSTEM == set(), module


@pytest.mark.parametrize(
    "text", ["import cases", "from reports.run import file", "x = 'import sys\\nimport reference.formats'"]
)
def test_an_old_name_would_be_seen(text: str) -> None:
    assert [module.partition(".")[0] in OLD for _, module in imports(text)].count(True) == 1


def test_an_import_in_a_sentence_is_none() -> None:
    assert imports("x = 'cases import reports'; from . import cases") == []
