"""What a family of cases is, and the profiles that ask it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from cases.case import Ask
from cases.words import Words
from reference.formats import FORMATS, Format
from reference.operators import Operator

PROFILES = ("quick", "standard")
"""Each is a subset of the next: the same batches, more of them."""


@dataclass(frozen=True)
class Family:
    """A named group of cases.

    ``lengths(operator, profile)`` gives the row lengths that are asked (empty where the family has
    nothing for the operator); ``rows(operator, format, n, words)`` yields the rows of one batch.
    """

    name: str
    about: str
    lengths: Callable[[Operator, str], Sequence[int]]
    rows: Callable[[Operator, Format, int, Words], Iterable[Ask]]
    formats: tuple[str, ...] = tuple(FORMATS)
