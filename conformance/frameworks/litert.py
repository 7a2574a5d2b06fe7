"""LiteRT, which was TensorFlow Lite: its operators, by whichever kernels it is told to use. Values only.

A model has one operator, and is written here in the schema that comes with the runtime: what a converter
would make of somebody's softmax, without one.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np

from xent_conformance.devices.variants import LITERT, LITERT_KERNELS
from xent_conformance.frameworks.interface import Array, Call, Implementation, NotOffered

RESOLVERS = {
    "xnnpack": "BUILTIN",
    "builtin": "BUILTIN_WITHOUT_DEFAULT_DELEGATES",
    "reference": "BUILTIN_REF",
}
"""By the kernels of a setting, what an interpreter is told to resolve operators by."""

FILE = b"TFL3"
"""What a model's file is known by; and its version of the schema."""
VERSION = 3


def _door(kind: str, operator: str, class_axis: Literal["last"] | None) -> Implementation:
    return Implementation(f"litert:{kind}", operator, "fused", lambda _: kind, class_axis=class_axis)


class LiteRT:
    """Needs ``ai-edge-litert``; one thread. Its kernels are a setting."""

    name = "litert"
    distribution = "ai-edge-litert"
    imports: ClassVar[Sequence[str]] = ("ai_edge_litert",)
    modes: ClassVar = {"eager": "quick"}
    autodiff = False
    settings_only: ClassVar = frozenset({"cpu"})
    variants: ClassVar = LITERT
    states: ClassVar[Mapping[str, frozenset[str]]] = {"eager": frozenset({"other_between"})}
    implementations: ClassVar[Sequence[Implementation]] = (
        _door("SOFTMAX", "softmax", "last"),
        _door("LOG_SOFTMAX", "log_softmax", "last"),
        _door("LOGISTIC", "sigmoid", None),
    )
    not_offered: ClassVar[Sequence[NotOffered]] = (
        NotOffered(
            'no kernel has float64 or bfloat16: "Only float32, … are supported currently, got FLOAT64" '
            "(https://github.com/google-ai-edge/LiteRT)",
            dtypes=("float64", "bfloat16"),
        ),
        NotOffered(
            'the kernel has no float16: "Only float32, uint8 and int8 are supported currently, got FLOAT16" '
            "(https://github.com/google-ai-edge/LiteRT)",
            implementations=("litert:LOG_SOFTMAX",),
            dtypes=("float16",),
        ),
    )

    def __init__(self) -> None:
        from ai_edge_litert import interpreter, schema_py_generated

        self._runtime, self._schema = interpreter, schema_py_generated
        self._interpreters: dict[Any, Any] = {}

    def version(self) -> str:
        return importlib.metadata.version(self.distribution)

    def environment(self) -> Mapping[str, str]:
        return {"threads": "1", "resolver": self._resolver, "machine": platform.machine()}

    def devices(self) -> Sequence[str]:
        return ["cpu"]

    @property
    def _resolver(self) -> str:
        return RESOLVERS[os.environ[LITERT_KERNELS]]

    def run(self, call: Call) -> Mapping[str, Array]:
        kind, logits = call.implementation.call(None), np.array(call.logits, order="C")
        key = (kind, logits.dtype.name, logits.shape)
        interpreter = self._interpreters.pop(key, None) or self._load(_model(self._schema, kind, logits))
        interpreter.set_tensor(0, logits)
        interpreter.invoke()
        self._interpreters[key] = interpreter  # none follows a call that has failed
        return {"value": np.asarray(interpreter.get_tensor(1))}

    def _load(self, model: bytes) -> Any:
        interpreter = self._runtime.Interpreter(
            model_content=model,
            num_threads=1,
            experimental_op_resolver_type=getattr(self._runtime.OpResolverType, self._resolver),
        )
        interpreter.allocate_tensors()
        return interpreter


def _model(schema: Any, kind: str, logits: Array) -> bytes:
    """A model of one operator from tensor 0 to tensor 1, both of the logits' shape and format."""
    import flatbuffers

    node, code, graph, model = schema.OperatorT(), schema.OperatorCodeT(), schema.SubGraphT(), schema.ModelT()
    node.opcodeIndex, node.inputs, node.outputs = 0, [0], [1]
    if kind == "SOFTMAX":
        node.builtinOptionsType, node.builtinOptions = schema.BuiltinOptions.SoftmaxOptions, _softmax(schema)
    code.version, code.builtinCode = 1, getattr(schema.BuiltinOperator, kind)
    code.deprecatedBuiltinCode = code.builtinCode  # which is less than 127
    graph.tensors, graph.operators = [_tensor(schema, name, logits) for name in ("x", "f")], [node]
    graph.inputs, graph.outputs = [0], [1]
    model.version, model.operatorCodes, model.subgraphs = VERSION, [code], [graph]
    model.buffers = [schema.BufferT()]  # the empty one, of tensors that are computed
    builder = flatbuffers.Builder(0)
    builder.Finish(model.Pack(builder), FILE)
    return bytes(builder.Output())


def _softmax(schema: Any) -> Any:
    options = schema.SoftmaxOptionsT()
    options.beta = 1.0
    return options


def _tensor(schema: Any, name: str, like: Array) -> Any:
    tensor = schema.TensorT()
    tensor.name, tensor.shape, tensor.buffer = name, list(like.shape), 0
    tensor.type = getattr(schema.TensorType, like.dtype.name.upper())
    return tensor
