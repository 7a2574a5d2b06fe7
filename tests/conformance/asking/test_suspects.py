"""Which rows an accelerator may be lost for: what is no class and no probability, where one has to be."""

from __future__ import annotations

import pytest

from tests.support.by_hand import NAN, batch
from xent_conformance.asking.suspects import suspect

LOGITS = [[0.5, 1.0], [0.25, 0.5], [0.0, 1.0]]


@pytest.mark.parametrize(
    ("operator", "logits", "labels", "found"),
    [
        ("softmax", [[NAN, 1.0], *LOGITS[1:]], None, [True, False, False]),
        ("softmax", [[8.0, -1.0], *LOGITS[1:]], None, [False] * 3),
        ("sparse_softmax_cross_entropy", LOGITS, [[2.0], [1.0], [-1.0]], [True, False, True]),
        ("sigmoid_cross_entropy", LOGITS, [[0.0, 1.0], [1.5, 0.0], [0.5, -0.5]], [False, True, True]),
        # a sum over classes takes labels as they are: no kernel asserts anything of them
        ("softmax_cross_entropy", LOGITS, [[0.0, 1.0], [1.5, 0.0], [0.5, -0.5]], [False] * 3),
        ("binary_cross_entropy", [[1.5, 0.5], *LOGITS[1:]], [[0.0, 1.0]] * 3, [True, False, False]),
    ],
    ids=["nan", "large", "index", "target", "soft_labels", "probability"],
)
def test_suspect(
    operator: str, logits: list[list[float]], labels: list[list[float]] | None, found: list[bool]
) -> None:
    given = {} if labels is None else {"labels": labels}
    assert suspect(batch(operator, logits, **given)).tolist() == found
