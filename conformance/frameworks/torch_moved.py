"""A tensor taken to a device with the layout that it has here."""

from __future__ import annotations

from typing import Any

VECTOR = 16
"""Bytes of the widest load of a kernel, by which it looks whether an address is aligned."""


def moved(tensor: Any, device: str) -> Any:
    """The tensor on that device: its strides, its gaps with what is in them, and how it is aligned.

    ``Tensor.to`` makes dense what has gaps, is broadcast, or lies askew: another layout than was asked for.
    """
    aside = tensor.data_ptr() % VECTOR // tensor.itemsize
    if not tensor.numel() or (tensor.is_contiguous() and not aside):
        return tensor.to(device)
    extent = 1 + sum((n - 1) * step for n, step in zip(tensor.shape, tensor.stride(), strict=True))
    memory = tensor.new_empty(aside + extent, device=device)
    memory[aside:] = tensor.as_strided((extent,), (1,))
    return memory.as_strided(tensor.shape, tensor.stride(), aside)
