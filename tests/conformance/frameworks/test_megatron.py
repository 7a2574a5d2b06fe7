"""Megatron's adapter: shards of one size, what each rank has of an answer and leaves of its logits."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from tests.support import fakes_of_libraries as fakes
from xent_conformance.devices.variants import RANKS
from xent_conformance.frameworks.interface import Call, Unsupported
from xent_conformance.frameworks.megatron import Megatron, _excluded, _held, _spread

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning"),
    # JAX, which another test may have imported here, has threads; a rank does not use it
    pytest.mark.filterwarnings("ignore:os.fork.. was called:RuntimeWarning"),
]

X = np.array([[1.0, 2.0, 4.0], [0.5, -3.0, 0.0]], np.float32)
Y = np.array([1, 0])
C = np.array([2.0, -0.5], np.float32)
GRADIENT = (fakes.softmax(X) - np.eye(3)[Y]) * C[:, None]
PLAIN, FUSED = Megatron.implementations


def spread(torch: Any) -> Any:
    """The loss over a group, by collectives; it adds what it was told of smoothing."""

    class Spread(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any, smoothing: float) -> Any:
            distributed = torch.distributed
            rank, n = distributed.get_rank(), x.shape[-1]
            top = x.amax(-1)
            distributed.all_reduce(top, distributed.ReduceOp.MAX)
            shifted = x - top[..., None]
            mine = (y >= rank * n) & (y < (rank + 1) * n)
            place = torch.where(mine, y - rank * n, 0)
            parts = torch.stack([shifted.exp().sum(-1), shifted.gather(-1, place[..., None])[..., 0] * mine])
            distributed.all_reduce(parts)
            ctx.save_for_backward(shifted.exp() / parts[0, ..., None], place, mine)
            x.add_(1)  # as one that computes in place
            return parts[0].log() - parts[1] + smoothing

        @staticmethod
        def backward(ctx: Any, c: Any) -> Any:
            s, place, mine = ctx.saved_tensors
            return (
                s.scatter_add(-1, place[..., None], -mine[..., None].to(s.dtype)) * c[..., None],
                None,
                None,
            )

    return Spread.apply


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Megatron as it is called, and what it was told before the ranks were there."""
    torch = pytest.importorskip("torch")
    told, loss = SimpleNamespace(jit=[]), spread(torch)
    fakes.installed(
        monkeypatch,
        megatron__core={},
        megatron__core__jit={"disable_jit_fuser": lambda: told.jit.append("off")},
        megatron__core__parallel_state={
            "initialize_model_parallel": lambda tensor_model_parallel_size: None,
            "get_tensor_model_parallel_group": lambda: torch.distributed.group.WORLD,
        },
        megatron__core__tensor_parallel={"vocab_parallel_cross_entropy": loss},
        megatron__core__fusions__fused_cross_entropy={
            "fused_vocab_parallel_cross_entropy": lambda x, y, group: loss(x, y, float(group.size()))
        },
    )
    return told


@pytest.fixture
def two(library: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Megatron]:
    monkeypatch.setenv(RANKS, "2")
    adapter = Megatron()
    yield adapter
    adapter._crew.end()


def call(
    x: Any, door: Any = PLAIN, outputs: tuple[str, ...] = ("value", "grad_logits"), **given: Any
) -> Call:
    return Call(door, "eager", "cpu", x, Y.copy(), C.astype(x.dtype), outputs, keywords=given)


def test_over_two_ranks(two: Megatron, library: SimpleNamespace) -> None:
    """Three classes are two, and one beside padding; labels are on both ranks."""
    assert library.jit == ["off"] and two.environment()["ranks"] == "2"
    for _ in range(2):
        asked = call(X.copy())
        found = two.run(asked)
        assert found["value"] == pytest.approx(fakes.losses(X, Y), rel=1e-5)
        assert found["grad_logits"] == pytest.approx(GRADIENT, rel=1e-4)
        assert (asked.logits == X + 1).all(), "what is left of its logits is told"
    assert (asked.labels == Y).all() and (asked.cotangent == C).all()
    fused = two.run(call(X.copy(), FUSED, ("value",)))["value"]
    assert fused == pytest.approx(fakes.losses(X, Y) + 2, rel=1e-5), "it is given the group"
    half = two.run(call(X.astype(ml_dtypes.bfloat16)))
    assert half["grad_logits"].dtype == ml_dtypes.bfloat16
    four = np.concatenate([X, X[:, :1]], axis=1)
    smoothed = two.run(call(four, outputs=("value",), label_smoothing=0.2))["value"]
    assert smoothed == pytest.approx(fakes.losses(four - 1, Y) + 0.15, rel=1e-5), "ε(N − 1)/N"
    with pytest.raises(Unsupported, match="padded"):
        two.run(call(X.copy(), label_smoothing=0.2))


def test_ranks_that_cannot_be_joined_are_a_framework_that_does_not_load(
    library: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    import megatron.core as core

    def refuse(tensor_model_parallel_size: int) -> None:
        raise RuntimeError(f"no address for {tensor_model_parallel_size}")

    monkeypatch.setattr(core.parallel_state, "initialize_model_parallel", refuse)
    monkeypatch.setenv(RANKS, "1")
    with pytest.raises(ImportError, match="do not find each other over gloo: no address for 1"):
        Megatron()


def test_what_has_no_infinity_cannot_be_padded() -> None:
    for dtype in ("int32", "float8_e4m3fn"):
        with pytest.raises(Unsupported, match="to pad the classes with"):
            _excluded(np.dtype(getattr(ml_dtypes, dtype, dtype)))
    first, second = _spread(call(X.astype(ml_dtypes.bfloat16)), 2)
    assert first["logits"].shape == second["logits"].shape == (2, 2)
    assert np.isneginf(second["logits"].astype(float)).tolist() == [[False, True]] * 2


def test_a_loss_that_ranks_do_not_hold_alike_is_an_error() -> None:
    """Zeros of both signs are not alike; smoothed, each rank has its own, and that is Megatron's word."""
    zero = np.zeros(2, np.float32)
    assert _held([zero, zero.copy()], smoothed=False) is zero
    with pytest.raises(RuntimeError, match="not the same on each of them"):
        _held([zero, -zero], smoothed=False)
    assert _held([zero, zero + 1], smoothed=True) is zero
