"""What pip has installed is said before anything is imported; what answers is said as it comes."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from tests.support.environments import standing
from xent_conformance.commands import listing
from xent_conformance.commands.examined import Examined
from xent_conformance.commands.records import Records, records
from xent_conformance.discovery.framework import FRAMEWORKS, Framework, Seat
from xent_conformance.reports.run.words import Status
from xent_conformance.running.conversation import Ended, Started, Stream, together
from xent_conformance.running.machine import Done, Gone, There, Told

NAMES = ("jax", "torch", "onnxruntime", "onnx")


def _seats(python: str) -> list[Seat]:
    return [Seat(FRAMEWORKS[name], interpreter=python) for name in NAMES]


def _said(shown: Any) -> str:
    console = Console(file=io.StringIO(), width=200)
    shown(console)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_it_is_known_by_the_records_of_another_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its packages end whoever imports them; a framework that lacks one of two is away."""
    python = standing(tmp_path / "theirs", "torch", "onnx")
    asked, run = [], subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda words, **how: asked.append(words) or run(words, **how))
    seats = _seats(python)
    found = records([*seats, Seat(FRAMEWORKS["torch"], "threads=4", interpreter=python)])
    assert len(asked) == 1, "it is started once for all of them"
    assert found.there == {"torch": "", "onnx": ""}
    assert found.away == {
        "jax": f"{python} -m pip install jax",
        "onnxruntime": f"{python} -m pip install onnxruntime onnx",
    }
    assert found.settings == {"torch": ["cpu[isa=default]", "cpu[isa=avx2]"], "onnx": []}
    assert [seat.name for seat in found.first(seats)] == ["torch", "onnx", "jax", "onnxruntime"]
    text = _said(found.show)
    assert "torch: cpu[isa=default], cpu[isa=avx2]\n" in text and "jax: " in text
    assert text.index("pip has installed") < text.index("pip has not installed")


def test_it_is_known_of_our_own_python_with_versions() -> None:
    ours = Seat(FRAMEWORKS["numpy"])
    foreign = Seat(Framework("foreign", "somewhere:Foreign", "pip install foreign"))
    found = records([ours, foreign])
    assert found.there == {"numpy": np.__version__} and not found.away
    assert f"numpy {np.__version__}\n" in _said(found.show)
    assert [seat.name for seat in found.first([foreign, ours])] == ["foreign", "numpy"]


def test_a_device_that_its_setting_brings_is_not_said_to_be_away() -> None:
    """Seen of onnxruntime-web, which answered on ``webgpu[swiftshader]``: its driver computes on the CPU."""
    told = {r["device"]: r["setting"] for r in listing.variants(FRAMEWORKS["ncnn"], ["cpu"])}
    assert told["vulkan[lavapipe]"].endswith("; asked where it is named, if lavapipe is here")
    assert told["vulkan[fp16]"].endswith(f"; {listing.NOT_HERE}")


def test_what_is_away_is_said_once_and_what_is_not_whole_in_its_words() -> None:
    seats = {seat.name: seat for seat in _seats(sys.executable)}
    found = Examined(records=Records(there={"onnx": "1"}, away={"jax": "pip install jax"}))
    events = [
        Gone(seats["jax"], "ModuleNotFoundError: jax", "pip install jax", broken=False),
        Gone(seats["onnx"], "a package of npm is not here", "pip install onnx", broken=False),
        Gone(seats["torch"], "ModuleNotFoundError: torch", "pip install torch", broken=False),
    ]
    text = _said(lambda console: found.show(events, console))
    assert text.count("pip install jax") == 1 and "pip install onnx" not in text
    assert "onnx: a package of npm is not here" in text and "torch: pip install torch" in text


@pytest.mark.parametrize(
    ("system", "there", "away", "said"),
    [
        ("linux", {}, {"torch": "pip install torch"}, True),
        ("linux", {}, {"keras-torch": "/a/python -m pip install keras torch"}, True),
        ("linux", {"torch": "2.13.0"}, {"keras-torch": "pip install keras torch"}, False),
        ("linux", {}, {"jax": "pip install jax"}, False),
        ("darwin", {}, {"torch": "pip install torch"}, False),
    ],
)
def test_where_torch_is_to_be_installed_it_is_said_how_without_cuda(
    system: str, there: dict[str, str], away: dict[str, str], said: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", system)
    text = _said(Records(there=there, away=away).show)
    line = "  torch from PyPI may bring CUDA, gigabytes; its build for a CPU: --extra-index-url https://"
    assert (line in text) is said


@pytest.mark.parametrize(("ago", "said"), [(0.0, ""), (60.0, ", 0 of them within 5 s")])
def test_what_answers_late_is_said(ago: float, said: str) -> None:
    (seat,) = (seat for seat in _seats(sys.executable) if seat.name == "onnx")
    hello = {"devices": ["cpu"], "version": "1", "environment": {}, "missing": {}}
    told = Told(seat, "cpu", "float32", "onnx.reference:Softmax", "eager", Status.CONFORMS, "", "")
    found = Examined(began=time.perf_counter() - ago)
    text = _said(lambda console: found.show([There(seat, hello), told, Done(seat)], console))
    assert text.rstrip().endswith(f" s{said}") and "f32 conforms" in text
    assert len(found.soon) == (not ago)


def test_so_many_at_once_and_no_more_in_their_order() -> None:
    """Two wait for each other, so one at a time would wait for ever; a third beside them is counted."""
    running, counted, began = set[str](), list[int](), list[str]()
    both = threading.Barrier(2, timeout=20)

    def stream(name: str) -> Stream:
        running.add(name)
        began.append(name)
        counted.append(len(running))
        both.wait()
        yield Started(name, {})
        running.discard(name)
        yield Ended(name, 1)

    events = list(together({name: stream(name) for name in "abcdef"}, 2))
    assert sum(isinstance(event, Ended) for event in events) == 6 and max(counted) == 2
    assert sorted(began[:2]) == ["a", "b"] and sorted(began[2:4]) == ["c", "d"]
    assert len(list(together({name: _nothing(name) for name in "abc"}))) == 3
    assert list(together({}, 2)) == []


def _nothing(name: str) -> Stream:
    yield Ended(name, 0)
