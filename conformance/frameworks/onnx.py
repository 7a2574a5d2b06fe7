"""The ONNX operators, as the standard's own evaluator and as ONNX Runtime compute them. Values only.

One model a question: a single node (``Softmax``, ``LogSoftmax``, ``ReduceLogSumExp``, ``Sigmoid``,
``SoftmaxCrossEntropyLoss``) in the format of the logits; behind a ``Where`` that puts −∞ in the place of what
a mask takes away, as attention is exported.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from xent_conformance.frameworks.interface import Array, Call, Glance, Implementation, NotOffered

OPSET = 21

_AXIS = frozenset({"axis"})
_SUMS = _AXIS | {"mask"}
_LOSS = frozenset({"weight", "weight_dtype", "ignore_index", "reduction"})


def _node(kind: str, **fixed: Any) -> Any:
    """What an implementation is called to do: name its node and the node's attributes."""
    return lambda _library, **given: (kind, {**fixed, **given})


class Onnx:
    """What evaluators of ONNX models share: the models."""

    modes: ClassVar[Mapping[str, str]] = {"eager": "standard"}
    autodiff = False
    states: ClassVar[Mapping[str, frozenset[str]]] = {"eager": frozenset({"other_between", "threads"})}
    devices_: ClassVar[Sequence[str]] = ("cpu",)
    shaped = False
    """Whether a model is of one shape of its inputs alone."""

    def devices(self) -> Sequence[str]:
        return list(self.devices_)

    def environment(self) -> Mapping[str, str]:
        return {"opset": str(OPSET), "machine": platform.machine()}

    def run(self, call: Call) -> Mapping[str, Array]:
        import numpy as np

        kind, attributes = call.implementation.call(None, **call.keywords)
        feeds = {"x": call.logits}
        if call.labels is not None:
            feeds["y"] = call.labels
        if "mask" in attributes:
            feeds["mask"] = np.array(attributes.pop("mask"))
        weight = attributes.pop("weight", None)
        if weight is not None:
            feeds["w"] = np.asarray(weight, dtype=attributes.pop("weight_dtype", call.logits.dtype))
        session = self._session(kind, dict(attributes), feeds, call.cotangent.ndim)
        return {"value": np.asarray(self._answer(session, feeds))}

    def _answer(self, session: Any, feeds: Mapping[str, Array]) -> Any:
        (value,) = session.run(None, feeds)
        return value

    def _session(self, kind: str, attributes: dict[str, Any], feeds: Mapping[str, Array], rank: int) -> Any:
        key = (
            kind,
            tuple(sorted(attributes.items())),
            tuple((n, a.dtype.name, a.shape if self.shaped else a.ndim) for n, a in feeds.items()),
        )
        if key not in self._sessions:
            self._sessions[key] = self._load(_model(kind, attributes, feeds, rank, self.shaped))
        return self._sessions[key]

    def __init__(self) -> None:
        self._sessions: dict[Any, Any] = {}

    def _load(self, model: Any) -> Any:
        raise NotImplementedError


def axes_of(axis: Any, rank: int) -> list[int]:
    """``ReduceLogSumExp`` takes a list of axes; None is all of them."""
    if axis is None:
        return list(range(rank))
    return [axis] if isinstance(axis, int) else list(axis)


def _model(
    kind: str, attributes: dict[str, Any], feeds: Mapping[str, Array], rank: int, shaped: bool = False
) -> Any:
    import onnx
    from onnx import helper

    inputs = [name for name in feeds if name != "mask"]
    axis = attributes.pop("axis", -1)
    nodes, initial = [], []
    if "mask" in feeds:
        kind_of_x = helper.np_dtype_to_tensor_dtype(feeds["x"].dtype)
        initial.append(helper.make_tensor("nothing", kind_of_x, [], [float("-inf")]))
        nodes.append(helper.make_node("Where", ["mask", "x", "nothing"], ["left"]))
        inputs[0] = "left"
    if kind == "ReduceLogSumExp":
        inputs.append("axes")
        axes = axes_of(axis, feeds["x"].ndim)
        initial.append(helper.make_tensor("axes", onnx.TensorProto.INT64, [len(axes)], axes))
        attributes = {"keepdims": int(attributes.get("keepdims", False))}
    elif kind in ("Softmax", "LogSoftmax"):
        attributes = {"axis": axis}
    nodes.append(helper.make_node(kind, inputs, ["f"], **attributes))
    described = [
        helper.make_tensor_value_info(
            name, helper.np_dtype_to_tensor_dtype(a.dtype), [*a.shape] if shaped else [None] * a.ndim
        )
        for name, a in feeds.items()
    ]
    out = helper.make_tensor_value_info("f", helper.np_dtype_to_tensor_dtype(feeds["x"].dtype), [None] * rank)
    graph = helper.make_graph(nodes, "one_node", described, [out], initializer=initial)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)
    onnx.checker.check_model(model)
    return model


def of_onnx(prefix: str) -> tuple[Implementation, ...]:
    """The operators of the standard, as an evaluator of that name computes them."""
    return (
        Implementation(f"{prefix}:Softmax", "softmax", "fused", _node("Softmax"), takes=_SUMS),
        Implementation(f"{prefix}:LogSoftmax", "log_softmax", "fused", _node("LogSoftmax"), takes=_SUMS),
        Implementation(
            f"{prefix}:ReduceLogSumExp", "logsumexp", "fused", _node("ReduceLogSumExp"),
            takes=_SUMS | {"axes", "keepdims"},
        ),
        Implementation(f"{prefix}:Sigmoid", "sigmoid", "fused", _node("Sigmoid")),
        Implementation(
            f"{prefix}:SoftmaxCrossEntropyLoss", "sparse_softmax_cross_entropy", "fused",
            lambda _library, **given: ("SoftmaxCrossEntropyLoss", {"reduction": "none", **given}),
            takes=_LOSS, class_axis="second",
        ),
    )  # fmt: skip


class OnnxReference(Onnx):
    """Needs ``onnx``: the evaluator that the standard ships as its reference."""

    name = "onnx"
    distribution = "onnx"
    imports: ClassVar[Sequence[str]] = ("onnx",)
    implementations = of_onnx("onnx.reference")
    glances: ClassVar = {"eager": Glance(("onnx.reference:SoftmaxCrossEntropyLoss",))}

    def __init__(self) -> None:
        super().__init__()
        import onnx
        import onnx.reference

        self._onnx = onnx

    def version(self) -> str:
        return str(self._onnx.__version__)

    def _load(self, model: Any) -> Any:
        return self._onnx.reference.ReferenceEvaluator(model)


class OnnxRuntime(Onnx):
    """Needs ``onnxruntime`` and ``onnx``; one thread, so that a run is repeatable."""

    name = "onnxruntime"
    distribution = "onnxruntime"
    imports: ClassVar[Sequence[str]] = ("onnx", "onnxruntime")
    implementations = of_onnx("onnxruntime")
    glances: ClassVar = {"eager": Glance(("onnxruntime:SoftmaxCrossEntropyLoss",))}
    not_offered: ClassVar[Sequence[NotOffered]] = (
        NotOffered(
            'the CPU provider has no kernel of these operators in bfloat16: "NOT_IMPLEMENTED : Could not '
            'find an implementation for …", or "INVALID_GRAPH : … Type Error" '
            "(https://github.com/microsoft/onnxruntime/blob/main/docs/OperatorKernels.md)",
            dtypes=("bfloat16",),
        ),
    )

    def __init__(self) -> None:
        super().__init__()
        import onnx  # noqa: F401  # its absence is to be seen here
        import onnxruntime

        self._runtime = onnxruntime

    def version(self) -> str:
        return str(self._runtime.__version__)

    def environment(self) -> Mapping[str, str]:
        providers = ", ".join(self._runtime.get_available_providers())
        return {**super().environment(), "threads": "1", "providers": providers}

    def _load(self, model: Any) -> Any:
        options = self._runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        return self._runtime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
