"""Modes and devices: the same calls, twice, one line a pair; and where it makes no difference."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from xent_conformance.reports.html.marks import cause_id
from xent_conformance.reports.html.section import Material, Section
from xent_conformance.reports.run.commands import PLAIN_DEVICE
from xent_conformance.reports.run.file import Run
from xent_conformance.reports.text.numbers import count, per_cent
from xent_conformance.reports.text.wording import dtypes_text, joined, listed, plural
from xent_conformance.reports.views import modes as views
from xent_conformance.reports.views.modes import Moved, Pair, What
from xent_conformance.reports.views.settings import Setting, transferring

NAMED = 3
"""Causes that a cell names; of more it says how many there are, and how many verdicts they have."""

UNNAMED = "no cause named"


@dataclass(frozen=True)
class Cause:
    """A cause and how many of the verdicts it has; ``link`` is empty where the page has none."""

    name: str
    link: str
    number: str


@dataclass(frozen=True)
class Change:
    """Verdicts that moved one way; ``must``: how many by a must clause, empty for none."""

    number: str
    must: str
    causes: tuple[Cause, ...]
    more: str


@dataclass(frozen=True)
class Line:
    """One pair; ``same`` in per cent, ``share`` from 0 to 1; ``none`` says that it changes nothing."""

    framework: str
    version: str
    before: str
    after: str
    where: str
    calls: str
    same: str
    share: float
    none: str
    better: Change
    worse: Change


@dataclass(frozen=True)
class Modes:
    """The pairs, and in sentences which of them make no difference and which devices were not asked.

    ``settings``: what stands for a device that was not asked, and how far.
    """

    sentences: tuple[str, ...]
    lines: tuple[Line, ...]
    settings: tuple[Setting, ...]


def view(material: Material) -> Modes:
    """One line a pair; of a run with one mode and one device there is none, and a sentence says so."""
    found = views.pairs(material.run)
    titles, many = material.titles, material.naming.many_machines
    return Modes(
        tuple(_sentences(found, material.run)),
        tuple(_line(pair, titles, many) for pair in found),
        transferring(material.run),
    )


def _line(pair: Pair, titles: Mapping[str, str], machines: bool) -> Line:
    before, after = _ends(pair)
    return Line(
        framework=pair.framework,
        version=pair.version,
        before=before,
        after=after,
        where=_where(pair, machines),
        calls=count(pair.calls),
        same=per_cent(pair.same, pair.calls),
        share=pair.same / pair.calls,
        none=_none(pair),
        better=_change(pair.better, titles),
        worse=_change(pair.worse, titles),
    )


def _ends(pair: Pair) -> tuple[str, str]:
    """Both targets, in what tells them apart."""
    base, other = (
        (mode, place.device, place.machine, place.version)
        for mode, place in ((pair.mode, pair.base), (pair.other_mode, pair.other))
    )
    apart = [i for i, _ in enumerate(base) if base[i] != other[i]]
    return ", ".join(base[i] for i in apart), ", ".join(other[i] for i in apart)


def _where(pair: Pair, machines: bool) -> str:
    """What the two share, where it is not the CPU of the only machine."""
    device, machine = pair.base.device, pair.base.machine
    return joined(
        ", ",
        [
            f"on {device}" if device == pair.other.device and device != PLAIN_DEVICE else "",
            machine if machines and machine == pair.other.machine else "",
        ],
    )


def _none(pair: Pair) -> str:
    """That it makes no difference, in words; empty where it makes one."""
    if pair.alike:
        return "No difference: the same bits in every call."
    if pair.as_right:
        return f"Other bits in {plural(pair.calls - pair.same, 'call')}, the same verdict on every one."
    return ""


def _change(moved: Moved, titles: Mapping[str, str]) -> Change:
    rest = moved.causes[NAMED:]
    verdicts = sum(number for _, number in rest)
    return Change(
        number=count(moved.verdicts),
        must=f"{count(moved.must)} must" if moved.must else "",
        causes=tuple(_cause(name, number, titles) for name, number in moved.causes[:NAMED]),
        more=f"{plural(len(rest), 'more cause')} {count(verdicts)}" if rest else "",
    )


def _cause(name: str, number: int, titles: Mapping[str, str]) -> Cause:
    """The page has every cause that has a title; one without is named, and leads nowhere."""
    return Cause(titles.get(name) or name or UNNAMED, cause_id(name) if name in titles else "", count(number))


# --- in sentences ---


def _sentences(found: Sequence[Pair], run: Run) -> Iterable[str]:
    if not found:
        yield "Every framework was asked in one mode, on one device and on one machine."
    for what in What:
        yield from _without(what, [pair for pair in found if pair.what is what])
    if lonely := views.alone(run, found):
        told = [f"{a.framework} {a.device} ({dtypes_text(a.dtypes)})" for a in lonely]
        yield f"No call in common with another device of its framework, so in no line: {listed(told)}."
    yield from _unasked(run)


def _without(what: What, here: Sequence[Pair]) -> Iterable[str]:
    """Which of one kind make no difference."""
    alike = [_named(pair) for pair in here if pair.alike]
    if alike:
        yield f"The {what} makes no difference, to the bit: {listed(alike)}."
    right = [_named(pair) for pair in here if pair.as_right and not pair.alike]
    if right:
        yield f"Other bits, and not one verdict better or worse: {listed(right)}."
    if len(here) > 1 and not alike and not right:
        yield f"No {what} is without a difference."


def _named(pair: Pair) -> str:
    return f"{pair.framework} {' → '.join(_ends(pair))}"


def _unasked(run: Run) -> Iterable[str]:
    """What a reader with a GPU looks for: whether one was asked, and how to have it here."""
    asked = {device.partition("[")[0] for device in run.verdicts["device"].unique()}
    if asked <= {PLAIN_DEVICE}:
        yield (
            "No GPU was asked: a run on a machine with one writes another file, and `conformance report` of "
            "both files has a line for each framework that answered on both."
        )


SECTION = Section("modes", "Modes and devices", "modes.html", view)
