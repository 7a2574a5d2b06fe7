"""What a device is called: ``cpu``, ``cuda``, ``cuda:0``, and ``cpu[isa=avx2]`` under a setting."""

from __future__ import annotations

KINDS = ("cpu", "cuda", "mps", "metal", "tpu", "vulkan", "webgl", "webgpu")
"""The devices that adapters of ours may find: PyTorch's Metal is ``mps``, MLX's is ``metal``."""

MISNAMED = {"gpu": "cuda, or mps or metal on a Mac", "nvidia": "cuda", "rocm": "cuda", "hip": "cuda"}
"""What a device is called elsewhere, and what it is called here; PyTorch's ROCm calls itself CUDA."""


def split(device: str) -> tuple[str, str]:
    """``cpu[isa=avx2]`` as ``("cpu", "isa=avx2")``."""
    name, _, rest = device.partition("[")
    return name, rest.removesuffix("]")


def kind_of(device: str) -> str:
    """``cuda:0`` is a ``cuda``."""
    return device.partition(":")[0]
