"""ONNX Runtime on WebGPU, of the models of :mod:`xent_conformance.frameworks.onnx`. Values only.

WebGPU is Dawn's, which speaks to a GPU by Vulkan, Direct3D or Metal; a driver of Vulkan that computes on a
CPU runs the same shaders (:mod:`xent_conformance.frameworks.vulkan`).
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from xent_conformance.devices.variants import WEBGPU
from xent_conformance.frameworks.interface import Call, NotOffered
from xent_conformance.frameworks.onnx import OnnxRuntime, of_onnx
from xent_conformance.frameworks.vulkan import choose, described

PROVIDER = "WebGpuExecutionProvider"

ASKS_A_DRIVER = "--device 'webgpu[swiftshader]' asks a driver on the CPU"

HAS = frozenset({"Softmax", "ReduceLogSumExp", "Sigmoid"})
"""What the provider has a kernel of. A node of another operator falls back to the CPU, which is not asked."""


class OnnxRuntimeWebGpu(OnnxRuntime):
    """Needs ``onnxruntime-webgpu``, in the place of ``onnxruntime``, and ``onnx``; a GPU, or a driver."""

    name = "onnxruntime-webgpu"
    distribution = "onnxruntime-webgpu"
    imports: ClassVar[Sequence[str]] = ()  # of its module it is not the only owner
    modes: ClassVar = {"eager": "quick"}
    glances: ClassVar = {}
    states: ClassVar[Mapping[str, frozenset[str]]] = {"eager": frozenset({"other_between"})}
    implementations = tuple(i for i in of_onnx("onnxruntime-webgpu") if i.name.partition(":")[2] in HAS)
    variants: ClassVar = WEBGPU
    not_offered: ClassVar[Sequence[NotOffered]] = (
        NotOffered(
            "WebGPU's shaders have f32 and f16 (https://www.w3.org/TR/WGSL/#floating-point-types): a node of "
            'another format is the CPU\'s, "graph nodes that are assigned to the default CPU EP"',
            dtypes=("bfloat16", "float64"),
        ),
        NotOffered(
            "f16 is an optional feature of WebGPU (https://www.w3.org/TR/webgpu/#shader-f16), which "
            'SwiftShader has not: "requires f16 but the device does not support it"',
            dtypes=("float16",),
            variants=("swiftshader",),
        ),
    )

    def __init__(self) -> None:
        # the module is onnxruntime's, whichever of the two is installed
        self._version = importlib.metadata.version(self.distribution)
        self._driver = choose()
        super().__init__()
        if lacks := self._tried():
            where = f"on {described(self._driver)}" if self._driver else f"on a GPU here ({ASKS_A_DRIVER})"
            raise ImportError(f"WebGPU does not start {where}: {lacks}")

    def version(self) -> str:
        return self._version

    def environment(self) -> Mapping[str, str]:
        driver = {"vulkan driver": described(self._driver)} if self._driver else {}
        return {**super().environment(), **driver}

    def devices(self) -> Sequence[str]:
        return ["webgpu"]

    def _tried(self) -> str:
        """Why WebGPU does not answer at all; nothing where it does."""
        (sigmoid,) = (i for i in self.implementations if i.operator == "sigmoid")
        x = np.zeros(1, np.float32)
        try:
            self.run(Call(sigmoid, "eager", "webgpu", x, None, x, ("value",)))
        except Exception as error:  # noqa: BLE001  # whatever it raises is why
            return str(error)
        return ""

    def _load(self, model: Any) -> Any:
        """By the provider alone: what it has not would be the CPU's answer, without a word."""
        options = self._runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
        return self._runtime.InferenceSession(
            model.SerializeToString(), options, providers=[PROVIDER], enable_fallback=0
        )
