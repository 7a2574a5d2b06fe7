"""What losses over ranks are asked is what may break there, and the number of ranks changes no verdict."""

from __future__ import annotations

import json

import polars as pl
import pytest

from docs import ranks
from docs.published import read
from making.devices import RANKS
from tests.support.paths import ROOT
from xent_conformance.cases.outside.files import read_file
from xent_conformance.cases.outside.translated import printed
from xent_conformance.decision.gate import decide
from xent_conformance.decision.waivers import known_files, read_waivers
from xent_conformance.reports.run.words import FAULTS

PLAIN = "megatron.core.tensor_parallel.vocab_parallel_cross_entropy"
FILE = ROOT / "examples" / "cases" / "ranks.json"


def _shards(number: int) -> list[range]:
    """The classes of each rank: the ceiling of classes by ranks, and fewer for the last."""
    size = -(-ranks.CLASSES // number)
    return [range(start, min(start + size, ranks.CLASSES)) for start in range(0, ranks.CLASSES, size)]


def test_the_file_is_what_is_printed_and_is_read() -> None:
    text = FILE.read_text(encoding="utf-8")
    assert text == printed(ranks.document()), "run: python -m docs.ranks > examples/cases/ranks.json"
    assert len(read_file(FILE).batches) == len(ranks.document()["cases"])


@pytest.mark.parametrize("number", RANKS[1:])
def test_shards_are_uneven_and_each_kind_of_them_is_asked(number: int) -> None:
    shards = _shards(number)
    assert len(shards) == number and len({len(shard) for shard in shards}) == 2
    assert all(any(label in shard for label in ranks.LABELS) for shard in shards), "a label on every rank"
    assert any(set(excluded) == set(shard) for excluded in ranks.SHARDS.values() for shard in shards)
    assert set(ranks.SHARDS["last_of_two"]) >= set(_shards(2)[-1])


def test_a_row_of_the_file_has_what_its_name_says() -> None:
    cases = {(c["operator"], c["id"], c["dtype"]): c for c in json.loads(FILE.read_text())["cases"]}
    for name, shard in ranks.SHARDS.items():
        case = cases["sparse_softmax_cross_entropy", f"masked_{name}", "bfloat16"]
        for row, label in zip(case["logits"], case["labels"], strict=True):
            assert [j for j, x in enumerate(row) if x == "-inf"] == [*shard] and label not in shard
    mean = cases["sparse_softmax_cross_entropy", "ignored_rows_mean", "float16"]
    assert 0 < mean["labels"].count(ranks.IGNORED) < len(mean["labels"])


def test_no_verdict_changes_with_the_number_of_ranks() -> None:
    """One that would is found."""
    rows = read((ranks.RUN,)).verdicts
    over = rows["device"].cast(pl.String).str.extract(r"(\d+)\]$").cast(pl.Int32)
    assert set(over) == set(RANKS) and set(rows["framework"]) == set(ranks.FRAMEWORKS)
    assert ranks.changed(rows).is_empty()
    broken = rows.filter(pl.col("status").is_in(FAULTS))
    lone = broken.filter(pl.col("framework") != "megatron")
    assert set(lone["cause"]) == {"the-cotangent-itself"} and set(lone["output"]) == {"grad_logits"}
    must = broken.filter(framework="megatron", status="breaks_must")
    assert set(must["dtype"]) == {"float32"}, "in 16 bits, every bound holds"
    assert set(must.filter(output="value")["cause"]) == {"changes-its-arguments"}
    assert must.filter(implementation=PLAIN, output="grad_logits").is_empty()
    absent = rows.filter(status="unsupported")
    assert set(absent["framework"]) == {"megatron"} and set(absent["dtype"]) == {"float64"}
    assert "answers of megatron have other bits" in ranks.section(_with(rows), "PYTHON")
    should = broken.filter(status="breaks_should")
    assert set(should["clause"]) == {ranks.ITSELF} and set(should["framework"]) == {"megatron"}
    one = (pl.col("device") == "cpu[mesh=tp8]") & (pl.col("status") == "conforms")
    other = rows.with_columns(
        status=pl.when(one & (pl.col("output") == "value"))
        .then(pl.lit("breaks_must"))
        .otherwise(pl.col("status"))
    )
    assert ranks.changed(other).height == other.height - (other["status"] == rows["status"]).sum() > 0
    assert "verdicts on must clauses change with their number" in ranks.section(_with(other), "PYTHON")
    light = rows.with_columns(status=pl.when(one).then(pl.lit("breaks_should")).otherwise(pl.col("status")))
    assert ranks.changed(light).is_empty(), "a bound that holds, holds"
    lost = rows.filter(pl.col("device") != "cpu[devices=1]")
    assert ranks.changed(lost).height == lost.filter(framework="jax-sharded").height


def test_the_gate_accepts_what_is_known_and_nothing_beside_it() -> None:
    """Of Megatron's fused gradient the rounding to bfloat16, of whatever row; twice that is another fault."""
    waivers, rows = read_waivers(known_files()), read((ranks.RUN,)).verdicts
    assert not decide(_with(rows), waivers=waivers).blocking
    rounded = (pl.col("symptom") == "beyond the stable bound") & (pl.col("framework") == "megatron")
    twice = rows.with_columns(ulps=pl.when(rounded).then(2 * pl.col("ulps")).otherwise(pl.col("ulps")))
    (other, *_) = decide(_with(twice), waivers=waivers).blocking
    assert "fused_vocab_parallel_cross_entropy grad_logits" in other.title


def _with(verdicts: pl.DataFrame) -> ranks.Run:
    return ranks.Run(verdicts, read((ranks.RUN,)).headers)
