"""One pytest session: which tests there are, and the run that those which are left are judged by."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from xent_conformance.asking.selection import Selection
from xent_conformance.decision.waivers import Waiver, WaiverError, known_files, read_waivers
from xent_conformance.discovery import plugins
from xent_conformance.discovery.framework import FRAMEWORKS
from xent_conformance.discovery.names import UnknownName, meant
from xent_conformance.pytesting.groups import Group, Narrowed, names, of_run, of_selection, place_of
from xent_conformance.pytesting.plugin import Options, wrote
from xent_conformance.pytesting.share import RunFailed, once
from xent_conformance.pytesting.verdicts import NotAsked, Verdict, Verdicts
from xent_conformance.reports.run.file import Run, read_run
from xent_conformance.reports.run.unusable import RunFileError
from xent_conformance.running import engine

DEVICE = "cpu"
"""Asked where none is named: its variants cost a worker each."""


class WrongUse(ValueError):
    """Options that contradict one another or the run file; the message says which."""


class NothingToJudge(Exception):
    """The run could not be made or read; the message says why."""


class NothingAsked(Exception):
    """The tests that are left need no answer of a framework."""


@dataclass(frozen=True)
class OfGroup:
    """A test of what a framework returns."""

    group: Group

    def verdict(self, verdicts: Verdicts) -> Verdict:
        return verdicts.of(self.group)


@dataclass(frozen=True)
class OfWaiver:
    """A test that a waiver still holds."""

    name: str

    def verdict(self, verdicts: Verdicts) -> Verdict:
        return verdicts.of_waiver(self.name)


@dataclass(frozen=True)
class OfFile:
    """A test that a run file has everything that was planned."""

    def verdict(self, verdicts: Verdicts) -> Verdict:
        return verdicts.of_file()


@dataclass(frozen=True)
class OfPlugin:
    """An installed adapter that was left out, and why."""

    reason: str

    def verdict(self, _: Verdicts) -> Verdict:
        return NotAsked(self.reason)


Check = OfGroup | OfWaiver | OfFile | OfPlugin

_SESSION = pytest.StashKey["Session"]()


def session_of(config: pytest.Config) -> Session:
    """The session of this pytest, made when it is first asked for.

    Warnings of libraries are not tests of whoever runs us, even where they make errors of them.
    """
    if _SESSION not in config.stash:
        with _no_warnings(), _told_plainly():
            config.stash[_SESSION] = Session(config)
    return config.stash[_SESSION]


@contextlib.contextmanager
def _no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def _told_plainly() -> Iterator[None]:
    """A wrong name or file is one line of the collection, and no traceback."""
    try:
        yield
    except (UnknownName, WrongUse, WaiverError, RunFileError, plugins.PluginError) as error:
        raise pytest.Collector.CollectError(str(error)) from None


class Session:
    """What is asked for, statically; :meth:`verdicts` asks the frameworks."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self.options = options = Options.of(config)
        self._run: Run | None = None
        self._broken: list[plugins.Broken] = []
        loaded: list[str] = []
        if options.run is not None:
            self.groups = self._of_file(Path(options.run))
        else:
            self._broken = plugins.load_installed()
            loaded = [f.name for reference in options.plugins for f in plugins.load(reference)]
            self._selection = Selection(
                options.profile or "quick",
                options.frameworks,
                devices=options.devices or (DEVICE,),
                plugins=options.plugins,
            )
            self.groups = of_selection(self._selection)
        asked = (meant("framework", name, FRAMEWORKS) for name in options.frameworks)
        self._named = {*asked, *loaded}
        self.waivers = self._read_waivers()

    def _of_file(self, path: Path) -> list[Group]:
        """The groups of a run file, which is what it is whatever is asked for now."""
        if self.options.profile or self.options.plugins:
            raise WrongUse(
                f"{path} has its own profile and plug-ins: take --conformance-profile and "
                "--conformance-plugin away"
            )
        self._run = read_run(path)
        named = [meant("framework", name, FRAMEWORKS) for name in self.options.frameworks]
        groups = of_run(self._run, named, self.options.devices)
        if not groups:
            raise WrongUse(f"{path} has no verdict of the frameworks and devices that are named")
        return groups

    def _read_waivers(self) -> list[Waiver]:
        """Those that speak of a framework that is asked."""
        files = [Path(name) for name in self.options.waivers]
        files += known_files() if self.options.known_waivers else []
        asked = {g.framework for g in self.groups}
        return [w for w in read_waivers(dict.fromkeys(files)) if w.framework in asked]

    @cached_property
    def checks(self) -> Mapping[str, Check]:
        """Every test by its name, in the same order in every process."""
        checks: dict[str, Check] = {"run-file": OfFile()} if self._run is not None else {}
        checks |= {name: OfGroup(group) for name, group in zip(names(self.groups), self.groups, strict=True)}
        checks |= {f"waiver-{w.name}": OfWaiver(w.name) for w in self.waivers}
        return checks | {f"plugin-{b.source.split()[0]}": OfPlugin(str(b)) for b in self._broken}

    def verdicts(self, wanted: Iterable[Check], temporary: Path) -> Verdicts:
        """What becomes of the tests that are ``wanted``, by their :meth:`run`."""
        with _no_warnings():
            return Verdicts(
                self.run(wanted, temporary),
                self.waivers,
                asked=self.groups,
                named=self._named,
                fail_on=self.options.fail_on,
            )

    def run(self, wanted: Iterable[Check], temporary: Path) -> Run:
        """The run that these tests are judged by; a waiver's needs the groups of its witnesses.

        ``temporary`` is the session's folder for what pytest keeps for a while. Raises
        :class:`NothingToJudge`, or :class:`NothingAsked`.
        """
        wanted = list(wanted)
        groups = [check.group for check in wanted if isinstance(check, OfGroup)]
        held = {check.name for check in wanted if isinstance(check, OfWaiver)}
        groups += [g for w in self.waivers if w.name in held for g in place_of(w, self.groups)]
        with _no_warnings():
            try:
                return self._run or self._shared_run(groups, temporary)
            except (RunFailed, RunFileError, OSError) as error:
                raise NothingToJudge(str(error)) from error

    def _shared_run(self, groups: Sequence[Group], temporary: Path) -> Run:
        if not groups:
            raise NothingAsked("the tests that are left need no answer of a framework")
        worker: Mapping[str, Any] | None = getattr(self._config, "workerinput", None)
        folder = temporary / "conformance"
        if worker is not None:  # of xdist: its neighbours' folders are beside its own
            folder = temporary.parent / f"conformance-{worker['testrunuid']}"
        path = once(folder, lambda out: engine.run(Narrowed.to(self._selection, groups), out))
        wrote(self._config, str(path))
        return read_run(path)
