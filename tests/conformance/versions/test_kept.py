"""What is kept: told with its size, taken away where it is ours and nobody's at the moment."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from tests.support.by_hand import batch
from tests.support.upgrading import fake_uv, framework
from xent_conformance.cases.digest import batches_entry
from xent_conformance.diagnosis.where import sayings_of
from xent_conformance.judging.remembered import of_yardsticks, yardsticks_folder
from xent_conformance.reference.cache import default_cache
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reference.sources import of_truths
from xent_conformance.reports.atomic import ABANDONED
from xent_conformance.versions import cleaning, kept
from xent_conformance.versions.cleaning import DAY, clean
from xent_conformance.versions.environments import RECORD, environment_for
from xent_conformance.versions.kept import Kind, kinds
from xent_conformance.worker.compiled import RECORD as RECORD_OF_COMPILED


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder with the truths of one batch and an environment, made by those that make them."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    framework(tmp_path, "1.0")
    monkeypatch.setenv("PATH", str(fake_uv(tmp_path)), prepend=os.pathsep)
    Oracle(default_cache()).truth(batch("softmax", [[1.0, 2.0]]).inputs)
    environment_for(["fakeframe==1.0"], say=lambda _: None)
    return tmp_path / "cache" / "xent-conformance"


def _kind(name: str) -> Kind:
    return kinds()[name]


def _home(cache: Path) -> Path:
    (home,) = (p for p in (cache / "environments").iterdir() if p.is_dir())
    return home


def test_what_is_there_and_how_large(cache: Path) -> None:
    (truths,) = _kind("reference").found()
    assert truths.path == cache / "reference" / of_truths()
    assert truths.about == "1 batches, of this version of the reference"
    assert 0 < truths.size < 1_000_000 and abs(truths.used - time.time()) < 600
    (environment,) = _kind("environments").found()
    assert environment.about.startswith("fakeframe==1.0, ml-dtypes") and environment.size > 0
    assert all(kind.foreign() == [] for kind in kinds().values())
    assert _kind("lent").found() == _kind("bytecode").found() == []


def test_it_is_taken_away_and_made_again(cache: Path) -> None:
    for name in ("reference", "environments"):
        done = clean(_kind(name))
        assert len(done.gone) == 1 and done.freed > 0 and done.left == ()
        assert _kind(name).found() == []
    oracle = Oracle(default_cache())
    oracle.truth(batch("softmax", [[1.0, 2.0]]).inputs)
    assert (oracle.computed, oracle.remembered) == (1, 0)
    assert environment_for(["fakeframe==1.0"], say=lambda _: None).is_file()


def test_truths_of_another_version_are_told_apart(cache: Path) -> None:
    old = cache / "reference" / "0123456789abcdef"
    old.mkdir()
    (old / "ab.truth").write_bytes(b"")
    assert {e.about for e in _kind("reference").found()} == {
        "1 batches, of another version",
        "1 batches, of this version of the reference",
    }


def test_what_was_said_is_told_by_the_source_that_says_it(cache: Path) -> None:
    for path, about in (
        (sayings_of({"instrument": "this"}), "1 kind of runs, of this version of the suite"),
        (cache / "diagnosis" / ("f" * 16) / "ab.sayings", "1 kind of runs, of another version"),
    ):
        path.parent.mkdir(parents=True)
        path.touch()
        assert about in {e.about for e in _kind("diagnosis").found()}
    assert len(clean(_kind("diagnosis")).gone) == 2


@pytest.mark.parametrize("kind", ["corpus", "yardsticks"])
def test_the_corpus_and_what_measures_it_are_told_by_what_decides_them(kind: str, cache: Path) -> None:
    """A profile is one, however many files it has."""
    mine, names = {
        "corpus": (batches_entry("quick").parent, ["quick.digest", "quick.batches"]),
        "yardsticks": (yardsticks_folder() / of_yardsticks(), ["quick.yardsticks"]),
    }[kind]
    for folder, about in ((mine, "1 profile, of this version"), (mine.with_name("f" * 16), "of another")):
        folder.mkdir(parents=True)
        for name in names:
            (folder / name).touch()
        assert any(about in e.about for e in _kind(kind).found())
    assert len(clean(_kind(kind)).gone) == 2


def test_what_is_not_ours_stays(cache: Path, tmp_path: Path) -> None:
    """Folders that another put there, ours with somebody's file in them, and whatever a link leads to."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").touch()
    foreign = {
        "reference": ["notes", "fedcba9876543210"],
        "environments": ["notes", "0" * 24],
        "lent": ["numpy", "file"],
        "bytecode": ["home"],
    }
    for name, folders in foreign.items():
        for folder in folders:
            (cache / name / folder).mkdir(parents=True)
            (cache / name / folder / "mine.txt").touch()
        (cache / name / "f").symlink_to(elsewhere, target_is_directory=True)
    (cache / "environments" / ("1" * 24)).symlink_to(elsewhere, target_is_directory=True)
    (cache / "reference" / ("a" * 16)).symlink_to(elsewhere, target_is_directory=True)
    for name, folders in foreign.items():
        kind = _kind(name)
        told = {path.name for path in kind.foreign()}
        assert {*folders, "f"} <= told
        clean(kind)
        assert all((cache / name / folder / "mine.txt").is_file() for folder in folders)
        assert (cache / name / "f").is_symlink()
    assert (elsewhere / "precious").is_file()


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("reference", "ab.truth"),
        ("corpus", "quick.batches"),
        ("yardsticks", "quick.yardsticks"),
        ("diagnosis", "ab.sayings"),
    ],
)
def test_what_lies_where_a_file_of_ours_belongs_is_told_and_stays(kind: str, name: str, cache: Path) -> None:
    """A folder there is in the way for ever; what else is there is ours all the same."""
    state = cache / kind / ("f" * 16)
    way, beside, ours = state / name, state / "tmp0", state / name.replace(".", "0.")
    for folder in (way, beside):
        folder.mkdir(parents=True)
        (folder / "mine.txt").touch()
    ours.write_bytes(b"\0" * 4096)
    (entry,) = (e for e in _kind(kind).found() if e.path == state)
    assert entry.files == (ours,) and 0 < entry.size <= 8192
    assert _kind(kind).foreign() == [way, beside] and _kind(kind).in_the_way() == [way]
    assert entry in clean(_kind(kind)).gone
    assert not ours.exists() and (way / "mine.txt").is_file() and (beside / "mine.txt").is_file()
    assert _kind(kind).found() == [] and _kind(kind).foreign() == [way, beside]


def test_what_is_being_written_is_left_and_told_by_nobody(cache: Path) -> None:
    """Who cleans beside a run would have it keep nothing more; what was never finished is ours later."""
    state = cache / "reference" / ("e" * 16)
    state.mkdir()
    torn = state / "tmpk3xq_1v9"
    torn.write_bytes(b"\0")
    assert torn not in _kind("reference").foreign()
    done = clean(_kind("reference"))
    assert torn.is_file() and state not in [entry.path for entry in done.gone], "what stays is not told gone"
    os.utime(torn, (0, time.time() - ABANDONED - 60))
    clean(_kind("reference"))
    assert not state.exists()


def test_what_is_gone_since_it_was_listed_is_no_error(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = cache / "reference" / ("e" * 16)
    state.mkdir()
    (state / "ab.truth").write_bytes(b"\0" * 4096)
    listed = kept._states

    def gone(folder: Path, ours: re.Pattern[str]) -> Iterator[kept._State]:
        for found in listed(folder, ours):
            for file in found.files:
                file.unlink(missing_ok=True)
            yield found

    monkeypatch.setattr(kept, "_states", gone)
    (entry,) = (e for e in _kind("reference").found() if e.path == state)
    assert entry.size == 0


@pytest.mark.parametrize("all_of_it", [True, False])
@pytest.mark.parametrize("name", kinds())
def test_what_another_takes_away_meanwhile_is_no_error(
    name: str, all_of_it: bool, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder of a kind, or one in it, goes between two looks at it."""
    kind = _kind(name)
    words = {"environments": "2" * 24, "lent": "torch-0123456789abcdef", "bytecode": "home"}
    state = kind.folder / words.get(name, "jax-1.0-0123456789abcdef" if name == "compiled" else "e" * 16)
    going, is_dir = kind.folder if all_of_it else state, Path.is_dir

    def and_gone(path: Path) -> bool:
        there = is_dir(path)
        if path == going:
            shutil.rmtree(going, ignore_errors=True)
        return there

    monkeypatch.setattr(Path, "is_dir", and_gone)
    for look in (kind.found, kind.foreign, lambda: clean(kind)):
        state.mkdir(parents=True, exist_ok=True)
        look()
        assert not state.exists()


@pytest.mark.parametrize("name", ["reference", "environments"])
def test_what_another_has_taken_away_is_gone(name: str, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (entry,) = _kind(name).found()
    monkeypatch.setattr(cleaning, "_user", lambda folder: shutil.rmtree(folder) or 0)
    done = clean(_kind(name))
    assert (done.gone, done.left) == ((entry,), ())


def test_a_link_where_a_file_of_ours_belongs_is_not_ours(cache: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("here")
    way = cache / "reference" / of_truths() / "ab.truth"
    way.symlink_to(precious)
    assert _kind("reference").foreign() == [way]
    assert _kind("reference").in_the_way() == [], "what it leads to is read, or it is replaced"
    assert len(clean(_kind("reference")).gone) == 1
    assert way.is_symlink() and precious.read_text() == "here"


def test_a_folder_of_ours_that_is_a_link_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    there = tmp_path / "there" / ("0" * 16)
    there.mkdir(parents=True)
    (there / "x.truth").touch()
    (tmp_path / "cache" / "xent-conformance").mkdir(parents=True)
    (tmp_path / "cache" / "xent-conformance" / "reference").symlink_to(there.parent, target_is_directory=True)
    assert _kind("reference").found() == [] and clean(_kind("reference")).gone == ()
    assert (there / "x.truth").is_file()


def test_older_than(cache: Path) -> None:
    home = _home(cache)
    old = time.time() - 40 * DAY
    os.utime(home / RECORD, (old, old))
    assert clean(_kind("environments"), older_than=41).gone == ()
    environment_for(["fakeframe==1.0"], say=lambda _: None)  # used again: it is not old any more
    assert clean(_kind("environments"), older_than=30).gone == ()
    os.utime(home / RECORD, (old, old))
    (gone,) = clean(_kind("environments"), older_than=30).gone
    assert gone.path == home and not home.exists()


def test_what_is_being_made_is_left(cache: Path) -> None:
    home = _home(cache)
    with FileLock(home.with_name(f"{home.name}.lock")):
        done = clean(_kind("environments"))
    assert [(e.path, why) for e, why in done.left] == [(home, "another process is making it")]
    assert home.is_dir()
    assert len(clean(_kind("environments")).gone) == 1


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="which processes there are is read from /proc")
@pytest.mark.parametrize("name", ["environments", "lent"])
def test_what_is_used_is_left(name: str, cache: Path) -> None:
    """A program of an environment; and what is lent stands beside others in one word, as a worker has it."""
    program, folders = sys.executable, ""
    if name == "environments":
        there = _home(cache) / "bin" / "sleeping"
        there.symlink_to(sys.executable)
        program = str(there)
    else:
        lent = [cache / "lent" / f"{package}-1.0-0123456789abcdef" for package in ("ml_dtypes", "numpy")]
        (lent[1] / "numpy").mkdir(parents=True)
        folders = os.pathsep.join(map(str, lent))
    # it says that it runs: for a moment after its start, the system lists no words of a process
    code = "import sys; print(flush=True); sys.stdin.read()"
    words = [program, "-c", code, folders]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as user:
        try:
            assert user.stdout is not None and user.stdout.readline()
            done = clean(_kind(name))
            assert [why for _, why in done.left] == [f"process {user.pid} uses it"] and done.gone == ()
        finally:
            user.kill()
    assert len(clean(_kind(name)).gone) == 1


FOLDERS = {
    "environments": "2" * 24,
    "lent": "torch-0123456789abcdef",
    "bytecode": "home",
    "compiled": "jax-1.0-0123456789abcdef",
}


@pytest.mark.parametrize("name", FOLDERS)
def test_what_an_interruption_has_left_half_gone_is_taken_away(name: str, cache: Path) -> None:
    """Also beside one that was made anew meanwhile."""
    kind = _kind(name)
    clean(kind)
    going = kind.folder / f"{FOLDERS[name]}.going"
    for there in (going, going.with_suffix("")):
        (there / "lib").mkdir(parents=True)
        (there / "lib" / "module.pyc").touch()
        for mark in ("pyvenv.cfg",) if name == "environments" else ():
            (there / mark).touch()
        if name == "compiled":
            told = {"framework": "jax", "version": "1.0"}
            (there / RECORD_OF_COMPILED).write_text(json.dumps(told), encoding="utf-8")
    assert len(kind.found()) == 2 and kind.foreign() == []
    done = clean(kind)
    assert len(done.gone) == 2 and done.left == () and not any(kind.folder.glob("*[!k]"))


def test_what_another_takes_away_at_the_same_time_is_taken_away_whole(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, rmtree = _home(cache), shutil.rmtree

    def beside(folder: Path) -> None:
        """The other was faster with one file, and is gone."""
        monkeypatch.setattr(shutil, "rmtree", rmtree)
        (folder / RECORD).unlink()
        raise FileNotFoundError(RECORD)

    monkeypatch.setattr(shutil, "rmtree", beside)
    done = clean(_kind("environments"))
    assert [e.path for e in done.gone] == [home] and not list(home.parent.glob(f"{home.name}*.going"))


def test_what_is_read_is_used(cache: Path) -> None:
    (entry,) = _kind("reference").found()
    old = time.time() - 40 * DAY
    for path in (*entry.files, entry.path):
        os.utime(path, (old, old))
    assert [e.used for e in _kind("reference").found()] == [old]
    Oracle(default_cache()).truth(batch("softmax", [[1.0, 2.0]]).inputs)
    assert clean(_kind("reference"), older_than=30).gone == ()


def test_what_was_never_finished_is_ours_too(cache: Path) -> None:
    home = cache / "environments" / ("a" * 24)
    (home / "lib").mkdir(parents=True)
    (home / "pyvenv.cfg").touch()
    assert "never finished" in {e.about for e in _kind("environments").found()}
    clean(_kind("environments"))
    assert not home.exists()
