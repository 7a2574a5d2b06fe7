"""A slim run file: the page of it is the page of the whole, and it is no baseline."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from tests.support.cli import conformance
from tests.support.small_run import header, run_of, verdict
from xent_conformance.commands.base import EVIDENCE
from xent_conformance.decision.compare import compare
from xent_conformance.decision.gate import decide
from xent_conformance.reports.html.report import render
from xent_conformance.reports.run.file import SLIM, Run, read_run, write_run
from xent_conformance.reports.run.findings import findings
from xent_conformance.reports.text.wording import LEFT_OUT
from xent_conformance.reports.views.comparison import Change
from xent_conformance.reports.views.gate import INVALID
from xent_conformance.reports.views.slim import slim, with_gaps


def whole() -> Run:
    rows: list[dict[str, Any]] = [
        verdict(case="a", status="breaks_must", cause="one"),
        verdict(case="a", framework="jax", implementation="jax.nn.softmax", got=0.1, ulps=0.123456789),
        verdict(case="b", ulps=0.12345678912, ratio=0.5, got=0.7),
        verdict(case="b", ulps=0.12345678912, ratio=0.5, got=0.7, mode="compile", bits="ffff0000ffff0000"),
        verdict(case="c", status="open", got=0.5),
    ]
    return run_of(rows, header(planned={"torch": 4, "jax": 1}, finished={"torch": 4, "jax": 1}))


def page(run: Run) -> str:
    return render(run, findings(run.verdicts))


def test_what_is_broken_and_what_stands_beside_it_stays_to_the_last_bit() -> None:
    kept = slim(whole()).verdicts.filter(case="a").sort("framework")
    assert kept["got"].to_list() == [0.1, 0.25] and kept["ulps"].to_list() == [0.123456789, 2000.0]


def test_of_what_is_counted_the_numbers_are_left_out_and_other_bits_stay_other_bits() -> None:
    kept = slim(whole()).verdicts.filter(case="b").sort("mode")
    assert kept["got"].to_list() == [0.0, 0.0] and kept["ratio"].to_list() == [0.0, 0.0]
    assert kept["ulps"].to_list() == [0.1234568, 0.1234568]
    assert kept["bits"].n_unique() == 2


def test_an_error_stays_in_its_bin() -> None:
    (kept,) = slim(run_of([verdict(ulps=0.50000000001)], header(exhibits={}))).verdicts["ulps"]
    assert kept == 0.50000000001


def test_an_error_that_a_broken_row_has_as_well_is_not_rounded() -> None:
    """Of two that are as far off, the page shows the first: a rounded one would no longer be as far off."""
    alike = [verdict(ulps=0.12345678912), verdict(ulps=0.12345678912, status="breaks_should", mode="compile")]
    assert slim(run_of(alike, header(exhibits={}))).verdicts["ulps"].to_list() == [0.12345678912] * 2


def test_an_open_answer_is_shown_and_stays() -> None:
    assert slim(whole()).verdicts.filter(case="c")["got"].to_list() == [0.5]


def test_the_rows_of_a_case_stand_together_in_the_order_they_had() -> None:
    devices = [
        verdict(case=case, device=device) for device in ("webgpu", "cpu", "webgl") for case in ("b", "a")
    ]
    kept = slim(run_of(devices, header())).verdicts
    assert kept["case"].to_list() == [*"aaabbb"]
    assert kept["device"].to_list() == 2 * ["webgpu", "cpu", "webgl"]


def test_the_page_of_what_is_left_is_the_page_of_the_whole(tmp_path: Path) -> None:
    write_run(tmp_path / "slim.parquet", slim(whole()))
    again = read_run(tmp_path / "slim.parquet")
    told = {**whole().header, SLIM: again.header[SLIM]}
    assert page(again) == page(run_of(whole().verdicts.to_dicts(), told))
    assert "was made small" in page(again) and "was made small" not in page(whole())


def test_it_is_no_baseline_of_what_is_whole_nor_the_other_way_round() -> None:
    for run, baseline, which in ((whole(), slim(whole()), "baseline"), (slim(whole()), whole(), "run")):
        gate = decide(run, baseline=baseline)
        assert gate.status == INVALID
        assert [r.title for r in gate.blocking if r.evidence] == [f"the {which} is a slim run file"]
    assert not [r for r in decide(slim(whole()), baseline=slim(whole())).blocking if r.evidence]


def test_what_was_left_out_is_no_number() -> None:
    """Neither what was returned, nor what is right, nor of which element: a zero in its place is invented."""
    sides = [verdict(case="b", ulps=0.12345678912, got=0.7, bits=bits) for bits in ("1111", "2222")]
    then, now = (slim(run_of([row], header(exhibits={}))) for row in sides)
    (conforms,) = compare(then, now).told().groups[Change.BITS].listed
    assert conforms.before is not None and conforms.now is not None
    for side in (conforms.before, conforms.now):
        assert (side.answer.returned, side.answer.right, side.element) == (LEFT_OUT, "", None)
        assert side.text == "conforms, 0.12 ulp"
    assert conforms.unlike == ""


def test_an_element_that_was_left_out_is_no_other_element() -> None:
    """Of a broken verdict the element is kept, of what conforms it is not."""
    sides = (verdict(case="b", index=2), verdict(case="b", index=2, status="breaks_must"))
    runs = [slim(run_of([row], header(exhibits={}))) for row in sides]
    (group,) = compare(*runs).told().groups[Change.REGRESSED].listed
    assert group.before is not None and group.now is not None
    assert (group.before.element, group.now.element, group.unlike) == (None, 2, "")


def test_an_error_beyond_the_number_has_no_share_of_a_bound_that_was_left_out() -> None:
    """The share of the bound stands in place of such an error, and is not zero."""
    row, other = (verdict(case="b", ulps=2.0**30, ratio=0.75, bits=bits) for bits in ("1111", "2222"))
    (group,) = (
        compare(*(slim(run_of([r], header(exhibits={}))) for r in (row, other)))
        .told()
        .groups[Change.BITS]
        .listed
    )
    assert group.now is not None and group.now.answer.share == "" and "ulp" in group.now.text


def test_of_a_special_number_nothing_was_left_out_but_where() -> None:
    special = verdict(case="b", got=math.inf, hi=math.inf, rounded=math.inf, index=2)
    (row,) = with_gaps(slim(run_of([special], header(exhibits={})))).to_dicts()
    assert (row["got"], row["rounded"], row["index"]) == (math.inf, math.inf, None)


def test_a_number_that_stays_is_the_number() -> None:
    """A zero that was returned to a row that is shown, and all that is broken or recorded."""
    zero = {"got": 0.0, "hi": 0.0, "rounded": 0.0, "ratio": 0.0, "index": 0}
    shown, broken = verdict(case="shown", **zero), verdict(case="b", status="breaks_must", **zero)
    kept = with_gaps(slim(run_of([shown, broken], header(exhibits={"shown": {}}))))
    assert kept["got"].to_list() == [0.0, 0.0] and kept["index"].to_list() == [0, 0]
    assert with_gaps(whole()).equals(whole().verdicts)


def test_it_is_not_compared_with_what_is_whole(tmp_path: Path) -> None:
    write_run(tmp_path / "slim.parquet", slim(whole()))
    write_run(tmp_path / "whole.parquet", whole())
    for names in (("slim", "whole"), ("whole", "slim")):
        done = conformance("compare", *(tmp_path / f"{n}.parquet" for n in names), status=EVIDENCE)
        assert "slim.parquet: a slim run file, and the other is none: it was made small" in done.output
    conformance("compare", tmp_path / "slim.parquet", tmp_path / "slim.parquet")
