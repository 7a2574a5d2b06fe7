"""Counts who notices: each kernel of both sets, by a peer's own checks and by ``quick``."""

from __future__ import annotations

import importlib
import importlib.metadata
import time
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.peers.ours import Ours
from benchmarks.peers.peer import Noticing, Peer, ready
from benchmarks.peers.stage import MUTANTS, SEEDED, kernels, right

PEERS = {
    "PyTorch": "torch_checks:PyTorch",
    "ONNX": "onnx_checks:OnnxBackend",
    "SciPy": "scipy_checks:SciPy",
    "Optax": "optax_checks:Optax",
    "Keras": "keras_checks:Keras",
    "TensorFlow": "tensorflow_checks:TensorFlow",
}
"""Each in a module of its own, which imports it."""

SETS = (MUTANTS, SEEDED)


def peer_of(name: str) -> Peer:
    """Imports the project. Raises ImportError where it, or what its tests need, is not installed."""
    module, _, made = PEERS[name].partition(":")
    found: Peer = getattr(importlib.import_module(f"benchmarks.peers.{module}"), made)()
    return found


def counted(name: str, part: int = 0, parts: int = 1) -> dict[str, Any]:
    """What docs/evidence/peers.json holds of a peer: by set and kernel, the check of theirs that notices it
    and the batch of ours, each empty where none does. Of ``parts``, one: every so many kernels; the first
    also asks whether ``quick`` says nothing of the right ones."""
    begun = time.process_time()
    peer = peer_of(name)
    rights = [right(of) for of in SETS]
    readiness = ready(peer, rights)
    theirs, ours = Noticing(peer, readiness, rights), Ours(peer)
    for kernel in rights if part == 0 else ():
        if accused := ours.by(kernel.of(peer.doors)):
            raise RuntimeError(f"the kernel {kernel.name!r} is right, and quick accuses it by {accused}")
    sets = {
        of: {
            kernel.name: [theirs.by(kernel), ours.by(kernel.of(readiness.operators))]
            for kernel in kernels(of)[part::parts]
            if readiness.operators & set(kernel.answers)
        }
        for of in SETS
    }
    return {
        "versions": {d: importlib.metadata.version(d) for d in peer.distributions},
        "how": peer.how,
        "gradients": peer.gradients,
        "operators": sorted(readiness.operators),
        "not_reached": sorted(set(peer.doors) - readiness.operators),
        "checks": len(readiness.asked),
        "unused": _short(readiness.unused),
        "alone": _short(theirs.alone),
        "sets": sets,
        "seconds": round(time.process_time() - begun),
    }


def _short(unused: Mapping[str, str]) -> dict[str, str]:
    return {check: " ".join(told.split())[:200] for check, told in unused.items()}


def together(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The whole of its parts, in the order of the kernels."""
    whole = {**parts[0], "seconds": sum(part["seconds"] for part in parts), "sets": {}}
    whole["alone"] = {check: told for part in parts for check, told in part["alone"].items()}
    for of in SETS:
        every = {name: told for part in parts for name, told in part["sets"][of].items()}
        whole["sets"] |= {of: {k.name: every[k.name] for k in kernels(of) if k.name in every}}
    return whole
