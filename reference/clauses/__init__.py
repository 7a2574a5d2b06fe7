"""The numbered clauses, read from SPEC.md itself: the text is normative, so it is the source.

A clause is a heading of the form ``#### 1.1 (must) Stable accuracy`` followed by its sentences, and perhaps
by lines that begin with ``>``: they are no rule, but what is said beside a finding.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

SPEC = Path(__file__).with_name("SPEC.md")

STABLE = "1.1"
"""The clause of a number beyond the stable bound, wherever it stands."""

_HEADING = re.compile(
    r"^#### (?P<id>\d+\.\d+) \((?P<level>must|should|open)(?P<error>, or an error)?\) (?P<title>.+)$",
    re.MULTILINE,
)


class Level(StrEnum):
    """How much a clause weighs: ``must`` stops a gate, ``should`` is a finding, ``open`` is not judged."""

    MUST = "must"
    SHOULD = "should"
    OPEN = "open"


@dataclass(frozen=True)
class Clause:
    """A numbered rule of SPEC.md; ``or_an_error`` where raising obeys it too, ``note`` beside a finding."""

    id: str
    level: Level
    title: str
    text: str
    or_an_error: bool = False
    note: str = ""


@functools.cache
def clauses() -> dict[str, Clause]:
    """All clauses of SPEC.md by number, in its order."""
    text = SPEC.read_text(encoding="utf-8")
    found: dict[str, Clause] = {}
    matches = list(_HEADING.finditer(text))
    for match in matches:
        end = text.find("\n#", match.end())
        lines = text[match.end() : end if end > 0 else None].splitlines()
        body, note = (
            _joined(line for line in lines if line.startswith(">") is said) for said in (False, True)
        )
        if match["id"] in found:
            raise ValueError(f"SPEC.md numbers two clauses {match['id']}")
        level, error = Level(match["level"]), match["error"] is not None
        found[match["id"]] = Clause(match["id"], level, match["title"], body, error, note)
    return found


def _joined(lines: Iterable[str]) -> str:
    """As one line, without the marks of a note."""
    return " ".join(" ".join(line.removeprefix(">") for line in lines).split())


def clause(number: str) -> Clause:
    """The clause of that number. Raises KeyError naming SPEC.md for an unknown one."""
    try:
        return clauses()[number]
    except KeyError:
        raise KeyError(f"SPEC.md has no clause {number}; it has {', '.join(clauses())}") from None
