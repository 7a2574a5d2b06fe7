"""Runtimes that speak to a GPU: on a driver that computes on the CPU, and without one."""

from __future__ import annotations

import importlib.metadata
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support import fakes_of_libraries as fakes
from xent_conformance.asking.questions import questions
from xent_conformance.cases.corpus import batches_of
from xent_conformance.cases.families.ordinary import ORDINARY
from xent_conformance.devices.variants import DRIVER, NCNN, NCNN_PRECISION
from xent_conformance.discovery.framework import FRAMEWORKS
from xent_conformance.discovery.problems import problems
from xent_conformance.discovery.seats import seats
from xent_conformance.frameworks import vulkan
from xent_conformance.frameworks.interface import Array, Call, NotOffered
from xent_conformance.frameworks.ncnn import FP16, LOG, LOGSUMEXP, Ncnn, _narrowed, net_of
from xent_conformance.frameworks.onnx_webgpu import OnnxRuntimeWebGpu
from xent_conformance.reference.formats import FORMATS
from xent_conformance.reference.operators import OPERATORS

GPU, SOFTWARE = 0, 3
X = np.array([[1.0, 2.0, 4.0], [0.5, -3.0, 0.0]], np.float32)


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """SwiftShader's manifest, in the one folder that there is; nothing is chosen yet."""
    for name in (DRIVER, NCNN_PRECISION, vulkan.CHOSEN, vulkan.DISABLED):
        monkeypatch.setenv(name, "")  # what an adapter sets is taken back
        monkeypatch.delenv(name)
    monkeypatch.setattr(vulkan.choose, "__defaults__", ((tmp_path,),))
    file = tmp_path / "vk_swiftshader_icd.json"
    told = {"library_path": "./libvk_swiftshader.so", "api_version": "1.0.5"}
    file.write_text(json.dumps({"ICD": told}), encoding="utf-8")
    return file


def _answer(adapter: Any, operator: str, x: Array, shape: tuple[int, ...], **given: Any) -> Array:
    (door,) = [i for i in type(adapter).implementations if i.operator == operator]
    device = adapter.devices()[-1]
    call = Call(door, "eager", device, x, None, np.ones(shape, x.dtype), ("value",), keywords=given)
    found: Mapping[str, Array] = adapter.run(call)
    return found["value"]


def _asked(name: str, device: str, dtype: str) -> tuple[int, int]:
    """How many outputs are asked of a seat, and how many are withheld."""
    (seat,) = seats(FRAMEWORKS[name], (device,), "quick")
    (batch,) = batches_of(OPERATORS["softmax"], ORDINARY, FORMATS[dtype], 10)
    doors = [i.name for i in seat.declaration.implementations]
    found = questions(seat, batch, [device.partition("[")[0]], doors, "quick")
    return sum(len(q.outputs) for q in found), sum(len(q.withheld) for q in found)


# --- which driver --------------------------------------------------------------------------------------


def test_a_driver_that_is_named_is_the_only_one(driver: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DRIVER, "swiftshader")
    assert vulkan.choose() == driver and os.environ[vulkan.CHOSEN] == str(driver)
    assert vulkan.DISABLED not in os.environ


def test_without_one_no_driver_of_the_cpu_passes_for_a_gpu(driver: Path) -> None:
    assert vulkan.choose() is None and vulkan.CHOSEN not in os.environ
    assert os.environ[vulkan.DISABLED] == "*vk_swiftshader_icd*,*lvp_icd*"


def test_a_driver_that_is_absent_says_who_brings_it(driver: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DRIVER, "lavapipe")
    monkeypatch.setenv(vulkan.CHOSEN, str(driver))  # another one
    with pytest.raises(
        ImportError, match=r"lavapipe, a driver of Vulkan, is not here: .*mesa-vulkan-drivers"
    ):
        vulkan.choose()
    elsewhere = driver.with_name("lvp_icd.x86_64.json")
    elsewhere.touch()
    monkeypatch.setenv(vulkan.CHOSEN, f"{driver}{os.pathsep}{elsewhere}")
    assert vulkan.manifest("lavapipe", ()) == elsewhere


def test_a_driver_is_described_by_its_bits(driver: Path) -> None:
    assert vulkan.described(driver) == "SwiftShader, Vulkan 1.0.5"
    driver.with_name("libvk_swiftshader.so").write_bytes(b"one build")
    one = vulkan.described(driver)
    driver.with_name("libvk_swiftshader.so").write_bytes(b"another")
    assert one.startswith("SwiftShader, Vulkan 1.0.5, libvk_swiftshader.so ") != vulkan.described(driver)
    assert one != vulkan.described(driver)


# --- ONNX Runtime on WebGPU ----------------------------------------------------------------------------


def _webgpu(monkeypatch: pytest.MonkeyPatch, lacks: str = "") -> OnnxRuntimeWebGpu:
    pytest.importorskip("onnx")
    monkeypatch.setattr(importlib.metadata, "version", lambda name: f"1.27 of {name}")
    fakes.installed(monkeypatch, onnxruntime=fakes.onnxruntime_webgpu(lacks))
    return OnnxRuntimeWebGpu()


def test_webgpu_answers_alone(driver: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing falls back to the CPU, neither a node nor a session."""
    monkeypatch.setenv(DRIVER, "swiftshader")
    adapter = _webgpu(monkeypatch)
    assert adapter.version() == "1.27 of onnxruntime-webgpu" and adapter.devices() == ["webgpu"]
    assert adapter.environment()["vulkan driver"] == "SwiftShader, Vulkan 1.0.5"
    assert _answer(adapter, "softmax", X, X.shape) == pytest.approx(fakes.softmax(X), rel=1e-6)
    told = {"providers": ["WebGpuExecutionProvider"], "fallback": 0}
    entry = {"session.disable_cpu_ep_fallback": "1"}
    assert fakes.WebGpuSession.made == [{**told, **entry}] * 2  # the first is whether it starts
    assert {i.operator for i in adapter.implementations} == {"softmax", "logsumexp", "sigmoid"}


def test_webgpu_that_does_not_start_says_why(driver: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ImportError, match=r"on a GPU here \(--device 'webgpu\[swiftshader\]' asks .*No supp"):
        _webgpu(monkeypatch, "No supported adapters")
    monkeypatch.setenv(DRIVER, "swiftshader")
    with pytest.raises(ImportError, match=r"on SwiftShader, Vulkan 1.0.5: No supp"):
        _webgpu(monkeypatch, "No supported adapters")


@pytest.mark.parametrize(
    ("device", "dtype", "asked"),
    [
        ("webgpu[swiftshader]", "float32", True),
        ("webgpu[swiftshader]", "float16", False),
        ("webgpu", "float16", True),  # a GPU has it, or says that it has not
        ("webgpu", "float64", False),
    ],
)
def test_half_precision_is_not_offered_on_one_driver(device: str, dtype: str, asked: bool) -> None:
    assert _asked("onnxruntime-webgpu", device, dtype) == ((1, 0) if asked else (0, 1))


# --- ncnn ------------------------------------------------------------------------------------------------


def test_a_net_is_text() -> None:
    layers = (("Softmax", "0=-1 1=1"), ("UnaryOp", f"0={LOG}"), ("Sigmoid", ""))
    assert net_of(layers).splitlines() == [
        "7767517", "4 4", "Input in 0 1 b0", "Softmax l1 1 1 b0 b1 0=-1 1=1", "UnaryOp l2 1 1 b1 b2 0=8",
        "Sigmoid l3 1 1 b2 b3",
    ]  # fmt: skip
    assert LOGSUMEXP == 10


def test_ncnn_on_the_cpu(driver: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In binary32, on one thread, whatever it takes by itself; of devices those that are GPUs."""
    fakes.installed(monkeypatch, ncnn=fakes.ncnn(SOFTWARE, GPU))
    adapter = Ncnn()
    assert adapter.devices() == ["cpu", "vulkan:1"]
    x = np.asfortranarray(X)
    for operator, shape, right, given in (
        ("softmax", (2, 3), fakes.softmax(X), {}),
        ("log_softmax", (2, 3), np.log(fakes.softmax(X)), {"axis": -1}),
        ("logsumexp", (2,), np.log(np.exp(X).sum(1)), {}),
        ("logsumexp", (), np.log(np.exp(X).sum()), {"axis": None}),
        ("logsumexp", (1, 3), np.log(np.exp(X).sum(0))[None], {"axis": (0,), "keepdims": True}),
        ("sigmoid", (2, 3), 1 / (1 + np.exp(-X)), {}),
    ):
        assert _answer(adapter, operator, x, shape, **given) == pytest.approx(right, rel=1e-5)
    assert _answer(adapter, "sigmoid", np.array(0, np.float32), ()).shape == ()
    vulkan_nets = [net for net in fakes.Net.nets if net.opt.use_vulkan_compute]
    assert len(vulkan_nets) == len(fakes.Net.nets) == 6, "one net a question, kept"
    assert all(net.device == 1 and net.opt.num_threads == 1 for net in vulkan_nets)
    assert not any(getattr(net.opt, option) for net in fakes.Net.nets for option in FP16)


def test_ncnn_in_binary16(driver: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers go and come in binary32, and are those of binary16."""
    driver.with_name("lvp_icd.x86_64.json").touch()
    for name, value in NCNN["lavapipe,fp16"].environment.items():
        monkeypatch.setenv(name, value)
    fakes.installed(monkeypatch, ncnn=fakes.ncnn(SOFTWARE))
    adapter, x = Ncnn(), X.astype(np.float16)
    assert adapter.devices() == ["vulkan"] and adapter.environment()["vulkan driver"] == "llvmpipe 1"
    found = _answer(adapter, "softmax", x, x.shape)
    assert found.dtype == np.float16 and found.astype(float) == pytest.approx(fakes.softmax(X), rel=1e-3)
    (net,) = fakes.Net.nets
    assert net.opt.use_vulkan_compute and all(getattr(net.opt, option) for option in FP16)


def test_what_is_not_of_the_narrower_format_is_not_rounded_to_it() -> None:
    half = np.array([0.5, np.nan, np.inf, -0.0], np.float32)
    assert _narrowed(half, np.dtype(np.float16)).dtype == np.float16
    for wide in (0.1, 1e6, 1e-9):
        assert _narrowed(np.array([0.5, wide], np.float32), np.dtype(np.float16)).dtype == np.float32


def test_ncnn_that_fails_says_so(driver: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fakes.installed(monkeypatch, ncnn=fakes.ncnn())
    adapter = Ncnn()
    assert adapter.devices() == ["cpu"]
    monkeypatch.setattr(fakes.Net, "code", -100)
    with pytest.raises(RuntimeError, match="ncnn returned -100"):
        _answer(adapter, "sigmoid", X, X.shape)
    monkeypatch.setenv(DRIVER, "swiftshader")
    with pytest.raises(ImportError, match="Vulkan does not start on swiftshader"):
        Ncnn()


@pytest.mark.parametrize(
    ("device", "dtype", "asked"),
    [
        ("cpu", "float32", True),
        ("cpu", "float16", False),
        ("vulkan[lavapipe]", "float16", False),
        ("vulkan[lavapipe,fp16]", "float16", True),
        ("vulkan[lavapipe,fp16]", "float32", False),
        ("vulkan[fp16]", "float16", True),
        ("vulkan[swiftshader]", "bfloat16", False),
    ],
)
def test_each_format_is_asked_where_ncnn_computes_in_it(device: str, dtype: str, asked: bool) -> None:
    assert _asked("ncnn", device, dtype) == ((1, 0) if asked else (0, 1))


def test_a_setting_that_there_is_not_is_a_problem() -> None:
    class Misspelt(Ncnn):
        not_offered = (NotOffered("it says so, on page 7", variants=("", "lavapipe,fp32")),)

    (problem,) = problems(Misspelt)
    assert "variant in `not_offered`" in str(problem) and "lavapipe,fp16" in str(problem)
