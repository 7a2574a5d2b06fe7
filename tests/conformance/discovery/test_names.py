"""Names that people write: other names of one thing, and devices by what they are called elsewhere."""

from __future__ import annotations

import ast
import types
from typing import Any

import numpy as np
import pytest

from tests.support.by_hand import Install
from tests.support.house import House
from xent_conformance.asking.selection import Selection
from xent_conformance.discovery.framework import FRAMEWORKS
from xent_conformance.discovery.names import UnknownName, also_called, check_name, meant, names
from xent_conformance.discovery.seats import check_devices
from xent_conformance.reference.formats import FORMATS
from xent_conformance.versions.upgrade import framework_of


@pytest.mark.parametrize(
    ("written", "is_"),
    [
        ("bf16", "bfloat16"),
        ("half", "float16"),
        ("FP16", "float16"),
        ("double", "float64"),
        ("f32", "float32"),
    ],
)
def test_formats_by_other_names(written: str, is_: str) -> None:
    assert Selection("quick", ("numpy",), dtypes=(written,)).dtypes == (is_,)


@pytest.mark.parametrize(
    ("written", "is_"), [("tf", "tensorflow"), ("PyTorch", "torch"), ("ort", "onnxruntime")]
)
def test_frameworks_by_other_names(written: str, is_: str) -> None:
    assert Selection("standard", (written,), operators=("softmax",)).frameworks == (is_,)
    assert framework_of((), written).name == is_


def test_the_name_that_is_meant_is_taken_wherever_one_is_checked() -> None:
    """It may be written in capitals, or be another name: who goes on with what was written asks another."""
    dropped = [
        f"{name}:{statement.lineno}"
        for name, file in House().modules.items()
        for statement in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Call)
        and isinstance(statement.value.func, ast.Name)
        and statement.value.func.id == "check_name"
    ]
    assert dropped == []


def test_a_profile_and_a_python_in_capitals_are_those_that_are_meant(install: Install) -> None:
    install(fake="Exact", other="Exact")
    asked = Selection("Quick", ("Fake",), operators=("Softmax",))
    assert (asked.profile, asked.operators) == ("quick", ("softmax",))
    assert [seat.interpreter for seat in asked.seats({"FAKE": "/python"})] == ["/python"]
    with pytest.raises(UnknownName, match="an interpreter for other, which is not asked"):
        asked.seats({"OTHER": "/python"})


class _Scalar(type):
    """As jax.numpy's types are made, which are none of NumPy's."""


@pytest.mark.parametrize(
    "written",
    [
        np.float32,
        np.dtype("float32"),
        _Scalar("float32", (), {}),
        types.SimpleNamespace(name="float32"),
        "f32",
    ],
)
def test_a_frameworks_own_type_names_a_format(written: Any) -> None:
    assert [check_name("dtype", name, FORMATS) for name in names(written)] == ["float32"]
    assert [check_name("dtype", name, FORMATS) for name in names([written, "half"])] == ["float32", "float16"]


@pytest.mark.parametrize("written", [np.float32(1.5), 102, 1.5])
def test_a_number_names_no_format(written: Any) -> None:
    with pytest.raises(UnknownName, match="which is no name: write it as text"):
        check_name("dtype", written, FORMATS)


def test_python_s_own_type_names_none() -> None:
    """It has 64 bits, and others mean 32 by its name."""
    with pytest.raises(UnknownName, match="which is no name: write it as text"):
        check_name("dtype", float, FORMATS)


def test_a_type_of_torch_names_a_format() -> None:
    torch = pytest.importorskip("torch")
    assert check_name("dtype", torch.bfloat16, FORMATS) == "bfloat16"


def test_every_other_name_is_of_something_and_of_nothing_else() -> None:
    for kind, known in (("framework", FRAMEWORKS), ("dtype", FORMATS)):
        assert also_called(kind, known)
        for other, name in also_called(kind, known).items():
            assert name in known and other not in known and meant(kind, other, known) == name


def test_a_plug_in_of_that_name_is_what_is_meant(install: Install) -> None:
    install(tf="Exact", tensorflow="Exact")
    assert meant("framework", "tf", FRAMEWORKS) == "tf"


@pytest.mark.parametrize(
    ("device", "near"),
    [
        ("gpu", "cuda, or mps or metal on a Mac"),
        ("GPU:0", "cuda, or mps"),
        ("cudaa", "cuda"),
        ("cuda0", "cuda"),
        ("cuda:x", "cuda"),
        ("cpuu", "cpu"),
        ("abacus", "cpu, cuda, mps, metal, tpu, vulkan, webgl, webgpu"),
    ],
)
def test_a_device_that_nobody_has_is_said_at_once(device: str, near: str) -> None:
    """Before any framework starts."""
    with pytest.raises(UnknownName, match=f"unknown device '{device}': did you mean {near}"):
        Selection("quick", ("torch",), devices=(device,))


@pytest.mark.parametrize(
    "device", ["cpu", "cuda", "cuda:1", "mps", "metal", "tpu:0", "vulkan:0", "webgpu", "cpu[isa=avx2]"]
)
def test_devices_that_may_be_there(device: str) -> None:
    check_devices([device], FRAMEWORKS.values())


def test_what_a_plug_in_calls_its_devices_is_its_own_affair(install: Install) -> None:
    install(fake="Exact")
    check_devices(["npu:0"], FRAMEWORKS.values())
