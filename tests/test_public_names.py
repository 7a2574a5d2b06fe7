"""What others have written into their programs, workflows and plug-ins: names to add to, not to change.

Written out here, not derived: a change of one shows as a change of this file.
"""

from __future__ import annotations

import importlib
import inspect
import tomllib
from importlib.metadata import entry_points
from typing import Any

import pytest
import typer.main
import yaml

import xent_conformance
from tests.support.paths import ROOT
from xent_conformance.commands.line import app
from xent_conformance.discovery import plugins
from xent_conformance.frameworks import interface
from xent_conformance.reports.run.file import SCHEMA, SCHEMA_VERSION

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))

# --- Python --------------------------------------------------------------------------------------------

EXPORTED = ["Checked", "Divergence", "capture", "check", "conforms", "findings", "read_run", "run"]

CALLED_WITH = {
    "check": "function, *, operator, framework, device, dtypes, profile, families, exclude, waivers, takes, "
    "class_axis, differentiable, mode, name",
    "conforms": "operator, *, framework, dtypes, given",
    "run": "profile, frameworks, operators, *, dtypes, families, implementation, devices, plugins, cases, "
    "exclude, out, resume, force, progress, interpreters, timeout, jobs, cache",
    "capture": "path, *, framework, call, when",
    "read_run": "path",
    "findings": "run",
}

MEMBERS = {
    "Checked": "conforms explain findings raise_on_divergence report run save script verdicts waivers",
    "Implementation": "name operator formulation call note takes class_axis since",
    "Call": "implementation mode device logits labels cotangent outputs tangent keywords arguments",
    "Variant": "environment about modes needs since device",
    "Adapter": "name distribution modes autodiff implementations version environment devices run",
}


def test_what_is_exported() -> None:
    assert sorted(xent_conformance.__all__) == EXPORTED
    for name in EXPORTED:
        found = getattr(xent_conformance, name)
        assert found.__name__ == name and found.__doc__
        assert found.__module__.startswith("xent_conformance.")
    assert issubclass(xent_conformance.Divergence, AssertionError)


def signature(function: Any) -> str:
    """Names alone, with the star where those begin that must be named."""
    words, starred = [], False
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            words.append("*")
            starred = True
        words.append(parameter.name)
    return ", ".join(words)


@pytest.mark.parametrize("name", CALLED_WITH)
def test_what_functions_are_called_with(name: str) -> None:
    assert signature(getattr(xent_conformance, name)) == CALLED_WITH[name]


@pytest.mark.parametrize("name", MEMBERS)
def test_what_an_object_has(name: str) -> None:
    """Of what ``check`` returns, and of what an adapter is given and gives."""
    kind = getattr(xent_conformance if name in EXPORTED else interface, name)
    fields = {*dir(kind), *getattr(kind, "__annotations__", ())}
    made_by_hand = {"run"} if name == "Checked" else set()
    assert set(MEMBERS[name].split()) <= fields | made_by_hand
    assert isinstance(getattr(interface, "Unsupported", None), type)


# --- the command line ----------------------------------------------------------------------------------

SCRIPTS = {
    "conformance": "xent_conformance.__main__:main",
    "xent-conformance": "xent_conformance.__main__:main",
}

WHICH = "--profile --operator --dtype --family --implementation --exclude --device --plugin --python"
HOW_IT_IS_DECIDED = "--baseline --waivers --known --no-known --fail-on"
PRINTED = "--format --out -o"
ON_A_CLUSTER = "--engine --parts --per-gpu"
LOUD = "--quiet -q --verbose -v"

COMMANDS = {
    "first": f"frameworks {WHICH} --dry-run --timeout --jobs --no-cache {HOW_IT_IS_DECIDED} --out -o "
    "--quiet -q",
    "run": f"{WHICH} --force --framework --cases --resume --dry-run --timeout --jobs --no-cache "
    f"--shard {ON_A_CLUSTER} --gate --no-gate {HOW_IT_IS_DECIDED} {PRINTED} {LOUD}",
    "smoke": "frameworks --python --plugin --timeout --jobs --no-cache --waivers --known --no-known "
    "--quiet -q",
    "doctor": f"--framework --device --profile --plugin --python --timeout {PRINTED}",
    "explain": "case_id --implementation --device --plugin --cases --script --issue --mode --framework "
    f"--output --python {PRINTED}",
    "capture": "script arguments --force --framework --out -o --call --when",
    "search": "--implementation --operator --output --dtype --mode --n --budget --plugin --python",
    "merge": "parts --out -o --plugin --jobs --force --quiet -q",
    "sweep": "parts --implementation --operator --dtype --output --label --mode --device --shard --resume "
    f"--force --jobs --plugin --python --timeout {PRINTED} --quiet -q",
    "gate": f"runs --first --force {HOW_IT_IS_DECIDED} --drift-factor --junit --markdown --comment --github "
    f"--json --badge {PRINTED} {LOUD}",
    "compare": f"old new --force --html --json --drift-factor {PRINTED} {LOUD}",
    "adopt": "run --out -o --waivers --known --no-known --force",
    "waive": "runs --out -o --level --baseline --fail-on --waivers --known --no-known --force",
    "list": f"what --framework --operator --python --plugin {PRINTED}",
    "causes": f"runs --force --json --whole --gate --no-gate {HOW_IT_IS_DECIDED} {PRINTED} {LOUD}",
    "report": f"runs --first --out -o --gate --no-gate --scripts --sweep --force {HOW_IT_IS_DECIDED} {LOUD}",
    "check-plugin": "name",
    "upgrade": f"old new --force {WHICH} --framework --with --waivers --known --no-known --fail-on --out -o "
    f"--html --markdown --json {ON_A_CLUSTER} {LOUD}",
    "matrix": f"pins --force {WHICH} --framework --with --out -o --html --json {ON_A_CLUSTER}",
    "config": PRINTED,
    "cache": PRINTED,
}
"""Each command, with its arguments and all ways to write its options."""

STATUSES = {"FAILED": 1, "USAGE": 2, "EVIDENCE": 3, "INTERRUPTED": 130}


def test_the_scripts_and_where_they_lead() -> None:
    assert PROJECT["scripts"] == SCRIPTS
    assert "gui-scripts" not in PROJECT
    installed = {e.name: e.value for e in entry_points(group="console_scripts")}
    assert SCRIPTS.items() <= installed.items(), "the installation is older than pyproject.toml"


def test_the_commands_and_their_options() -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    written = {
        name: {word for p in command.params for word in (*p.opts, *p.secondary_opts)}
        for name, command in commands.items()
    }
    assert written == {name: set(words.split()) for name, words in COMMANDS.items()}
    assert commands["cache"].commands.keys() == {"clean"}
    assert typer.main.get_command(app).params[0].opts == ["--version", "-V"]


def test_the_exit_statuses() -> None:
    main = importlib.import_module("xent_conformance.commands.line")
    assert {name: getattr(main, name) for name in STATUSES} == STATUSES


# --- pytest and plug-ins -------------------------------------------------------------------------------

PYTEST_OPTIONS = (
    "framework device profile waivers no-known-waivers fail-on",  # ours where nobody else has the name
    "framework device profile waivers no-known-waivers fail-on run plugin",  # after --conformance-
)


def test_the_entry_points() -> None:
    assert PROJECT["entry-points"] == {"pytest11": {"conformance": "xent_conformance.pytesting.plugin"}}
    assert plugins.GROUP == "conformance.frameworks"


def test_the_options_of_pytest(pytestconfig: pytest.Config) -> None:
    short, long = (set(words.split()) for words in PYTEST_OPTIONS)
    parser = pytestconfig._parser
    given = {name for group in parser._groups for option in group.options for name in option.names()}
    ours = {name.removeprefix("--conformance-") for name in given if name.startswith("--conformance-")}
    assert ours == long
    assert {f"--{name}" for name in short} <= given
    assert not given & {"--run", "--plugin"}


# --- the action ----------------------------------------------------------------------------------------

INPUTS = {
    "framework": None,  # required
    "profile": "quick",
    "arguments": "",
    "waivers": "",
    "fail-on": "",
    "python": "python",
    "baseline": "",
}

OUTPUTS = ["folder", "status"]


def test_the_inputs_and_outputs_of_the_action() -> None:
    assert {name: given.get("default") for name, given in ACTION["inputs"].items()} == INPUTS
    assert [name for name, given in ACTION["inputs"].items() if given.get("required")] == ["framework"]
    assert sorted(ACTION["outputs"]) == OUTPUTS


# --- the run file --------------------------------------------------------------------------------------

COLUMNS = (
    "case hash operator family variant dtype n framework version implementation formulation mode device "
    "machine output outcome message grade status symptom clause level ulps ratio index got hi lo exponent "
    "rounded bits cause"
)


def test_the_run_file() -> None:
    """A column less or renamed is another schema. One more is not: a file without it is read as before."""
    assert SCHEMA_VERSION == 3
    assert list(SCHEMA) == COLUMNS.split()
    assert {str(kind) for kind in SCHEMA.values()} == {"String", "Int32", "Float64"}
