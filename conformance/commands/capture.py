"""``conformance capture``: a call of a user's own script becomes a file of cases."""

from __future__ import annotations

import contextlib
import ctypes
import enum
import os
import sys
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from xent_conformance.commands.base import EVIDENCE, USAGE, Force, app, console, errors, fail
from xent_conformance.commands.files import STANDARD, check_outputs, print_bytes
from xent_conformance.commands.plain import escape


class When(enum.StrEnum):
    """What ``--when`` waits for."""

    NONFINITE = "nonfinite"


# what stands after the script's name is the script's own
@app.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
def capture(
    script: Annotated[Path, typer.Argument(metavar="SCRIPT.py", help="Run in this process.")],
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="[ARGS]...", help="The script's own.")
    ] = None,
    framework: Annotated[str, typer.Option("--framework", help="torch, tensorflow or jax.")] = "torch",
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE.json")] = Path("captured.json"),
    call: Annotated[
        int | None, typer.Option("--call", metavar="N", min=1, help="Which call; the first if unsaid.")
    ] = None,
    when: Annotated[
        When | None, typer.Option("--when", help="The first call whose result is not finite, or that raises.")
    ] = None,
    force: Force = False,
) -> None:
    """Run a script, and write one of its calls of a softmax or a loss to a file for `run --cases`."""
    from xent_conformance.capturing.capture import NothingCaptured, capture_script
    from xent_conformance.reports.run import commands

    if not script.is_file():
        raise fail(f"{script}: no such script", USAGE)
    check_outputs({"--out": out}, [script], force=force, remade=False)
    try:
        with _written(out) as path:
            found = capture_script(
                path, framework, script, arguments or (), call=call, when=None if when is None else when.value
            )
    except NothingCaptured as nothing:
        raise fail(f"nothing is captured: {nothing}", EVIDENCE) from None
    except ValueError as error:
        if _of_the_script(error, script):
            raise _failed(error) from None
        raise fail(str(error), USAGE) from None
    except Exception as error:  # noqa: BLE001 (whatever a script raises)
        raise _failed(error) from None
    if out == STANDARD:
        errors.print(escape(f"captured {found}"), soft_wrap=True)
        return
    console.print(escape(f"captured {found}: wrote {out}"), soft_wrap=True)
    console.print(escape(f"ask it with: {commands.run_cases(str(out), framework)}"), soft_wrap=True)


@contextlib.contextmanager
def _written(out: Path) -> Iterator[Path]:
    """Where the call is written to. Who prints it has no place on the output for what the script prints."""
    if out != STANDARD:
        yield out
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "captured.json"
        with contextlib.redirect_stdout(sys.stderr), _output_beside():
            yield path
        print_bytes(path.read_bytes())


@contextlib.contextmanager
def _output_beside() -> Iterator[None]:
    """What is written to the number of the output goes where errors do: children write there, and C does."""
    sys.stdout.flush()
    output = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        with contextlib.suppress(TypeError, OSError, AttributeError):  # a system without that
            ctypes.CDLL(None).fflush(None)  # what C holds is written as it ends, and would go to the document
        os.dup2(output, 1)
        os.close(output)


def _of_the_script(error: BaseException, script: Path) -> bool:
    """Whether the error came out of the script, and not from how the command was used."""
    frames = traceback.extract_tb(error.__traceback__)
    return any(Path(frame.filename).name == script.name for frame in frames)


def _failed(error: BaseException) -> typer.Exit:
    told = "".join(traceback.format_exception(error))
    errors.print(escape(told), soft_wrap=True)
    return fail("the script ended with an error, before the call was captured", EVIDENCE)
