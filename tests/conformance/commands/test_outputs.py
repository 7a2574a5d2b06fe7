"""What is no place for a file is said before anything is asked, and what is another's stays."""

from __future__ import annotations

import errno
import os
import re
import threading
from pathlib import Path

import pytest

from tests.support.by_hand import Install
from tests.support.cli import conformance
from tests.support.small_run import run_of, verdict
from tests.support.upgrading import PLUGIN
from xent_conformance.commands.line import EVIDENCE, USAGE
from xent_conformance.reports import atomic
from xent_conformance.reports.atomic import replacing, write_text
from xent_conformance.reports.run.file import write_run

SMALL = ["--profile", "quick", "--dtype", "float32", "--operator", "softmax", "--family", "two_classes"]


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def made() -> Path:
    """A run file without a framework."""
    path = Path("made.parquet")
    write_run(path, run_of([verdict(status="breaks_must")]))
    return path


@pytest.mark.parametrize(
    "words",
    [
        ["run", *SMALL, "-o", "there"],
        ["run", *SMALL, "--force", "-o", "there"],
        ["report", "made.parquet", "-o", "there"],
        ["gate", "made.parquet", "--json", "there", "--force"],
        ["waive", "made.parquet", "-o", "there"],
        ["list", "operators", "-o", "there"],
    ],
    ids=lambda words: " ".join(w for w in words if w not in SMALL),
)
def test_a_folder_is_no_file(words: list[str], made: Path, install: Install) -> None:
    """Said before a framework is started: this one would end the test."""
    install(fake="Hangs")
    Path("there").mkdir()
    result = conformance(*words, status=None)
    assert result.exit_code in (USAGE, EVIDENCE), result.output
    assert "there" in result.stderr and "Traceback" not in result.output
    assert list(Path("there").iterdir()) == []


PINS = ["fakeframe==1.0", "fakeframe==2.0", "--plugin", PLUGIN]


@pytest.mark.parametrize("where", ["afile", "afile/below", "/proc/no-such-place", "closed"])
@pytest.mark.parametrize(
    "words",
    [
        ["fake", "-o", "{}"],
        ["run", *SMALL, "-o", "{}/run.parquet"],
        ["sweep", "--implementation", "fake.softmax", "-o", "{}/sweep.json"],
        ["upgrade", *PINS, "-o", "{}"],
        ["upgrade", *PINS, "--html", "{}/page.html"],
        ["matrix", *PINS, "-o", "{}"],
        ["adopt", "made.parquet", "-o", "{}"],
    ],
    ids=lambda words: " ".join(w for w in words if w not in (*SMALL, *PINS)),
)
def test_where_nothing_can_be_written_nobody_is_asked(
    where: str, words: list[str], made: Path, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This framework would end the test, and a version would be installed."""
    if where.startswith("/proc") and not Path("/proc/self").exists():
        pytest.skip("no such file system")
    install(fake="Hangs")
    Path("afile").touch()
    if where == "closed":  # whatever the rights of who runs this are
        where = "closed"
        Path(where).mkdir()
        monkeypatch.setattr(atomic.tempfile, "TemporaryFile", _closed)
    said = conformance(*(word.format(where) for word in words), status=EVIDENCE).stderr
    folder = "/proc" if where.startswith("/proc") else where.partition("/")[0]
    assert f"no file can be made in {folder} (" in said and "name another place" in said, said
    assert {p.name for p in Path().iterdir()} <= {"afile", "made.parquet", "closed", "cache", "upgrade"}


def _closed(dir: Path) -> None:
    raise PermissionError(errno.EACCES, "Permission denied", str(dir))


def test_what_writes_nothing_needs_no_place(install: Install) -> None:
    """And what was tried leaves nothing."""
    install(fake="Exact")
    Path("afile").touch()
    for words in (["fake", *SMALL, "-o", "afile"], ["run", *SMALL, "-o", "afile/run.parquet"]):
        assert "nothing was asked" in conformance(*words, "--dry-run").stdout
    atomic.check_place(Path("new/there/run.parquet"))
    assert not Path("new").exists()


@pytest.mark.parametrize("force", [[], ["--force"]])
def test_a_folder_that_is_called_like_a_journal_stays(force: list[str], install: Install) -> None:
    install(fake="Exact")
    folder = Path("run.parquet.partial")
    folder.mkdir()
    (folder / "thesis.tex").write_text("years of work")
    result = conformance("run", *SMALL, *force, status=USAGE)
    told = " ".join(result.stderr.split())
    assert f"{folder} is no journal of a run (thesis.tex is in it), and stays as it is: move it away" in told
    assert (folder / "thesis.tex").read_text() == "years of work"
    assert [p.name for p in folder.iterdir()] == ["thesis.tex"]


def test_a_link_that_is_called_like_a_journal_is_not_followed(install: Install) -> None:
    install(fake="Exact")
    there = Path("there")
    there.mkdir()
    (there / "ended").touch()
    Path("run.parquet.partial").symlink_to(there, target_is_directory=True)
    conformance("run", *SMALL, "--force", status=USAGE)
    assert [p.name for p in there.iterdir()] == ["ended"]


def test_an_empty_run_file_is_called_empty() -> None:
    Path("empty.parquet").touch()
    told = conformance("gate", "empty.parquet", status=EVIDENCE).stderr
    assert "empty.parquet: empty: " in told and "run again, or name another file" in told
    assert "torn" not in told and "mmap" not in told


# --- how files are written ---


@pytest.mark.skipif(os.name == "nt", reason="the system has no such masks")
@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o027, 0o640), (0o077, 0o600)])
def test_who_may_read_a_file_is_as_the_umask_says(mask: int, mode: int) -> None:
    before = os.umask(mask)
    try:
        write_text(Path("page.html"), "for some")
    finally:
        os.umask(before)
    assert Path("page.html").stat().st_mode & 0o777 == mode


def test_what_is_written_lasts_before_what_it_replaces_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a power cut leaves an empty file where there was a run."""
    path, order = Path("run.parquet"), []
    path.write_text("before")
    sync, replace = os.fsync, Path.replace

    def synced(handle: int) -> None:
        order.append(f"synced, {path.read_text()} is there")
        sync(handle)

    def replaced(self: Path, target: Path) -> Path:
        order.append("replaced")
        return replace(self, target)

    monkeypatch.setattr(atomic.os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", replaced)
    with replacing(path) as temporary:
        temporary.write_text("after")
    assert order[:2] == ["synced, before is there", "replaced"]
    assert order[2:] in ([], ["synced, after is there"])  # of the folder, where the system can


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a system without pipes that have a name")
def test_what_is_no_file_is_written_to_and_stays_what_it_is(made: Path) -> None:
    """A pipe stands for ``/dev/null`` too, which root could replace by a file for everybody."""
    os.mkfifo("pipe")
    heard: list[str] = []
    reader = threading.Thread(target=lambda: heard.append(Path("pipe").read_text(encoding="utf-8")))
    reader.start()
    conformance("gate", made, "--junit", "pipe", status=1)
    reader.join(10)
    assert Path("pipe").is_fifo() and "<testsuites" in heard[0]
    assert {path.name for path in Path.cwd().iterdir()} <= {"pipe", "made.parquet", "cache"}


def test_a_link_stays_and_what_it_leads_to_is_replaced(made: Path) -> None:
    Path("kept").mkdir()
    write_text(Path("kept/page.html"), "")
    Path("link.html").symlink_to("kept/page.html")
    conformance("report", made, "-o", "link.html")
    assert Path("link.html").is_symlink() and "<title>" in Path("kept/page.html").read_text(encoding="utf-8")


def test_what_cannot_be_renamed_is_named_as_it_was_wanted(tmp_path: Path) -> None:
    """And nothing else is: not what it was called meanwhile, and not the place of that."""
    path = tmp_path / "run.parquet"
    path.mkdir()
    with pytest.raises(OSError, match=f"'{re.escape(str(path))}'$"), replacing(path) as temporary:
        temporary.write_text("whole")
    assert [p.name for p in tmp_path.iterdir()] == ["run.parquet"]
