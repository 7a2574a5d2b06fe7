"""What the system says of memory, read from files as Linux writes them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from xent_conformance.running import room


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    there = tmp_path / "proc"
    (there / "self").mkdir(parents=True)
    (there / "meminfo").write_text("MemTotal: 9000 kB\nMemAvailable:    4000 kB\n")
    (there / "self" / "cgroup").write_text("")
    return there


@pytest.fixture
def groups(tmp_path: Path) -> Path:
    return tmp_path / "cgroup"


def _write(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)


def test_the_machine_says_what_is_available(proc: Path, groups: Path) -> None:
    assert room.available(proc, groups) == 4000 * 1024


def test_a_container_of_less_counts(proc: Path, groups: Path) -> None:
    (proc / "self" / "cgroup").write_text("0::/user/job\n")
    _write(groups / "user" / "job", memory__max="max\n", memory__current="5\n", memory__stat="")
    _write(
        groups / "user",
        memory__max="3000000\n",
        memory__current="2500000\n",
        memory__stat="anon 7\ninactive_file 100000\n",
    )
    assert room.available(proc, groups) == 600_000, "what can be read again is free"


def test_a_container_sees_its_group_at_the_top(proc: Path, groups: Path) -> None:
    (proc / "self" / "cgroup").write_text("0::/not/mounted/here\n")
    _write(groups, memory__max="1000000\n", memory__current="400000\n", memory__stat="")
    assert room.available(proc, groups) == 600_000


def test_groups_of_the_first_kind(proc: Path, groups: Path) -> None:
    (proc / "self" / "cgroup").write_text("3:cpu:/\n4:memory:/box\n")
    _write(
        groups / "memory" / "box",
        memory__limit_in_bytes="2000000\n",
        memory__usage_in_bytes="2500000\n",
        memory__stat="total_inactive_file 0\n",
    )
    assert room.available(proc, groups) == 0


def test_where_nobody_says(tmp_path: Path) -> None:
    assert room.available(tmp_path / "none", tmp_path / "none") is None
    assert room.held(1, tmp_path / "none") is None


def test_what_a_group_holds(proc: Path) -> None:
    page = os.sysconf("SC_PAGE_SIZE")
    for pid, group, pages in ((10, 10, 3), (11, 10, 4), (12, 12, 50)):
        _write(proc / str(pid), stat=f"{pid} (a (b) c) S 1 {group} " + "0 " * 18 + f"{pages} 0\n")
    _write(proc / "13", stat="torn")
    assert room.held(10, proc) == 7 * page
    assert room.held(99, proc) is None
