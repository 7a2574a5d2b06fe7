"""``[tool.conformance]``: what is read, from which file, and what a wrong one is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from xent_conformance.cases.profile import Profile
from xent_conformance.configuration.file import nearest
from xent_conformance.configuration.settings import SETTINGS, ConfigurationError
from xent_conformance.decision.policy import POLICIES


def _written(folder: Path, table: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "pyproject.toml"
    path.write_text(f"[tool.conformance]\n{table}\n", encoding="utf-8")
    return path


def test_every_setting_can_be_written_as_its_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = _written(tmp_path, "\n".join(f"{s.key} = {s.example}" for s in SETTINGS.values()))
    found = nearest(tmp_path)
    assert found is not None and found.path == path
    assert found.values == {
        "frameworks": ("torch", "jax"),
        "profile": "quick",
        "devices": ("cpu",),
        "python": (".venv/bin/python",),
        "exclude": ("*sampled*",),
        "baseline": ("conformance/baseline.parquet",),
        "waivers": ("conformance/waivers.toml",),
        "jobs": "4",
        "fail-on": ("should",),
    }


def test_the_nearest_file_that_has_the_table(tmp_path: Path) -> None:
    _written(tmp_path, 'profile = "quick"')
    inner = tmp_path / "package" / "src"
    inner.mkdir(parents=True)
    (tmp_path / "package" / "pyproject.toml").write_text("[project]\nname = 'x'\n", encoding="utf-8")
    found = nearest(inner)
    assert found is not None and found.path == tmp_path / "pyproject.toml"
    _written(inner, 'profile = "full"')
    found = nearest(inner)
    assert found is not None and found.values == {"profile": "full"}


def test_a_broken_file_of_somebody_else_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project\n", encoding="utf-8")
    (tmp_path / "in").mkdir()
    assert nearest(tmp_path / "in") is None


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('framework = "torch"', "unknown key 'framework': did you mean frameworks? there are frameworks, "),
        ("fail_on = []", "unknown key 'fail_on': did you mean fail-on? "),
        ('baselines = "x"', "unknown key 'baselines': did you mean baseline? "),
        ("zzz = 1", "unknown key 'zzz': there are frameworks, profile, devices, "),
        ("profile = 3", 'profile = 3: a string is needed, as in profile = "quick"'),
        ('profile = ["quick"]', "profile = ['quick']: a string is needed"),
        ("devices = true", "devices = true: a string or a list of strings is needed, as in devices = "),
        ("waivers = [1]", "waivers = [1]: a string or a list of strings is needed"),
        ('profile = "fast"', "profile: there is no 'fast', there are quick, standard, full"),
        ('fail-on = "all"', "fail-on: there is no 'all', there are should, drift, bits, strict"),
        ("jobs = 0", "jobs: a whole number from 1 up is needed, not '0'"),
        ("jobs = -2", "jobs: a whole number from 1 up is needed, not '-2'"),
        ("jobs = 1.5", "jobs = 1.5: a whole number is needed, as in jobs = 4"),
        ("jobs = true", "jobs = true: a whole number is needed, as in jobs = 4"),
        ('jobs = "many"', "jobs: a whole number from 1 up is needed, not 'many'"),
        ('exclude = [""]', "exclude: an empty name is none; leave it out"),
    ],
)
def test_what_is_wrong_names_the_file_and_what_to_write(table: str, said: str, tmp_path: Path) -> None:
    path = _written(tmp_path, table)
    with pytest.raises(ConfigurationError) as wrong:
        nearest(tmp_path)
    assert str(wrong.value).startswith(f"{path}, [tool.conformance]: ") and said in str(wrong.value)


def test_no_table_and_no_toml(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text("tool.conformance = 3\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"tool\.conformance is no table; write \[tool\.conf"):
        nearest(tmp_path)
    path.write_text("[tool.conformance\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"pyproject\.toml is no TOML"):
        nearest(tmp_path)


def test_paths_start_at_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Short where they lie below the folder that we are in; programs by their name are looked for in PATH."""
    _written(
        tmp_path,
        'waivers = ["ours/w.toml", "/etc/w.toml"]\nbaseline = "b.parquet"\n'
        'python = ["torch=env/bin/python", "python3.12", "jax=/opt/python"]',
    )
    (tmp_path / "ours").mkdir()
    monkeypatch.chdir(tmp_path / "ours")
    found = nearest(Path.cwd())
    assert found is not None
    assert found.values["waivers"] == ("w.toml", "/etc/w.toml")
    assert found.values["baseline"] == (str(tmp_path / "b.parquet"),)
    assert found.values["python"] == (f"torch={tmp_path}/env/bin/python", "python3.12", "jax=/opt/python")


def test_the_values_are_those_that_there_are() -> None:
    known = {key: tuple(s.known()) for key, s in SETTINGS.items() if s.known}
    assert known == {"profile": tuple(map(str, Profile)), "fail-on": POLICIES}
