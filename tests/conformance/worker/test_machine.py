"""What a run file says of the processor: its name, and the instruction sets that kernels choose by."""

from __future__ import annotations

from pathlib import Path

import pytest

from xent_conformance.worker import machine


def test_the_sets_are_told_in_one_order(monkeypatch: pytest.MonkeyPatch) -> None:
    flags = "fpu avx2 sse4_2 avx avx512f something_new"
    monkeypatch.setattr(machine, "_described", lambda: {"flags": flags, "model name": "A CPU"})
    assert machine.instructions() == "sse4_2 avx avx2 avx512f"
    assert machine.processor() == "A CPU" and "something_new" in machine.flags()


def test_arm_names_them_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_described", lambda: {"Features": "fp asimd sve"})
    assert machine.instructions() == "asimd sve" and machine.processor()


def test_a_system_that_does_not_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_described", dict)
    assert machine.instructions() == "" and machine.flags() == frozenset() and machine.processor()


def test_drivers_are_those_that_linux_has_loaded(tmp_path: Path) -> None:
    """Results of a GPU are of its driver too: two files of the same card and build may differ by it."""
    assert machine.drivers(tmp_path) == ""
    for name, version in (("nvidia", "580.159.04\n"), ("amdgpu", "6.12.12\n"), ("nouveau", "1.0\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "version").write_text(version)
    assert machine.drivers(tmp_path) == "nvidia 580.159.04, amdgpu 6.12.12"
