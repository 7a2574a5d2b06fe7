"""The README is true: its commands parse, its links lead somewhere, its tables match the code."""

from __future__ import annotations

import re
import shlex

import pytest
import typer.main

from docs.claims import blocks, within
from tests.support.faults.seeded import FAULTS
from tests.support.faults.variants import VARIANTS
from tests.support.mutants.mutate import mutants
from tests.support.paths import ROOT
from xent_conformance.__main__ import app
from xent_conformance.reports.run.words import Grade

README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ \.venv/bin/conformance ([^#\n]+)", README, re.MULTILINE)


def test_there_are_commands_to_check() -> None:
    assert len(COMMANDS) >= 6


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_parse(command: str) -> None:
    """Unknown subcommands and options raise; nothing is run."""
    name, *arguments = shlex.split(command)
    typer.main.get_command(app).commands[name].make_context(name, arguments).close()


def test_a_command_that_is_wrong_would_be_noticed() -> None:
    with pytest.raises(Exception, match="--no-such-option"):
        typer.main.get_command(app).commands["run"].make_context("run", ["--no-such-option"])


def test_links_lead_somewhere() -> None:
    links = [target.split("#")[0] for target in re.findall(r"\]\(([^)]+)\)", README)]
    local = [target for target in links if not target.startswith("http")]
    assert len(local) >= 8
    assert [target for target in local if not (ROOT / target).exists()] == []


def test_every_grade_is_explained() -> None:
    for grade in Grade:
        if grade is not Grade.NONE:
            assert f"| `{grade.value}` |" in README


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^\$ make (\w+)", README, re.MULTILINE):
        assert f"\n{target}:" in makefile


def _named_right() -> str:
    """``189 of the 235``, as the page of diagnosis has it."""
    page = (ROOT / "docs" / "DIAGNOSIS.md").read_text(encoding="utf-8")
    (found,) = re.findall(
        r"^(\d+ of the \d+) faults that `quick` catches are named right", page, re.MULTILINE
    )
    return str(found)


def test_faults_variants_and_mutants_are_counted() -> None:
    power = (ROOT / "docs" / "POWER.md").read_text(encoding="utf-8")
    silent = len(re.findall(r"^\| `\w+` \|.*\| nothing \|$", power, re.MULTILINE))
    counted = (
        f"{len(FAULTS)} seeded faults",
        f"like any other implementation: {sum(f.beyond is None for f in FAULTS)} are caught in `quick`",
        f"{len(VARIANTS)} correct variants",
        f"{silent} (other sums, one pass, higher precision, a reciprocal) raise no alarm at all",
        f"and {len(VARIANTS) - silent} forms that everybody ships",
        f"{len(mutants())} [mutants](docs/MUTANTS.md)",
        f"({_named_right()} that `quick` catches are named right)",
    )
    assert [words for words in counted if words not in README] == []


@pytest.mark.parametrize("name", ["found", "ordinary", "cost"])
def test_what_is_said_of_the_pinned_versions_is_what_the_published_run_has(name: str) -> None:
    found = within(name).search(README)
    assert found and found[0] == f"{found[1]}{blocks()[name]}{found[2]}", "run: python -m docs.claims --write"
