"""The command line: exit status, what is printed where, and what a refusal tells a person to do."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from mpmath import exp, log1p, nstr, workdps
from typer.testing import Result

from tests.support.by_hand import Install
from tests.support.cli import conformance, invoke
from tests.support.paths import ROOT
from tests.support.small_run import run_of, verdict
from xent_conformance import __version__
from xent_conformance.commands.line import EVIDENCE, USAGE
from xent_conformance.discovery.framework import FRAMEWORKS
from xent_conformance.reference.clauses import clauses
from xent_conformance.reference.formats import FORMATS
from xent_conformance.reference.operators import OPERATORS
from xent_conformance.reports.run.file import Run, read_run, write_run
from xent_conformance.reports.text.numbers import shortest
from xent_conformance.running import engine

pytestmark = pytest.mark.usefixtures("forked")

SMALL = ["--profile", "quick", "--dtype", "float32", "--operator", "softmax", "--family", "two_classes"]
NAN_CASE = "softmax/special_values/nan_first/float32/n10/r0"


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports and caches of these tests stay among themselves."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def _refused(*arguments: str, status: int) -> str:
    """What a refusal says, as one line: nothing of it is on standard output."""
    return " ".join(conformance(*arguments, status=status).stderr.split())


def test_version() -> None:
    assert conformance("--version").stdout == f"xent-conformance {__version__}\n"


def test_help_names_the_commands() -> None:
    result = invoke("--help")
    for command in ("list", "run", "report", "explain"):
        assert command in result.output


def test_the_module_is_the_script(tmp_path: Path) -> None:
    """In a process of its own, the exit status reaches the shell and errors the error stream."""
    done = subprocess.run(
        [sys.executable, "-m", "xent_conformance", "explain", "softmax/nonsense"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.returncode == USAGE and done.stdout == ""
    assert "error: no case 'softmax/nonsense'" in done.stderr


# --- list --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "names"),
    [
        ("operators", list(OPERATORS)),
        ("implementations", [i.name for f in FRAMEWORKS.values() for i in f.declaration.implementations]),
        ("families", ["special_values", "two_classes", "huge_logits"]),
        ("clauses", list(clauses())),
    ],
)
def test_list(what: str, names: list[str]) -> None:
    text = conformance("list", what).stdout
    assert [name for name in names if name not in text] == []


def test_list_devices(install: Install) -> None:
    install(fake="Exact", gone="Absent")
    text = conformance("list", "devices").stdout
    assert "flavour = Exact" in text and "not installed" in text


def test_list_of_something_else() -> None:
    assert "nonsense" in _refused("list", "nonsense", status=USAGE)


# --- run ---------------------------------------------------------------------------------------------


def test_run(install: Install, tmp_path: Path) -> None:
    install(fake="OneUlpOff")
    text = conformance("run", *SMALL, "-o", "out.parquet").stdout
    run = read_run(tmp_path / "out.parquet")
    assert f"{run.verdicts.height} verdicts" in text and "fake" in text
    assert "wrote out.parquet; see it with: conformance report out.parquet -o report.html" in text
    assert run.header["selection"]["families"] == ["two_classes"]


def test_run_asks_every_implementation_that_is_named(install: Install, tmp_path: Path) -> None:
    install(fake="Exact", other="Exact")
    every = ("--profile", "quick", "--dtype", "float32", "--family", "two_classes")
    conformance("run", *every, "--implementation", "fake.softmax", "--implementation", "fake.log_s*")
    asked = set(read_run(tmp_path / "run.parquet").verdicts["implementation"])
    assert asked == {"fake.softmax", "fake.log_softmax"}


def test_run_prints_causes_and_the_decision_and_is_done(install: Install) -> None:
    """Causes are a result, not a failure: `gate` is what fails, here its sentence is only said, last."""
    install(fake="AlwaysNan")
    text = conformance("run", *SMALL).stdout
    assert re.search(r"^must    .* · returned NaN, right .* · fake · \d+ verdicts", text, re.MULTILINE)
    assert text.splitlines()[-1].startswith("gate failed: ")
    assert Path("run.parquet").is_file()


def test_a_pipe_gets_no_colour_and_no_cursor_and_the_width_that_it_is_told(install: Install) -> None:
    """Standard output and error of a process that writes into pipes, as CI and `less` start it."""
    install(fake="AlwaysNan")
    conformance("run", *SMALL)
    command = [sys.executable, "-m", "xent_conformance", "causes", "run.parquet"]
    told = {**os.environ, "COLUMNS": "60", "TERM": "xterm-256color"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=told)
    assert "\x1b" not in done.stdout + done.stderr and "\r" not in done.stdout + done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith(("must ", "should "))]
    assert lines and all(len(line) <= 60 for line in lines)
    again = [*command[:3], "run", "--framework", "numpy", *SMALL, "-o", "numpy.parquet"]
    done = subprocess.run(again, capture_output=True, text=True, check=True, env=told)
    assert "\x1b" not in done.stdout + done.stderr and "\r" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("option", "name", "near"),
    [
        ("--framework", "pytorhc", "torch"),
        ("--operator", "softmx", "softmax"),
        ("--dtype", "float31", "float32"),
        ("--family", "two_clases", "two_classes"),
        ("--profile", "quik", "quick"),
        ("--implementation", "torch.nn.functional.crossentropy", "torch.nn.functional.cross_entropy:indices"),
    ],
)
def test_run_with_an_unknown_name(option: str, name: str, near: str, tmp_path: Path) -> None:
    message = _refused("run", option, name, status=USAGE)
    assert f"'{name}'" in message and near in message
    assert list(tmp_path.glob("run.parquet*")) == []


def test_run_with_a_framework_absent(install: Install, tmp_path: Path) -> None:
    install(gone="Absent", fake="Exact")
    named = ("--framework", "gone", "--framework", "fake")
    result = conformance("run", *named, *SMALL, status=EVIDENCE)
    assert "absent: gone: ModuleNotFoundError: No module named 'no_such_framework'" in result.stdout
    assert "add it with: pip install 'gone'" in result.stdout
    assert "the run is incomplete: gone was asked for and is not there: ModuleNotFound" in result.stderr
    run = read_run(tmp_path / "run.parquet")
    assert set(run.verdicts["framework"]) == {"fake"} and not run.complete


def test_run_where_nobody_is_there_says_that_alone(install: Install, tmp_path: Path) -> None:
    """No table without a row, no word of causes, and no file that holds no verdict."""
    install(gone="Absent")
    result = conformance("run", "--framework", "gone", *SMALL, status=EVIDENCE)
    assert result.stdout == "" and list(tmp_path.glob("run.parquet*")) == []
    assert "gone was asked for and is not there: ModuleNotFoundError" in result.stderr
    assert result.stderr.strip().endswith("; nothing is written")


def test_run_where_nobody_has_the_device_says_that_alone(install: Install, tmp_path: Path) -> None:
    """Nothing is written, and nothing is kept to go on with."""
    install(fake="Exact")
    named = ("--framework", "fake", "--device", "cuda")
    result = conformance("run", *named, *SMALL, status=EVIDENCE)
    assert result.stdout == "" and list(tmp_path.glob("run.parquet*")) == []
    told = "cuda was asked for and is not there: no framework that was asked has the device cuda"
    assert told in result.stderr and result.stderr.strip().endswith("; nothing is written")


def test_resume_without_a_journal() -> None:
    message = _refused("run", "--framework", "numpy", *SMALL, "--resume", status=EVIDENCE)
    assert "nothing to resume: there is no run.parquet.partial; run without --resume" in message


def test_resume_of_another_run(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install(fake="Exact")
    with monkeypatch.context() as m:
        m.setattr(engine, "write_run", _stop)
        _conformance_interrupted("run", *SMALL)
    assert Path("run.parquet.partial").is_dir()
    message = _refused("gate", "run.parquet", status=EVIDENCE)
    assert "has not finished; wait for it, or go on with it by the same command and --resume" in message
    message = _refused("run", *SMALL, "--framework", "fake", "--resume", status=EVIDENCE)
    assert "belongs to another run" in message
    conformance("run", *SMALL, "--resume")


def _stop(*_: object) -> None:
    raise KeyboardInterrupt


def _conformance_interrupted(*arguments: str) -> Result:
    result = invoke(*arguments)
    assert result.exit_code == 130
    return result


def test_an_interrupted_run_says_how_to_go_on(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install(fake="Exact")
    monkeypatch.setattr(engine, "write_run", _stop)
    assert "--resume" in _conformance_interrupted("run", *SMALL).stderr


# --- report ------------------------------------------------------------------------------------------


def test_report(install: Install) -> None:
    install(fake="AlwaysNan")
    conformance("run", *SMALL)
    assert "wrote out/page.html" in conformance("report", "run.parquet", "-o", "out/page.html").stdout
    page = Path("out/page.html").read_text(encoding="utf-8")
    assert "fake.softmax" in page and page.rstrip().endswith("</html>")


def test_report_says_what_is_wrong_a_line_a_cause_and_the_decision_last(install: Install) -> None:
    install(fake="AlwaysNan")
    conformance("run", *SMALL)
    lines = conformance("report", "run.parquet").stdout.splitlines()
    assert any(line.startswith("must ") and "returned NaN" in line for line in lines)
    assert lines[-2].startswith("wrote report.html") and lines[-1].startswith("gate failed: ")
    assert conformance("report", "run.parquet", "--no-gate").stdout.splitlines()[-1].startswith("wrote ")


def test_report_of_a_file_that_names_no_causes_says_how_to_find_them(tmp_path: Path) -> None:
    write_run(tmp_path / "old.parquet", run_of([verdict(status="breaks_must")]))
    text = conformance("report", "old.parquet").stdout
    assert "1 broken verdict, whose causes are not named in the run file" in text
    assert "conformance causes old.parquet" in text


def test_report_of_a_missing_file() -> None:
    message = _refused("report", "gone.parquet", status=EVIDENCE)
    assert "gone.parquet: no such file; `conformance run -o FILE` writes one" in message
    long = f"{'a' * 240}.parquet"  # beside which nothing could be kept
    assert "no such file" in _refused("report", long, status=EVIDENCE)
    assert not Path("report.html").exists()


@pytest.mark.parametrize(
    "line",
    [
        ("gate", ""),
        ("report", ""),
        ("merge", ""),
        ("compare", "old.parquet", ""),
        ("gate", "run.parquet", "--baseline", ""),
        ("gate", "run.parquet", "--waivers", ""),
        ("first", "numpy", "--baseline", ""),
    ],
)
def test_an_empty_name_is_no_folder(line: tuple[str, ...]) -> None:
    """A variable that is not set gives one; as a path it would be the folder that we are in."""
    message = " ".join(_refused(*line, status=USAGE).split())
    assert "Invalid value for" in message and "the name is empty: name a file" in message


def test_a_folder_is_said_to_be_one(tmp_path: Path) -> None:
    for line in (("gate", str(tmp_path)), ("compare", ".", "new.parquet")):
        assert ": a folder, and no run file; name the run file" in _refused(*line, status=EVIDENCE)


def test_report_of_a_torn_file(install: Install) -> None:
    install(fake="Exact")
    conformance("run", *SMALL)
    whole = Path("run.parquet").read_bytes()
    Path("run.parquet").write_bytes(whole[: len(whole) // 2])
    assert "run.parquet: torn (" in _refused("report", "run.parquet", status=EVIDENCE)
    assert not Path("report.html").exists()


def test_report_of_one_run_twice(install: Install) -> None:
    install(fake="Exact")
    conformance("run", *SMALL)
    message = _refused("report", "run.parquet", "run.parquet", status=EVIDENCE)
    assert "two run files answer for fake.softmax on cpu" in message


# --- explain -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("case", "near"),
    [
        ("softmax/special_values/nan_frist/float32/n10/r0", NAN_CASE),
        ("what", "a case id reads OPERATOR/FAMILY/VARIANT/DTYPE/nN/rROW"),
    ],
)
def test_explain_an_unknown_case(case: str, near: str) -> None:
    message = _refused("explain", case, status=USAGE)
    assert f"no case '{case}'" in message and near in message


def test_explain_an_unknown_implementation() -> None:
    result = conformance("explain", NAN_CASE, "--implementation", "nope*", status=USAGE)
    message = " ".join(result.stderr.split())
    assert "no implementation of softmax matches 'nope*' (`conformance list implementations`" in message


def test_explain_with_numpy_alone() -> None:
    """Inputs to the last bit, thirty certified digits, and what each door returned, by which clause."""
    case = "log_softmax/two_classes/confident_right/float32/n2/r6"
    text = conformance("explain", case, "--implementation", "numpy:*").stdout
    inputs = [line.split("│") for line in text.splitlines() if line.count("│") > 4]
    bits = {cell.strip() for cells in inputs for cell in cells if cell.strip().startswith("0x")}
    assert FORMATS["float32"].hex(15.0) in bits and FORMATS["float32"].hex(0.0) in bits
    with workdps(40):
        tail = log1p(exp(-15))  # of log_softmax(15, 0)
        for right in (-tail, -15 - tail):
            assert nstr(right, 30, min_fixed=-1).split("e")[0][:-1] in text
    assert "numpy:log_softmax-shifted eager cpu" in text and "numpy:log_softmax-naive eager cpu" in text
    assert "clause 1.2 (should) Relative accuracy" in text
    assert "ulp (" in text and " against 0x" in text
    assert "torch" not in text and "not installed" not in text


def test_explain_shows_what_raised_and_what_is_absent(install: Install) -> None:
    install(fake="Raises", gone="Absent")
    text = conformance("explain", NAN_CASE).stdout
    assert "raised: ValueError: I do not like NaN" in text
    assert "not installed: gone (pip install 'gone')\n" in text
    assert "clause 3.2 (must) NaN is passed on" in text


def test_explain_agrees_with_the_run(install: Install) -> None:
    """The same answer is judged in the same way, whichever way one asks."""
    install(fake="OneUlpOff")
    conformance("run", "--profile", "quick", "--operator", "softmax", "--family", "special_values")
    run: Run = read_run(Path("run.parquet"))
    case = "softmax/special_values/masked_first/float32/n10/r0"
    (row,) = run.verdicts.filter(case=case, output="value").iter_rows(named=True)
    text = conformance("explain", case).stdout
    assert f"value: breaks must, clause {row['clause']} (must)" in text
    got, right = (shortest(row[side], "float32") for side in ("got", "rounded"))
    assert f"element {row['index']}: returned {got}, right {right}" in text


@pytest.mark.usefixtures("opened")
def test_explain_where_one_framework_breaks_on_import(install: Install) -> None:
    install(broken="BreaksOnImport", fake="Exact")
    text = conformance("explain", NAN_CASE).stdout
    assert "fake.softmax" in text and "bool8" in text


def test_explain_a_device_with_brackets_in_its_name(install: Install) -> None:
    install(fake="OddDevice")
    assert "fake.softmax eager cpu[isa=avx2]" in conformance("explain", NAN_CASE).stdout


def test_search_of_a_framework_that_breaks_on_import(install: Install) -> None:
    install(broken="BreaksOnImport")
    message = _refused("search", "--implementation", "fake.softmax", "--budget", "0", status=EVIDENCE)
    assert "bool8" in message


def test_run_where_nothing_can_be_written(install: Install) -> None:
    install(fake="Exact")
    Path("file").touch()
    assert "file" in _refused("run", *SMALL, "-o", "file/run.parquet", status=EVIDENCE)
