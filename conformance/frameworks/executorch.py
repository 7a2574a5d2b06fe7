"""ExecuTorch: functions of PyTorch, exported, lowered to a backend, and run as on a phone. Values only.

A program is of one function, its formats and its number of axes. Their sizes are dynamic, up to a bound for
which memory is planned, so that few programs answer for many shapes. What a backend's partitioner does not
take is left to the kernels that come with the runtime.
"""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from xent_conformance.devices.variants import EXECUTORCH, EXECUTORCH_BACKEND
from xent_conformance.frameworks.interface import Array, Call, Implementation, NotOffered
from xent_conformance.frameworks.torch import Torch

LEAST = 8
"""Of any axis: an example that is exported has sizes up to there."""

ROWS, CLASSES = 64, 2048
"""Memory is planned for so many of both at least, where a call has them alone; else for powers of two."""


def _door(name: str, operator: str, call: Callable[..., Any]) -> Implementation:
    return Implementation(name, operator, "fused", call)


class ExecuTorch(Torch):
    """Needs ``executorch`` and ``torch``; one thread. Its backend is a setting."""

    name = "executorch"
    distribution = "executorch"
    imports: ClassVar[Sequence[str]] = ("executorch", "torch")
    modes: ClassVar = {"eager": "quick"}
    restricted: ClassVar[Mapping[str, frozenset[str]]] = {}
    glances: ClassVar = {}
    formats: ClassVar = {}
    widening: ClassVar = frozenset()
    settings_only: ClassVar = frozenset({"cpu"})
    variants: ClassVar = EXECUTORCH
    autodiff = False
    sparse = False
    from_eight_bits: ClassVar[frozenset[str]] = frozenset()
    moving = ()
    layouts: ClassVar = frozenset()  # a program is of one order of its axes
    states: ClassVar[Mapping[str, frozenset[str]]] = {"eager": frozenset({"other_between"})}
    implementations: ClassVar[Sequence[Implementation]] = (
        _door("executorch:torch.softmax", "softmax", lambda torch, x: torch.softmax(x, -1)),
        _door("executorch:torch.log_softmax", "log_softmax", lambda torch, x: torch.log_softmax(x, -1)),
        _door("executorch:torch.logsumexp", "logsumexp", lambda torch, x: torch.logsumexp(x, -1)),
        _door("executorch:torch.sigmoid", "sigmoid", lambda torch, x: torch.sigmoid(x)),
        _door(
            "executorch:torch.nn.functional.logsigmoid",
            "log_sigmoid",
            lambda torch, x: torch.nn.functional.logsigmoid(x),
        ),
        _door(
            "executorch:torch.nn.functional.cross_entropy:indices",
            "sparse_softmax_cross_entropy",
            lambda torch, x, y: torch.nn.functional.cross_entropy(x, y, reduction="none"),
        ),
        _door(
            "executorch:torch.nn.functional.cross_entropy:probabilities",
            "softmax_cross_entropy",
            lambda torch, x, p: torch.nn.functional.cross_entropy(x, p, reduction="none"),
        ),
        _door(
            "executorch:torch.nn.functional.binary_cross_entropy_with_logits",
            "sigmoid_cross_entropy",
            lambda torch, x, z: torch.nn.functional.binary_cross_entropy_with_logits(x, z, reduction="none"),
        ),
    )
    not_offered: ClassVar[Sequence[NotOffered]] = (
        NotOffered(
            "the kernel of _log_softmax that comes with the runtime has no float64 and returns an error "
            "(https://github.com/pytorch/executorch/pull/13953)",
            implementations=(
                "executorch:torch.log_softmax",
                "executorch:torch.nn.functional.cross_entropy:*",
            ),
            dtypes=("float64",),
        ),
    )

    def __init__(self) -> None:
        from executorch.exir import to_edge_transform_and_lower
        from executorch.extension.pybindings import portable_lib
        from executorch.runtime import Runtime

        super().__init__()
        portable_lib._unsafe_reset_threadpool(1)
        self._lower, self._runtime = to_edge_transform_and_lower, Runtime.get()
        self._programs: dict[Any, Any] = {}

    def version(self) -> str:
        return importlib.metadata.version(self.distribution)

    def environment(self) -> Mapping[str, str]:
        return {
            "torch": str(self._torch.__version__),
            "threads": "1",
            "shapes": "dynamic, memory planned for a bound",
            "backends": ", ".join(self._runtime.backend_registry.registered_backend_names),
        }

    def devices(self) -> Sequence[str]:
        return ["cpu"]

    def missing(self) -> Mapping[str, str]:
        """Nothing is compiled by a compiler of C++."""
        return {}

    def run(self, call: Call) -> Mapping[str, Array]:
        # cloned: an empty tensor of NumPy's has strides that end the process
        dense = self._torch.contiguous_format
        tensors = [self._tensor(a, call.device).clone(memory_format=dense) for a in call.arguments]
        bounds = _bounds(call.logits.shape)
        key = (call.implementation.name, tuple(tensor.dtype for tensor in tensors), bounds)
        if key not in self._programs:
            self._programs[key] = self._program(call, tensors, bounds)
        program = self._programs[key]
        try:
            (value,) = program.load_method("forward").execute(tensors)
        except RuntimeError:
            del self._programs[key]  # none follows a call that has failed
            raise
        return {"value": self._array(value).copy()}  # the program's own memory

    def _program(self, call: Call, tensors: Sequence[Any], bounds: tuple[int, ...]) -> Any:
        """Exported from tensors of another shape: no size may be taken for a constant."""
        torch = self._torch
        sizes = [torch.export.Dim(f"axis{i}", max=bound) for i, bound in enumerate(bounds)]
        examples = tuple(tensor.new_zeros(tuple(range(3, 3 + tensor.ndim))) for tensor in tensors)
        dynamic = tuple(dict(enumerate(sizes[: tensor.ndim])) for tensor in tensors)
        module = _module(torch, lambda *given: call.implementation.call(torch, *given))
        exported = torch.export.export(module, examples, dynamic_shapes=(dynamic,))
        lowered = self._lower(exported, partitioner=self._partitioners())
        return self._runtime.load_program(bytes(lowered.to_executorch().buffer))

    def _partitioners(self) -> list[Any]:
        """What chooses the pieces of a program that a backend runs."""
        if os.environ[EXECUTORCH_BACKEND] == "portable":
            return []
        from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner

        return [XnnpackPartitioner()]


def _bounds(shape: Sequence[int]) -> tuple[int, ...]:
    """Up to which sizes a program answers; the same for many shapes."""
    found = [max(LEAST, 1 << (size - 1).bit_length()) for size in shape]
    if len(found) == 2 and found[1] <= CLASSES:
        return max(ROWS, found[0]), CLASSES
    return tuple(found)


def _module(torch: Any, call: Callable[..., Any]) -> Any:
    """What can be exported is a module."""

    class Function(torch.nn.Module):  # type: ignore[misc]
        def forward(self, *given: Any) -> Any:
            return call(*given)

    return Function()
