"""What of all that there is a run asked, and what it was told to leave out, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xent_conformance.reports.run import commands
from xent_conformance.reports.text.wording import listed

EXCLUDE = "exclude"


def narrowed(selection: Mapping[str, Any]) -> str:
    """``operator softmax; dtype float32``; empty where nothing narrows it."""
    chosen = commands.chosen(selection).items()
    return "; ".join(f"{name} {listed(values)}" for name, values in chosen if name != EXCLUDE)


def excluded(header: Mapping[str, Any]) -> dict[str, list[str]]:
    """By framework, the implementations that ``--exclude`` left out."""
    found: dict[str, list[str]] = {}
    for one in header.get("excluded", ()):
        found.setdefault(one["framework"], []).append(one["name"])
    return found


def older(header: Mapping[str, Any]) -> list[str]:
    """``torch 2.11.0 has not f and g``: implementations that came later than the version that was asked."""
    lacking = {(w["framework"], w["version"]): w["older"] for w in header["frameworks"] if w.get("older")}
    return [
        f"{framework} {version} has not {listed([*names])}" for (framework, version), names in lacking.items()
    ]


def not_asked(header: Mapping[str, Any]) -> str:
    """``torch: a and b (--exclude '*a*')``; empty where nothing was left out."""
    told = "; ".join(f"{framework}: {listed(names)}" for framework, names in excluded(header).items())
    return f"{told} ({commands.words('exclude', header['selection'][EXCLUDE])})" if told else ""
