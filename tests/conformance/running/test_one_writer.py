"""Of two runs that are to become one file, the second is refused and told who has it."""

from __future__ import annotations

import datetime
import json
import os
import platform
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.by_hand import Install, selection
from tests.support.cli import conformance
from tests.support.paths import ROOT
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.atomic import ABANDONED, journal_of, take_away_left
from xent_conformance.reports.run.file import Run, read_run
from xent_conformance.reports.run.unusable import RunFileError
from xent_conformance.running.engine import run
from xent_conformance.running.keeping import Occupied, alone

pytestmark = pytest.mark.usefixtures("forked")

HOLDS = """
import sys, time
from pathlib import Path
from xent_conformance.running.keeping import alone
with alone(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def _run(out: Path, **options: Any) -> Run:
    return run(selection(), out, oracle=Oracle(), **options)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "run.parquet"


@pytest.fixture
def holder(out: Path) -> Any:
    """Another process that writes ``out``."""
    held = subprocess.Popen([sys.executable, "-c", HOLDS, out], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert held.stdout is not None and held.stdout.readline() == "held\n"
    yield held
    held.kill()
    held.wait()
    held.stdout.close()


@pytest.mark.parametrize("options", [{}, {"resume": True}, {"resume": None}, {"force": True}], ids=str)
def test_a_second_run_is_refused_and_told_who_writes(
    options: dict[str, Any], install: Install, out: Path, holder: subprocess.Popen[str]
) -> None:
    install(fake="Exact")
    for _ in range(2):  # and the first who was refused has not spoilt what is told
        with pytest.raises(Occupied) as refused:
            _run(out, **options)
        told = str(refused.value)
        assert f"is being written by process {holder.pid} on {platform.node()} since " in told
        since = datetime.datetime.fromisoformat(told.partition(" since ")[2].partition(": ")[0])
        assert abs((datetime.datetime.now(datetime.UTC) - since).total_seconds()) < 60
    assert not out.exists() and not journal_of(out).exists(), "nothing was begun"


def test_the_command_says_so(install: Install, out: Path, holder: subprocess.Popen[str]) -> None:
    install(fake="Exact")
    done = conformance("run", "--profile", "quick", "--family", "two_classes", "-o", out, status=2)
    assert f"process {holder.pid} on " in " ".join(done.output.split())


def test_the_lock_goes_with_its_holder(install: Install, out: Path, holder: subprocess.Popen[str]) -> None:
    """Killed, so that it takes nothing away itself."""
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    install(fake="Exact")
    assert out.with_name("run.parquet.lock").exists()
    assert _run(out).complete
    assert [path.name for path in out.parent.iterdir()] == ["run.parquet"]


def test_another_file_has_another_lock(install: Install, out: Path, holder: subprocess.Popen[str]) -> None:
    install(fake="Exact")
    assert _run(out.with_name("other.parquet")).complete


def test_many_who_start_at_a_time_are_one_after_the_other(out: Path) -> None:
    """Each that has it writes its number, waits, and finds its number: two at a time would not."""
    code = """
import os, sys, time
from pathlib import Path
from xent_conformance.running.keeping import Occupied, alone
out, had, end = Path(sys.argv[1]), 0, time.monotonic() + 3
while time.monotonic() < end:
    try:
        with alone(out):
            out.write_text(str(os.getpid()))
            time.sleep(0.002)
            assert out.read_text() == str(os.getpid())
            had += 1
    except Occupied:
        time.sleep(0.001)
print(had)
"""
    four = [
        subprocess.Popen([sys.executable, "-c", code, out], stdout=subprocess.PIPE, text=True, cwd=ROOT)
        for _ in range(4)
    ]
    had = [int(each.communicate(timeout=60)[0]) for each in four]
    assert all(each.returncode == 0 for each in four) and sum(had) > 20


def test_a_holder_that_does_not_say_who_it_is(out: Path) -> None:
    with alone(out):
        out.with_name("run.parquet.lock").write_text("{", "utf-8")
        with (
            pytest.raises(Occupied, match="by another process, which does not say which: wait until"),
            alone(out),
        ):
            pass


def test_the_lock_says_who(out: Path) -> None:
    with alone(out):
        told = json.loads(out.with_name("run.parquet.lock").read_text("utf-8"))
        assert told["pid"] == os.getpid() and told["host"] == platform.node()


def test_a_journal_that_two_have_written_is_refused(install: Install, out: Path) -> None:
    """Of before the lock: each had asked everything, and the table had everything twice."""
    install(fake="Exact")

    class Interrupted(Exception):
        pass

    def stop(_: str, done: int, planned: int) -> None:
        if done == 2:
            raise Interrupted

    with pytest.raises(Interrupted):
        _run(out, progress=stop)
    (part,) = journal_of(out).glob("part-*.parquet")
    (journal_of(out) / part.name.replace("part-00000", "part-00001")).write_bytes(part.read_bytes())
    with pytest.raises(RunFileError, match="as a part before it does: no run writes that; delete that file"):
        _run(out, resume=True)
    (journal_of(out) / part.name.replace("part-00000", "part-00001")).unlink()
    result = _run(out, resume=True)
    assert read_run(out).verdicts.height == result.verdicts.height


KILLED = """
import os, signal, sys
from pathlib import Path
from xent_conformance.reports.atomic import replacing
with replacing(Path(sys.argv[1])) as temporary:
    temporary.write_text("half of it")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def _hidden(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.name.startswith(".")}


def test_what_a_killed_run_has_left_half_written_goes_with_the_next(
    install: Install, out: Path, holder: subprocess.Popen[str]
) -> None:
    """Not before it is certain that nobody writes it; and what has another name, or is no file, stays."""
    killed = subprocess.run([sys.executable, "-c", KILLED, out], check=False, cwd=ROOT)
    assert killed.returncode == -signal.SIGKILL
    (left,) = _hidden(out.parent)
    others = {left.replace("run", "ran"), f"{left}0", left[:-1], left.replace(".parquet", "xparquet")}
    for name in others:
        (out.parent / name).touch()
    folder, link = f".run.parquet.{0:08x}", f".run.parquet.{1:08x}"
    (out.parent / folder).mkdir()
    (out.parent / link).symlink_to(out.parent / left[:-1])
    others |= {folder, link}
    install(fake="Exact")
    with pytest.raises(Occupied):
        _run(out)
    assert _hidden(out.parent) == {left, *others}
    holder.kill()
    holder.wait()
    assert _run(out).complete
    assert _hidden(out.parent) == {left, *others}, "somebody may write it still, by a link to it"
    for name in _hidden(out.parent):
        os.utime(out.parent / name, (0, time.time() - ABANDONED - 60), follow_symlinks=False)
    assert _run(out, force=True).complete and _hidden(out.parent) == others


def test_what_does_not_go_keeps_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else's, or gone since it was listed: whichever is looked at first."""
    out = tmp_path / "run.parquet"
    left = [tmp_path / f".run.parquet.{i:08x}" for i in range(4)]
    for path in left:
        path.touch()
        os.utime(path, (0, time.time() - ABANDONED - 60))
    asked: list[Path] = []
    unlink = Path.unlink

    def first_stays(self: Path, missing_ok: bool = False) -> None:
        asked.append(self)
        if len(asked) == 1:
            raise PermissionError(self)
        unlink(self, missing_ok)

    monkeypatch.setattr(Path, "unlink", first_stays)
    take_away_left(out)
    assert sorted(asked) == left and [path for path in left if path.exists()] == asked[:1]
