"""``conformance explain --issue``: the text, the script in it, and what is refused."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.support.by_hand import Install
from tests.support.cli import invoke
from xent_conformance.commands.line import USAGE

pytestmark = pytest.mark.usefixtures("forked")

MASKED = "softmax_cross_entropy/special_values/masked_first/float32/n10/r0"
PLAIN = "softmax/ordinary/unit/float32/n10/r0"
NUMPY = ("--implementation", "numpy:cross_entropy-shifted")


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_the_issue_names_the_cause_and_its_script_shows_it(tmp_path: Path) -> None:
    """What stands between the fences runs by itself, and fails as the issue says."""
    result = invoke("explain", MASKED, *NUMPY, "--issue", "auto")
    assert result.exit_code == 0 and not result.stderr, result.output
    title = "BUG: numpy:cross_entropy-shifted returns NaN for 1.3633469 (the value, float32): 0·∞ is NaN\n"
    assert result.stdout.startswith(title)
    assert "a label of zero times the logarithm of an excluded class" in result.stdout
    assert f"numpy: {np.__version__}" in result.stdout
    (script,) = re.findall(r"```python\n(.*?)```", result.stdout, re.DOTALL)
    (tmp_path / "issue.py").write_text(script, encoding="utf-8")
    done = subprocess.run([sys.executable, "-I", "issue.py"], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1 and "differs: returned nan, right 1.3633469" in done.stderr


def test_another_tracker_may_be_named() -> None:
    result = invoke("explain", MASKED, *NUMPY, "--issue", "onnxruntime")
    assert "### Execution Provider\n\nDefault CPU" in result.stdout
    assert not result.stdout.startswith("BUG: ")


def test_an_output_may_be_named() -> None:
    result = invoke("explain", MASKED, *NUMPY, "--issue", "auto", "--output", "value")
    assert result.exit_code == 0 and "(the value, float32)" in result.stdout


def test_names_in_capitals_are_those_that_are_meant() -> None:
    words = (MASKED, *NUMPY, "--issue", "auto")
    plain = invoke("explain", *words, "--output", "value", "--mode", "eager")
    assert plain.exit_code == 0 and "(the value, float32)" in plain.stdout
    assert invoke("explain", *words, "--output", "Value", "--mode", "Eager").stdout == plain.stdout


REFUSED = {
    "unknown mode 'nosuch': there are": (MASKED, *NUMPY, "--issue", "auto", "--mode", "nosuch"),
    "unknown tracker 'bugzilla'; there are pytorch, jax": (MASKED, *NUMPY, "--issue", "bugzilla"),
    "there is nothing to report": (PLAIN, "--implementation", "numpy:softmax-shifted", "--issue", "auto"),
    "name it with --implementation": (MASKED, "--issue", "auto"),
    "did you mean": (MASKED, "--implementation", "numpy:cross_entropy-shiftd", "--issue", "auto"),
    "breaks no clause here in output grad_logits": (
        MASKED,
        *NUMPY,
        "--issue",
        "auto",
        "--output",
        "grad_logits",
    ),
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_is_no_issue_is_refused(words: str) -> None:
    result = invoke("explain", *REFUSED[words])
    assert result.exit_code == USAGE and words in " ".join(result.stderr.split()), result.output
    assert not result.stdout


def test_a_framework_that_no_tracker_is_known_for_needs_one_named(install: Install) -> None:
    install(fake="AlwaysNan")
    result = invoke("explain", PLAIN, "--implementation", "fake.softmax", "--issue", "auto")
    assert result.exit_code == USAGE and "no tracker is known for fake" in " ".join(result.stderr.split())


def test_where_no_script_can_be_written_the_issue_says_so_and_a_warning_too(install: Install) -> None:
    install(fake="AlwaysNan")
    result = invoke("explain", PLAIN, "--implementation", "fake.softmax", "--issue", "pytorch")
    assert result.exit_code == 0, result.output
    assert "fake.softmax returns NaN for" in result.stdout and "# none: no script is written" in result.stdout
    assert "warning: no script: no script is written for fake" in " ".join(result.stderr.split())
