"""Faults written without the hypotheses are named right, and nothing correct is accused of a must."""

from __future__ import annotations

import re

import pytest

from docs.diagnosis import NOTHING
from tests.support.faults.diagnosed import causes_of, named_first, verdicts_in_quick
from tests.support.faults.right_causes import RIGHT
from tests.support.faults.seeded import FAULTS
from tests.support.faults.variants import VARIANTS
from tests.support.paths import ROOT
from xent_conformance.diagnosis.predict import HYPOTHESES
from xent_conformance.diagnosis.rules import FORM_RULES, RULES
from xent_conformance.diagnosis.weigh import SAMPLE

PAGE = (ROOT / "docs" / "DIAGNOSIS.md").read_text(encoding="utf-8")
IN_QUICK = [f.name for f in FAULTS if not f.beyond]
ROW = re.compile(
    r"^\| `([a-z_]+:\w+)`<br>.* \| (.+) \((\d+) of (\d+)\) \| (yes|no) \| (.*) \|$", re.MULTILINE
)
ROWS = {row[0]: row[1:] for row in ROW.findall(PAGE)}

ENOUGH = 120
"""So many of the faults are named right at least."""


def test_the_page_has_every_fault_that_quick_catches_and_enough_are_named_right() -> None:
    assert list(ROWS) == IN_QUICK
    right = [name for name, (_, _, _, said, _) in ROWS.items() if said == "yes"]
    assert len(right) >= ENOUGH
    assert f"{len(right)} of the {len(IN_QUICK)} faults that `quick` catches are named right." in PAGE


def test_what_the_page_calls_right_is_declared_so() -> None:
    for fault, (first, share, of, said, meant) in ROWS.items():
        first = first.replace(r"\|", "|")
        assert (said == "yes") == (first in RIGHT.get(fault, ()))
        assert 0 < int(share) <= int(of)
        assert bool(meant) == (said == "no")


def test_what_is_right_is_a_name_that_there_is() -> None:
    names = {said.name for said in (*HYPOTHESES, *RULES, *FORM_RULES)}
    assert {name for right in RIGHT.values() for name in right} <= names
    assert RIGHT.keys() <= set(IN_QUICK)


def test_the_page_counts_what_there_is() -> None:
    names = {h.name for h in HYPOTHESES}
    rules = {r.name for r in (*RULES, *FORM_RULES)}
    assert f"{len(names)} hypotheses, in {len(HYPOTHESES)} forms, and {len(rules)} rules" in PAGE
    assert f"up to {SAMPLE} conforming ones" in PAGE
    for name in (*names, *rules):
        assert _row(name) in PAGE


def _row(name: str) -> str:
    return "\n| " + name.replace("|", r"\|") + " | "


def test_no_correct_implementation_has_a_cause_of_level_must() -> None:
    section = PAGE.split("## Correct implementations")[1].split("## ")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", section, re.MULTILINE))
    assert list(rows) == [v.name for v in VARIANTS]
    for variant in VARIANTS:
        assert "(must" not in rows[variant.name]
        assert (rows[variant.name] == "nothing is broken") == (not variant.stable)


SPOT = {
    "softmax:epsilon_in_denominator": "ordinary",
    "softmax:finite_mask": "masks",
    "softmax:jvp_without_mean": "derivatives",
    "log_softmax:offset_kept": "offsets",
    "log_softmax:bias_twice": "composites",
    "logsumexp:lse_gradient_of_value": "huge_logits",
    "softmax_cross_entropy:zero_times_infinity": "special_values",
    "softmax_cross_entropy:nan_label_ignored": "soft_labels",
    "sparse_softmax_cross_entropy:weights_twice": "attributes",
    "sparse_softmax_cross_entropy:ignored_rows_counted": "attributes",
    "sparse_softmax_cross_entropy:negative_index_wraps": "index_range",
    "sigmoid:cotangent_clipped": "cotangents",
    "sigmoid_cross_entropy:positive_weight_on_both": "element_weights",
    "log_sigmoid:promoted": "ordinary",
}
"""Faults, each with a family of quick that is enough to name it: one of each room of hypotheses."""


@pytest.mark.parametrize("fault", SPOT)
def test_the_fault_is_named_right(fault: str) -> None:
    """Here and now, and as the page has it."""
    found = causes_of(verdicts_in_quick([fault], ["ordinary", SPOT[fault]]))
    assert named_first(found[fault]) in RIGHT[fault]
    assert ROWS[fault][0] in RIGHT[fault]


def test_what_most_of_is_explained_by_nothing_is_unexplained() -> None:
    found = causes_of(verdicts_in_quick(["softmax:two_classes_in_binary16"], ["two_classes"]))
    assert named_first(found["softmax:two_classes_in_binary16"]) == ""
    assert ROWS["softmax:two_classes_in_binary16"][0] == NOTHING
