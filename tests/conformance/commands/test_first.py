"""``conformance torch``: the line that names no command, its five lines, and what it refuses."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from tests.support.by_hand import Install
from tests.support.cli import conformance, invoke
from tests.support.environments import environment, files
from tests.support.small_run import header, run_of
from tests.support.upgrading import PLUGIN
from xent_conformance.asking import lending
from xent_conformance.asking.selection import Selection
from xent_conformance.cases.profile import Profile
from xent_conformance.commands import where
from xent_conformance.commands.first import absent, nothing
from xent_conformance.commands.line import EVIDENCE, FAILED, USAGE, app
from xent_conformance.discovery.framework import FRAMEWORKS
from xent_conformance.reports.run.file import read_run
from xent_conformance.reports.views.causes import causes
from xent_conformance.versions import target

pytestmark = pytest.mark.usefixtures("forked")

SMALL = ("--dtype", "float32", "--operator", "softmax", "--family", "two_classes")
NARROWED = "softmax-float32-two_classes"
FILE = f"conformance-out/fake-{NARROWED}"
OURS = target.Target()


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages and caches of these tests stay among themselves."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    lending._loan.cache_clear()


def _meant(*line: str) -> list[str]:
    """The words of a line as the commands get them."""
    group = typer.main.get_command(app)
    with group.make_context("conformance", list(line), resilient_parsing=True) as context:
        return [*context._protected_args, *context.args]


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("torch jax", "first torch jax"),
        ("--profile standard", "first --profile standard"),
        ("--profile=standard torch", "first --profile=standard torch"),
        ("run --profile quick", "run --profile quick"),
        ("first torch", "first torch"),
        ("list devices", "list devices"),
    ],
)
def test_a_line_that_names_no_command_is_the_first_answer(line: str, meant: str) -> None:
    assert _meant(*line.split()) == meant.split()


def test_help_and_version_are_their_own_answer() -> None:
    for line in (["--help"], ["--version"], ["--help", "torch"]):
        assert conformance(*line).exit_code == 0
        assert not Path("conformance-out").exists()
    assert "Usage" in conformance("torch", "--help").stdout


def test_five_lines(install: Install) -> None:
    """The decision, causes by harm, the worst of them, the files, who was asked; and nothing else."""
    install(fake="AlwaysNan", other="Exact")
    result = conformance("fake", *SMALL, status=FAILED)
    decision, by_harm, worst, files_, asked = result.stdout.strip().splitlines()
    run = read_run(Path(f"{FILE}.parquet"))
    found = causes(run)
    assert decision.startswith("gate failed: ")
    wrong = f"{len(found)} causes: {len(found)} wrong for plain inputs"
    assert by_harm == f"{wrong}; {len(found)} break a must clause and block"
    assert worst.startswith(f"the worst: {found[0].title}: fake.softmax eager cpu returned NaN, right ")
    assert files_ == f"the page: {FILE}.html (the run file: {FILE}.parquet)"
    assert asked.startswith("asked: fake 1.0, quick, in ") and asked.endswith(" s, by this Python")
    assert set(run.verdicts["framework"]) == {"fake"} and run.header["selection"]["profile"] == "quick"


def test_the_page_is_that_of_report(install: Install) -> None:
    install(fake="AlwaysNan")
    conformance("fake", *SMALL, status=FAILED)
    conformance("report", f"{FILE}.parquet", "-o", "again.html")
    page = Path(f"{FILE}.html").read_text(encoding="utf-8")
    assert page == Path("again.html").read_text(encoding="utf-8")
    assert Path("conformance-out/.gitignore").read_text(encoding="utf-8") == "*\n"


def test_its_decision_is_that_of_gate(install: Install) -> None:
    install(fake="Exact")
    assert conformance("fake", *SMALL).stdout.startswith("gate passed: ")
    kept = Path(f"{FILE}.parquet").rename("kept.parquet")
    install(fake="OneUlpOff")
    conformance("fake", *SMALL, "--baseline", str(kept), "--fail-on", "bits", status=FAILED)
    conformance(
        "gate",
        f"{FILE}.parquet",
        "--baseline",
        str(kept),
        "--fail-on",
        "bits",
        status=1,
    )


def test_what_is_installed_is_asked_and_the_rest_is_one_line(install: Install) -> None:
    install(fake="Exact", gone="Absent", other="Exact", away="Absent")
    result = conformance(*SMALL)
    assert result.stderr.startswith("asking what is installed; `conformance --help` lists the commands")
    last = result.stdout.strip().splitlines()[-1]
    assert last.startswith("asked: fake 1.0, quick, ")
    assert last.endswith("; not installed, so not asked: away, gone")
    assert set(read_run(Path(f"conformance-out/installed-{NARROWED}.parquet")).verdicts["framework"]) == {
        "fake",
        "other",
    }


def test_a_framework_that_is_there_and_broken_is_no_absent_one(install: Install) -> None:
    """Or a run would pass because what it was to test does not even start."""
    install(fake="Exact", broken="BreaksOnImport")
    result = conformance(*SMALL, status=EVIDENCE)
    assert "broken was asked for and is not there: the worker does not start" in result.stderr


def test_what_is_named_and_absent_is_an_error_with_what_to_do(install: Install) -> None:
    install(fake="Exact", gone="Absent")
    said = " ".join(conformance("gone", *SMALL, status=EVIDENCE).stderr.split())
    assert "gone was asked for and is not there: ModuleNotFoundError: No module named 'no_such_frame" in said
    assert f"in {sys.executable}, which runs the suite (pip install 'gone')" in said
    assert "or name the Python that has it: --python " in said
    assert not Path("conformance-out").exists(), "nothing was asked: there is nothing to keep"
    both = conformance("gone", "fake", *SMALL, status=EVIDENCE)
    assert "gone was asked for and is not there" in both.stderr
    assert Path(f"conformance-out/gone-fake-{NARROWED}.html").is_file(), "the others are asked"


def test_nobody_is_told_to_install_into_what_a_tool_has_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """``uvx`` throws its environment away, and ``pip`` does not reach it."""
    gap = {"framework": "gone", "message": "No module named 'gone'", "install": "pip install gone"}
    named, nobody = (run_of([], header(**{key: [gap]})) for key in ("absent", "not_installed"))
    monkeypatch.setattr(target, "maker", lambda: "")
    assert "which runs the suite (pip install gone). To go on, install it there, leave" in absent(named, OURS)
    assert "which runs the suite; install one there, or name the Python that has" in nothing(nobody, OURS)
    monkeypatch.setattr(target, "maker", lambda: "uv")
    made = f"in {sys.executable}, which uv has made to run the suite"
    to_go_on = "To go on, install it in an environment of yours, and activate that, leave its name out"
    assert f"{made}. {to_go_on}" in absent(named, OURS)
    assert f"{made}; name the Python that has one" in nothing(nobody, OURS)
    apart = target.Target(named={"torch": "/usr/bin/python3"})
    assert f"no other framework is installed in {made[3:]}, nor torch in /usr/bin/python3" in nothing(
        nobody, apart
    )
    theirs = target.Target("/usr/bin/python3", "--python")
    assert "in /usr/bin/python3 (--python) (pip install gone). To go on, install it there" in absent(
        named, theirs
    )


def test_where_nothing_is_installed(install: Install) -> None:
    install(gone="Absent", away="Absent")
    for line in ((), ("run", "--profile", "quick", "-o", "run.parquet")):
        said = conformance(*line, *SMALL, status=EVIDENCE).stderr
        assert f"no framework is installed in {sys.executable}, which runs the suite" in said


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("troch", "did you mean torch"),
        ("rnu", "did you mean run"),
        ("exlpain", "did you mean explain"),
        ("torhc", "did you mean torch"),
        ("run.parquet", "a run file is shown by: conformance report run.parquet"),
        ("zzzz", "there are tensorflow, torch, jax"),
    ],
)
def test_a_word_that_is_neither_command_nor_framework(word: str, near: str) -> None:
    said = " ".join(conformance(word, status=USAGE).stderr.split())
    assert f"'{word}' is no command and no framework: {near}" in said
    assert "`conformance --help` lists the commands" in said


@pytest.mark.parametrize("word", ["MLX", "Mlx"])
def test_a_framework_is_known_by_its_other_names(word: str) -> None:
    said = " ".join(conformance(word, *SMALL, status=USAGE).stderr.split())
    assert "mlx is asked nothing in quick" in said


def test_what_is_asked_nothing_says_why_and_what_to_do() -> None:
    said = " ".join(conformance("mlx", *SMALL, status=USAGE).stderr.split())
    assert (
        "mlx is asked nothing in quick: its modes and implementations begin in standard; add --profile"
        in said
    )
    assert said.endswith("or leave mlx out")


def test_quick_asks_every_framework_that_can_be_named() -> None:
    """A door of each at least, and torch.compile; each profile asks what the smaller ones ask."""
    for name in FRAMEWORKS:
        asked = {profile: _asked(profile, name) for profile in Profile}
        assert asked[Profile.QUICK] <= asked[Profile.STANDARD] <= asked[Profile.FULL]
        assert asked[Profile.QUICK], name
    assert "compile" in {mode for _, mode, _ in _asked(Profile.QUICK, "torch")}


def _asked(profile: str, framework: str) -> set[tuple[str, str, str]]:
    """Implementation, mode and batch of every question, of one family and format."""
    selection = Selection(profile, (framework,), dtypes=("float32",), families=("ordinary",))
    return {
        (q.implementation, q.mode, batch.id)
        for seat in selection.seats()
        if not seat.variant or seat.declaration.settings_only
        for batch in selection.batches()
        for q in selection.questions(seat, batch, ["cpu"])
    }


def test_another_question_has_another_file(install: Install) -> None:
    install(fake="Exact")
    conformance("fake", *SMALL)
    conformance("fake", *SMALL, "--profile", "standard")
    names = {path.name for path in Path("conformance-out").glob("*.parquet")}
    assert names == {f"fake-{NARROWED}.parquet", f"fake-standard-{NARROWED}.parquet"}


def test_nothing_is_written_over_what_is_read(install: Install) -> None:
    install(fake="Exact")
    conformance("fake", *SMALL)
    said = conformance("fake", *SMALL, "--baseline", f"{FILE}.parquet", status=USAGE).stderr
    assert "is read by the same command" in said


def test_a_folder_is_not_standard_output(install: Install) -> None:
    """Everywhere else ``-`` is standard output: here it would be a folder of that name."""
    install(fake="Exact")
    said = conformance("fake", *SMALL, "-o", "-", status=USAGE).stderr
    assert "go into a folder" in said and "run --format json" in " ".join(said.split())
    assert not Path("-").exists()


# --- another environment ---------------------------------------------------------------------------------


def test_the_active_environment_is_asked_and_is_not_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real one, without NumPy, as a fresh ``pip install torch`` is."""
    python, _ = environment(tmp_path / "theirs")
    before = files(tmp_path / "theirs")
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "theirs"))
    result = conformance("fakeframe", *SMALL, "--plugin", PLUGIN)
    assert f"asking {python} ($VIRTUAL_ENV)" in result.stderr
    assert result.stdout.strip().endswith(f"by {python} ($VIRTUAL_ENV)")
    run = read_run(Path(f"conformance-out/fakeframe-{NARROWED}.parquet"))
    assert run.tested == ("fakeframe 1.0",) and run.verdicts.height > 0
    assert run.header["frameworks"][0]["environment"]["lent"].startswith("numpy ")
    assert files(tmp_path / "theirs") == before


def test_what_is_absent_there_is_not_looked_for_here(tmp_path: Path) -> None:
    python, _ = environment(tmp_path / "theirs")
    result = invoke("numpy", *SMALL, "--python", str(tmp_path / "theirs"))
    assert result.exit_code == EVIDENCE
    assert "numpy was asked for and is not there: No module named 'numpy' there" in result.stderr
    assert f"in {python} (--python)" in result.stderr


def test_what_the_suite_has_not_is_asked_of_the_python_that_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an active environment: the first on the path that has it, and both lines say so."""
    python, _ = environment(tmp_path / "theirs")
    there = str(python.with_name("python3"))
    monkeypatch.setenv("PATH", f"{python.parent}:/usr/bin:/bin")
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX", "CONFORMANCE_PYTHON"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(where, "needs", lambda names: {"fakeframe": ("fakeframe",)} if list(names) else {})
    result = conformance("fakeframe", *SMALL, "--plugin", PLUGIN)
    assert f"fakeframe: {there} (which has it; {sys.executable}, which runs the suite, has" in result.stderr
    assert result.stdout.strip().endswith(f" s, by {there}")
    case = "softmax/two_classes/confident_right/float32/n2/r6"
    said = conformance("explain", case, "--implementation", "fakeframe.softmax", "--plugin", PLUGIN)
    assert f"fakeframe: {there} (which has it" in said.stderr and "value: " in said.stdout


def test_run_asks_there_too(tmp_path: Path) -> None:
    python, _ = environment(tmp_path / "theirs")
    words = ("--framework", "fakeframe", "--plugin", PLUGIN, "--profile", "quick", *SMALL)
    conformance("run", *words, "--python", f"fakeframe={python}", "-o", "run.parquet")
    assert read_run(Path("run.parquet")).tested == ("fakeframe 1.0",)
    conformance("run", *words, "--python", str(python), "-o", "again.parquet")
    assert read_run(Path("again.parquet")).tested == ("fakeframe 1.0",)
    conformance("run", *words, "--python", f"FakeFrame={python}", "-o", "capitals.parquet")
    assert read_run(Path("capitals.parquet")).tested == ("fakeframe 1.0",)
    twice = ("--python", f"FakeFrame={python}", "--python", f"fakeframe={python}")
    assert "fakeframe has an interpreter already" in conformance("run", *words, *twice, status=USAGE).stderr
    unknown = conformance("run", *words, "--python", f"fakeframw={python}", status=USAGE).stderr
    assert "unknown framework 'fakeframw': did you mean fakeframe" in unknown


def test_the_lines_reach_a_shell(tmp_path: Path) -> None:
    """As a process of its own, in a folder of somebody else's."""
    words = [sys.executable, "-m", "xent_conformance", "numpy", *SMALL]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.strip().splitlines()) == 4, "no cause, so no worst of them"
    shutil.rmtree(tmp_path / "conformance-out")


def test_explain_asks_there_too(tmp_path: Path) -> None:
    """What a page shows beside an answer is typed where the suite is, and asks who gave it."""
    python, _ = environment(tmp_path / "theirs")
    case = "softmax/two_classes/confident_right/float32/n2/r6"
    words = ("explain", case, "--implementation", "fakeframe.softmax", "--plugin", PLUGIN)
    said = conformance(*words, "--python", str(python))
    assert f"asking {python} (--python)" in said.stderr
    assert "fakeframe.softmax eager cpu" in said.stdout and "value: " in said.stdout


def test_list_devices_asks_there_too(tmp_path: Path, install: Install) -> None:
    """Who was told that ``conformance torch`` asked it is not told here that it is not installed."""
    install()
    python, _ = environment(tmp_path / "theirs")
    said = conformance("list", "devices", "--plugin", PLUGIN, "--python", str(python))
    assert f"asking {python} (--python)" in said.stderr and "fakeframe 1.0 cpu" in said.stdout
    assert "no framework is asked" in conformance("list", "clauses", "--python", "x", status=USAGE).stderr


def test_a_dry_run_says_what_would_be_asked_and_writes_nothing(install: Install) -> None:
    """As that of ``run``: nobody is started, and no folder is made."""
    install(fake="Exact")
    told = conformance("fake", *SMALL, "--dry-run")
    assert "nothing was asked, and nothing written" in " ".join(told.output.split())
    assert not Path("conformance-out").exists()
