"""PyTorch with losses that keep something from one call to the next, or to gradients, one fault each.

Each is a function of public names alone, so that a script can be written of it; ``right`` keeps nothing.
Real worker processes load them as the framework ``torch``.
"""

# ruff: noqa: B006  # what is kept is kept in a default, so that it goes into a script

from __future__ import annotations

from typing import ClassVar

from xent_conformance.frameworks.interface import Implementation
from xent_conformance.frameworks.torch import Torch


def _right(torch, x):
    return torch.softmax(x, -1)


def _every_second_call(torch, x, kept=[]):
    kept.append(None)
    return torch.softmax(x, -1) * (1 if len(kept) % 2 else 1.0000002)


def _of_the_last_shape(torch, x, kept=[]):
    other = bool(kept) and kept[0] != tuple(x.shape)
    kept[:] = [tuple(x.shape)]
    return torch.softmax(x, -1) * (1.0000002 if other else 1)


def _one_buffer(torch, x, busy=[]):
    import time

    busy.append(None)
    time.sleep(0.02)
    wrong = len(busy) > 1
    result = torch.softmax(x, -1) * (1.0000002 if wrong else 1)
    time.sleep(0.02)
    busy.pop()
    return result


def _served(torch, x):
    return torch.softmax(x, -1) * (1.0000002 if torch.is_inference_mode_enabled() else 1)


def _hook(torch, x, kept):
    def wrong(gradient):
        kept.append(None)
        return gradient * (1 if len(kept) == 1 else 1.5)

    if x.requires_grad:
        x.register_hook(wrong)
    return torch.softmax(x, -1)


def _second_backward(torch, x):
    return _hook(torch, x, [])


def _doubled_logits(torch, x, y):
    same = x.data_ptr() == y.data_ptr()
    return torch.nn.functional.cross_entropy(x, y, reduction="none") * (1.5 if same else 1)


def _right_loss(torch, x, y):
    return torch.nn.functional.cross_entropy(x, y, reduction="none")


def _in_place(torch, x):
    result = torch.softmax(x, -1)
    x.detach().add_(1)
    return result


def _not_written(torch, x):
    # as much as is asked of the C library each time: a few numbers may lie where others have lain
    result = torch.empty(2**16, dtype=x.dtype)[: x.numel()].view_as(x)
    result[:, :-1] = torch.softmax(x, -1)[:, :-1]
    return result


def _accumulated(torch, x):
    if x.requires_grad:
        x.register_hook(lambda gradient: gradient * (1 if x.grad is None else 1.5))
    return torch.softmax(x, -1)


def _door(name, operator, call):
    return Implementation(f"kept.{name}", operator, "fused", call)


class Keeps(Torch):
    """All of them."""

    implementations: ClassVar = (
        _door("right", "softmax", _right),
        _door("twice", "softmax", _every_second_call),
        _door("other_between", "softmax", _of_the_last_shape),
        _door("threads", "softmax", _one_buffer),
        _door("inference", "softmax", _served),
        _door("second_backward", "softmax", _second_backward),
        _door("accumulated", "softmax", _accumulated),
        _door("in_place", "softmax", _in_place),
        _door("not_written", "softmax", _not_written),
        _door("right_loss", "softmax_cross_entropy", _right_loss),
        _door("shared", "softmax_cross_entropy", _doubled_logits),
    )
