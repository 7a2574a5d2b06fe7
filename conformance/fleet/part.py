"""One part of a run, as a task: what a node is told, and what it does with it.

A node has this suite and the frameworks installed, as any machine that ``run --shard`` is typed on.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from xent_conformance.asking.selection import Selection
from xent_conformance.discovery import plugins
from xent_conformance.reports.run.file import as_bytes
from xent_conformance.running import engine
from xent_conformance.running.shards import Shard
from xent_conformance.versions.environments import environment_for
from xent_conformance.worker.hello import CHANGES_ARITHMETIC

VISIBLE = "CUDA_VISIBLE_DEVICES"
"""Which accelerators a task has: the scheduler's business, and no setting of the one who asks."""

SHARED = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false", "TF_FORCE_GPU_ALLOW_GROWTH": "true"}
"""Who shares a GPU takes of its memory what it needs: JAX takes three quarters at once, TensorFlow all.

https://docs.jax.dev/en/latest/gpu_memory_allocation.html, https://www.tensorflow.org/guide/gpu
"""


def settings() -> dict[str, str]:
    """What is set here that may change a result."""
    names = [name for name in CHANGES_ARITHMETIC if name != VISIBLE]
    return {name: os.environ[name] for name in names if name in os.environ}


@dataclass(frozen=True)
class Part:
    """Part ``index`` of ``of``. ``selected``: the fields of a selection; ``how``: more for the engine.

    ``environments``: of frameworks that are asked in one of their own, made on the node and kept there, its
    requirements. ``settings``: the variables that may change a result, as they are where the command was
    typed: a scheduler sets some of its own (``OMP_NUM_THREADS``), and the parts are to be the run of one
    machine. ``folder``: where it was typed; paths are read from it. ``per_gpu``: so many tasks share the
    GPU that this one has; 0 where it has none.
    """

    index: int
    of: int
    selected: Mapping[str, Any]
    how: Mapping[str, Any]
    settings: Mapping[str, str]
    folder: str
    per_gpu: int
    environments: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """``3/16``."""
        return f"{self.index}/{self.of}"


def ask(part: Part) -> bytes:
    """Ask it, on the node that we are on: the run file of the part."""
    _settle(part)
    plugins.load_installed()
    for reference in part.selected["plugins"]:
        plugins.load(reference)
    shard = Shard.part(Selection(**part.selected), part.name)
    made = {name: str(environment_for(wanted)) for name, wanted in part.environments.items()}
    how = {**part.how, "interpreters": {**part.how["interpreters"], **made}}
    return as_bytes(engine.run(shard, None, **how))


def _settle(part: Part) -> None:
    """Where, and under which settings, the command was typed."""
    if part.selected["cases"] or part.selected["plugins"]:
        os.chdir(part.folder)  # files that are named must be on the node too
    for name in CHANGES_ARITHMETIC:
        if name != VISIBLE:
            os.environ.pop(name, None)
    os.environ.update(part.settings)
    if part.per_gpu == 0:
        os.environ[VISIBLE] = ""  # nobody has reserved one for us
    if part.per_gpu > 1:
        for name, value in SHARED.items():
            os.environ.setdefault(name, value)
