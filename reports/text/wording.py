"""The words that every report shares: numbers of things, names, what was returned and what is right."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from rich.markup import escape as _escaped

from xent_conformance.reports.run.words import Grade, Row
from xent_conformance.reports.text import numbers
from xent_conformance.reports.text.numbers import NOTHING, shortest, ulps

DTYPES = {"bfloat16": "bf16", "float16": "f16", "float32": "f32", "float64": "f64"}


OUTPUTS = ("value", "grad_logits", "grad_labels", "hvp", "jvp")


def words(name: str) -> str:
    """``grad_logits`` as two words, so that a narrow column can break it."""
    return name.replace("_", " ")


def plural(number: int, noun: str, ending: str = "s") -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}{ending}"


def listed(names: Sequence[str]) -> str:
    """``a, b and c``."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def in_order(names: Sequence[str], order: Sequence[str]) -> list[str]:
    """Known names in ``order``, then the others by name."""
    return [n for n in order if n in names] + sorted(set(names) - set(order))


def answer_text(row: Row) -> str:
    """What came back, in a word: the number, or the outcome where there is none."""
    if row["outcome"] != "returned":
        return words(row["outcome"])
    return row["symptom"] if row["grade"] == "none" else shortest(row["got"], row["dtype"])


def right_text(row: Row) -> str:
    """The exact value rounded once to the format: the best answer there is."""
    return NOTHING if row["grade"] == "none" else shortest(row["rounded"], row["dtype"])


def error_text(row: Row) -> str:
    """Ulps; a dash where a wrong special value, or no number at all, leaves no distance to measure."""
    return NOTHING if row["grade"] in ("wrong_special", "none") else ulps(row["ulps"])


def dtypes_text(dtypes: Sequence[str]) -> str:
    """``bf16 f32``."""
    return " ".join(DTYPES.get(d, d) for d in in_order(dtypes, list(DTYPES)))


def inputs_of(output: str) -> tuple[str, ...]:
    """What a value or a derivative depends on, in the order of a call."""
    cotangent = () if output in ("value", "jvp") else ("cotangent",)
    return ("logits", "labels", *cotangent, *(("tangent",) if output in ("hvp", "jvp") else ()))


def classes(labels: Sequence[int]) -> str:
    """``class 3``, or the classes of a group of examples."""
    return f"class {labels[0]}" if len(labels) == 1 else f"classes {', '.join(map(str, labels))}"


CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
"""What a terminal would obey, or break a line at."""


def escape(foreign: str) -> str:
    """A framework's own words, in one line, without what a terminal would obey."""
    return _escaped(CONTROL.sub(" ", foreign))


def number(value: float) -> str:
    """Ulps for people: three digits, ``—`` where there is no number, ``>1e308`` beyond binary64."""
    if value != value:
        return "—"
    return ">1e308" if value == float("inf") else f"{value:.3g}"


def answer(row: Mapping[str, Any]) -> str:
    """What was returned and what is right, of one verdict."""
    if row["grade"] == "none":
        return escape(f"{row['outcome']}: {row['message']}")
    error = "" if row["grade"] == "wrong_special" else f", {number(row['ulps'])} ulp"
    return f"returned {row['got']!r}, right {row['rounded']!r}{error} ({row['grade']})"


def flat(text: object, limit: int = 0) -> str:
    """Foreign text on one line, without control characters; cut after ``limit`` characters, if any."""
    line = " ".join(CONTROL.sub(" ", str(text)).split()).replace("##[", "# #[")
    return line if not limit or len(line) <= limit else line[: limit - 1] + "…"


def worst(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What was got and what is right in a verdict, in decimal and in bits, and how far apart they are."""
    if row["grade"] == Grade.NONE.value:
        return [
            ("got", row["message"] if row["outcome"] == "returned" else f"{row['outcome']}: {row['message']}")
        ]
    dtype = row["dtype"]
    lines = [("got", _number(row["got"], dtype)), ("expected", _number(row["rounded"], dtype))]
    if math.isfinite(row["hi"]):
        lines.append(("exactly", numbers.exact(row["hi"], row["lo"], row["exponent"])))
    if row["grade"] != Grade.WRONG_SPECIAL.value:
        lines.append(("error", f"{numbers.ulps(row['ulps'])} ulp, {row['grade']}"))
    if row["index"]:
        lines.append(("element", str(row["index"])))
    return lines


def _number(value: float, dtype: str) -> str:
    """``-15.000001  0xc1700001``; a wider result has no bits of the format."""
    pattern = numbers.bits(value, dtype)
    return numbers.shortest(value, dtype) + (f"  {pattern}" if pattern else f"  (no {dtype})")
