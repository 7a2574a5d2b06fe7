"""A run in parts: disjoint, complete, of about the same cost; and put together it is the same run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.support.by_hand import Install, selection
from tests.support.cli import conformance
from xent_conformance.asking.selection import Selection
from xent_conformance.asking.suspects import suspect
from xent_conformance.commands.line import EVIDENCE, USAGE
from xent_conformance.discovery.names import UnknownName
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.run.file import PART, Run, read_run, write_run
from xent_conformance.reports.run.unusable import RunFileError
from xent_conformance.running import merging
from xent_conformance.running.costs import Costs
from xent_conformance.running.engine import run
from xent_conformance.running.shards import Group, Shard, divided, groups
from xent_conformance.worker.machine import cores

pytestmark = pytest.mark.usefixtures("forked")

OF = 3
FAMILIES = ("special_values", "two_classes", "offsets")


def _asked(**changes: Any) -> Selection:
    return selection(dtypes=("float32", "float64"), **{"families": FAMILIES} | changes)


_MADE: dict[int, bytes] = {}
"""Parts that a test before has had asked: each test has its own files of them."""


@pytest.fixture
def parts(install: Install, tmp_path: Path) -> list[Path]:
    """The three parts of a run of two fakes."""
    install(fake="OneUlpOff", other="Exact")
    paths = [tmp_path / f"part-{index}.parquet" for index in range(1, OF + 1)]
    for index, path in enumerate(paths, 1):
        if index not in _MADE:
            run(Shard.part(_asked(), f"{index}/{OF}"), path, oracle=Oracle())
            _MADE[index] = path.read_bytes()
        path.write_bytes(_MADE[index])
    return paths


def _merged(paths: list[Path]) -> Run:
    found = merging.read_parts(paths)
    return merging.merged(found, merging.asked_by(found), Oracle())


def test_put_together_it_is_the_same_run(parts: list[Path]) -> None:
    whole = run(_asked(), None, oracle=Oracle())
    merged = _merged(parts)
    assert merged.verdicts.equals(whole.verdicts)
    assert set(merged.verdicts["cause"]) == set(whole.verdicts["cause"]) and merged.complete
    of_time = {"created", "seconds", "seconds_by_mode", "workers", "parts", "frameworks", "selection"}
    same = [{k: v for k, v in r.header.items() if k not in of_time} for r in (merged, whole)]
    assert same[0] == same[1]
    told = [
        [{k: v for k, v in f.items() if k != "import_s"} for f in r.header["frameworks"]]
        for r in (merged, whole)
    ]
    assert told[0] == told[1]
    assert {k: tuple(v) if k != "profile" else v for k, v in merged.header["selection"].items()} == dict(
        _asked().as_dict()
    )
    assert [p["index"] for p in merged.header["parts"]] == [1, 2, 3]
    assert _merged(parts[::-1]).verdicts.equals(whole.verdicts), "in whatever order they are named"


@pytest.mark.parametrize(("typed", "many"), [((), cores()), (("--jobs", "5"), 5)])
def test_as_many_help_as_are_named(
    typed: Sequence[str], many: int, parts: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    helping: list[int] = []
    original = merging.ended

    def ended(*of: Any) -> Run:
        helping.append(of[-1])
        return original(*of)

    monkeypatch.setattr(merging, "ended", ended)
    conformance("merge", *parts, "-o", parts[0].with_name("run.parquet"), *typed)
    assert helping == [many]


def test_parts_are_disjoint_complete_and_of_one_cost(install: Install) -> None:
    install(fake="Exact")
    found = groups(_asked())
    for of in (1, 2, 5):
        shards = [Shard.part(_asked(), f"{i}/{of}") for i in range(1, of + 1)]
        ids = [batch.id for shard in shards for batch in shard.batches()]
        assert sorted(ids) == sorted(batch.id for batch in _asked().batches())
        loads = [sum(g.seconds for g in part) for part in divided(found, of)]
        assert max(loads) - min(loads) <= max(g.seconds for g in found)


def test_of_all_frameworks_sixteen_parts_cost_the_same() -> None:
    """But for one that has what nobody can divide alone: what `torch.compile` makes is made in one place."""
    found = groups(Selection("quick"))
    alone, *others = sorted(divided(found, 16), key=len)
    assert alone == [max(found, key=lambda g: g.seconds)]
    assert alone[0].seconds > Costs.read().of_question("torch compile", "quick")
    loads = [sum(g.seconds for g in part) for part in others]
    assert max(loads) < 1.02 * min(loads) and max(loads) < alone[0].seconds


def test_processes_that_a_gpu_loses_are_shared_too() -> None:
    """Indices out of range cost PyTorch processes on CUDA, which takes longer than all else of a batch."""
    asked = {"frameworks": ("torch",), "operators": ("sparse_softmax_cross_entropy",)}
    on_cpu, on_cuda = (groups(Selection("quick", devices=(d,), **asked)) for d in ("cpu", "cuda"))
    beside = {g.batches[0].id: g.seconds for g in on_cpu}
    more = {g.batches[0].id: g.seconds - beside[g.batches[0].id] for g in on_cuda}
    odd = {g.batches[0].id for g in on_cuda for batch in g.batches if suspect(batch).any()}
    assert odd and min(more[name] for name in odd) > 0.1 > max(more[name] for name in more.keys() - odd)
    loads = [sum(g.seconds for g in part) for part in divided(on_cuda, 4)]
    assert max(loads) < 1.5 * min(loads)


def test_the_dearest_goes_to_whoever_has_least() -> None:
    found = [Group((), seconds) for seconds in (1.0, 5.0, 3.0, 3.0)]
    assert [[g.seconds for g in part] for part in divided(found, 2)] == [[5.0, 1.0], [3.0, 3.0]]


@pytest.mark.parametrize("words", ["0/3", "4/3", "3", "a/b", "1/0", "-1/3", ""])
def test_what_is_no_part(words: str, install: Install) -> None:
    install(fake="Exact")
    with pytest.raises(UnknownName, match="a part and their number are needed"):
        Shard.part(_asked(), words)


def test_more_parts_than_there_is_to_divide(install: Install) -> None:
    install(fake="Exact")
    most = len(groups(_asked()))
    with pytest.raises(UnknownName, match=f"can be divided into {most} at most"):
        Shard.part(_asked(), f"1/{most + 1}")


# --- what is refused -------------------------------------------------------------------------------------


def _changed(path: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    found = read_run(path, part=True)
    header = {**found.header, PART: dict(found.header[PART]), "selection": dict(found.header["selection"])}
    change(header)
    path.unlink()
    write_run(path, Run(found.verdicts, (header,)))


def test_a_gap(parts: list[Path]) -> None:
    with pytest.raises(RunFileError, match=r"2/3 is missing; ask with --shard 2/3"):
        _merged([parts[0], parts[2]])
    with pytest.raises(RunFileError, match=r"1/3 and 2/3 are missing"):
        _merged([parts[2]])


def test_an_overlap(parts: list[Path]) -> None:
    _changed(parts[1], lambda h: h[PART].update(index=1))
    with pytest.raises(RunFileError, match=r"part-2.parquet and .*part-1.parquet are both part 1 of 3"):
        _merged(parts)


def test_batches_that_are_in_two_parts_or_in_none(parts: list[Path]) -> None:
    twice = read_run(parts[0], part=True).header[PART]["batches"][0]
    _changed(parts[1], lambda h: h[PART].update(batches=[*h[PART]["batches"], twice]))
    with pytest.raises(RunFileError, match=rf"more than one part has {twice}: .*part-1.* and .*part-2"):
        _merged(parts)
    _changed(parts[1], lambda h: h[PART].update(batches=h[PART]["batches"][1:-1]))
    with pytest.raises(RunFileError, match="no part has "):
        _merged(parts)


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("corpus", "corpus"),
        ("suite", "version of the suite"),
        ("reference", "reference"),
        ("instrument", "source of the suite"),
        ("judged_with", "Python or package that judges"),
    ],
)
def test_another_corpus_or_suite(name: str, what: str, parts: list[Path]) -> None:
    _changed(parts[1], lambda h: h.update({name: {"python": "0"} if name == "judged_with" else "another"}))
    with pytest.raises(RunFileError, match=rf"part-2.parquet has another {what} than .*part-1.parquet"):
        _merged(parts)
    if name != "judged_with":
        for path in (parts[0], parts[2]):
            _changed(path, lambda h: h.update({name: "another"}))
        with pytest.raises(RunFileError, match=f"another {what} than this suite: merge with the one that"):
            _merged(parts)


def test_other_questions_another_number_or_another_machine(parts: list[Path]) -> None:
    before = parts[1].read_bytes()
    _changed(parts[1], lambda h: h["selection"].update(dtypes=["float32"]))
    with pytest.raises(RunFileError, match=r"part-2.parquet asked something else than .*: other dtypes"):
        _merged(parts)
    parts[1].write_bytes(before)
    _changed(parts[1], lambda h: h[PART].update(of=4))
    with pytest.raises(RunFileError, match=r"is of 4 parts, and .* of 3"):
        _merged(parts)
    parts[1].write_bytes(before)
    _changed(parts[1], lambda h: h.update(frameworks=[{**f, "cores": 99} for f in h["frameworks"]]))
    with pytest.raises(RunFileError, match=r"asked another fake: cores 99"):
        _merged(parts)


def test_which_of_its_gpus_a_machine_gave_is_no_other_machine(parts: list[Path]) -> None:
    """A scheduler names the one that a part may see; another threading is another machine's all the same."""

    def given(path: Path, **variables: str) -> None:
        def change(header: dict[str, Any]) -> None:
            told = [{**f, "environment": {**f["environment"], **variables}} for f in header["frameworks"]]
            header.update(frameworks=told)

        _changed(path, change)

    for i, path in enumerate(parts):
        given(path, CUDA_VISIBLE_DEVICES=str(i))
    assert _merged(parts).complete
    given(parts[1], OMP_NUM_THREADS="2")
    with pytest.raises(RunFileError, match=r"part-2.parquet and .* asked another fake: environment"):
        _merged(parts)


def test_an_unfinished_part_makes_an_unfinished_run(parts: list[Path]) -> None:
    _changed(parts[1], lambda h: h.update(finished={k: n - 1 for k, n in h["finished"].items()}))
    assert not _merged(parts).complete


# --- the command line ------------------------------------------------------------------------------------

SMALL = ("--profile", "quick", "--operator", "softmax", "--dtype", "float32", "--dtype", "float64")
MORE = ("--family", "two_classes", "--family", "special_values")


def test_the_commands(install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    install(fake="OneUlpOff")
    conformance("run", *SMALL, *MORE, "-o", "whole.parquet")
    for i in (1, 2):
        told = conformance("run", *SMALL, *MORE, "--shard", f"{i}/2", "-o", f"part{i}.parquet").stdout
        assert f"part {i} of 2: " in told and "gate" not in told.replace("conformance", "")
    said = conformance("gate", "part1.parquet", status=EVIDENCE).stderr
    assert "is part 1 of 2 of a run, and decides nothing alone" in " ".join(said.split())
    refused = conformance("merge", "part1.parquet", status=EVIDENCE).stderr
    assert "2/2 is missing" in refused and not Path("run.parquet").exists()
    assert "needs no merging" in conformance("merge", "whole.parquet", status=EVIDENCE).stderr
    assert "wrote merged.parquet" in conformance(
        "merge", "part1.parquet", "part2.parquet", "-o", "merged.parquet"
    ).stdout.replace("\n", " ")
    assert read_run(Path("merged.parquet")).verdicts.equals(read_run(Path("whole.parquet")).verdicts)
    conformance("merge", "part2.parquet", "part1.parquet", "-o", "whole.parquet")  # of the same questions
    assert isinstance(read_run(Path("whole.parquet")).verdicts, pl.DataFrame)
    # a part is not written over a run, nor over another part
    for out, shard in (("whole.parquet", "1/2"), ("part2.parquet", "1/2")):
        words = ("run", *SMALL, *MORE, "--shard", shard, "-o", out)
        assert "asked something else" in conformance(*words, status=USAGE).stderr
    conformance("run", *SMALL, *MORE, "--shard", "2/2", "-o", "part2.parquet")
    assert "3 is" not in conformance("run", *SMALL, "--shard", "3/2", status=USAGE).stdout
