"""Frameworks that answer in binary64 and round once: right, or wrong in one number or one binade.

Real worker processes load them, so it imports no more than a worker has: NumPy, ml_dtypes and the interface.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from xent_conformance.frameworks.interface import Array, Call, Implementation


def _not_called(*_: object) -> None:
    raise NotImplementedError("the fakes answer in run()")


def _sigmoid(x: Array) -> Array:
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + e), e / (1 + e))


def _outputs(operator: str, x: Array, labels: Array | None) -> dict[str, Array]:
    small = np.log1p(np.exp(-np.abs(x)))
    if operator == "sigmoid":
        return {"value": _sigmoid(x), "grad_logits": _sigmoid(x) * _sigmoid(-x)}
    if operator == "sigmoid_cross_entropy":
        value = np.where(labels == 0, np.maximum(x, 0.0), np.maximum(-x, 0.0)) + small
        return {"value": value, "grad_logits": np.where(labels == 0, _sigmoid(x), -_sigmoid(-x))}
    return {"value": _sigmoid(x - x[:, ::-1])}  # softmax of two classes


class Right:
    """Right in every number of 16 bits."""

    name = "swept"
    distribution = "swept"
    modes: ClassVar = {"eager": "quick"}
    autodiff = True
    implementations = tuple(
        Implementation(f"swept.{operator}", operator, "fused", _not_called)
        for operator in ("sigmoid", "sigmoid_cross_entropy", "softmax")
    )

    def version(self) -> str:
        return "1.0"

    def environment(self) -> Mapping[str, str]:
        return {}

    def devices(self) -> Sequence[str]:
        return ["cpu"]

    def run(self, call: Call) -> Mapping[str, Array]:
        with np.errstate(all="ignore"):
            x = call.logits.astype(np.float64)
            labels = None if call.labels is None else call.labels.astype(np.float64)
            found = _outputs(call.implementation.operator, x, labels)
            return {o: self.change(o, call.logits, found[o]).astype(call.logits.dtype) for o in call.outputs}

    def change(self, output: str, logits: Array, found: Array) -> Array:
        """What is wrong about an output, of which it is given what is right in binary64."""
        return found


ONE_PATTERN = 0x3A57
"""The one number that :class:`WrongOnce` is wrong in."""


class WrongOnce(Right):
    """The value of one number of 65,536 is a thousandth too large."""

    def change(self, output: str, logits: Array, found: Array) -> Array:
        guilty = (logits.view(np.uint16) == ONE_PATTERN) & (output == "value")
        return np.where(guilty, found * 1.0625, found)


class WrongBinade(Right):
    """The gradient of logits from 4 up to 8 is off by an eighth."""

    def change(self, output: str, logits: Array, found: Array) -> Array:
        x = logits.astype(np.float64)
        return np.where((x >= 4) & (x < 8) & (output == "grad_logits"), found * 1.125, found)


class NanOnce(Right):
    """One number gives NaN."""

    def change(self, output: str, logits: Array, found: Array) -> Array:
        return np.where(logits.view(np.uint16) == ONE_PATTERN, np.nan, found)


class Wider(Right):
    """Its results are in another format than they should be."""

    def run(self, call: Call) -> Mapping[str, Array]:
        return {o: a.astype(np.float64) for o, a in super().run(call).items()}


class Refuses(Right):
    """Raises where the logit is 1."""

    def change(self, output: str, logits: Array, found: Array) -> Array:
        if (logits.astype(np.float64) == 1.0).any():
            raise ValueError("not one")
        return found


class DiesOnce(Right):
    """Is killed at the logit 1 where the file ``died`` is not there yet: an outside kill."""

    def change(self, output: str, logits: Array, found: Array) -> Array:
        there = Path(os.environ["SWEPT_FOLDER"]) / "died"
        if (logits.astype(np.float64) == 1.0).any() and not there.exists():
            there.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return found


class Dies(Right):
    """Is killed at the logit 1, each time."""

    def change(self, output: str, logits: Array, found: Array) -> Array:
        if (logits.astype(np.float64) == 1.0).any():
            os.kill(os.getpid(), signal.SIGKILL)
        return found


class Slow(Right):
    """Answers until the file ``halt`` is there, and hangs then, at the logit 1."""

    def change(self, output: str, logits: Array, found: Array) -> Array:
        folder = Path(os.environ["SWEPT_FOLDER"])
        if (logits.astype(np.float64) == 1.0).any() and not (folder / "go").exists():
            (folder / "hangs").touch()
            time.sleep(3600)
        return found


class Writes(Right):
    """Writes into its logits."""

    def run(self, call: Call) -> Mapping[str, Array]:
        found = super().run(call)
        call.logits[call.logits.astype(np.float64) == 1.0] = 0
        return found


class LeavesOut(Right):
    """Writes no result of a logit of one."""

    def run(self, call: Call) -> Mapping[str, Array]:
        found = dict(super().run(call))
        value, left_out = found["value"], call.logits.astype(np.float64) == 1.0
        found["value"] = np.empty(2**16, np.uint8)[: value.nbytes].view(value.dtype).reshape(value.shape)
        np.copyto(found["value"], value, where=~left_out)
        return found


class Absent(Right):
    """Is not installed."""

    def __init__(self) -> None:
        import no_such_module  # noqa: F401
