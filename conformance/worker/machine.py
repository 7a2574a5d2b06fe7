"""The processor at hand: its name, and the instruction sets that kernels choose by. Imports nothing."""

from __future__ import annotations

import functools
import os
import platform
from pathlib import Path

CHOOSE = (
    "sse4_1", "sse4_2", "avx", "f16c", "fma", "avx2", "avx512f", "avx512bw", "avx512vl", "avx512_vnni",
    "avx512_bf16", "avx512_fp16", "amx_bf16", "asimd", "fphp", "asimdhp", "sve", "sve2", "bf16",
)  # fmt: skip
"""Instruction sets by which libraries choose a kernel, as Linux names them."""

ACCELERATORS = ("cuda",)
"""Kinds of accelerator that can be seen before a framework is imported."""


@functools.cache
def _described() -> dict[str, str]:
    """What Linux says of the first processor; nothing elsewhere."""
    found: dict[str, str] = {}
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:  # noqa: PTH123  # pathlib is not lighter here
            for line in lines:
                name, _, value = line.partition(":")
                if not line.strip():
                    break
                found[name.strip()] = value.strip()
    except OSError:
        return found
    return found


def processor() -> str:
    """Its name, such as ``AMD EPYC``: several kinds of processor may share one."""
    return _described().get("model name") or platform.processor() or "unknown"


def flags() -> frozenset[str]:
    """Everything that Linux says it can do; empty where it does not say."""
    described = _described()
    return frozenset((described.get("flags") or described.get("Features") or "").split())


def instructions() -> str:
    """Those of :data:`CHOOSE` that it has, in that order; empty where nobody says."""
    return " ".join(name for name in CHOOSE if name in flags())


@functools.cache
def accelerators() -> frozenset[str]:
    """Kinds of accelerator whose driver Linux shows; that a framework can use one is for it to say."""
    shown = [*Path("/dev").glob("nvidia[0-9]*"), *Path("/dev").glob("kfd")]  # NVIDIA's, and AMD's
    return frozenset(ACCELERATORS if shown else ())


def drivers(modules: Path = Path("/sys/module")) -> str:
    """``nvidia 580.159.04``: the drivers of accelerators that Linux has loaded; empty where it says none.

    The built-in ``amdgpu`` has no version of its own but the kernel's, and is not told.
    """
    told = []
    for name in ("nvidia", "amdgpu"):
        version = modules / name / "version"
        if version.is_file():
            told.append(f"{name} {version.read_text(encoding='utf-8').strip()}")
    return ", ".join(told)


def cores() -> int:
    """Those that this process may use: libraries start as many threads, and add in as many parts."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        return os.cpu_count() or 0
