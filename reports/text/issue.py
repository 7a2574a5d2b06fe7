"""The text of an issue for a framework's own tracker, in the form that the tracker asks for.

One writer for a page, which has the run file alone, and for ``conformance explain --issue``, which has the
script as well. What is told of a verdict is in the words of every other report.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from xent_conformance.reports.run.words import RIGHT_NUMBERS, Row
from xent_conformance.reports.text import numbers
from xent_conformance.reports.text.numbers import Element, elements
from xent_conformance.reports.text.trackers import Part, tracker_of
from xent_conformance.reports.text.wording import (
    OUTPUTS_IN_WORDS,
    Answer,
    classes,
    flat,
    inputs_of,
    joined,
    listed,
    plural,
    with_bits,
    words,
)

DIGITS = 30
"""Certified digits of an exact value: it is known to 2⁻⁹⁹ relative."""

LISTED = 16
"""Elements of an input that stand one below the other; more are words of hexadecimal digits."""

NO_RESPONSE = "_No response_"
"""What a form says of a field that nobody filled in."""


@dataclass(frozen=True)
class Issue:
    """What a report of one verdict is made of.

    ``row``: the verdict; ``formula``: the function that is computed; ``clause``: what it breaks, with
    ``title`` and ``text``; ``asked``: the inputs as a run file carries them, none where it does not;
    ``environment``: of the framework's worker; ``cause``: what it is called, ``hypothesis`` and ``sentence``:
    which formula gives it, where one does; ``seen``: where else; ``script``: what repeats it, or how it is
    to be had.
    """

    row: Row
    formula: str
    clause: Mapping[str, str]
    asked: Mapping[str, Any] | None
    environment: Mapping[str, str]
    cause: str
    hypothesis: str = ""
    sentence: str = ""
    seen: str = ""
    script: str = ""
    notes: Sequence[str] = field(default=())

    def written(self, tracker: str = "") -> str:
        """The title on the first line, then the body; the framework's own tracker where none is named.

        Raises :class:`~xent_conformance.reports.text.trackers.UnknownTracker`.
        """
        form = tracker_of(tracker, self.row["framework"])
        parts = [f"{form.before_title}{self.title}"]
        for heading, part in form.sections:
            text = self._part(part) if isinstance(part, Part) else part
            parts.append(joined("\n\n", [heading, text]))
        return "\n\n".join(parts) + "\n"

    @property
    def title(self) -> str:
        """Who, what is wrong, and the numbers."""
        answer = Answer.of(self.row)
        told = f"returns {answer.returned} for {answer.right}" if answer.right else answer.returned
        if self._right_number:
            told = f": {self.row['symptom']}"
        what = f"{_output(self.row)}, {self.row['dtype']}"
        return flat(f"{self._who} {told} ({what}): {self.cause}").replace(" : ", ": ")

    @property
    def _who(self) -> str:
        """The implementation; where the suite composed it of several functions, of which."""
        name = str(self.row["implementation"])
        first, *rest = re.split(r"([+*])", name)
        if not rest:
            return name
        if "-" in name:  # a difference in it has no words here
            return f"{self.row['operator']} composed as {name}"
        steps = [
            f"a product with {step}" if sign == "*" else step
            for sign, step in zip(rest[::2], rest[1::2], strict=True)
        ]
        return f"{self.row['operator']} composed of {listed([first, *steps])}"

    @property
    def _right_number(self) -> bool:
        """Whether the numbers are right, and it is something else that is wrong."""
        return self.row["symptom"] in RIGHT_NUMBERS

    # --- the parts ---

    def _part(self, part: Part) -> str:
        env, row = self.environment, self.row
        gpu = "" if row["device"].startswith("cpu") else env.get(row["device"].partition("[")[0], "")
        texts = {
            Part.ALL: [self._asked, self._numbers, self._right, self._script],
            Part.BUG: [self._asked, self._numbers, self._right],
            Part.BUG_AND_VERSIONS: [self._asked, self._numbers, self._right, self._versions],
            Part.ASKED: [self._asked],
            Part.CURRENT: [self._asked, self._numbers],
            Part.EXPECTED: [self._right],
            Part.SCRIPT: [self._script],
            Part.PRINTED: [self._numbers],
            Part.VERSIONS: [self._versions],
            Part.FRAMEWORK: [row["version"]],
            Part.PYTHON: [env.get("python", "")],
            Part.SYSTEM: [env.get("system", "")],
            Part.DEVICE: [gpu],
            Part.PROVIDER: ["Default CPU" if row["device"].startswith("cpu") else row["device"]],
            Part.ARCHITECTURE: [_ARCHITECTURES.get(env.get("machine", ""), env.get("machine", ""))],
            Part.OPEN: [],
        }
        return joined("\n\n", texts[part]) or NO_RESPONSE

    @property
    def _asked(self) -> str:
        row = self.row
        where = joined(", ", [row["mode"], row["device"]])
        said = (
            f"`{row['implementation']}` ({where}) computes `{self.formula}`. "
            f"Asked for {_output(row)} in {row['dtype']}"
        )
        if self.asked is None:
            return f"{said}, with the inputs of `{row['case']}`."
        manner = f" ({self.asked['asked']})" if self.asked["asked"] else ""
        return f"{said}{manner} of:\n\n{_block(self._inputs(self.asked))}"

    def _inputs(self, asked: Mapping[str, Any]) -> str:
        lines = []
        for name in inputs_of(self.row["output"]):
            given = asked.get(name)
            if isinstance(given, list):
                lines += [f"label: {classes(given)}"] * bool(given)
            elif given:
                lines += _listing(name, elements(given, asked["dtype"]), asked["n"])
        return "\n".join(lines)

    @property
    def _numbers(self) -> str:
        row, answer = self.row, Answer.of(self.row)
        if not answer.right:
            return _block(answer.with_message(row["message"]))
        lines = [
            f"returned {with_bits(row, 'got')}",
            f"right    {with_bits(row, 'rounded')}",
        ]
        if math.isfinite(row["hi"]):
            lines.append(f"exactly  {numbers.exact(row['hi'], row['lo'], row['exponent'], DIGITS)}")
        if answer.distance:
            lines.append(f"error    {answer.distance}")
        if row["index"]:
            lines.append(f"element  {row['index']}")
        if row["message"]:
            lines.append(row["message"])
        if self._right_number:
            lines.append(f"This number is within the bounds; what is wrong is: {row['symptom']}.")
        return _block("\n".join(lines))

    @property
    def _right(self) -> str:
        told = [f"What is right, by the rule {_sentence(self.clause['title'], self.clause['text'])}"]
        if math.isfinite(self.row["hi"]) and Answer.of(self.row).right:
            told.append(
                "The exact value is that of these very inputs, by ball arithmetic; its digits are certified."
            )
        if self.hypothesis:
            told.append(f"What gives such numbers: {self.hypothesis}: {self.sentence}.")
        return "\n\n".join([*told, *filter(None, [self.seen, *self.notes])])

    @property
    def _script(self) -> str:
        return _block(self.script.rstrip("\n"), "python") if self.script else ""

    @property
    def _versions(self) -> str:
        """The framework, then what the worker recorded."""
        row = self.row
        first = {row["framework"]: row["version"], "device": row["device"]}
        return _block(
            "\n".join(f"{name}: {flat(str(v))}" for name, v in {**first, **self.environment}.items())
        )


_ARCHITECTURES = {"x86_64": "X64", "AMD64": "X64", "aarch64": "ARM64", "arm64": "ARM64"}


def _output(row: Row) -> str:
    return OUTPUTS_IN_WORDS.get(row["output"], words(row["output"]))


def _block(text: str, language: str = "") -> str:
    """A block of code, fenced so that nothing in it ends it."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def _listing(name: str, row: Sequence[Element], n: int) -> list[str]:
    """An array to the last bit, as far as it is carried."""
    if len(row) == 1:
        return [f"{name}: {row[0].decimal}  {row[0].bits}"]
    if len({e.bits for e in row}) == 1 and len(row) > 2:
        lines = [f"{name}: {plural(len(row), 'element')}, each {row[0].decimal}  {row[0].bits}"]
    elif len(row) <= LISTED:
        wide = max(len(e.decimal) for e in row)
        lines = [f"{name}:", *(f"  {e.decimal:>{wide}}  {e.bits}" for e in row)]
    else:
        lines = [f"{name}, by their bits: {' '.join(e.bits for e in row)}"]
    more = n - len(row)
    return [*lines, f"  … and {plural(more, 'more element')}"] if more > 0 and n > len(row) > 1 else lines


_REFERENCE = re.compile(r" \([^()]*§[^()]*\)|,? (?:of|in) (?:SPEC\.md )?§[\d.]*\d")
"""To a section that whoever reads the issue does not have."""


def _sentence(title: str, text: str) -> str:
    """A clause in a sentence: its first, behind its title."""
    first = re.split(r"(?<=[.;]) (?=[A-Z])", _REFERENCE.sub("", flat(text)))[0].rstrip(";")
    return f'"{flat(title)}": {first}'


NAMED = 8
"""So many implementations are named; of more it says how many."""


def seen_in(implementations: Sequence[str], dtypes: Sequence[str], others: Sequence[str]) -> str:
    """Where a cause shows in a framework, and in which others: a sentence."""
    more = len(implementations) - NAMED
    names = [f"`{name}`" for name in implementations[:NAMED]]
    told = f"Seen in {listed(list(dtypes))}, of {listed([*names, f'{more} more'] if more > 0 else names)}"
    return f"{told}; and in {listed(list(others))}." if others else f"{told}."
