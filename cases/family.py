"""What a family of cases is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from xent_conformance.cases.case import Ask
from xent_conformance.cases.words import Words
from xent_conformance.reference.formats import FORMATS, Format
from xent_conformance.reference.operators import Operator


@dataclass(frozen=True)
class Family:
    """A named group of cases.

    ``lengths(operator, profile)`` gives the row lengths that are asked (empty where the family has
    nothing for the operator); ``rows(operator, format, n, words)`` yields the rows of one batch.
    ``formats_in`` names the formats of a profile that asks fewer than all ``formats``; ``formats_at``
    those of one row length in a profile, where a framework would compile much for little.
    """

    name: str
    about: str
    lengths: Callable[[Operator, str], Sequence[int]]
    rows: Callable[[Operator, Format, int, Words], Iterable[Ask]]
    formats: tuple[str, ...] = tuple(FORMATS)
    formats_in: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    formats_at: Mapping[tuple[str, int], tuple[str, ...]] = field(default_factory=dict, hash=False)

    def formats_asked(self, profile: str, n: int) -> tuple[str, ...]:
        """The formats of rows of length ``n`` in a profile."""
        return self.formats_at.get((profile, n), self.formats_in.get(profile, self.formats))
