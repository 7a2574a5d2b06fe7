"""The estimate of a run: what would be asked times what it has cost, and what is said of its truth."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.by_hand import Install, batch, question, selection
from tests.support.cli import conformance
from tests.support.documents import documented
from tests.support.upgrading import bare_interpreter
from xent_conformance.asking.selection import Selection
from xent_conformance.cases.profile import Profile
from xent_conformance.commands.line import USAGE
from xent_conformance.discovery.framework import FRAMEWORKS, Seat
from xent_conformance.frameworks.interface import Question
from xent_conformance.reference.cache import default_cache
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.run.file import read_run
from xent_conformance.running.costs import (
    AGAIN,
    Costs,
    Estimate,
    Planned,
    Weights,
    estimated,
    plan,
    remembered,
    suspects,
    told,
)
from xent_conformance.running.shards import groups

DEVICES = "tests.support.fakes_of_devices"
SMALL = ("--profile", "quick", "--dtype", "float32", "--operator", "softmax", "--family", "two_classes")
COSTS = Costs(
    machine="a machine",
    day="2026-01-01",
    imports={"fake": 2.0},
    modes={"quick": {"fake eager": 0.5, "fake[isa=a] eager": 0.25}, "standard": {"fake jit": 3.0}},
    judging=0.01,
    certifying=0.1,
    reading=0.001,
    memory={"suite": 100.0, "fake": 200.0},
    restart=3.0,
    losing={},
)


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def _seat(seat: str = "fake", *, verdicts: int = 100, there: bool | None = True, **questions: int) -> Planned:
    return Planned(seat, seat.partition("[")[0], 10, questions, verdicts, there)


def test_a_question_costs_what_it_did_in_the_nearest_profile() -> None:
    assert COSTS.of_question("fake eager", "quick") == COSTS.of_question("fake eager", "full") == 0.5
    assert COSTS.of_question("fake jit", "quick") == 3.0
    assert COSTS.of_question("fake[isa=a] eager", "quick") == 0.25
    assert COSTS.of_question("fake[isa=b] eager", "quick") == 0.5, (
        "of a variant nobody measured: as without it"
    )
    assert COSTS.of_question("other eager", "quick") is None


def test_workers_run_side_by_side_and_the_suite_beside_them() -> None:
    rows = [batch("softmax", [[1.0, 2.0], [3.0, 4.0]])]

    def about(*seats: Planned, cores: int = 2, known: bool = True) -> float:
        return estimated(seats, rows, "quick", COSTS, lambda _: known, cores).seconds

    one, other = _seat(eager=8), _seat("fake[isa=a]", eager=8)
    assert about(one) == pytest.approx(2 + 8 * 0.5), "the one worker"
    assert about(one, _seat("fake[isa=b]", eager=1)) == pytest.approx(6), "the slower of two, side by side"
    both = (6 + 4 + 200 * 0.01 + 0.001) / 2
    assert about(one, other) == pytest.approx(max(6, both)), "two cores, and the judge needs one of them too"
    assert about(one, other, cores=1) == pytest.approx(6 + 4 + 200 * 0.01 + 0.001), "one after another"
    assert about(_seat(eager=1, verdicts=10_000)) == pytest.approx(100.001), "the judge"
    assert about(_seat(eager=1, verdicts=10_000), known=False) == pytest.approx(100 + 4 * 0.1)
    assert about(_seat(eager=8, there=False)) == about() == 0


def test_memory_is_of_all_workers_together_and_what_is_unknown_is_told() -> None:
    found = estimated(
        [_seat(eager=1), _seat("fake[isa=a]", eager=1), _seat("other", eager=1)],
        [],
        "quick",
        COSTS,
        lambda _: True,
    )
    assert found.memory == 100 + 2 * 200
    assert found.unknown == ("other",) and found.by_seat["other"] is None


def test_the_plan_is_what_a_run_asks(install: Install) -> None:
    """Batches and verdicts are those of the run, seat by seat."""
    install(fake="Exact", other="TwoModes")
    asked = selection()
    planned = {p.seat: p for p in plan(asked, list(asked.batches()), {})}
    words = [w for o in asked.operators for w in ("--operator", o)]
    words += [w for f in asked.families for w in ("--family", f)]
    conformance("run", "--profile", "quick", "--dtype", "float32", *words, "-q")
    run = read_run(Path("run.parquet"))
    counted = dict(run.verdicts["framework"].value_counts().iter_rows())
    assert {name: p.verdicts for name, p in planned.items()} == counted
    assert {name: p.batches for name, p in planned.items()} == run.header["planned"]
    assert set(planned["other"].questions) == {
        mode.split()[1] for mode in run.header["seconds_by_mode"] if mode.startswith("other ")
    }


def test_what_was_measured_on_a_cpu_says_nothing_of_another_device(install: Install) -> None:
    install(fake="OddDevice")
    found = plan(selection(devices=("odd",)), list(selection().batches()), {})
    assert [set(p.questions) for p in found] == [{"eager on odd"}]
    assert estimated(found, [], "quick", COSTS, lambda _: True).unknown == ("fake",)


BAD = batch(
    "sparse_softmax_cross_entropy", [[float(i) for i in range(10)]] * 3, labels=[[0.0], [10.0], [-1.0]]
)
LOSING = replace(COSTS, losing={"fake": {BAD.operator: 0.5, "softmax": 9.0}})


def test_processes_that_are_lost_cost_their_starts(install: Install) -> None:
    """On an accelerator alone; they are known, and added up, where what its questions cost is not."""
    install(fake=f"{DEVICES}:PoisonedByIndex")
    clean = batch(BAD.operator, [[float(i) for i in range(10)]], labels=[[0.0]])

    def planned(*devices: str) -> list[Planned]:
        return plan(selection(families=(), devices=devices), [BAD, clean, BAD], {})

    def about(*seats: Planned, costs: Costs = LOSING) -> Estimate:
        return estimated(seats, [], "quick", costs, lambda _: True, cores=1)

    (cpu,), (both,), (cuda,) = planned("cpu"), planned("cpu", "cuda"), planned("cuda")
    assert cpu.suspects == {} and both.suspects == cuda.suspects == {BAD.operator: 2 * 2}
    assert about(cpu).losses == {"fake": 0.0}
    asked = [replace(question(BAD.operator), device=device) for device in ("cpu", "cuda:0", "cuda:1")]
    assert suspects(BAD, asked) == {BAD.operator: 2 * 2}, "each row by each question"
    judged = cuda.verdicts * LOSING.judging
    found = about(cuda)
    assert found.losses == {"fake": 4 * 0.5 * 3.0} and found.unknown == ("fake",)
    assert found.seconds == pytest.approx(6.0 + judged)
    assert about(cuda, costs=COSTS).seconds == pytest.approx(judged), "of a framework that loses none"
    known = replace(LOSING, modes={"quick": {"fake eager on cuda": 0.5}})
    assert about(cuda, costs=known).by_seat == {"fake": pytest.approx(2.0 + 3 * 0.5 + 6.0)}
    assert told(found, None)["seats"][0]["lost_seconds"] == 6.0


def test_parts_weigh_what_the_estimate_counts(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    """By one table and one rule."""
    install(fake=f"{DEVICES}:PoisonedByIndex")
    asked = selection(operators=(BAD.operator,), families=("index_range",), devices=("cuda",))
    (planned,) = plan(asked, list(asked.batches()), {})
    weighed = []
    for costs in (COSTS, LOSING):
        monkeypatch.setattr(Costs, "read", lambda costs=costs: costs)
        weighed.append(sum(group.seconds for group in groups(asked)))
    assert planned.losses(LOSING) > 0.0
    assert weighed[1] - weighed[0] == pytest.approx(planned.losses(LOSING))


def test_a_dry_run_says_what_lost_processes_cost(install: Install) -> None:
    """Of ``torch``, of whom the table knows how many it loses; on the CPU there is nothing to say."""
    install(torch=f"{DEVICES}:PoisonedByIndex")
    words = ("run", "--profile", "quick", "--operator", BAD.operator, "--dtype", "float32", "--dry-run")
    said = "starts of processes that rows break on an accelerator: "
    assert said in conformance(*words, "--device", "cuda").stdout
    assert said not in conformance(*words, "--device", "cpu").stdout


def test_which_truths_are_there_is_what_the_oracle_says() -> None:
    one = batch("softmax", [[1.0, 2.0]])
    assert not remembered(one, default_cache())
    Oracle(default_cache()).truth(one.inputs)
    assert remembered(one, default_cache())
    oracle = Oracle(default_cache())
    oracle.truth(one.inputs)
    assert oracle.remembered == 1


def test_the_table_is_of_frameworks_and_modes_that_there_are() -> None:
    costs = Costs.read()
    assert set(costs.modes) <= set(map(str, Profile)) and {"quick", "standard"} <= set(costs.modes)
    for mode in {mode for by in costs.modes.values() for mode in by}:
        seat, _, name = mode.rpartition(" ")
        framework, _, variant = seat.removesuffix("]").partition("[")
        declared = FRAMEWORKS[framework].declaration
        assert name in declared.modes and (not variant or variant in declared.variants), mode
    assert {"torch", "jax", "tensorflow"} <= set(costs.imports) & set(costs.memory)
    numbers = [costs.judging, costs.certifying, costs.reading, *costs.memory.values()]
    assert all(number > 0 for number in numbers) and min(costs.imports.values()) >= 0


def test_a_dry_run_asks_nothing_and_says_what_it_would(install: Install) -> None:
    install(fake="Crashes", torch="Exact")
    done = conformance("run", *SMALL, "--dry-run")
    assert (
        "nothing was asked, and nothing written" in done.stdout
        and "left out, never measured: fake" in done.stdout
    )
    assert "by a factor of two and more" in " ".join(done.stdout.split())
    assert [p.name for p in Path().iterdir() if p.name != "cache"] == []
    told = json.loads(conformance("run", *SMALL, "--dry-run", "--format", "json").stdout)
    assert set(told) == documented("prints an estimate")
    assert told["not_measured"] == ["fake"] and told["last_seconds"] is None
    assert told["seconds_least"] < told["seconds"] < told["seconds_most"]
    assert {s["seat"]: s["installed"] for s in told["seats"]} == {"fake": None, "torch": None}


def test_what_the_same_took_the_last_time(install: Install) -> None:
    install(fake="Exact")
    conformance("run", *SMALL)
    header = read_run(Path("run.parquet")).header
    told = json.loads(conformance("run", *SMALL, "--dry-run", "--format", "json").stdout)
    assert (told["last_seconds"], told["last_created"]) == (header["seconds"]["total"], header["created"])
    assert told["verdicts"] == header["rows"]
    assert "the last time the same took " in conformance("run", *SMALL, "--dry-run").stdout
    other = conformance("run", *SMALL, "--exclude", "fake.sigmoid", "--dry-run", "--format", "json").stdout
    assert json.loads(other)["last_seconds"] is None, "that asked something else"


def test_what_is_wrong_is_wrong_in_a_dry_run(install: Install) -> None:
    install(fake="Exact")
    assert (
        "unknown framework"
        in conformance("run", *SMALL, "--framework", "x", "--dry-run", status=USAGE).stderr
    )


def test_what_the_named_python_has_not_is_said(tmp_path: Path) -> None:
    """And costs nothing: a run would say how to add it."""
    bare = bare_interpreter(tmp_path)
    Path(bare).write_text("#!/bin/sh\necho '{}'\n")  # its records have nothing
    done = conformance("run", *SMALL, "--framework", "torch", "--python", bare, "--dry-run").stdout
    assert "not installed, and left out: torch" in done and "for 0 verdicts" in done
    assert "worker" not in done, "no row of a table is of who is not asked"


def test_what_was_asked_of_its_kind_before_weighs_little() -> None:
    """A signature is compiled once: many batches of one are less work than as many that are each alone."""
    seat = Seat(FRAMEWORKS["jax"])
    weights = Weights("quick", Costs.read())
    mine, other = (Question(name, "softmax", "jit", "cpu", ("value",)) for name in ("mine", "other"))
    first = weights.seconds(seat, "a kind", [mine])
    assert first > 0.0
    assert weights.seconds(seat, "a kind", [mine]) == first * AGAIN
    assert weights.seconds(seat, "another kind", [mine]) == first
    assert weights.seconds(seat, "a kind", [mine, other]) == first * AGAIN + first


def test_batches_of_a_seat_for_one_mode_weigh_what_that_mode_does() -> None:
    """Who has the most to do answers at full priority: `torch compile`, and not `torch`."""
    whole, compiling = Selection("quick", frameworks=("torch",)).seats({})
    assert compiling.key == "torch compile"
    weights, costs = Weights("quick", Costs.read()), Costs.read()
    question = Question("mine", "softmax", "compile", "cpu", ("value",))
    found = weights.seconds(compiling, "a kind", [question])
    assert found == costs.of_question("torch compile", "quick")
    assert found > 100 * weights.seconds(whole, "a kind", [replace(question, mode="eager")]) > 0.0


def test_a_seat_for_one_mode_has_the_cost_of_that_mode() -> None:
    planned = Planned("fake jit", "fake", 1, {"jit": 2}, 2, True)
    assert planned.seconds(COSTS, "standard") == 2.0 + 2 * 3.0
