"""A wrong word is answered in the words that people type, and with what is near."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

import xent_conformance
from tests.support.cli import conformance
from xent_conformance.commands import where
from xent_conformance.commands.line import app


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("operator", "did you mean operators?"),
        ("Device", "did you mean devices?"),
        ("xyz", "there are operators"),
        ("frameworks", "devices are, each under its framework"),
    ],
)
def test_what_is_no_list(word: str, hint: str) -> None:
    told = " ".join(conformance("list", word, status=2).stderr.replace("│", "").split())
    assert f"{word!r} is no list: {hint}" in told and "Value error" not in told


def test_a_list_of_implementations_is_narrowed_by_framework_and_operator() -> None:
    words = ("list", "implementations", "--framework", "tf", "--operator", "sigmoid", "--format", "json")
    found = json.loads(conformance(*words).stdout)
    assert {(r["framework"], r["operator"]) for r in found} == {("tensorflow", "sigmoid")}
    assert len(found) < len(json.loads(conformance("list", "implementations", "--format", "json").stdout))
    assert (
        "did you mean torch" in conformance("list", "implementations", "--framework", "trch", status=2).stderr
    )
    assert (
        "narrow `list implementations`"
        in conformance("list", "clauses", "--framework", "torch", status=2).stderr
    )


def test_the_usage_of_a_line_that_names_no_command_names_none() -> None:
    told = conformance("torch", "--format", "json", status=2).stderr
    assert "[OPTIONS] [FRAMEWORK]...\n" in told and " first " not in told
    assert " torch -h'" in told
    assert " jax -h'" in conformance("jax", "--profle", "quick", status=2).stderr
    assert " first " not in conformance("torch", "--help").stdout.partition("The first answer")[0]


@pytest.mark.parametrize(
    "words",
    [
        ["run", "--framework", "torch"],
        ["torch"],
        ["explain", "sigmoid/any"],
        ["doctor", "--framework", "torch"],
    ],
    ids=lambda words: words[0],
)
def test_a_python_that_cannot_be_started_is_wrong_usage_in_one_line(words: list[str], tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("no program", encoding="utf-8")
    text.chmod(0o755)
    told = conformance(*words, "--python", str(text), status=2).stderr
    do = "cannot be started (Exec format error); name the python of an environment"
    assert told == f"error: --python {text}: {text} {do}\n"


def _numbers() -> list[tuple[str, str]]:
    """Every option of every command that takes a number with a fraction."""

    def of(command: Any, path: str) -> Iterator[tuple[str, str]]:
        for name, inner in getattr(command, "commands", {}).items():
            yield from of(inner, f"{path} {name}".strip())
        for parameter in command.params:
            if parameter.type.name in ("float", "float range"):
                yield path, parameter.opts[0]

    return list(of(typer.main.get_command(app), ""))


def test_no_option_takes_nan_for_a_number(tmp_path: Path) -> None:
    """It is in every range, and waits for ever or not at all."""
    found = _numbers()
    assert ("run", "--timeout") in found and ("gate", "--drift-factor") in found and len(found) >= 9
    there = tmp_path / "there.parquet"
    there.touch()
    needed = {"compare": [str(there)] * 2, "gate": [str(there)], "upgrade": ["torch==1", "torch==2"]}
    for command, option in found:
        words = [*command.split(), *needed.get(command, ()), option, "nan"]
        told = " ".join(conformance(*words, status=2).stderr.replace("│", "").split())
        assert f"Invalid value for '{option}'" in told and "nan is no number" in told, words


def test_whose_an_implementation_is_and_what_it_needs_whatever_its_capitals() -> None:
    assert where.whose(["Torch.Softmax"]) == where.whose(["torch.softmax"]) == ["torch"]
    assert where.needs(["PyTorch", "TORCH"]) == where.needs(["torch"]) != {}


@pytest.mark.parametrize("number", [float("nan"), 0.0, -1.0])
def test_python_takes_no_such_seconds(number: float) -> None:
    with pytest.raises(ValueError, match=r"an answer is waited for some seconds, more than 0"):
        xent_conformance.run(timeout=number)


@pytest.mark.parametrize("number", [0, -1])
def test_python_takes_no_fewer_workers_than_one(number: int) -> None:
    with pytest.raises(ValueError, match=f"jobs={number}: one worker at least"):
        xent_conformance.run(jobs=number)
