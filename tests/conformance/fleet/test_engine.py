"""A run in parts on a cluster: the same run as on one machine, whatever is lost on the way."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.by_hand import Install, selection
from tests.support.cli import conformance
from tests.support.fakes_of_ray import ROOMY, FakeRay
from xent_conformance.asking.inside import InProcess
from xent_conformance.asking.selection import Selection
from xent_conformance.commands.base import EVIDENCE, USAGE
from xent_conformance.discovery.framework import Seat
from xent_conformance.fleet import engine, part, parts
from xent_conformance.fleet.cluster import AGAIN, NOBODY, Cluster, Failed, Needs, NoRay
from xent_conformance.fleet.part import Part
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.atomic import parts_of
from xent_conformance.reports.run.file import Run, read_run
from xent_conformance.reports.run.unusable import RunFileError
from xent_conformance.running.costs import Costs
from xent_conformance.running.engine import run
from xent_conformance.running.keeping import Occupied

OF = 3

_MADE: dict[str, bytes] = {}
"""Parts that a test before has had asked."""


def _asked(**changes: Any) -> Selection:
    return selection(
        dtypes=("float32",), **{"families": ("special_values", "two_classes", "offsets")} | changes
    )


def _here(seat: Seat) -> InProcess:
    """What a worker would be; test_versions.py and test_real_ray.py start some."""
    return InProcess(seat.framework.adapter_class())


def _answer(asked: Part) -> bytes:
    """The part's own answer, asked once for all tests."""
    if asked.name not in _MADE:
        _MADE[asked.name] = part.ask(asked)
    return _MADE[asked.name]


@pytest.fixture(autouse=True)
def _settings_as_before() -> Iterator[None]:
    """A task settles its process, which is ours here."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def ray(install: Install, monkeypatch: pytest.MonkeyPatch) -> FakeRay:
    """A fake to be asked in this process, and a cluster of one node."""
    install(fake="OneUlpOff")
    monkeypatch.setattr(part, "engine", SimpleNamespace(run=functools.partial(run, inside=_here)))
    fake = FakeRay(_answer)
    monkeypatch.setitem(sys.modules, "ray", fake)
    return fake


def _run(out: Path | None, told: list[str] | None = None, **more: Any) -> Run:
    lines = [] if told is None else told
    given = {"of": OF, "interpreters": {}, "timeout": 60.0, "tell": lines.append, **more}
    return engine.run(_asked(), out, **given)


def test_it_is_the_run_of_one_machine(ray: FakeRay, tmp_path: Path) -> None:
    out, bars = tmp_path / "run.parquet", []
    found = _run(out, progress=lambda *bar: bars.append(bar))
    assert found.verdicts.equals(run(_asked(), None, oracle=Oracle(), inside=_here).verdicts)
    assert found.complete and read_run(out).verdicts.equals(found.verdicts)
    assert bars == [("parts", done, OF) for done in range(OF + 1)]
    assert [path.name for path in tmp_path.iterdir()] == ["run.parquet"], "no part is left, and no lock"
    assert ray.inits == 1 and not ray.running, "the cluster that we began is ended"


def test_what_is_lost_is_asked_again(ray: FakeRay, tmp_path: Path) -> None:
    ray.loses, told = {2: AGAIN}, []
    assert _run(None, told).complete
    assert ray.asked == {1: 1, 2: AGAIN + 1, 3: 1}
    assert ray.options_asked["max_retries"] == 0, "Ray would ask again, and nobody be told"
    why = "NodeDiedError: Task failed because the node it was running on is dead"
    assert told == [f"part 2/3 was lost ({why}), and is asked again"] * AGAIN


def test_what_is_lost_every_time_is_given_up_and_gone_on_with(ray: FakeRay, tmp_path: Path) -> None:
    out = tmp_path / "run.parquet"
    ray.loses = {2: AGAIN + 1}
    with pytest.raises(Failed, match=r"part 2/3 was lost \(NodeDiedError: .*\), for the 4th time"):
        _run(out)
    assert not out.exists() and parts.resumable(out)
    with pytest.raises(Occupied, match="has the parts of an interrupted run: --resume goes on with it"):
        _run(out)
    came = {p.index for p in map(_index, (tmp_path / "run.parquet.parts").glob("part-*"))}
    before = dict(ray.asked)
    assert _run(out, resume=True, of=None).complete, "in as many parts as before"
    assert {i for i in range(1, OF + 1) if ray.asked[i] > before.get(i, 0)} == {1, 2, 3} - came
    assert not parts.resumable(out)


def _index(path: Path) -> Any:
    return replace(_PART, index=int(path.name.split("-")[1]))


_PART = Part(1, OF, {}, {}, {}, "", 0)


def test_a_task_that_fails_is_named_and_the_rest_taken_back(ray: FakeRay) -> None:
    def refuses(asked: Part) -> bytes:
        raise LookupError("no such thing on this node\nmore of it")

    ray.answer = refuses
    with pytest.raises(Failed, match=r"^part 1/3: LookupError: no such thing on this node\nmore of it$"):
        _run(None)
    assert ray.cancelled == [2, 3] and not ray.running


def test_a_cluster_that_is_gone_is_given_up(ray: FakeRay) -> None:
    ray.silent, ray.resources = True, []
    with pytest.raises(Failed, match="no node is left that has room for a part"):
        _run(None)
    assert NOBODY > 1, "a node that comes back in time is waited for"


# --- what a part takes -----------------------------------------------------------------------------------


def test_parts_take_what_their_device_is(install: Install) -> None:
    install(fake="OneUlpOff", other="Exact")
    costs = replace(Costs.read(), memory={"suite": 100.0, "fake": 400.0})
    assert engine.needs(_asked(), 3, costs) == Needs(3, 0, 500 * 2**20)
    on_a_gpu = _asked(devices=("cuda:0",))
    assert engine.needs(on_a_gpu, 1, costs).as_options()["num_gpus"] == 1
    assert engine.needs(on_a_gpu, 1, costs, per_gpu=16).as_options()["num_gpus"] == 0.0625
    named = engine.needs(_asked(frameworks=("other",)), 1, costs)
    assert named.memory == int((100 + engine.UNKNOWN) * 2**20), "who is named has a worker, though unmeasured"


def test_there_is_room_where_all_of_it_is() -> None:
    needs = Needs(2, 1, 2**30)
    assert needs.rooms({"CPU": 8.0, "GPU": 3.0, "memory": 2.0**40}) == 3
    assert needs.rooms({"CPU": 8.0, "memory": 2.0**40}) == 0, "no GPU"
    assert needs.rooms({"CPU": 8.0, "GPU": 8.0, "memory": 2.5 * 2**30}) == 2
    assert Needs(2, 0, 2**30).rooms({"CPU": 5.0, "memory": 2.0**40}) == 2
    assert Needs(1, 3, 2**30).rooms({"CPU": 8.0, "GPU": 2.0, "memory": 2.0**40}) == 6
    dead_and_alive = Cluster(FakeRay(resources=[ROOMY, ROOMY]))
    assert dead_and_alive.rooms(Needs(1, 0, 1)) == 4, "a node that is not alive has none"


def test_as_many_parts_as_there_is_room_for(ray: FakeRay) -> None:
    ray.resources = [dict(ROOMY, CPU=1.0), dict(ROOMY, CPU=2.0)]
    assert len(_run(None, of=None).header["parts"]) == 3
    ray.resources = [dict(ROOMY, memory=1.0)]
    with pytest.raises(Failed, match=r"which takes 1 CPU and .* GiB: nodes have 2 CPU, 0 GPU, 0.0 GiB"):
        _run(None, of=None)


def test_a_part_is_asked_as_the_command_was_typed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A scheduler says how many threads, and which GPU: the one is undone, and the other its business."""
    monkeypatch.setenv("XLA_FLAGS", "--typed")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv(part.VISIBLE, "7")
    typed = part.settings()
    assert part.VISIBLE not in typed
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("XLA_FLAGS", "--of-the-node")
    monkeypatch.setenv(part.VISIBLE, "2")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "typed").mkdir()
    one = replace(_PART, settings=typed, folder=str(tmp_path / "typed"), per_gpu=1)
    part._settle(replace(one, selected={"cases": (), "plugins": ()}))
    assert (os.environ["XLA_FLAGS"], os.environ[part.VISIBLE]) == ("--typed", "2")
    assert "OMP_NUM_THREADS" not in os.environ and Path.cwd() == tmp_path
    part._settle(replace(one, selected={"cases": ("some.json",), "plugins": ()}, per_gpu=0))
    assert os.environ[part.VISIBLE] == "" and Path.cwd() == tmp_path / "typed"


@pytest.mark.parametrize("per_gpu", [*range(1, 40), 97, 128, 9999])
def test_as_many_shares_as_were_asked_for_are_no_more_than_a_gpu(per_gpu: int) -> None:
    """Ray counts in ten-thousandths: a share that is rounded up leaves the last part waiting."""
    told = Needs(1, per_gpu, 1).as_options()["num_gpus"]
    share = round(told * 10_000)
    assert share / 10_000 == told, "in whole ten-thousandths"
    assert share >= 1 and share * per_gpu <= 10_000 < (share + 1) * per_gpu


def test_who_shares_a_gpu_takes_of_its_memory_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in part.SHARED:
        monkeypatch.delenv(name, raising=False)
    alone = replace(_PART, selected={"cases": (), "plugins": ()}, per_gpu=1)
    part._settle(alone)
    assert not set(part.SHARED) & set(os.environ), "as it is where nobody says otherwise"
    monkeypatch.setenv("TF_FORCE_GPU_ALLOW_GROWTH", "false")
    part._settle(replace(alone, per_gpu=4))
    assert os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] == "false"
    assert os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] == "false", "what a node says stands"


def test_what_a_task_asks_ray_for(ray: FakeRay) -> None:
    ray.resources = [dict(ROOMY, GPU=1.0)]
    engine.run(_asked(devices=("cuda:0",)), None, of=2, per_gpu=4, interpreters={}, timeout=60.0)
    assert ray.options_asked["num_gpus"] == 0.25
    assert "0.25" not in str(Needs(1, 4, 2**30)) and "1/4 GPU" in str(Needs(1, 4, 2**30))


# --- parts on disk ---------------------------------------------------------------------------------------


def _left(ray: FakeRay, out: Path) -> Path:
    """A folder with two of three parts in it."""
    ray.loses = {3: AGAIN + 1}
    with pytest.raises(Failed):
        _run(out)
    ray.loses = {}
    return parts_of(out)


def test_a_damaged_part_is_asked_again(ray: FakeRay, tmp_path: Path) -> None:
    out, told = tmp_path / "run.parquet", []
    _run(None)  # in this process every part has been made then
    ray.asked.clear()
    folder = _left(ray, out)
    with pytest.raises(RunFileError, match="has not finished; wait for it, or go on with it"):
        read_run(out)
    (folder / "part-1-of-3.parquet").write_bytes(b"torn")
    (folder / "part-2-of-3.parquet").write_bytes(_MADE["3/3"])
    assert _run(out, told, resume=True).complete
    assert [line.rpartition(": ")[2] for line in told] == [f"part {i}/3 is asked again" for i in (1, 2)]
    assert "has another part" in told[1]


def test_parts_of_another_run_are_not_gone_on_with(ray: FakeRay, tmp_path: Path) -> None:
    out = tmp_path / "run.parquet"
    _left(ray, out)
    with pytest.raises(RunFileError, match=r"belongs to another run \(another timeout\); delete it, or run"):
        _run(out, resume=True, timeout=1.0)
    with pytest.raises(RunFileError, match=r"another parts"):
        _run(out, resume=True, of=2)
    assert _run(out, force=True).complete
    with pytest.raises(RunFileError, match="nothing to resume: there are no parts in"):
        _run(out, resume=True)


def test_where_nobody_has_the_device_nothing_is_kept(ray: FakeRay, tmp_path: Path) -> None:
    out = tmp_path / "run.parquet"
    for _ in range(2):
        found = engine.run(
            _asked(devices=("cuda",)), out, of=2, interpreters={}, timeout=60.0, unanswered=False
        )
        assert found.unanswered and list(tmp_path.iterdir()) == []


def test_a_folder_that_is_none_of_parts_stays(ray: FakeRay, tmp_path: Path) -> None:
    folder = parts_of(tmp_path / "run.parquet")
    folder.mkdir()
    (folder / "thesis.txt").touch()
    with pytest.raises(Occupied, match=r"is no folder of parts \(thesis.txt\), and stays as it is"):
        _run(tmp_path / "run.parquet", force=True)


def test_a_node_with_another_suite_is_told_at_once(ray: FakeRay, monkeypatch: pytest.MonkeyPatch) -> None:
    _run(None)
    made = dict(_MADE)
    ours = engine.identity
    monkeypatch.setattr(engine, "identity", lambda asked: dict(ours(asked), instrument="of another commit"))
    ray.answer = lambda asked: made[asked.name]
    with pytest.raises(RunFileError, match="part 1/3 came back with another source of the suite: nodes need"):
        _run(None)
    assert ray.cancelled == [2, 3]


# --- the command -----------------------------------------------------------------------------------------


def test_the_command(ray: FakeRay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ray.loses = {1: 1}
    names = [f"--{option}={value}" for option, values in _named() for value in values]
    asked = ["run", "--profile", "quick", *names, "--engine", "ray", "--parts", "3", "-o", "run.parquet"]
    said = conformance(*asked).output
    assert "part 1/3 was lost (NodeDiedError" in said and "and is asked again" in said
    assert "gate failed: fake.softmax" in said and read_run(tmp_path / "run.parquet").complete
    ray.loses = {1: 99}
    failed = conformance(*asked, status=EVIDENCE).output
    assert "for the 4th time; add --resume to the same command to go on" in failed
    ray.asked.clear()
    ray.loses = dict.fromkeys((1, 2, 3), 99)
    assert "no answer had come yet" in conformance(*asked, "--force", status=EVIDENCE).output


def _named() -> list[tuple[str, tuple[str, ...]]]:
    asked = _asked()
    return [("operator", asked.operators), ("dtype", asked.dtypes), ("family", asked.families)]


def test_without_ray(ray: FakeRay, monkeypatch: pytest.MonkeyPatch) -> None:
    ray.unreachable = True
    with pytest.raises(
        NoRay, match=r"no Ray cluster answers \(ConnectionError: Could not find any .*RAY_ADDRESS"
    ):
        _run(None)
    monkeypatch.setitem(sys.modules, "ray", None)
    said = conformance("run", "--profile", "quick", "--engine", "ray", "-o", "-", status=EVIDENCE).output
    assert "pip install 'xent-conformance[ray]'" in said


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["--engine", "ray", "--shard", "1/2"], "--engine ray asks all parts, and --shard one"),
        (["--parts", "2"], "--parts is for --engine ray; to ask one part here, name it: run --shard 1/N"),
        (["--per-gpu", "2"], "--per-gpu is for --engine ray; side by side here: run --shard 1/N, 2/N"),
        (["--engine", "ray", "--per-gpu", "2"], "none is asked: add --device cuda"),
        (
            ["--engine", "ray", "--device", "cuda", "--per-gpu", "10001"],
            "--per-gpu 10001: Ray divides a GPU into 10,000 shares at most",
        ),
        (["--engine", "slurm"], "slurm"),
    ],
)
def test_options_that_do_not_go_together(ray: FakeRay, typed: list[str], said: str) -> None:
    assert said in " ".join(conformance("run", *typed, "-o", "-", status=USAGE).output.split())


def test_more_parts_than_there_are(ray: FakeRay) -> None:
    said = conformance(
        "run",
        "--profile",
        "quick",
        "--operator",
        "sigmoid",
        "--engine",
        "ray",
        "--parts",
        "99999",
        "-o",
        "-",
        status=USAGE,
    ).output
    assert "--parts 99999: what is asked can be divided into" in said
    assert ray.inits == 0, "no cluster is begun for it"


def test_a_gpu_that_no_node_has(ray: FakeRay) -> None:
    """What to do is another thing than where memory is short."""
    asked = ("--profile", "quick", "--operator", "sigmoid", "--device", "cuda", "--engine", "ray")
    said = " ".join(conformance("run", *asked, "-o", "-", status=EVIDENCE).stderr.split())
    assert "0 GPU" in said and "leave --device out, or begin Ray where there is a GPU" in said
