"""What somebody waits for: whole commands of a shell, from their start to their last line.

Of a folder of what is kept that is empty in the beginning: what is asked first has no truth remembered and
nothing compiled, what is asked again has both.
"""

from __future__ import annotations

import os
import resource
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

THREE = ("torch", "tensorflow", "jax")
"""The frameworks that most of what is asked here is asked of."""

AGAIN = 5
"""So often each command is waited for, but for what can be first only once."""

OURS = frozenset(("POLARS_MAX_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "PYTHONDONTWRITEBYTECODE"))
"""Variables of who measures, which nobody has set who waits."""


@dataclass(frozen=True)
class Command:
    """``words`` of a ``program`` beside our Python; ``asked``: the seconds that it may take on two cores."""

    words: tuple[str, ...]
    asked: float | None = None
    times: int = AGAIN
    program: str = "conformance"


def _quick(frameworks: Sequence[str]) -> tuple[str, ...]:
    named = (word for name in frameworks for word in ("--framework", name))
    return "run", "--profile", "quick", *named, "-o", "run.parquet", "--force"


COMMANDS: Mapping[str, Command] = {
    "help": Command(("--help",), 0.3),
    "quick of PyTorch, first": Command(_quick(THREE[:1]), 15.0, times=1),
    "quick of PyTorch, again": Command(_quick(THREE[:1]), 15.0),
    "quick of three, first": Command(_quick(THREE), times=1),
    "quick of three, again": Command(_quick(THREE), 25.0),
    "smoke of three, again": Command(("smoke", *THREE), 5.0),
    "nothing but their imports": Command(("-c", f"import {', '.join(THREE)}"), program="python"),
}
"""In the order in which they are waited for, which decides what is remembered. The last asks nothing of us:
it is what seconds of this machine are worth."""


@dataclass(frozen=True)
class Waited:
    """``words``, as they are typed; ``least`` and ``most`` seconds, of so many; ``cores``: of a processor."""

    words: str
    asked: float | None
    times: int
    least: float
    most: float
    cores: float


def waited() -> Iterator[tuple[str, dict[str, object]]]:
    """Each command, and how long it took. Raises CalledProcessError for one that did not end well."""
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder) / "kept"
        environment = {name: value for name, value in os.environ.items() if name not in OURS}
        environment["XDG_CACHE_HOME"] = str(kept)
        for name, command in COMMANDS.items():
            found = [_seconds(command, Path(folder), environment) for _ in range(command.times)]
            least, cores = min(found)
            words = shlex.join((command.program, *command.words))
            yield name, asdict(Waited(words, command.asked, command.times, least, max(found)[0], cores))


def _seconds(command: Command, folder: Path, environment: Mapping[str, str]) -> tuple[float, float]:
    """From its start to its end, and of a processor, with all that it has started and waited for."""
    program = Path(sys.executable).with_name(command.program)
    before, start = _spent(), time.perf_counter()
    done = subprocess.run(
        [program, *command.words], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - start
    if done.returncode:
        print(done.stdout, done.stderr, sep="\n", file=sys.stderr)
    done.check_returncode()
    return seconds, _spent() - before


def _spent() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
