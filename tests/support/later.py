"""A framework by its name, imported when it is first used: tests are collected where it is not installed."""

from __future__ import annotations

import importlib
from typing import Any


class Later:
    """Stands for a module in the globals of a test file."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("_"):  # whoever collects tests looks for its own marks
            raise AttributeError(attribute)
        return getattr(importlib.import_module(self._name), attribute)
