"""What a worker says of itself once, before it answers: what it computes with, and where."""

from __future__ import annotations

import importlib
import os
import platform
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from xent_conformance.frameworks.interface import Adapter
from xent_conformance.worker.arithmetic import USUAL, changed, state
from xent_conformance.worker.compiled import keep_compiled
from xent_conformance.worker.hidden import made
from xent_conformance.worker.identity import older, said
from xent_conformance.worker.machine import cores, drivers, instructions, processor

CHANGES_ARITHMETIC = (
    "ATEN_CPU_CAPABILITY",
    "CUBLAS_WORKSPACE_CONFIG",
    "CUDA_VISIBLE_DEVICES",
    "JAX_DEFAULT_MATMUL_PRECISION",
    "MKL_CBWR",
    "MKL_NUM_THREADS",
    "NVIDIA_TF32_OVERRIDE",
    "OMP_NUM_THREADS",
    "OMP_THREAD_LIMIT",
    "ONEDNN_MAX_CPU_ISA",
    "OPENBLAS_NUM_THREADS",
    "TF_DETERMINISTIC_OPS",
    "TF_ENABLE_ONEDNN_OPTS",
    "TF_NUM_INTEROP_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_XLA_FLAGS",
    "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE",
    "TRITON_INTERPRET",
    "XLA_FLAGS",
)
"""Environment variables that may change a result; recorded where they are set."""


def load(spec: str) -> Adapter:
    """The adapter ``MODULE:CLASS``, instantiated: its framework is imported here."""
    module, _, name = spec.partition(":")
    adapter: Adapter = made(getattr(importlib.import_module(module), name))
    return adapter


def hello_of(make: Callable[[], Adapter]) -> tuple[Adapter, dict[str, Any]]:
    """The adapter, made, and what is said of it once: versions, devices, settings, seconds of import.

    Raises :class:`Misdeclared` where it says what cannot be.
    """
    start = time.perf_counter()
    adapter = make()
    version = said(adapter, "version")
    variables = {k: os.environ[k] for k in CHANGES_ARITHMETIC if k in os.environ}  # of others than ourselves
    keep_compiled(adapter, version)
    hello = {
        "framework": adapter.name,
        "version": version,
        "devices": said(adapter, "devices"),
        "environment": _environment(adapter, variables),
        "cores": cores(),
        "missing": _missing(adapter),
        "older": {name: f"it came with {came}" for name, came in older(adapter, version).items()},
        "import_s": time.perf_counter() - start,
    }
    return adapter, hello


def _environment(adapter: Adapter, variables: Mapping[str, str]) -> dict[str, str]:
    """``variables``: those of :data:`CHANGES_ARITHMETIC` that are set."""
    if unusual := changed(USUAL, state()):  # since its import: its users compute so too
        told = f"{' and '.join(unusual)} changed by the import"
        variables = {**variables, "floating-point state": told}
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "system": f"{platform.system()} {platform.machine()}",
        "processor": processor(),
        "instructions": instructions(),
        **({"driver": told} if (told := drivers()) else {}),
        **variables,
        **said(adapter, "environment"),
    }


def _missing(adapter: Adapter) -> dict[str, str]:
    """Of its modes, those that this machine has not what it takes for, with what that is."""
    told = said(adapter, "missing") if hasattr(adapter, "missing") else {}
    return {mode: why for mode, why in told.items() if mode in adapter.modes}
