"""Verdicts become findings: grouped by likely cause, worst first, each with a row to look at."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from xent_conformance.cases.corpus import batches, find_case
from xent_conformance.reference.formats import FORMATS, native
from xent_conformance.reports.run.file import SCHEMA
from xent_conformance.reports.run.findings import CAUSE, findings, grouped
from xent_conformance.running.header import SHOWN, exhibits

NAN, INFINITY = float("nan"), float("inf")


def _verdict(**changes: Any) -> dict[str, Any]:
    text = {n: n for n, kind in SCHEMA.items() if kind == pl.String()}
    number = {n: 1 for n, kind in SCHEMA.items() if kind == pl.Int32()}
    usual: dict[str, Any] = text | number | {n: 1.0 for n, kind in SCHEMA.items() if kind == pl.Float64()}
    usual |= {"status": "breaks_must", "level": "must", "formulation": "fused"}
    assert not set(changes) - set(usual)
    return usual | changes


def _found(*rows: dict[str, Any]) -> pl.DataFrame:
    return findings(pl.DataFrame(list(rows), schema=SCHEMA, orient="row"))


def test_only_faults_are_findings() -> None:
    statuses = ["conforms", "breaks_must", "breaks_should", "open", "unsupported", "undecided"]
    found = _found(*(_verdict(status=s, clause=s) for s in statuses))
    assert set(found["status"]) == {"breaks_must", "breaks_should"}


def test_nothing_found_is_an_empty_table() -> None:
    found = _found(_verdict(status="conforms"))
    assert found.height == 0
    assert (
        set(_found(_verdict()).columns)
        == set(found.columns)
        == {*SCHEMA, "count", "asked", "dtypes", "families", "targets"}
    )


def test_one_cause_is_one_finding() -> None:
    """Formats, families and cases are the places where it shows, not what causes it."""
    (found,) = _found(
        _verdict(dtype="float32", family="b", case="c1", ulps=3.0),
        _verdict(dtype="float16", family="a", case="c2", ulps=9.0),
        _verdict(dtype="float32", family="a", case="c3", ulps=5.0),
        _verdict(status="conforms", case="c4"),
        _verdict(status="open", case="c5", output="value"),
    ).iter_rows(named=True)
    assert (found["count"], found["asked"]) == (3, 4)
    assert (found["dtypes"], found["families"]) == (["float16", "float32"], ["a", "b"])
    assert (found["case"], found["ulps"], found["dtype"]) == ("c2", 9.0, "float16")


@pytest.mark.parametrize("column", sorted(set(CAUSE) - {"formulation"}))
def test_what_makes_another_cause(column: str) -> None:
    found = _found(_verdict(), _verdict(**{column: "another"}))
    assert found.height == 2
    assert found["count"].to_list() == [1, 1]


def test_the_worst_row_stands_for_the_finding() -> None:
    """The largest error; of equal ones the shortest row, then the first name: the easiest to read."""
    rows = [("b", 10, 5.0), ("a", 10, 5.0), ("c", 2, 4.0), ("d", 1000, 5.0)]
    (found,) = _found(*(_verdict(case=c, n=n, ulps=u) for c, n, u in rows)).iter_rows(named=True)
    assert found["case"] == "a"
    (found,) = _found(_verdict(ulps=1e300), _verdict(ulps=INFINITY, case="worst")).iter_rows(named=True)
    assert found["case"] == "worst"


@pytest.mark.parametrize("size", ["ulps", "ratio"])
@pytest.mark.parametrize("which", [pl.col("status") == "breaks_must", None])
def test_the_rows_that_are_meant_are_grouped_as_if_there_were_no_others(
    which: pl.Expr | None, size: str
) -> None:
    """And each cause stands with its worst row, all columns of it, by either size."""
    rng = np.random.default_rng(7)
    sizes = [NAN, INFINITY, 3.0, 2.0, None]
    rows = [
        _verdict(
            status=["breaks_must", "conforms"][rng.integers(2)],
            clause=f"c{rng.integers(3)}",
            case=f"case {i % 7}",
            n=int(rng.integers(3)),
            ulps=sizes[rng.integers(5)],
            ratio=sizes[rng.integers(5)],
            message=f"row {i}",
            dtype=f"d{rng.integers(2)}",
        )
        for i in range(400)
    ]
    table = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    found = grouped(table, ["clause", "dtype"], pl.col("n").max().alias("most"), where=which, size=size)

    def order(row: dict[str, Any]) -> tuple[Any, ...]:
        large = -1.0 if row[size] is None else float(np.nan_to_num(row[size], nan=3e300, posinf=2e300))
        return -large, row["n"], row["case"], int(row["message"][4:])

    meant: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in sorted((r for r in rows if which is None or r["status"] == "breaks_must"), key=order):
        meant.setdefault((row["clause"], row["dtype"]), []).append(row)
    assert len(meant) == 6 and found["message"].to_list() == [some[0]["message"] for some in meant.values()]
    for told, some in zip(found.iter_rows(named=True), meant.values(), strict=True):
        assert str({name: told[name] for name in SCHEMA}) == str({name: some[0][name] for name in SCHEMA})
        assert told["count"] == len(some) and told["most"] == max(row["n"] for row in some)


def test_worst_first() -> None:
    """Must before should, what users call before the controls, then by ulps and by count."""
    should, naive = {"status": "breaks_should", "level": "should"}, {"formulation": "naive"}
    rows = [
        _verdict(clause="few infinite", ulps=INFINITY),
        _verdict(clause="many infinite", ulps=INFINITY, case="1"),
        _verdict(clause="many infinite", ulps=INFINITY, case="2"),
        _verdict(clause="raised", ulps=NAN, case="1"),
        _verdict(clause="raised", ulps=NAN, case="2"),
        _verdict(clause="raised", ulps=NAN, case="3"),
        _verdict(clause="large", ulps=1e6),
        _verdict(clause="small", ulps=20.0),
        _verdict(clause="naive must", ulps=INFINITY, **naive),
        _verdict(clause="should large", ulps=1e9, **should),
        _verdict(clause="should small", ulps=1.0, **should),
        _verdict(clause="naive should", ulps=INFINITY, **should, **naive),
    ]
    order = [
        "raised", "many infinite", "few infinite", "large", "small", "naive must",
        "should large", "should small", "naive should",
    ]  # fmt: skip
    for shuffled in (rows, rows[::-1], rows[6:] + rows[:6]):
        assert _found(*shuffled)["clause"].to_list() == order


# --- what a finding points at is carried in the run file ---------------------------------------------


def _decoded(bits: str, dtype: str) -> np.ndarray:
    return np.frombuffer(bytes.fromhex(bits), dtype=FORMATS[dtype].dtype)


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize(
    "operator", ["softmax", "softmax_cross_entropy", "sparse_softmax_cross_entropy", "sigmoid_cross_entropy"]
)
def test_exhibits_decode_to_the_inputs(operator: str, dtype: str) -> None:
    """NaN, infinities, signed zeros: the bits that a framework was given."""
    asked = next(batches("quick", operators=[operator], families_=["special_values"], dtypes=[dtype]))
    inputs, found = asked.inputs, exhibits((c.id for c in asked.cases), find_case)
    assert list(found) == [c.id for c in asked.cases]
    for case in asked.cases:
        shown = found[case.id]
        assert (shown["dtype"], shown["n"]) == (dtype, inputs.n)
        columns = ["logits", "cotangent"]
        if operator == "sparse_softmax_cross_entropy":
            assert shown["labels"] == inputs.labels[case.row, 0]
        else:
            columns.append("labels")
        for column in columns:
            sent = native(getattr(inputs, column)[case.row], inputs.format.dtype)
            assert _decoded(shown[column], dtype).tobytes() == sent.tobytes()


def test_a_long_row_is_carried_by_its_beginning() -> None:
    asked = next(
        b
        for b in batches(operators=["softmax"], families_=["special_values"], dtypes=["float32"])
        if b.inputs.n > SHOWN
    )
    case = asked.cases[0]
    shown = exhibits([case.id], find_case)[case.id]
    assert shown["n"] == asked.inputs.n
    decoded = _decoded(shown["logits"], "float32")
    assert np.array_equal(decoded, asked.inputs.logits[case.row, :SHOWN].astype(np.float32))
    assert find_case(case.id)[1] == case
