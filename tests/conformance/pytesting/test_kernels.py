"""``@conforms`` and the fixture ``conformance_check`` in somebody else's tests, by the installed plug-in."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.pytest_inside import Done, run_pytest
from xent_conformance import check, conforms

KERNELS = '''
import numpy as np


def no_shift(x):
    with np.errstate(all="ignore"):
        e = np.exp(x)
        return e / e.sum(axis=-1, keepdims=True)


def shifted(x):
    return no_shift(x - x.max(axis=-1, keepdims=True))


def log_softmax(x):
    """As everybody writes it: a confident prediction loses its digits, which is a should clause."""
    moved = x - x.max(axis=-1, keepdims=True)
    return moved - np.log(np.exp(moved).sum(axis=-1, keepdims=True))


def coarse(x):
    """Right to a percent."""
    return (shifted(x) * 1.01).astype(x.dtype)
'''

TESTS = '''
import pytest
from xent_conformance import conforms

FAMILIES = ["huge_logits", "near_ties"]


@pytest.fixture
def kernels():
    import kernels

    return kernels


@conforms("softmax", framework="numpy", dtypes=["float32", "float64"], families=FAMILIES)
def test_shifted(kernels):
    """It takes fixtures, as any test."""
    return kernels.shifted


@conforms("softmax", framework="numpy", dtypes="float32", families=FAMILIES)
def test_no_shift(kernels):
    return kernels.no_shift


@conforms("softmax", framework="numpy", dtypes="float32", families=FAMILIES, exclude="huge_logits")
def test_bounded(kernels):
    return kernels.no_shift


@conforms("log_softmax", framework="numpy", dtypes="float32", families="two_classes")
def test_lenient(kernels):
    return kernels.log_softmax


@conforms("softmax", framework="numpy", dtypes="float32", families=FAMILIES)
def test_skipped():
    pytest.skip("not on this machine")


@conforms("softmax", framework="numpy", dtypes="float32", families=FAMILIES)
def test_returns_nothing(kernels):
    kernels.shifted


class TestInAClass:
    @conforms("softmax", framework="numpy", dtypes="float32", families="near_ties")
    @pytest.mark.parametrize("name", ["shifted", "coarse"])
    def test_method(self, kernels, name):
        return getattr(kernels, name)


def test_fixture(conformance_check, kernels):
    (checked,) = conformance_check(
        kernels.shifted, "softmax", framework="numpy", dtypes="float32", families=["near_ties"]
    )
    assert checked.conforms and set(checked.verdicts["family"]) == {"near_ties"}


def test_fixture_fails(conformance_check, kernels):
    conformance_check(kernels.coarse, "softmax", framework="numpy", dtypes="float32", families=["near_ties"])
'''

WAIVER = """
[[waiver]]
name = "no-shift-{number}"
framework = "numpy"
versions = ""
operators = ["softmax"]
implementations = ["no_shift"]
outputs = ["value"]
clause = "{clause}"
symptom = "{symptom}"
cases = ["*"]
witnesses = ["{case}"]
reason = "The logits of this kernel are bounded where it is called."
link = "none"
"""

NARROW = ("-n", "0", "-rA", "-k")


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of somebody else, with warnings for errors."""
    folder = tmp_path_factory.mktemp("theirs")
    (folder / "kernels.py").write_text(KERNELS, encoding="utf-8")
    (folder / "test_kernels.py").write_text(TESTS, encoding="utf-8")
    (folder / "pytest.ini").write_text(
        "[pytest]\naddopts = --strict-markers --strict-config\nfilterwarnings = error\n", encoding="utf-8"
    )
    return folder


@pytest.fixture(scope="module")
def done(theirs: Path) -> Done:
    return run_pytest(theirs, "-rA", "-n", "0", path=[theirs])


def _outcomes(done: Done) -> dict[str, str]:
    """By the name of a test, what became of it."""
    lines = (line.split() for line in done.text.splitlines())
    return {
        words[1].partition("::")[2].removeprefix("TestInAClass::"): words[0]
        for words in lines
        if len(words) > 1 and words[0] in ("PASSED", "FAILED", "ERROR") and "::" in words[1]
    }


def test_each_says_what_its_function_does(done: Done) -> None:
    assert _outcomes(done) == {
        "test_shifted[float32]": "PASSED",
        "test_shifted[float64]": "PASSED",
        "test_no_shift[float32]": "FAILED",
        "test_bounded[float32]": "PASSED",
        "test_lenient[float32]": "PASSED",
        "test_returns_nothing[float32]": "FAILED",
        "test_method[shifted-float32]": "PASSED",
        "test_method[coarse-float32]": "FAILED",
        "test_fixture": "PASSED",
        "test_fixture_fails": "FAILED",
    }, done.text
    assert "not on this machine" in done.text and done.status == 1


def test_a_failure_has_a_row_for_each_of_the_worst_five_and_no_traceback(done: Done) -> None:
    _, _, rest = done.text.partition(" test_no_shift[float32] ")
    section = rest.partition("\n____")[0].splitlines()
    first = next(line for line in section if line.startswith("no_shift as softmax, numpy eager cpu: value "))
    assert "the worst:" in first
    (head,) = [i for i, line in enumerate(section) if line.startswith("  the worst ")]
    rows = section[head + 1 : head + 6]
    told = int(section[head].split()[2])
    assert 2 <= told <= 5 and [r for r in rows[:told] if "softmax/huge_logits/" not in r] == []
    form = r"    \d+\.\d+ (must|should) +value +\w.* +\d+ of \d+ rows +returned .+  softmax/huge_logits/\S+"
    assert [r for r in rows[:told] if not re.fullmatch(form, r)] == []
    assert rows[told:] == [] or not rows[told].startswith("    ")
    assert "Traceback" not in "\n".join(section) and "def test_no_shift" not in "\n".join(section)
    assert "print(checked.script(" in "\n".join(section)


def test_what_is_returned_must_be_a_function(done: Done) -> None:
    told = "@conforms judges the function that a test returns; test_returns_nothing returned None"
    assert told in done.text


def test_the_devices_of_the_command_line_are_asked(theirs: Path) -> None:
    found = run_pytest(theirs, *NARROW, "test_bounded", "--conformance-device", "tpu", path=[theirs])
    assert "no device 'tpu': numpy has cpu" in found.text and found.status == 1


def test_the_waivers_of_the_command_line_accept(theirs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(theirs)
    kernels = pytest.importorskip("kernels")
    asked = {"operator": "softmax", "framework": "numpy", "dtypes": "float32"}
    checked = check(kernels.no_shift, **asked, families=["huge_logits", "near_ties"])
    rows = checked.findings.iter_rows(named=True)
    entries = (WAIVER.format(number=i, **row) for i, row in enumerate(rows))
    (theirs / "mine.toml").write_text("".join(entries), encoding="utf-8")
    found = run_pytest(theirs, *NARROW, "test_no_shift", "--waivers", "mine.toml", path=[theirs])
    assert _outcomes(found) == {"test_no_shift[float32]": "PASSED"}, found.text


def test_should_clauses_are_held_where_the_command_line_says_so(theirs: Path) -> None:
    lenient = run_pytest(theirs, *NARROW, "test_lenient", path=[theirs])
    strict = run_pytest(theirs, *NARROW, "test_lenient", "--fail-on", "should", path=[theirs])
    assert _outcomes(lenient) == {"test_lenient[float32]": "PASSED"}, lenient.text
    assert _outcomes(strict) == {"test_lenient[float32]": "FAILED"} and "1.2 (should)" in strict.text


def test_without_the_plug_in_the_fixture_is_named(theirs: Path) -> None:
    found = run_pytest(theirs, "-n", "0", "-k", "test_bounded", path=[theirs], plugged=False)
    assert found.status == 1 and "fixture 'conformance_check' not found" in found.text


UNSAID = """
from kernels import shifted
from xent_conformance import conforms


@conforms("softmax", framework="scipy", families="near_ties")
def test_unsaid():
    return shifted


@conforms("softmax", framework="scipy", families="near_ties", dtypes="bfloat16")
def test_named():
    return shifted
"""


@pytest.mark.parametrize("none", [None, [], ()])
def test_no_format_that_is_named_means_all(none: Any) -> None:
    """And no test without a parameter, which pytest skips."""

    def mine() -> None: ...

    (mark,) = conforms("softmax", framework="numpy", dtypes=none)(mine).pytestmark  # type: ignore[attr-defined]
    assert mark.args == ("conformance_dtype", ("float16", "bfloat16", "float32", "float64"))


def test_a_format_that_the_framework_has_not_is_skipped_where_nobody_names_it(tmp_path: Path) -> None:
    pytest.importorskip("scipy")
    (tmp_path / "kernels.py").write_text(KERNELS, encoding="utf-8")
    (tmp_path / "test_unsaid.py").write_text(UNSAID, encoding="utf-8")
    found = run_pytest(tmp_path, "-rA", "-n", "0", path=[tmp_path])
    assert _outcomes(found) == {
        **{f"test_unsaid[{dtype}]": "PASSED" for dtype in ("float16", "float32", "float64")},
        "test_named[bfloat16]": "FAILED",
    }, found.text
    assert "SKIPPED [1]" in found.text and "which have no bfloat16" in found.text


def test_a_frameworks_own_type_names_a_format() -> None:
    def function() -> None: ...

    judged: Any = conforms("softmax", framework="numpy", dtypes=np.float32)(function)
    assert [mark.args[1] for mark in judged.pytestmark] == [("float32",)]
