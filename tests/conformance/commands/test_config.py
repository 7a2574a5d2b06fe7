"""Settings on the command line: they stand in for what is not typed, and it is said which and from where."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer.main

from tests.support.by_hand import Install
from tests.support.cli import conformance
from xent_conformance.commands.config import OTHERS
from xent_conformance.commands.configured import takes
from xent_conformance.commands.line import EVIDENCE, FAILED, USAGE, app
from xent_conformance.configuration.settings import SETTINGS
from xent_conformance.devices import variants
from xent_conformance.reports.run.file import read_run

pytestmark = pytest.mark.usefixtures("forked")

SMALL = ("--operator", "softmax", "--dtype", "float32", "--family", "two_classes")
RUN = ("run", *SMALL)
TAKING = {
    "run": SMALL,
    "doctor": ("--profile", "quick"),
    "first": ("--profile", "quick"),
    "smoke": ("fake",),
    "sweep": ("--implementation", "fake.sigmoid"),
    "gate": ("run.parquet",),
    "causes": ("run.parquet",),
    "report": ("run.parquet",),
    "adopt": ("run.parquet",),
    "waive": ("run.parquet", "-o", "-"),
    "upgrade": ("fake==1.0", "fake==2.0"),
    "matrix": ("fake==1.0",),
    "merge": ("part.parquet",),
    "config": (),
}
"""Every command that reads settings, with words that it may be called with."""


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def _set(*lines: str) -> None:
    Path("pyproject.toml").write_text("\n".join(["[tool.conformance]", *lines]), encoding="utf-8")


def _selection(name: str = "run.parquet") -> Any:
    return read_run(Path(name)).header["selection"]


def test_what_is_set_is_taken_and_told_and_what_is_typed_comes_first(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(fake="Exact", other="Exact")
    _set('frameworks = ["fake"]', 'profile = "quick"')
    done = conformance(*RUN)
    assert done.stderr.splitlines()[0] == f"set: frameworks fake, profile quick ({tmp_path}/pyproject.toml)"
    assert (_selection()["frameworks"], _selection()["profile"]) == (["fake"], "quick")

    monkeypatch.setenv("CONFORMANCE_FRAMEWORKS", "other")
    done = conformance(*RUN, "--profile", "standard", "--force")
    assert done.stderr.splitlines()[0] == "set: frameworks other ($CONFORMANCE_FRAMEWORKS)"
    assert (_selection()["frameworks"], _selection()["profile"]) == (["other"], "standard")

    done = conformance(*RUN, "--profile", "quick", "--framework", "fake", "--force")
    assert "set: " not in done.stderr and _selection()["frameworks"] == ["fake"]


def test_the_decision_is_the_same_wherever_it_is_shown(install: Install) -> None:
    """Waivers and a baseline that are set are those of run, causes, report and gate; paths from the file."""
    install(fake="AlwaysNan")
    conformance(*RUN, "--profile", "quick", "-o", "ours/old.parquet")
    conformance("gate", "ours/old.parquet", status=FAILED)
    _set('profile = "quick"', 'baseline = "ours/old.parquet"')
    (Path("ours") / "deep").mkdir()
    said = {}
    with pytest.MonkeyPatch.context() as there:
        there.chdir("ours/deep")
        said["run"] = conformance(*RUN).stdout.splitlines()[-1]
        for verb in ("causes", "report"):
            said[verb] = conformance(verb, "run.parquet").stdout.splitlines()[-1]
        said["gate"] = conformance("gate", "run.parquet", "-q").stdout.strip()
        loud = conformance("gate", "run.parquet")
    assert set(said.values()) == {said["gate"]} and said["gate"].startswith("gate passed")
    assert "against: fake 1.0" in loud.stdout and "set: baseline " in loud.stderr


def test_a_baseline_that_is_not_there_is_said_before_anything_is_asked(install: Install) -> None:
    install(fake="Exact")
    _set('baseline = "gone.parquet"', 'profile = "quick"')
    assert "gone.parquet: no such file" in conformance(*RUN, status=EVIDENCE).stderr
    assert not Path("run.parquet").exists()


def test_fail_on_that_is_set_fails(install: Install) -> None:
    install(fake="FlushesToZero")
    huge = ("--operator", "softmax", "--dtype", "float32", "--family", "huge_logits")
    conformance("run", *huge, "--profile", "quick")
    by_itself = conformance("gate", "run.parquet", status=None).exit_code
    _set('fail-on = ["should"]')
    assert (by_itself, conformance("gate", "run.parquet", status=None).exit_code) == (0, FAILED)


@pytest.mark.parametrize("command", [(name, *words) for name, words in TAKING.items()], ids=" ".join)
def test_a_wrong_setting_is_wrong_usage_that_names_the_file(command: tuple[str, ...], tmp_path: Path) -> None:
    _set('framework = "torch"')
    done = conformance(*command, status=USAGE)
    words = " ".join(done.stderr.split())
    assert f"{tmp_path}/pyproject.toml, [tool.conformance]: unknown key 'framework'" in words
    assert "did you mean frameworks?" in words and done.stdout == ""


def test_a_framework_that_is_none_is_said_with_where_it_stands(install: Install, tmp_path: Path) -> None:
    install(fake="Exact")
    _set('frameworks = ["fke"]', 'profile = "quick"')
    words = " ".join(conformance(*RUN, status=USAGE).stderr.split())
    assert "unknown framework 'fke': did you mean fake?" in words
    assert f"set, and not typed: frameworks fke, profile quick ({tmp_path}/pyproject.toml)" in words


def test_help_and_commands_without_settings_read_no_file(install: Install) -> None:
    install(fake="Exact")
    _set("nonsense = 1")
    for words in (("run", "--help"), ("gate", "-h"), ("list", "operators"), ("--version",)):
        conformance(*words)


def test_a_command_line_that_is_printed_means_the_same_everywhere(install: Install) -> None:
    """``explain`` takes no setting: the suite prints it whole, for any folder."""
    install(fake="Exact")
    _set('devices = ["cuda"]', 'frameworks = ["gone"]')
    told = conformance("explain", "softmax/two_classes/confident_wrong/float32/n2/r0")
    assert "fake.softmax eager cpu" in told.stdout


def test_which_command_takes_what() -> None:
    """Written out: an option that is added takes its setting by itself, and this says so."""
    commands: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    found = {name: set(takes(name, command).values()) for name, command in commands.items()}
    asks = {"profile", "devices", "exclude"}
    decides = {"baseline", "waivers", "fail-on"}
    assert {*TAKING} == {name for name, settings in found.items() if settings} | {"config"}
    assert {name: settings for name, settings in found.items() if settings} == {
        "run": asks | decides | {"frameworks", "python", "jobs"},
        "first": asks | decides | {"frameworks", "python", "jobs"},
        "smoke": {"frameworks", "python", "jobs", "waivers"},
        "sweep": {"python", "jobs"},
        "doctor": {"profile", "devices", "frameworks", "python"},
        "gate": decides,
        "causes": decides,
        "report": decides,
        "adopt": {"waivers"},
        "waive": decides,
        "upgrade": asks | {"waivers", "fail-on"},
        "matrix": asks,
        "merge": {"jobs"},
    }


def test_jobs_are_a_number(install: Install) -> None:
    install(fake="Exact")
    _set("jobs = 3")
    small = ("--operator", "softmax", "--family", "two_classes", "--dtype", "float32", "-o", "run.parquet")
    conformance("run", "--profile", "quick", *small)
    assert read_run(Path("run.parquet")).header["workers"]["jobs"] == 3
    conformance("run", "--profile", "quick", *small, "--jobs", "2")
    assert read_run(Path("run.parquet")).header["workers"]["jobs"] == 2


def test_config_shows_every_setting_and_where_it_is_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _set('profile = "quick"', 'exclude = ["*a*", "*b*"]')
    monkeypatch.setenv("CONFORMANCE_PROFILE", "full")
    monkeypatch.setenv("CONFORMANCE_FRAMEWORK", "torch")
    told = json.loads(conformance("config", "--format", "json").stdout)
    assert told["file"] == str(tmp_path / "pyproject.toml") and told["not_read"] == ["CONFORMANCE_FRAMEWORK"]
    by_key = {s["key"]: s for s in told["settings"]}
    assert list(by_key) == list(SETTINGS)
    profile, exclude, devices = (by_key[key] for key in ("profile", "exclude", "devices"))
    assert (profile["value"], profile["source"]) == ("full", "$CONFORMANCE_PROFILE")
    assert profile["hides"] == exclude["source"] == told["file"]
    assert exclude["value"] == ["*a*", "*b*"] and (devices["value"], devices["source"]) == (None, "")
    assert "run" in profile["commands"] and "gate" not in profile["commands"]
    assert "FRAMEWORK..." in profile["commands"], "as it is typed: nobody knows a command `first`"
    assert "first" not in profile["commands"]

    text = conformance("config").stdout
    assert f"profile = full ($CONFORMANCE_PROFILE, before {tmp_path}/pyproject.toml)\n" in text
    assert "devices is not set\n" in text
    assert "not read: $CONFORMANCE_FRAMEWORK is no setting" in text
    conformance("config", "--format", "json", "-o", "told.json")
    assert json.loads(Path("told.json").read_text(encoding="utf-8")) == told


def test_the_first_answer_is_about_what_is_set(install: Install, tmp_path: Path) -> None:
    install(fake="Exact", other="Exact")
    _set('frameworks = ["fake"]', 'exclude = "*.softmax"')
    small = (
        "--operator",
        "softmax",
        "--operator",
        "log_softmax",
        "--family",
        "two_classes",
        "--dtype",
        "float32",
    )
    narrowed = "softmax-log_softmax-float32-two_classes-.softmax"
    done = conformance(*small)
    assert f"set: frameworks fake, exclude *.softmax ({tmp_path}/pyproject.toml)" in done.stderr
    header = read_run(Path(f"conformance-out/fake-{narrowed}.parquet")).header
    assert header["selection"]["frameworks"] == ["fake"]
    assert header["excluded"] == [{"framework": "fake", "name": "fake.softmax"}]
    conformance("other", *small)
    assert _selection(f"conformance-out/other-{narrowed}.parquet")["frameworks"] == ["other"]


def test_the_variables_of_ours_that_are_no_setting() -> None:
    ours = {v for v in vars(variants).values() if isinstance(v, str) and v.startswith("CONFORMANCE_")}
    assert set(OTHERS) == ours and variants.THREADS in ours
