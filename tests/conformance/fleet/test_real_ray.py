"""Three nodes of a real Ray on this machine, one of which is killed while it asks."""

from __future__ import annotations

import importlib
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.support.capturing import needs
from tests.support.cli import conformance
from xent_conformance.reports.run.file import read_run

ASKED = ("--framework=numpy", "--profile=quick", "--operator=softmax", "--operator=logsumexp")
"""What a part of takes longer than it takes to see that it is asked."""

PATIENCE = 60.0


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A head that asks nothing, and nobody else yet."""
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")  # a token would be kept in somebody's home
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    utils = importlib.import_module("ray.cluster_utils")
    made = utils.Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    monkeypatch.setenv("RAY_ADDRESS", made.address)
    yield made
    made.shutdown()


def _asks(node: Any) -> bool:
    """Whether a part is being asked on the node: a child of its raylet is called by what it does."""
    raylet = node.all_processes["raylet"][0].process.pid
    children = [p for p in Path("/proc").glob("[0-9]*/stat") if _parent(p) == raylet]
    return any((p.parent / "cmdline").read_bytes().startswith(b"ray::ask") for p in children)


def _parent(stat: Path) -> int:
    try:
        return int(stat.read_text().rpartition(") ")[2].split()[1])
    except OSError:  # it has ended meanwhile
        return 0


@needs("ray")
@pytest.mark.filterwarnings("default")
def test_a_node_that_is_killed(cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    stays, dies = (cluster.add_node(num_cpus=1) for _ in range(2))
    killed = []

    def kill() -> None:
        end = time.monotonic() + PATIENCE
        while not _asks(dies) and time.monotonic() < end:
            time.sleep(0.05)
        killed.append(_asks(dies))
        cluster.remove_node(dies, allow_graceful=False)

    killer = Thread(target=kill)
    killer.start()
    told = conformance("run", *ASKED, "--engine=ray", "--parts=3", "-o", "fleet.parquet").output
    killer.join()
    assert killed == [True] and stays is not None
    assert " was lost (" in told and "and is asked again" in told, told
    found = read_run(Path("fleet.parquet"))
    assert found.complete and len(found.header["parts"]) == 3
    conformance("run", *ASKED, "-o", "whole.parquet")
    assert found.verdicts.equals(read_run(Path("whole.parquet")).verdicts)
    environments = [
        [f["environment"] for f in run.header["frameworks"]]
        for run in (found, read_run(Path("whole.parquet")))
    ]
    assert [
        {k: v for k, v in e.items() if k != "CUDA_VISIBLE_DEVICES"} for e in environments[0]
    ] == environments[1]
