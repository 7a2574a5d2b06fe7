"""For scripts: outputs anywhere, quiet and verbose, short options, completion, exit statuses in the help."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import typer.main

from tests.support.by_hand import Install
from tests.support.cli import conformance
from xent_conformance import __version__
from xent_conformance.commands.base import STATUSES
from xent_conformance.commands.line import EVIDENCE, FAILED, USAGE, app
from xent_conformance.reports.run.file import read_run

pytestmark = pytest.mark.usefixtures("forked")

SMALL = ("--profile", "quick", "--dtype", "float32", "--operator", "softmax", "--family", "two_classes")
CASE = "softmax/two_classes/confident_wrong/float32/n2/r0"


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def run(install: Install) -> str:
    """A run file that fails the gate."""
    install(fake="AlwaysNan")
    conformance("run", *SMALL, "-q")
    return "run.parquet"


# --- where it goes ---


@pytest.mark.parametrize(
    "words", [("list", "operators"), ("explain", CASE), ("gate", "run.parquet"), ("causes", "run.parquet"),
              ("compare", "run.parquet", "run.parquet"), ("config",), ("cache",)], ids=" ".join,
)  # fmt: skip
@pytest.mark.parametrize("formatted", ["text", "json"])
def test_what_is_printed_goes_to_a_file_as_well(words: tuple[str, ...], formatted: str, run: str) -> None:
    """The same, and nothing on standard output but what stands there without ``-o``."""
    printed = conformance(*words, "--format", formatted, status=None)
    dashed = conformance(*words, "--format", formatted, "-o", "-", status=None)
    written = conformance(*words, "--format", formatted, "--out", "told.txt", status=None)
    assert printed.stdout == dashed.stdout == Path("told.txt").read_text(encoding="utf-8") != ""
    assert written.stdout == "" and "wrote told.txt" in written.stderr
    assert printed.exit_code == dashed.exit_code == written.exit_code
    if formatted == "json":
        json.loads(printed.stdout)


def test_a_run_file_on_standard_output_is_kept_nowhere(install: Install) -> None:
    install(fake="AlwaysNan")
    done = conformance("run", *SMALL, "-o", "-")
    Path("piped.parquet").write_bytes(done.stdout_bytes)
    assert read_run(Path("piped.parquet")).tested == ("fake 1.0",)
    assert pl.read_parquet(io.BytesIO(done.stdout_bytes)).height > 0
    assert "gate failed" in done.stderr and "wrote" not in done.stderr
    assert sorted(p.name for p in Path().iterdir() if p.name != "cache") == ["piped.parquet"]


def test_a_document_alone_leaves_no_file(install: Install) -> None:
    install(fake="Exact")
    told = json.loads(conformance("run", *SMALL, "-o", "-", "--format", "json").stdout)
    assert told["file"] == "" and told["complete"] is True
    assert [p.name for p in Path().iterdir() if p.name != "cache"] == []


def test_nothing_kept_is_nothing_to_resume(install: Install) -> None:
    install(fake="Exact")
    assert "nothing to resume" in conformance("run", *SMALL, "-o", "-", "--resume", status=USAGE).stderr


def test_one_thing_at_a_time_on_standard_output(run: str) -> None:
    done = conformance("gate", run, "--junit", "-", status=FAILED)
    assert done.stdout.startswith("<?xml") and "gate failed" in done.stderr and not Path("-").exists()
    twice = conformance("gate", run, "--junit", "-", "--json", "-", status=USAGE)
    assert "--json -: --junit - is what standard output is for; name a file" in " ".join(twice.stderr.split())
    both = conformance("gate", run, "--junit", "-", "--format", "json", status=USAGE)
    assert "--junit -: --format json is what standard output is for" in " ".join(both.stderr.split())
    conformance("gate", run, "--junit", "-", "--format", "json", "-o", "gate.json", status=FAILED)


def test_no_file_is_written_over_what_is_read(run: str) -> None:
    before = Path(run).read_bytes()
    for words in (("gate", run), ("causes", run), ("compare", run, run)):
        assert "is read by the same command" in conformance(*words, "-o", run, status=USAGE).stderr
    assert Path(run).read_bytes() == before


def test_where_nothing_matches_no_file_is_written(install: Install) -> None:
    install(fake="Exact")
    for formatted in ("text", "json"):
        words = ("--implementation", "nobody", "-o", "told.txt", "--format", formatted)
        conformance("explain", CASE, *words, status=USAGE)
        assert not Path("told.txt").exists()


def test_what_cannot_be_written_is_status_3(run: str) -> None:
    Path("file").touch()
    assert "cannot be written" in conformance("list", "operators", "-o", "file/x", status=EVIDENCE).stderr


# --- how much ---


def test_quiet_is_the_decision_alone(run: str, install: Install) -> None:
    (sentence,) = conformance("gate", run, "-q", status=FAILED).stdout.splitlines()
    assert sentence.startswith("gate failed")
    for words in (("run", *SMALL, "--quiet"), ("causes", run, "-q"), ("report", run, "--quiet")):
        done = conformance(*words)
        assert done.stdout.splitlines() == [sentence] and done.stderr == ""
    (compared,) = conformance("compare", run, run, "-q").stdout.splitlines()
    assert compared.endswith("same")


def test_a_run_decides_nothing_where_the_gate_is_asked_later(run: str, install: Install) -> None:
    asked = conformance("run", *SMALL, "--no-gate")
    assert "wrote run.parquet" in asked.stdout and "must" in asked.stdout
    assert "gate " not in asked.stdout + asked.stderr
    assert conformance("run", *SMALL, "--no-gate", "-q").stdout == ""
    words = ("--no-gate", "--format", "json")
    said = conformance("run", *SMALL, *words, status=USAGE).stderr
    assert "--no-gate decides nothing, and the document has the decision: leave one out" in said
    assert conformance("run", *SMALL, *words, "--dry-run").stdout.startswith("{")


def test_verbose_is_more(run: str) -> None:
    for words in (("gate", run), ("causes", run), ("run", *SMALL)):
        plain, more = (conformance(*words, *v, status=None).stdout for v in ((), ("-v",)))
        assert len(more.splitlines()) > len(plain.splitlines())
    assert "fake 1.0 on cpu: 1 of 1 batches; imported in " in conformance("run", *SMALL, "--verbose").stdout
    gate = conformance("gate", run, "-v", status=FAILED).stdout
    assert gate.count("\n  not evaluated: ") > 10


# --- options that every program has ---


def test_short_options() -> None:
    assert conformance("-V").stdout == f"xent-conformance {__version__}\n"
    assert conformance("-h").stdout == conformance("--help").stdout
    commands: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    for name in commands:
        assert "Usage:" in conformance(name, "-h").stdout, name
    assert "--older-than" in conformance("cache", "clean", "-h").stdout


def _help(*words: str) -> str:
    return re.sub(r"[^-\w·.,()`]+", " ", conformance(*words, "--help").stdout)


def test_the_exit_statuses_are_in_the_help() -> None:
    text = _help()
    assert "Exit status 0 done, or passed" in text
    for status, words in STATUSES.items():
        assert f"{status} {words}" in text


@pytest.mark.parametrize(
    ("command", "statuses"),
    {
        "run": "0 2 3 130",
        "gate": "0 1 2 3",
        "upgrade": "0 1 2 3 130",
        "matrix": "0 2 3 130",
        "causes": "0 2 3",
        "report": "0 2 3",
        "check-plugin": "0 1 2",
        "config": "0 2 3",
        "cache clean": "0 2 3",
    }.items(),
)
def test_of_each_command_where_they_differ(command: str, statuses: str) -> None:
    """Tests of each command fire them: here, in test_cli, in those of the gate and of upgrades."""
    told = _help(*command.split()).partition("Exit status ")[2]
    assert re.findall(r"(?:^|· )(\d+) ", told) == statuses.split()


# --- completion ---


def _completed(line: str) -> tuple[list[str], set[str]]:
    """What bash is told of a line, by a process of its own, and the modules that it took."""
    words = line.split(" ")
    asked = {"_CONFORMANCE_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    code = (
        "import sys\nsys.argv[0] = 'conformance'\nfrom xent_conformance.commands.line import app\n"
        "try:\n    app(prog_name='conformance')\nfinally:\n"
        "    print(*(m.partition('.')[0] for m in sys.modules), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **asked},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.split("\n")[:-1] or done.stdout.split(), set(done.stderr.split())


@pytest.mark.parametrize(
    ("line", "has"),
    [
        ("conformance ga", ["gate"]),
        ("conformance run --framework to", ["torch"]),
        ("conformance run --framework torch --operator sparse_", ["sparse_softmax_cross_entropy"]),
        ("conformance run --family two", ["two_classes"]),
        ("conformance run --dtype bf", ["bfloat16"]),
        ("conformance run --profile st", ["standard"]),
        ("conformance run --exclude numpy:log", ["numpy:log_softmax-shifted"]),
        ("conformance explain x --implementation torch.softm", ["torch.softmax"]),
        ("conformance run --device cpu[isa=d", ["cpu[isa=default]"]),
    ],
)
def test_names_are_completed_without_a_framework(line: str, has: list[str]) -> None:
    completed, modules = _completed(line)
    assert set(has) <= set(completed), completed
    assert modules & {"polars", "torch", "jax", "tensorflow", "keras", "scipy", "onnx"} == set()
    assert all(word.startswith(line.split(" ")[-1]) for word in completed)
