"""The size that a page may have: what is shown in full gives way, worst last, and the page says so."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass

from xent_conformance.reports.text.numbers import count

LIMIT = 2_000_000
"""Bytes. A larger page is slow to open, to search and to send."""


@dataclass(frozen=True)
class Budget:
    """How many findings open, worst first; ``over``: the page is too large with none of them open."""

    limit: int
    findings: int
    opened: int
    over: bool = False

    @property
    def cut(self) -> int:
        """Findings that keep their line and do not open."""
        return self.findings - self.opened

    @property
    def limit_text(self) -> str:
        return f"{self.limit / 1_000_000:g} MB"

    @property
    def opened_text(self) -> str:
        return count(self.opened)

    @property
    def cut_text(self) -> str:
        return count(self.cut)


def fitted(page: Callable[[Budget], str], findings: int, limit: int) -> str:
    """The page with as many of its ``findings`` open as its size allows: all of them, if it can be.

    A page that is too large with none of them open is given too, and says that it is.
    """

    def opening(number: int) -> str:
        return page(Budget(limit, findings, number))

    whole = opening(findings)
    if _bytes(whole) <= limit:
        return whole
    fit = bisect_right(range(findings), limit, key=lambda number: _bytes(opening(number))) - 1
    return opening(fit) if fit >= 0 else page(Budget(limit, findings, opened=0, over=True))


def _bytes(page: str) -> int:
    return len(page.encode())
