"""Nothing that is there is lost: what each command writes over, what it leaves, what ``--force`` does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.by_hand import Install
from tests.support.cli import conformance
from tests.support.small_run import run_of, verdict
from xent_conformance.commands.line import EVIDENCE, USAGE
from xent_conformance.reports.run.file import read_run, write_run
from xent_conformance.running.keeping import check_text

pytestmark = pytest.mark.usefixtures("forked")

SMALL = ["--profile", "quick", "--dtype", "float32", "--operator", "softmax", "--family", "two_classes"]


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def _stays(path: Path, *command: str | Path, why: str) -> None:
    """The command ends with status 2 before it asks anything, says why, and the file is what it was."""
    before = path.read_bytes()
    said = " ".join(conformance(*command, status=USAGE).stderr.split())
    assert f"{path} {why}, and stays as it is: name another file, or add --force to write over it" in said
    assert path.read_bytes() == before


@pytest.fixture
def made() -> Path:
    """A run file without a framework."""
    path = Path("made.parquet")
    write_run(path, run_of([verdict(status="breaks_must")]))
    return path


# --- run files ---


def test_a_run_that_is_made_again_replaces_itself(install: Install) -> None:
    """The ordinary case, as `make report` is repeated."""
    install(fake="Exact")
    conformance("run", *SMALL)
    install(fake="AlwaysNan")
    conformance("run", *SMALL)
    assert "breaks_must" in set(read_run(Path("run.parquet")).verdicts["status"])


def test_a_run_of_another_selection_stays(install: Install) -> None:
    install(fake="Exact")
    conformance("run", *SMALL)
    other = ["run", "--profile", "quick", "--dtype", "float32", "--family", "special_values"]
    asked = "--profile quick --operator softmax --dtype float32 --family two_classes"
    _stays(Path("run.parquet"), *other, why=f"asked something else ({asked})")
    conformance(*other, "--force")
    assert set(read_run(Path("run.parquet")).verdicts["family"]) == {"special_values"}


def test_what_is_no_run_file_stays(install: Install) -> None:
    install(fake="Exact")
    Path("notes.txt").write_text("mine")
    _stays(Path("notes.txt"), "run", *SMALL, "-o", "notes.txt", why="is no run file that this version reads")


def test_a_run_with_the_framework_absent_does_not_replace_one_that_has_answers(install: Install) -> None:
    install(fake="Exact")
    conformance("run", *SMALL)
    whole = Path("run.parquet").read_bytes()
    install(fake="Absent")
    result = conformance("run", *SMALL, status=EVIDENCE)
    assert Path("run.parquet").read_bytes() == whole
    assert result.stderr.strip().endswith("; run.parquet stays as it was")
    assert [path.name for path in Path().glob("run.*")] == ["run.parquet"], (
        "nobody was there: nothing is made"
    )
    result = conformance("run", *SMALL, "--force", status=EVIDENCE)  # as the action does, for its gate
    assert result.stderr.strip().endswith("; wrote run.parquet, which says so")
    assert read_run(Path("run.parquet")).unanswered


def test_a_run_with_one_absent_of_two_is_written_beside_one_that_has_both(install: Install) -> None:
    both = ("--framework", "fake", "--framework", "other")
    install(fake="Exact", other="Exact")
    conformance("run", *SMALL, *both)
    whole = Path("run.parquet").read_bytes()
    install(fake="Exact", other="Absent")
    result = conformance("run", *SMALL, *both, status=EVIDENCE)
    assert Path("run.parquet").read_bytes() == whole
    assert "run.parquet, which is complete, stays as it was" in result.stderr
    assert "wrote run.incomplete.parquet" in result.stdout
    assert not read_run(Path("run.incomplete.parquet")).complete
    conformance("run", *SMALL, *both, status=EVIDENCE)  # and again: of what is incomplete the newest is kept


def test_what_is_incomplete_is_replaced_by_what_has_more(install: Install) -> None:
    install(fake="Absent")
    conformance("run", *SMALL, "--force", status=EVIDENCE)
    install(fake="Exact")
    conformance("run", *SMALL)
    assert read_run(Path("run.parquet")).complete and not Path("run.incomplete.parquet").exists()


# --- pages, summaries, documents ---

GATE = ("--junit", "--markdown", "--comment", "--json", "--badge")


@pytest.mark.parametrize("option", GATE)
def test_the_outputs_of_the_gate_replace_themselves_and_nothing_else(option: str, made: Path) -> None:
    file = Path("mine.txt")
    file.write_text('{"name": "a package of mine"}\n')
    _stays(file, "gate", made, option, file, why="was not written by this suite")
    conformance("gate", made, option, file, "--force", status=None)
    assert "a package of mine" not in file.read_text()
    check_text(file)
    assert f"wrote {file}" in conformance("gate", made, option, file, status=None).stdout
    good = Path("good.parquet")
    write_run(good, run_of([verdict(status="conforms")]))
    assert f"wrote {file}" in conformance("gate", good, option, file, status=None).stdout
    assert f"wrote {file}" in conformance("gate", made, option, file, status=None).stdout


@pytest.mark.parametrize(
    "command",
    [
        ("report", "made.parquet", "-o"),
        ("compare", "made.parquet", "made.parquet", "--html"),
        ("compare", "made.parquet", "made.parquet", "--json"),
        ("causes", "run.parquet", "--json"),
    ],
    ids=lambda c: f"{c[0]}{c[-1]}",
)
@pytest.mark.usefixtures("made")
def test_pages_and_documents_replace_themselves_and_nothing_else(
    command: tuple[str, ...], install: Install
) -> None:
    if "run.parquet" in command:
        install(fake="AlwaysNan")
        conformance("run", *SMALL)
    file = Path("mine.html")
    file.write_text("<title>My own page</title>")
    _stays(file, *command, file, why="was not written by this suite")
    conformance(*command, file, "--force")
    conformance(*command, file)


def test_a_badge_of_somebody_else_stays(made: Path) -> None:
    file = Path("badge.json")
    file.write_text(json.dumps({"schemaVersion": 1, "label": "coverage", "message": "91%", "color": "green"}))
    _stays(file, "gate", made, "--badge", file, why="was not written by this suite")


def test_what_is_not_text_stays(made: Path) -> None:
    file = Path("photo.html")
    file.write_bytes(b"\xff\xd8\xff\xe0")
    _stays(file, "report", made, "-o", file, why="was not written by this suite")


def test_a_run_file_stays_and_is_told_as_what_it_is(made: Path) -> None:
    other = Path("other.parquet")
    other.write_bytes(Path(made).read_bytes())
    for command in (["report", made, "-o"], ["gate", made, "-o"], ["gate", made, "--json"]):
        _stays(other, *command, other, why="is a table, as run files are")


def test_what_nobody_may_read_stays_too(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs this may be one who reads everything, so the system's answer is ours."""
    file, opened = Path("secret.html"), Path.open
    file.write_text("mine", encoding="utf-8")

    def refused(path: Path, *how: Any, **more: Any) -> Any:
        if path.name == file.name:
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *how, **more)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", refused)
        said = " ".join(conformance("report", made, "-o", file, status=USAGE).stderr.split())
    assert "secret.html was not written by this suite, and stays as it is" in said


# --- what cannot be made again, or is edited ---


def test_stubs_and_captured_calls_stay_even_where_they_are_ours(made: Path) -> None:
    conformance("waive", made, "--no-known", "-o", "w.toml")
    _stays(Path("w.toml"), "waive", made, "--no-known", "-o", "w.toml", why="is there already")
    conformance("waive", made, "--no-known", "-o", "w.toml", "--force")
    Path("script.py").write_text("raise SystemExit('it was run')\n")
    Path("captured.json").write_text("{}")
    _stays(Path("captured.json"), "capture", "script.py", why="is there already")


def test_stubs_that_were_edited_stay_where_a_baseline_was_taken_away(made: Path) -> None:
    conformance("adopt", made, "--no-known")
    Path("conformance/baseline.parquet").unlink()
    _stays(Path("conformance/waivers.toml"), "adopt", made, "--no-known", why="is there already")


# --- the rule is told ---


def test_help_says_what_stays_and_every_command_that_writes_has_force() -> None:
    said = " ".join(conformance("--help").stdout.replace("│", " ").split())
    assert "Nothing that is there is lost. A run file is replaced by a finished run of the same" in said
    for command in ("run", "report", "gate", "compare", "causes", "waive", "adopt", "capture"):
        assert "--force" in conformance(command, "--help").stdout, command
    for command in ("upgrade", "matrix"):
        assert "--force" in conformance(command, "--help").stdout, command
