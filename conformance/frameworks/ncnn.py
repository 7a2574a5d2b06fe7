"""ncnn: its layers, one net each, on the CPU and by Vulkan. Values only.

A net is written as text (``7767517``, the counts, a line a layer) and read from memory. How a layer is
computed is for the net's options to say, and they are always told: by itself it takes fp16 and all cores.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from xent_conformance.devices.names import kind_of
from xent_conformance.devices.variants import DRIVER, NCNN, NCNN_PRECISION
from xent_conformance.frameworks.interface import Array, Call, Implementation, NotOffered
from xent_conformance.frameworks.onnx import axes_of
from xent_conformance.frameworks.vulkan import choose

CPU_DEVICE = 3
"""The type of a device that computes on the CPU: VK_PHYSICAL_DEVICE_TYPE_CPU."""

LOG, LOGSUMEXP = 8, 10
"""Numbers of operations of ``UnaryOp`` and of ``Reduction``."""

FP16 = ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic")
"""Options that ncnn has on by itself, where the device can."""

Layers = tuple[tuple[str, str], ...]
"""The type of each layer, and its parameters."""


def _softmax(axis: int = -1) -> Layers:
    return (("Softmax", f"0={axis} 1=1"),)


def _log_softmax(_library: Any, _rank: int, axis: int = -1) -> Layers:
    return (*_softmax(axis), ("UnaryOp", f"0={LOG}"))


def _logsumexp(_library: Any, rank: int, axis: Any = -1, keepdims: bool = False) -> Layers:
    axes = axes_of(axis, rank)
    listed = ",".join(map(str, (len(axes), *axes)))
    return (("Reduction", f"0={LOGSUMEXP} 1=0 -23303={listed} 4={int(keepdims)} 5=1"),)


def net_of(layers: Layers) -> str:
    """The text of a net: an input, and layers each of which takes what the one before it gives."""
    lines = ["Input in 0 1 b0"]
    lines += [f"{kind} l{i} 1 1 b{i - 1} b{i} {given}".rstrip() for i, (kind, given) in enumerate(layers, 1)]
    return "\n".join(["7767517", f"{len(lines)} {len(lines)}", *lines, ""])


class Ncnn:
    """Needs ``ncnn``; one thread."""

    name = "ncnn"
    distribution = "ncnn"
    imports: ClassVar[Sequence[str]] = ("ncnn",)
    modes: ClassVar = {"eager": "quick"}
    autodiff = False
    states: ClassVar[Mapping[str, frozenset[str]]] = {"eager": frozenset({"other_between"})}
    variants: ClassVar = NCNN
    implementations = (
        Implementation(
            "ncnn:Softmax", "softmax", "fused", lambda _library, _rank, axis=-1: _softmax(axis),
            takes=frozenset({"axis"}),
        ),
        Implementation(
            "ncnn:Softmax+UnaryOp", "log_softmax", "naive", _log_softmax,
            note="what pnnx, ncnn's converter, makes of log_softmax", takes=frozenset({"axis"}),
        ),
        Implementation(
            "ncnn:Reduction", "logsumexp", "fused", _logsumexp,
            note="operation 10, logsumexp", takes=frozenset({"axis", "axes", "keepdims"}),
        ),
        Implementation("ncnn:Sigmoid", "sigmoid", "fused", lambda _library, _rank: (("Sigmoid", ""),)),
    )  # fmt: skip
    not_offered: ClassVar[Sequence[NotOffered]] = (
        NotOffered(
            "a blob is of binary32, or of binary16 under the fp16 options "
            "(https://github.com/Tencent/ncnn/wiki/vulkan-notes): bits of another format are taken for those",
            dtypes=("bfloat16", "float64"),
        ),
        NotOffered(
            "without the fp16 options a blob is of binary32 "
            "(https://github.com/Tencent/ncnn/wiki/vulkan-notes)",
            dtypes=("float16",),
            variants=("", *(name for name, v in NCNN.items() if NCNN_PRECISION not in v.environment)),
        ),
        NotOffered(
            "under the fp16 options another format is converted to binary16, without a word "
            "(https://github.com/Tencent/ncnn/wiki/vulkan-notes)",
            dtypes=("float32",),
            variants=tuple(name for name, v in NCNN.items() if NCNN_PRECISION in v.environment),
        ),
    )

    def __init__(self) -> None:
        import ncnn

        choose()  # Vulkan is asked for its devices later
        self._ncnn = ncnn
        self._nets: dict[tuple[Layers, str], Any] = {}
        self._fp16 = os.environ.get(NCNN_PRECISION) == "fp16"
        self._driver = os.environ.get(DRIVER, "")
        if self._driver and not ncnn.get_gpu_count():
            raise ImportError(f"Vulkan does not start on {self._driver}: ncnn finds no device of it")

    def version(self) -> str:
        return importlib.metadata.version(self.distribution)

    def environment(self) -> Mapping[str, str]:
        found = [f"{gpu.device_name()} {gpu.driver_version()}" for gpu in self._gpus()]
        told = {"vulkan driver": ", ".join(found)} if found else {}
        return {"threads": "1", "machine": platform.machine(), **told}

    def devices(self) -> Sequence[str]:
        """The CPU, and GPUs by their numbers; of a driver that computes on the CPU, that."""
        if self._driver:
            return ["vulkan"]
        gpus = [i for i, gpu in enumerate(self._gpus()) if gpu.type() != CPU_DEVICE]
        return ["cpu", *(f"vulkan:{i}" for i in gpus)]

    def _gpus(self) -> list[Any]:
        return [self._ncnn.get_gpu_info(i) for i in range(self._ncnn.get_gpu_count())]

    def run(self, call: Call) -> Mapping[str, Array]:
        layers = call.implementation.call(self._ncnn, call.logits.ndim, **call.keywords)
        extractor = self._net(layers, call.device).create_extractor()
        # it knows no tensor without an axis, and reads any other bits as binary32
        given = np.array(call.logits, np.float32, order="C").reshape(call.logits.shape or (1,))
        # a blob of its own, as pnnx's scripts have it: layers compute in place
        said = extractor.input("b0", self._ncnn.Mat(given).clone())
        if said == 0:
            said, found = extractor.extract(f"b{len(layers)}")
        if said != 0:
            raise RuntimeError(f"ncnn returned {said}")
        return {"value": _narrowed(np.array(found).reshape(call.cotangent.shape), call.logits.dtype)}

    def _net(self, layers: Layers, device: str) -> Any:
        if (layers, device) not in self._nets:
            net = self._nets[layers, device] = self._ncnn.Net()
            net.opt.num_threads = 1
            net.opt.use_vulkan_compute = kind_of(device) == "vulkan"
            for option in FP16:
                setattr(net.opt, option, self._fp16)
            if net.opt.use_vulkan_compute:
                net.set_vulkan_device(int(device.partition(":")[2] or 0))
            if net.load_param_mem(net_of(layers)) or net.load_model(self._ncnn.DataReaderFromEmpty()):
                raise RuntimeError(f"ncnn does not read its own layers: {layers}")
        return self._nets[layers, device]


def _narrowed(found: Array, to: np.dtype[Any]) -> Array:
    """What was computed in a narrower format comes back in a wider one, whose numbers are that one's still.

    Those of which that is not so are left as they are, to be seen.
    """
    with np.errstate(over="ignore"):
        narrow = found.astype(to)
    return narrow if np.array_equal(narrow.astype(found.dtype), found, equal_nan=True) else found
