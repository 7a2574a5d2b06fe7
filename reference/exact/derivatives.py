"""Forward mode and second derivatives: ``jvp`` and ``hvp`` of every operator (SPEC.md 1.6).

``jvp`` is the directional derivative of the value along the tangent ``v``; ``hvp`` that of the VJP
with the cotangent ``c``, which is the Hessian of ``⟨c, value⟩`` times ``v``. With ``t_i = v_i − Σ s_j v_j``
(the derivative of ``log s_i``) everything in the softmax family is a few products.
"""

from __future__ import annotations

from collections.abc import Callable

from flint import arb

from xent_conformance.reference.exact.ball import Number, Values
from xent_conformance.reference.exact.parts import ONE, ZERO, Mirrored, Shifted
from xent_conformance.reference.exact.row import Row
from xent_conformance.reference.exact.softmax import centred, dot, sizes


class _Moving(Shifted):
    """A shifted row and the directions ``t``; a uniform tangent gives exactly zero."""

    def __init__(self, r: Row) -> None:
        super().__init__(r.x)
        w = centred(r.v, self.k)
        self.mean = dot(self.s, w)
        self.t = [a - self.mean for a in w]

    def scaled(self, factor: arb) -> list[Number]:
        """``factor · s_i t_i``."""
        return [factor * s * t for s, t in zip(self.s, self.t, strict=True)]


def _softmax(r: Row) -> Values:
    """``s_i t_i``; ``s_i (t_i (c_i − c̄) − Σ s_j t_j c_j)``."""
    z = _Moving(r)
    b = centred(r.c, z.k)
    mean = dot(z.s, b)
    covariance = sum((s * t * c for s, t, c in zip(z.s, z.t, b, strict=True)), ZERO)
    hvp: list[Number] = [s * (t * (c - mean) - covariance) for s, t, c in zip(z.s, z.t, b, strict=True)]
    return {"jvp": z.scaled(ONE), "hvp": hvp} | sizes(z)


def _log_softmax(r: Row) -> Values:
    """``t_i``; ``−s_i t_i Σ c_j``."""
    z = _Moving(r)
    return {"jvp": list(z.t), "hvp": z.scaled(-sum(map(arb, r.c), ZERO))} | sizes(z)


def _logsumexp(r: Row) -> Values:
    """``Σ s_j v_j``; ``c s_i t_i``."""
    z = _Moving(r)
    return {"jvp": [arb(r.v[z.k]) + z.mean], "hvp": z.scaled(arb(r.c[0]))} | sizes(z)


def _softmax_cross_entropy(r: Row) -> Values:
    """``−Σ p_i t_i``; ``c Σp s_i t_i``."""
    z = _Moving(r)
    p = [arb(v) for v in r.p]
    return {"jvp": [-dot(p, z.t)], "hvp": z.scaled(arb(r.c[0]) * sum(p, ZERO))} | sizes(z)


def _sparse_softmax_cross_entropy(r: Row) -> Values:
    """``−t_y``; ``c s_i t_i``."""
    z = _Moving(r)
    return {"jvp": [-z.t[r.y]], "hvp": z.scaled(arb(r.c[0]))} | sizes(z)


def _slopes(m: Mirrored) -> list[arb]:
    """``σ(x) σ(−x)``."""
    return [a * b for a, b in zip(m.sigma, m.mirror, strict=True)]


def _sigmoid(r: Row) -> Values:
    """``σσ⁻ v``; ``c v σσ⁻ (σ⁻ − σ)``, the last factor as ``−tanh(x/2)``."""
    m = Mirrored(r.x)
    d = _slopes(m)
    hvp: list[Number] = [
        -arb(c) * arb(v) * s * (arb(x) / 2).tanh() for x, s, c, v in zip(r.x, d, r.c, r.v, strict=True)
    ]
    jvp: list[Number] = [s * arb(v) for s, v in zip(d, r.v, strict=True)]
    return {"jvp": jvp, "hvp": hvp, "_sigma": list(m.sigma), "_mirror": list(m.mirror)}


def _log_sigmoid(r: Row) -> Values:
    """``σ⁻ v``; ``−c v σσ⁻``."""
    m = Mirrored(r.x)
    hvp: list[Number] = [-arb(c) * arb(v) * s for s, c, v in zip(_slopes(m), r.c, r.v, strict=True)]
    jvp: list[Number] = [s * arb(v) for s, v in zip(m.mirror, r.v, strict=True)]
    return {"jvp": jvp, "hvp": hvp, "_sigma": list(m.sigma), "_mirror": list(m.mirror)}


def _sigmoid_cross_entropy(r: Row) -> Values:
    """``(σ − z) v``; ``c v σσ⁻``."""
    m = Mirrored(r.x)
    hvp: list[Number] = [arb(c) * arb(v) * s for s, c, v in zip(_slopes(m), r.c, r.v, strict=True)]
    jvp: list[Number] = [
        ((ONE - arb(z)) * a - arb(z) * b) * arb(v)
        for z, a, b, v in zip(r.p, m.sigma, m.mirror, r.v, strict=True)
    ]
    return {"jvp": jvp, "hvp": hvp, "_sigma": list(m.sigma), "_mirror": list(m.mirror)}


def _logit(r: Row) -> Values:
    """``v / (p (1 − p))``; ``c v (2p − 1) / (p (1 − p))²``, for ``p`` inside (0, 1)."""
    p = [arb(v) for v in r.x]
    d = [ONE / (q * (ONE - q)) for q in p]
    jvp: list[Number] = [s * arb(v) for s, v in zip(d, r.v, strict=True)]
    hvp: list[Number] = [
        arb(c) * arb(v) * (q + q - ONE) * s * s for q, s, c, v in zip(p, d, r.c, r.v, strict=True)
    ]
    return {"jvp": jvp, "hvp": hvp}


DERIVATIVES: dict[str, Callable[[Row], Values]] = {
    f.__name__.removeprefix("_"): f
    for f in (
        _softmax,
        _log_softmax,
        _logsumexp,
        _softmax_cross_entropy,
        _sparse_softmax_cross_entropy,
        _sigmoid,
        _log_sigmoid,
        _logit,
        _sigmoid_cross_entropy,
    )
}
"""By operator. They are asked of finite rows."""
