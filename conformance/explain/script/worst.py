"""Which of the verdicts on a case a script shows: the worst."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from xent_conformance.discovery.names import check_name
from xent_conformance.explain.wanted import Refused
from xent_conformance.reports.run.words import GRADES, Row, Status

HEAVY = (Status.BREAKS_MUST, Status.BREAKS_SHOULD, Status.CONFORMS)
"""What a script can show, the heaviest first."""


def worst_of(every: Sequence[Row], name: str, output: str = "") -> Row:
    """The heaviest of these verdicts on the implementation ``name``, on that output if one is named.

    Raises :class:`Refused` where a script can show none of them.
    """
    output = output and check_name("output", output, dict.fromkeys(r["output"] for r in every))
    mine = [r for r in every if output in ("", r["output"])]
    rows = [r for r in mine if r["status"] in HEAVY]
    if not rows:
        said = mine[0]
        words = f": {said['message']}" if said["message"] else ""
        raise Refused(f"{name} is {said['status']} here by clause {said['clause']}{words}")
    return heaviest(rows)


def heaviest(rows: Iterable[Row]) -> Row:
    """The worst of some verdicts that a script can show."""
    return min(rows, key=_weight)


def _weight(row: Row) -> tuple[int, int, float]:
    """The heaviest first."""
    ulps = row["ulps"]
    return HEAVY.index(row["status"]), -GRADES.index(row["grade"]), -ulps if ulps == ulps else 0.0
