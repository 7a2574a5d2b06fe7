"""The same questions to one version of a framework after another, each in an environment of its own.

An upgrade is two of them and the gate, with the old one as the baseline. The suite stays here: of the other
environments only the interpreter is used, so that both answers are judged by the same code.
"""

from __future__ import annotations

import glob
import hashlib
import importlib.metadata
import json
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import Specifier
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from xent_conformance.asking.connection import FrameworkAbsent, WorkerLost
from xent_conformance.asking.process import connect
from xent_conformance.asking.selection import Selection
from xent_conformance.decision.compare import compare
from xent_conformance.decision.gate import decide
from xent_conformance.decision.policy import Policy
from xent_conformance.decision.waivers import Waiver
from xent_conformance.discovery.framework import FRAMEWORKS, Framework, Seat
from xent_conformance.discovery.names import meant
from xent_conformance.discovery.seats import as_they_are
from xent_conformance.reports.run import commands
from xent_conformance.reports.run.file import Run, called
from xent_conformance.reports.views.comparison import Comparison
from xent_conformance.reports.views.gate import Gate
from xent_conformance.reports.views.reasons import Reason
from xent_conformance.running import engine
from xent_conformance.versions.environments import Say, environment_for

USUAL = Selection.profile
"""The profile that is asked where none is named."""

SIDES = ("OLD", "NEW")
"""What ``--python`` calls the two versions of an upgrade."""


class WrongRequest(ValueError):
    """What was asked cannot be compared; the message says why and what to ask instead."""


class NoEvidence(Exception):
    """A version that cannot be asked; the message says which, why, and what to do."""


@dataclass(frozen=True)
class Pin:
    """One exact version of a distribution, as in ``jax==0.9.2``."""

    text: str
    name: str
    specifier: Specifier

    @property
    def version(self) -> str:
        """What stands behind ``==``."""
        return self.specifier.version

    @classmethod
    def of(cls, text: str) -> Pin:
        """Raises :class:`WrongRequest` for anything but NAME==VERSION."""
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            raise WrongRequest(
                f"{text!r} is no requirement; write NAME==VERSION, as in jax==0.10.2"
            ) from None
        if text.upper() in SIDES:
            raise WrongRequest(
                f"{text!r} names a version in --python alone; write the version itself, and its Python if it "
                f"has one: 'jax==0.9.2' 'jax==0.10.2' --python {'=PATH --python '.join(SIDES)}=PATH"
            )
        exact = [s for s in requirement.specifier if s.operator in ("==", "===") and "*" not in s.version]
        if len(exact) != 1 or len(requirement.specifier) != 1:
            raise WrongRequest(
                f"{text!r} is not one exact version; write NAME==VERSION, as in {requirement.name}==1.0: "
                "what is compared must be the same tomorrow"
            )
        return cls(str(requirement), canonicalize_name(requirement.name), exact[0])

    def names(self, version: str) -> bool:
        """Whether that is the version; a build's local part (``+cpu``) may be left out of the pin."""
        try:
            return self.specifier.contains(Version(version), prereleases=True)
        except InvalidVersion:
            return self.version == version


@dataclass(frozen=True)
class Request:
    """What was typed, checked: it can be asked, and it can be typed again."""

    verb: str
    pins: tuple[Pin, ...]
    framework: Framework
    selection: Selection
    extra: tuple[str, ...] = ()
    """Requirements of every side beside its own."""
    python: Mapping[str, str] | None = None
    """Interpreters that are there, by version or pin; or by OLD and NEW, where there are two."""
    options: tuple[str, ...] = ()
    """Words that concern the decision alone; they are typed again as they are."""

    def __post_init__(self) -> None:
        twice = [p.text for i, p in enumerate(self.pins) if p.version in [q.version for q in self.pins[:i]]]
        if twice:
            raise WrongRequest(
                f"{twice[0]} is named twice; two builds of one version are compared by "
                "`conformance run --python …` of each and `conformance gate --baseline`"
            )
        if len(self.pins) < 2:
            raise WrongRequest("one version is nothing to compare; name two or more")
        for key in self.python or {}:
            if key not in self.keys():
                raise WrongRequest(f"--python {key}=…: there is no {key}; name {', '.join(self.keys())}")
        given = [(self.keys()[key], key) for key in self.python or {}]
        for i, (pin, key) in enumerate(given):
            for before in (k for p, k in given[:i] if p == pin):
                raise WrongRequest(f"--python {key}=…: {pin.text} has an interpreter already, by {before}=…")

    def keys(self) -> dict[str, Pin]:
        """How ``--python`` names each side: by its version, by its pin, and two of them as OLD and NEW."""
        sides = zip(SIDES, self.pins, strict=False) if len(self.pins) == 2 else ()
        return {**dict(sides), **{p.version: p for p in self.pins}, **{p.text: p for p in self.pins}}

    def interpreter(self, pin: Pin, say: Say) -> Path:
        """The Python of one version: the one that was named, or that of an environment made for it."""
        return self.named(pin) or environment_for(self.requirements(pin), say=say)

    def named(self, pin: Pin) -> Path | None:
        """The Python that was named for a version."""
        return next((Path(path) for k, path in (self.python or {}).items() if self.keys()[k] == pin), None)

    def requirements(self, pin: Pin) -> tuple[str, ...]:
        """What an environment of a version has."""
        return pin.text, *self.extra

    def command(self, reason: Reason | None = None) -> str:
        """What asks this again; of a reason with a case, no more than its operator, family and format."""
        asked = dict(self.selection.as_dict()) | {"frameworks": [self.framework.name]}
        if reason and reason.case:
            asked |= commands.narrowed(reason.case)
        if reason and reason.implementation:
            asked |= {"implementation": [glob.escape(reason.implementation)]}
        words = [*(p.text for p in self.pins), *commands.selected(asked)]
        words += commands.option("with", self.extra)
        words += commands.option("python", [f"{k}={v}" for k, v in (self.python or {}).items()])
        return commands.line(self.verb, *words, *self.options)


def framework_of(pins: Sequence[Pin], named: str | None) -> Framework:
    """The framework that the pinned distribution is; ``named`` decides where several are, or none.

    Raises :class:`WrongRequest` with what is possible.
    """
    if named is not None:
        named = meant("framework", named, FRAMEWORKS)
        if named not in FRAMEWORKS:
            raise WrongRequest(f"unknown framework {named!r}: there are {', '.join(FRAMEWORKS)}")
        return FRAMEWORKS[named]
    names = list(dict.fromkeys(p.name for p in pins))
    if len(names) > 1:
        raise WrongRequest(
            f"{' and '.join(names)} are different distributions; --framework says whose versions they are"
        )
    by_distribution: dict[str, list[str]] = {}
    for framework in FRAMEWORKS.values():
        by_distribution.setdefault(distribution_of(framework), []).append(framework.name)
    found = by_distribution.get(names[0], [])
    if not found:
        raise WrongRequest(
            f"no framework is the distribution {names[0]!r}; there are {', '.join(sorted(by_distribution))}. "
            "--framework NAME says whose part it is (as in --framework jax 'jaxlib==0.10.2' …), "
            "--plugin adds an adapter"
        )
    # who calls a library in another way, under a setting, is meant where it is named
    found = [name for name in found if not FRAMEWORKS[name].declaration.settings_only] or found
    if len(found) > 1:
        raise WrongRequest(f"{names[0]} is asked as {', '.join(found)}; choose one with --framework")
    return FRAMEWORKS[found[0]]


def distribution_of(framework: Framework) -> str:
    """Its package, in the spelling that a pin has."""
    return canonicalize_name(framework.declaration.distribution)


def prepare(request: Request, say: Say) -> list[Path]:
    """The interpreter of each version, in the order of the pins. What fails, fails before the first question.

    Raises :class:`NoEvidence`, and :class:`xent_conformance.versions.environments.EnvironmentNotMade`.
    """
    interpreters = [request.interpreter(pin, say) for pin in request.pins]
    for pin, python in zip(request.pins, interpreters, strict=True):
        _check_version(request, pin, python)
    return interpreters


def run_one(
    request: Request,
    pin: Pin,
    python: Path,
    folder: Path,
    progress: engine.Progress | None = None,
    *,
    force: bool = False,
) -> Run:
    """One version's run, written as :func:`run_file` says; it goes on where it was interrupted."""
    chosen = {request.framework.name: str(python)}
    out = run_file(request, pin, folder)
    return engine.run(
        request.selection, out, resume=None, force=force, progress=progress, interpreters=chosen
    )


def run_file(request: Request, pin: Pin, folder: Path) -> Path:
    """Where the run of one version is kept, under a name that no other question has.

    A profile other than the usual one is told; what is narrowed, installed beside it or asked of a Python
    of one's own is told apart by a digest, so that an upgrade and its reproduction lie side by side.
    """
    asked = dict(request.selection.as_dict())
    profile = asked.pop("profile")
    python = [path for key, path in (request.python or {}).items() if request.keys()[key] == pin]
    special = [asked, sorted(request.extra), python]
    words = [request.framework.name, pin.version, *([] if profile == USUAL else [profile])]
    if any(v for k, v in asked.items() if k != "frameworks") or request.extra or python:
        words.append(hashlib.sha256(json.dumps(special, sort_keys=True).encode()).hexdigest()[:8])
    return folder / f"{'-'.join(words)}.parquet"


def _check_version(request: Request, pin: Pin, python: Path) -> None:
    """Raises :class:`NoEvidence` unless the framework starts there and is the version that was named."""
    framework = request.framework
    try:
        seat = next(as_they_are(framework), Seat(framework))
        connection = connect(seat.run_by(str(python)))
    except (FrameworkAbsent, WorkerLost) as error:
        raise NoEvidence(
            f"{pin.text}: {framework.name} does not start under {python}: {error}; install "
            f"{' '.join(shlex.quote(w) for w in (pin.text, 'numpy', 'ml_dtypes'))} and what the adapter "
            "imports there, or leave --python out for an environment that is made here"
        ) from None
    connection.close()
    is_it = pin.name == distribution_of(framework)
    version = connection.hello["version"] if is_it else _installed(python, pin.name)
    if not pin.names(version):
        raise NoEvidence(
            f"{pin.text}: under {python} there is {pin.name} {version or '— none'}; name the version that "
            "is there, or another interpreter with --python"
        )


def _installed(python: Path, name: str) -> str:
    """The version of any distribution under another interpreter; empty where there is none."""
    module = importlib.metadata.__name__
    words = [str(python), "-c", f"import {module} as m, sys; print(m.version(sys.argv[1]))", name]
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip()


@dataclass(frozen=True)
class Upgrade:
    """What became of every verdict, and the decision with the old run as the baseline."""

    comparison: Comparison
    gate: Gate


def judge(request: Request, old: Run, new: Run, waivers: Sequence[Waiver], policy: Policy) -> Upgrade:
    """The decision on ``new``. Its reasons name commands that ask both versions, not what is installed here.

    Raises :class:`NoEvidence` where ``old`` is no baseline.
    """
    if not old.complete:
        raise NoEvidence(
            f"{request.pins[0].text} did not answer all that it was asked, so it is no baseline: "
            f"{'; '.join(gap['message'] for gap in old.header['absent'])}; run again: {request.command()}"
        )
    gate = decide(new, baseline=old, waivers=waivers, policy=policy)
    reasons = tuple(
        replace(r, command=request.command(r)) if r.command.startswith("conformance ") else r
        for r in gate.reasons
    )
    comparison = compare(called(old), called(new), factor=policy.drift_factor)
    return Upgrade(comparison, replace(gate, reasons=reasons))
