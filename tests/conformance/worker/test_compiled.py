"""Where a framework may keep what it compiles: a folder for each version, setting and machine."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from xent_conformance.asking.process import compiled_folder
from xent_conformance.reference.kept import own_folder
from xent_conformance.versions.cleaning import clean
from xent_conformance.versions.kept import kinds
from xent_conformance.worker import compiled
from xent_conformance.worker.compiled import RECORD, ROOT, USER, depends, keep_compiled, let_go, name_of


class _Keeps:
    name = "keeps"

    def __init__(self) -> None:
        self.told: list[str] = []

    def keep_compiled(self, folder: str) -> None:
        self.told.append(folder)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv(ROOT, str(compiled_folder()))
    return compiled_folder()


def _kept(version: str = "1.0") -> Path:
    adapter: Any = _Keeps()
    keep_compiled(adapter, version)
    (folder,) = adapter.told
    return Path(folder)


def test_it_is_told_where_and_the_folder_says_what_it_is(root: Path) -> None:
    folder = _kept()
    assert folder.parent == root and folder.name.startswith("keeps-1.0-")
    told = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    assert told == {"framework": "keeps", "version": "1.0"} | json.loads(json.dumps(depends()))
    assert _kept() == folder


def test_another_version_setting_or_machine_has_another(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [_kept(), _kept("1.1")]
    for name in ("XLA_FLAGS", "OMP_NUM_THREADS", "CXXFLAGS", "CONFORMANCE_THREADS"):
        monkeypatch.setenv(name, "something")
        found.append(_kept())
    monkeypatch.setattr(compiled, "flags", lambda: frozenset({"avx"}))
    found.append(_kept())
    monkeypatch.setattr(compiled, "processor", lambda: "another")
    found.append(_kept())
    monkeypatch.setattr(compiled, "cores", lambda: 99)
    found.append(_kept())
    monkeypatch.setitem(__import__("sys").modules, "theirs", SimpleNamespace(__version__="3"))
    found.append(_kept())
    monkeypatch.setattr(compiled, "ACCELERATORS", ("version",))
    found.append(_kept())
    assert len(set(found)) == len(found) == 11
    monkeypatch.setenv("HOME_OF_OTHERS", "something")
    assert _kept() == found[-1]


def test_a_name_is_that_of_a_folder() -> None:
    assert "/" not in name_of({"framework": "a/../b", "version": "1 0"})


def test_nothing_is_told_where_nothing_is_to_be_kept(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeps: Any = _Keeps()
    other: Any = SimpleNamespace(name="other")
    keep_compiled(other, "1.0")
    monkeypatch.setenv(ROOT, "")
    keep_compiled(keeps, "1.0")
    (tmp_path / "file").touch()
    monkeypatch.setenv(ROOT, str(tmp_path / "file"))
    keep_compiled(keeps, "1.0")
    assert keeps.told == [] and not root.exists()


def test_what_is_in_use_is_not_taken_away(root: Path) -> None:
    folder, kind = _kept(), kinds()["compiled"]
    (entry,) = kind.found()
    assert entry.path == folder and entry.about.startswith("keeps 1.0, ")
    done = clean(kind)
    assert not done.gone and done.left[0][1] == f"process {os.getpid()} uses it"
    (folder / f"{2**22 + 1}{USER}").touch()  # one that has ended, and could not say so
    let_go()
    assert [e.path for e in clean(kind).gone] == [folder]
    assert not folder.exists()


def test_what_is_not_ours_is_left(root: Path) -> None:
    for name in ("jax-1.0-" + "0" * 16, "mine"):
        (root / name).mkdir(parents=True)
    kind = kinds()["compiled"]
    assert not kind.found() and len(kind.foreign()) == 2


def test_who_has_no_home_keeps_it_beside_all_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: "no/home")
    assert compiled_folder().parent == own_folder() and compiled_folder().is_absolute()
