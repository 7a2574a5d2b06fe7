"""What tests of captured calls share: the frameworks needed, the one call of a file, numbers to look at."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.support.later import Later
from xent_conformance.cases.outside.files import read_file
from xent_conformance.cases.outside.schema import Call

if TYPE_CHECKING:
    import torch
else:
    torch = Later("torch")


def needs(*names: str) -> pytest.MarkDecorator:
    """Skips a test where one of the modules is not installed; none of them is imported."""
    absent = [name for name in names if find_spec(name) is None]
    return pytest.mark.skipif(bool(absent), reason=f"needs {', '.join(absent)}")


def only(path: Path) -> Call:
    """The call that a file holds."""
    (call,) = read_file(path).document.calls
    return call


def x32(*shape: int) -> Any:
    """A tensor whose bits are its own: nothing is written that rounding would hide."""
    values = np.random.default_rng(3).standard_normal(shape).astype(np.float32)
    return torch.from_numpy(values)
