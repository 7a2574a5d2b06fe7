"""PyTorch's tensors on a device: the layout that was asked for is the one that a kernel there gets."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.capturing import needs
from xent_conformance.frameworks.torch import Torch
from xent_conformance.frameworks.torch_moved import VECTOR, moved
from xent_conformance.reference.formats import FORMATS
from xent_conformance.worker.layouts import laid_out

pytestmark = needs("torch")

ROWS = np.arange(24.0).reshape(4, 6)


def _place(tensor: object) -> tuple[tuple[int, ...], int]:
    return tensor.stride(), tensor.data_ptr() % VECTOR  # type: ignore[attr-defined]


@pytest.mark.parametrize("layout", sorted({"contiguous", *Torch.layouts}))
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float64"])
def test_a_tensor_is_moved_with_its_layout(layout: str, dtype: str) -> None:
    import torch

    array = laid_out("logits", ROWS.astype(FORMATS[dtype].dtype), layout)
    given = Torch()._tensor(array, "cpu")
    there = moved(given, "meta")
    assert (there.stride(), there.dtype) == (given.stride(), given.dtype)
    if given.is_contiguous() and not given.data_ptr() % VECTOR:
        return  # as it is: PyTorch's own way, which on the same device is no copy
    there = moved(given, "cpu")
    assert torch.equal(there, given) and _place(there) == _place(given)
    assert there.untyped_storage().data_ptr() != given.untyped_storage().data_ptr()


def test_what_stands_in_the_gaps_is_moved_as_well() -> None:
    import torch

    there = moved(torch.from_numpy(laid_out("logits", ROWS, "strided")), "cpu")
    memory = there.as_strided((2 * ROWS.shape[1],), (1,))
    assert memory[::2].isfinite().all() and memory[1::2].isnan().all()


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), ()])
def test_what_has_nothing_or_one_element_is_moved(shape: tuple[int, ...]) -> None:
    import torch

    assert moved(torch.zeros(shape), "meta").shape == shape


def test_a_call_on_a_device_gets_the_layout(monkeypatch: pytest.MonkeyPatch) -> None:
    """The adapter asks it for every device but the CPU, whose tensors are the arrays themselves."""
    import torch

    strided = laid_out("logits", ROWS, "strided")
    assert Torch()._tensor(strided, "meta").stride() == tuple(s // 8 for s in strided.strides)
    assert torch.from_numpy(strided).to("meta").stride() != Torch()._tensor(strided, "meta").stride()
