"""Keras 3 on each of its backends: its own losses and operators, with the backend's gradients and modes.

``tf.keras`` of TensorFlow 2.16 and later is this Keras. A loss computes in ``floatx`` (binary32) unless it
is told the dtype, so it is told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from xent_conformance.devices.variants import Variants
from xent_conformance.frameworks.interface import Glance, Implementation
from xent_conformance.frameworks.jax import Jax
from xent_conformance.frameworks.tensorflow import TensorFlow
from xent_conformance.frameworks.torch import Torch

_AXIS = frozenset({"axis"})
_REDUCED = frozenset({"reduction", "row_weight"})
_DENSE = _REDUCED | {"axis", "label_smoothing"}
_INDEX = _REDUCED | {"axis", "ignore_index"}
_BINARY = _REDUCED | {"label_smoothing"}
_WITHIN, _SHARES = "probabilities within epsilon", "shares within epsilon"
_OF_LOGARITHMS = "softmax of logarithms within epsilon"
_NORMALISED = "divides by the sum of the probabilities, and clips at 1e-7"
_CLIPPED = "clips probabilities at keras.config.epsilon(), which is documented as 1e-7"


def _loss(
    keras: Any,
    kind: str,
    target: Any,
    output: Any,
    reduction: str = "none",
    row_weight: Any = None,
    **options: Any,
) -> Any:
    """A loss object in the format of the output, and its weights of rows."""
    named = {
        "none": None,
        "sum": "sum",
        "mean": "sum_over_batch_size",
        "weighted_mean": "mean_with_sample_weight",
    }
    dtype = keras.backend.standardize_dtype(output.dtype)
    loss = getattr(keras.losses, kind)(reduction=named[reduction], dtype=dtype, **options)
    return loss(target, output, sample_weight=row_weight)


def _sparse(keras: Any, x: Any, y: Any, ignore_index: Any = None, **options: Any) -> Any:
    return _loss(keras, "SparseCategoricalCrossentropy", y, x, ignore_class=ignore_index, **options)


def _binary(keras: Any, x: Any, z: Any, *, from_logits: bool, **given: Any) -> Any:
    return _elements(keras, x if from_logits else keras.ops.sigmoid(x), z, from_logits=from_logits, **given)


def _elements(keras: Any, output: Any, z: Any, *, row_weight: Any = None, **options: Any) -> Any:
    """``BinaryCrossentropy`` is a mean over the last axis: one element at a time."""
    column = None if row_weight is None else keras.ops.convert_to_tensor(row_weight, output.dtype)[:, None]
    return _loss(keras, "BinaryCrossentropy", z[..., None], output[..., None], row_weight=column, **options)


IMPLEMENTATIONS: Sequence[Implementation] = (
    Implementation(
        "keras.ops.softmax",
        "softmax",
        "fused",
        lambda keras, x, axis=-1: keras.ops.softmax(x, axis),
        takes=_AXIS,
    ),
    Implementation(
        "keras.layers.Softmax",
        "softmax",
        "fused",
        lambda keras, x, axis=-1, mask=None: keras.layers.Softmax(
            axis, dtype=keras.backend.standardize_dtype(x.dtype)
        )(x, mask=None if mask is None else keras.ops.broadcast_to(keras.ops.array(mask, "bool"), x.shape)),
        takes=_AXIS | {"mask"},
    ),
    Implementation(
        "keras.ops.log_softmax",
        "log_softmax",
        "fused",
        lambda keras, x, axis=-1: keras.ops.log_softmax(x, axis),
        takes=_AXIS,
    ),
    Implementation(
        "keras.ops.logsumexp",
        "logsumexp",
        "fused",
        lambda keras, x, axis=-1, **kept: keras.ops.logsumexp(x, axis, **kept),
        takes=_AXIS | {"axes", "keepdims"},
    ),
    Implementation("keras.ops.sigmoid", "sigmoid", "fused", lambda keras, x: keras.ops.sigmoid(x)),
    Implementation(
        "keras.ops.log_sigmoid", "log_sigmoid", "fused", lambda keras, x: keras.ops.log_sigmoid(x)
    ),
    Implementation(
        "keras.losses.CategoricalCrossentropy(from_logits=True)",
        "softmax_cross_entropy",
        "fused",
        lambda keras, x, p, **given: _loss(keras, "CategoricalCrossentropy", p, x, from_logits=True, **given),
        takes=_DENSE,
    ),
    Implementation(
        "keras.losses.CategoricalCrossentropy(from_logits=False)",
        "softmax_cross_entropy",
        "naive",
        lambda keras, x, p, axis=-1, **given: _loss(
            keras, "CategoricalCrossentropy", p, keras.ops.softmax(x, axis), axis=axis, **given
        ),
        note="of a softmax; probabilities are clipped at 1e-7",
        takes=_DENSE,
    ),
    Implementation(
        "keras.losses.SparseCategoricalCrossentropy(from_logits=True)",
        "sparse_softmax_cross_entropy",
        "fused",
        lambda keras, x, y, **given: _sparse(keras, x, y, from_logits=True, **given),
        takes=_INDEX,
    ),
    Implementation(
        "keras.losses.SparseCategoricalCrossentropy(from_logits=False)",
        "sparse_softmax_cross_entropy",
        "naive",
        lambda keras, x, y, axis=-1, **given: _sparse(
            keras, keras.ops.softmax(x, axis), y, axis=axis, **given
        ),
        note="of a softmax; probabilities are clipped at 1e-7",
        takes=_INDEX,
    ),
    Implementation(
        "keras.losses.KLDivergence",
        "kl_divergence",
        "naive",
        lambda keras, x, p, **given: _loss(keras, "KLDivergence", p, keras.ops.exp(x), **given),
        note="of probabilities, which are clipped at 1e-7, and so is the target",
        documented="divergence of what is within epsilon",
        takes=_REDUCED,
    ),
    Implementation(
        "keras.losses.BinaryCrossentropy(from_logits=True)",
        "sigmoid_cross_entropy",
        "fused",
        lambda keras, x, z, **given: _binary(keras, x, z, from_logits=True, **given),
        takes=_BINARY,
    ),
    Implementation(
        "keras.losses.BinaryCrossentropy(from_logits=False)",
        "sigmoid_cross_entropy",
        "naive",
        lambda keras, x, z, **given: _binary(keras, x, z, from_logits=False, **given),
        note="of a sigmoid; probabilities are clipped at 1e-7",
        takes=_BINARY,
    ),
    Implementation(
        "keras.losses.CategoricalCrossentropy",
        "categorical_cross_entropy",
        "fused",
        lambda keras, p, t, **given: _loss(keras, "CategoricalCrossentropy", t, p, **given),
        note=_NORMALISED,
        takes=_DENSE,
        documented=_SHARES,
    ),
    Implementation(
        "keras.ops.categorical_crossentropy",
        "categorical_cross_entropy",
        "fused",
        lambda keras, p, t, **axis: keras.ops.categorical_crossentropy(t, p, **axis),
        note=_NORMALISED,
        takes=_AXIS,
        documented=_SHARES,
    ),
    Implementation(
        "keras.losses.SparseCategoricalCrossentropy",
        "sparse_categorical_cross_entropy",
        "fused",
        _sparse,
        note=_NORMALISED,
        takes=_REDUCED | {"ignore_index"},
        class_axis="last",
        documented=_OF_LOGARITHMS,
    ),
    Implementation(
        "keras.ops.sparse_categorical_crossentropy",
        "sparse_categorical_cross_entropy",
        "fused",
        lambda keras, p, y: keras.ops.sparse_categorical_crossentropy(y, p),
        note=_NORMALISED,
        class_axis="last",
        documented=_OF_LOGARITHMS,
    ),
    Implementation(
        "keras.losses.BinaryCrossentropy",
        "binary_cross_entropy",
        "fused",
        _elements,
        note=_CLIPPED,
        documented=_WITHIN,
        takes=_BINARY,
    ),
    Implementation(
        "keras.losses.binary_crossentropy",
        "binary_cross_entropy",
        "fused",
        lambda keras, p, z, **given: keras.losses.binary_crossentropy(z[..., None], p[..., None], **given),
        note=_CLIPPED,
        documented=_WITHIN,
        takes=frozenset({"label_smoothing"}),
    ),
    Implementation(
        "keras.ops.binary_crossentropy",
        "binary_cross_entropy",
        "fused",
        lambda keras, p, z: keras.ops.binary_crossentropy(z, p),
        note=_CLIPPED,
        documented=_WITHIN,
    ),
)


GLANCE = Glance(("keras.losses.SparseCategoricalCrossentropy(from_logits=True)",))


class _Keras:
    """What the three have in common; mixed in before the backend's own adapter."""

    distribution = "keras"
    implementations: ClassVar[Sequence[Implementation]] = IMPLEMENTATIONS
    restricted: ClassVar[Mapping[str, frozenset[str]]] = {}
    variants: ClassVar[Variants] = {}

    def __init__(self) -> None:
        super().__init__()
        import keras

        self._library = keras

    def version(self) -> str:
        return str(self._library.__version__)

    def environment(self) -> Mapping[str, str]:
        backend: Mapping[str, str] = super().environment()  # type: ignore[misc]
        return {"backend": str(self._library.backend.backend()), **backend}


class KerasTensorFlow(_Keras, TensorFlow):
    """Needs ``keras`` and ``tensorflow``."""

    name = "keras-tensorflow"
    imports: ClassVar[Sequence[str]] = ("tensorflow", "keras")
    without: ClassVar[Sequence[str]] = ("jax", "torch")
    modes: ClassVar = {"eager": "standard", "xla": "full"}
    compiling: ClassVar = frozenset({"xla"})
    glances: ClassVar = {"eager": GLANCE}
    environment_before: ClassVar = {"KERAS_BACKEND": "tensorflow"}


class KerasTorch(_Keras, Torch):
    """Needs ``keras`` and ``torch``."""

    name = "keras-torch"
    imports: ClassVar[Sequence[str]] = ("torch", "keras")
    without: ClassVar[Sequence[str]] = ("jax", "tensorflow")
    modes: ClassVar = {"eager": "full"}
    glances: ClassVar = {"eager": GLANCE}
    from_eight_bits: ClassVar = frozenset()
    environment_before: ClassVar = {"KERAS_BACKEND": "torch"}


class KerasJax(_Keras, Jax):
    """Needs ``keras`` and ``jax``."""

    name = "keras-jax"
    imports: ClassVar[Sequence[str]] = ("jax", "keras")
    without: ClassVar[Sequence[str]] = ("tensorflow", "torch")
    modes: ClassVar = {"jit": "full"}
    compiling: ClassVar = frozenset(modes)
    glances: ClassVar = {"jit": GLANCE}
    in_eight_bits: ClassVar = frozenset(
        {
            "keras.ops.softmax",
            "keras.ops.log_softmax",
            "keras.ops.logsumexp",
            "keras.ops.sigmoid",
            "keras.ops.log_sigmoid",
            "keras.ops.categorical_crossentropy",
            "keras.ops.binary_crossentropy",
        }
    )  # a loss or a layer has a policy of its format, and there is none of eight bits
    environment_before: ClassVar = {"KERAS_BACKEND": "jax"}
