"""tinygrad on its CPU device: lazy tensors, realized with their gradients, compiled kernel by kernel."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from xent_conformance.devices.variants import TINYGRAD
from xent_conformance.frameworks.interface import (
    Array,
    Call,
    Glance,
    Implementation,
    dtype_of,
    holds_numbers,
)

_AXIS = frozenset({"axis"})
_DENSE = frozenset({"label_smoothing", "reduction"})


def _unreduced(given: dict[str, Any]) -> dict[str, Any]:
    return {"reduction": "none", **given}


def _nll(_: Any, x: Any, y: Any, **given: Any) -> Any:
    return x.log_softmax(min(1, x.ndim - 1)).nll_loss(y, **_unreduced(given))


class Tinygrad:
    """Needs ``tinygrad``, and ``clang`` on the path (``CC`` may name another): its CPU device compiles by it.

    Its disk cache is off: what another compiler made would answer for this one.
    """

    name = "tinygrad"
    distribution = "tinygrad"
    imports: ClassVar[Sequence[str]] = ("tinygrad",)
    modes: ClassVar = {"lazy": "standard"}
    glances: ClassVar = {"lazy": Glance(("tinygrad.Tensor.cross_entropy:indices",))}
    environment_before: ClassVar = {"CCACHE": "0", "DEV": "CPU", "NUM_CPU_THREADS": "1"}
    variants: ClassVar = TINYGRAD
    autodiff = True
    states: ClassVar[Mapping[str, frozenset[str]]] = {"lazy": frozenset({"other_between"})}
    implementations: ClassVar[Sequence[Implementation]] = (
        Implementation(
            "tinygrad.Tensor.softmax", "softmax", "fused", lambda _, x, axis=-1: x.softmax(axis), takes=_AXIS
        ),
        Implementation(
            "tinygrad.Tensor.log_softmax", "log_softmax", "fused",
            lambda _, x, axis=-1: x.log_softmax(axis), takes=_AXIS,
        ),
        Implementation(
            "tinygrad.Tensor.logsumexp", "logsumexp", "fused",
            lambda _, x, axis=-1: x.logsumexp(axis), takes=_AXIS,
        ),
        Implementation(
            "tinygrad.Tensor.cross_entropy:probabilities", "softmax_cross_entropy", "fused",
            lambda _, x, p, **given: x.cross_entropy(p, **_unreduced(given)),
            takes=_DENSE, class_axis="second",
        ),
        Implementation(
            "tinygrad.Tensor.cross_entropy:indices", "sparse_softmax_cross_entropy", "fused",
            lambda _, x, y, **given: x.cross_entropy(y, **_unreduced(given)),
            takes=_DENSE, class_axis="second",
        ),
        Implementation(
            "tinygrad.Tensor.sparse_categorical_crossentropy", "sparse_softmax_cross_entropy", "fused",
            lambda _, x, y, **given: x.sparse_categorical_crossentropy(y, **_unreduced(given)),
            note="ignores the index -1 where no other is named",
            takes=_DENSE | {"ignore_index"}, class_axis="last",
        ),
        Implementation(
            "tinygrad.Tensor.log_softmax+nll_loss", "sparse_softmax_cross_entropy", "composed", _nll,
            takes=frozenset({"weight", "ignore_index", "reduction"}), class_axis="second",
        ),
        Implementation("tinygrad.Tensor.sigmoid", "sigmoid", "fused", lambda _, x: x.sigmoid()),
        Implementation("tinygrad.Tensor.logsigmoid", "log_sigmoid", "fused", lambda _, x: x.logsigmoid()),
        Implementation(
            "tinygrad.Tensor.binary_crossentropy_logits", "sigmoid_cross_entropy", "fused",
            lambda _, x, z, **given: x.binary_crossentropy_logits(z, **_unreduced(given)),
            takes=frozenset({"pos_weight", "reduction"}),
        ),
    )  # fmt: skip

    def __init__(self) -> None:
        import tinygrad

        try:
            self._device = tinygrad.Device["CPU"]
        except (OSError, RuntimeError, subprocess.SubprocessError) as error:
            raise ImportError(
                f"tinygrad's CPU device does not start, and needs clang on the path ({error})"
            ) from error
        self._tinygrad = tinygrad

    def version(self) -> str:
        return importlib.metadata.version("tinygrad")

    def environment(self) -> Mapping[str, str]:
        compiler = os.environ.get("CC", "clang")
        told = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True).stdout
        return {
            "renderer": type(self._device.renderer).__name__,
            "compiler": told.partition("\n")[0],
            "threads": str(self._tinygrad.helpers.NUM_CPU_THREADS.value),
            "machine": platform.machine(),
        }

    def devices(self) -> Sequence[str]:
        return ["cpu"]

    def run(self, call: Call) -> Mapping[str, Array]:
        arguments = [self._tensor(a) for a in call.arguments]
        keywords = {
            name: self._tensor(np.array(given).astype(call.logits.dtype))
            if holds_numbers(name, given)
            else given
            for name, given in call.keywords.items()
        }
        value = call.implementation.call(self._tinygrad, *arguments, **keywords)
        tensors = dict(zip(("grad_logits", "grad_labels"), arguments, strict=False))
        wanted = [o for o in call.outputs if o != "value"]
        found = {"value": value}
        if wanted:
            cotangent = self._tensor(call.cotangent).cast(value.dtype)
            gradients = value.gradient(*(tensors[o] for o in wanted), gradient=cotangent)
            found |= dict(zip(wanted, gradients, strict=True))
        self._tinygrad.Tensor.realize(*found.values())
        return {o: self._array(found[o]) for o in call.outputs}

    def _tensor(self, array: Array) -> Any:
        """On the CPU device; bfloat16, which NumPy has not, by its bits."""
        make, dtypes = self._tinygrad.Tensor, self._tinygrad.dtypes
        if array.dtype.name == "bfloat16":
            return make(np.array(array).view(np.uint16), device="CPU").bitcast(dtypes.bfloat16).realize()
        return make(np.array(array), device="CPU").realize()

    def _array(self, tensor: Any) -> Array:
        if tensor.dtype == self._tinygrad.dtypes.bfloat16:
            bits: Array = tensor.bitcast(self._tinygrad.dtypes.uint16).numpy()
            return bits.view(dtype_of("bfloat16"))
        array: Array = tensor.numpy()
        return array
