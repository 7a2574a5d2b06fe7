"""A sweep finds the one wrong number of 65,536, goes on after a kill, and is the union of its shards."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.support.fakes import HERE
from tests.support.fakes_to_sweep import ONE_PATTERN
from tests.support.memory import filling
from xent_conformance.discovery.framework import FRAMEWORKS, Framework
from xent_conformance.reports.atomic import journal_of
from xent_conformance.running.keeping import Occupied
from xent_conformance.sweep.document import NoSweep, Swept, merge, read
from xent_conformance.sweep.engine import EmptyShard, NotSwept, sweep
from xent_conformance.sweep.journal import JournalError, resumable
from xent_conformance.sweep.plan import Plan, Shard, UnknownShard, plan

pytestmark = pytest.mark.usefixtures("forked")

Fake = Callable[..., Plan]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Fake:
    """The plan of a sweep of a fake by its name."""
    monkeypatch.setenv("SWEPT_FOLDER", str(tmp_path))

    def planned(name: str, operator: str = "sigmoid", **asked: object) -> Plan:
        there = Framework("swept", f"tests.support.fakes_to_sweep:{name}", "", (HERE,))
        monkeypatch.setitem(FRAMEWORKS, "swept", there)
        return plan(f"swept.{operator}", None, "float16", **asked)  # type: ignore[arg-type]

    return planned


def _part(swept: Swept, output: str, label: int | None = None) -> dict:
    (part,) = (p for p in swept.as_dict()["parts"] if (p["label"], p["output"]) == (label, output))
    return part


def _counted(swept: Swept) -> list[dict]:
    """All that a sweep has counted, without the time it took."""
    told = swept.as_dict()
    return [{k: told[k] for k in ("word", "points", "of", "chunks")}, *told["parts"]]


def test_names_in_capitals_are_those_that_are_meant() -> None:
    found = plan("Torch.Sigmoid", "Sigmoid", "FLOAT16", outputs=("Value",), mode="Eager")
    assert (found.implementation, found.outputs, found.mode) == ("torch.sigmoid", ("value",), "eager")


def test_a_right_implementation_is_passed_in_all_its_numbers(fake: Fake) -> None:
    found = sweep(fake("Right"), None)
    assert (found.exhaustive, found.points, found.of) == (True, 65536, 65536)
    for output in ("value", "grad_logits"):
        part = _part(found, output)
        assert part["grades"] | {"exact": 0, "faithful": 0} == dict.fromkeys(part["grades"], 0)
        assert part["elements"] == sum(part["grades"].values()) == 65536
        assert not part["broken"] and not part["histogram"]
        assert 0.49 < part["maximum"]["ulps"] < 0.51, (
            "half an ulp, nearly, is the worst of what is rounded once"
        )


def test_both_labels_are_asked_and_told_apart(fake: Fake) -> None:
    found = sweep(fake("Right", "sigmoid_cross_entropy"), None)
    assert (found.points, found.of) == (2 * 65536, 2 * 65536)
    assert list(found.tallies) == [(y, o) for y in (0, 1) for o in ("value", "grad_logits")]
    assert not any(t.charges for (_, o), t in found.tallies.items() if o == "grad_logits")
    one = sweep(fake("Right", "sigmoid_cross_entropy", labels=(1,), outputs=("value",)), None)
    assert list(one.tallies) == [(1, "value")]
    assert one.tallies[1, "value"].as_dict("float16") == found.tallies[1, "value"].as_dict("float16")


def test_the_one_wrong_number_is_found(fake: Fake) -> None:
    part = _part(sweep(fake("WrongOnce"), None), "value")
    assert part["grades"]["divergent"] == 1
    (broken,) = part["broken"]
    assert (broken["clause"], broken["symptom"], broken["count"]) == ("1.1", "beyond the stable bound", 1)
    assert broken["at"]["bits"] == part["maximum"]["bits"] == f"0x{ONE_PATTERN:04x}"
    assert part["maximum"]["logits"] == ["0.7925"]
    assert part["maximum"]["exact"].startswith("0.68836")
    assert sum(part["histogram"].values()) == 1


def test_a_wrong_binade_is_found_and_no_more(fake: Fake) -> None:
    found = sweep(fake("WrongBinade"), None)
    part = _part(found, "grad_logits")
    (broken,) = part["broken"]
    assert (broken["clause"], broken["count"]) == ("1.2", 1024)
    assert 4 <= float(part["maximum"]["logits"][0]) < 8
    assert not _part(found, "value")["broken"]


def test_a_nan_is_found_and_is_no_error_in_ulps(fake: Fake) -> None:
    part = _part(sweep(fake("NanOnce"), None), "grad_logits")
    assert part["grades"]["wrong_special"] == 1
    (broken,) = part["broken"]
    assert (broken["symptom"], broken["at"]["got"], broken["at"]["ulps"]) == ("NaN", "NaN", None)
    assert part["maximum"]["ulps"] < 1


def test_pairs_are_judged_by_their_difference(fake: Fake) -> None:
    """A shard: of all pairs of one logit with every other, so many logits."""
    planned = fake("Right", "softmax")
    found = sweep(planned, None, shard=Shard(901, 4096))
    assert not found.exhaustive and found.of == 2**32 and found.points == 2**20
    part = _part(found, "value")
    assert part["elements"] == 2**21 and part["open"] == 2 * 16
    assert part["grades"]["exact"] > 0.999 * 2**21 and not part["broken"]


def test_the_shards_are_the_whole(fake: Fake, tmp_path: Path) -> None:
    planned = fake("WrongBinade")
    paths = []
    for i in (1, 2, 3):
        part = sweep(planned, None, shard=Shard(i, 3))
        assert not part.exhaustive and part.as_dict()["word"] == "partial"
        paths.append(tmp_path / f"{i}.json")
        paths[-1].write_text(json.dumps(part.as_dict()))
    merged = merge(paths)
    assert merged.exhaustive
    assert _counted(merged) == _counted(sweep(planned, None, jobs=1))
    with pytest.raises(NoSweep, match=r"there is a gap: chunks 1, 4, 7, 10, 13 of 16 are in no part"):
        merge([paths[0], paths[2]])
    with pytest.raises(NoSweep, match=r"2\.json overlaps .*2\.json: both have chunk 1"):
        merge([paths[0], paths[1], paths[1]])
    other = tmp_path / "other.json"
    other.write_text(json.dumps(sweep(fake("Right", mode="eager", outputs=("value",)), None).as_dict()))
    with pytest.raises(NoSweep, match=r"another sweep than .*: asked differs in outputs"):
        merge([paths[0], other])
    other.write_text("{}")
    with pytest.raises(NoSweep, match="is no sweep of this version"):
        merge([other])


def test_a_document_that_claims_more_points_than_it_has_is_none(fake: Fake, tmp_path: Path) -> None:
    told = sweep(fake("Right"), None, shard=Shard(1, 16)).as_dict()
    path = tmp_path / "sweep.json"
    path.write_text(json.dumps(told))
    there = read(path)
    assert there is not None and not there.exhaustive
    path.write_text(json.dumps(told | {"points": 65536, "exhaustive": True}))
    assert read(path) is None
    path.write_text(json.dumps(told | {"chunks": [[0, 15]], "points": 65536}))
    claimed = read(path)
    assert claimed is not None and not claimed.exhaustive, "its tallies have not counted as many"


class _Stopped(Exception):
    pass


def _stop_after(chunks: int) -> Callable[[str, int, int], None]:
    def progress(_: str, done: int, __: int) -> None:
        if done == chunks:
            raise _Stopped

    return progress


def _interrupted(planned: Plan, out: Path, chunks: int = 5) -> None:
    with pytest.raises(_Stopped):
        sweep(planned, out, progress=_stop_after(chunks))
    assert resumable(out) and not out.exists()


def test_a_sweep_goes_on_where_it_was_interrupted(fake: Fake, tmp_path: Path) -> None:
    planned, out = fake("WrongBinade"), tmp_path / "sweep.json"
    _interrupted(planned, out)
    seen: list[int] = []
    found = sweep(planned, out, resume=True, progress=lambda _, done, __: seen.append(done))
    assert seen == list(range(5, 17))
    assert _counted(found) == _counted(sweep(planned, None))


def test_torn_and_damaged_lines_are_asked_again(fake: Fake, tmp_path: Path) -> None:
    planned, out = fake("Right"), tmp_path / "sweep.json"
    _interrupted(planned, out)
    lines = journal_of(out).read_text().split("\n")
    lines[2] = lines[2].replace('"exact": 4', '"exact": 5', 1)
    journal_of(out).write_text("\n".join(lines)[:-40])
    seen: list[int] = []
    found = sweep(planned, out, resume=True, progress=lambda _, done, __: seen.append(done))
    assert seen == list(range(3, 17))
    assert _counted(found) == _counted(sweep(planned, None))


def test_a_journal_of_another_sweep_is_refused_and_none_is_lost(fake: Fake, tmp_path: Path) -> None:
    planned, out = fake("Right"), tmp_path / "sweep.json"
    with pytest.raises(JournalError, match="nothing to resume"):
        sweep(planned, out, resume=True)
    _interrupted(planned, out)
    with pytest.raises(Occupied, match="--resume goes on with it, --force begins anew"):
        sweep(planned, out)
    with pytest.raises(JournalError, match=r"another sweep \(outputs .*now \['value'\]"):
        sweep(fake("Right", outputs=("value",)), out, resume=True)
    with pytest.raises(JournalError, match="shard 1/1, now 1/2"):
        sweep(planned, out, resume=True, shard=Shard(1, 2))
    assert sweep(fake("Right"), out, force=True).exhaustive


def test_what_is_there_stays(fake: Fake, tmp_path: Path) -> None:
    planned, out = fake("Right"), tmp_path / "sweep.json"
    out.write_text("mine")
    with pytest.raises(Occupied, match=r"is no sweep of this version, and stays as it is"):
        sweep(planned, out)
    out.write_text(json.dumps(sweep(planned, None).as_dict()))
    with pytest.raises(Occupied, match="is another sweep, or more of it, and stays"):
        sweep(planned, out, shard=Shard(1, 2))
    assert sweep(planned, out).exhaustive


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Wider", r"the logits 0x0000 to 0x0fff .* value came back as float64 of shape .* 4096 float16"),
        ("Refuses", "the logits 0x3000 to 0x3fff were not answered: value raised: ValueError: not one"),
        ("Dies", "the logits 0x3000 to 0x3fff were not answered: worker killed by signal 9"),
    ],
)
def test_who_does_not_answer_is_not_judged(fake: Fake, tmp_path: Path, name: str, message: str) -> None:
    out = tmp_path / "sweep.json"
    with pytest.raises(NotSwept, match=message):
        sweep(fake(name), out)
    assert resumable(out) is (name != "Wider")


def test_an_outside_kill_is_nobodys_fault(fake: Fake, tmp_path: Path) -> None:
    assert sweep(fake("DiesOnce"), None).exhaustive
    assert (tmp_path / "died").exists()


def test_who_writes_into_its_logits_is_charged(fake: Fake) -> None:
    broken = _part(sweep(fake("Writes"), None), "value")["broken"]
    assert [(b["clause"], b["symptom"], b["at"]["logits"]) for b in broken] == [
        ("7.11", "changed inputs", ["1"])
    ]


@filling
def test_who_leaves_a_result_out_is_charged(fake: Fake) -> None:
    broken = {b["clause"]: b for b in _part(sweep(fake("LeavesOut"), None), "value")["broken"]}
    found = broken["7.13"]
    assert (found["symptom"], found["at"]["logits"], found["count"]) == ("unwritten memory", ["1"], 1)


def test_shards_are_named_by_an_index_and_a_count(fake: Fake) -> None:
    assert [Shard.of("2/3").has(i) for i in range(6)] == [False, True, False, False, True, False]
    for wrong in ("0/3", "4/3", "3", "a/b", "1/0"):
        with pytest.raises(UnknownShard, match="an index and a count"):
            Shard.of(wrong)
    with pytest.raises(EmptyShard, match="shard 17/17 is empty: the sweep has 16 chunks"):
        sweep(fake("Right"), None, shard=Shard(17, 17))


def test_all_numbers_are_asked_once(fake: Fake) -> None:
    """Of every operator: each point is in one chunk, and each pattern is one point."""
    planned = fake("Right", "sigmoid_cross_entropy")
    spans = [(c.ground.label, c.start, c.stop) for c in planned.chunks]
    assert spans == [(y, s, s + 4096) for y in (0, 1) for s in range(0, 65536, 4096)]
    bits = np.concatenate([c.ground.logits(c.start, c.stop) for c in planned.chunks[:16]]).view(np.uint16)
    assert np.array_equal(bits, np.arange(65536))
    wide = plan("numpy:sigmoid-naive", None, "float32")
    first, last = wide.chunks[0], wide.chunks[-1]
    assert (first.start, last.stop, len(wide.chunks)) == (0, 2**32, 1024)
    ends = last.ground.logits(last.stop - 2, last.stop).view(np.uint32)
    assert ends.tolist() == [2**32 - 2, 2**32 - 1]
    pairs = fake("Right", "softmax")
    some = pairs.grounds[0].logits(2**31 + 5, 2**31 + 6).view(np.uint16)
    assert some.tolist() == [[0x8000, 5]]
