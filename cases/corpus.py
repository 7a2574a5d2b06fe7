"""The corpus: every family asked of every operator and format, in profiles.

``quick`` is a subset of ``standard``: the same batches, fewer of them. A batch does not depend on
what else was selected, so its bits and its hashes are the same in every run.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from xent_conformance.cases.case import Ask, Batch, Case
from xent_conformance.cases.families import ALL
from xent_conformance.cases.families.common import log_target, ordinary, target
from xent_conformance.cases.family import Family
from xent_conformance.cases.profile import Profile
from xent_conformance.cases.recent import recent
from xent_conformance.cases.words import Words
from xent_conformance.reference.formats import FORMATS, JUDGED, Floats, Format
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.operators import OPERATORS, Operator

LIMIT = 2**25
"""Bytes of the batches that are kept: all of ``quick``, which is looked at three times in a run."""

WORDS = 2**10
"""Bytes, about, that a case takes beside its numbers."""


@functools.cache
def families() -> dict[str, Family]:
    """All families by name."""
    return {family.name: family for family in ALL}


def batches(
    profile: str = "standard",
    *,
    operators: Iterable[str] | None = None,
    families_: Iterable[str] | None = None,
    dtypes: Iterable[str] | None = None,
) -> Iterator[Batch]:
    """The batches of a profile, in a fixed order, restricted to the named operators, families, dtypes."""
    if profile not in list(Profile):
        raise ValueError(f"unknown profile {profile!r}; there are {', '.join(Profile)}")
    for operator in OPERATORS.values():
        if operators is not None and operator.name not in set(operators):
            continue
        for family in families().values():
            if families_ is not None and family.name not in set(families_):
                continue
            for n in family.lengths(operator, profile):
                for name in family.formats_asked(profile, n):
                    if dtypes is None or name in set(dtypes):
                        yield from batches_of(operator, family, JUDGED[name], n)


def _size(made: tuple[Batch, ...]) -> int:
    """Bytes of their arrays, and about what the words of a case take."""
    return sum(b.nbytes for b in made) + WORDS * sum(len(b.inputs) for b in made)


@recent(LIMIT, _size)
def batches_of(operator: Operator, family: Family, fmt: Format, n: int) -> tuple[Batch, ...]:
    """The rows of a family, in one batch for each manner in which they are asked.

    The same bits whenever and wherever they are made.
    """
    return drawn_from(Words(f"{operator.name}/{family.name}/{fmt.name}/n{n}"), operator, family, fmt, n)


def drawn_from(words: Words, operator: Operator, family: Family, fmt: Format, n: int) -> tuple[Batch, ...]:
    """The rows of a family, drawn from that stream, as :func:`batches_of` has them."""
    apart: dict[tuple[Any, ...], list[Ask]] = {}
    for ask in family.rows(operator, fmt, n, words):
        apart.setdefault(ask.manner, []).append(ask)
    if not apart:
        raise ValueError(f"family {family.name} has no row for {operator.name} {fmt.name} n{n}")
    manners = [{ask.variant for ask in asks} for asks in apart.values()]
    if sum(map(len, manners)) != len(set().union(*manners)):
        raise ValueError(f"family {family.name}: a variant of {operator.name} is asked in two manners")
    return tuple(_batch(operator, family.name, fmt, n, words, tuple(asks)) for asks in apart.values())


def batch(operator: Operator, family: Family, fmt: Format, n: int) -> Batch:
    """The only batch of a family that asks all its rows in one manner."""
    (only,) = batches_of(operator, family, fmt, n)
    return only


def _batch(
    operator: Operator, family: str, fmt: Format, n: int, words: Words, asks: tuple[Ask, ...]
) -> Batch:
    first = asks[0]
    logits = np.stack([np.asarray(a.logits, dtype=np.float64) for a in asks])
    labels = np.stack([_labels(operator, fmt, n, a, words) for a in asks])
    scalar = operator.value_shape == "scalar" or first.attributes.grouped
    width = 1 if scalar else logits.shape[1]
    cotangent = words.cotangent(len(asks), width)
    for row, ask in enumerate(asks):
        if ask.cotangent is not None:
            cotangent[row] = ask.cotangent
        elif ask.unit_cotangent or (row == 0 and width == 1):
            cotangent[row] = 1.0
    tangent = [a.tangent for a in asks if a.tangent is not None]
    inputs = Inputs(
        operator.name,
        fmt,
        logits,
        labels,
        cotangent,
        first.attributes,
        np.stack(tangent) if tangent else np.zeros((0, 0)),
        first.copies,
        n,
        FORMATS.get(first.form.label_dtype),
    )
    return Batch(family, inputs, tuple(of_batch(ask, inputs, row) for row, ask in enumerate(asks)))


def of_batch(ask: Ask, inputs: Inputs, row: int) -> Ask:
    """An ask whose arrays are its row of the batch's: a corpus is held once."""
    return replace(
        ask,
        logits=inputs.logits[row],
        labels=None if ask.labels is None else inputs.labels[row],
        cotangent=None if ask.cotangent is None else inputs.cotangent[row],
        tangent=None if ask.tangent is None else inputs.tangent[row],
    )


def _labels(operator: Operator, fmt: Format, n: int, ask: Ask, words: Words) -> Floats:
    """The labels a family gave, or a hard label drawn for the row; of a divergence a positive target."""
    if operator.labels == "none":
        return np.zeros(0)
    if ask.labels is None and ask.attributes.grouped:
        raise ValueError(f"{operator.name} {ask.variant}: a group of examples brings its own labels")
    if ask.labels is not None:
        return np.asarray(ask.labels, dtype=np.float64)
    if operator.domain == "nonnegative":
        return ordinary(operator, fmt, n, words)
    if operator.domain == "log_distributions":
        return log_target(fmt, n, words)
    if operator.elementwise:
        return words.below(2, n).astype(np.float64)
    if operator.domain == "log_probabilities" and operator.labels == "dense":
        return target(n, words)
    y = words.below(n, 1).astype(np.float64)
    return y if operator.labels == "index" else np.asarray(np.arange(n) == y, dtype=np.float64)


@functools.cache
def smallest_profile(operator: str, family: str, fmt: str, n: int) -> str:
    """The first profile that asks these batches."""
    found, op = families()[family], OPERATORS[operator]
    for profile in Profile:
        if n in found.lengths(op, profile) and fmt in found.formats_asked(profile, n):
            return profile
    raise LookupError(f"{operator}/{family}/{fmt}/n{n} is asked by no profile")


@functools.cache
def compiled_in_quick(operator: str, family: str, fmt: str, n: int) -> bool:
    """Whether ``quick`` asks it of modes that compile every shape anew, where it is asked at once."""
    return families()[family].compiled_in_quick(OPERATORS[operator], JUDGED[fmt], n)


@functools.cache
def compiled_at_once(operator: str, family: str, fmt: str, n: int) -> bool:
    """Whether a mode that compiles every shape anew is asked these batches when the others are."""
    return families()[family].compiled(OPERATORS[operator], JUDGED[fmt], n)


def find_case(case_id: str) -> tuple[Batch, Case]:
    """The case of that id with its batch. Raises LookupError for any other id."""
    parts = case_id.split("/")
    if len(parts) == 6 and parts[0] in OPERATORS and parts[1] in families() and parts[3] in JUDGED:
        operator, family = OPERATORS[parts[0]], families()[parts[1]]
        length = parts[4].removeprefix("n")
        asked = length.isdigit() and int(length) in family.lengths(operator, Profile.FULL)
        if asked and parts[3] in family.formats:
            for found in batches_of(operator, family, JUDGED[parts[3]], int(length)):
                for case in found.cases:
                    if case.id == case_id:
                        return found, case
    raise LookupError(case_id)


@functools.cache
def digest(profile: str) -> str:
    """Hash of every id, clause and bit of a profile: golden, see ``tests/cases/test_corpus.py``."""
    return digest_of(batches(profile))


def digest_of(asked: Iterable[Batch]) -> str:
    """Hash of every id, clause and bit of some batches."""
    h = hashlib.sha256()
    for b in asked:
        for case in b.cases:
            h.update(f"{case.id} {case.hash} {case.clause} {sorted(case.clauses.items())}\n".encode())
    return h.hexdigest()
