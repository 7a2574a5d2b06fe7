"""A worker that is for one mode alone: its adapter may begin it while nothing is asked yet."""

from __future__ import annotations

import os
from collections.abc import Mapping

from xent_conformance.frameworks.interface import Adapter

APART = "XENT_CONFORMANCE_APART"
"""The variable that names the mode."""


def begin(adapter: Adapter, missing: Mapping[str, str]) -> None:
    """Tell an adapter that has ``begin`` which mode it is, if this machine has what that takes."""
    mode = os.environ.get(APART, "")
    if mode and mode not in missing and hasattr(adapter, "begin"):
        adapter.begin(mode)
