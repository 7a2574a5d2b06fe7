"""A worker imports what its framework needs, and not what that would import because it is there."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.support.fakes import Exact
from xent_conformance.asking.inside import made
from xent_conformance.check_plugin.check import check
from xent_conformance.discovery.framework import FRAMEWORKS
from xent_conformance.worker.hello import load
from xent_conformance.worker.hidden import hidden

HERE = "tests.conformance.worker.test_hidden"

RARE = "this"
"""A module of Python's that nobody imports."""


class DoesWithout(Exact):
    without = (RARE, "json")

    def __init__(self) -> None:
        self.found = _there(RARE)


class Derived(DoesWithout):
    """It may need what another does without."""


class Needs(DoesWithout):
    without = (RARE,)

    def __init__(self) -> None:
        importlib.import_module(RARE)


class NeedsPart(DoesWithout):
    without = ("wsgiref",)

    def __init__(self) -> None:
        importlib.import_module("wsgiref.util")


class Breaks(Exact):
    without = (RARE,)

    def __init__(self) -> None:
        raise AttributeError("module 'numpy' has no attribute 'bool8'")


def _there(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


@pytest.fixture(autouse=True)
def _not_imported() -> Iterator[None]:
    sys.modules.pop(RARE, None)
    yield
    sys.modules.pop(RARE, None)


@pytest.mark.parametrize(("kind", "found"), [(DoesWithout, False), (Derived, True)])
def test_it_is_hidden_while_the_adapter_is_made(kind: type, found: bool) -> None:
    adapter = load(f"{HERE}:{kind.__name__}")
    assert getattr(adapter, "found", None) is found
    assert _there(RARE), "and there afterwards"


def test_nothing_is_hidden_in_the_process_of_who_checks_a_kernel() -> None:
    """A framework may conclude from it for good that what is hidden is not there, as TensorFlow does."""
    assert getattr(made(DoesWithout), "found", None) is True


def test_a_plugin_is_checked_as_its_worker_starts() -> None:
    """What it cannot start without is found, although it is installed, and is not to be installed again."""
    found = "its start imports {}: take that out of `without`"
    assert found.format(RARE) in check(f"{HERE}:Needs")
    assert found.format("wsgiref") in check(f"{HERE}:NeedsPart"), "of which it imports a part"


def test_tensorflow_has_its_keras_after_a_check() -> None:
    if lacks := [name for name in ("tensorflow", "keras") if importlib.util.find_spec(name) is None]:
        pytest.skip(f"no {lacks[0]} here")
    asked = """
import importlib
from xent_conformance.asking.inside import made
from xent_conformance.discovery.framework import FRAMEWORKS
made(FRAMEWORKS["tensorflow"].adapter_class())
print(importlib.import_module("tensorflow.keras.losses").__name__)
"""
    found = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=False)
    assert found.stdout.split() == ["tensorflow.keras.losses"], found.stderr


def test_it_is_there_where_the_adapter_could_not_be_made() -> None:
    with pytest.raises(AttributeError, match="bool8"):
        load(f"{HERE}:Breaks")
    assert _there(RARE)


def test_what_is_imported_already_stays() -> None:
    before = sys.modules["json"]
    with hidden(["json"]):
        assert importlib.import_module("json") is before
    assert sys.modules["json"] is before


def test_what_somebody_puts_in_its_place_meanwhile_stays() -> None:
    with hidden([RARE]):
        sys.modules[RARE] = sys
    assert sys.modules[RARE] is sys


@pytest.mark.parametrize("name", ["tensorflow", "keras-tensorflow", "keras-torch", "keras-jax"])
def test_real_ones_import_no_other(name: str) -> None:
    framework = FRAMEWORKS[name]
    declared = framework.declaration
    if lacks := [package for package in declared.imports if importlib.util.find_spec(package) is None]:
        pytest.skip(f"no {lacks[0]} here")
    asked = f"""
import sys
from xent_conformance.worker.hello import load
load({framework.adapter!r})
print(*sorted({{"jax", "keras", "tensorflow", "torch"}} & set(sys.modules)))
"""
    found = subprocess.run(
        [sys.executable, "-c", asked],
        env={**os.environ, **declared.environment},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.split() == sorted(declared.imports)
