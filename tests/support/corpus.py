"""The corpus, made once in a process for all its tests; nobody can write into the arrays.

A test of how batches are made makes them itself.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection

from xent_conformance.cases.case import Batch
from xent_conformance.cases.corpus import batches

Corpus = Callable[[str], tuple[Batch, ...]]
"""What the fixture ``corpus`` gives."""


@functools.cache
def corpus(profile: str) -> tuple[Batch, ...]:
    """All batches of a profile, in their order."""
    found = tuple(batches(profile))
    for b in found:
        for array in (b.inputs.logits, b.inputs.labels, b.inputs.cotangent, b.inputs.tangent):
            array.flags.writeable = False
    return found


def of_corpus(
    profile: str,
    *,
    operators: Collection[str] | None = None,
    families: Collection[str] | None = None,
    dtypes: Collection[str] | None = None,
) -> list[Batch]:
    """Those that name one of these operators, families and formats; None is all."""
    return [
        b
        for b in corpus(profile)
        if (operators is None or b.operator in operators)
        and (families is None or b.family in families)
        and (dtypes is None or b.inputs.format.name in dtypes)
    ]
