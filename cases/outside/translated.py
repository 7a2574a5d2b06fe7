"""What a reader of another project's test data gives: a document of ours, and what cannot be put into it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xent_conformance.cases.outside.numbers import bits, told
from xent_conformance.cases.outside.schema import SCHEMA

READABLE = 64
"""So many numbers are written as numbers, more of them as bits."""


class Inexpressible(Exception):
    """A test that no case can say; the message says why."""


@dataclass(frozen=True)
class Translation:
    """``document`` is what a file of cases holds; ``refused`` maps each test that is none to its reason."""

    document: Mapping[str, Any]
    refused: Mapping[str, str]


def translation(
    name: str, source: str, cases: Iterable[Mapping[str, Any]], refused: Mapping[str, str], **more: str
) -> Translation:
    """The cases as a document of the schema that :mod:`.schema` reads."""
    return Translation(
        {"schema": SCHEMA, "name": path_safe(name), "source": source, **more, "cases": list(cases)},
        dict(refused),
    )


def printed(document: Mapping[str, Any]) -> str:
    """A document as text: what is said of all of it, then one case a line."""
    head = [_field(key, value) for key, value in document.items() if key != "cases"]
    cases = [json.dumps(case, ensure_ascii=False, separators=(",", ":")) for case in document["cases"]]
    return "{\n" + ",\n".join(head) + ',\n"cases": [\n' + ",\n".join(cases) + "\n]\n}\n"


def _field(key: str, value: Any) -> str:
    return f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}"


def path_safe(name: str) -> str:
    """A name that can be part of an id."""
    return re.sub(r"[^A-Za-z0-9_.+=-]+", "_", name).strip("_.-")[:80].rstrip("_") or "cases"


def written(array: NDArray[Any]) -> Any:
    """Numbers as a document holds them: to be read where they are few, else their bits."""
    if array.size > READABLE:
        return bits(array.astype(np.int64) if array.dtype.kind in "iu" else array)
    return array.tolist() if array.dtype.kind in "iu" else told(array.astype(np.float64))
