"""A function of somebody's own as the call of an implementation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Own:
    """``function(*tensors, **keywords)``: the framework's module, which other calls are given, is not passed.

    ``imported`` is how a script names it, as in ``from kernels.loss import fused``; ``folder`` is where that
    module is found, if not where packages are installed; ``missing`` says why there is no such name.
    """

    function: Callable[..., Any]
    module: str = ""
    name: str = ""
    folder: str = ""
    missing: str = ""

    def __call__(self, _: Any, *tensors: Any, **given: Any) -> Any:
        return self.function(*tensors, **given)
