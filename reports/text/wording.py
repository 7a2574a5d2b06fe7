"""The words that every report shares: what was returned, what is right, how far apart; names, and how many.

Text stays as it is here. Each renderer escapes what is foreign, once, where it writes it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from xent_conformance.reports.run.words import Grade, Outcome, Row, Symptom
from xent_conformance.reports.text import numbers
from xent_conformance.reports.text.numbers import shortest, ulps

DTYPES = {"bfloat16": "bf16", "float16": "f16", "float32": "f32", "float64": "f64"} | {
    "float8_e4m3fn": "f8 e4m3fn",
    "float8_e5m2": "f8 e5m2",
}
"""Formats in their order, and their short names."""

OUTPUTS_IN_WORDS = {
    "value": "the value",
    "grad_logits": "the gradient in the logits",
    "grad_labels": "the gradient in the labels",
    "grad_hidden": "the gradient in the hidden states",
    "grad_weight": "the gradient in the layer's weights",
    "grad_bias": "the gradient in the layer's bias",
    "jvp": "the derivative along a tangent (jvp)",
    "hvp": "the second derivative along a tangent (hvp)",
}
"""As a maintainer calls them."""

# --- what was returned, what is right, and how far apart they are ---

LEFT_OUT = "a number that was left out"
"""What was returned, where the file was made small."""


@dataclass(frozen=True)
class Answer:
    """One answer to one row, beside the truth; numbers are written as short as their format allows.

    ``returned``: the number, or in words what happened instead; ``right``: the exact value rounded once to
    the format, empty where no number came back, or where a slim file has left it out; ``error``: in ulps,
    empty where there is no distance to measure. ``ulps`` is the same for programs: None where it is no finite
    number.
    """

    returned: str
    right: str
    error: str
    grade: str
    outcome: str
    message: str
    ulps: float | None
    share: str = ""
    """The error over the stable bound, where it is larger than the number itself: ulps mean nothing there."""

    @classmethod
    def of(cls, row: Row, side: str = "") -> Answer:
        """The answer in a verdict; of a pair of verdicts, that of the ``side`` (``"_old"``)."""
        outcome, grade, error = (row[f"{column}{side}"] for column in ("outcome", "grade", "ulps"))
        number = grade != Grade.NONE
        measured = number and grade != Grade.WRONG_SPECIAL
        fault, got, rounded = (row[f"{column}{side}"] for column in ("symptom", "got", "rounded"))
        if number:
            returned = LEFT_OUT if got is None else shortest(got, row["dtype"])
        else:
            returned = words(outcome if outcome != Outcome.RETURNED or fault == Symptom.NONE else fault)
        return cls(
            returned=returned,
            right=shortest(rounded, row["dtype"]) if number and rounded is not None else "",
            error=ulps(error) if measured else "",
            grade=grade,
            outcome=outcome,
            message=row[f"message{side}"],
            ulps=error if math.isfinite(error) else None,
            share=_share(row["dtype"], error, row[f"ratio{side}"]) if measured else "",
        )

    @property
    def distance(self) -> str:
        """``2,000 ulp``; of an error larger than the number, its share of the bound; empty for none."""
        return self.share or (f"{self.error} ulp" if self.error else "")

    @property
    def sentence(self) -> str:
        """``returned 0.25, right 0.1, 2,000 ulp``, or what happened instead."""
        if not self.right:
            return self.returned
        return joined(", ", [f"returned {self.returned}", f"right {self.right}", self.distance])

    @property
    def graded(self) -> str:
        """The sentence with the grade, or with what the framework said."""
        return f"{self.sentence} ({words(self.grade)})" if self.right else self.with_message(self.message)

    def with_message(self, message: str) -> str:
        """The sentence; where no number came back, with the words for it."""
        return self.sentence if self.right else joined(": ", [self.sentence, message])

    @property
    def for_programs(self) -> str:
        """The number as text, or the outcome by its name."""
        return self.returned if self.right else self.outcome


def worst(row: Row) -> list[tuple[str, str]]:
    """What a verdict got and what is right, in decimal and in bits, and how far apart: a name a line."""
    answer = Answer.of(row)
    if not answer.right:
        return [("got", answer.graded)]
    lines = [("got", _with_bits(row, "got")), ("expected", _with_bits(row, "rounded"))]
    if math.isfinite(row["hi"]):
        lines.append(("exactly", numbers.exact(row["hi"], row["lo"], row["exponent"])))
    if answer.distance:
        lines.append(("error", f"{answer.distance}, {words(answer.grade)}"))
    if row["index"]:
        lines.append(("element", str(row["index"])))
    return lines


def _share(dtype: str, error: float, ratio: float | None) -> str:
    """Empty where the error is smaller than the number, where the bound is zero, or it was left out."""
    larger = error > 2.0 ** numbers.LAYOUTS[dtype].precision
    return numbers.share(ratio) if larger and ratio is not None and math.isfinite(ratio) else ""


def told_whole(
    finding: Row, clause: Mapping[str, str], rows: int, causes: Mapping[str, Mapping[str, str]]
) -> list[str]:
    """A finding in lines: what it breaks, in how many of so many rows, its worst case and what that got.

    The note of a clause says who may break it and be honest; ``causes``, which formula gives such numbers.
    """
    formula = causes.get(finding.get("cause") or "")
    counted = f"{numbers.count(finding['count'])} of {numbers.count(rows)} rows"
    return [
        f"  clause {finding['clause']} ({finding['level']}) {clause['title']}: {clause['text']}",
        *([f"  note: {clause['note']}"] if clause.get("note") else []),
        f"  {finding['output']}: {finding['symptom']} in {counted}",
        f"  case {finding['case']}",
        *(f"    {name:<8} {text}" for name, text in worst(finding)),
        *([f"  what gives this: {formula['hypothesis']}: {formula['sentence']}"] if formula else []),
    ]


def bits_text(row: Row, column: str) -> str:
    """The bits of a number in a verdict, or the number where it has none: a NaN, or one that is wider."""
    value, dtype = row[column], row["dtype"]
    # a NaN has many patterns, and no run file keeps which one it was
    return (None if math.isnan(value) else numbers.bits(value, dtype)) or shortest(value, dtype)


def with_bits(row: Row, column: str) -> str:
    """``-15.000001  0xc1700001``; the number alone where it has no bits of its own."""
    number, bits = shortest(row[column], row["dtype"]), bits_text(row, column)
    return number if bits == number else f"{number}  {bits}"


def _with_bits(row: Row, column: str) -> str:
    """The same; a wider result has no bits of the format, which is said."""
    told = with_bits(row, column)
    alone = told == shortest(row[column], row["dtype"]) and not math.isnan(row[column])
    return f"{told}  (no {row['dtype']})" if alone else told


# --- names, and how many ---


def words(name: str) -> str:
    """``grad_logits`` as two words, so that a narrow column can break it."""
    return name.replace("_", " ")


def plural(number: int, noun: str, ending: str = "s") -> str:
    """``1 verdict``, ``2 verdicts``, ``1,000 batches``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}{ending}"


def listed(names: Sequence[str]) -> str:
    """``a, b and c``."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def capital(text: str) -> str:
    """The text as a sentence starts."""
    return text[:1].upper() + text[1:]


def what_moved(before: Sequence[str], now: Sequence[str]) -> str:
    """``jax 0.9.2 → jax 0.10.2``: what is not in both; empty where nothing is."""
    gone, came = ([name for name in a if name not in b] for a, b in ((before, now), (now, before)))
    return f"{listed(gone) or 'nothing'} → {listed(came) or 'nothing'}" if gone or came else ""


TOGETHER = {"crossing": "crossed with others", "historical": "from bug reports"}
"""Families of a great many single cases: their variants stand together, under these words."""


def kind(row: Row) -> str:
    """The variant of a case; of a family of single cases, the family."""
    family = row["family"]
    return str(family if family in TOGETHER else row["variant"])


def joined(between: str, parts: Iterable[str]) -> str:
    """The parts that there are."""
    return between.join(filter(None, parts))


def in_order(names: Sequence[str], order: Sequence[str]) -> list[str]:
    """Known names in ``order``, then the others by name."""
    return [n for n in order if n in names] + sorted(set(names) - set(order))


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


# --- how much of a text ---

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
"""What a terminal would obey, or break a line at."""


HIDDEN = re.compile(r"[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]")
"""What is not seen, or turns the direction in which what follows is read."""

_OF_A_SERVICE = re.compile(
    r"(?<!\S)::(?=[a-z])|::(?=(?:error|warning|notice|debug|group|set-|save-state|add-|stop-commands)[^:]*::)"
)
"""Where the log of a CI service would begin a command, wherever a line is folded."""


def cut(text: str, limit: int) -> str:
    """At most ``limit`` characters of a text, the last of them ``…`` where there are more."""
    return text if len(text) <= limit else f"{text[: limit - 1].rstrip()}…"


def cut_inside(text: str, limit: int) -> str:
    """At most ``limit`` characters of a text, ``…`` in their middle where there are more."""
    half = (limit - 1) // 2
    return text if len(text) <= limit else f"{text[: limit - 1 - half].rstrip()}…{text[-half:].lstrip()}"


def visible(text: str) -> str:
    """The same, with what would not be seen, or would turn what is, written out: ``\\u202e``."""
    return HIDDEN.sub(lambda m: m[0].encode("unicode_escape").decode(), text)


def harmless(text: str) -> str:
    """Text on a line, without what a terminal would obey, or the log of a CI service take for a command."""
    line = visible(CONTROL.sub(" ", text)).replace("##[", "# #[")
    return _OF_A_SERVICE.sub(": :", line)


def flat(text: str, limit: int = 0) -> str:
    """The same with single spaces; cut, if there is a limit."""
    line = " ".join(harmless(text).split())
    return cut(line, limit) if limit else line
