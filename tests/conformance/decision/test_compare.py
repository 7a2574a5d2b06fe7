"""Two runs side by side: every verdict in one pair, every pair with one change, and what is shown of them."""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.cli import conformance
from tests.support.gating import TWO_CLASSES, Make, changed
from tests.support.small_gate import decided
from tests.support.small_run import run_of
from tests.support.small_run import verdict as small
from xent_conformance.decision.compare import compare
from xent_conformance.decision.policy import Policy
from xent_conformance.judging.bits import bits_of_rows
from xent_conformance.reference.formats import JUDGED
from xent_conformance.reports.ci import data
from xent_conformance.reports.run.file import SCHEMA, Run, called, read_run
from xent_conformance.reports.run.words import Status
from xent_conformance.reports.views.comparison import APART, GROUPS, LISTED, Change, Group
from xent_conformance.reports.views.reasons import Kind, Reason


def _verdict(**changes: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        name: {pl.String(): name, pl.Int32(): 7, pl.Float64(): 0.25}[kind] for name, kind in SCHEMA.items()
    }
    usual = {"status": "conforms", "symptom": "none", "grade": "exact", "level": "must", "clause": "1.1"}
    usual |= {"dtype": "float32"}
    assert not set(changes) - set(row)
    return row | usual | changes


def _run(*rows: dict[str, Any], **header: Any) -> Run:
    usual: dict[str, Any] = {
        "suite": "1", "corpus": "c", "reference": "r", "created": "2026-11-21T00:00:00+00:00",
        "selection": {"profile": "quick"}, "clauses": {"1.1": {"level": "must"}, "2.2": {"level": "must"}},
        "frameworks": [{"framework": "framework", "version": "1", "variant": "", "environment": {"a": 1}}],
    }  # fmt: skip
    return Run(pl.DataFrame(list(rows), schema=SCHEMA, orient="row"), (usual | header,))


NAN = {"status": "breaks_must", "symptom": "NaN", "ulps": float("inf"), "grade": "wrong_special"}
SHOULD = {"status": "breaks_should", "symptom": "lost relative accuracy", "ulps": 40.0, "grade": "stable"}
FAR = {"status": "breaks_must", "symptom": "beyond the stable bound", "ulps": 900.0, "grade": "divergent"}
RAISED = {"status": "breaks_must", "symptom": "raised", "ulps": float("nan"), "grade": "none",
          "outcome": "raised"}  # fmt: skip
REFUSED = {"status": "unsupported", "ulps": float("nan"), "grade": "none"}


@pytest.mark.parametrize(
    ("before", "now", "change"),
    [
        ({}, {}, Change.SAME),
        ({}, {"bits": "b"}, Change.BITS),
        ({}, {"outcome": "other"}, Change.BITS),
        ({}, SHOULD, Change.REGRESSED),
        ({}, FAR, Change.REGRESSED),
        (SHOULD, FAR, Change.REGRESSED),
        (FAR, NAN, Change.REGRESSED),
        (NAN, RAISED, Change.REGRESSED),
        ({}, REFUSED, Change.REGRESSED),
        ({}, {"status": "undecided"}, Change.REGRESSED),
        (REFUSED, SHOULD, Change.REGRESSED),
        (NAN, {}, Change.FIXED),
        (FAR, SHOULD, Change.FIXED),
        (REFUSED, {}, Change.FIXED),
        (RAISED, FAR, Change.IMPROVED),
        (NAN, FAR, Change.IMPROVED),
        (FAR, FAR | {"ulps": 90.0}, Change.IMPROVED),
        (FAR, FAR | {"ulps": 2000.0}, Change.DRIFTED),
        (FAR, FAR | {"ulps": float("inf")}, Change.DRIFTED),
        ({}, {"ulps": 1.5}, Change.DRIFTED),
        ({"ulps": 0.0}, {"ulps": 1.5}, Change.DRIFTED),
        ({"ulps": 0.0}, {"ulps": 0.9, "bits": "b"}, Change.BITS),
        ({"ulps": 1.5}, {}, Change.IMPROVED),
        ({"ulps": 3.0}, {"ulps": 5.9, "bits": "b"}, Change.BITS),
        (NAN, NAN | {"bits": "b"}, Change.BITS),
        ({}, {"hash": "other"}, Change.NOT_COMPARABLE),
        ({}, NAN | {"hash": "other"}, Change.NOT_COMPARABLE),
    ],
)
def test_what_became_of_a_verdict(before: dict[str, Any], now: dict[str, Any], change: Change) -> None:
    found = compare(_run(_verdict(**before)), _run(_verdict(**now)))
    assert {c: n for c, n in found.counts().items() if n} == {change: 1}
    assert found.of(change).height == 1 and change.about


def _hash(*elements: float, dtype: str = "float32") -> str:
    """As a run file has it."""
    return bits_of_rows(np.array([elements], JUDGED[dtype].dtype))[0].decode()


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32", "float64", "float8_e5m2"])
@pytest.mark.parametrize("elements", [1, 3])
def test_nan_is_one_value_whatever_its_sign(dtype: str, elements: int) -> None:
    """Where the row is nothing else: of a row with numbers the hash tells no sign."""
    nan = float("nan")

    def change(before: str, now: str, **both: Any) -> str:
        usual = {"dtype": dtype, "n": 3, "got": nan}
        sides = (NAN | usual | {"bits": bits} | both for bits in (before, now))
        return str(compare(*(_run(_verdict(**side)) for side in sides)).pairs["change"][0])

    one, other = (_hash(*[n] * elements, dtype=dtype) for n in (nan, -nan))
    assert one != other and change(one, other) == change(other, one) == Change.SAME
    beside = [_hash(n, n, 1.0, dtype=dtype) for n in (nan, -nan)]
    assert change(one, beside[0]) == change(*beside) == Change.BITS
    assert change(one, _hash(*[nan] * 2, dtype=dtype)) == Change.BITS
    assert change(one, other, got=0.5) == Change.BITS
    assert change(one, other, dtype="a format of nobody") == Change.BITS


def test_a_number_that_did_not_change_is_told_as_not_what_changed() -> None:
    def told(**now: Any) -> tuple[Group, Reason]:
        old, new = run_of([small()]), run_of([small(bits="b", **now)])
        (group,) = compare(old, new).told().groups[Change.BITS].listed
        (reason,) = decided(new, baseline=old, policy=Policy(frozenset({"bits"}))).blocking
        return group, reason

    hidden = "what changed is another element of the row, or the sign or payload of a NaN"
    group, reason = told()
    assert group.unshown == hidden and reason.kind is Kind.BITS and reason.detail.endswith(f"; {hidden}")
    for shown in ({"got": 0.75}, {"index": 2}):
        group, reason = told(**shown)
        assert group.unshown == "" and hidden not in reason.detail, shown


def test_a_larger_factor_lets_more_pass() -> None:
    old, new = _run(_verdict(ulps=2.0)), _run(_verdict(ulps=15.0))
    assert compare(old, new).counts()[Change.DRIFTED] == 1
    assert compare(old, new, factor=8.0).counts()[Change.DRIFTED] == 0


def test_what_is_in_one_run_alone() -> None:
    found = compare(_run(_verdict(case="a")), _run(_verdict(case="b")))
    assert found.counts() | {Change.MISSING: 1, Change.ADDED: 1} == found.counts()
    assert found.transitions() == ()


def test_a_rule_that_changed() -> None:
    rules = {"1.1": {"level": "should"}, "2.2": {"level": "must"}}
    old = _run(_verdict(), _verdict(case="b", clause="2.2"))
    new = _run(_verdict(), _verdict(case="b", clause="2.2"), clauses=rules)
    counts = compare(old, new).counts()
    assert (counts[Change.NOT_COMPARABLE], counts[Change.SAME]) == (1, 1)


# --- several machines and versions ---------------------------------------------------------------------


def test_machines_are_paired_by_name() -> None:
    """A regression on the second machine is seen, though the first answers the same cases."""
    old = _run(_verdict(machine="a"), _verdict(machine="b"))
    new = _run(_verdict(machine="b", **NAN), _verdict(machine="a"))
    found = compare(old, new)
    assert found.of(Change.REGRESSED)["machine"].to_list() == ["b"] and found.counts()[Change.SAME] == 1


def test_another_machine_takes_the_place_of_the_one_that_is_gone() -> None:
    old = _run(_verdict(machine="a"), _verdict(machine="b"))
    found = compare(old, _run(_verdict(machine="a"), _verdict(machine="z", **NAN)))
    (row,) = found.of(Change.REGRESSED).to_dicts()
    assert (row["machine_old"], row["machine"]) == ("b", "z")


def test_a_machine_less_is_missing_and_one_more_is_added() -> None:
    one, two = _run(_verdict(machine="a")), _run(_verdict(machine="a"), _verdict(machine="b"))
    assert compare(two, one).of(Change.MISSING)["machine_old"].to_list() == ["b"]
    assert compare(one, two).of(Change.ADDED)["machine"].to_list() == ["b"]


def test_versions_are_paired_on_each_machine() -> None:
    old = _run(*(_verdict(machine=m, version="1") for m in "ab"))
    new = _run(*(_verdict(machine=m, version=v) for m in "ba" for v in ("2", "1")))
    pairs = compare(old, new).pairs
    both = pairs.filter(pl.col("change") == "same").select("machine_old", "machine", "version").rows()
    assert sorted(both) == [("a", "a", "1"), ("b", "b", "1")]
    assert compare(old, new).counts()[Change.ADDED] == 2


VERDICTS = st.lists(
    st.builds(
        _verdict,
        case=st.sampled_from("abc"),
        machine=st.sampled_from("xyz"),
        version=st.sampled_from("12"),
        output=st.sampled_from(["value", "grad_logits"]),
        ulps=st.sampled_from([0.0, 0.4, 3.0, 80.0, float("inf"), float("nan")]),
        status=st.sampled_from(
            ["conforms", "breaks_must", "breaks_should", "open", "unsupported", "undecided"]
        ),
        symptom=st.sampled_from(["none", "NaN", "raised", "beyond the stable bound"]),
        bits=st.sampled_from("pq"),
        hash=st.sampled_from("hh1"),
    ),
    max_size=12,
    unique_by=lambda r: (r["case"], r["machine"], r["version"], r["output"]),
)


@given(VERDICTS, VERDICTS)
def test_every_verdict_stands_in_one_pair(before: list[dict[str, Any]], now: list[dict[str, Any]]) -> None:
    """None is lost and none is doubled, whatever the machines; counts, groups and transitions add up."""
    found = compare(_run(*before), _run(*now))
    pairs = found.pairs
    who = ["case", "output", "version", "machine"]
    for rows, columns in ((before, ["case", "output", "version_old", "machine_old"]), (now, who)):
        there = pairs.filter(pl.col(columns[-1]).is_not_null()).select(columns).rows()
        assert sorted(there) == sorted(tuple(r[c] for c in who) for r in rows)
    counts = found.counts()
    assert sum(counts.values()) == pairs.height
    for change in Change:
        assert found.groups(change)["count"].sum() == counts[change]
    assert sum(t.count for t in found.transitions()) == pairs.height - sum(counts[c] for c in APART)
    json.dumps(data.comparison(found.told()), allow_nan=False)


@given(VERDICTS)
def test_a_run_is_the_same_as_itself(rows: list[dict[str, Any]]) -> None:
    assert compare(_run(*rows), _run(*rows)).counts()[Change.SAME] == len(rows)


# --- what is told ----------------------------------------------------------------------------------------


def test_groups_name_the_worst_and_the_clause_that_was_broken() -> None:
    old = _run(
        *(_verdict(case=c, **FAR | {"ulps": u, "clause": "2.2"}) for c, u in (("a", 90.0), ("b", 900.0)))
    )
    new = _run(*(_verdict(case=c) for c in "ab"))
    (group,) = compare(old, new).told().groups[Change.FIXED].listed
    assert (group.clause, group.count, group.case) == ("2.2", 2, "b")
    assert group.before and group.before.answer.ulps == 900.0
    assert group.now and group.now.status is Status.CONFORMS


def test_a_missing_verdict_has_no_now() -> None:
    told = compare(_run(_verdict(), _verdict(case="b")), _run(_verdict())).told()
    (group,) = told.groups[Change.MISSING].listed
    assert group.now is None and group.clause == "1.1" and group.dtypes == ("float32",)


def test_lists_are_bounded_and_totals_exact() -> None:
    rows = [_verdict(implementation=f"i{i}") for i in range(GROUPS + 20)]
    told = compare(_run(*rows), _run(*(r | NAN for r in rows))).told()
    regressed = told.groups[Change.REGRESSED]
    assert len(regressed.listed) == GROUPS
    assert regressed.total == regressed.pairs == GROUPS + 20
    assert set(told.groups) == set(LISTED) == set(Change) - {Change.SAME}


def test_controls_are_left_out() -> None:
    run = _run(_verdict(), _verdict(case="b", formulation="naive"))
    assert called(run).verdicts["case"].to_list() == ["case"]


# --- the command -----------------------------------------------------------------------------------------


def test_the_command(make: Make) -> None:
    old, new = make("Exact", *TWO_CLASSES), make("AlwaysNan", *TWO_CLASSES)
    done = conformance("compare", old, new, "--json", "c.json", status=0)
    text = done.stdout
    order = [
        "80 pairs: 80 regressed",
        "environment",
        "flavour",
        "verdicts before",
        "regressed: 80 (",
        "24 × ",
    ]
    places = [text.index(words) for words in order]
    assert places == sorted(places)
    view = json.loads(Path("c.json").read_text("utf-8"))
    assert view["transitions"] == [{"before": "conforms", "now": "breaks_must", "count": 80}]
    assert view["old"]["tested"] == ["fake 1.0"] and view["counts"]["regressed"] == 80


def test_the_command_never_nets(make: Make, tmp_path: Path) -> None:
    def half(first: Path, second: Path, where: str) -> Path:
        rest = read_run(second).verdicts.slice(40)
        return changed(
            first, tmp_path / where, lambda r: Run(pl.concat([r.verdicts.head(40), rest]), r.headers)
        )

    exact, nan = make("Exact", *TWO_CLASSES), make("AlwaysNan", *TWO_CLASSES)
    text = conformance("compare", half(exact, nan, "o"), half(nan, exact, "n"), status=0).stdout
    assert "40 regressed" in text and "40 fixed" in text
    assert text.index("\nregressed: 40") < text.index("\nfixed: 40")


def test_two_runs_that_agree(make: Make) -> None:
    run = make("Exact", *TWO_CLASSES)
    text = conformance("compare", run, run, status=0).stdout
    assert "80 pairs: 80 same" in text and "environment: the same" in text and "regressed" not in text


def test_the_page_is_made_of_what_is_told(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    page = types.ModuleType("xent_conformance.reports.html.comparison")
    page.render_comparison = lambda told: f"<p>{told.counts['regressed']}</p>"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "xent_conformance.reports.html.comparison", page)
    old, new = make("Exact", *TWO_CLASSES), make("AlwaysNan", *TWO_CLASSES)
    assert "wrote c.html" in conformance("compare", old, new, "--html", "c.html", status=0).stdout
    assert Path("c.html").read_text() == "<p>80</p>"


def test_nothing_is_written_over_a_run(make: Make) -> None:
    run = make("Exact", *TWO_CLASSES)
    before = run.read_bytes()
    conformance("compare", run, run, "--json", run, status=2)
    assert run.read_bytes() == before
