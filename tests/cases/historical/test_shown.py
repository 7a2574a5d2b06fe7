"""A claim is what a fault shows: the defect of every covered report is rebuilt, and its cases catch it.

What no fault can show claims nothing: it is recorded and not judged, or has no case and says why.
"""

from __future__ import annotations

from collections import Counter

import pytest

from tests.support.faults.reported import REPORTED
from tests.support.faults.seeded import FAULTS
from tests.support.historical.asking import by_id
from tests.support.historical.showing import FORMULAS, SEEDED, caught, matching, of_pattern
from tests.support.paths import ROOT
from xent_conformance.cases.families.historical import KINDS, Entry, entries
from xent_conformance.reference.clauses import Level, clause

TRAP = KINDS[-1]

WITHIN_BOUNDS = {"tt-metal#12847"}
"""Recorded although its clause is judged: what the report prints is within the bounds."""

REFUSED = {
    "chainer#2034",
    "pytorch#12576",
    "pytorch#30572",
    "tensorflow#2351",
    "tensorflow#6590",
    "tensorflow#9368",
}
"""What was refused whatever the numbers: charged as 1.7."""

UNSEEN = {"marin#8217": "sparse_softmax_cross_entropy:gradient_of_unrounded_logits"}
"""A defect that the bounds allow, rebuilt all the same: why the report has no case."""

CLAIMED = [e for e in entries() if e.patterns]


@pytest.mark.parametrize("entry", CLAIMED, ids=lambda e: e.id)
def test_the_defect_of_a_report_is_caught_by_what_covers_it(entry: Entry) -> None:
    """By every pattern that the page names, unless it is a trap; and no fault is named for nothing."""
    assert entry.shown_by
    found = {(p, name): caught(name, p) for p in entry.patterns for name in entry.shown_by}
    for pattern in entry.patterns:
        assert entry.kind == TRAP or any(found[pattern, name] for name in entry.shown_by), pattern
    for name in entry.shown_by:
        assert any(found[pattern, name] for pattern in entry.patterns), name


@pytest.mark.parametrize("issue", sorted(REFUSED))
def test_what_was_refused_is_charged_as_offered_and_not_answered(issue: str) -> None:
    entry = by_id(issue)
    for pattern in entry.patterns:
        assert {"1.7"} in [caught(name, pattern) for name in entry.shown_by], pattern


@pytest.mark.parametrize("entry", [e for e in entries() if e.recorded], ids=lambda e: e.id)
def test_what_is_recorded_is_not_judged(entry: Entry) -> None:
    """Every clause of every output that such a case asks is open."""
    for pattern in entry.recorded:
        cases = [
            (b, case) for b in of_pattern(pattern) for case in b.cases if case.id in matching(b, pattern)
        ]
        levels = {clause(case.clause_of(o)).level for b, case in cases for o in b.inputs.outputs}
        assert cases
        assert (levels == {Level.OPEN}) is (entry.id not in WITHIN_BOUNDS), pattern


def test_the_counts_of_the_page() -> None:
    claimed = Counter("rows" if e.rows else "cases" for e in CLAIMED)
    recorded = sum(bool(e.recorded) and not e.patterns for e in entries())
    without = sum(bool(e.why_not) for e in entries())
    assert (claimed, recorded, without) == ({"cases": 48, "rows": 58}, 9, 23)
    assert len(CLAIMED) + recorded + without == len(entries())
    page = (ROOT / "docs" / "EVIDENCE.md").read_text(encoding="utf-8")
    assert f"which fault shows that it does ({len(CLAIMED)})" in page
    assert f"recorded and not judged ({recorded})" in page
    assert f"have no case ({without})" in page


# --- the faults -------------------------------------------------------------------------------------


def test_every_name_is_a_fault_and_every_fault_of_a_report_is_named() -> None:
    named = {name for e in entries() for name in e.shown_by}
    assert named <= {*SEEDED, *FORMULAS}
    assert {f.name for f in REPORTED} - named == set(UNSEEN.values())
    assert all(by_id(issue).why_not for issue in UNSEEN)
    assert len(SEEDED) == len(FAULTS) + len(REPORTED)


def test_a_fault_that_is_not_the_defect_shows_nothing() -> None:
    """The check can fail: strides are not seen where memory is contiguous, nor another variant's formula."""
    assert caught("softmax:strides_ignored", "softmax/layouts/transposed/*")
    assert not caught("softmax:strides_ignored", "softmax/ordinary/*")
    assert not caught("softmax:strides_ignored", "log_softmax/layouts/transposed/*")
    assert not caught("pytorch-2298:sigmoid_cross_entropy:grad_logits", "sigmoid_cross_entropy/multi_label/*")


@pytest.mark.parametrize(
    ("fault", "pattern"),
    [
        ("logsumexp:second_axis_of_images", "logsumexp/shapes/four_axes_last/float32/n7/*"),
        ("sigmoid:wrong_table_entry", "sigmoid/every_half/all/float16/*"),
        (
            "sparse_softmax_cross_entropy:mean_of_means",
            "sparse_softmax_cross_entropy/many_rows/mean_of_257/float32/*",
        ),
    ],
)
def test_what_quick_did_not_see_behind_names_that_take_little(fault: str, pattern: str) -> None:
    """These were seen by others' tests alone (docs/PEERS.md): no attribute, no memory but the usual."""
    assert caught(fault, pattern)


def test_a_pattern_that_accuses_what_is_right_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a fault in the place of the correct implementation."""
    monkeypatch.setattr("tests.support.historical.showing.RIGHT", "softmax:no_shift")
    with pytest.raises(AssertionError, match=r"softmax/huge_logits/\* accuses what is right"):
        caught("softmax:global_shift", "softmax/huge_logits/*")


def test_rounding_the_logits_once_more_is_within_the_bounds() -> None:
    pattern = "sparse_softmax_cross_entropy/vocabularies/spread/bfloat16/n128256/*"
    assert not caught(UNSEEN["marin#8217"], pattern)
    assert caught("sparse_softmax_cross_entropy:index_through_float", pattern)
