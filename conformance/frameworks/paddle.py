"""PaddlePaddle: dynamic graph, gradients by ``paddle.grad``."""

from __future__ import annotations

import platform
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from xent_conformance.frameworks.interface import (
    Array,
    Call,
    Implementation,
    Unsupported,
    dtype_of,
    holds_numbers,
)

_AXIS = frozenset({"axis"})

_ROW_WEIGHT = "its weight of soft labels scales a row's loss by Σ wᵢpᵢ, as documented: another function"

_LABELS = "paddle.grad returned None: labels have no gradient"


def _functional(paddle: Any) -> Any:
    return paddle.nn.functional


def _unreduced(given: dict[str, Any]) -> dict[str, Any]:
    return {"reduction": "none", **given}


def _of_rows(loss: Any, x: Any, axis: int) -> Any:
    """A loss a row, without the class axis, which paddle leaves there with length one for soft labels."""
    return loss.squeeze(axis) if loss.ndim == x.ndim else loss


def _probabilities(paddle: Any, x: Any, p: Any, axis: int = -1, **given: Any) -> Any:
    loss = _functional(paddle).cross_entropy(x, p, soft_label=True, axis=axis, **_unreduced(given))
    return _of_rows(loss, x, axis)


def _indices(paddle: Any, x: Any, y: Any, axis: int = -1, **given: Any) -> Any:
    if "weight" in given and "label_smoothing" in given:
        raise Unsupported(f"smoothed indices become soft labels; {_ROW_WEIGHT}")
    return _of_rows(_functional(paddle).cross_entropy(x, y, axis=axis, **_unreduced(given)), x, axis)


def _old_probabilities(paddle: Any, x: Any, p: Any, axis: int = -1) -> Any:
    loss = _functional(paddle).softmax_with_cross_entropy(x, p, soft_label=True, axis=axis)
    return _of_rows(loss, x, axis)


def _old_indices(paddle: Any, x: Any, y: Any, axis: int = -1) -> Any:
    """It wants indices with a class axis of length one."""
    loss = _functional(paddle).softmax_with_cross_entropy(x, y.unsqueeze(axis), axis=axis)
    return _of_rows(loss, x, axis)


class Paddle:
    """Needs ``paddlepaddle``; asks ``cpu`` and every CUDA device that its build knows.

    The CPU build has kernels for binary32 and binary64 alone.
    """

    name = "paddle"
    distribution = "paddlepaddle"
    imports: ClassVar[Sequence[str]] = ("paddle",)
    modes: ClassVar = {"eager": "quick"}
    environment_before: ClassVar = {"OMP_NUM_THREADS": "1", "GLOG_minloglevel": "3"}
    autodiff = True
    states: ClassVar[Mapping[str, frozenset[str]]] = {"eager": frozenset({"other_between"})}
    implementations: ClassVar[Sequence[Implementation]] = (
        Implementation(
            "paddle.nn.functional.softmax", "softmax", "fused",
            lambda paddle, x, axis=-1: _functional(paddle).softmax(x, axis=axis), takes=_AXIS,
        ),
        Implementation(
            "paddle.nn.functional.log_softmax", "log_softmax", "fused",
            lambda paddle, x, axis=-1: _functional(paddle).log_softmax(x, axis=axis), takes=_AXIS,
        ),
        Implementation(
            "paddle.logsumexp", "logsumexp", "fused",
            lambda paddle, x, axis=-1: paddle.logsumexp(x, axis=axis), takes=_AXIS,
        ),
        Implementation(
            "paddle.nn.functional.cross_entropy:probabilities", "softmax_cross_entropy", "fused",
            _probabilities,
            note=f"no weight is asked: {_ROW_WEIGHT}",
            takes=frozenset({"axis", "label_smoothing", "reduction"}),
        ),
        Implementation(
            "paddle.nn.functional.softmax_with_cross_entropy:probabilities", "softmax_cross_entropy",
            "fused", _old_probabilities, takes=_AXIS, since="standard",
        ),
        Implementation(
            "paddle.nn.functional.cross_entropy:indices", "sparse_softmax_cross_entropy", "fused",
            _indices,
            takes=frozenset({"axis", "weight", "label_smoothing", "ignore_index", "reduction"}),
        ),
        Implementation(
            "paddle.nn.functional.softmax_with_cross_entropy:indices", "sparse_softmax_cross_entropy",
            "fused", _old_indices, takes=_AXIS, since="standard",
        ),
        Implementation(
            "paddle.nn.functional.sigmoid", "sigmoid", "fused",
            lambda paddle, x: _functional(paddle).sigmoid(x),
        ),
        Implementation(
            "paddle.nn.functional.log_sigmoid", "log_sigmoid", "fused",
            lambda paddle, x: _functional(paddle).log_sigmoid(x),
        ),
        Implementation("paddle.logit", "logit", "fused", lambda paddle, x: paddle.logit(x)),
        Implementation(
            "paddle.nn.functional.binary_cross_entropy_with_logits", "sigmoid_cross_entropy", "fused",
            lambda paddle, x, z, **given: _functional(paddle).binary_cross_entropy_with_logits(
                x, z, **_unreduced(given)
            ),
            takes=frozenset({"weight", "pos_weight", "reduction"}),
        ),
    )  # fmt: skip

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a compiler cache that it would like to have
            import paddle

        paddle.framework.core.set_num_threads(1)
        self._paddle = paddle

    def version(self) -> str:
        return str(self._paddle.__version__)

    def environment(self) -> Mapping[str, str]:
        paddle = self._paddle
        found = {"threads": "1", "machine": platform.machine()}
        if paddle.device.is_compiled_with_cuda():
            found["cuda"] = str(paddle.version.cuda())
        return found

    def devices(self) -> Sequence[str]:
        device = self._paddle.device
        cuda = device.cuda.device_count() if device.is_compiled_with_cuda() else 0
        return ["cpu", *(f"cuda:{i}" for i in range(cuda))]

    def run(self, call: Call) -> Mapping[str, Array]:
        self._paddle.device.set_device(call.device.replace("cuda", "gpu"))
        arguments = [self._tensor(a) for a in call.arguments]
        keywords = {
            name: self._paddle.to_tensor(given, dtype=arguments[0].dtype)
            if holds_numbers(name, given)
            else given
            for name, given in call.keywords.items()
        }

        def compute(*tensors: Any) -> Any:
            return call.implementation.call(self._paddle, *tensors, **keywords)

        found = self._gradients(compute, arguments, self._tensor(call.cotangent), call.outputs)
        return {o: self._array(found[o]) for o in call.outputs}

    def _gradients(
        self, compute: Callable[..., Any], arguments: list[Any], cotangent: Any, outputs: Sequence[str]
    ) -> dict[str, Any]:
        tensors = dict(zip(("grad_logits", "grad_labels"), arguments, strict=False))
        wanted = [o for o in outputs if o != "value"]
        for o in wanted:
            tensors[o].stop_gradient = False
        value = compute(*arguments)
        if not wanted:
            return {"value": value}
        found = self._paddle.grad(
            value, [tensors[o] for o in wanted], cotangent.astype(value.dtype), allow_unused=True
        )
        if any(gradient is None for gradient in found):
            raise Unsupported(_LABELS)
        return {"value": value, **dict(zip(wanted, found, strict=True))}

    def _tensor(self, array: Array) -> Any:
        """Sixteen-bit words are bfloat16 to paddle."""
        bits = array.view(np.uint16) if array.dtype.name == "bfloat16" else array
        return self._paddle.to_tensor(np.ascontiguousarray(bits).reshape(array.shape))

    def _array(self, tensor: Any) -> Array:
        array: Array = tensor.detach().cpu().numpy()
        return array.view(dtype_of("bfloat16")) if array.dtype == np.uint16 else array
