"""Several workers of one framework: the verdicts and bits are those of one, and memory decides how many."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.by_hand import Install, selection
from tests.support.fakes_of_crews import MANY, MEET
from xent_conformance.discovery.framework import FRAMEWORKS, Seat
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.run.file import Run, read_run
from xent_conformance.running import crew, crews, plan, shares
from xent_conformance.running.engine import run

pytestmark = pytest.mark.usefixtures("forked")

FAMILIES = ("special_values", "two_classes", "offsets", "huge_logits")
FAKES = "tests.support.fakes_of_crews:"


@pytest.fixture
def meet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """``meet(3)``: workers wait until three have begun; each that may be started pays."""
    monkeypatch.setattr(crews, "PAYS", 0.0)

    def places(many: int) -> Path:
        folder = tmp_path / f"meet-{len(list(tmp_path.glob('meet-*')))}"
        folder.mkdir()
        monkeypatch.setenv(MEET, str(folder))
        monkeypatch.setenv(MANY, str(many))
        return folder

    return places


def _run(jobs: int, out: Path | None = None, **options: Any) -> Run:
    asked = selection(dtypes=("float32", "float64"), families=FAMILIES)
    return run(asked, out, oracle=Oracle(), force=True, jobs=jobs, **options)


def _same(a: Run, b: Run) -> None:
    """Verdict for verdict with its bits, and what else does not tell of time or of workers."""
    assert a.verdicts.equals(b.verdicts)
    told = {"created", "seconds", "seconds_by_mode", "workers", "frameworks"}
    assert {k: v for k, v in a.header.items() if k not in told} == {
        k: v for k, v in b.header.items() if k not in told
    }
    seats = [
        [{k: v for k, v in f.items() if k != "import_s"} for f in r.header["frameworks"]] for r in (a, b)
    ]
    assert seats[0] == seats[1]


@pytest.mark.parametrize("fake", ["Meets", "FirstCallDiffers", "AsksInOrder"])
def test_several_workers_write_the_run_of_one(fake: str, install: Install, meet: Any, tmp_path: Path) -> None:
    install(fake=f"{FAKES}{fake}", other="OneUlpOff")
    meet(1)
    _run(1, tmp_path / "one.parquet")
    one = read_run(tmp_path / "one.parquet")
    many = 2 if fake == "AsksInOrder" else 3
    meet(1 if fake == "AsksInOrder" else many)
    _run(many + 1, tmp_path / "several.parquet")
    several = read_run(tmp_path / "several.parquet")
    assert one.header["workers"]["most"] == {"fake": 1, "other": 1}
    most = several.header["workers"]["most"]["fake"]
    assert most == 1 if fake == "AsksInOrder" else most >= many
    assert one.complete and several.complete
    _same(one, several)


@pytest.mark.parametrize("fake", ["FirstCallDiffers", "AsksInOrder"])
def test_were_batches_shared_at_random_it_would_show(
    fake: str, install: Install, meet: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fault that the test above is to see: each batch a kind of its own."""
    install(fake=f"{FAKES}{fake}")
    meet(1)
    one = _run(1)
    monkeypatch.setattr(plan, "kind_of", lambda seat, batch, questions: batch.id)
    meet(3)
    several = _run(3)
    assert several.header["workers"]["most"] == {"fake": 3}
    assert not one.verdicts.equals(several.verdicts)


def test_another_worker_is_started_where_it_pays(install: Install, meet: Any) -> None:
    install(fake=f"{FAKES}Meets")
    meet(1)
    crews.PAYS = 1e9  # the fixture sets it back
    assert _run(4).header["workers"]["most"] == {"fake": 1}


@pytest.mark.parametrize(
    ("fake", "words"),
    [
        ("SecondIsAnother", "says another thing of itself"),
        ("SecondDoesNotStart", "exited with status 3"),
        ("OneOfTwoIsLost", "exited with status 3"),
    ],
)
def test_a_worker_that_cannot_go_on_is_done_without(
    fake: str, words: str, install: Install, meet: Any
) -> None:
    install(fake=f"{FAKES}{fake}")
    meet(2)
    said: list[str] = []
    result = _run(2, tell=said.append)
    assert result.complete and not result.header["absent"]
    assert set(result.verdicts["outcome"]) == {"returned"}
    assert len(said) == 1 and words in said[0] and said[0].startswith("fake: a worker cannot go on")
    assert result.header["workers"]["told"] == said
    install(fake=f"{FAKES}Meets")
    meet(1)
    assert result.verdicts.drop("version").equals(_run(1).verdicts.drop("version"))


class _Memory:
    """So much is free, the first times less often than later; a worker holds a gigabyte."""

    RESERVE = 2**29

    def __init__(self, *free: float) -> None:
        self._free = list(free)

    def available(self) -> int:
        return int((self._free.pop(0) if len(self._free) > 1 else self._free[0]) * 1e9)

    def held(self, leader: int) -> int:
        assert leader > 0
        return 10**9


def test_where_memory_is_short_there_is_no_other_worker(
    install: Install, meet: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(fake=f"{FAKES}Meets")
    meet(1)
    monkeypatch.setattr(crew, "memory_of_this_machine", _Memory(1.4))
    said: list[str] = []
    result = _run(4, tell=said.append)
    assert said == ["fake: 1 worker and no more: 1.4 GB of memory are free, and one holds 1.0 GB"]
    assert result.complete and result.header["workers"] == {"jobs": 4, "most": {"fake": 1}, "told": said}


def test_where_memory_becomes_short_all_but_one_end(
    install: Install, meet: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(fake=f"{FAKES}Meets")
    meet(3)
    monkeypatch.setattr(crew, "memory_of_this_machine", _Memory(8.0, 8.0, 0.2))
    monkeypatch.setattr(crew, "LOOKS", 0.0)
    said: list[str] = []
    result = _run(3, tell=said.append)
    assert said == [
        "fake: 0.2 GB of memory are free: one of 3 workers ends",
        "fake: 0.2 GB of memory are free: one of 2 workers ends",
    ]
    assert result.complete


def test_memory_is_looked_at_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """By whoever of several comes first: a look may take longer than a batch."""
    clock = iter((100.0, 100.4, 100.6))
    monkeypatch.setattr(crew.time, "monotonic", lambda: next(clock))
    memory = _Memory(8.0, 7.0, 0.2)
    several = crew.Crew(Seat(FRAMEWORKS["numpy"]), shares.Share([]), lambda *_: (), None, memory)  # type: ignore[arg-type]
    several._working = {1, 2}
    assert [several._goes_on(i) for i in (1, 2, 1)] == [True, True, True]
    assert memory.available() == 0.2e9, "it was looked at twice"


def test_an_accelerator_has_one_worker(install: Install, meet: Any) -> None:
    install(fake=f"{FAKES}OnAnAccelerator")
    meet(1)
    result = _run(4)
    assert set(result.verdicts["device"]) == {"cpu", "cuda:0"}
    assert result.header["workers"]["most"] == {"fake": 1}


def test_batches_of_a_kind_stay_together_and_in_order(install: Install) -> None:
    install(fake="Exact")
    asked = selection(dtypes=("float32", "float64"), families=FAMILIES)
    (seat,) = asked.seats()
    batches = list(asked.batches())
    pieces = [
        shares.Piece(b, shares.kind_of(seat, b, asked.questions(seat, b, ["cpu"])), 1.0) for b in batches
    ]
    kinds = shares.largest_first({"fake": pieces})["fake"]
    assert 1 < len(kinds) < len(batches)
    assert sorted(p.batch.id for same in kinds for p in same) == sorted(b.id for b in batches)
    assert [len(same) for same in kinds] == sorted((len(same) for same in kinds), reverse=True)
    place = {b.id: i for i, b in enumerate(batches)}
    for same in kinds:
        places = [place[p.batch.id] for p in same]
        assert places == sorted(places)
        assert len({(p.batch.operator, p.batch.inputs.format.name, p.batch.inputs.n) for p in same}) == 1


def test_what_a_worker_gives_back_is_the_next_to_be_taken(install: Install) -> None:
    install(fake="Exact")
    batches = list(selection().batches())[:4]
    share = shares.Share(
        [[shares.Piece(b, i // 2, 1.0) for i, b in enumerate(batches)][k : k + 2] for k in (0, 2)]
    )
    first, second = shares.Taker(share), shares.Taker(share)
    assert next(first) is batches[0] and next(second) is batches[2]
    second.answered()
    assert next(second) is batches[3] and share.answered == 1.0
    second.close()
    assert share.kinds == 1 and share.left == 1.0
    rest = []
    first.answered()
    for found in first:
        rest.append(found.id)
        first.answered()
    assert rest == [batches[i].id for i in (1, 3)]
    assert share.answered == 4.0 and share.left == 0.0
