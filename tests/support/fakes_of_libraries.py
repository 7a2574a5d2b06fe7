"""Stand-ins for libraries that a machine of tests has not: their names and signatures, NumPy's numbers.

What an adapter hands over is checked where the library would refuse it, or read past its end.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest


def installed(monkeypatch: pytest.MonkeyPatch, **modules: Any) -> None:
    """Modules by their names, with ``__`` for a dot; the packages above them are there too."""
    for name, content in modules.items():
        parts = name.split("__")
        for i in range(1, len(parts) + 1):
            dotted = ".".join(parts[:i])
            if dotted not in sys.modules or i == len(parts):
                monkeypatch.setitem(sys.modules, dotted, ModuleType(dotted))
            if i > 1:
                above = sys.modules[".".join(parts[: i - 1])]
                monkeypatch.setattr(above, parts[i - 1], sys.modules[dotted], raising=False)
        for key, value in content.items():
            monkeypatch.setattr(sys.modules[".".join(parts)], key, value, raising=False)


def losses(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """``−log s_y`` of each row."""
    shifted = x - x.max(axis=1, keepdims=True)
    rows = np.arange(len(x))
    return np.log(np.exp(shifted).sum(axis=1)) - shifted[rows, y]


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


# --- scikit-learn --------------------------------------------------------------------------------------


class HalfMultinomialLoss:
    """Labels come in the format of the predictions, a number a row."""

    def __init__(self, n_classes: int) -> None:
        self.n_classes = n_classes

    def loss(self, y_true: np.ndarray, raw_prediction: np.ndarray, n_threads: int) -> np.ndarray:
        assert y_true.dtype == raw_prediction.dtype and raw_prediction.shape[1] == self.n_classes
        return losses(raw_prediction, y_true.astype(int))

    def gradient(
        self, y_true: np.ndarray, raw_prediction: np.ndarray, sample_weight: np.ndarray, n_threads: int
    ) -> np.ndarray:
        assert sample_weight.shape == y_true.shape and sample_weight.flags.c_contiguous
        s = softmax(raw_prediction)
        s[np.arange(len(s)), y_true.astype(int)] -= 1
        return s * sample_weight[:, None]

    def predict_proba(self, raw_prediction: np.ndarray) -> np.ndarray:
        return softmax(raw_prediction)


class HalfBinomialLoss:
    """Predictions and labels have one axis."""

    def loss(self, y_true: np.ndarray, raw_prediction: np.ndarray, n_threads: int) -> np.ndarray:
        assert y_true.ndim == raw_prediction.ndim == 1
        return np.logaddexp(0, raw_prediction) - y_true * raw_prediction

    def gradient(
        self, y_true: np.ndarray, raw_prediction: np.ndarray, sample_weight: np.ndarray, n_threads: int
    ) -> np.ndarray:
        return sample_weight * (1 / (1 + np.exp(-raw_prediction)) - y_true)

    def predict_proba(self, raw_prediction: np.ndarray) -> np.ndarray:
        s = 1 / (1 + np.exp(-raw_prediction))
        return np.stack([1 - s, s], axis=1)


# --- XGBoost ---------------------------------------------------------------------------------------------


class DMatrix:
    """Some feature has to be there, and margins are binary32."""

    def __init__(self, data: np.ndarray, nthread: int) -> None:
        assert data.shape[1] > 0
        self.rows = len(data)

    def set_base_margin(self, margin: np.ndarray) -> None:
        assert margin.dtype == np.float32 and len(margin) == self.rows
        self.margin = margin


class Booster:
    def __init__(self, params: dict[str, Any], cache: list[DMatrix]) -> None:
        self.params, self.cache = params, cache

    def predict(self, matrix: DMatrix) -> np.ndarray:
        assert matrix in self.cache
        if self.params["objective"] == "multi:softprob":
            assert self.params["num_class"] == matrix.margin.shape[1]
            return softmax(matrix.margin)
        return 1 / (1 + np.exp(-matrix.margin))


# --- runtimes of ONNX models -------------------------------------------------------------------------------


def evaluated(model: bytes, feeds: list[np.ndarray]) -> np.ndarray:
    """By the standard's own evaluator, inputs in their order."""
    import onnx
    import onnx.reference

    read = onnx.load_from_string(model)
    named = dict(zip((i.name for i in read.graph.input), feeds, strict=True))
    (value,) = onnx.reference.ReferenceEvaluator(read).run(None, named)
    return np.asarray(value)


class Core:
    """OpenVINO's: what it was told of each model is kept."""

    told: list[dict[str, Any]]

    def __init__(self) -> None:
        Core.told = []

    def get_property(self, device: str, name: str) -> list[str]:
        return ["FP32", "BF16"]

    def read_model(self, model: bytes) -> bytes:
        return model

    def compile_model(self, model: bytes, device: str, told: dict[str, Any]) -> Any:
        Core.told.append(told)
        return SimpleNamespace(create_infer_request=lambda: _Request(model))


class _Request:
    def __init__(self, model: bytes) -> None:
        self.model = model

    def infer(self, feeds: dict[str, Tensor]) -> None:
        self.found = evaluated(self.model, [tensor.data for tensor in feeds.values()])

    def get_output_tensor(self, _: int) -> Tensor:
        return Tensor(self.found)


class Tensor:
    """A tensor of bfloat16 is given by its bits, its shape and its type; and comes back as some 16 bits."""

    def __init__(self, array: np.ndarray, shape: Any = None, kind: str = "") -> None:
        import ml_dtypes

        assert array.flags.c_contiguous
        self.data, self.element_type = array, kind
        if kind == "bf16":
            assert list(shape) == list(array.shape)
            self.data = array.view(ml_dtypes.bfloat16)
        elif array.dtype == ml_dtypes.bfloat16:
            self.data, self.element_type = array.view(np.float16), "bf16"


OPENVINO = {"Core": Core, "Tensor": Tensor, "Shape": list, "Type": SimpleNamespace(bf16="bf16")}


class TractOnnx:
    """tract's: a file of one model, of one shape."""

    def load(self, file: str) -> Any:
        model = Path(file).read_bytes()
        runnable = SimpleNamespace(
            run=lambda feeds: [SimpleNamespace(to_numpy=lambda: evaluated(model, feeds))]
        )
        return SimpleNamespace(into_model=lambda: SimpleNamespace(into_runnable=lambda: runnable))


# --- on a GPU's API ------------------------------------------------------------------------------------


class WebGpuSession:
    """ONNX Runtime's: how it was made is kept; without a driver there is no adapter."""

    made: list[dict[str, Any]]
    lacks: str = ""

    def __init__(self, model: bytes, options: Any, providers: list[str], enable_fallback: int) -> None:
        if self.lacks:
            raise RuntimeError(self.lacks)
        self.model = model
        WebGpuSession.made.append({"providers": providers, "fallback": enable_fallback, **options.entries})

    def run(self, _names: None, feeds: dict[str, np.ndarray]) -> list[np.ndarray]:
        return [evaluated(self.model, list(feeds.values()))]


def onnxruntime_webgpu(lacks: str = "") -> dict[str, Any]:
    """The module, in which WebGPU finds nothing where ``lacks`` says what it says then."""
    WebGpuSession.made, WebGpuSession.lacks = [], lacks

    def options() -> Any:
        entries: dict[str, str] = {}
        return SimpleNamespace(entries=entries, add_session_config_entry=entries.__setitem__)

    return {
        "__version__": "1.27.0",
        "get_available_providers": lambda: ["WebGpuExecutionProvider", "CPUExecutionProvider"],
        "SessionOptions": options,
        "InferenceSession": WebGpuSession,
    }


class Mat:
    """ncnn's: of binary32, and in C order; what is not a clone is somebody else's memory."""

    def __init__(self, array: np.ndarray, own: bool = False) -> None:
        assert array.dtype == np.float32 and array.flags.c_contiguous and array.ndim
        self.array, self.own = array, own

    def clone(self) -> Mat:
        return Mat(self.array.copy(), own=True)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return self.array


class Net:
    """ncnn's: it computes the layers of the text that it was given, in binary16 where its options say so."""

    nets: list[Net]
    code = 0

    def __init__(self) -> None:
        self.opt = SimpleNamespace()
        self.device = -1
        Net.nets.append(self)

    def set_vulkan_device(self, number: int) -> None:
        self.device = number

    def load_param_mem(self, text: str) -> int:
        magic, counts, first, *layers = text.splitlines()
        assert (magic, first) == ("7767517", "Input in 0 1 b0")
        assert counts.split() == [str(len(layers) + 1)] * 2
        self.layers = [layer.split() for layer in layers]
        return 0

    def load_model(self, _reader: Any) -> int:
        return 0

    def create_extractor(self) -> Any:
        blobs: dict[str, np.ndarray] = {}

        def put(name: str, mat: Mat) -> int:
            assert mat.own, "a layer computes in place"
            blobs[name] = mat.array
            return Net.code

        def extract(name: str) -> tuple[int, Mat]:
            half = np.float16 if self.opt.use_fp16_storage else np.float32
            for kind, _name, _, _, below, above, *given in self.layers:
                of = dict(pair.split("=") for pair in given)
                blobs[above] = _layer(kind, of, blobs[below]).astype(half).astype(np.float32)
            return 0, Mat(np.ascontiguousarray(blobs[name]))

        return SimpleNamespace(input=put, extract=extract)


def _layer(kind: str, of: dict[str, str], x: np.ndarray) -> np.ndarray:
    if kind == "Softmax":
        assert of["1"] == "1"  # else an axis is another one
        e = np.exp(x - x.max(int(of["0"]), keepdims=True))
        return e / e.sum(int(of["0"]), keepdims=True)
    if kind == "Reduction":
        number, *axes = map(int, of["-23303"].split(","))
        assert (of["0"], of["1"], of["5"], number) == ("10", "0", "1", len(axes))
        return np.log(np.exp(x).sum(tuple(axes), keepdims=of["4"] == "1"))
    if kind == "UnaryOp":
        assert of["0"] == "8"
        return np.log(x)
    assert kind == "Sigmoid"
    return 1 / (1 + np.exp(-x))


def ncnn(*kinds_of_devices: int) -> dict[str, Any]:
    """The module, where Vulkan has devices of these types."""
    Net.nets, Net.code = [], 0

    def gpu(i: int) -> Any:
        return SimpleNamespace(
            type=lambda: kinds_of_devices[i], device_name=lambda: "llvmpipe", driver_version=lambda: 1
        )

    return {
        "Net": Net,
        "Mat": Mat,
        "DataReaderFromEmpty": object,
        "get_gpu_count": lambda: len(kinds_of_devices),
        "get_gpu_info": gpu,
    }
