"""The pytest plug-in: options of ``pytest --pyargs xent_conformance``, and where its run file lies.

Every pytest of an environment loads this file, so it imports nothing but pytest, and does nothing until
``test_frameworks`` beside it is collected. The options are there as ``--conformance-…`` always, and in
their short form where nobody else, neither a plug-in nor a ``conftest.py``, has taken the name.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import pytest

LONG, SHORT = "--conformance-", "--"


@dataclass(frozen=True)
class _Option:
    name: str
    attributes: dict[str, Any]
    has_short: bool = True

    @property
    def dest(self) -> str:
        return "conformance_" + self.name.replace("-", "_")


def _many(metavar: str, words: str) -> dict[str, Any]:
    return {"action": "append", "metavar": metavar, "help": f"{words} (repeatable)."}


_OPTIONS = (
    _Option("framework", _many("NAME", "Ask only this framework, which must then be there")),
    _Option("device", _many("DEVICE", "Ask this device: cpu (default), cuda, cuda:0, 'cpu[isa=avx2]'")),
    _Option("profile", {"metavar": "PROFILE", "help": "quick (default), standard or full."}),
    _Option("waivers", _many("FILE", "Also the waivers of this file, beside those of the suite")),
    _Option("no-known-waivers", {"action": "store_true", "help": "Without the waivers of the suite."}),
    _Option(
        "fail-on",
        {"action": "append", "choices": ["should"], "help": "Fail where a should clause is broken too."},
    ),
    _Option(
        "run",
        {"metavar": "FILE", "help": "Judge this run file; no framework is started."},
        has_short=False,
    ),
    _Option("plugin", _many("MODULE", "Ask the adapters of MODULE or path/to/file.py too"), has_short=False),
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The long forms, which are ours by their name."""
    group = parser.getgroup("conformance", "conformance of softmax and sigmoid cross-entropy")
    for option in _OPTIONS:
        group.addoption(LONG + option.name, dest=option.dest, **option.attributes)


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> Generator[None, object, object]:
    """The short forms that are free, once everybody else has taken theirs.

    Registered earlier, they would collide with those of plug-ins and of ``conftest.py`` files that are
    loaded after this one, and break a pytest that has nothing to do with us.
    """
    done = yield
    taken = _taken(parser)
    group = parser.getgroup("conformance")
    for option in _OPTIONS:
        if option.has_short and taken is not None and SHORT + option.name not in taken:
            group.addoption(SHORT + option.name, dest=option.dest, **option.attributes)
    _check_root(early_config, parser, args)
    return done


def _check_root(config: pytest.Config, parser: pytest.Parser, args: list[str]) -> None:
    """Raise pytest.UsageError where a file of ours has moved the root of somebody's tests.

    pytest looks for its root and its settings before it knows our options, and takes a file that stands alone
    for a place of tests: with ``--conformance-run out/run.parquet`` the root might be ``out``.
    """
    given = parser.parse_known_args(list(args), namespace=copy.copy(config.option))
    without = _root_of(config, given)
    if without is not None and without != (config.rootpath, config.inipath):
        words = " or ".join(LONG + name for name in ("run", "waivers", "plugin"))
        raise pytest.UsageError(
            f"pytest took a file of {words} for a place of tests, and {config.rootpath} for their root "
            f"instead of {without[0]}: write it with an equals sign, as in {LONG}run=RUN.parquet"
        )


def _root_of(config: pytest.Config, given: Any) -> tuple[Any, Any] | None:
    """Root and settings for what remains when our options are taken; None where pytest has no way to say."""
    try:
        from _pytest.config.findpaths import determine_setup

        told = {
            "inifile": given.inifilename,
            "override_ini": given.override_ini,
            "args": given.file_or_dir,
            "rootdir_cmd_arg": given.rootdir or None,
            "invocation_dir": config.invocation_params.dir,
        }
        known = inspect.signature(determine_setup).parameters
        root, settings, *_ = determine_setup(**{k: v for k, v in told.items() if k in known})
    except (ImportError, AttributeError, TypeError, ValueError):
        return None
    return root, settings


def _taken(parser: pytest.Parser) -> set[str] | None:
    """All option strings there are; None where this pytest does not let us know."""
    try:
        groups = [parser._anonymous, *parser._groups]
        return {name for group in groups for option in group.options for name in option.names()}
    except (AttributeError, TypeError):
        return None


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line, and the defaults for the rest."""

    frameworks: tuple[str, ...]
    devices: tuple[str, ...]
    profile: str | None
    waivers: tuple[str, ...]
    known_waivers: bool
    fail_on: frozenset[str]
    run: str | None
    plugins: tuple[str, ...]

    @classmethod
    def of(cls, config: pytest.Config) -> Options:
        """Of a pytest that may have been told not to load this plug-in: then all are defaults."""

        def given(name: str) -> Any:
            return config.getoption(f"conformance_{name}", default=None)

        return cls(
            frameworks=tuple(given("framework") or ()),
            devices=tuple(given("device") or ()),
            profile=given("profile"),
            waivers=tuple(given("waivers") or ()),
            known_waivers=not given("no_known_waivers"),
            fail_on=frozenset(given("fail_on") or ()),
            run=given("run"),
            plugins=tuple(given("plugin") or ()),
        )


# --- a function of one's own ------------------------------------------------------------------------------


@pytest.fixture
def conformance_check(request: pytest.FixtureRequest) -> Any:
    """Judges a function of one's own, and fails the test where it does not conform.

    ``conformance_check(my_loss, "sparse_softmax_cross_entropy", framework="torch")``.
    """
    from xent_conformance.pytesting.kernels import Checking  # not before a test asks for it

    return Checking(Options.of(request.config))


# --- after the tests -------------------------------------------------------------------------------------

RUN_FILE = pytest.StashKey[str]()
"""Where the run file of this session is."""

BREAKS_SHOULD = "conformance_breaks_should"
"""The property of a test that passed although so many rows break a should clause."""


def wrote(config: pytest.Config, path: str) -> None:
    """Remember the run file, and tell xdist's controller if this is a worker of it."""
    config.stash[RUN_FILE] = path
    output = getattr(config, "workeroutput", None)
    if output is not None:
        output["conformance_run"] = path


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A worker of xdist has ended: it knows where the run file is."""
    path = getattr(node, "workeroutput", {}).get("conformance_run")
    if path:
        node.config.stash[RUN_FILE] = path


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """What a person may want next, where conformance tests have run."""
    path = config.stash.get(RUN_FILE, None)
    if path is None:
        return
    lenient = sum(
        any(name == BREAKS_SHOULD for name, _ in getattr(report, "user_properties", ()))
        for report in terminalreporter.stats.get("passed", ())
    )
    if lenient:
        terminalreporter.write_line(
            f"conformance: {lenient} of the tests that passed break a should clause; "
            "they fail with --conformance-fail-on should"
        )
    from xent_conformance.reports.run import commands  # not before a test of ours has run

    terminalreporter.write_line(f"conformance: see all with: {commands.report([path], 'report.html')}")
