"""Waivers: reviewed entries that accept known causes, each with its reason.

A waiver names who (framework, versions, implementations, modes, devices), where (operators, outputs, cases)
and the *failure signature* that it accepts: the clause broken, the symptom, and a ceiling in ulps where the
symptom is an error that is measured. Or, in place of where and signature, it names the *cause* that it
accepts, wherever that shows in its implementations. Anything else in the same place is not accepted. Its
*witnesses* are cases that must still fail: when one of them conforms, the waiver is stale. Where a kernel is
chosen by the processor, ``instructions`` says on which kind the witnesses were seen to fail: on another kind
a witness that conforms is better than known, which is told and never blocks. Where another library computes,
``libraries`` says on which versions of it the waiver was seen: on others it accepts nothing.
"""

from __future__ import annotations

import datetime
import fnmatch
import functools
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import polars as pl
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from xent_conformance.decision.toml import NoToml, Unreadable, parsed, text_of
from xent_conformance.reference.clauses import STABLE, Level, clauses
from xent_conformance.reference.operators import OPERATORS
from xent_conformance.reports.run.commands import Files
from xent_conformance.reports.run.words import Symptom
from xent_conformance.reports.text.wording import joined
from xent_conformance.worker.machine import CHOOSE

KNOWN = Path(__file__).parents[1] / "known"
"""Waivers for the pinned versions of the frameworks."""

MEASURED = (Symptom.LOST_ACCURACY.value, Symptom.BEYOND_BOUND.value)
"""Symptoms that have an error in ulps."""

SENTENCE = 20
"""So many letters a reason has at least."""

NO_LINK = "none"
"""A link that says: nobody upstream documents or tracks it."""

ANY = ("*",)


class WaiverError(Exception):
    """A waiver file that cannot be used; the message says which entry, why, and what to do."""


@dataclass(frozen=True)
class Waiver:
    """One reviewed entry. Names of implementations, modes, devices and cases may be globs.

    With a ``cause``, a clause, a symptom, operators, outputs and cases that are named narrow it further.
    ``ulps`` is the ceiling of the error that is accepted, where ``symptom`` is measured; None elsewhere.
    ``expires``: from that day on the waiver accepts nothing and fails the gate. ``instructions``: sets that
    the processor has, or with a ``-`` before them has not, where the witnesses fail; none means everywhere.
    ``libraries``: requirements such as ``jaxlib<0.11`` on what the framework computes with.
    ``formerly``: what the diagnosis of an earlier suite called the cause, as run files that are kept have it.
    """

    name: str
    framework: str
    versions: SpecifierSet
    operators: tuple[str, ...]
    implementations: tuple[str, ...]
    outputs: tuple[str, ...]
    clause: str
    symptom: str
    cases: tuple[str, ...]
    witnesses: tuple[str, ...]
    reason: str
    link: str
    ulps: float | None = None
    modes: tuple[str, ...] = ANY
    devices: tuple[str, ...] = ANY
    expires: datetime.date | None = None
    instructions: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    cause: str = ""
    formerly: tuple[str, ...] = ()
    source: str = ""

    @property
    def shipped(self) -> bool:
        """Whether it came with the suite, and is not the user's own."""
        return bool(self.source) and Path(self.source).parent == KNOWN

    def in_range(self, version: str) -> bool:
        """Whether the version of a framework is one that the waiver speaks of; no range speaks of all."""
        return not str(self.versions) or _within(version, self.versions)

    def without(self, environment: Mapping[str, str]) -> list[str]:
        """Which of its libraries a framework does not stand on, in its ``environment`` by name."""
        asked = [(named, Requirement(named)) for named in self.libraries]
        return [named for named, r in asked if not _within(environment.get(r.name), r.specifier)]

    def seen_with(self, instructions: str | None) -> bool:
        """Whether the witnesses were seen to fail on a processor with these sets; None: nobody says which."""
        if not self.instructions:
            return True
        there = set((instructions or "").split())
        return bool(there) and all(
            (w[1:] not in there) if w[0] == "-" else w in there for w in self.instructions
        )

    def signature(self) -> str:
        """What it accepts, in words."""
        ceiling = "" if self.ulps is None else f" of at most {self.ulps:g} ulp"
        if self.cause:
            return joined(", ", [f"cause {self.cause}", self.symptom + ceiling, self.clause])
        return f"{self.symptom}{ceiling} ({self.clause})"

    def accepts(self) -> pl.Expr:
        """Which verdicts of its place have its signature.

        A wrong number that is accepted as one (1.1) is accepted whatever its row was made for: only a run
        that asks plain rows as well can tell that it is the same fault (SPEC.md §0).
        """
        if self.cause:
            alike = pl.col("cause").is_in([self.cause, *self.formerly])
            for column, named in (("symptom", self.symptom), ("clause", self.clause)):
                alike &= pl.col(column) == named if named else pl.lit(True)
            return alike if self.ulps is None else alike & (pl.col("ulps") <= self.ulps)
        alike = pl.col("symptom") == self.symptom
        if (self.clause, self.symptom) != (STABLE, Symptom.BEYOND_BOUND):
            alike &= pl.col("clause") == self.clause
        return alike if self.ulps is None else alike & (pl.col("ulps") <= self.ulps)


def _within(version: str | None, versions: SpecifierSet) -> bool:
    """Whether it is a version, and one of those."""
    try:
        return version is not None and versions.contains(Version(version), prereleases=True)
    except InvalidVersion:
        return False


def matching(names: Iterable[str], patterns: Sequence[str]) -> list[str]:
    """The names that one of the patterns names."""
    exact = {p for p in patterns if "*" not in p and "?" not in p}
    globs = [_glob(p) for p in patterns if p not in exact]
    if not globs:
        return [n for n in names if n in exact]
    return [n for n in names if n in exact or any(names_it(n) for names_it in globs)]


@functools.cache
def _glob(pattern: str) -> Callable[[str], object]:
    """``*`` and ``?`` alone are special: names of devices and variants have brackets."""
    return re.compile(fnmatch.translate(pattern.replace("[", "[[]"))).match


def read_waivers(paths: Iterable[Path]) -> list[Waiver]:
    """The waivers of TOML files. Raises :class:`WaiverError` for a file or an entry that cannot be used."""
    found = [w for path in paths for w in _read(path)]
    names: dict[str, str] = {}
    for w in found:
        if w.name in names:
            raise WaiverError(
                f"{w.source}: waiver {w.name!r} is also in {names[w.name]}; give one of them another name"
            )
        names[w.name] = w.source
    return found


def known_files() -> list[Path]:
    """The files that come with the suite, for the pinned versions of the frameworks."""
    return sorted(KNOWN.glob("*.toml"))


def _read(path: Path) -> Sequence[Waiver]:
    try:
        text = text_of(path)
    except Unreadable as reason:
        raise WaiverError(
            f"{path}: cannot be read ({reason}); `{Files().waive(str(path))}` writes stubs"
        ) from None
    return _of_text(text, path)


@functools.lru_cache(maxsize=256)
def _of_text(text: str, path: Path) -> tuple[Waiver, ...]:
    """Whoever decides about run after run parses the files that come with the suite once."""
    try:
        data = parsed(text)
    except NoToml as error:
        raise WaiverError(f"{path}: not TOML ({error}); mend that line") from None
    if set(data) - {"waiver"} or not isinstance(data.get("waiver", []), list):
        raise WaiverError(f"{path}: a waiver file holds [[waiver]] entries and nothing else")
    return tuple(_waiver(entry, path, i) for i, entry in enumerate(data.get("waiver", []), 1))


_LISTS = (
    *("operators", "implementations", "outputs", "modes", "devices", "cases", "witnesses"),
    *("instructions", "libraries", "formerly"),
)
_OPTIONAL = ("ulps", "modes", "devices", "expires", "instructions", "libraries", "cause", "formerly")
_OF_A_CAUSE = ("operators", "outputs", "clause", "symptom", "cases")
"""Fields that the cause makes optional: what is left out narrows nothing."""

_FIELDS = tuple(f.name for f in fields(Waiver) if f.name != "source")


def _waiver(entry: Any, path: Path, number: int) -> Waiver:
    name = entry.get("name") if isinstance(entry, Mapping) else None
    where = f"{path}: waiver {name!r}" if name else f"{path}: waiver number {number}"

    def wrong(what: str) -> WaiverError:
        return WaiverError(f"{where}: {what}")

    if not isinstance(entry, Mapping):
        raise wrong("not a table; write [[waiver]] and its fields")
    unknown = sorted(set(entry) - set(_FIELDS))
    if unknown:
        raise wrong(f"unknown field {unknown[0]!r}; there are {', '.join(_FIELDS)}")
    optional = (*_OPTIONAL, *_OF_A_CAUSE) if entry.get("cause") else _OPTIONAL
    missing = [f for f in _FIELDS if f not in entry and f not in optional]
    if missing:
        raise wrong(f"{missing[0]!r} is missing")
    for f in _FIELDS:
        value = entry.get(f)
        if f in _LISTS and f in entry:
            if not (isinstance(value, list) and value and all(isinstance(v, str) and v for v in value)):
                raise wrong(f'{f} must be a list of names, as in {f} = ["…"]')
        elif f in entry and f not in (*_LISTS, "ulps", "expires") and not isinstance(value, str):
            raise wrong(f"{f} must be text")
    _check_words(entry, wrong)
    try:
        versions = SpecifierSet(entry["versions"])
    except InvalidSpecifier:
        raise wrong(f"versions = {entry['versions']!r} is no range; write one like '>=2.13,<3'") from None
    return of_fields(entry, versions, str(path))


def of_fields(entry: Mapping[str, Any], versions: SpecifierSet, source: str = "") -> Waiver:
    """The waiver that an entry describes, whose words nobody has checked."""
    taken: dict[str, Any] = dict.fromkeys(_OF_A_CAUSE, ANY) | {"clause": "", "symptom": ""}
    taken |= {f: tuple(v) if f in _LISTS else v for f, v in entry.items()}
    taken |= {"versions": versions, "ulps": float(entry["ulps"]) if "ulps" in entry else None}
    return Waiver(**taken, source=source)


def _check_words(entry: Mapping[str, Any], wrong: Callable[[str], WaiverError]) -> None:
    """Names that the suite knows, and the two fields that a person must write."""
    for operator in entry.get("operators", ()):
        if operator not in OPERATORS:
            raise wrong(f"unknown operator {operator!r} (`conformance list operators` shows all)")
    judged = {n for n, c in clauses().items() if c.level is not Level.OPEN}
    if "clause" in entry and entry["clause"] not in judged:
        raise wrong(f"clause {entry['clause']!r} is not judged (`conformance list clauses` shows all)")
    symptoms = [s.value for s in Symptom if s is not Symptom.NONE]
    if "symptom" in entry and entry["symptom"] not in symptoms:
        raise wrong(f"unknown symptom {entry['symptom']!r}; there are {', '.join(symptoms)}")
    for name in entry.get("instructions", ()):
        if name.removeprefix("-") not in CHOOSE:
            raise wrong(
                f"unknown instruction set {name!r}; there are {', '.join(CHOOSE)}, each with or without -"
            )
    for name in entry.get("libraries", ()):
        try:
            ranged = bool(Requirement(name).specifier)
        except InvalidRequirement:
            ranged = False
        if not ranged:
            raise wrong(f"{name!r} is no library with its versions; write one like 'jaxlib<0.11'")
    if "formerly" in entry and not entry.get("cause"):
        raise wrong("formerly says what the cause was called: write the cause as well")
    measured = entry.get("symptom") in MEASURED
    ulps: Any = entry.get("ulps")
    if measured and not entry.get("cause") and not (_is_number(ulps) and float(ulps) > 0):
        raise wrong(
            f"symptom {entry['symptom']!r} needs a ceiling: ulps = the largest error that is accepted"
        )
    if ulps is not None and not _is_number(ulps):
        raise wrong("ulps must be a number")
    if ulps is not None and math.isinf(ulps):
        raise wrong(
            "ulps = inf is no ceiling: write the largest error that is accepted, as `conformance waive` does"
        )
    everywhere = all(any(set(p) == {"*"} for p in entry.get(f, ())) for f in ("implementations", "cases"))
    if everywhere and not entry.get("cause"):
        raise wrong(
            'implementations = ["*"] with cases = ["*"] accepts what nobody has looked at: name the '
            'implementations (["torch.nn.functional.*"]), or the cases (["softmax/masks/*"]), or the cause '
            "(cause = …, as `conformance causes` prints it)"
        )
    if "symptom" in entry and not measured and ulps is not None:
        raise wrong(f"symptom {entry['symptom']!r} has no size; leave ulps out")
    reason = entry["reason"].strip()
    if not reason:
        raise wrong("has no reason yet; write why this is accepted (a sentence)")
    if len(reason) < SENTENCE:
        raise wrong(f"{reason!r} is no reason; write why this is accepted in a sentence ({SENTENCE} letters)")
    link = entry["link"].strip()
    if link != NO_LINK and not link.startswith(("https://", "http://")):
        raise wrong(
            f"has no link yet; write the address where upstream documents or tracks it, or {NO_LINK!r} "
            "if nobody does"
        )
    expires = entry.get("expires")
    if expires is not None and type(expires) is not datetime.date:
        raise wrong("expires must be a date, as in expires = 2027-06-30")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value)
