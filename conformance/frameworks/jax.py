"""JAX. Values by ``jax.nn``, gradients by ``jax.vjp``, op by op and under ``jit``.

JAX core has no fused cross-entropy: its losses are composed here from ``log_softmax`` and
``log_sigmoid``, as its users (and Optax) write them.
"""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from conformance.frameworks.interface import Array, Call, Implementation

_COMPOSED = "JAX core has no fused cross-entropy; composed as its users write it"


class Jax:
    """Needs ``jax``. Runs with 64-bit types enabled, so that all four formats exist."""

    name = "jax"
    distribution = "jax"
    modes: ClassVar = {"eager": "standard", "jit": "quick"}
    autodiff = True
    implementations = (
        Implementation("jax.nn.softmax", "softmax", "fused", lambda jax, x: jax.nn.softmax(x)),
        Implementation(
            "jax.nn.log_softmax", "log_softmax", "fused", lambda jax, x: jax.nn.log_softmax(x)
        ),
        Implementation(
            "jax.nn.logsumexp", "logsumexp", "fused", lambda jax, x: jax.nn.logsumexp(x, axis=-1)
        ),
        Implementation(
            "jax.nn.log_softmax+sum", "softmax_cross_entropy", "composed",
            lambda jax, x, p: -(p * jax.nn.log_softmax(x)).sum(axis=-1),
            note=_COMPOSED,
        ),
        Implementation(
            "jax.nn.log_softmax+take", "sparse_softmax_cross_entropy", "composed",
            lambda jax, x, y: -jax.numpy.take_along_axis(jax.nn.log_softmax(x), y[:, None], axis=-1)[:, 0],
            note=_COMPOSED,
        ),
        Implementation("jax.nn.sigmoid", "sigmoid", "fused", lambda jax, x: jax.nn.sigmoid(x)),
        Implementation(
            "jax.nn.log_sigmoid", "log_sigmoid", "fused", lambda jax, x: jax.nn.log_sigmoid(x)
        ),
        Implementation(
            "jax.scipy.special.logit", "logit", "fused", lambda jax, x: jax.scipy.special.logit(x)
        ),
        Implementation(
            "jax.nn.log_sigmoid+sum", "sigmoid_cross_entropy", "composed",
            lambda jax, x, z: -z * jax.nn.log_sigmoid(x) - (1 - z) * jax.nn.log_sigmoid(-x),
            note=_COMPOSED,
        ),
    )  # fmt: skip

    def __init__(self) -> None:
        import jax
        import jax.scipy.special

        jax.config.update("jax_enable_x64", True)
        self._jax = jax
        self._compiled: dict[tuple[Implementation, tuple[str, ...]], Callable[..., Any]] = {}

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

    def run(self, call: Call) -> Mapping[str, Array]:
        device = self._device(call.device)
        arguments = [self._jax.device_put(a, device) for a in (*call.arguments, call.cotangent)]
        results = self._function(call.implementation, call.mode, call.outputs)(*arguments)
        return {o: self._host(r) for o, r in zip(call.outputs, results, strict=True)}

    def _function(
        self, implementation: Implementation, mode: str, outputs: tuple[str, ...]
    ) -> Callable[..., Any]:
        jax = self._jax

        def eager(x: Any, *rest: Any) -> list[Any]:
            *labels, cotangent = rest
            if outputs == ("value",):
                return [implementation.call(jax, x, *labels)]
            if "grad_labels" in outputs:
                value, pull = jax.vjp(lambda x, p: implementation.call(jax, x, p), x, *labels)
            else:
                value, pull = jax.vjp(lambda x: implementation.call(jax, x, *labels), x)
            found = {
                "value": value,
                **dict(zip(("grad_logits", "grad_labels"), pull(cotangent), strict=False)),
            }
            return [found[o] for o in outputs]

        if mode == "eager":
            return eager
        key = (implementation, outputs)
        if key not in self._compiled:
            self._compiled[key] = jax.jit(eager)
        return self._compiled[key]

    def _device(self, name: str) -> Any:
        platform_name, _, index = name.partition(":")
        return self._jax.devices({"cuda": "gpu"}.get(platform_name, platform_name))[int(index or 0)]

    def _host(self, array: Any) -> Array:
        import numpy as np

        host: Array = np.asarray(array)
        return host
