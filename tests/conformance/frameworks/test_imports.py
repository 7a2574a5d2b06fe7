"""What the adapters say that they import is what their modules import, and a worker is told of it."""

from __future__ import annotations

import ast
import inspect
from typing import Any

import pytest

from xent_conformance.discovery.framework import FRAMEWORKS, Seat

UNSAID = {
    "numpy": "a worker cannot do without it",
    "onnxruntime-webgpu": "another distribution has its module as well",
    "tfjs": "what it lacks first is no package of Python",
}
"""Frameworks whose absence is seen when their adapter is made, and why."""


def imported(kind: Any) -> set[str]:
    """The packages that the modules of the class and of those it inherits from import, anywhere in them."""
    found = set()
    for base in kind.__mro__[:-1]:
        for node in ast.walk(ast.parse(inspect.getsource(inspect.getmodule(base) or base))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add((node.module or "").partition(".")[0])
    return found


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_what_is_said_is_imported(name: str) -> None:
    framework = FRAMEWORKS[name]
    said = framework.declaration.imports
    assert bool(said) != (name in UNSAID)
    assert set(said) <= imported(framework.adapter_class())
    assert tuple(Seat(framework).launch().imports) == said
