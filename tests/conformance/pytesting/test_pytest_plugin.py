"""``pytest --pyargs xent_conformance`` from outside: what it asks, what each test says, what a person reads.

Two pytest processes that everything is looked up in: one with two workers of pytest-xdist that asks fakes,
and one that judges the run file of the first.
"""

from __future__ import annotations

import pickle
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from tests.support import fakes, shared
from tests.support.pytest_inside import Done, run_pytest
from xent_conformance.reports.run.file import read_run

FAKES = '''
"""Frameworks that write down how often they are started."""

import os
from pathlib import Path

from tests.support import fakes


def started(name):
    with (Path(__file__).parent / "starts").open("a") as file:
        file.write(f"{name}\\n")


def implementations(name):
    import dataclasses

    return tuple(dataclasses.replace(i, name=f"{name}.{i.operator}") for i in fakes.Exact.implementations)


class Right(fakes.Exact):
    name = distribution = "right"
    implementations = implementations("right")

    def __init__(self):
        started(self.name)


class Wrong(fakes.AlwaysNan):
    name = distribution = "wrong"
    implementations = implementations("wrong")

    def __init__(self):
        started(self.name)


class Lacking(fakes.DeclaresWhatItLacks):
    name = distribution = "lacking"
    implementations = implementations("lacking")

    def __init__(self):
        started(self.name)


class Gone(fakes.Absent):
    name = distribution = "gone"
    implementations = implementations("gone")


class Idle(fakes.Exact):
    """No test of it is left after -k."""

    name = distribution = "idle"
    implementations = implementations("idle")

    def __init__(self):
        started(self.name)
'''

WITNESS = "softmax/two_classes/confident_wrong/float32/n2/r0"


def waiver(name: str, framework: str, output: str) -> str:
    """A waiver for NaN in softmax of two classes in binary32."""
    return f'''
[[waiver]]
name = "{name}"
framework = "{framework}"
versions = ">=0"
operators = ["softmax"]
implementations = ["*"]
outputs = ["{output}"]
clause = "2.5"
symptom = "NaN"
cases = ["softmax/two_classes/*/float32/*"]
witnesses = ["{WITNESS}"]
reason = "A fake that answers NaN, which is what this test wants of it."
link = "https://example.org/{name}"
'''


KEPT = "two_classes and (float32 or (lacking and bfloat16)) and -softmax- or waiver"
RIGHT, WRONG = "right.softmax-eager-cpu-float32-softmax", "wrong.softmax-eager-cpu-float32-softmax"


@dataclass(frozen=True)
class Outside:
    here: Path
    done: Done


@pytest.fixture(scope="module")
def outside() -> Outside:
    """The fakes asked by two processes at once."""
    here = shared.once("pytest-outside", _asked_by_two)
    return Outside(here, pickle.loads((here / "done").read_bytes()))


def _asked_by_two(here: Path) -> None:
    (here / "counting.py").write_text(FAKES, encoding="utf-8")
    two = waiver("wrong-two", "wrong", "grad_logits")
    # clause 1.1 is broken in the same group, in other rows
    plain = waiver("wrong-plain", "wrong", "grad_logits").replace('"2.5"', '"1.1"')
    plain = plain.replace(WITNESS, WITNESS.replace("confident_wrong", "confident_right"))
    stale = waiver("right-value", "right", "value")
    (here / "mine.toml").write_text(two + plain + stale, encoding="utf-8")
    names = ("right", "wrong", "lacking", "idle")
    frameworks = [w for name in names for w in ("--framework", name)]
    done = run_pytest(
        here,
        *("--pyargs", "xent_conformance", "-k", f"({KEPT}) and not idle", "-n2", "-rA", *frameworks),
        *("--conformance-plugin", "counting.py", "--waivers", "mine.toml", "-W", "error"),
        path=[Path(fakes.HERE)],
    )
    (here / "done").write_bytes(pickle.dumps(done))


def test_it_fails_where_something_fails(outside: Outside) -> None:
    assert outside.done.status == pytest.ExitCode.TESTS_FAILED, outside.done.text


def test_what_is_right_passes(outside: Outside) -> None:
    assert outside.done.told[f"{RIGHT}-grad_logits-two_classes"] == "PASSED"
    assert outside.done.told["lacking.softmax-eager-cpu-float32-softmax-value-two_classes"] == "PASSED"


def test_what_is_wrong_fails_and_says_how(outside: Outside) -> None:
    """The worst row, what was right in decimal and in bits, the clause, the count, and what to type."""
    assert outside.done.told[f"{WRONG}-value-two_classes"] == "FAILED"
    words = outside.done.section(f"{WRONG}-value-two_classes")
    for piece in (
        "wrong.softmax eager cpu float32: value of softmax diverges in 40 of 40 rows; the worst:",
        "clause 2.5 (must) Two classes: For N = 2 softmax is the sigmoid",
        "NaN in 24 of 40 rows",
        f"case {WITNESS}",
        "got      NaN",
        "expected 0.9933072  0x3f7e4961",
        f"conformance explain {WITNESS} --implementation wrong.softmax --plugin counting.py",
        "also clause 1.1 (must): NaN in 16 rows",
    ):
        assert piece in words
    assert "Traceback" not in words and ".py:" not in words.replace("counting.py", "")


def test_what_a_waiver_accepts_is_an_expected_failure(outside: Outside) -> None:
    """Name, reason and link of each waiver; a waiver that holds passes its own test."""
    assert outside.done.told[f"{WRONG}-grad_logits-two_classes"] == "XFAIL"
    line = next(
        line for line in outside.done.text.splitlines() if line.startswith("XFAIL") and "grad_logits" in line
    )
    assert "waiver wrong-plain: A fake that answers NaN" in line
    assert "(https://example.org/wrong-plain); waiver wrong-two: A fake" in line
    assert outside.done.told["waiver-wrong-two"] == "PASSED"


def test_a_waiver_whose_witness_conforms_is_stale(outside: Outside) -> None:
    assert outside.done.told[f"{RIGHT}-value-two_classes"] == "FAILED"
    words = outside.done.section(f"{RIGHT}-value-two_classes")
    assert f"XPASS(strict): waiver right-value: its witness {WITNESS} conforms now; take the waiver" in words
    assert outside.done.told["waiver-right-value"] == "FAILED"


def test_what_is_unsupported_is_skipped_in_the_frameworks_words(outside: Outside) -> None:
    assert "unsupported: half a float is not enough" in outside.done.text
    assert not any("lacking" in name and "bfloat16" in name for name in outside.done.told)


def test_the_frameworks_are_started_once_for_all_processes(outside: Outside) -> None:
    """Those that a test is left of: the others not at all."""
    starts = Counter((outside.here / "starts").read_text().split())
    assert starts == {"right": 1, "wrong": 1, "lacking": 1}


def run_file(outside: Outside) -> Path:
    (found,) = re.findall(r"see all with: conformance report (\S+) -o report.html", outside.done.text)
    return Path(found)


def test_only_what_is_left_is_asked(outside: Outside) -> None:
    """``-k`` narrows the run itself, and the summary says where it is."""
    asked = read_run(run_file(outside)).verdicts
    assert set(asked["operator"]) == {"softmax"} and set(asked["family"]) == {"two_classes"}
    dtypes = {f: set(rows["dtype"]) for (f,), rows in asked.group_by("framework")}
    assert dtypes["right"] == {"float32"} and dtypes["lacking"] == {"float32", "bfloat16"}


def test_naive_formulations_are_no_tests() -> None:
    """They are controls: wrong on purpose."""
    from xent_conformance.asking.selection import Selection
    from xent_conformance.pytesting.groups import of_selection

    chosen = Selection("quick", ("numpy",), ("log_softmax",), devices=("cpu",))
    asked = {g.implementation for g in of_selection(chosen)}
    assert "numpy:log_softmax-shifted" in asked and "numpy:log_softmax-naive" not in asked


# --- of a run file -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def judged(outside: Outside, tmp_path_factory: pytest.TempPathFactory) -> Done:
    """The run file of the first, judged without waivers, in a place where none of the fakes is to be had."""
    here = tmp_path_factory.mktemp("judged")
    return run_pytest(
        here,
        *("--pyargs", "xent_conformance", "-rA", f"--conformance-run={run_file(outside)}"),
        *("--conformance-framework", "wrong", "--conformance-framework", "lacking"),
    )


def test_a_run_file_is_judged_without_any_framework(outside: Outside, judged: Done) -> None:
    """The tests are what the file holds, of the frameworks that are named."""
    assert judged.status == pytest.ExitCode.TESTS_FAILED
    assert judged.told["run-file"] == "PASSED"
    assert judged.told[f"{WRONG}-grad_logits-two_classes"] == "FAILED"
    assert judged.told["lacking.softmax-eager-cpu-float32-softmax-value-two_classes"] == "PASSED"
    held = read_run(run_file(outside)).verdicts.filter(pl.col("framework").is_in(["wrong", "lacking"]))
    groups = held.select("framework", "dtype", "output").unique().height
    assert len(re.findall(r"test_conformance\[", judged.text)) >= groups
    assert Counter((outside.here / "starts").read_text().split()).total() == 3


# --- refusals ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--framework", "pytorhc"], "unknown framework 'pytorhc': did you mean torch"),
        (["--conformance-run", "gone.parquet"], "gone.parquet: no such file"),
        (["--conformance-plugin", "gone.py"], "there is no file"),
        (["--framework", "numpy", "--waivers", "gone.toml"], "gone.toml: cannot be read"),
        (["--conformance-run", "run", "--profile", "full"], "run has its own profile and plug-ins"),
    ],
    ids=lambda v: v[-1] if isinstance(v, list) else "",
)
def test_a_wrong_name_is_refused_at_collection(arguments: list[str], words: str, tmp_path: Path) -> None:
    done = run_pytest(tmp_path, "--pyargs", "xent_conformance.pytesting.test_frameworks", *arguments)
    assert done.status == pytest.ExitCode.INTERRUPTED
    assert words in done.text and "Traceback" not in done.text


def test_without_the_plug_in_everything_is_by_default(tmp_path: Path) -> None:
    """With ``-p no:conformance`` the tests are there all the same."""
    asked = ("--pyargs", "xent_conformance", "-k", "numpy and two_classes and value")
    done = run_pytest(tmp_path, *asked, "--collect-only", "-q", plugged=False)
    assert done.status == 0
    assert "[numpy:softmax-shifted-eager-cpu-float32-softmax-value-two_classes]" in done.text
