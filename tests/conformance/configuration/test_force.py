"""What is in force: the environment before the file, each alone, and from where."""

from __future__ import annotations

from pathlib import Path

import pytest

from xent_conformance.configuration.force import in_force, not_read
from xent_conformance.configuration.settings import SETTINGS, ConfigurationError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "pyproject.toml"
    path.write_text(
        '[tool.conformance]\nframeworks = ["torch"]\nprofile = "quick"\n[tool.ruff]\n', encoding="utf-8"
    )
    return path


def test_nothing_is_set(tmp_path: Path) -> None:
    found = in_force(tmp_path, {})
    assert found.file is None and found.settings == {}


def test_the_environment_comes_first_and_stands_alone(file: Path) -> None:
    found = in_force(file.parent, {"CONFORMANCE_FRAMEWORKS": "jax, numpy", "CONFORMANCE_DEVICES": "cpu"})
    frameworks, profile, devices = (found.settings[key] for key in ("frameworks", "profile", "devices"))
    assert frameworks.value == ("jax", "numpy")
    assert (frameworks.source, frameworks.hides) == ("$CONFORMANCE_FRAMEWORKS", str(file))
    assert (profile.value, profile.source, profile.hides) == ("quick", str(file), "")
    assert (devices.source, devices.hides) == ("$CONFORMANCE_DEVICES", "")
    assert found.file == file


def test_an_empty_variable_is_not_set(file: Path) -> None:
    assert in_force(file.parent, {"CONFORMANCE_PROFILE": " "}).settings["profile"].source == str(file)


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("CONFORMANCE_PROFILE", "fast", r"\$CONFORMANCE_PROFILE=fast: there is no 'fast'"),
        ("CONFORMANCE_PROFILE", "quick,full", "one value is needed"),
        ("CONFORMANCE_FAIL_ON", "should,all", "there is no 'all'"),
        ("CONFORMANCE_FRAMEWORKS", "torch,", "an empty name is none"),
    ],
)
def test_a_wrong_variable_is_named(variable: str, value: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=said):
        in_force(tmp_path, {variable: value})


def test_variables_that_are_no_setting_are_seen() -> None:
    there = {s.variable: "x" for s in SETTINGS.values()} | {"CONFORMANCE_FRAMEWORK": "x", "OTHER": "x"}
    assert not_read(there | {"CONFORMANCE_THREADS": "4"}, {"CONFORMANCE_THREADS": ""}) == [
        "CONFORMANCE_FRAMEWORK"
    ]
