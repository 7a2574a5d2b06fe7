"""A second derivative is had where there is no forward mode, and the other way round."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys

import pytest

FRAMEWORKS = {"torch": "Torch", "tensorflow": "TensorFlow", "jax": "Jax"}

MODES = [("torch", "eager"), ("torch", "func"), ("tensorflow", "eager"), ("jax", "eager")]

LOOKS = """
import importlib, json, sys
import numpy as np
from xent_conformance.frameworks.interface import Call, Implementation

name, adapter, *modes = sys.argv[1:]
adapter = getattr(importlib.import_module(f"xent_conformance.frameworks.{name}"), adapter)()
calls = 0

def square(library, x):
    global calls
    calls += 1
    return x * x

x = np.array([[1, 2], [3, 4]], np.float32)
tangent, cotangent = x + 4, x + 1
found = {}
for mode in modes:
    for outputs in (("jvp",), ("hvp",), ("jvp", "hvp"), ("hvp", "jvp")):
        calls, square_ = 0, Implementation("f", "softmax", "fused", square)
        arrays = (x.copy(), None, cotangent.copy())
        results = adapter.run(Call(square_, mode, "cpu", *arrays, outputs, tangent.copy()))
        right = {"jvp": 2 * x * tangent, "hvp": 2 * cotangent * tangent}
        assert {o: a.tolist() for o, a in results.items()} == {o: right[o].tolist() for o in outputs}, results
        found[f"{mode} {' '.join(outputs)}"] = calls
print(json.dumps(found))
"""


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_the_function_is_called_for_what_is_wanted_alone(name: str) -> None:
    """Else what one of the two lacks, the other lacks too: it raises."""
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    modes = [mode for framework, mode in MODES if framework == name]
    command = [sys.executable, "-c", LOOKS, name, FRAMEWORKS[name], *modes]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    expected = {"jvp": 1, "hvp": 1, "jvp hvp": 2, "hvp jvp": 2}
    found = json.loads(done.stdout.splitlines()[-1])
    assert found == {f"{mode} {outputs}": n for mode in modes for outputs, n in expected.items()}
