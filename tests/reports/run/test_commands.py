"""The one writer of commands: what is shown can be typed, and it repeats what it stands beside."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.paths import ROOT
from tests.support.small_gate import broken, decided, newer, now_header, view_of, waiver
from tests.support.small_run import Page, header, run_of, verdict
from xent_conformance.reports.html.comparison import render_comparison
from xent_conformance.reports.html.report import render
from xent_conformance.reports.run import commands
from xent_conformance.reports.run.commands import Files
from xent_conformance.reports.run.file import Run
from xent_conformance.reports.run.findings import findings
from xent_conformance.reports.run.words import OWN
from xent_conformance.reports.views.waivers import State

CASE = "softmax/two_classes/confident_wrong/float32/n2/r0"
AVX2 = "cpu[isa=avx2]"


def _run(*rows: dict[str, Any], plugins: tuple[str, ...] = (), **more: Any) -> Run:
    selection = header()["selection"] | {"plugins": list(plugins)}
    return run_of(rows or [broken()], header(selection=selection, **more))


def _own(name: str = "my_loss") -> Run:
    """As ``check`` makes it: a function of one's own, asked alone."""
    asked = {
        "frameworks": ["torch"],
        "operators": ["softmax"],
        "dtypes": ["float32"],
        "implementation": [name],
    }
    made = header(selection=header()["selection"] | asked)
    return run_of([broken(implementation=name)], made | {OWN: name})


# --- to see ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("device", "end"),
    [("cpu", ""), ("cuda:0", " --device cuda:0"), (AVX2, f" --device '{AVX2}'")],
)
def test_a_device_is_named_unless_it_is_the_plain_one(device: str, end: str) -> None:
    told = commands.explain(_run(), CASE, "torch.softmax", device)
    assert told == f"conformance explain {CASE} --implementation torch.softmax{end}"


def test_plug_ins_are_named_once() -> None:
    run = _run(plugins=("mine.py", "a b:C", "mine.py"))
    for told in (
        commands.explain(run, CASE),
        commands.script(run, broken()),
        commands.implementations(run),
        commands.ask("fake", "quick", run),
    ):
        words = shlex.split(told)
        assert [words[i + 1] for i, w in enumerate(words) if w == "--plugin"] == ["mine.py", "a b:C"]


def test_a_name_that_looks_like_a_pattern_names_itself() -> None:
    """``explain`` takes a pattern, a script one name."""
    row = broken(implementation="tf[0]*")
    assert shlex.split(commands.explain(_run(), CASE, "tf[0]*"))[4] == "tf[[]0][*]"
    assert shlex.split(commands.script(_run(), row))[4] == "tf[0]*"


def test_a_script_says_whose_it_is_and_in_which_mode() -> None:
    """It shows one implementation in one mode: the first would be shown where none is named."""
    told = commands.script(_run(), broken(mode="compile", device=AVX2))
    assert told == (
        f"conformance explain {CASE} --implementation torch.softmax --framework torch --mode compile "
        f"--output value --device '{AVX2}' --script"
    )


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ([], []),
        (["torch.a*"], ["--implementation", "torch.a*"]),
        (["torch.a", "torch.b"], ["--implementation", "torch.a", "--implementation", "torch.b"]),
        ("*", []),  # as older files have it
        ("torch.a*", ["--implementation", "torch.a*"]),
    ],
)
def test_every_pattern_that_was_asked_is_asked_again(named: list[str] | str, words: list[str]) -> None:
    selection = header()["selection"] | {"implementation": named}
    assert commands.selected(selection) == ["--profile", "quick", *words]


def test_a_function_of_ones_own_is_called_again() -> None:
    run = _own()
    told = 'check(my_loss, …, families=["two_classes"], dtypes=["float32"])'
    assert commands.explain(run, CASE, "my_loss", "cuda:0") == told
    assert commands.explain(_own("<lambda>"), CASE, "<lambda>") == told.replace("my_loss, ", "")
    assert commands.explain(run, CASE) == f"conformance explain {CASE}", "the case is one of the corpus"
    assert commands.script(run, run.verdicts.row(0, named=True)) == ""
    assert commands.ask_again(run.header) == (
        'check(my_loss, …, operator="softmax", framework="torch", dtypes=["float32"], profile="quick")'
    )


# --- to decide -------------------------------------------------------------------------------------------


def test_the_files_of_a_decision_are_those_that_were_given() -> None:
    files = Files(("a b.parquet", "c.parquet"), ("old.parquet",), ("w.toml",), known=False)
    accepted = "--waivers w.toml --no-known"
    assert files.gate() == f"conformance gate 'a b.parquet' c.parquet --baseline old.parquet {accepted}"
    assert files.waive(level="should") == (
        f"conformance waive 'a b.parquet' c.parquet --baseline old.parquet {accepted} "
        "-o new-waivers.toml --level should"
    )
    assert Files().gate() == "conformance gate RUN.parquet"
    strict = Files(baseline=("old.parquet",), fail_on=("strict",))
    assert strict.gate().endswith("--fail-on strict") and strict.waive().endswith("--fail-on strict")
    assert "--fail-on" not in Files(fail_on=("strict",)).waive(), "a policy is of a baseline"


# --- wherever one is shown -------------------------------------------------------------------------------


def _shown(run: Run) -> Iterator[str]:
    """The command beside a must clause that is broken, wherever a decision and a page show it."""
    gate = decided(run)
    yield gate.reasons[0].command
    text = Page(render(run, findings(run.verdicts), gate)).text
    yield re.search(r"Command the case whole (conformance .*?) Copy", text)[1]  # type: ignore[index]


def test_a_finding_of_a_variant_alone_is_reproduced() -> None:
    """Without ``--device`` the plain devices are asked, which conform."""
    run = _run(verdict(case=CASE), broken(device=AVX2, mode="compile"), plugins=("mine.py",))
    asks = f"conformance explain {CASE} --implementation torch.softmax --device '{AVX2}' --plugin mine.py"
    assert set(_shown(run)) == {asks}
    text = Page(render(run, findings(run.verdicts))).text
    asks = f"--framework torch --mode compile --output value --device '{AVX2}' --plugin mine.py --script"
    assert asks in text


def test_a_comparison_names_device_and_plug_in() -> None:
    plugins = now_header() | {"selection": header()["selection"] | {"plugins": ["mine.py"]}}
    on_variant = {"device": AVX2, "case": CASE}
    told = view_of([verdict(**on_variant)], [newer(**on_variant, status="breaks_must")], plugins)
    asks = f"conformance explain {CASE} --implementation torch.softmax --device '{AVX2}' --plugin mine.py"
    assert f"see it {asks}" in Page(render_comparison(told)).text


def test_a_waiver_that_worsened_on_a_variant_is_shown_there() -> None:
    gate = decided(_run(broken(device=AVX2, ulps=9e6)), [waiver(ulps=1e7), waiver(name="low", ulps=1.0)])
    states = {w.name: w.state for w in gate.waivers}
    assert states["torch-known"] is State.ACCEPTS
    worsened = decided(_run(broken(device=AVX2, ulps=9e6)), [waiver()])
    assert worsened.waivers[0].state is State.WORSENED
    assert worsened.waivers[0].next.endswith(f"--device '{AVX2}'")


def test_the_page_of_ones_own_function_names_no_command_that_cannot_know_it() -> None:
    run = _own()
    text = Page(render(run, findings(run.verdicts))).text
    assert 'the case whole check(my_loss, …, families=["two_classes"], dtypes=["float32"])' in text
    assert 'check(my_loss, …, operator="softmax"' in text
    assert "--implementation my_loss" not in text and "the command that prints it" not in text


# --- and nowhere else ------------------------------------------------------------------------------------

ROOMS = (
    "reports",
    "conformance/decision",
    "conformance/pytesting",
    "conformance/kernel",
    "conformance/versions",
    "conformance/commands/gate.py",
    "conformance/commands/show.py",
    "conformance/commands/upgrade.py",
)
WRITERS = ("reports/run/commands.py",)
VERBS = "explain|run|report|gate|waive|compare|upgrade|matrix"


def written(source: str) -> list[str]:
    """Command lines that a module makes: text of ours, and something of this run in it."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            text = "".join(str(v.value) if isinstance(v, ast.Constant) else "\0" for v in node.values)
            found += re.findall(rf"conformance (?:{VERBS})[^`;\n]*\0", text)
        if isinstance(node, ast.List | ast.Tuple):
            words = [e.value for e in node.elts if isinstance(e, ast.Constant)]
            found += ["…"] if words[:1] == ["conformance"] and len(node.elts) > 1 else []
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_no_other_module_writes_a_command(room: str) -> None:
    there = [ROOT / room] if room.endswith(".py") else sorted((ROOT / room).rglob("*.py"))
    files = [f for f in there if str(f.relative_to(ROOT)) not in WRITERS]
    assert files
    assert {f.name: told for f in files if (told := written(f.read_text("utf-8")))} == {}


@pytest.mark.parametrize(
    "source",
    [
        'f"conformance explain {case}"',
        'f"see it with: conformance report {path} -o report.html"',
        'shlex.join(["conformance", "run", *words])',
    ],
)
def test_a_command_that_is_written_elsewhere_is_seen(source: str) -> None:
    assert written(source)


def test_what_only_names_a_command_is_none() -> None:
    assert written('f"unknown {name}: `conformance list operators` shows all"') == []
    assert written('"`conformance gate` is what fails"') == []
    assert written(Path(__file__).read_text("utf-8")), "this file writes them to compare"
