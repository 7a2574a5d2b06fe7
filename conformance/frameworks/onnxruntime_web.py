"""ONNX Runtime Web in a browser, of the models of :mod:`xent_conformance.frameworks.onnx`. Values only.

It computes in WebAssembly on the CPU, by WebGPU and by WebGL; each is an entry point of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from xent_conformance.devices.variants import ONNXRUNTIME_WEB
from xent_conformance.frameworks.browser import Page, backend_of, devices, package
from xent_conformance.frameworks.interface import Array, Call, NotOffered
from xent_conformance.frameworks.onnx import Onnx, of_onnx

VERSION = "1.30.0"
"""What is installed where nobody says which."""

SESSION = """async ({ model, backend }) => {
  const ort = await import(`/onnxruntime-web/dist/ort.${backend}.min.mjs`);
  ort.env.wasm.numThreads = 1;
  // by the backend alone: what it has not would be WebAssembly's answer, without a word
  const extra = backend === "webgpu" ? { session: { disable_cpu_ep_fallback: "1" } } : {};
  const told = { executionProviders: [backend], logSeverityLevel: 4, extra };
  const session = await ort.InferenceSession.create(model.data, told);
  globalThis.asked ??= [];
  return asked.push({ ort, session }) - 1;
}"""

RUN = """async ({ number, feeds }) => {
  const { ort, session } = asked[number];
  const tensor = ({ dtype, shape, data }) => new ort.Tensor(dtype, data, shape);
  const given = Object.entries(feeds).map(([name, array]) => [name, tensor(array)]);
  const { f } = await session.run(Object.fromEntries(given));
  return { dtype: f.type, shape: f.dims, data: f.data };
}"""

_WEBGPU, _WEBGL = (
    tuple(name for name, variant in ONNXRUNTIME_WEB.items() if variant.device == kind)
    for kind in ("webgpu", "webgl")
)


class OnnxRuntimeWeb(Onnx):
    """Needs ``playwright`` and ``onnx``, npm's ``onnxruntime-web``, and Chromium; one thread."""

    name = "onnxruntime-web"
    distribution = "onnxruntime-web"
    imports: ClassVar[Sequence[str]] = ("onnx",)
    modes: ClassVar = {"eager": "quick"}
    implementations = of_onnx("onnxruntime-web")
    settings_only: ClassVar = frozenset({"cpu"})
    variants: ClassVar = ONNXRUNTIME_WEB
    states: ClassVar[Mapping[str, frozenset[str]]] = {"eager": frozenset({"other_between"})}
    not_offered: ClassVar[Sequence[NotOffered]] = (
        NotOffered(
            'WebAssembly has no kernel of these operators in bfloat16: "Could not find an implementation '
            'for …", and a GPU none (https://onnxruntime.ai/docs/tutorials/web/)',
            dtypes=("bfloat16",),
        ),
        NotOffered(
            "WebGPU's shaders have f32 and f16 (https://www.w3.org/TR/WGSL/#floating-point-types), WebGL's "
            "float of 32 bits: a node of another format is WebAssembly's, which is not asked there",
            dtypes=("float64",),
            variants=("", *_WEBGPU, *_WEBGL),
        ),
        NotOffered(
            "f16 is an optional feature of WebGPU (https://www.w3.org/TR/webgpu/#shader-f16), which "
            'SwiftShader has not: "requires f16 but the device does not support it"',
            dtypes=("float16",),
            variants=_WEBGPU,
        ),
        NotOffered(
            'its WebGL reads no tensor of float16: "unsupported data type: FLOAT16" '
            "(https://onnxruntime.ai/docs/tutorials/web/)",
            dtypes=("float16",),
            variants=_WEBGL,
        ),
        NotOffered(
            'WebGPU\'s provider has no kernel, "graph nodes that are assigned to the default CPU EP", and '
            'WebGL none, "cannot resolve operator" '
            "(https://github.com/microsoft/onnxruntime/blob/main/js/web/docs/webgl-operators.md)",
            implementations=("*:LogSoftmax", "*:SoftmaxCrossEntropyLoss"),
            variants=("", *_WEBGPU, *_WEBGL),
        ),
        NotOffered(
            "WebGL has no kernel of it: \"cannot resolve operator 'ReduceLogSumExp'\" "
            "(https://github.com/microsoft/onnxruntime/blob/main/js/web/docs/webgl-operators.md)",
            implementations=("*:ReduceLogSumExp",),
            variants=_WEBGL,
        ),
        NotOffered(
            "WebGL has no kernel of Where, which a mask is: \"cannot resolve operator 'Where'\" "
            "(https://github.com/microsoft/onnxruntime/blob/main/js/web/docs/webgl-operators.md)",
            manners=("around",),
            variants=_WEBGL,
        ),
    )

    def __init__(self) -> None:
        super().__init__()
        import onnx  # noqa: F401  # its absence is to be seen here

        self._version = package(self.distribution, VERSION)
        self._page = Page()
        self._devices = devices(self._page)
        self._backend = ""

    def version(self) -> str:
        return self._version

    def environment(self) -> Mapping[str, str]:
        gpus = {f"gpu of {device}": name for device, name in self._devices.items() if name}
        return {**super().environment(), "threads": "1", "browser": self._page.browser, **gpus}

    def devices(self) -> Sequence[str]:
        return list(self._devices)

    def run(self, call: Call) -> Mapping[str, Array]:
        self._backend = backend_of(call.device)
        self.shaped = self._backend == "webgl"  # where a size that a model leaves open fits no tensor
        return super().run(call)

    def _load(self, model: Any) -> int:
        number: int = self._page.ask(SESSION, model=model.SerializeToString(), backend=self._backend)
        return number

    def _answer(self, session: int, feeds: Mapping[str, Array]) -> Any:
        dense = {name: np.array(array, order="C") for name, array in feeds.items()}
        return self._page.ask(RUN, number=session, feeds=dense)
