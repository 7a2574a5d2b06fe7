"""Pipes give what is asked for, piece by piece, however much came at once; and the end stays the end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from xent_conformance.asking import pipes

Kind = type[pipes.Selecting] | type[pipes.Pumped]


@contextmanager
def _reading(kind: Kind) -> Iterator[tuple[pipes.Pipes, int]]:
    """Pipes, and where one writes what they read."""
    (source, into), (other, sink) = os.pipe(), os.pipe()
    with os.fdopen(source, "rb", buffering=0) as reads, os.fdopen(sink, "wb", buffering=0) as writes:
        yield kind(reads, writes), into
        os.close(into)
    os.close(other)


@pytest.mark.parametrize("kind", [pipes.Selecting, pipes.Pumped])
def test_pieces_of_what_came_at_once(kind: Kind) -> None:
    with _reading(kind) as (pipe, into):
        os.write(into, b"abcdef")
        assert [pipe.read(size, 10.0) for size in (1, 3)] == [b"a", b"bcd"]
        assert pipe.read(100, 10.0) == b"ef"
        with pytest.raises(TimeoutError):
            pipe.read(1, 0.01)
        os.write(into, b"gh")
        assert [pipe.read(1, 10.0) for _ in range(2)] == [b"g", b"h"]


def test_a_large_answer_lies_in_the_pipe() -> None:
    """Whoever gives it goes on, and does not wait until somebody has time to read it."""
    fcntl = pytest.importorskip("fcntl")
    if not hasattr(fcntl, "F_SETPIPE_SZ"):
        pytest.skip("the system has no pipes of a size that is asked for")
    with _reading(pipes.Selecting) as (pipe, into):
        try:
            fcntl.fcntl(into, fcntl.F_SETPIPE_SZ, pipes.HELD)  # as large as it is already
        except PermissionError:
            pytest.skip("the system has promised others so much that it gives this user no more")
    with _reading(pipes.Selecting) as (pipe, into):
        os.set_blocking(into, False)
        assert os.write(into, bytes(pipes.HELD)) == pipes.HELD
        assert pipe.read(10, 10.0) == bytes(10)


def test_a_pipe_of_the_usual_size_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Linux refuses larger ones to somebody who has many."""
    fcntl = pytest.importorskip("fcntl")
    asked: list[tuple[int, ...]] = []

    def refused(*what: int) -> int:
        asked.append(what[1:])
        raise PermissionError

    monkeypatch.setattr(fcntl, "F_SETPIPE_SZ", 1031, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", refused)
    with _reading(pipes.Selecting) as (pipe, into):
        assert asked == [(1031, pipes.HELD)] * 2
        os.write(into, b"ab")
        assert pipe.read(10, 10.0) == b"ab"


@pytest.mark.parametrize("number", [1024, 2000])
def test_a_pipe_may_have_any_number(number: int) -> None:
    """Whoever has opened a thousand files has pipes behind them."""
    fcntl, resource = pytest.importorskip("fcntl"), pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= hard <= number + 2:
        pytest.skip(f"the system gives this user {hard} files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, number + 2), hard))
    (source, into), (other, sink) = os.pipe(), os.pipe()
    far, wide = (fcntl.fcntl(pipe, fcntl.F_DUPFD, number) for pipe in (source, sink))
    try:
        with os.fdopen(far, "rb", buffering=0) as reads, os.fdopen(wide, "wb", buffering=0) as writes:
            pipe = pipes.Selecting(reads, writes)
            with pytest.raises(TimeoutError):
                pipe.read(1, 0.01)
            os.write(into, b"ab")
            assert pipe.read(2, 10.0) == b"ab"
            assert pipe.write(memoryview(b"cd"), 10.0) == 2 and os.read(other, 2) == b"cd"
    finally:
        for pipe_end in (source, into, other, sink):
            os.close(pipe_end)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_the_end_comes_after_what_was_there() -> None:
    (source, into), (other, sink) = os.pipe(), os.pipe()
    with os.fdopen(source, "rb", buffering=0) as reads, os.fdopen(sink, "wb", buffering=0) as writes:
        pipe = pipes.Selecting(reads, writes)
        os.write(into, b"ab")
        os.close(into)
        assert [pipe.read(1, 10.0) for _ in range(4)] == [b"a", b"b", b"", b""]
    os.close(other)


def test_what_is_there_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame is asked for in pieces, each of which would be a wait and a read."""
    reads: list[int] = []
    read = os.read

    def counted(source: int, size: int) -> bytes:
        reads.append(size)
        return read(source, size)

    monkeypatch.setattr(os, "read", counted)
    with _reading(pipes.Selecting) as (pipe, into):
        os.write(into, bytes(5000))
        assert sum(len(pipe.read(50, 10.0)) for _ in range(100)) == 5000
    assert reads == [pipes.AT_ONCE]
