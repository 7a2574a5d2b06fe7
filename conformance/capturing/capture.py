"""``capture``: the context manager of Python, and the script that ``conformance capture`` runs under it."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from xent_conformance.capturing.watch import FRAMEWORKS, NONFINITE, Watch, watching
from xent_conformance.discovery.framework import FRAMEWORKS as REGISTERED
from xent_conformance.discovery.names import meant


class NothingCaptured(Exception):
    """No call was written; the message says what was seen instead."""


class _Ended(BaseException):
    """Leaves a script whose call is captured; no ``except Exception`` of its own stops it."""


@contextmanager
def capture(
    path: str | Path, *, framework: str, call: int | None = None, when: str | None = None
) -> Iterator[Watch]:
    """Write one call of the framework's softmax, sigmoid or loss functions to a file of cases.

    ``call`` says which, counted from 1; ``when="nonfinite"`` takes the first that returns a NaN or an
    infinity, or raises; with neither it is the first. Raises ValueError for a framework that is not watched
    or not installed, and :class:`NothingCaptured` at the end, where no call was written. ``conformance run
    --cases PATH`` asks what was captured.
    """
    with _watched(path, framework, call, when) as watch:
        yield watch
    if not watch.found:
        raise NothingCaptured(watch.nothing())


def capture_script(
    path: Path, framework: str, script: Path, words: Sequence[str], *, call: int | None, when: str | None
) -> str:
    """Run a script until the call is captured; which one it was. Raises as :func:`capture` does.

    What the script raises before that is raised. ``SystemExit`` is an end like any other.
    """
    before = sys.argv, list(sys.path)
    sys.argv, sys.path[0:0] = [str(script), *words], [str(script.resolve().parent)]
    with _watched(path, framework, call, when, script.name) as watch:
        watch.on_found = _end
        try:
            runpy.run_path(str(script), run_name="__main__")
        except (_Ended, SystemExit):
            pass
        finally:
            sys.argv, sys.path[:] = before
    if not watch.found:
        raise NothingCaptured(watch.nothing())
    return watch.found


@contextmanager
def _watched(
    path: str | Path, framework: str, call: int | None, when: str | None, origin: str = ""
) -> Iterator[Watch]:
    framework = meant("framework", framework, REGISTERED)
    if framework not in FRAMEWORKS:
        raise ValueError(f"calls of {framework!r} are not watched; those of {', '.join(FRAMEWORKS)} are")
    if when not in (None, NONFINITE):
        raise ValueError(f"unknown when {when!r}: there is {NONFINITE!r}")
    if call is not None and (when is not None or call < 1):
        raise ValueError("call counts from 1, and goes without when: say one of them")
    watch = Watch(Path(path), call=1 if call is None and when is None else call, when=when, origin=origin)
    try:
        watched = watching(framework, watch)
        watched.__enter__()
    except ImportError as error:
        install = REGISTERED[framework].install
        raise ValueError(f"{framework} is not installed ({error}); add it with: {install}") from None
    try:
        yield watch
    finally:
        watched.__exit__(None, None, None)


def _end() -> None:
    raise _Ended
