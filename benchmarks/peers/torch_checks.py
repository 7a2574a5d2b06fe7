"""PyTorch's own checks, as ``torch.testing._internal`` ships them.

The wheel has the samples, the references, the tolerances and the comparisons; the loops over them are in
``test/test_ops.py``, ``test_unary_ufuncs.py``, ``test_ops_gradients.py`` and ``test_modules.py`` of its
repository, each a few lines, and are written here as they are there.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor
from torch.testing._internal.common_device_type import precisionOverride, toleranceOverride
from torch.testing._internal.common_methods_invocations import op_db, python_ref_db
from torch.testing._internal.common_modules import module_db
from torch.testing._internal.common_utils import TestCase, gradcheck, noncontiguous_like
from torch.testing._internal.opinfo import core
from torch.utils._pytree import tree_leaves, tree_map

from benchmarks.peers import behind_torch
from benchmarks.peers.peer import ALL_FORMATS, Check
from benchmarks.peers.stage import Kernel, Stage
from benchmarks.peers.through import by_element


def _named(words: str, prefix: str = "") -> frozenset[str]:
    return frozenset(prefix + word for word in words.split())


_OPS = _named(
    "softmax log_softmax logsumexp sigmoid logit masked.softmax masked.log_softmax masked.logsumexp "
)
_OPS |= _named(
    "logsigmoid cross_entropy nll_loss binary_cross_entropy binary_cross_entropy_with_logits kl_div "
    "linear_cross_entropy multilabel_soft_margin_loss",
    "nn.functional.",
)
_REFS = _named(
    "softmax log_softmax logsumexp sigmoid log_sigmoid special.softmax special.log_softmax special.logit "
    "special.expit nn.functional.softmax nn.functional.log_softmax nn.functional.nll_loss "
    "nn.functional.logsigmoid",
    "_refs.",
)
_MODULES = _named(
    "Softmax Softmax2d LogSoftmax Sigmoid LogSigmoid CrossEntropyLoss NLLLoss KLDivLoss BCELoss "
    "BCEWithLogitsLoss MultiLabelSoftMarginLoss",
    "nn.",
)
_LIGHT = frozenset({"sigmoid", "nn.functional.logsigmoid"})

_TENSORS: dict[str, Callable[..., Any]] = {
    "normal": core.generate_elementwise_unary_tensors,
    "small": core.generate_elementwise_unary_small_value_tensors,
    "large": core.generate_elementwise_unary_large_value_tensors,
    "extremal": core.generate_elementwise_unary_extremal_value_tensors,
}


class _Case(TestCase):  # type: ignore[misc]
    def runTest(self) -> None:
        """A case has one."""


def _case(info: Any, within: str, test: str, dtype: torch.dtype) -> _Case | None:
    """With the tolerances that they declare for a test; None where they skip it, or expect it to fail."""
    case = _Case()
    for found in info.get_decorators(within, test, "cpu", dtype, {}):
        if isinstance(found, toleranceOverride):
            if dtype in found.d:
                case.precision, case.rel_tol = found.d[dtype]
        elif isinstance(found, precisionOverride):
            case.precision = found.d.get(dtype, case.precision)
        else:
            return None
    return case


_DRAWN: dict[Any, list[Any]] = {}


def _drawn(key: Any, make: Callable[[], Any]) -> list[Any]:
    """What they draw, drawn once in a process, and the same in each."""
    if key not in _DRAWN:
        torch.manual_seed(0)
        _DRAWN[key] = list(make())
    return _DRAWN[key]


def _floating(dtypes: Any) -> list[torch.dtype]:
    return [d for d in (torch.float64, torch.float32, torch.float16, torch.bfloat16) if d in dtypes]


def _asking(given: Any) -> list[Tensor]:
    """The tensors in a nest of arguments that gradients are asked of, in their order."""
    return [t for t in tree_leaves(given) if isinstance(t, Tensor) and t.requires_grad]


def _with(given: Any, asking: Sequence[Tensor]) -> Any:
    """The same nest with others in their place."""
    left = iter(asking)
    return tree_map(lambda t: next(left) if isinstance(t, Tensor) and t.requires_grad else t, given)


def _laid_out(given: Any, how: Callable[[Tensor], Tensor]) -> Any:
    def laid(t: Any) -> Any:
        return how(t.detach()).requires_grad_(t.requires_grad) if isinstance(t, Tensor) else t

    return tree_map(laid, given)


def _result_and_gradients(function: Callable[[Any], Tensor], given: Any) -> tuple[Tensor, list[Any]]:
    result = function(given)
    asking = _asking(given)
    if not asking or not result.requires_grad:
        return result, []
    return result, list(torch.autograd.grad(result, asking, torch.ones_like(result), allow_unused=True))


def _in_two_layouts(case: TestCase, function: Callable[[Any], Tensor], given: Any) -> None:
    """``test_noncontiguous_samples``: the same numbers, however they lie."""
    expected = _result_and_gradients(function, _laid_out(given, torch.clone))
    actual = _result_and_gradients(function, _laid_out(given, noncontiguous_like))
    case.assertEqual(actual[0], expected[0])
    case.assertEqual(actual[1], expected[1])


def _gradient(info: Any, function: Callable[[Any], Tensor], given: Any, **how: Any) -> None:
    """``gradcheck`` as they call it, but for forward mode and batches of gradients."""
    if asking := _asking(given):
        torch.manual_seed(0)
        assert gradcheck(
            lambda *leaves: function(_with(given, leaves)),
            tuple(asking),
            check_batched_grad=False,
            nondet_tol=info.gradcheck_nondet_tol,
            fast_mode=info.gradcheck_fast_mode,
            **how,
        )


class OfOperator:
    """The tests of one OpInfo that are of numbers."""

    def __init__(self, op: Any) -> None:
        self.op = op
        self.title = ".".join(filter(None, (op.name, op.variant_test_name)))

    def checks(self) -> Iterator[Check]:
        """Cheap ones first."""
        every = _floating(self.op.dtypes)
        tests: list[tuple[str, str, Any, list[torch.dtype]]] = []
        if self.op.ref:
            tests.append(("TestCommon", "test_numpy_ref", self.numpy_ref, [torch.float64]))
        if isinstance(self.op, core.UnaryUfuncInfo):
            for which in _TENSORS:
                numerics = functools.partial(self.numerics, which)
                tests.append(("TestUnaryUfuncs", f"test_reference_numerics_{which}", numerics, every))
        tests.append(("TestBwdGradients", "test_fn_grad", self.gradient, [torch.float64]))
        tests.append(("TestCommon", "test_noncontiguous_samples", self.layouts, [torch.float32]))
        for within, test, run, dtypes in tests:
            for dtype in dtypes:
                case = _case(self.op, within, test, dtype)
                if case is not None and dtype in every:
                    yield Check(f"{test} {self.title} {dtype}", functools.partial(run, case, dtype))

    def _samples(self, dtype: torch.dtype, kind: str, *, grad: bool) -> list[Any]:
        make = getattr(self.op, f"{kind}_inputs")
        return _drawn((self.title, dtype, kind, grad), lambda: make("cpu", dtype, requires_grad=grad))

    def _function(self, sample: Any) -> Callable[[Any], Tensor]:
        def called(given: Any) -> Tensor:
            x, args, kwargs = given
            found: Tensor = sample.output_process_fn_grad(
                self.op.gradcheck_wrapper(self.op.op, x, *args, **kwargs)
            )
            return found

        return called

    def numpy_ref(self, case: _Case, dtype: torch.dtype) -> None:
        for sample in self._samples(dtype, "reference", grad=False):
            case.compare_with_reference(self.op, self.op.ref, sample, exact_dtype=True)

    def numerics(self, which: str, case: _Case, dtype: torch.dtype) -> None:
        """``_test_reference_numerics``, of floating formats."""
        for sample in _drawn(
            (self.title, dtype, which),
            lambda: _TENSORS[which](self.op, device="cpu", dtype=dtype, requires_grad=False),
        ):
            t = sample.input
            wide = {"rtol": 16e-3, "atol": 1e-5} if dtype is torch.bfloat16 else {}
            keywords, of_numpy = self.op.sample_kwargs("cpu", dtype, t)
            expected = self.op.ref((t.float() if wide else t).numpy(), **of_numpy)
            case.assertEqual(
                self.op(t, **keywords), torch.as_tensor(expected), equal_nan=True, exact_dtype=False, **wide
            )

    def layouts(self, case: _Case, dtype: torch.dtype) -> None:
        for sample in self._samples(dtype, "sample", grad=True):
            given = sample.input, sample.args, sample.kwargs
            _in_two_layouts(case, self._function(sample), given)

    def gradient(self, case: _Case, dtype: torch.dtype) -> None:
        for sample in self._samples(dtype, "sample", grad=True):
            given = sample.input, sample.args, sample.kwargs
            _gradient(self.op, self._function(sample), given, check_grad_dtypes=True)


class OfReference:
    """``test_python_ref``: PyTorch's own reference in Python, beside the operator."""

    def __init__(self, op: Any) -> None:
        self.op = op
        self.title = ".".join(filter(None, (op.name, op.variant_test_name)))

    def checks(self) -> Iterator[Check]:
        for dtype in _floating(self.op.dtypes):
            case = _case(self.op, "TestCommon", "test_python_ref", dtype)
            if case is not None:
                yield Check(
                    f"test_python_ref {self.title} {dtype}", functools.partial(self.beside, case, dtype)
                )

    def beside(self, case: _Case, dtype: torch.dtype) -> None:
        """Where they differ in a narrow format, whoever is nearer to the operator in binary64 is right."""
        samples = _drawn(
            (self.title, dtype), lambda: self.op.reference_inputs("cpu", dtype, requires_grad=False)
        )
        for s in samples:
            reference = self.op(s.input, *s.args, **s.kwargs)
            operator = self.op.torch_opinfo(s.input, *s.args, **s.kwargs)
            try:
                case.assertEqual(reference, operator, exact_stride=False, exact_device=True)
            except AssertionError:
                if dtype is torch.float64:
                    raise
                x, args, kwargs = tree_map(_precise, (s.input, s.args, s.kwargs))
                truth = self.op.torch_opinfo(x, *args, **kwargs)
                if _distance(truth, reference) > _distance(truth, operator):
                    raise


def _precise(value: Any) -> Any:
    if isinstance(value, torch.dtype):
        return torch.float64 if value.is_floating_point else value
    return value.double() if isinstance(value, Tensor) and value.is_floating_point() else value


def _distance(truth: Tensor, found: Tensor) -> float:
    return float((truth - found.double()).abs().sum())


class OfModule:
    """The tests of one ModuleInfo that are of numbers."""

    def __init__(self, info: Any) -> None:
        self.info = info

    def checks(self) -> Iterator[Check]:
        tests: list[tuple[str, Any, list[torch.dtype]]] = [
            ("test_forward", self.forward, _floating(self.info.dtypes)),
            ("test_grad", self.gradient, [torch.float64]),
            ("test_non_contiguous_tensors", self.layouts, [torch.float32]),
        ]
        for test, run, dtypes in tests:
            for dtype in dtypes:
                case = _case(self.info, "TestModule", test, dtype)
                if case is not None:
                    yield Check(f"{test} {self.info.name} {dtype}", functools.partial(run, case, dtype))

    def _inputs(self, dtype: torch.dtype, *, grad: bool) -> Iterator[tuple[Any, Any]]:
        """Each with the module that it is for."""

        def make() -> Any:
            return self.info.module_inputs_func(
                self.info, device="cpu", dtype=dtype, requires_grad=grad, training=True
            )

        for given in _drawn((self.info.name, dtype, grad), make):
            made = given.constructor_input
            if given.forward_input is not None:
                yield self.info.module_cls(*made.args, **made.kwargs).to(dtype), given

    def forward(self, case: _Case, dtype: torch.dtype) -> None:
        for module, given in self._inputs(dtype, grad=False):
            args, kwargs = given.forward_input.args, given.forward_input.kwargs
            found = module(*args, **kwargs)
            if given.reference_fn is not None:
                case.assertEqual(found, given.reference_fn(module, *args, **kwargs))

    def layouts(self, case: _Case, dtype: torch.dtype) -> None:
        for module, given in self._inputs(dtype, grad=True):
            _in_two_layouts(case, _applied(module), (given.forward_input.args, given.forward_input.kwargs))

    def gradient(self, case: _Case, dtype: torch.dtype) -> None:
        for module, given in self._inputs(dtype, grad=True):
            _gradient(self.info, _applied(module), (given.forward_input.args, given.forward_input.kwargs))


def _applied(module: Any) -> Callable[[Any], Tensor]:
    def called(given: Any) -> Tensor:
        found: Tensor = module(*given[0], **given[1])
        return found

    return called


class PyTorch:
    """Modules before operators before references: what is cheap and sees much is asked first."""

    name = "PyTorch"
    distributions = ("torch",)
    doors = behind_torch.TAKES
    formats = ALL_FORMATS
    layouts = frozenset({"transposed", "strided", "sliced", "broadcast", "cotangent_broadcast"})
    gradients = True
    through = dict.fromkeys(("kl_divergence", "kl_divergence_log_target"), by_element)
    how = (
        "`torch.testing._internal` of the wheel: the samples of the OpInfos, PythonRefInfos and "
        "ModuleInfos of these operators, in all floating formats that they declare, compared with their "
        "references by `TestCase.assertEqual` under their tolerances and decorators; their `gradcheck` in "
        "binary64, in the fast mode that is their default; the same numbers in another memory layout. The "
        "loops over the samples are in files of its repository that the wheel lacks (`test_ops.py`, "
        "`test_unary_ufuncs.py`, `test_ops_gradients.py`, `test_modules.py`), and are written as they are "
        "there; what compares implementations that share a kernel (`out=`, methods, in place), forward "
        "mode, second derivatives and compilers are left out, since nothing is put behind them. "
        "The kernel is registered at the dispatcher, under `AutogradCPU`, with its own gradients. Of "
        "`kl_div` it computes the elements, for their tests as for `quick`; what sums them is not the kernel."
    )

    def __init__(self) -> None:
        self.stage = Stage()

    def checks(self, light: bool) -> list[Check]:
        every: list[OfModule | OfOperator | OfReference] = []
        every += [OfModule(m) for m in module_db if m.name in _MODULES and not light]
        every += [OfOperator(o) for o in op_db if o.name in (_LIGHT if light else _OPS)]
        every += [OfReference(o) for o in python_ref_db if o.name in _REFS and not light]
        return [check for one in every for check in one.checks()]

    def behind(self, kernel: Kernel) -> AbstractContextManager[None]:
        return behind_torch.behind(self.stage, kernel)
