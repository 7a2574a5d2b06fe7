"""The profiles: how much is asked. Each is a subset of the next: the same batches, more of them."""

from __future__ import annotations

from enum import StrEnum


class Profile(StrEnum):
    """How much is asked, in the order of how much: ``QUICK < STANDARD < FULL``."""

    QUICK = "quick"
    STANDARD = "standard"
    FULL = "full"

    @property
    def rank(self) -> int:
        """How many profiles are smaller."""
        return list(Profile).index(self)

    def later(self, steps: int) -> Profile | None:
        """The profile so many steps larger; None where there is none."""
        larger = list(Profile)[self.rank + steps :]
        return larger[0] if larger else None

    # a string would compare by its letters

    def __lt__(self, other: str) -> bool:
        return self.rank < Profile(other).rank

    def __le__(self, other: str) -> bool:
        return self.rank <= Profile(other).rank

    def __gt__(self, other: str) -> bool:
        return self.rank > Profile(other).rank

    def __ge__(self, other: str) -> bool:
        return self.rank >= Profile(other).rank
