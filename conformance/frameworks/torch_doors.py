"""The doors of PyTorch: functional, modules, special functions, and the formulations people write by hand."""

from __future__ import annotations

from typing import Any

from xent_conformance.frameworks.around import around
from xent_conformance.frameworks.interface import Formulation, Implementation
from xent_conformance.frameworks.torch_layers import FUSED_SINCE

_AXIS_OUT = frozenset({"axis", "out"})
_AXIS = frozenset({"axis"})
_AXIS_DTYPE = frozenset({"axis", "dtype"})
_SUMMED = frozenset({"axes", "keepdims"})
_OUT = frozenset({"out"})
_WEIGHTED = frozenset({"weight", "weight_dtype", "reduction"})
_DENSE = _WEIGHTED | {"label_smoothing"}
_INDEX = _DENSE | {"ignore_index"}
_CLASS_WEIGHTS = _WEIGHTED | {"ignore_index"}
_ELEMENTS = _WEIGHTED | {"pos_weight"}

EPSILON = 1e-7
"""What people add or clip at."""


def _unreduced(given: dict[str, Any]) -> dict[str, Any]:
    return {"reduction": "none", **given}


def _dims(x: Any, axis: Any) -> Any:
    """One axis or several, as ``dim`` names them; None is all axes, each by its number."""
    if axis is None:
        return tuple(range(x.ndim))
    return axis


def _functional(torch: Any) -> Any:
    return torch.nn.functional


def _rows(torch: Any, x: Any, of_row: Any) -> Any:
    """A function of one row, for each row: for doors that are not made for a batch of logits."""
    return torch.stack([of_row(i) for i in range(x.shape[0])])


def _gumbel_without_noise(torch: Any, x: Any, axis: int = -1, temperature: float = 1.0) -> Any:
    """``gumbel_softmax`` draws ``−log E`` with ``E`` exponential; with ``E = 1`` its noise is zero."""
    drawn = torch.Tensor.exponential_
    torch.Tensor.exponential_ = lambda self, *_: self.fill_(1.0)
    try:
        return torch.nn.functional.gumbel_softmax(x, tau=temperature, dim=axis)
    finally:
        torch.Tensor.exponential_ = drawn


def _linear(torch: Any, x: Any, y: Any) -> Any:
    """The logits are the weights of one feature that is one, so that the product is exact."""
    one = torch.ones(1, 1, dtype=x.dtype, device=x.device)

    def of_row(i: int) -> Any:
        loss = torch.nn.functional.linear_cross_entropy(one, x[i][:, None], y[i : i + 1], reduction="none")
        return loss[0]

    return _rows(torch, x, of_row)


def _kl(torch: Any, x: Any, p: Any) -> Any:
    """``KL(p‖s)`` and the entropy of ``p``, a constant, are the cross-entropy."""
    p = p.detach()
    divergence = torch.nn.KLDivLoss(reduction="none")(torch.log_softmax(x, dim=-1), p).sum(dim=-1)
    return divergence - torch.special.xlogy(p, p).sum(dim=-1)


def _rows_last(x: Any, axis: int) -> Any:
    return x.movedim(axis, -1).reshape(-1, x.shape[axis])


def _divergence(torch: Any, x: Any, p: Any, axis: int = -1, reduction: str = "none") -> Any:
    """Summed over the classes by hand; a mean is ``batchmean``, which divides by what is first: the rows."""
    if reduction == "none":
        return torch.nn.functional.kl_div(x, p, reduction="none").sum(dim=axis)
    named = "batchmean" if reduction == "mean" else reduction
    return torch.nn.functional.kl_div(_rows_last(x, axis), _rows_last(p, axis), reduction=named)


def _divergence_module(torch: Any, x: Any, p: Any, axis: int = -1, reduction: str = "none") -> Any:
    """The same, by the module."""
    if reduction == "none":
        return torch.nn.KLDivLoss(reduction="none")(x, p).sum(dim=axis)
    named = "batchmean" if reduction == "mean" else reduction
    return torch.nn.KLDivLoss(reduction=named)(_rows_last(x, axis), _rows_last(p, axis))


def _log_target(torch: Any, x: Any, t: Any, axis: int = -1, reduction: str = "none") -> Any:
    """As :func:`_divergence`, of a target that is given by its logarithms."""
    divergence = torch.nn.functional.kl_div
    if reduction == "none":
        return divergence(x, t, reduction="none", log_target=True).sum(dim=axis)
    named = "batchmean" if reduction == "mean" else reduction
    return divergence(_rows_last(x, axis), _rows_last(t, axis), reduction=named, log_target=True)


def _log_target_module(torch: Any, x: Any, t: Any, axis: int = -1) -> Any:
    return torch.nn.KLDivLoss(reduction="none", log_target=True)(x, t).sum(dim=axis)


def _relative_entropy(torch: Any, q: Any, p: Any) -> Any:
    return torch.special.xlogy(p, p) - torch.special.xlogy(p, q)


def _cast(torch: Any, x: Any, dtype: Any) -> Any:
    return x.to(getattr(torch, dtype) if isinstance(dtype, str) else dtype)


def _hide(torch: Any, x: Any, mask: Any) -> Any:
    return x.masked_fill(~mask, float("-inf"))


def _binary(z: Any, s: Any) -> Any:
    return -z * s.log() - (1 - z) * (1 - s).log()


def _door(
    name: str, operator: str, call: Any, formulation: Formulation = "fused", **more: Any
) -> Implementation:
    return Implementation(name, operator, formulation, call, since="standard", **more)


_SOFTMAX, _LOG, _SUM = "softmax", "log_softmax", "logsumexp"
_CE, _SPARSE = "softmax_cross_entropy", "sparse_softmax_cross_entropy"
_SIGMOID, _LOG_SIGMOID, _LOGIT, _BINARY = "sigmoid", "log_sigmoid", "logit", "sigmoid_cross_entropy"
_DIVERGENCE, _LIKELIHOOD = "kl_divergence", "negative_log_likelihood"
_LOG_TARGET, _RELATIVE = "kl_divergence_log_target", "relative_entropy"
_ELEMENTWISE = "elementwise_kl_divergence"
_GIVEN_BINARY, _GIVEN_DENSE = "binary_cross_entropy", "categorical_cross_entropy"
_GIVEN_SPARSE = "sparse_categorical_cross_entropy"
_CLASSES = frozenset({_SOFTMAX, _LOG, _SUM, _SPARSE})
"""Of dense losses a class that is filled with −∞ is one with a label; they are not told that it is masked."""

_FIRST = (
    Implementation(
        "torch.softmax",
        "softmax",
        "fused",
        lambda torch, x, axis=-1, **given: torch.softmax(x, dim=axis, **given),
        takes=_AXIS_OUT | {"dtype"},
    ),
    Implementation(
        "torch.log_softmax",
        "log_softmax",
        "fused",
        lambda torch, x, axis=-1, **given: torch.log_softmax(x, dim=axis, **given),
        takes=_AXIS_OUT | {"dtype"},
    ),
    Implementation(
        "torch.logsumexp",
        "logsumexp",
        "fused",
        lambda torch, x, axis=-1, keepdims=False, **out: torch.logsumexp(
            x, dim=_dims(x, axis), keepdim=keepdims, **out
        ),
        takes=_AXIS_OUT | _SUMMED,
    ),
    Implementation(
        "torch.nn.functional.cross_entropy:probabilities",
        "softmax_cross_entropy",
        "fused",
        lambda torch, x, p, **given: torch.nn.functional.cross_entropy(x, p, **_unreduced(given)),
        takes=_DENSE,
        class_axis="second",
    ),
    Implementation(
        "torch.nn.functional.cross_entropy:indices",
        "sparse_softmax_cross_entropy",
        "fused",
        lambda torch, x, y, **given: torch.nn.functional.cross_entropy(x, y, **_unreduced(given)),
        takes=_INDEX,
        class_axis="second",
    ),
    Implementation(
        "torch.log_softmax+nll_loss",
        "sparse_softmax_cross_entropy",
        "composed",
        lambda torch, x, y, **given: torch.nn.functional.nll_loss(
            torch.log_softmax(x, dim=min(1, x.ndim - 1)), y, **_unreduced(given)
        ),
        takes=_CLASS_WEIGHTS,
        class_axis="second",
    ),
    Implementation(
        "torch.sigmoid",
        "sigmoid",
        "fused",
        lambda torch, x, **out: torch.sigmoid(x, **out),
        takes=frozenset({"out"}),
    ),
    Implementation(
        "torch.nn.functional.logsigmoid",
        "log_sigmoid",
        "fused",
        lambda torch, x, **out: torch.nn.functional.logsigmoid(x, **out),
        takes=frozenset({"out"}),
    ),
    Implementation(
        "torch.logit",
        "logit",
        "fused",
        lambda torch, x, **given: torch.logit(x, **given),
        takes=frozenset({"out", "eps"}),
    ),
    Implementation(
        "torch.nn.functional.binary_cross_entropy_with_logits",
        "sigmoid_cross_entropy",
        "fused",
        lambda torch, x, z, **given: torch.nn.functional.binary_cross_entropy_with_logits(
            x, z, **_unreduced(given)
        ),
        takes=_ELEMENTS,
    ),
)

_GIVEN_FIRST = (
    Implementation(
        "torch.nn.functional.kl_div",
        _DIVERGENCE,
        "fused",
        _divergence,
        takes=_AXIS | {"reduction"},
        note="summed over the classes; the mean is batchmean, for its own divides by the elements",
    ),
    Implementation(
        "torch.nn.functional.kl_div:log_target",
        _LOG_TARGET,
        "fused",
        _log_target,
        takes=_AXIS | {"reduction"},
        note="log_target=True; summed over the classes, the mean is batchmean",
    ),
    Implementation(
        "torch.special.xlogy-xlogy",
        _RELATIVE,
        "composed",
        _relative_entropy,
    ),
    Implementation(
        "torch.special.xlogy-xlogy-p+q",
        _ELEMENTWISE,
        "composed",
        lambda torch, q, p: _relative_entropy(torch, q, p) - p + q,
    ),
    Implementation(
        "torch.nn.functional.nll_loss",
        _LIKELIHOOD,
        "fused",
        lambda torch, x, y, **given: torch.nn.functional.nll_loss(x, y, **_unreduced(given)),
        takes=_CLASS_WEIGHTS,
        class_axis="second",
    ),
    Implementation(
        "torch.nn.functional.binary_cross_entropy",
        _GIVEN_BINARY,
        "fused",
        lambda torch, p, z, **given: torch.nn.functional.binary_cross_entropy(p, z, **_unreduced(given)),
        note="documents that its logarithms are clamped at −100",
        documented="logarithms of at least -100",
        takes=frozenset({"weight", "reduction"}),
    ),
    Implementation(
        "torch.special.xlogy+sum",
        _GIVEN_DENSE,
        "composed",
        lambda torch, p, t, axis=-1: -torch.special.xlogy(t, p).sum(dim=axis),
        takes=_AXIS,
    ),
    Implementation(
        "torch.log+nll_loss",
        _GIVEN_SPARSE,
        "composed",
        lambda torch, p, y, **given: torch.nn.functional.nll_loss(p.log(), y, **_unreduced(given)),
        takes=_CLASS_WEIGHTS,
        class_axis="second",
    ),
)
"""Of given log-probabilities and probabilities, before which nothing stands."""

FIRST = (
    *(
        door if door.operator == _LOGIT else around(door, _cast, _hide if door.operator in _CLASSES else None)
        for door in _FIRST
    ),
    *_GIVEN_FIRST,
)
"""What most users call."""

LINEAR = (
    "torch.nn.functional.kl_div",
    "torch.nn.KLDivLoss",
    "torch.log-x*p",
    "torch.gather",
    "torch.nn.functional.kl_div:log_target",
    "torch.nn.KLDivLoss:log_target",
)
"""Doors whose gradient by the argument does not depend on it, and which have no second one of zeros."""

OTHERS = (
    _door(
        "torch.nn.functional.softmax",
        _SOFTMAX,
        lambda t, x, axis=-1, **given: _functional(t).softmax(x, dim=axis, **given),
        takes=_AXIS_DTYPE,
    ),
    _door("torch.nn.Softmax", _SOFTMAX, lambda t, x, axis=-1: t.nn.Softmax(dim=axis)(x), takes=_AXIS),
    _door(
        "torch.special.softmax",
        _SOFTMAX,
        lambda t, x, axis=-1, **given: t.special.softmax(x, dim=axis, **given),
        takes=_AXIS_DTYPE,
    ),
    _door(
        "torch.masked.softmax",
        _SOFTMAX,
        lambda t, x, axis=-1, mask=None: t.masked.softmax(x, axis, mask=mask),
        takes=_AXIS | {"mask"},
    ),
    _door(
        "torch.nn.functional.gumbel_softmax:noise=0",
        _SOFTMAX,
        _gumbel_without_noise,
        "composed",
        takes=_AXIS | {"temperature"},
        note="a softmax of logits plus noise; asked with the noise at zero",
    ),
    _door("torch.exp/sum", _SOFTMAX, lambda t, x: t.exp(x) / t.exp(x).sum(-1, keepdim=True), "naive"),
    _door(
        "torch.nn.functional.log_softmax",
        _LOG,
        lambda t, x, axis=-1, **given: _functional(t).log_softmax(x, dim=axis, **given),
        takes=_AXIS_DTYPE,
    ),
    _door("torch.nn.LogSoftmax", _LOG, lambda t, x, axis=-1: t.nn.LogSoftmax(dim=axis)(x), takes=_AXIS),
    _door(
        "torch.special.log_softmax",
        _LOG,
        lambda t, x, axis=-1, **given: t.special.log_softmax(x, dim=axis, **given),
        takes=_AXIS_DTYPE,
    ),
    _door(
        "torch.masked.log_softmax",
        _LOG,
        lambda t, x, axis=-1, mask=None: t.masked.log_softmax(x, axis, mask=mask),
        takes=_AXIS | {"mask"},
    ),
    _door("torch.softmax.log", _LOG, lambda t, x: t.softmax(x, dim=-1).log(), "naive"),
    _door(
        "torch.special.logsumexp",
        _SUM,
        lambda t, x, axis=-1, keepdims=False: t.special.logsumexp(x, dim=_dims(x, axis), keepdim=keepdims),
        takes=_AXIS | _SUMMED,
    ),
    _door("torch.exp.sum.log", _SUM, lambda t, x: t.exp(x).sum(-1).log(), "naive"),
    _door(
        "torch.nn.CrossEntropyLoss:probabilities",
        _CE,
        lambda t, x, p, **given: t.nn.CrossEntropyLoss(**_unreduced(given))(x, p),
        takes=_DENSE,
        class_axis="second",
    ),
    _door("torch.log_softmax*p", _CE, lambda t, x, p: -(p * t.log_softmax(x, dim=-1)).sum(-1), "composed"),
    _door(
        "torch.nn.LogSoftmax+torch.nn.KLDivLoss+entropy",
        _CE,
        _kl,
        "composed",
        note="the Kullback-Leibler divergence is the cross-entropy but for a constant, added here",
    ),
    _door("torch.softmax.log*p", _CE, lambda t, x, p: -(p * t.softmax(x, dim=-1).log()).sum(-1), "naive"),
    _door(
        "torch.softmax+epsilon.log*p",
        _CE,
        lambda t, x, p: -(p * (t.softmax(x, dim=-1) + EPSILON).log()).sum(-1),
        "naive",
    ),
    _door(
        "torch.softmax.clamp.log*p",
        _CE,
        lambda t, x, p: -(p * t.softmax(x, dim=-1).clamp(EPSILON, 1 - EPSILON).log()).sum(-1),
        "naive",
    ),
    _door(
        "torch.nn.functional.cross_entropy(torch.softmax)",
        _CE,
        lambda t, x, p: _functional(t).cross_entropy(t.softmax(x, dim=-1), p, reduction="none"),
        "naive",
        note="softmax applied twice: the negative control",
    ),
    _door(
        "torch.nn.CrossEntropyLoss:indices",
        _SPARSE,
        lambda t, x, y, **given: t.nn.CrossEntropyLoss(**_unreduced(given))(x, y),
        takes=_INDEX,
        class_axis="second",
    ),
    _door(
        "torch.nn.LogSoftmax+torch.nn.NLLLoss",
        _SPARSE,
        lambda t, x, y, **given: t.nn.NLLLoss(**_unreduced(given))(
            t.nn.LogSoftmax(dim=min(1, x.ndim - 1))(x), y
        ),
        "composed",
        takes=_CLASS_WEIGHTS,
        class_axis="second",
    ),
    _door(
        "torch.nn.KLDivLoss",
        _DIVERGENCE,
        _divergence_module,
        takes=_AXIS | {"reduction"},
    ),
    _door("torch.nn.KLDivLoss:log_target", _LOG_TARGET, _log_target_module, takes=_AXIS),
    _door(
        "torch.log-x*p",
        _DIVERGENCE,
        lambda t, x, p: (p * (p.log() - x)).sum(-1),
        "naive",
        note="as it is written; NaN at a target of zero",
    ),
    _door(
        "torch.nn.NLLLoss",
        _LIKELIHOOD,
        lambda t, x, y, **given: t.nn.NLLLoss(**_unreduced(given))(x, y),
        takes=_CLASS_WEIGHTS,
        class_axis="second",
    ),
    _door(
        "torch.gather",
        _LIKELIHOOD,
        lambda t, x, y: -x.gather(-1, y[:, None])[:, 0],
        "composed",
    ),
    _door(
        "torch.nn.functional.linear_cross_entropy",
        _SPARSE,
        _linear,
        note="the fused linear loss, asked with one feature that is one and the logits for weights",
        came=FUSED_SINCE,
    ),
    _door(
        "torch.softmax.log+gather",
        _SPARSE,
        lambda t, x, y: -t.softmax(x, dim=-1).log().gather(-1, y[:, None])[:, 0],
        "naive",
    ),
    _door("torch.special.expit", _SIGMOID, lambda t, x, **out: t.special.expit(x, **out), takes=_OUT),
    _door("torch.nn.Sigmoid", _SIGMOID, lambda t, x: t.nn.Sigmoid()(x)),
    _door("torch.sigmoid.log", _LOG_SIGMOID, lambda t, x: t.sigmoid(x).log(), "naive"),
    _door("torch.nn.LogSigmoid", _LOG_SIGMOID, lambda t, x: t.nn.LogSigmoid()(x)),
    _door(
        "torch.special.logit",
        _LOGIT,
        lambda t, x, **given: t.special.logit(x, **given),
        takes=frozenset({"out", "eps"}),
    ),
    _door(
        "torch.nn.BCEWithLogitsLoss",
        _BINARY,
        lambda t, x, z, **given: t.nn.BCEWithLogitsLoss(**_unreduced(given))(x, z),
        takes=_ELEMENTS,
    ),
    _door(
        "torch.nn.MultiLabelSoftMarginLoss",
        _BINARY,
        lambda t, x, z: t.nn.MultiLabelSoftMarginLoss(reduction="none")(x[..., None], z[..., None]),
        "composed",
        note="the mean over labels, asked with one label at a time",
    ),
    _door(
        "torch.sigmoid+torch.nn.BCELoss",
        _BINARY,
        lambda t, x, z: t.nn.BCELoss(reduction="none")(t.sigmoid(x), z),
        "naive",
        note="its logarithms are clamped at −100",
    ),
    _door(
        "torch.nn.BCELoss",
        _GIVEN_BINARY,
        lambda t, p, z, **given: t.nn.BCELoss(**_unreduced(given))(p, z),
        note="documents that its logarithms are clamped at −100",
        documented="logarithms of at least -100",
        takes=frozenset({"weight", "reduction"}),
    ),
    _door(
        "torch.special.xlogy+xlog1py",
        _GIVEN_BINARY,
        lambda t, p, z: -t.special.xlogy(z, p) - t.special.xlog1py(1 - z, -p),
        "composed",
    ),
    _door(
        "torch.log",
        _GIVEN_BINARY,
        lambda t, p, z: _binary(z, p),
        "naive",
        note="as it is written; NaN at 0 and at 1",
    ),
    _door(
        "torch.log*t",
        _GIVEN_DENSE,
        lambda t, p, labels: -(labels * p.log()).sum(-1),
        "naive",
        note="as it is written; NaN at a probability of 0",
    ),
    _door(
        "torch.clamp+log*t",
        _GIVEN_DENSE,
        lambda t, p, labels: -(labels * p.clamp(min=EPSILON).log()).sum(-1),
        "naive",
        note="clamped at 1e-7",
    ),
    _door(
        "torch.gather+log",
        _GIVEN_SPARSE,
        lambda t, p, y: -p.gather(-1, y[:, None])[:, 0].log(),
        "composed",
    ),
    _door(
        "torch.clamp+log",
        _GIVEN_BINARY,
        lambda t, p, z: _binary(z, p.clamp(EPSILON, 1 - EPSILON)),
        "naive",
        note="clamped at 1e-7",
    ),
    _door("torch.sigmoid.log", _BINARY, lambda t, x, z: _binary(z, t.sigmoid(x)), "naive"),
    _door(
        "torch.sigmoid+epsilon.log",
        _BINARY,
        lambda t, x, z: -z * (t.sigmoid(x) + EPSILON).log() - (1 - z) * (1 - t.sigmoid(x) + EPSILON).log(),
        "naive",
    ),
)
"""Other doors to the same functions, and what formulations cost in accuracy (asked from ``standard`` on)."""
