"""The clause of anybody's row: the table of docs/CASES.md, and what families of the corpus say of theirs."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from tests.support.outside import batch_of
from tests.support.paths import ROOT
from xent_conformance.cases.corpus import batches
from xent_conformance.cases.outside.charge import charge
from xent_conformance.reference.clauses import clauses

SPARSE, DENSE = "sparse_softmax_cross_entropy", "softmax_cross_entropy"
BINARY, DIVERGENCE, LIKELIHOOD = "sigmoid_cross_entropy", "kl_divergence", "negative_log_likelihood"
GIVEN_BINARY, SHARES = "binary_cross_entropy", "categorical_cross_entropy"
UNSUMMED = {"grad_logits": "6.16", "grad_labels": "6.16"}
NAN, INF, GONE = "nan", "inf", "-inf"
EXCLUDED = {"grad_logits": "4.5", "grad_labels": "4.5"}
OPEN = {"grad_logits": "5.1", "grad_labels": "5.1"}

ROWS: list[tuple[str, dict[str, Any], str, dict[str, str]]] = [
    ("plain", {}, "1.1", {}),
    ("no class", {"logits": [[]]}, "2.8", {}),
    ("one class", {"logits": [[3]]}, "2.4", {}),
    ("one element", {"operator": "sigmoid", "logits": [[3]]}, "1.1", {}),
    ("NaN", {"logits": [[NAN, INF, GONE]]}, "3.2", {}),
    ("every class excluded", {"logits": [[GONE, GONE]]}, "4.4", {}),
    ("plus infinity", {"logits": [[INF, 1]]}, "5.1", OPEN),
    ("plus infinity, summed", {"operator": "logsumexp", "logits": [[INF, 1]]}, "5.3", OPEN),
    ("excluded", {"logits": [[GONE, 1]]}, "4.1", {}),
    ("ignored", {"operator": SPARSE, "labels": [1], "logits": [[NAN, 1]],
                 "attributes": {"ignore_index": 1}}, "6.8", {}),
    ("out of range", {"operator": SPARSE, "labels": [3]}, "6.4", {}),
    ("negative", {"operator": SPARSE, "labels": [-1]}, "6.4", {}),
    ("out of range, and NaN", {"operator": SPARSE, "labels": [2], "logits": [[NAN, 1]]}, "6.4", {}),
    ("masked label", {"operator": SPARSE, "labels": [0], "logits": [[GONE, 1]]}, "4.3", EXCLUDED),
    ("masked other", {"operator": SPARSE, "labels": [1], "logits": [[GONE, 1]]}, "4.1", {}),
    ("masked and smoothed", {"operator": SPARSE, "labels": [1], "logits": [[GONE, 1]],
                             "attributes": {"label_smoothing": 0.1}}, "4.3", EXCLUDED),
    ("masked and weightless", {"operator": SPARSE, "labels": [0], "logits": [[GONE, 1]],
                               "attributes": {"weight": [0, 1]}}, "4.1", {}),
    ("dense, masked", {"operator": DENSE, "labels": [[0, 1]], "logits": [[GONE, 1]]},
     "4.2", {"grad_labels": "4.5"}),
    ("dense, mass", {"operator": DENSE, "labels": [[0.5, 0.5]], "logits": [[GONE, 1]]}, "4.3", EXCLUDED),
    ("dense, negative mass", {"operator": DENSE, "labels": [[-1, 1]], "logits": [[GONE, 1]]}, "4.5", {}),
    ("dense, NaN", {"operator": DENSE, "labels": [[NAN, 1]], "logits": [[2, 1]]},
     "3.2", {"grad_logits": "6.2", "grad_labels": "1.1"}),
    ("off the simplex", {"operator": DENSE, "labels": [[1, 1]], "logits": [[2, 1]]},
     "6.1", {"grad_logits": "6.2"}),
    ("smoothed", {"operator": DENSE, "labels": [[1, 0]], "logits": [[2, 1]],
                  "attributes": {"label_smoothing": 0.5, "weight": [1, 2]}}, "6.7", {}),
    ("weighted", {"operator": DENSE, "labels": [[1, 0]], "logits": [[2, 1]],
                  "attributes": {"weight": [1, 2]}}, "6.6", {}),
    ("kept", {"operator": SPARSE, "labels": [1], "attributes": {"ignore_index": 0}}, "6.8", {}),
    ("positive weights", {"operator": BINARY, "labels": [[1, 0]], "logits": [[2, 1]],
                          "attributes": {"pos_weight": [1, 2]}}, "6.9", {}),
    ("limits", {"operator": "log_sigmoid", "logits": [[INF, 1]]}, "5.2", {}),
    ("limits, weighted", {"operator": BINARY, "labels": [[1, 0]], "logits": [[INF, 1]],
                          "attributes": {"weight": [1, 2]}}, "5.2", {"grad_labels": "4.5"}),
    ("label of 2", {"operator": BINARY, "labels": [[2, 0]], "logits": [[2, 1]]},
     "6.1", {"grad_logits": "6.2"}),
    ("the end of the domain", {"operator": "logit", "logits": [[0.5, 1]]}, "5.4", {}),
    ("the domain", {"operator": "logit", "logits": [[0.5, 0.25]]}, "1.1", {}),
    ("a probability", {"operator": GIVEN_BINARY, "labels": [[1, 0.5]], "logits": [[0.5, 0.25]]}, "1.1", {}),
    ("a probability of 0 that is right", {"operator": GIVEN_BINARY, "labels": [[0, 1]],
                                          "logits": [[0, 1]]}, "5.6", {"grad_labels": "4.5"}),
    ("a probability of 1 that is wrong", {"operator": GIVEN_BINARY, "labels": [[0, 1]],
                                          "logits": [[1, 0.5]]}, "5.6", EXCLUDED),
    ("a probability of 0, smoothed", {"operator": GIVEN_BINARY, "labels": [[0]], "logits": [[0]],
                                      "attributes": {"label_smoothing": 0.5}}, "5.6", EXCLUDED),
    ("next to 0", {"operator": GIVEN_BINARY, "labels": [[0]], "logits": [[2.0**-30]]}, "5.7", {}),
    ("a probability that is NaN", {"operator": GIVEN_BINARY, "labels": [[0]], "logits": [[NAN]]}, "5.8", {}),
    ("a label that is none", {"operator": GIVEN_BINARY, "labels": [[2]], "logits": [[0.5]]}, "5.8", {}),
    ("no probability", {"operator": GIVEN_BINARY, "labels": [[1]], "logits": [[2]]}, "5.9", EXCLUDED),
    ("a distribution", {"operator": SHARES, "labels": [[1, 0]], "logits": [[0.5, 0.5]]}, "1.1", {}),
    ("a class without a share", {"operator": SHARES, "labels": [[1, 0]], "logits": [[1, 0]]},
     "5.6", {"grad_labels": "4.5"}),
    ("a label without a share", {"operator": SHARES, "labels": [[0, 1]], "logits": [[1, 0]]},
     "5.6", EXCLUDED),
    ("nearly no share", {"operator": SHARES, "labels": [[0, 1]], "logits": [[1, 2.0**-30]]}, "5.7", {}),
    ("a share that is NaN", {"operator": SHARES, "labels": [[0, 1]], "logits": [[1, NAN]]}, "5.8", UNSUMMED),
    ("another share that is NaN", {"operator": SHARES, "labels": [[1, 0]], "logits": [[1, NAN]]},
     "6.16", UNSUMMED),
    ("shares of two", {"operator": SHARES, "labels": [[1, 0]], "logits": [[1, 1]]}, "6.16", UNSUMMED),
    ("a share below zero", {"operator": SHARES, "labels": [[1, 0]], "logits": [[1, -1]]}, "5.9", EXCLUDED),
    ("labels of two", {"operator": SHARES, "labels": [[1, 1]], "logits": [[0.5, 0.5]]}, "6.1", {}),
    ("a share by an index", {"operator": "sparse_categorical_cross_entropy", "labels": [1],
                             "logits": [[1, 0]]}, "5.6", EXCLUDED),
    ("index, masked other", {"operator": LIKELIHOOD, "labels": [1], "logits": [[GONE, -1]]}, "4.1", {}),
    ("index, masked", {"operator": LIKELIHOOD, "labels": [0], "logits": [[GONE, -1]]}, "4.3", EXCLUDED),
    ("index, masked other, smoothed", {"operator": LIKELIHOOD, "labels": [1], "logits": [[GONE, -1]],
                                       "attributes": {"label_smoothing": 0.5}}, "4.3", EXCLUDED),
    ("index, NaN", {"operator": LIKELIHOOD, "labels": [0], "logits": [[NAN, -1]]}, "3.2", {}),
    ("index, ignored", {"operator": LIKELIHOOD, "labels": [1], "logits": [[NAN, -1]],
                        "attributes": {"ignore_index": 1}}, "6.8", {}),
    ("index, out of range", {"operator": LIKELIHOOD, "labels": [2], "logits": [[NAN, -1]]}, "6.4", {}),
    ("index, plus infinity", {"operator": LIKELIHOOD, "labels": [0], "logits": [[INF, -1]]}, "5.1", EXCLUDED),
    ("target", {"operator": DIVERGENCE, "labels": [[0.5, 0.5]], "logits": [[-2, -1]]}, "1.1", {}),
    ("target of zero", {"operator": DIVERGENCE, "labels": [[0, 1]], "logits": [[-2, -1]]},
     "4.7", {"grad_labels": "4.5"}),
    ("target of zero, smoothed", {"operator": DIVERGENCE, "labels": [[0, 1]], "logits": [[-2, -1]],
                                  "attributes": {"label_smoothing": 0.5}}, "6.7", {}),
    ("target, masked", {"operator": DIVERGENCE, "labels": [[0, 1]], "logits": [[GONE, -1]]},
     "4.2", {"grad_labels": "4.5"}),
    ("target, mass", {"operator": DIVERGENCE, "labels": [[0.5, 0.5]], "logits": [[GONE, -1]]},
     "4.3", EXCLUDED),
    ("target below zero", {"operator": DIVERGENCE, "labels": [[-1, 1]], "logits": [[-2, -1]]},
     "4.5", EXCLUDED),
    ("target, plus infinity", {"operator": DIVERGENCE, "labels": [[0.5, 0.5]], "logits": [[INF, -1]]},
     "5.1", EXCLUDED),
    ("target, NaN", {"operator": DIVERGENCE, "labels": [[NAN, 1]], "logits": [[-2, -1]]}, "3.2", {}),
    ("target off the simplex", {"operator": DIVERGENCE, "labels": [[1, 1]], "logits": [[-2, -1]]}, "6.1", {}),
    ("no example", {"logits": {"bits": "", "shape": [0, 3]}}, "2.7", {}),
    ("summed", {"operator": SPARSE, "labels": [1], "attributes": {"reduction": "sum"}}, "6.10", {}),
    ("mean of nothing", {"operator": SPARSE, "labels": [1], "attributes": {"reduction": "mean",
                         "ignore_index": 1}}, "6.11", {}),
    ("mean of no weight", {"operator": SPARSE, "labels": [0], "attributes": {"reduction": "mean",
                           "weight": [0, 1, 1]}}, "6.11", {}),
    ("mean of weighted dense", {"operator": DENSE, "labels": [[1, 0, 0]], "attributes": {
        "reduction": "mean", "weight": [1, 1, 1]}}, "6.12", {}),
    ("summed, with NaN", {"operator": SPARSE, "labels": [1, 0], "logits": [[NAN, 1], [1, 2]],
                          "attributes": {"reduction": "sum"}}, "3.2", {}),
    ("summed, with NaN and nothing", {"operator": SPARSE, "labels": [1, 0],
                                      "logits": [[NAN, 1], [GONE, GONE]],
                                      "attributes": {"reduction": "sum"}}, "4.4", {}),
    ("summed, with NaN and an error", {"operator": SPARSE, "labels": [1, 2],
                                       "logits": [[NAN, 1], [1, 2]],
                                       "attributes": {"reduction": "sum"}}, "6.4", {}),
    ("summed, with one ignored", {"operator": SPARSE, "labels": [1, 0], "logits": [[NAN, 1], [1, 2]],
                                  "attributes": {"reduction": "sum", "ignore_index": 1}}, "6.10", {}),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "clause", "others"), [r[1:] for r in ROWS], ids=[r[0] for r in ROWS])
def test_the_table(changes: dict[str, Any], clause: str, others: dict[str, str]) -> None:
    (first, *_) = batch_of(**changes).cases
    assert (first.clause, dict(first.clauses)) == (clause, others)


def test_every_clause_that_is_charged_is_on_the_page() -> None:
    page = (ROOT / "docs" / "CASES.md").read_text(encoding="utf-8").partition("## The clause of a row")[2]
    told = set(re.findall(r"\b\d\.\d+\b", page.partition("## ONNX")[0]))
    charged = {clause for _, _, clause, others in ROWS for clause in (clause, *others.values())}
    assert told == charged and told <= set(clauses())


def test_a_files_own_clause_counts() -> None:
    (case,) = batch_of(clause="7.1", logits=[["nan", 1]]).cases
    assert (case.clause, dict(case.clauses)) == ("7.1", {})


FINITE = {"1.2", "2.1", "2.2", "2.3", "2.5", "2.6", "3.1", "6.3"}
"""Clauses that a family names for rows which, by their numbers, are finite rows like any other."""


NEARLY = {("soft_labels", "tiny"), ("soft_labels", "subnormal")}
"""Labels whose sum is off by less than a rounding of one of them."""


SAME = (
    *("ordinary", "special_values", "index_range", "soft_labels", "two_classes"),
    *("attributes", "multi_label", "element_weights"),
)


@pytest.mark.parametrize("family", SAME)
def test_the_families_say_the_same_of_their_rows(family: str) -> None:
    """Of every row, and of every output of it."""
    seen = 0
    for b in batches("quick", families_=[family], dtypes=["float32"]):
        i = b.inputs
        for case in b.cases:
            found = charge(i.definition, i.format, i.logits[case.row], i.labels[case.row], i.attributes)
            for output in i.outputs:
                said, ours = case.clause_of(output), found.clauses.get(output, found.clause)
                if (family, case.variant) in NEARLY and said in ("6.1", "6.2"):
                    said = "1.1"
                assert ours == ("1.1" if said in FINITE else said), (case.id, output)
                seen += 1
    assert seen > 20


def test_labels_that_were_rounded_are_on_the_simplex() -> None:
    """A softmax in binary16, whose elements are each half an ulp off, is a distribution."""
    p = np.exp(np.linspace(0, 3, 50))
    rounded = np.asarray((p / p.sum()).astype(np.float16), dtype=np.float64)
    assert abs(rounded.sum() - 1) > 1e-5
    row = {"operator": DENSE, "dtype": "float16", "logits": [[0.0] * 50]}
    assert batch_of(**row, labels=[rounded.tolist()]).cases[0].clause == "1.1"
    rounded[0] = 0.25
    assert batch_of(**row, labels=[rounded.tolist()], ).cases[0].clause == "6.1"  # fmt: skip
