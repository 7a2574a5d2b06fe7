"""Runtimes beside ONNX Runtime that read the same models: OpenVINO and tract. Values only.

The models are those of :mod:`xent_conformance.frameworks.onnx`, one node each.
"""

from __future__ import annotations

import importlib.metadata
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from xent_conformance.devices.variants import OPENVINO, PRECISION, TRACT
from xent_conformance.frameworks.interface import Array, NotOffered, dtype_of
from xent_conformance.frameworks.onnx import Onnx, of_onnx


class OpenVino(Onnx):
    """Needs ``openvino`` and ``onnx``; one thread. Its precision is a setting, which it is always told."""

    name = "openvino"
    distribution = "openvino"
    imports: ClassVar[Sequence[str]] = ("onnx", "openvino")
    modes: ClassVar = {"eager": "quick"}
    implementations = of_onnx("openvino")
    settings_only: ClassVar = frozenset({"cpu"})
    variants: ClassVar = OPENVINO
    states: ClassVar[Mapping[str, frozenset[str]]] = {"eager": frozenset({"other_between"})}
    not_offered: ClassVar[Sequence[NotOffered]] = (
        NotOffered(
            "the CPU plugin computes in FP32 or BF16 (OPTIMIZATION_CAPABILITIES), and a model of binary64 in "
            "one of them (https://docs.openvino.ai/2026/openvino-workflow/running-inference/"
            "inference-devices-and-modes/cpu-device.html)",
            dtypes=("float64",),
        ),
    )

    def __init__(self) -> None:
        super().__init__()
        import onnx  # noqa: F401  # its absence is to be seen here
        import openvino

        self._openvino, self._core = openvino, openvino.Core()

    def version(self) -> str:
        return importlib.metadata.version(self.distribution)

    def environment(self) -> Mapping[str, str]:
        able = ", ".join(self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"))
        return {**super().environment(), "threads": "1", "capabilities": able}

    def _load(self, model: Any) -> Any:
        told = {"INFERENCE_PRECISION_HINT": os.environ[PRECISION], "INFERENCE_NUM_THREADS": 1}
        read = self._core.read_model(model.SerializeToString())
        return self._core.compile_model(read, "CPU", told)

    def _answer(self, session: Any, feeds: Mapping[str, Array]) -> Any:
        request = session.create_infer_request()  # of its own: none follows a call that has failed
        request.infer({name: self._tensor(array) for name, array in feeds.items()})
        found = request.get_output_tensor(0)
        bits = np.array(found.data)
        if found.element_type == self._openvino.Type.bf16:  # which NumPy does not know
            return bits.view(dtype_of("bfloat16"))
        return bits

    def _tensor(self, array: Array) -> Any:
        own = np.array(array, order="C")  # of no axis too
        if array.dtype.name != "bfloat16":
            return self._openvino.Tensor(own)
        shape = self._openvino.Shape(list(array.shape))
        return self._openvino.Tensor(own.view(np.uint16), shape, self._openvino.Type.bf16)


class Tract(Onnx):
    """Needs ``tract`` and ``onnx``: a model of one shape, optimised."""

    name = "tract"
    distribution = "tract"
    imports: ClassVar[Sequence[str]] = ("onnx", "tract")
    modes: ClassVar = {"eager": "quick"}
    # it has no SoftmaxCrossEntropyLoss: "Operator can not be made a TypedOp"
    implementations = tuple(i for i in of_onnx("tract") if not i.name.endswith("Loss"))
    shaped = True
    settings_only: ClassVar = frozenset({"cpu"})
    variants: ClassVar = TRACT
    states: ClassVar[Mapping[str, frozenset[str]]] = {"eager": frozenset({"other_between"})}
    not_offered: ClassVar[Sequence[NotOffered]] = (
        NotOffered(
            'it reads no tensor of bfloat16: "translating to fact: Tensor { elem_type: Bfloat16, … }" '
            "(https://github.com/sonos/tract)",
            dtypes=("bfloat16",),
        ),
    )

    def __init__(self) -> None:
        super().__init__()
        import onnx  # noqa: F401  # its absence is to be seen here
        import tract

        self._tract = tract

    def version(self) -> str:
        return importlib.metadata.version(self.distribution)

    def _load(self, model: Any) -> Any:
        """It reads files alone."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "model.onnx"
            file.write_bytes(model.SerializeToString())
            read = self._tract.onnx().load(str(file))
        return read.into_model().into_runnable()

    def _answer(self, session: Any, feeds: Mapping[str, Array]) -> Any:
        (found,) = session.run([np.array(array, order="C") for array in feeds.values()])
        return found.to_numpy()
