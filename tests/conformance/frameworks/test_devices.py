"""Adapters of kernels, runtimes and other libraries: as declared, as absent, and what they hand over."""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ml_dtypes
import numpy as np
import polars as pl
import pytest

from tests.support import fakes_of_libraries as fakes
from tests.support import fakes_of_runtimes as runtimes
from tests.support.cli import conformance
from xent_conformance.asking.selection import Selection
from xent_conformance.decision.waivers import known_files, read_waivers
from xent_conformance.devices.variants import (
    EXECUTORCH_BACKEND,
    INTERPRET,
    LITERT_KERNELS,
    LOSS_PARALLEL,
    PRECISION,
)
from xent_conformance.discovery import problems as declaration
from xent_conformance.discovery.framework import FRAMEWORKS
from xent_conformance.discovery.seats import seats
from xent_conformance.frameworks.executorch import ExecuTorch
from xent_conformance.frameworks.interface import Array, Call, Implementation
from xent_conformance.frameworks.jax_sharded import JaxSharded
from xent_conformance.frameworks.language_models import Transformers, Trl, Verl
from xent_conformance.frameworks.liger import COMPILED, INTERPRETED, Liger
from xent_conformance.frameworks.litert import RESOLVERS, LiteRT
from xent_conformance.frameworks.loss_parallel import LossParallel, _alike
from xent_conformance.frameworks.megatron import Megatron
from xent_conformance.frameworks.ncnn import Ncnn
from xent_conformance.frameworks.onnx_webgpu import OnnxRuntimeWebGpu
from xent_conformance.frameworks.runtimes import OpenVino, Tract
from xent_conformance.frameworks.sklearn import SkLearn
from xent_conformance.frameworks.xgboost import XGBoost
from xent_conformance.reports.run.file import read_run
from xent_conformance.running.engine import run

KINDS: Mapping[str, Any] = {
    "liger": Liger,
    "loss-parallel": LossParallel,
    "jax-sharded": JaxSharded,
    "megatron": Megatron,
    "trl": Trl,
    "verl": Verl,
    "transformers": Transformers,
    "sklearn": SkLearn,
    "xgboost": XGBoost,
    "openvino": OpenVino,
    "tract": Tract,
    "onnxruntime-webgpu": OnnxRuntimeWebGpu,
    "ncnn": Ncnn,
    "executorch": ExecuTorch,
    "litert": LiteRT,
}
LABELS = {
    "liger": ["cpu[triton=interpret]"],
    "loss-parallel": [],  # of every installation of PyTorch: asked where it is named
    "jax-sharded": [],  # of every installation of JAX
    "megatron": ["cpu[mesh=tp4]"],
    "openvino": ["cpu[runtime=openvino,precision=f32]"],
    "tract": ["cpu[runtime=tract]"],
    "executorch": [f"cpu[runtime=executorch,backend={name}]" for name in ("portable", "xnnpack")],
    "litert": [f"cpu[runtime=litert,kernels={name}]" for name in ("xnnpack", "builtin", "reference")],
}


@pytest.mark.parametrize("name", list(KINDS))
def test_it_is_declared_as_it_should_be(name: str) -> None:
    framework = FRAMEWORKS[name]
    assert framework.adapter_class() is KINDS[name] and declaration.problems(KINDS[name]) == []
    assert framework.optional and framework.install.startswith("pip install ")


@pytest.mark.parametrize("name", list(LABELS))
def test_its_devices_are_settings(name: str) -> None:
    quick = [seat.device("cpu") for seat in seats(FRAMEWORKS[name], (), "quick")]
    assert quick == LABELS[name]
    assert list(seats(FRAMEWORKS[name], ["cpu"], "full")) == []
    first, *others = (seat.device("cpu") for seat in seats(FRAMEWORKS[name], (), "quick", by_name=True))
    assert first.startswith("cpu[") and others == quick[1:], "who is named is asked"


def test_a_default_run_of_what_make_installs_asks_none_of_them() -> None:
    """They are not installed by make; what PyTorch and JAX have by themselves is not asked unnamed."""
    for profile in ("quick", "standard"):
        assert not {"loss-parallel", "jax-sharded"} & {seat.name for seat in Selection(profile).seats()}


@pytest.mark.parametrize("name", [n for n in KINDS if n not in ("loss-parallel", "jax-sharded")])
def test_what_is_absent_says_so(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(INTERPRET, "1")
    kind = KINDS[name]
    try:
        importlib.metadata.version(kind.distribution)
    except importlib.metadata.PackageNotFoundError:
        with pytest.raises(ModuleNotFoundError):
            kind()
    else:
        pytest.skip(f"{kind.distribution} is installed")


def test_each_waiver_says_why() -> None:
    told = {w.framework: w for w in read_waivers(known_files()) if w.framework in KINDS}
    assert set(told) == set(KINDS) - {"xgboost"} and all(len(w.reason) > 40 for w in told.values())


SPARSE = "sparse_softmax_cross_entropy"


def _door(kind: Any, operator: str) -> Implementation:
    return next(i for i in kind.implementations if i.operator == operator)


def _call(
    adapter: Any,
    operator: str,
    x: Array,
    y: Array | None = None,
    *outputs: str,
    c: Array | None = None,
    **given: Any,
) -> Mapping[str, Array]:
    """What the adapter answers of these rows, in its first mode."""
    door = _door(type(adapter), operator)
    usual = np.ones(len(x) if operator == SPARSE else x.shape, x.dtype)
    absent = adapter.missing() if hasattr(adapter, "missing") else {}
    mode = next(m for m in adapter.modes if m not in absent)
    call = Call(door, mode, "cpu", x, y, usual if c is None else c, outputs or ("value",), keywords=given)
    return adapter.run(call)  # type: ignore[no-any-return]


X = np.array([[1.0, 2.0, 4.0], [0.5, -3.0, 0.0]])
Y = np.array([1, 0])
LOSS = fakes.losses(X, Y)
C = np.array([2.0, -0.5])
GRADIENT = (fakes.softmax(X) - np.eye(3)[Y]) * C[:, None]


# --- values and gradients of their own -----------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sklearn(dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Labels in the predictions' format; a cotangent is a sample weight; elements have one axis."""
    losses = {"HalfMultinomialLoss": fakes.HalfMultinomialLoss, "HalfBinomialLoss": fakes.HalfBinomialLoss}
    fakes.installed(monkeypatch, sklearn={"__version__": "1.9"}, sklearn___loss__loss=losses)
    adapter, x, c = SkLearn(), X.astype(dtype), C.astype(dtype)
    found = _call(adapter, SPARSE, np.asfortranarray(x), Y, "value", "grad_logits", c=c)
    assert found["value"] == pytest.approx(LOSS, rel=1e-6)
    assert found["grad_logits"] == pytest.approx(GRADIENT, rel=1e-5)
    z, c2 = np.array([[0, 1, 0.5], [1, 0, 0]], dtype), np.full((2, 3), 3, dtype)
    found = _call(adapter, "sigmoid_cross_entropy", x, z, "value", "grad_logits", c=c2)
    s = 1 / (1 + np.exp(-X))
    assert found["value"] == pytest.approx(np.logaddexp(0, X) - z * X, rel=1e-6)
    assert found["grad_logits"] == pytest.approx(3 * (s - z), rel=1e-5)
    assert _call(adapter, "softmax", x)["value"] == pytest.approx(fakes.softmax(X), rel=1e-6)
    assert _call(adapter, "sigmoid", x, c=x)["value"] == pytest.approx(s, rel=1e-6)


def test_xgboost(monkeypatch: pytest.MonkeyPatch) -> None:
    """A margin is the logits; elements are rows of their own."""
    fakes.installed(
        monkeypatch, xgboost={"__version__": "3", "DMatrix": fakes.DMatrix, "Booster": fakes.Booster}
    )
    adapter, x = XGBoost(), X.astype(np.float32)
    assert _call(adapter, "softmax", x)["value"] == pytest.approx(fakes.softmax(X), rel=1e-6)
    assert _call(adapter, "sigmoid", x, c=x)["value"] == pytest.approx(1 / (1 + np.exp(-X)), rel=1e-6)


# --- runtimes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_openvino(dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The precision is told; what NumPy has no name for goes and comes by its bits."""
    pytest.importorskip("onnx")
    fakes.installed(monkeypatch, openvino=fakes.OPENVINO)
    monkeypatch.setenv(PRECISION, "bf16")
    adapter, x = OpenVino(), X.astype(getattr(ml_dtypes, dtype, dtype))
    found = _call(adapter, "softmax", np.asfortranarray(x))["value"]
    assert found.dtype == x.dtype
    assert found.astype(float) == pytest.approx(fakes.softmax(X), abs=0.01)
    assert fakes.Core.told == [{"INFERENCE_PRECISION_HINT": "bf16", "INFERENCE_NUM_THREADS": 1}]
    assert _call(adapter, "sigmoid", np.array(0.0, x.dtype), c=np.array(1.0))["value"].shape == ()
    assert adapter.environment()["capabilities"] == "FP32, BF16"


def test_tract(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model for each shape: another shape is another model."""
    pytest.importorskip("onnx")
    fakes.installed(monkeypatch, tract={"onnx": fakes.TractOnnx})
    adapter, x = Tract(), X.astype(np.float32)
    for rows in (x, x[:1], x):
        assert _call(adapter, "softmax", rows)["value"] == pytest.approx(fakes.softmax(rows), rel=1e-6)
    assert len(adapter._sessions) == 2
    assert _call(adapter, "sigmoid", np.array(0.0, np.float32), c=np.array(1.0))["value"].shape == ()
    assert not [i for i in Tract.implementations if i.operator == "sparse_softmax_cross_entropy"]


@pytest.mark.parametrize(("kernels", "resolver"), RESOLVERS.items())
def test_litert(kernels: str, resolver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model of one operator for each shape and format; none is asked again that has failed."""
    fakes.installed(monkeypatch, **runtimes.litert())
    monkeypatch.setenv(LITERT_KERNELS, kernels)
    adapter, x = LiteRT(), X.astype(np.float32)
    assert adapter.environment()["resolver"] == resolver
    for rows in (x, x[:1], np.asfortranarray(x), x.astype(np.float16)):
        assert _call(adapter, "softmax", rows)["value"] == pytest.approx(fakes.softmax(rows), rel=1e-2)
    assert runtimes.Interpreter.told == [(resolver, 1)] * 3
    log, s = np.log(fakes.softmax(X)), 1 / (1 + np.exp(-X))
    assert _call(adapter, "log_softmax", x)["value"] == pytest.approx(log, rel=1e-5)
    assert _call(adapter, "sigmoid", x)["value"] == pytest.approx(s, rel=1e-5)
    with pytest.raises(RuntimeError, match="failed to invoke"):
        _call(adapter, "softmax", np.full_like(x, np.nan))
    assert _call(adapter, "softmax", x)["value"] == pytest.approx(fakes.softmax(X), rel=1e-5)
    assert len(runtimes.Interpreter.told) == 6


@pytest.mark.parametrize("backend", ["portable", "xnnpack"])
def test_executorch(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One program for many shapes; another where memory was planned for less."""
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.export, "export", runtimes.Exported)
    fakes.installed(monkeypatch, **runtimes.executorch())
    monkeypatch.setenv(EXECUTORCH_BACKEND, backend)
    adapter, x = ExecuTorch(), X.astype(np.float32)
    assert runtimes.Threads.count == 1
    first = _call(adapter, SPARSE, x, Y)["value"]
    again = _call(adapter, SPARSE, np.asfortranarray(x[::-1]), Y[::-1].copy())["value"]
    assert first == pytest.approx(LOSS, rel=1e-5) and again == pytest.approx(LOSS[::-1], rel=1e-5)
    wide = np.zeros((2, 4096), np.float32)
    for rows, labels in ((x[:1], Y[:1]), (wide, Y), (np.zeros((4, 7), np.float32), np.arange(4))):
        assert _call(adapter, SPARSE, rows, labels)["value"].shape == (len(rows),)
    assert len(runtimes.Lowered.made) == 2
    assert runtimes.Lowered.made[0][1] == (["xnnpack"] if backend == "xnnpack" else [])
    with pytest.raises(RuntimeError, match="0x12"):
        _call(adapter, SPARSE, np.full_like(x, np.nan), Y)
    assert _call(adapter, SPARSE, x, Y)["value"] == pytest.approx(LOSS, rel=1e-5)
    assert len(runtimes.Lowered.made) == 3, "none follows a call that has failed"
    bce, z = "sigmoid_cross_entropy", np.array([[0, 1, 0], [1, 0, 0]])
    found = _call(adapter, bce, x, z.astype(np.float32))["value"]
    assert found == pytest.approx(np.logaddexp(0, X) - z * X, rel=1e-5)
    with pytest.raises(RuntimeError, match="can't be cast"):
        _call(adapter, bce, x, z.astype(np.int32))  # as PyTorch does
    for shape in ((), (3,), (2, 3, 4)):
        assert _call(adapter, "sigmoid", np.zeros(shape, np.float32))["value"].shape == shape
    assert len(runtimes.Lowered.made) == 7, "a program is of its formats and of its number of axes"
    half = x.astype(ml_dtypes.bfloat16)
    assert _call(adapter, "sigmoid", half)["value"].dtype == half.dtype


# --- on PyTorch -------------------------------------------------------------------------------------------


def _liger(monkeypatch: pytest.MonkeyPatch) -> Any:
    torch = pytest.importorskip("torch")
    functional = {
        "liger_cross_entropy": lambda x, y, **given: torch.nn.functional.cross_entropy(x, y, **given),
        "liger_softmax": lambda x: torch.softmax(x, -1),
    }
    fakes.installed(
        monkeypatch, triton={"__version__": "3"}, liger_kernel__transformers__functional=functional
    )
    return Liger()


def test_liger_in_an_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(INTERPRET, "1")
    adapter, x, c = _liger(monkeypatch), X.astype(np.float32), C.astype(np.float32)
    assert adapter.devices() == ["cpu"] and set(adapter.missing()) == {COMPILED}
    found = _call(adapter, SPARSE, x, Y, "value", "grad_logits", c=c)
    assert found["value"] == pytest.approx(LOSS, rel=1e-5)
    assert found["grad_logits"] == pytest.approx(GRADIENT, rel=1e-4)
    ignored = _call(adapter, SPARSE, x, Y, c=np.array(1, np.float32), reduction="sum", ignore_index=1)
    assert ignored["value"] == pytest.approx(LOSS[1], rel=1e-5)
    assert _call(adapter, "softmax", x)["value"] == pytest.approx(fakes.softmax(X), rel=1e-5)
    assert adapter.environment()["triton"] == "3, interpreted"


def test_liger_without_an_interpreter_needs_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(INTERPRET, raising=False)
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ImportError, match="needs a GPU here, or Triton's interpreter"):
        _liger(monkeypatch)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    adapter = _liger(monkeypatch)
    assert adapter.devices() == ["cuda:0", "cuda:1"] and set(adapter.missing()) == {INTERPRETED}


def test_language_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """TRL's and verl's are log-probabilities; Transformers' a mean, or a sum over a number of items."""
    torch = pytest.importorskip("torch")

    def selective(logits: Any, index: Any, temperature: float = 1.0) -> Any:
        return torch.log_softmax(logits / temperature, -1).gather(-1, index[:, None]).squeeze(-1)

    def causal(
        logits: Any,
        labels: Any,
        vocab_size: int,
        num_items_in_batch: Any,
        ignore_index: int,
        shift_labels: Any,
    ) -> Any:
        assert labels is None and vocab_size == logits.shape[-1]
        how = "mean" if num_items_in_batch is None else "sum"
        loss = torch.nn.functional.cross_entropy(
            logits.float(), shift_labels, ignore_index=ignore_index, reduction=how
        )
        return loss / (num_items_in_batch or 1)

    fakes.installed(
        monkeypatch,
        trl__trainer__utils={"selective_log_softmax": selective},
        verl__utils__torch_functional={
            "logprobs_from_logits": selective,
            "logprobs_from_logits_naive": lambda logits, labels: torch.zeros_like(logits[..., 0]),
        },
        transformers__loss__loss_utils={"ForCausalLMLoss": causal},
    )
    x, c = X.astype(np.float32), C.astype(np.float32)
    for adapter in (Trl(), Transformers(), Verl()):
        found = _call(adapter, SPARSE, x, Y, "value", "grad_logits", c=c)
        assert found["value"] == pytest.approx(LOSS, rel=1e-5)
        assert found["grad_logits"] == pytest.approx(GRADIENT, rel=1e-4)
    warm = _call(Trl(), SPARSE, x, Y, temperature=2.0)["value"]
    assert warm == pytest.approx(fakes.losses(X / 2, Y), rel=1e-5)
    one = np.array(1, np.float32)
    assert _call(Transformers(), SPARSE, x, Y, c=one, reduction="mean")["value"] == pytest.approx(LOSS.mean())
    kept = _call(Transformers(), SPARSE, x, Y, c=one, reduction="sum", ignore_index=0)["value"]
    assert kept == pytest.approx(LOSS[0])
    none = np.zeros((0, 3), np.float32)
    assert _call(Transformers(), SPARSE, none, Y[:0], c=none[:, 0])["value"].shape == (0,)


# --- ranks in one process -----------------------------------------------------------------------------------


def test_what_ranks_hold_alike_is_alike() -> None:
    torch = pytest.importorskip("torch")
    nan, one = torch.tensor([float("nan"), 0.0]), torch.tensor([1.0, 0.0])
    held = SimpleNamespace(_local_tensors={0: nan, 1: nan.clone()})
    assert _alike(torch, held) is nan
    for other in (one, torch.tensor([float("nan"), -0.0])):
        with pytest.raises(RuntimeError, match="not the same on each of them"):
            _alike(torch, SimpleNamespace(_local_tensors={0: nan, 1: other}))


def test_classes_over_four_ranks(tmp_path: Path) -> None:
    """Ten classes are shards of three, and one of one; log-softmax alone has an identity for its gradient."""
    pytest.importorskip("torch.distributed._local_tensor")
    device = "cpu[mesh=tp4]"
    asked = Selection(
        "quick", ("loss-parallel",), dtypes=("float32",), families=("ordinary",), devices=(device,)
    )
    found = run(asked, tmp_path / "run.parquet")
    of = found.verdicts.filter((pl.col("n") > 1) & (pl.col("device") == device))
    loss = of.filter(pl.col("operator") == "sparse_softmax_cross_entropy")
    assert loss.height > 20 and not (loss["status"] == "breaks_must").any()
    lone = of.filter((pl.col("operator") == "log_softmax") & (pl.col("output") == "grad_logits"))
    assert (lone["status"] == "breaks_must").any() and "the-cotangent-itself" in found.causes
    (worker,) = read_run(tmp_path / "run.parquet").header["frameworks"]
    assert worker["environment"]["ranks"] == "4"
    assert worker["setting"] == LOSS_PARALLEL["mesh=tp4"].told() and worker["setting"]["transfers"]


def test_classes_over_eight_devices(tmp_path: Path) -> None:
    """Ten classes are two a device, of which three have none but padding."""
    pytest.importorskip("jax")
    device = "cpu[devices=8]"
    asked = Selection(
        "quick", ("jax-sharded",), dtypes=("float32",), families=("ordinary",), devices=(device,)
    )
    found = run(asked, tmp_path / "run.parquet").verdicts
    assert set(found["device"]) == {device} and found["implementation"].n_unique() == 3
    assert found.filter(pl.col("n") == 10).height > 50 and not (found["status"] == "breaks_must").any()


def test_a_doctor_asks_a_mesh_that_is_named() -> None:
    pytest.importorskip("torch.distributed._local_tensor")
    device = "cpu[mesh=tp2]"
    done = conformance("doctor", "--framework", "loss-parallel", "--device", device, "--format", "json")
    (record,) = json.loads(done.stdout)["devices"]
    assert record["device"] == device and set(record["formats"].values()) == {"conforms"}
