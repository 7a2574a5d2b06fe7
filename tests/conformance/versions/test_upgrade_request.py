"""What an upgrade is asked with: pins, the framework they are of, the command that asks again."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.by_hand import Install, selection
from xent_conformance.decision.policy import Policy
from xent_conformance.discovery.framework import FRAMEWORKS, Seat
from xent_conformance.discovery.names import UnknownName
from xent_conformance.reports.run.file import Run
from xent_conformance.reports.views.reasons import Kind, Reason
from xent_conformance.versions import upgrade
from xent_conformance.versions.upgrade import NoEvidence, Pin, Request, WrongRequest, framework_of, judge

REASON = Reason(
    Kind.REGRESSED,
    True,
    "title",
    "detail",
    "conformance explain …",
    case="softmax/two_classes/zero/float32/n2/r0",
    implementation="fake.softmax",
)


def _pins(*texts: str) -> tuple[Pin, ...]:
    return tuple(Pin.of(text) for text in texts)


# --- pins ---


@pytest.mark.parametrize(
    ("text", "name", "version"),
    [
        ("jax==0.10.2", "jax", "0.10.2"),
        ("JAX_cuda == 0.10.2", "jax-cuda", "0.10.2"),
        ("mlx[cpu]==0.31", "mlx", "0.31"),
        ("odd===2024-nightly", "odd", "2024-nightly"),
    ],
)
def test_pin(text: str, name: str, version: str) -> None:
    pin = Pin.of(text)
    assert (pin.name, pin.version) == (name, version)


@pytest.mark.parametrize(
    ("text", "version", "is_it"),
    [
        ("torch==2.13.0", "2.13.0+cpu", True),
        ("torch==2.13", "2.13.0", True),
        ("torch==2.13.0+cu130", "2.13.0+cpu", False),
        ("torch==2.13.0", "2.13.1", False),
        ("jax==0.11.0", "0.11.0.dev20261121", False),
        ("jax==0.11.0.dev20261121", "0.11.0.dev20261121", True),
        ("odd===2024-nightly", "2024-nightly", True),
        ("jax==1", "", False),
    ],
)
def test_the_version_that_is_named(text: str, version: str, is_it: bool) -> None:
    assert Pin.of(text).names(version) is is_it


# --- whose versions they are ---


@pytest.mark.parametrize(
    ("text", "name"),
    [("jax==1", "jax"), ("tensorflow==2", "tensorflow"), ("torch==2", "torch"), ("optax==1", "optax")],
)
def test_the_framework_of_a_distribution(text: str, name: str) -> None:
    assert framework_of(_pins(text, text + ".1"), None).name == name


def test_a_distribution_with_several_frameworks_needs_a_choice() -> None:
    pins = _pins("keras==3.1", "keras==3.2")
    with pytest.raises(
        WrongRequest, match="keras is asked as keras-tensorflow, keras-torch, keras-jax; choose"
    ):
        framework_of(pins, None)
    assert framework_of(pins, "keras-jax").name == "keras-jax"


def test_a_part_is_asked_of_the_framework_that_is_named() -> None:
    with pytest.raises(
        WrongRequest, match=r"no framework is the distribution 'jaxlib'; there are .*jax, keras, .*"
    ):
        framework_of(_pins("jaxlib==1", "jaxlib==2"), None)
    assert framework_of(_pins("jaxlib==1", "jaxlib==2"), "jax").name == "jax"


def test_two_names_of_one_framework() -> None:
    assert framework_of(_pins("tensorflow==2", "tf-nightly==3"), "tensorflow").name == "tensorflow"


# --- the command that asks again ---


def _request(install: Install, **changes: object) -> Request:
    install(fake="Exact")
    usual = Request("upgrade", _pins("fake==1", "fake==2"), FRAMEWORKS["fake"], selection())
    return replace(usual, **changes)  # type: ignore[arg-type]


def test_the_whole_command(install: Install) -> None:
    request = _request(install, extra=("numpy<2",), python={"OLD": "/a b/python"}, options=("--no-known",))
    assert request.command() == (
        "conformance upgrade fake==1 fake==2 --profile quick --framework fake --operator softmax --operator "
        "sparse_softmax_cross_entropy --dtype float32 --family special_values --family two_classes "
        "--with 'numpy<2' --python 'OLD=/a b/python' --no-known"
    )


def test_of_a_reason_it_asks_no_more_than_shows_it(install: Install) -> None:
    words = shlex.split(_request(install).command(REASON))
    assert words[8:] == [
        *("--operator", "softmax", "--dtype", "float32", "--family", "two_classes"),
        *("--implementation", "fake.softmax"),
    ]


def test_a_name_with_brackets_stays_a_name(install: Install) -> None:
    words = shlex.split(_request(install).command(replace(REASON, implementation="fake.softmax[x]")))
    assert words[-1] == "fake.softmax[[]x]"


def test_of_a_reason_without_a_case_it_asks_all(install: Install) -> None:
    request = _request(install)
    assert request.command(replace(REASON, case="", implementation="")) == request.command()


# --- interpreters ---


def test_interpreters_by_side_and_by_version(install: Install) -> None:
    request = _request(install, python={"OLD": "/one", "2": "/two"})
    assert [request.interpreter(pin, print) for pin in request.pins] == [Path("/one"), Path("/two")]


def test_what_is_not_there_is_made(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(
        upgrade, "environment_for", lambda wanted, say: asked.append(list(wanted)) or Path("/made")
    )
    request = _request(install, python={"NEW": "/two"}, extra=("numpy<2",))
    assert [request.interpreter(pin, print) for pin in request.pins] == [Path("/made"), Path("/two")]
    assert asked == [["fake==1", "numpy<2"]]


def test_the_version_of_a_part_is_looked_up_there(install: Install, tmp_path: Path) -> None:
    """``jaxlib==…`` asked of jax: what the worker says is the version of jax."""
    import sys

    import numpy

    request = _request(install, pins=_pins(f"numpy=={numpy.__version__}", "numpy==0.1"))
    here = {"OLD": sys.executable, "NEW": sys.executable}
    with pytest.raises(
        NoEvidence, match=f"numpy==0.1: under .* there is numpy {numpy.__version__}; name the"
    ):
        upgrade.prepare(replace(request, python=here), print)
    gone = replace(request, pins=_pins("no-such==1", "no-such==2"), python=here)
    with pytest.raises(NoEvidence, match="there is no-such — none"):
        upgrade.prepare(gone, print)


def test_an_interpreter_of_a_framework_that_is_not_asked(install: Install) -> None:
    install(fake="Exact", other="Exact")
    asked = selection(frameworks=("fake",))
    assert [s.interpreter for s in asked.seats({"fake": "/python"})] == ["/python"]
    with pytest.raises(
        UnknownName, match="an interpreter for other, which is not asked; name it with --frame"
    ):
        asked.seats({"other": "/python"})
    with pytest.raises(UnknownName, match="unknown framework 'torch'"):
        asked.seats({"torch": "/python"})


def test_our_folders_are_no_business_of_another_python(install: Install) -> None:
    install(fake="Exact")
    ours = Seat(FRAMEWORKS["fake"]).launch()
    other = Seat(FRAMEWORKS["fake"], interpreter="/python").launch()
    assert "PYTHONPATH" not in ours.environment
    assert other.interpreter == "/python" and other.environment["PYTHONPATH"] == ""
    assert other.search == ours.search and other.adapter == ours.adapter


# --- the decision ---


def test_an_unfinished_run_is_no_baseline(install: Install, tmp_path: Path) -> None:
    from xent_conformance.running.engine import run

    request = _request(install)
    old = run(selection(frameworks=("fake",)), tmp_path / "old.parquet")
    torn = Run(old.verdicts, ({**old.header, "absent": [{"message": "it died"}]},))
    with pytest.raises(
        NoEvidence, match=r"fake==1 did not answer all .* no baseline: it died; run again: conf"
    ):
        judge(request, torn, old, (), Policy())
