"""The command to type next: what shows a case, or asks again what was asked."""

from __future__ import annotations

import glob
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from xent_conformance.reports.run.file import Run


def explain(case: str, implementation: str, run: Run, device: str = "cpu") -> str:
    """Shows one case: its inputs, the certified value, and what the implementation returns.

    Of devices, ``explain`` asks the plain ones by itself.
    """
    words = ["conformance", "explain", case, "--implementation", glob.escape(implementation)]
    words += [] if device == "cpu" else ["--device", device]
    return shlex.join([*words, *_plugins(run)])


def ask_again(header: Mapping[str, Any]) -> str:
    """Asks once more what a run file's header says was asked."""
    s = header["selection"]
    words = ["--profile", s["profile"]]
    for option, key in (("framework", "frameworks"), ("operator", "operators"), ("dtype", "dtypes"),
                        ("family", "families"), ("device", "devices"), ("plugin", "plugins")):  # fmt: skip
        words += [w for value in s.get(key, []) for w in (f"--{option}", value)]
    if s["implementation"] != "*":
        words += ["--implementation", s["implementation"]]
    return shlex.join(["conformance", "run", *words])


def _plugins(run: Run) -> list[str]:
    named = [p for h in run.headers for p in h["selection"].get("plugins", [])]
    return [w for plugin in dict.fromkeys(named) for w in ("--plugin", plugin)]


def explain_command(case: str, implementation: str, plugins: Sequence[str] = ()) -> str:
    """What shows a case whole; with ``--script`` it prints what repeats it with the framework alone."""
    command = ["conformance", "explain", case, "--implementation", glob.escape(implementation)]
    return shlex.join([*command, *(word for p in dict.fromkeys(plugins) for word in ("--plugin", p))])
