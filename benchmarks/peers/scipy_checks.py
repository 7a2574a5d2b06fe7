"""SciPy's tests of ``scipy.special``, as its wheel ships them. Values alone: it has no gradients."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
from scipy import special

from benchmarks.peers.collected import collected
from benchmarks.peers.names import replaced, together
from benchmarks.peers.peer import Check, Through
from benchmarks.peers.stage import Kernel, Stage
from xent_conformance.frameworks.interface import Array

_MODULES = ("test_logsumexp", "test_logit", "test_basic", "test_nan_inputs", "test_mpmath")
_ABOUT = ("softmax", "logsumexp", "logit", "expit", "kl_div", "rel_entr")
_LIGHT = ("test_logit",)

_FLOATING = (np.float64, np.float32)


class _Names:
    """The public names in terms of the suite's operators; None where something is left to SciPy."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def along(self, operator: str, own: Any, x: Any, axis: Any = None) -> Any:
        a = np.asarray(x)
        a = a.astype(np.float64) if a.dtype.kind in "biu" else a
        if not self.stage.has(operator) or a.dtype not in _FLOATING or not a.size:
            return own(x, axis=axis)
        flat, back = _one_axis(a, axis)
        return back(self.stage.value(operator, flat))[()]

    def logsumexp(
        self,
        own: Any,
        a: Any,
        axis: Any = None,
        b: Any = None,
        keepdims: bool = False,
        return_sign: bool = False,
    ) -> Any:
        x = np.asarray(a)
        x = x.astype(np.float64) if x.dtype.kind in "biu" else x
        taken = self.stage.has("logsumexp") and x.dtype in _FLOATING and x.size
        if not taken or b is not None or return_sign:
            return own(a, axis=axis, b=b, keepdims=keepdims, return_sign=return_sign)
        flat, _ = _one_axis(x, axis)
        value = self.stage.value("logsumexp", flat)
        return (np.expand_dims(value, _axes(x, axis)) if keepdims else value)[()]

    def elements(self, operator: str, own: Any, *given: Any, **kwargs: Any) -> Any:
        every = np.broadcast_arrays(*map(np.asarray, given))
        dtype = np.result_type(*every)
        dtype = np.dtype(np.float64) if dtype.kind in "biu" else dtype
        if not self.stage.has(operator) or kwargs or dtype not in _FLOATING or not every[0].size:
            return own(*given, **kwargs)
        arrays = [np.array(a, dtype).reshape(a.shape or (1,)) for a in every]
        # of two the target is given first, and what is predicted second
        value = self.stage.value(operator, *reversed(arrays))
        return value.reshape(every[0].shape)[()]


def _axes(x: Array, axis: Any) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(x.ndim))
    return tuple(a % x.ndim for a in (axis if isinstance(axis, tuple) else (axis,)))


def _one_axis(x: Array, axis: Any) -> tuple[Array, Callable[[Array], Array]]:
    """All these axes as one, the last; and an array of that shape as it was."""
    if not x.ndim:
        return x.reshape(1), lambda a: a.reshape(())
    over = _axes(x, axis)
    order = [a for a in range(x.ndim) if a not in over] + list(over)
    turned = x.transpose(order)
    shape = turned.shape
    flat = np.array(turned.reshape(*shape[: x.ndim - len(over)], -1))
    return flat, lambda a: a.reshape(shape).transpose(np.argsort(order))


class SciPy:
    """softmax, log_softmax, logsumexp, expit, log_expit, logit, rel_entr and kl_div."""

    name = "SciPy"
    distributions = ("scipy",)
    doors: Mapping[str, frozenset[str]] = {
        "softmax": frozenset({"axis"}),
        "log_softmax": frozenset({"axis"}),
        "logsumexp": frozenset({"axis"}),
        "sigmoid": frozenset(),
        "log_sigmoid": frozenset(),
        "logit": frozenset(),
        "relative_entropy": frozenset(),
        "elementwise_kl_divergence": frozenset(),
    }
    formats = frozenset({"float64", "float32"})
    layouts = frozenset({"transposed"})  # a copy has the order of what it is of
    gradients = False
    through: Mapping[str, Through] = {}
    how = (
        "`scipy.special.tests` of the wheel under pytest: what names one of these functions in "
        "`test_logsumexp`, `test_logit`, `test_basic`, `test_nan_inputs` and `test_mpmath`; NumPy arrays, "
        "nothing that is marked slow. The kernel takes the function's place in every module that has it; "
        "`cython_special`, which is compared with it, is another way to one kernel, and left out. SciPy has "
        "no gradients: values alone."
    )

    def __init__(self) -> None:
        self.stage = Stage()
        names = _Names(self.stage)
        along = functools.partial(functools.partial, names.along)
        elements = functools.partial(functools.partial, names.elements)
        self._by: Mapping[Any, Callable[..., Any]] = {
            special.softmax: along("softmax", special.softmax),
            special.log_softmax: along("log_softmax", special.log_softmax),
            special.logsumexp: functools.partial(names.logsumexp, special.logsumexp),
            special.expit: elements("sigmoid", special.expit),
            special.log_expit: elements("log_sigmoid", special.log_expit),
            special.logit: elements("logit", special.logit),
            special.rel_entr: elements("relative_entropy", special.rel_entr),
            special.kl_div: elements("elementwise_kl_divergence", special.kl_div),
        }

    def checks(self, light: bool) -> Sequence[Check]:
        modules = [f"scipy.special.tests.{m}" for m in (_LIGHT if light else _MODULES)]
        return collected(modules, lambda name: any(about in name.lower() for about in _ABOUT))

    def behind(self, kernel: Kernel) -> AbstractContextManager[None]:
        return together(self.stage.holding(kernel), replaced(self._by))
