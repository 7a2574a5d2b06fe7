"""Frameworks that a run does without, and settings of devices that this machine may not have."""

from __future__ import annotations

import importlib.util
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tests.support.by_hand import Install
from xent_conformance.asking.connection import FrameworkAbsent
from xent_conformance.asking.process import Process
from xent_conformance.asking.selection import Selection
from xent_conformance.commands import listing
from xent_conformance.discovery import problems as declaration
from xent_conformance.discovery.framework import FRAMEWORKS, Seat
from xent_conformance.discovery.names import UnknownName
from xent_conformance.discovery.seats import check_devices, is_variant, seats, variants_of, wanted_devices
from xent_conformance.frameworks.interface import Call, Implementation, Variant
from xent_conformance.frameworks.paddle import Paddle
from xent_conformance.frameworks.tinygrad import Tinygrad
from xent_conformance.reference.oracle import Oracle
from xent_conformance.running.engine import run
from xent_conformance.worker.hello import CHANGES_ARITHMETIC

WITH_CUDA = "tests.support.fakes_of_devices:WithCuda"
NO_CUDA = "tests.support.fakes_of_devices:NoCuda"


def _seats(*wanted: str, profile: str = "full") -> list[str]:
    return [seat.key for seat in seats(FRAMEWORKS["fake"], wanted, profile)]


def _run(tmp_path: Path, *devices: str) -> pl.DataFrame:
    small = Selection(
        "full",
        operators=("softmax",),
        dtypes=("float32",),
        families=("two_classes",),
        devices=devices,
    )
    return run(small, tmp_path / "run.parquet", force=True, oracle=Oracle()).verdicts


# --- a setting is of one kind of device -----------------------------------------------------------------


def test_a_variant_is_named_with_its_kind_of_device(install: Install) -> None:
    install(fake=WITH_CUDA)
    known = variants_of(FRAMEWORKS.values())
    assert known == ["cpu[threads=4]", "cuda[tf32]"]
    for device in ("cpu[threads=4]", "cuda[tf32]", "cuda:1[tf32]"):
        assert is_variant(device, known)
    for device in ("cpu[tf32]", "cuda[threads=4]", "metal[tf32]", "cuda[tf3]"):
        assert not is_variant(device, known)


def test_a_variant_of_another_kind_is_asked_where_it_is_named(install: Install) -> None:
    install(fake=WITH_CUDA)
    assert _seats() == ["fake", "fake[threads=4]"]
    assert _seats(profile="quick") == ["fake"]
    assert _seats("cuda") == ["fake"]
    assert _seats("cuda[tf32]", profile="quick") == ["fake[tf32]"]
    assert _seats("cuda:1[tf32]") == ["fake[tf32]"]
    assert _seats("cpu", "cpu[threads=4]", "cuda[tf32]") == ["fake", "fake[threads=4]", "fake[tf32]"]
    assert _seats("cpu[tf32]") == _seats("cuda[threads=4]") == []


def test_a_variant_is_asked_on_devices_of_its_own_kind(install: Install) -> None:
    install(fake=WITH_CUDA)
    fake, there = Seat(FRAMEWORKS["fake"]), ["cpu", "cuda:0", "cuda:1"]
    threads, tf32 = replace(fake, variant="threads=4"), replace(fake, variant="tf32")
    assert wanted_devices(fake, there, []) == there
    assert wanted_devices(threads, there, []) == ["cpu"]
    assert wanted_devices(tf32, there, []) == wanted_devices(tf32, there, ["cuda[tf32]"]) == there[1:]
    assert wanted_devices(tf32, there, ["cpu", "cuda:1[tf32]"]) == ["cuda:1"]
    assert wanted_devices(tf32, ["cpu"], ["cuda[tf32]"]) == []


@pytest.mark.parametrize("wrong", ["cpu[tf32]", "cuda[threads=4]", "cuda:0[threads=4]"])
def test_a_variant_of_the_wrong_kind_is_unknown(install: Install, wrong: str) -> None:
    install(fake=WITH_CUDA)
    name = wrong.replace("[", r"\[")
    with pytest.raises(UnknownName, match=f"unknown variant '{name}': did you mean .*c"):
        Selection("quick", devices=(wrong,))
    with pytest.raises(UnknownName, match=f"unknown variant '{name}'"):
        check_devices([wrong], FRAMEWORKS.values())


def test_what_is_named_is_accepted(install: Install) -> None:
    install(fake=WITH_CUDA)
    for device in ("cuda[tf32]", "cuda:0[tf32]", "cpu[threads=4]"):
        Selection("quick", devices=(device,))
        check_devices([device], FRAMEWORKS.values())


def test_a_run_on_devices_and_their_settings(install: Install, tmp_path: Path) -> None:
    """TF32 is seen where it was allowed, and there alone."""
    install(fake=WITH_CUDA)
    assert set(_run(tmp_path)["device"]) == {"cpu", "cuda:0", "cuda:1", "cpu[threads=4]"}
    found = _run(tmp_path, "cuda", "cuda[tf32]")
    off = found.group_by("device").agg(pl.col("ulps").max() > 0.5)
    assert dict(off.iter_rows()) == {
        "cuda:0": False,
        "cuda:1": False,
        "cuda:0[tf32]": True,
        "cuda:1[tf32]": True,
    }


def test_a_device_that_is_absent_is_not_asked(install: Install, tmp_path: Path) -> None:
    install(fake=NO_CUDA)
    assert set(_run(tmp_path)["device"]) == {"cpu", "cpu[threads=4]"}
    assert _run(tmp_path, "cuda[tf32]").is_empty()
    assert set(_run(tmp_path, "cpu", "cuda[tf32]")["device"]) == {"cpu"}


def _listed() -> dict[str, str]:
    """The devices of the listing, with what it says of each."""
    return {device: setting for _, _, device, setting in listing.rows("devices")}


def test_a_variant_is_listed_with_what_it_sets_and_when_it_is_asked(install: Install) -> None:
    install(fake=WITH_CUDA)
    assert _listed()["cuda[tf32]"] == "products in TF32; FAKE_TF32=1; asked where it is named"
    assert _listed()["cpu[threads=4]"] == "four threads; FAKE_THREADS=4; asked from full on"
    install(fake=NO_CUDA)
    assert _listed()["cuda[tf32]"] == "products in TF32; FAKE_TF32=1; not on this machine"


@pytest.mark.parametrize("device", ["", "cuda:0", "CUDA", 0])
def test_a_variant_is_of_a_kind_of_device(device: Any) -> None:
    kind = type("Odd", (Paddle,), {"variants": {"odd": Variant({}, "odd", device=device)}})
    (problem,) = declaration.problems(kind)
    assert f"device of variant 'odd' is {device!r}" in str(problem)


@pytest.mark.parametrize(
    ("framework", "variant", "variables"),
    [
        ("torch", "tf32", {"NVIDIA_TF32_OVERRIDE": "1", "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE": "1"}),
        ("torch", "cublas=deterministic", {"CUBLAS_WORKSPACE_CONFIG": ":4096:8"}),
        ("tensorflow", "deterministic", {"TF_DETERMINISTIC_OPS": "1"}),
        ("tensorflow", "tf32=off", {"NVIDIA_TF32_OVERRIDE": "0"}),
        ("jax", "deterministic", {"XLA_FLAGS": "--xla_gpu_deterministic_ops=true"}),
        ("jax", "tf32=off", {"NVIDIA_TF32_OVERRIDE": "0"}),
    ],
)
def test_settings_of_cuda(framework: str, variant: str, variables: dict[str, str]) -> None:
    """Each is set before its worker starts, and recorded by it."""
    (seat,) = seats(FRAMEWORKS[framework], [f"cuda[{variant}]"], "full")
    assert dict(seat.launch().environment) == variables
    assert set(variables) <= set(CHANGES_ARITHMETIC)
    assert Selection("quick", (framework,), devices=(f"cuda[{variant}]",)).seats() == [seat]


# --- adapters -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Paddle, Tinygrad])
def test_an_adapter_is_declared_as_it_should_be(kind: type) -> None:
    assert declaration.problems(kind) == []


@pytest.mark.parametrize("name", ["paddle", "tinygrad"])
def test_a_framework_that_is_absent_says_so(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """tinygrad alone is not enough: its CPU device compiles by clang."""
    framework = FRAMEWORKS[name]
    assert framework.optional and framework.install.startswith("pip install ")
    monkeypatch.setenv("CC", "no-such-compiler")
    if name == "paddle" and importlib.util.find_spec("paddle"):
        pytest.skip("PaddlePaddle is installed")
    with pytest.raises(FrameworkAbsent) as absent:
        Process(Seat(framework).launch())
    installed = name == "tinygrad" and importlib.util.find_spec("tinygrad")
    assert ("needs clang on the path" if installed else f"No module named '{name}'") in str(absent.value)


def _made(kind: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The adapter, under its variables, or a skip where its framework is not there."""
    if kind is Tinygrad and shutil.which("clang") is None:
        pytest.skip("tinygrad needs clang")
    for name, value in kind.environment_before.items():
        monkeypatch.setenv(name, value)
    try:
        return kind()
    except ImportError as error:
        pytest.skip(str(error))


class _Tensor:
    """As much of a tensor as a loss's shape needs."""

    def __init__(self, *shape: int) -> None:
        self.shape, self.ndim = shape, len(shape)

    def squeeze(self, axis: int) -> _Tensor:
        assert self.shape[axis] == 1
        return _Tensor(*np.delete(self.shape, axis))


class _PaddleOfSoftLabels:
    """Leaves the class axis of a loss where it was, as paddle does for soft labels."""

    def __init__(self) -> None:
        self.nn = self.functional = self
        self.given: dict[str, Any] = {}

    def cross_entropy(self, x: _Tensor, _: Any, axis: int = -1, **given: Any) -> _Tensor:
        self.given = given
        shape = list(x.shape)
        shape[axis] = 1
        return _Tensor(*shape)


def _paddle_door(name: str) -> Implementation:
    (door,) = [i for i in Paddle.implementations if i.name == f"paddle.nn.functional.{name}"]
    return door


def test_paddle_leaves_a_class_axis_of_length_one() -> None:
    fake = _PaddleOfSoftLabels()
    door = _paddle_door("cross_entropy:probabilities").call
    assert door(fake, _Tensor(2, 3), None).shape == (2,)
    assert door(fake, _Tensor(2, 3, 4), None, axis=1).shape == (2, 4)
    assert fake.given == {"soft_label": True, "reduction": "none"}
    assert _paddle_door("cross_entropy:indices").call(
        fake, _Tensor(2, 3), None, label_smoothing=0.1
    ).shape == (2,)


def test_paddle_is_not_asked_what_it_defines_otherwise() -> None:
    """Its weight of soft labels is another function, and smoothed indices are soft labels."""
    assert "weight" not in _paddle_door("cross_entropy:probabilities").takes
    with pytest.raises(Exception, match="another function"):
        _paddle_door("cross_entropy:indices").call(None, None, None, weight=1, label_smoothing=0.1)


@pytest.mark.parametrize("kind", [Paddle, Tinygrad])
def test_reductions_and_gradients(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two equal rows of two classes: the loss is log 2, its gradient a half of each sign."""
    adapter = _made(kind, monkeypatch)
    (i,) = [
        i
        for i in kind.implementations
        if i.operator == "sparse_softmax_cross_entropy" and {"ignore_index", "label_smoothing"} <= i.takes
    ]
    x, y = np.zeros((2, 2), np.float32), np.array([0, 1])
    mode = next(iter(adapter.modes))
    outputs = ("value", "grad_logits")
    found = adapter.run(Call(i, mode, "cpu", x, y, np.ones(2, np.float32), outputs))
    assert found["value"] == pytest.approx([np.log(2)] * 2)
    assert found["grad_logits"] == pytest.approx(np.array([[-0.5, 0.5], [0.5, -0.5]]))
    given = {"reduction": "mean", "ignore_index": 1}
    mean = adapter.run(Call(i, mode, "cpu", x, y, np.float32(1.0), outputs, keywords=given))
    assert mean["value"] == pytest.approx(np.log(2)) and mean["value"].shape == ()
    assert mean["grad_logits"] == pytest.approx(np.array([[-0.5, 0.5], [0.0, 0.0]]))
