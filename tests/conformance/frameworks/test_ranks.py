"""Ranks over gloo: each has its call, what fails alone takes nobody along, and none outlives who asks."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from xent_conformance.frameworks import ranks
from xent_conformance.frameworks.ranks import Crew, RankLost

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning"),
    # JAX, which another test may have imported here, has threads; a rank does not use it
    pytest.mark.filterwarnings("ignore:os.fork.. was called:RuntimeWarning"),
    pytest.mark.usefixtures("torch_there"),
]


@pytest.fixture
def torch_there() -> None:
    pytest.importorskip("torch")


class Unsendable(Exception):
    """It has words, and is made of something else."""

    def __init__(self, what: object) -> None:
        super().__init__("words")
        self.what = lambda: what


def act(call: tuple[str, float]) -> Any:
    """What a rank is asked: a sum over all of them, or to misbehave before it."""
    what, number = call
    if what == "raise":
        raise ValueError(f"of {number}")
    if what == "unsendable":
        raise Unsendable(number)
    if what == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "pid":
        return os.getpid()
    import torch

    total = torch.tensor([number])
    torch.distributed.all_reduce(total)
    return float(total)


@contextmanager
def crew(number: int, begin: Callable[[], None] = lambda: None) -> Iterator[Crew]:
    made = Crew(number, begin, act)
    try:
        yield made
    finally:
        made.end()


def test_each_has_a_call_of_its_own_and_what_one_fails_alone_ends_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ranks, "GRACE_SECONDS", 0.05)
    with crew(2) as two:
        assert two.ask([("sum", 1.0), ("sum", 2.0)]) == [3.0, 3.0]
        before = two.ask([("pid", 0), ("pid", 0)])
        assert len({os.getpid(), *before}) == 3
        with pytest.raises(ValueError, match=r"of 1\.0"):
            two.ask([("raise", 1.0), ("raise", 2.0)])
        with pytest.raises(RuntimeError, match="Unsendable: words"):
            two.ask([("unsendable", 1.0), ("unsendable", 2.0)])
        assert two.ask([("pid", 0), ("pid", 0)]) == before, "all have failed alike: none waits"
        with pytest.raises(ValueError, match=r"of 2\.0"):
            two.ask([("sum", 1.0), ("raise", 2.0)])
        assert two.ask([("sum", 1.0), ("sum", 2.0)]) == [3.0, 3.0], "others are asked"
        assert not {*two.ask([("pid", 0), ("pid", 0)])} & {*before}
        with pytest.raises(RankLost, match="rank 1 of 2 ended"):  # and not what the other says of it
            two.ask([("sum", 1.0), ("die", 2.0)])
        assert two.ask([("sum", 2.0), ("sum", 2.0)]) == [4.0, 4.0]


def test_a_rank_that_cannot_begin_says_so() -> None:
    def begin() -> None:
        raise OSError("no network")

    with pytest.raises(OSError, match="no network"), crew(1, begin):
        pass


def _asks_until_it_is_killed(pipe: Any) -> None:
    """One rank waits in a collective for the other, which sleeps, when whoever asks is killed."""
    made = Crew(2, lambda: None, lambda call: time.sleep(0.3) if call == "sleep" else act(call))
    pipe.send(made.ask([("pid", 0), ("pid", 0)]))
    made.ask(["sleep", ("sum", 1.0)])


def _there(pid: int) -> bool:
    """Whether it runs: one that has ended and that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_none_outlives_who_asks() -> None:
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    asking = context.Process(target=_asks_until_it_is_killed, args=(theirs,))
    asking.start()
    theirs.close()
    pids = ours.recv()
    assert len(pids) == 2 and all(map(_there, pids))
    asking.kill()
    asking.join()
    until = time.monotonic() + 10
    while any(map(_there, pids)) and time.monotonic() < until:
        time.sleep(0.02)
    assert not any(map(_there, pids))
