"""The command to type next: what shows a case, or asks again what was asked."""

from __future__ import annotations

import glob
import shlex
from collections.abc import Mapping
from typing import Any

from xent_conformance.cases.corpus import smallest_profile
from xent_conformance.cases.profile import Profile
from xent_conformance.decision.judged import JudgedWaiver, State
from xent_conformance.decision.waivers import Waiver, matching
from xent_conformance.registry.framework import FRAMEWORKS
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


def for_waiver(judged: JudgedWaiver, run: Run) -> str:
    """What to type about a waiver that accepts nothing; empty for one that does."""
    waiver, witness = judged.waiver, judged.waiver.witnesses[0]
    if judged.state in (State.ACCEPTS, State.BETTER):
        return ""
    if judged.state is State.NOT_EVALUATED:
        asked = any(f["framework"] == waiver.framework for h in run.headers for f in h["frameworks"])
        profile, plugins = (_profile(waiver, witness), _plugins(run)) if asked else ("standard", [])
        words = ["--framework", waiver.framework, "--profile", profile, *plugins]
        return shlex.join(["conformance", "run", *words])
    if judged.case and judged.implementation:
        return explain(judged.case, judged.implementation, run)
    if judged.case:
        return shlex.join(["conformance", "explain", judged.case, *_plugins(run)])
    return shlex.join(["conformance", "list", "implementations", *_plugins(run)])


def _plugins(run: Run) -> list[str]:
    named = [p for h in run.headers for p in h["selection"].get("plugins", [])]
    return [w for plugin in dict.fromkeys(named) for w in ("--plugin", plugin)]


def _profile(waiver: Waiver, case: str) -> str:
    """The smallest profile in which doors of the waiver are asked a case: a late door, or mode, lags behind.

    The usual one for a case that is not in the corpus.
    """
    parts = case.split("/")
    try:
        operator, family, _, fmt, length, _ = parts
        since = smallest_profile(operator, family, fmt, int(length.removeprefix("n")))
    except (ValueError, LookupError):
        return "standard"
    framework = FRAMEWORKS.get(waiver.framework)
    if framework is None:
        return since
    declared = framework.declaration
    doors = [Profile(i.since) for i in declared.implementations if matching([i.name], waiver.implementations)]
    behind = sum(min(found).rank for found in (doors, list(declared.modes.values())) if found)
    return Profile(since).later(behind) or Profile.FULL
