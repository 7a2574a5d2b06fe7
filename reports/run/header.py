"""What the header of a run file has to be like: who reads one finds every name, and no other kind of thing.

Names that a later version adds are let pass; :data:`HEADER` lists what this one reads.
"""

from __future__ import annotations

from typing import Any

from xent_conformance.reports.run.closed import DTYPES, LEVELS
from xent_conformance.reports.run.shape import (
    Check,
    Misshapen,
    both,
    count,
    either,
    every,
    like,
    number,
    record,
    seconds,
    table,
    text,
)

texts = every(text)

_PYTHON = r"(?:[\w.,/+@:~=%-]+|'[^'\x00-\x1f]+')"
_NAME = r"(?:\w[\w.\[\]=,-]*|'\w[\w.\[\]<>=!~, -]*')"
INSTALL = like(rf"(?:{_PYTHON} -m )?pip install(?: {_NAME})+|conformance list devices", "`pip install NAME`")
"""What is shown to be typed, and is in the file: no other command can be."""

_GAP = record({"framework": text, "message": text, "install": INSTALL})

_SELECTION = record(
    {
        "profile": like("quick|standard|full", "quick, standard or full"),
        "frameworks": texts,
        "operators": texts,
        "dtypes": texts,
        "families": texts,
        "implementation": either(text, texts),  # before 0.3 one pattern
        "devices": texts,
    },
    {"plugins": texts, "cases": texts, "exclude": texts},
)

_SETTING = record({"about": text, "transfers": text, "stays": text})

_WORKER = record(
    {
        "framework": text,
        "version": text,
        "devices": texts,
        "environment": both(table(text), record({"processor": text})),
        "variant": text,
        "import_s": seconds,
        "starts": count,
    },
    {"cores": count, "missing": table(text), "older": table(text), "setting": _SETTING},
)

_EXHIBIT = record(
    {
        "dtype": like("|".join(DTYPES), "a format"),
        "n": count,
        "logits": like("(?:[0-9a-f]{2})*", "bits"),
        "labels": either(like("(?:[0-9a-f]{2})*", "bits"), every(number)),
        "cotangent": like("(?:[0-9a-f]{2})*", "bits"),
    },
    {"tangent": like("(?:[0-9a-f]{2})*", "bits"), "asked": text},
)

_SIDES = ("framework", "implementation", "mode", "device")
DISTANCE = record(
    {
        "operator": text,
        "output": text,
        "dtype": text,
        "ulps": number,
        "case": text,
        "index": count,
        **{f"{name}_{side}": text for side in "ab" for name in _SIDES},
        "got_a": number,
        "got_b": number,
    }
)

_CLAIM = record(
    {"case": text, "status": text, "clause": text, "ulps": number, "got": number, "rounded": number}
)
_CASES = record(
    {"file": text, "name": text, "digest": text, "refused": every(texts), "claims": every(_CLAIM)}
)

_CAUSE = record({}, {"hypothesis": text, "sentence": text, "source": text, "conforming": count})

HEADER: Check = record(
    {
        "suite": text,
        "selection": _SELECTION,
        "corpus": text,
        "reference": text,
        "created": like(r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)?", "a time (ISO 8601)"),
        "planned": table(count),
        "finished": table(count),
        "absent": every(_GAP),
        "not_installed": every(_GAP),
        "distances": every(DISTANCE),
        "frameworks": every(_WORKER),
        "seconds": table(seconds),
        "operators": table(text),
        "families": table(text),
        "implementations": every(record({"framework": text, "name": text, "operator": text, "note": text})),
        "clauses": table(record({"level": like("|".join(LEVELS), "a level"), "title": text, "text": text})),
        "exhibits": table(_EXHIBIT),
    },
    {
        "instrument": text,
        "notes": table(text),
        "seconds_by_mode": table(table(seconds)),
        "causes": table(_CAUSE),
        "cases": every(_CASES),
        "excluded": every(record({"framework": text, "name": text})),
        "judged_with": table(text),
        "asked_again": texts,
        "unkept": text,
        "own": text,
        "slim": text,
        "scripts": table(text),
        "rows": count,
    },
)


def check_header(header: Any) -> None:
    """Raise :class:`~.shape.Misshapen` for the first thing that no run writes into a header."""
    HEADER(header, "")
    for name, done in header["finished"].items():
        if done > header["planned"].get(name, 0):
            raise Misshapen(f"finished.{name} is {done}, of {header['planned'].get(name, 0)} planned")
