"""Frameworks with honest names that prove the harness: each is exact but for one fault.

Real worker processes load them (``Launch("tests.support.fakes:Crashes", search=(HERE,))``), so it imports no
more than a worker's interpreter has: NumPy, ml_dtypes, mpmath and the adapters' interface. The faults
that need a trigger are set off by a NaN among the logits; every other row is answered exactly.
"""

from __future__ import annotations

import functools
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from tests.support.paths import ROOT
from xent_conformance.frameworks.interface import Array, Call, Implementation, NotOffered, Unsupported

HERE = str(ROOT)

DEFINED = (
    "softmax", "log_softmax", "logsumexp", "softmax_cross_entropy", "sparse_softmax_cross_entropy",
    "sigmoid", "log_sigmoid", "logit", "sigmoid_cross_entropy", "binary_cross_entropy",
    "categorical_cross_entropy", "sparse_categorical_cross_entropy", "kl_divergence",
    "kl_divergence_log_target", "relative_entropy", "elementwise_kl_divergence", "negative_log_likelihood",
)  # fmt: skip
"""What :mod:`tests.support.exact` answers, in the order of the operators."""


def _not_called(*_: object) -> None:
    raise NotImplementedError("the fakes answer in run()")


@functools.lru_cache(maxsize=4096)
def _row(operator: str, dtype: str, x: tuple, labels: tuple | int | None, c: tuple) -> dict[str, np.ndarray]:
    from tests.support import exact  # mpmath takes longer to import than a worker that answers nothing lives

    return exact.answer(operator, dtype, x, labels, c)


def exact_outputs(operator: str, logits: Array, labels: Array | None, cotangent: Array) -> dict[str, Array]:
    """Every output of a batch, each element rounded once to the dtype of the logits."""
    rows = []
    for i, x in enumerate(logits.astype(np.float64)):
        label = None if labels is None else labels[i].tolist()
        c = np.atleast_1d(cotangent[i]).astype(np.float64).tolist()
        frozen = tuple(map(float, label)) if isinstance(label, list) else label
        rows.append(_row(operator, logits.dtype.name, tuple(x.tolist()), frozen, tuple(c)))
    with np.errstate(over="ignore"):
        found = {o: np.stack([row[o] for row in rows]).astype(logits.dtype) for o in rows[0]}
    found["value"] = found["value"].reshape(cotangent.shape)
    return found


def guilty(logits: Array) -> bool:
    """Whether the trigger is among the rows of this call."""
    return bool(np.isnan(logits.astype(np.float64)).any())


class Exact:
    """Right everywhere. The others say what they do ``before`` answering, or ``change`` an output."""

    name = "fake"
    distribution = "fake"
    modes: ClassVar = {"eager": "quick"}
    autodiff = True
    implementations = tuple(Implementation(f"fake.{o}", o, "fused", _not_called) for o in DEFINED)

    def version(self) -> str:
        return "1.0"

    def environment(self) -> Mapping[str, str]:
        return {"flavour": type(self).__name__}

    def devices(self) -> Sequence[str]:
        return ["cpu"]

    def run(self, call: Call) -> Mapping[str, Array]:
        self.before(call.logits, call.outputs)
        found = exact_outputs(call.implementation.operator, call.logits, call.labels, call.cotangent)
        return {o: self.change(o, found[o]) for o in call.outputs}

    def before(self, logits: Array, outputs: Sequence[str]) -> None:
        """Nothing happens before the answer."""

    def change(self, output: str, array: Array) -> Array:
        return array


class OneUlpOff(Exact):
    """Every element is the next number above the right one."""

    def change(self, output: str, array: Array) -> Array:
        return np.nextafter(array, np.array(np.inf, dtype=array.dtype))


class AlwaysNan(Exact):
    def change(self, output: str, array: Array) -> Array:
        return np.full_like(array, np.nan)


class NoDevices(Exact):
    """Is there, and has nothing to compute on."""

    def devices(self) -> Sequence[str]:
        return []


class OnlyBinary64(Exact):
    """Offers every format, and raises for all but one."""

    def before(self, logits: Array, outputs: Sequence[str]) -> None:
        if logits.dtype.name != "float64":
            raise TypeError("double or nothing")


class SaysExact(AlwaysNan):
    """Says of itself what :class:`Exact` says, and answers otherwise."""

    def environment(self) -> Mapping[str, str]:
        return {"flavour": "Exact"}


class OtherDevices(Exact):
    """Says of itself what :class:`Exact` says, but for a device more."""

    def environment(self) -> Mapping[str, str]:
        return {"flavour": "Exact"}

    def devices(self) -> Sequence[str]:
        return ["cpu", "odd"]


class OneCore(Exact):
    """Says of itself what :class:`Exact` says, and has one core of those that there are."""

    def __init__(self) -> None:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

    def environment(self) -> Mapping[str, str]:
        return {"flavour": "Exact"}


class OddDevice(Exact):
    """Names its device as variants are named: with brackets."""

    def devices(self) -> Sequence[str]:
        return ["cpu[isa=avx2]"]


class NoAutodiff(Exact):
    """Like NumPy: only values are asked."""

    autodiff = False


class Raises(Exact):
    """Refuses a call that holds a NaN; what it returns otherwise is right."""

    def before(self, logits: Array, outputs: Sequence[str]) -> None:
        if guilty(logits):
            raise ValueError("I do not like\n NaN")


class RaisesOnThrees(Exact):
    """Refuses a call that holds a three, in which nobody would see anything odd."""

    def before(self, logits: Array, outputs: Sequence[str]) -> None:
        if (logits == 3).any():
            raise ValueError("I do not like threes")


class RaisesTogether(Exact):
    """Answers any two rows, and refuses a call of three that differ."""

    def before(self, logits: Array, outputs: Sequence[str]) -> None:
        if len(np.unique(logits, axis=0)) > 2:
            raise IndexError("index 2 is out of bounds for axis 1 with size 2")


class RaisesOnce(Exact):
    """Refuses the first call of three rows that differ, and no other: memory was short."""

    refused = False

    def before(self, logits: Array, outputs: Sequence[str]) -> None:
        if len(np.unique(logits, axis=0)) > 2 and not self.refused:
            self.refused = True
            raise MemoryError("for once")


class RaisesAlways(Exact):
    """Refuses harmless inputs too, so the operator is unsupported."""

    def before(self, logits: Array, outputs: Sequence[str]) -> None:
        raise NotImplementedError("this kernel was never written")


class GradientRaises(Exact):
    """Values can be had, derivatives cannot."""

    def before(self, logits: Array, outputs: Sequence[str]) -> None:
        if any(o.startswith("grad") for o in outputs):
            raise RuntimeError("no derivative is registered")


class GradientRaisesOnNan(Exact):
    """The value of every row can be had, the derivative of a row with a NaN cannot."""

    def before(self, logits: Array, outputs: Sequence[str]) -> None:
        if guilty(logits) and any(o.startswith("grad") for o in outputs):
            raise FloatingPointError("NaN on the tape")


class ClaimsWhatItLacks(Exact):
    """Lists every operator, knows no bfloat16."""

    def before(self, logits: Array, outputs: Sequence[str]) -> None:
        if logits.dtype.name == "bfloat16":
            raise Unsupported("half a float is not enough")


class DeclaresWhatItLacks(ClaimsWhatItLacks):
    """Knows no bfloat16, and says so beforehand."""

    not_offered = (NotOffered("half a float is not enough (the manual, page 7)", dtypes=("bfloat16",)),)


class BreaksDown(Exact):
    """Answers at first; after a while every call fails, whatever it is given."""

    calls = 0

    def before(self, logits: Array, outputs: Sequence[str]) -> None:
        self.calls += 1
        if self.calls > 2:
            raise RuntimeError("CUDA error: an illegal memory access was encountered")


class PoisonedByNan(Exact):
    """A NaN fails an assertion on the device, after which nothing of the process works any more."""

    poisoned = False

    def before(self, logits: Array, outputs: Sequence[str]) -> None:
        self.poisoned = self.poisoned or guilty(logits)
        if self.poisoned:
            raise RuntimeError("CUDA error: device-side assert triggered")


class DiesOncePoisoned(Exact):
    """The gradient of a NaN poisons the process, which refuses two calls and dies of the next."""

    refused = 0

    def before(self, logits: Array, outputs: Sequence[str]) -> None:
        if self.refused >= 2:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.refused or (guilty(logits) and "grad_logits" in outputs):
            self.refused += 1
            raise RuntimeError("CUDA error: device-side assert triggered")


class Crashes(Exact):
    """A NaN is a segmentation fault, as in a kernel that indexes by what it computed."""

    def before(self, logits: Array, outputs: Sequence[str]) -> None:
        if guilty(logits):
            print("my last words", file=sys.stderr, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)


class GradientCrashes(Exact):
    """The value of every row can be had, the derivative of a row with a NaN is a segmentation fault."""

    def before(self, logits: Array, outputs: Sequence[str]) -> None:
        if guilty(logits) and any(o.startswith("grad") for o in outputs):
            os.kill(os.getpid(), signal.SIGKILL)


class Exits(Exact):
    """A NaN ends the process with a status, as a failed assertion in C does."""

    def before(self, logits: Array, outputs: Sequence[str]) -> None:
        if guilty(logits):
            os._exit(7)


class Hangs(Exact):
    """A NaN is never answered."""

    def before(self, logits: Array, outputs: Sequence[str]) -> None:
        if guilty(logits):
            time.sleep(3600)


class WrongShape(Exact):
    """Keeps a reduced dimension that is not in the operator's value."""

    def change(self, output: str, array: Array) -> Array:
        return array[..., None]


class WrongDtype(Exact):
    """Right numbers, promoted to binary64."""

    def change(self, output: str, array: Array) -> Array:
        return array.astype(np.float64)


class ScalarValue(Exact):
    """Reduces the batch to its mean, as losses do unless they are told not to."""

    def change(self, output: str, array: Array) -> Array:
        return np.asarray(array.sum(dtype=np.float64)).astype(array.dtype) if output == "value" else array


class Chatty(Exact):
    """Prints where the protocol would be, from Python and from below it."""

    def before(self, logits: Array, outputs: Sequence[str]) -> None:
        print("loading kernels: 100%")
        os.write(1, b"\x04\x00\x00\x00null")


class Absent(Exact):
    def __init__(self) -> None:
        import no_such_framework  # noqa: F401


class BreaksOnImport(Exact):
    """Installed, but built against another library: the import itself fails, and not as an ImportError."""

    def __init__(self) -> None:
        raise AttributeError("module 'numpy' has no attribute 'bool8'")


class Slow(Exact):
    """Right, and in no hurry."""

    def before(self, logits: Array, outputs: Sequence[str]) -> None:
        time.sleep(0.05)


class OneUlpBelow(Exact):
    """Every element is the next number below the right one: other bits than :class:`OneUlpOff` gives."""

    def change(self, output: str, array: Array) -> Array:
        return np.nextafter(array, np.array(-np.inf, dtype=array.dtype))


class FourUlpsOff(Exact):
    """Four numbers above the right one: a drift from what was exact, and an improvement the other way."""

    def change(self, output: str, array: Array) -> Array:
        for _ in range(4):
            array = np.nextafter(array, np.array(np.inf, dtype=array.dtype))
        return array


class FarOff(Exact):
    """Relative errors of a hundredth: finite, and beyond every bound."""

    def change(self, output: str, array: Array) -> Array:
        return (array * array.dtype.type(1.01)).astype(array.dtype)


class FurtherOff(Exact):
    """Relative errors of a tenth."""

    def change(self, output: str, array: Array) -> Array:
        return (array * array.dtype.type(1.1)).astype(array.dtype)


class NanOnOverflow(Exact):
    """The exponential of a logit above 88 overflows in binary32, and infinity over infinity is NaN."""

    def run(self, call: Call) -> Mapping[str, Array]:
        found = dict(super().run(call))
        guilty_rows = (call.logits.astype(np.float64) > 88.0).any(axis=-1)
        for array in found.values():
            array[guilty_rows] = np.nan
        return found


class FlushesToZero(Exact):
    """What is below the smallest normal number is zero: a should clause, never a must."""

    def change(self, output: str, array: Array) -> Array:
        tiny = np.finfo(array.dtype).tiny
        return np.where(np.abs(array) < tiny, array.dtype.type(0), array)


class TwoModes(Exact):
    """Right in both of its modes."""

    modes: ClassVar = {"eager": "quick", "jit": "quick"}


class NanUnderJit(TwoModes):
    """Eager is right; compiled, everything is NaN."""

    def run(self, call: Call) -> Mapping[str, Array]:
        found = super().run(call)
        return {o: np.full_like(a, np.nan) for o, a in found.items()} if call.mode == "jit" else found


class FarOffUnderJit(TwoModes):
    """Eager gives NaN, compiled is a hundredth off: one case that fails in two ways."""

    def run(self, call: Call) -> Mapping[str, Array]:
        found = super().run(call)
        if call.mode == "jit":
            return {o: (a * a.dtype.type(1.01)).astype(a.dtype) for o, a in found.items()}
        return {o: np.full_like(a, np.nan) for o, a in found.items()}


class NextVersion(Exact):
    """As right as before, under another number."""

    def version(self) -> str:
        return "2.0"


class OddVersion(AlwaysNan):
    """Its version has no order."""

    def version(self) -> str:
        return "nightly"


class OnlyNaive(Exact):
    """Offers nothing that users call, only a formulation that serves as a control."""

    implementations = tuple(Implementation(f"fake.{o}", o, "naive", _not_called) for o in DEFINED)


class NoSigmoid(Exact):
    """Offers less than :class:`Exact` did."""

    implementations = tuple(i for i in Exact.implementations if "sigmoid" not in i.operator)


FOREIGN = "<script>alert(1)</script> | `x` **b**\n::error title=x::pwned @all \x1b[31m\x00"
"""What no framework should say, and what all that is written must survive."""


class Foreign(Exact):
    """Its name and its words would be markup, a cell's end, a workflow command."""

    implementations = tuple(Implementation(f"fake|<script>.{o}", o, "fused", _not_called) for o in DEFINED)

    def before(self, logits: Array, outputs: Sequence[str]) -> None:
        if guilty(logits):
            raise ValueError(FOREIGN)
