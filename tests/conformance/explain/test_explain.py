"""``conformance explain``: what a person types to see one row of a run again, on whatever device it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.by_hand import Install
from tests.support.cli import invoke
from xent_conformance.__main__ import USAGE

CASE = "softmax/two_classes/confident_right/float32/n2/r0"


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def _explain(*arguments: str, status: int = 0) -> tuple[str, str]:
    """Standard output, and the error as one line."""
    result = invoke("explain", CASE, *arguments)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == status, result.output
    return result.stdout, " ".join(result.stderr.split())


def test_the_plain_devices_are_asked_where_none_is_named(install: Install) -> None:
    install(fake="tests.support.fakes_of_explain:Varied")
    out, _ = _explain()
    assert "fake.softmax eager cpu\n" in out and "fake.softmax eager gpu:0\n" in out
    assert "[setting=odd]" not in out


def test_a_variant_is_asked_under_its_setting(install: Install) -> None:
    """In a worker of its own: this one is off by an ulp under the setting, and right without."""
    install(fake="tests.support.fakes_of_explain:Varied")
    out, _ = _explain("--device", "cpu", "--device", "cpu[setting=odd]")
    plain, _, odd = out.partition("fake.softmax eager cpu[setting=odd]")
    assert "fake.softmax eager cpu\n" in plain and "(exact)" in plain
    assert odd and "(exact)" not in odd


def test_a_kind_of_device_names_all_of_its_kind(install: Install) -> None:
    install(fake="tests.support.fakes_of_explain:Varied")
    out, _ = _explain("--device", "gpu")
    assert "fake.softmax eager gpu:0\n" in out and "eager cpu" not in out


def test_a_device_that_is_not_there_is_said(install: Install) -> None:
    install(fake="Exact")
    out, _ = _explain("--device", "cuda")
    assert "fake: no device cuda here; there is cpu" in out


def test_a_clause_says_beside_the_answer_who_may_break_it_and_be_honest(install: Install) -> None:
    """Where it is broken, and nowhere else."""
    install(fake="tests.support.fakes_of_explain:MerelyStable")
    out, _ = _explain()
    value, _, gradient = out.partition("grad_logits: breaks should, clause 1.2")
    assert gradient and "note: An honest kernel can be here" in " ".join(gradient.split())
    assert "note:" not in value


def test_a_variant_that_nobody_has_is_refused(install: Install) -> None:
    install(fake="tests.support.fakes_of_explain:Varied")
    _, error = _explain("--device", "cpu[setting=od]", status=USAGE)
    assert "unknown variant 'cpu[setting=od]': did you mean cpu[setting=odd]" in error


def test_a_variant_that_the_implementation_does_not_have(install: Install) -> None:
    install(fake="tests.support.fakes_of_explain:Varied", other="Exact")
    _, error = _explain("--implementation", "other*", "--device", "cpu[setting=odd]", status=USAGE)
    assert "no implementation of softmax matches 'other*' on cpu[setting=odd]" in error


def test_a_mode_that_widens_is_judged_as_in_a_run(install: Install) -> None:
    """A result of a wider type is right where the mode says so."""
    install(fake="tests.support.fakes_of_explain:Widens")
    out, _ = _explain()
    assert "wrong dtype" not in out and "conforms" in out and "breaks" not in out
