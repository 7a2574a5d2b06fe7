"""ONNX's backend test, of a backend that is its own reference but for the kernels.

Values alone: an operator of ONNX has no gradient that could be asked for.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import onnx
from onnx.backend.base import Backend, BackendRep
from onnx.backend.test.loader import load_model_tests
from onnx.backend.test.runner import Runner
from onnx.reference import ReferenceEvaluator
from onnx.reference.ops.op_log_softmax import LogSoftmax
from onnx.reference.ops.op_negative_log_likelihood_loss import NegativeLogLikelihoodLoss
from onnx.reference.ops.op_reduce_log_sum_exp import ReduceLogSumExp_1, ReduceLogSumExp_18
from onnx.reference.ops.op_sigmoid import Sigmoid
from onnx.reference.ops.op_softmax import Softmax
from onnx.reference.ops.op_softmax_cross_entropy_loss import SoftmaxCrossEntropyLoss

from benchmarks.peers.peer import ALL_FORMATS, Check, Through
from benchmarks.peers.stage import Kernel, Stage
from xent_conformance.frameworks.interface import Array

_KINDS = ("node", "simple", "pytorch-converted", "pytorch-operator")
"""Of test cases, those that the wheel has whole; the models of ``real`` are fetched."""

_LIGHT = "sigmoid"

Run = Callable[..., tuple[Any, ...]]


class _Rep(BackendRep):  # type: ignore[misc]
    def __init__(self, model: onnx.ModelProto) -> None:
        self._evaluator = ReferenceEvaluator(model)

    def run(self, inputs: Any, **kwargs: Any) -> tuple[Any, ...]:
        names = [i.name for i in self._evaluator.proto_.graph.input][: len(inputs)]
        return tuple(self._evaluator.run(None, dict(zip(names, inputs, strict=True))))


class _Evaluator(Backend):  # type: ignore[misc]
    """The reference as a backend, for CPUs alone."""

    @classmethod
    def prepare(cls, model: onnx.ModelProto, device: str = "CPU", **kwargs: Any) -> BackendRep:
        return _Rep(model)

    @classmethod
    def supports_device(cls, device: str) -> bool:
        return device == "CPU"


def _asks(model: onnx.ModelProto) -> bool:
    """Whether it has one of these operators, in a function or not."""
    nodes = [*model.graph.node, *(n for f in model.functions for n in f.node)]
    return any(n.op_type in _KINDS_OF for n in nodes)


def _names() -> Iterator[str]:
    for kind in _KINDS:
        for case in load_model_tests(kind=kind):
            model = case.model
            if model is None and case.model_dir is not None:
                model = onnx.load(Path(case.model_dir) / "model.onnx")
            if model is not None and _asks(model):
                yield f"{case.name}_cpu"


class OnnxBackend:
    """Softmax, LogSoftmax, Sigmoid, ReduceLogSumExp and the two losses."""

    name = "ONNX"
    distributions = ("onnx",)
    doors: Mapping[str, frozenset[str]] = {
        "softmax": frozenset({"axis"}),
        "log_softmax": frozenset({"axis"}),
        "logsumexp": frozenset({"axis"}),
        "sigmoid": frozenset(),
        "sparse_softmax_cross_entropy": frozenset({"axis", "weight", "ignore_index", "reduction"}),
        "negative_log_likelihood": frozenset({"axis", "weight", "ignore_index", "reduction"}),
    }
    formats = ALL_FORMATS
    layouts: frozenset[str] = frozenset()
    gradients = False
    through: Mapping[str, Through] = {}
    how = (
        "`onnx.backend.test.runner.Runner` of the wheel, every case of `node`, `simple`, `pytorch-converted` "
        "and `pytorch-operator` whose model has one of these operators, compared by its "
        "`assert_similar_outputs` with the tolerances of the cases (1e-3 relative, 1e-7 absolute). The "
        "backend is `onnx.reference.ReferenceEvaluator`, in which the kernel computes the operator. "
        "Operators of ONNX have no gradients: values alone."
    )

    def __init__(self) -> None:
        self.stage = Stage()

    def checks(self, light: bool) -> Sequence[Check]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if light:
                return [Check(n, r) for n, r in _of_one(_LIGHT)]
            runner, names = Runner(_Evaluator), set(_names())
            items = {name: item for by in runner._test_items.values() for name, item in by.items()}
        return [Check(name, functools.partial(items[name].func, None)) for name in sorted(names)]

    @contextlib.contextmanager
    def behind(self, kernel: Kernel) -> Iterator[None]:
        before = {of: of._run for of in _RUNS}
        try:
            with self.stage.holding(kernel):
                for of, run in _RUNS.items():
                    of._run = _either(self.stage, run, before[of])
                yield
        finally:
            for of, run in before.items():
                of._run = run


def _of_one(operator: str) -> Iterator[tuple[str, Callable[[], None]]]:
    """The node cases of one operator, which is quicker than all: as ``Runner`` runs them."""
    from onnx.backend.test.case import node

    def run(case: Any) -> None:
        rep = _Evaluator.prepare(case.model)
        for inputs, expected in case.data_sets:
            Runner.assert_similar_outputs(expected, rep.run(inputs), rtol=case.rtol, atol=case.atol)

    importlib.import_module(f"{node.__name__}.{operator}")  # which makes its cases
    for case in node._NodeTestCases:
        if case.model is not None and _asks(case.model):
            yield case.name, functools.partial(run, case)


def _either(stage: Stage, run: Run, own: Run) -> Run:
    def called(self: Any, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        found = run(self, stage, own, *args, **kwargs)
        return own(self, *args, **kwargs) if found is None else found

    return called


def _along(operator: str) -> Run:
    def run(self: Any, stage: Stage, own: Run, x: Array, axis: int | None = None) -> Any:
        if not stage.has(operator) or not x.size:
            return None
        return (stage.value(operator, x.copy(), axis=self.axis if axis is None else axis),)

    return run


def _sigmoid(self: Any, stage: Stage, own: Run, x: Array) -> Any:
    if not stage.has("sigmoid") or not x.size:
        return None
    return (stage.value("sigmoid", x.copy().reshape(x.shape or (1,))).reshape(x.shape),)


def _logsumexp(
    self: Any, stage: Stage, own: Run, x: Array, axes: Any = None, keepdims: Any = 1, **_: Any
) -> Any:
    """Of several axes as of one: they are put together behind the others."""
    if not stage.has("logsumexp") or not x.size:
        return None
    given = None if axes is None else [int(a) % x.ndim for a in axes]
    if not given and axes is not None:
        return None
    over = sorted(given or range(x.ndim))
    rest = [a for a in range(x.ndim) if a not in over]
    flat = x.copy().transpose(*rest, *over).reshape(*(x.shape[a] for a in rest), -1)
    value = stage.value("logsumexp", flat)
    return (value.reshape([1 if a in over else x.shape[a] for a in range(x.ndim)]) if keepdims else value,)


def _loss(operator: str) -> Run:
    def run(
        self: Any,
        stage: Stage,
        own: Run,
        x: Array,
        target: Array,
        weight: Array | None = None,
        ignore_index: int | None = None,
        reduction: str | None = None,
    ) -> Any:
        if not stage.has(operator) or not x.size:
            return None
        keywords: dict[str, Any] = {"axis": 1, "reduction": reduction or "mean"}
        if weight is not None:
            keywords["weight"] = tuple(weight.tolist())
        if ignore_index is not None:
            keywords["ignore_index"] = ignore_index
        value = stage.value(operator, x.copy(), target.astype("int64"), **keywords)
        _, *others = own(self, x, target, weight, ignore_index, reduction)
        return (value, *others)  # log-probabilities beside the loss are of another operator

    return run


_RUNS: Mapping[Any, Run] = {
    Softmax: _along("softmax"),
    LogSoftmax: _along("log_softmax"),
    Sigmoid: _sigmoid,
    ReduceLogSumExp_1: _logsumexp,
    ReduceLogSumExp_18: _logsumexp,
    SoftmaxCrossEntropyLoss: _loss("sparse_softmax_cross_entropy"),
    NegativeLogLikelihoodLoss: _loss("negative_log_likelihood"),
}

_KINDS_OF = frozenset(of.__name__.partition("_")[0] for of in _RUNS)
