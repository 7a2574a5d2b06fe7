"""JAX. Values by ``jax.nn``, gradients by ``jax.vjp``, op by op and under ``jit``.

JAX core has no fused cross-entropy: its losses are composed here from ``log_softmax`` and
``log_sigmoid``, as its users (and Optax) write them.
"""

from __future__ import annotations

import functools
import importlib.metadata
import platform
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from xent_conformance.devices.variants import JAX
from xent_conformance.frameworks.around import around
from xent_conformance.frameworks.interface import (
    Array,
    Call,
    Formulation,
    Implementation,
    NotOffered,
)
from xent_conformance.frameworks.jax_layers import LAYERS

_AXIS = frozenset({"axis"})
_AXES = frozenset({"axis", "axes", "mask"})
_SUM = frozenset({"axis", "axes", "keepdims", "weight", "weight_dtype", "mask"})

_COMPOSED = "JAX core has no fused cross-entropy; composed as its users write it"
_GIVEN = "JAX core has no losses; composed as its users write it"

_EPSILON = 1e-7


def _like(jax: Any, weight: Any, x: Any, dtype: str) -> Any:
    """Weights in the format of the logits, or in their own, where there are any."""
    return None if weight is None else jax.numpy.asarray(weight, dtype or x.dtype)


def _gumbel(jax: Any, x: Any, temperature: float = 1.0) -> Any:
    """A Gumbel-softmax whose noise is zero, as JAX users write it."""
    return jax.nn.softmax((x + jax.numpy.zeros_like(x)) / temperature)


def composed(door: Implementation) -> Implementation:
    """The door, with what JAX's users write around it."""
    return around(door, lambda _, x, dtype: x.astype(dtype))


def where(x: Any, mask: Any) -> Any:
    """``where=`` of a mask of the classes, which are last."""
    return None if mask is None else np.broadcast_to(np.array(mask), x.shape)


def _sparse(x: Any) -> Any:
    from jax.experimental import sparse

    return sparse.BCOO.fromdense(x)


def _sigmoid_cross_entropy(jax: Any, x: Any, z: Any) -> Any:
    """As Optax writes it: labels in the logits' format first, or ``-z`` of an unsigned 1 is 255."""
    z = z.astype(x.dtype)
    return -z * jax.nn.log_sigmoid(x) - (1 - z) * jax.nn.log_sigmoid(-x)


_OTHERS: tuple[tuple[str, str, Formulation, Any, str, frozenset[str]], ...] = (
    (
        "jax.scipy.special.logsumexp",
        "logsumexp",
        "fused",
        lambda jax, x, axis=-1, weight=None, weight_dtype="", mask=None, **kept: jax.scipy.special.logsumexp(
            x, axis=axis, b=_like(jax, weight, x, weight_dtype) if mask is None else where(x, mask), **kept
        ),
        "",
        _SUM,
    ),
    (
        "jax.scipy.special.expit",
        "sigmoid",
        "fused",
        lambda jax, x: jax.scipy.special.expit(x),
        "",
        frozenset(),
    ),
    ("jax.lax.logistic", "sigmoid", "fused", lambda jax, x: jax.lax.logistic(x), "", frozenset()),
    ("jax.nn.softplus", "log_sigmoid", "composed", lambda jax, x: -jax.nn.softplus(-x), "", frozenset()),
    (
        "jax.nn.softmax:gumbel,noise=0",
        "softmax",
        "composed",
        _gumbel,
        "a softmax of logits plus noise; asked with the noise at zero",
        frozenset({"temperature"}),
    ),
    (
        "jax.numpy.exp/sum",
        "softmax",
        "naive",
        lambda jax, x: jax.numpy.exp(x) / jax.numpy.exp(x).sum(-1, keepdims=True),
        "",
        frozenset(),
    ),
    (
        "jax.nn.softmax+log",
        "log_softmax",
        "naive",
        lambda jax, x: jax.numpy.log(jax.nn.softmax(x)),
        "",
        frozenset(),
    ),
    (
        "jax.nn.softmax+log*p",
        "softmax_cross_entropy",
        "naive",
        lambda jax, x, p: -(p * jax.numpy.log(jax.nn.softmax(x))).sum(-1),
        "",
        frozenset(),
    ),
    (
        "jax.nn.softmax+epsilon+log*p",
        "softmax_cross_entropy",
        "naive",
        lambda jax, x, p: -(p * jax.numpy.log(jax.nn.softmax(x) + _EPSILON)).sum(-1),
        "",
        frozenset(),
    ),
    (
        "jax.nn.softmax+clip+log*p",
        "softmax_cross_entropy",
        "naive",
        lambda jax, x, p: (
            -(p * jax.numpy.log(jax.numpy.clip(jax.nn.softmax(x), _EPSILON, 1 - _EPSILON))).sum(-1)
        ),
        "",
        frozenset(),
    ),
    (
        "jax.nn.log_softmax(jax.nn.softmax)*p",
        "softmax_cross_entropy",
        "naive",
        lambda jax, x, p: -(p * jax.nn.log_softmax(jax.nn.softmax(x))).sum(-1),
        "softmax applied twice: the negative control",
        frozenset(),
    ),
    (
        "jax.scipy.special.rel_entr(jax.numpy.exp)",
        "kl_divergence",
        "naive",
        lambda jax, x, p: jax.scipy.special.rel_entr(p, jax.numpy.exp(x)).sum(-1),
        "of probabilities: the logarithm of their exponential",
        frozenset(),
    ),
    (
        "jax.nn.sigmoid+log",
        "sigmoid_cross_entropy",
        "naive",
        lambda jax, x, z: (
            -z * jax.numpy.log(jax.nn.sigmoid(x)) - (1 - z) * jax.numpy.log(1 - jax.nn.sigmoid(x))
        ),
        "",
        frozenset(),
    ),
)
"""Other doors, and formulations that people write (asked in ``full``: each is compiled for every shape)."""


class Jax:
    """Needs ``jax``. Runs with 64-bit types enabled, so that all four formats exist."""

    name = "jax"
    distribution = "jax"
    imports: ClassVar[Sequence[str]] = ("jax",)
    modes: ClassVar = {"jit": "quick", "eager": "standard", "vmap": "full"}
    compiling: ClassVar = frozenset(modes)
    variants: ClassVar = JAX
    autodiff = True
    sparse = True
    in_eight_bits: ClassVar = frozenset(
        {
            "jax.nn.softmax",
            "jax.nn.log_softmax",
            "jax.nn.logsumexp",
            "jax.nn.sigmoid",
            "jax.nn.log_sigmoid",
            "jax.nn.log_softmax+sum",
            "jax.nn.log_softmax+take",
            "jax.nn.log_sigmoid+sum",
            "jax.scipy.special.logit",
            "jax.scipy.special.rel_entr",
            "jax.scipy.special.kl_div",
            "jax.scipy.special.xlogy+sum",
            "jax.scipy.special.xlogy+sum:probabilities",
            "jax.scipy.special.xlogy+xlog1py",
            "jax.numpy.exp*(t-x)",
            "jax.numpy.take_along_axis",
            "jax.numpy.take_along_axis+log",
            "jax.numpy.log",
        }
    )
    moving = ("jvp", "hvp")
    states: ClassVar[Mapping[str, frozenset[str]]] = {
        "eager": frozenset({"other_between", "threads", "inference", "second_backward", "shared"})
    }  # gradients are returned and added to nothing; arrays cannot be changed, and are not written back
    not_offered: ClassVar[Sequence[NotOffered]] = (
        NotOffered(
            "jax.vmap maps a function of one row, which sees neither the other axes nor the other rows: what "
            "has axes of its own, or is reduced, is another question there "
            "(https://docs.jax.dev/en/latest/_autosummary/jax.vmap.html)",
            modes=("vmap",),
            manners=("shape", "out", "group"),
        ),
    )
    implementations: ClassVar[Sequence[Implementation]] = (
        composed(Implementation(
            "jax.nn.softmax", "softmax", "fused",
            lambda jax, x, axis=-1, mask=None: jax.nn.softmax(x, axis=axis, where=where(x, mask)),
            takes=_AXES,
        )),
        composed(Implementation(
            "jax.nn.log_softmax", "log_softmax", "fused",
            lambda jax, x, axis=-1, mask=None: jax.nn.log_softmax(x, axis=axis, where=where(x, mask)),
            takes=_AXES,
        )),
        composed(Implementation(
            "jax.nn.logsumexp", "logsumexp", "fused",
            lambda jax, x, axis=-1, weight=None, weight_dtype="", mask=None, **kept: jax.nn.logsumexp(
                x, axis=axis, b=_like(jax, weight, x, weight_dtype), where=where(x, mask), **kept
            ),
            takes=_SUM,
        )),
        composed(Implementation(
            "jax.nn.log_softmax+sum", "softmax_cross_entropy", "composed",
            lambda jax, x, p, axis=-1: -(p * jax.nn.log_softmax(x, axis=axis)).sum(axis=axis),
            note=_COMPOSED,
            takes=_AXIS,
        )),
        composed(Implementation(
            "jax.nn.log_softmax+take", "sparse_softmax_cross_entropy", "composed",
            lambda jax, x, y, axis=-1: -jax.numpy.take_along_axis(
                jax.nn.log_softmax(x, axis=axis), jax.numpy.expand_dims(y, axis), axis=axis
            ).squeeze(axis),
            note=_COMPOSED,
            takes=_AXIS,
        )),
        composed(Implementation("jax.nn.sigmoid", "sigmoid", "fused", lambda jax, x: jax.nn.sigmoid(x))),
        composed(Implementation(
            "jax.nn.log_sigmoid", "log_sigmoid", "fused", lambda jax, x: jax.nn.log_sigmoid(x)
        )),
        Implementation(
            "jax.scipy.special.logit", "logit", "fused", lambda jax, x: jax.scipy.special.logit(x)
        ),
        composed(Implementation(
            "jax.nn.log_sigmoid+sum", "sigmoid_cross_entropy", "composed",
            _sigmoid_cross_entropy,
            note=_COMPOSED,
        )),
        Implementation(
            "jax.scipy.special.xlogy+sum", "kl_divergence", "composed",
            lambda jax, x, p, axis=-1: (jax.scipy.special.xlogy(p, p) - p * x).sum(axis=axis),
            note=_GIVEN,
            takes=_AXIS,
            since="standard",
        ),
        Implementation(
            "jax.scipy.special.rel_entr", "relative_entropy", "fused",
            lambda jax, q, p: jax.scipy.special.rel_entr(p, q),
        ),
        Implementation(
            "jax.scipy.special.kl_div", "elementwise_kl_divergence", "fused",
            lambda jax, q, p: jax.scipy.special.kl_div(p, q),
        ),
        Implementation(
            "jax.numpy.exp*(t-x)", "kl_divergence_log_target", "composed",
            lambda jax, x, t, axis=-1: (jax.numpy.exp(t) * (t - x)).sum(axis=axis),
            note=_GIVEN,
            takes=_AXIS,
            since="standard",
        ),
        Implementation(
            "jax.numpy.take_along_axis", "negative_log_likelihood", "composed",
            lambda jax, x, y, axis=-1: -jax.numpy.take_along_axis(
                x, jax.numpy.expand_dims(y, axis), axis=axis
            ).squeeze(axis),
            note=_GIVEN,
            takes=_AXIS,
            since="standard",
        ),
        Implementation(
            "jax.scipy.special.xlogy+xlog1py", "binary_cross_entropy", "composed",
            lambda jax, p, z: -jax.scipy.special.xlogy(z, p) - jax.scipy.special.xlog1py(1 - z, -p),
            note=_GIVEN,
            since="standard",
        ),
        Implementation(
            "jax.scipy.special.xlogy+sum:probabilities", "categorical_cross_entropy", "composed",
            lambda jax, p, t, axis=-1: -jax.scipy.special.xlogy(t, p).sum(axis=axis),
            note=_GIVEN,
            takes=_AXIS,
            since="standard",
        ),
        Implementation(
            "jax.numpy.take_along_axis+log", "sparse_categorical_cross_entropy", "composed",
            lambda jax, p, y, axis=-1: -jax.numpy.log(
                jax.numpy.take_along_axis(p, jax.numpy.expand_dims(y, axis), axis=axis).squeeze(axis)
            ),
            note=_GIVEN,
            takes=_AXIS,
            since="standard",
        ),
        Implementation(
            "jax.numpy.log", "binary_cross_entropy", "naive",
            lambda jax, p, z: -z * jax.numpy.log(p) - (1 - z) * jax.numpy.log(1 - p),
            note=_GIVEN,
            since="standard",
        ),
        *(
            Implementation(name, operator, formulation, call, note, takes, since="full")
            for name, operator, formulation, call, note, takes in _OTHERS
        ),
        *LAYERS,
    )  # fmt: skip

    def __init__(self) -> None:
        import jax
        import jax.scipy.special

        jax.config.update("jax_enable_x64", True)
        self._jax = self._library = jax
        self._compiled: dict[tuple[Any, ...], Callable[..., Any]] = {}

    def version(self) -> str:
        return str(self._jax.__version__)

    def environment(self) -> Mapping[str, str]:
        return {
            "jaxlib": importlib.metadata.version("jaxlib"),
            "x64": str(self._jax.config.jax_enable_x64),
            "machine": platform.machine(),
        } | {str(d): d.device_kind for d in self._jax.devices()}

    def devices(self) -> Sequence[str]:
        accelerators = [d for d in self._jax.devices() if d.platform != "cpu"]
        names = {"gpu": "cuda"}
        return ["cpu", *(f"{names.get(d.platform, d.platform)}:{d.id}" for d in accelerators)]

    def keep_compiled(self, folder: str) -> None:
        """JAX's persistent compilation cache; all of it, however fast it was compiled."""
        self._jax.config.update("jax_compilation_cache_dir", folder)
        self._jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
        self._jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)

    def run(self, call: Call) -> Mapping[str, Array]:
        device = self._device(call.device)
        made = {id(a): self._jax.device_put(np.array(a), device) for a in call.given}
        given = [made[id(a)] for a in call.given]
        if call.sparse:
            given[0] = _sparse(given[0])
        results = self._function(call)(*given)
        return {o: np.asarray(r) for o, r in zip(call.outputs, results, strict=True)}

    def _function(self, call: Call) -> Callable[..., Any]:
        """From logits, labels, cotangent (and tangent) to the outputs; compiled once where it is."""
        jax, outputs, state = self._jax, call.outputs, call.state
        compute = functools.partial(call.implementation.call, self._library, **call.keywords)

        def gradients(x: Any, *rest: Any) -> list[Any]:
            *labels, cotangent = rest
            if outputs == ("value",):
                return [compute(x, *labels)]
            if "grad_labels" in outputs:
                value, pull = jax.vjp(compute, x, *labels)
            else:
                value, pull = jax.vjp(lambda x: compute(x, *labels), x)
            cotangent = cotangent.astype(value.dtype)
            if state == "second_backward":
                pull(cotangent)
            found = {
                "value": value,
                **dict(zip(("grad_logits", "grad_labels"), pull(cotangent), strict=False)),
            }
            return [found[o] for o in outputs]

        def along(x: Any, *rest: Any) -> list[Any]:
            """Forward mode, and forward over reverse: each where it is wanted, for one may be lacking."""
            *labels, cotangent, tangent = rest

            def value(x: Any) -> Any:
                return compute(x, *labels)

            def gradient(x: Any) -> Any:
                return jax.vjp(value, x)[1](cotangent)[0]

            of = {"jvp": value, "hvp": gradient}
            return [jax.jvp(of[o], (x,), (tangent,))[1] for o in outputs]

        if call.mode == "vmap":
            compute = jax.vmap(compute)
        function = gradients if call.tangent is None else along
        if call.mode == "eager":
            return function
        key = (call.implementation, call.mode, outputs, tuple(call.keywords.items()))
        if key not in self._compiled:
            self._compiled[key] = jax.jit(function)
        return self._compiled[key]

    def _device(self, name: str) -> Any:
        platform_name, _, index = name.partition(":")
        return self._jax.devices({"cuda": "gpu"}.get(platform_name, platform_name))[int(index or 0)]
