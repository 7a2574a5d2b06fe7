"""No module of ours needs a system that its user may not have: Windows has no ``fcntl``, ``select`` knows no
pipe there, and there is no SIGKILL. Hidden from us, and from us alone, all is imported all the same.

What was run where is in docs/PLATFORMS.md.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.house import House
from tests.support.paths import ROOT

POSIX = ("fcntl", "grp", "posix", "pty", "pwd", "resource", "select", "selectors", "syslog", "termios", "tty")
"""Modules that Windows has not, or that know less there: none is imported before the system is known."""

LACKS = {
    "signal": ("SIGKILL", "SIGHUP", "SIGALRM", "SIGUSR1", "SIGUSR2", "SIGQUIT",
               "pthread_sigmask", "setitimer"),
    "os": ("fork", "forkpty", "getuid", "geteuid", "getgid", "kill", "killpg", "setsid", "uname", "wait4",
           "sched_getaffinity", "getloadavg", "mkfifo", "nice", "posix_spawn", "openpty"),
}  # fmt: skip
"""What Windows, or macOS, has not of modules that it has."""

HIDDEN = """
import builtins, importlib, sys, types
posix, lacks, modules = eval(sys.argv[1])
before, ours = builtins.__import__, ("xent_conformance", "benchmarks")


def hidden(name, globals=None, locals=None, fromlist=(), level=0):
    who = (globals or {}).get("__name__", "")
    if level == 0 and who.partition(".")[0] in ours:
        if name in posix:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        if name in lacks:
            there = before(name, globals, locals, fromlist, level)
            shown = types.ModuleType(name)
            shown.__dict__.update({k: v for k, v in vars(there).items() if k not in lacks[name]})
            return shown
    return before(name, globals, locals, fromlist, level)


builtins.__import__ = hidden
broken = []
for module in modules:
    try:
        importlib.import_module(module)
    except Exception as error:
        broken.append(f"{module}: {type(error).__name__}: {error}")
print("\\n".join(broken))
"""


def _broken(modules: list[str], *path: Path) -> list[str]:
    """Modules of ours that cannot be imported where these things are hidden, each with its error."""
    words = [repr((POSIX, LACKS, modules))]
    done = subprocess.run(
        [sys.executable, "-c", HIDDEN, *words],
        capture_output=True,
        text=True,
        check=True,
        cwd=path[0] if path else ROOT,
    )
    return [line for line in done.stdout.splitlines() if line]


def test_every_module_is_imported_without_what_windows_and_macos_lack() -> None:
    modules = sorted(House().modules)
    assert len(modules) > 250
    assert _broken([*modules, "benchmarks.profiles", "benchmarks.certify"]) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("import fcntl\n", "ModuleNotFoundError: No module named 'fcntl'"),
        ("from select import poll\n", "ModuleNotFoundError: No module named 'select'"),
        ("import os\nTHERE = os.sched_getaffinity(0)\n", "AttributeError: module 'os' has no attribute"),
        (
            "import signal\nEND = signal.SIGKILL\n",
            "AttributeError: module 'signal' has no attribute",
        ),
    ],
)
def test_an_import_that_needs_posix_is_seen(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "seeded.py").write_text(text)
    (broken,) = _broken(["benchmarks.seeded"], tmp_path)
    assert broken.startswith(f"benchmarks.seeded: {told}")


def test_what_asks_a_worker_imports_no_posix_at_the_top() -> None:
    """Where pipes cannot be waited for, a thread reads them: ``select`` is for systems that have it."""
    text = (ROOT / "conformance" / "asking" / "pipes.py").read_text(encoding="utf-8")
    assert not re.search(r"^import select", text, re.MULTILINE) and "Pumped if os.name" in text


def test_the_classifiers_are_what_was_tried() -> None:
    """Each Python that is claimed has a row of its own, that says what was run."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    claimed = {c.rpartition(" :: ")[2] for c in project["classifiers"] if ":: Python :: 3." in c}
    page = (ROOT / "docs" / "PLATFORMS.md").read_text(encoding="utf-8")
    tried = re.findall(r"^\| (3\.\d+)\.\d+ \|", page, re.MULTILINE)
    assert claimed == set(tried) and len(tried) == 4
    assert "not run" in page
