"""SciPy's ``special`` functions: values only, in NumPy's formats."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from xent_conformance.frameworks.interface import Array, Call, Implementation, NotOffered

_AXES = frozenset({"axis", "axes"})


def _like(weight: Any, x: Any, dtype: str) -> Any:
    """Weights in the format of the logits, or in their own, where there are any."""
    return None if weight is None else np.asarray(weight, dtype or x.dtype)


def _relative_entropy(special: Any, x: Any, p: Any) -> Any:
    import numpy as np

    return special.rel_entr(p, np.exp(x)).sum(axis=-1)


class SciPy:
    """Needs ``scipy``."""

    name = "scipy"
    distribution = "scipy"
    imports: ClassVar[Sequence[str]] = ("scipy",)
    modes: ClassVar = {"eager": "quick"}
    autodiff = False
    sparse = True
    layouts: ClassVar = frozenset(
        {
            "transposed",
            "strided",
            "sliced",
            "misaligned",
            "reversed",
            "broadcast",
            "cotangent_broadcast",
            "logits_broadcast",
        }
    )
    states: ClassVar[Mapping[str, frozenset[str]]] = {
        "eager": frozenset({"other_between", "threads", "shared"})
    }
    implementations = (
        Implementation(
            "scipy.special.softmax", "softmax", "fused",
            lambda special, x, axis=-1: special.softmax(x, axis=axis),
            takes=_AXES,
        ),
        Implementation(
            "scipy.special.log_softmax", "log_softmax", "fused",
            lambda special, x, axis=-1: special.log_softmax(x, axis=axis),
            takes=_AXES,
        ),
        Implementation(
            "scipy.special.logsumexp", "logsumexp", "fused",
            lambda special, x, axis=-1, weight=None, weight_dtype="", **kept: special.logsumexp(
                x, axis=axis, b=_like(weight, x, weight_dtype), **kept
            ),
            takes=_AXES | {"keepdims", "weight", "weight_dtype"},
        ),
        Implementation(
            "scipy.special.xlogy+sum", "kl_divergence", "composed",
            lambda special, x, p, axis=-1: (special.xlogy(p, p) - p * x).sum(axis=axis),
            takes=frozenset({"axis"}),
        ),
        Implementation(
            "scipy.special.rel_entr(exp)", "kl_divergence", "naive", _relative_entropy,
            note="of probabilities: the logarithm of their exponential",
        ),
        Implementation(
            "scipy.special.rel_entr", "relative_entropy", "fused",
            lambda special, q, p: special.rel_entr(p, q),
        ),
        Implementation(
            "scipy.special.kl_div", "elementwise_kl_divergence", "fused",
            lambda special, q, p: special.kl_div(p, q),
        ),
        Implementation(
            "scipy.special.xlogy+sum:probabilities", "categorical_cross_entropy", "composed",
            lambda special, p, t, axis=-1: -special.xlogy(t, p).sum(axis=axis),
            takes=frozenset({"axis"}),
        ),
        Implementation(
            "scipy.special.xlogy+xlog1py", "binary_cross_entropy", "composed",
            lambda special, p, z: -special.xlogy(z, p) - special.xlog1py(1 - z, -p),
        ),
        Implementation("scipy.special.expit", "sigmoid", "fused", lambda special, x: special.expit(x)),
        Implementation(
            "scipy.special.log_expit", "log_sigmoid", "fused", lambda special, x: special.log_expit(x)
        ),
        Implementation("scipy.special.logit", "logit", "fused", lambda special, x: special.logit(x)),
    )  # fmt: skip

    not_offered = (
        NotOffered(
            "SciPy computes in NumPy's formats, which have no bfloat16 "
            "(https://numpy.org/doc/stable/reference/arrays.scalars.html)",
            dtypes=("bfloat16",),
        ),
    )

    def __init__(self) -> None:
        import scipy
        import scipy.special

        self._special, self._version = scipy.special, scipy.__version__

    def version(self) -> str:
        return str(self._version)

    def environment(self) -> Mapping[str, str]:
        return {"machine": platform.machine()}

    def devices(self) -> Sequence[str]:
        return ["cpu"]

    def run(self, call: Call) -> Mapping[str, Array]:
        arguments: list[Any] = call.arguments
        if call.sparse:
            import scipy.sparse

            arguments = [scipy.sparse.csr_array(call.logits), *arguments[1:]]
        with np.errstate(all="ignore"):
            value: Any = call.implementation.call(self._special, *arguments, **call.keywords)
        return {"value": np.asarray(value)}
