"""Where a framework may keep what it has compiled from one run to the next: a folder that is its alone.

Its name has a key of all that may change what is compiled, as the system says it: versions, settings,
instruction sets, accelerators. It is told before the framework looks for its devices, which is when
TensorFlow reads its flags. What another version, flag or machine has compiled lies in another folder and
never answers for this one.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xent_conformance.frameworks.interface import Adapter
from xent_conformance.worker.machine import cores, flags, processor

ROOT = "XENT_CONFORMANCE_COMPILED"
"""The variable that names the folder of all such folders. Where it is not set, nothing is kept."""

RECORD = "conformance.json"
"""What the folder is, for whoever finds it; written each time it is used."""

SETTINGS = (
    "CC",
    "CFLAGS",
    "CONFORMANCE_DETERMINISTIC",
    "CONFORMANCE_THREADS",
    "CUBLAS",
    "CUDA",
    "CXX",
    "JAX",
    "KERAS",
    "LDFLAGS",
    "MKL",
    "NVIDIA",
    "OMP",
    "ONEDNN",
    "OPENBLAS",
    "ROCM",
    "TF_",
    "TORCH",
    "TRITON",
    "XLA",
)
"""What variables begin with that may change what is compiled."""

ACCELERATORS = ("driver/nvidia/version", "driver/nvidia/gpus/*/information")
"""Where, below /proc, Linux says which there are, and which driver they have."""

USER = ".user"
"""What the name of a file ends with whose name is the number of a process that uses the folder."""


def keep_compiled(adapter: Adapter, version: str) -> None:
    """Tell an adapter that has ``keep_compiled`` where it may. Nothing is kept where the disk refuses."""
    root = os.environ.get(ROOT, "")
    keep = getattr(adapter, "keep_compiled", None)
    if not root or keep is None:
        return
    told = {"framework": adapter.name, "version": version, **depends()}
    folder = Path(root) / name_of(told)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / RECORD).write_text(json.dumps(told), encoding="utf-8")
        (folder / f"{os.getpid()}{USER}").touch()
    except OSError:
        return
    keep(str(folder))


def let_go() -> None:
    """We use none of the folders any more."""
    root = os.environ.get(ROOT, "")
    for mine in Path(root).glob(f"*/{os.getpid()}{USER}") if root else ():
        with contextlib.suppress(OSError):
            mine.unlink()


def name_of(told: Mapping[str, Any]) -> str:
    """The name of the folder: ``jax-0.10.2-<16 hex digits>``."""
    key = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]
    return re.sub(r"[^\w.+-]", "_", f"{told['framework']}-{told['version']}-{key}")


def depends() -> dict[str, Any]:
    """All that what is compiled here may depend on, beside the framework's own version."""
    loaded = {
        name: version  # as it stands there: some warn, or import, where it is asked for
        for name, module in sorted(sys.modules.items())
        if "." not in name and isinstance(version := vars(module).get("__version__"), str)
    }
    accelerators = []
    for pattern in ACCELERATORS:
        for path in sorted(Path("/proc").glob(pattern)):
            with contextlib.suppress(OSError):
                accelerators.append(path.read_text(errors="replace"))
    return {
        "loaded": loaded,
        "python": sys.version,
        "where": sys.prefix,
        "settings": {k: v for k, v in sorted(os.environ.items()) if k.startswith(SETTINGS)},
        "processor": [processor(), cores(), *sorted(flags())],
        "accelerators": accelerators,
    }
