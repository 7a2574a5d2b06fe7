"""docs/SCRIPTS.md is true: its commands run, one after another, and its tables are those of the code."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from tests.support.by_hand import Install
from tests.support.cli import conformance
from tests.support.paths import ROOT
from xent_conformance.commands.base import STATUSES
from xent_conformance.commands.line import FAILED
from xent_conformance.configuration.file import nearest
from xent_conformance.configuration.settings import SETTINGS
from xent_conformance.versions.kept import kinds

PAGE = (ROOT / "docs" / "SCRIPTS.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ ((?:\w+=\S+ )?)conformance ([^#\n]+)", PAGE, re.MULTILINE)


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_its_commands_run_one_after_another(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install(fake="AlwaysNan", numpy="xent_conformance.frameworks.numpy:NumPy")
    monkeypatch.setenv("CONFORMANCE_PROFILE", "quick")
    assert len(COMMANDS) >= 12
    for variable, words in COMMANDS:
        with pytest.MonkeyPatch.context() as there:
            if variable:
                there.setenv(*variable.strip().split("=", 1))
            status = FAILED if words.startswith("gate") else 0
            conformance(*shlex.split(words), status=status)
    assert {"run.parquet", "gate.txt", "causes.json"} <= {p.name for p in Path().iterdir()}


def test_its_table_is_read_and_names_every_setting(tmp_path: Path) -> None:
    (table,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert list(tomllib.loads(table)["tool"]["conformance"]) == list(SETTINGS)
    Path("pyproject.toml").write_text(table, encoding="utf-8")
    found = nearest(tmp_path)
    assert found is not None and set(found.values) == set(SETTINGS)
    for variable in re.findall(r"CONFORMANCE_[A-Z_]+", PAGE):
        assert variable in {s.variable for s in SETTINGS.values()}


def test_its_statuses_and_kinds_are_those_that_there_are() -> None:
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", PAGE, re.MULTILINE)
    assert {int(status): words for status, words in rows} == STATUSES
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE) == list(kinds())


def test_its_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)", PAGE):
        assert (ROOT / "docs" / target).exists()
