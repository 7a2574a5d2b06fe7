"""What ``--json`` writes: programs read these keys, so they are held here to the letter."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.gating import conformance
from tests.support.small_gate import CASE, broken, decided, newer, of_every_change, view_of, waiver
from tests.support.small_run import run_of, verdict
from xent_conformance.reports.ci import data
from xent_conformance.reports.run.file import write_run
from xent_conformance.versions.matrix import versions

GATE = {
    "answered": [{"framework": "str", "answered": "int", "offered": "int"}],
    "status": "int",
    "verdict": "str",
    "tested": ["str"],
    "against": ["str"],
    "verdicts": "int",
    "waived": "int",
    "waived_by_suite": "int",
    "by_status": {"breaks_must": "int", "conforms": "int"},
    "changes": {
        "regressed": "int",
        "missing": "int",
        "not comparable": "int",
        "drifted": "int",
        "fixed": "int",
        "improved": "int",
        "added": "int",
        "bits changed": "int",
        "same": "int",
    },
    "reasons": [
        {
            "kind": "str",
            "blocking": "bool",
            "title": "str",
            "detail": "str",
            "command": "str",
            "count": "int",
            "cause": "str",
            "framework": "str",
            "version": "str",
            "implementation": "str",
            "operator": "str",
            "output": "str",
            "targets": ["str"],
            "dtypes": ["str"],
            "clause": "str",
            "level": "str",
            "symptom": "str",
            "case": "str",
            "got": "str",
            "right": "str",
            "ulps": "float",
            "evidence": "bool",
            "findings": [
                {
                    "operator": "str",
                    "framework": "str",
                    "version": "str",
                    "implementation": "str",
                    "output": "str",
                    "clause": "str",
                    "symptom": "str",
                }
            ],
        }
    ],
    "waivers": [
        {
            "name": "str",
            "state": "str",
            "rows": "int",
            "message": "str",
            "next": "str",
            "case": "str",
            "implementation": "str",
            "framework": "str",
            "reason": "str",
            "link": "str",
            "source": "str",
        }
    ],
    "accepted": [
        {
            "operator": "str",
            "framework": "str",
            "version": "str",
            "implementation": "str",
            "machine": "str",
            "output": "str",
            "clause": "str",
            "symptom": "str",
            "waiver": "str",
            "count": "int",
            "cause": "str",
        }
    ],
    "headline": "str",
    "machine": [],
}

SIDE = {"tested": ["str"], "created": ["str"], "suite": ["str"], "profiles": ["str"], "verdicts": "int"}

VERDICT = {
    "version": "str",
    "machine": "str",
    "outcome": "str",
    "message": "str",
    "grade": "str",
    "status": "str",
    "symptom": "str",
    "bits": "str",
    "element": "int",
    "ulps": "float",
    "got": "str",
    "right": "str",
}

GROUPS = {
    "groups": "int",
    "pairs": "int",
    "listed": [
        {
            "operator": "str",
            "framework": "str",
            "implementation": "str",
            "output": "str",
            "clause": "str",
            "title": "str",
            "level": "str",
            "count": "int",
            "targets": ["str"],
            "dtypes": ["str"],
            "worst": {
                "case": "str",
                "mode": "str",
                "device": "str",
                "dtype": "str",
                "before": VERDICT,
                "now": VERDICT,
            },
        }
    ],
}

CHANGES = tuple(GATE["changes"])  # type: ignore[arg-type]

COMPARISON = {
    "old": SIDE,
    "new": SIDE,
    "environment": [{"who": "str", "what": "str", "before": "str", "now": "str"}],
    "pairs": "int",
    "counts": dict.fromkeys(CHANGES, "int"),
    "about": dict.fromkeys(CHANGES, "str"),
    "transitions": [{"before": "str", "now": "str", "count": "int"}],
    "groups": dict.fromkeys([c for c in CHANGES if c != "same"], GROUPS),
}

VERSIONS = {
    "framework": "str",
    "versions": ["str"],
    "environments": [{"processor": "str", "python": "str"}],
    "complete": ["bool"],
    "profile": "str",
    "date": "str",
    "command": "str",
    "lines": [
        {
            "implementation": "str",
            "formulation": "str",
            "cells": [
                {
                    "verdicts": "int",
                    "must": "int",
                    "should": "int",
                    "unsupported": "int",
                    "worst": {"float32": "float"},
                    "changed": "int",
                    "compared": "int",
                    "regressed": "int",
                    "fixed": "int",
                }
            ],
        }
    ],
    "lifetimes": [
        {
            "implementation": "str",
            "operator": "str",
            "output": "str",
            "clause": "str",
            "level": "str",
            "symptom": "str",
            "formulation": "str",
            "counts": ["int"],
            "case": "str",
            "got": "str",
            "right": "str",
            "ulps": "float",
            "steady": "bool",
            "first_seen": "str",
            "gone_in": "str",
        }
    ],
}


def tree(told: Any) -> Any:
    """Keys and kinds; of a list those of its entries together, and null is no kind of its own."""
    if isinstance(told, dict):
        return {key: tree(value) for key, value in told.items()}
    if isinstance(told, list):
        found = [tree(value) for value in told if value is not None]
        return [_together(found)] if found else []
    return None if told is None else type(told).__name__


def _together(found: list[Any]) -> Any:
    """Of entries that have the same keys, the kind that any of them has."""
    if not isinstance(found[0], dict):
        kinds = [kind for kind in found if kind is not None]
        assert all(kind == kinds[0] for kind in kinds)
        return kinds[0] if kinds else None
    assert all(set(entry) == set(found[0]) for entry in found)
    return {key: _together([e[key] for e in found if e[key] not in (None, [])] or [None]) for key in found[0]}


def _read(told: Any) -> Any:
    """As a program reads it: strict JSON."""
    return json.loads(json.dumps(told, allow_nan=False))


def _gate() -> Any:
    run = run_of([broken(), broken(implementation="torch.nn.Softmax"), verdict(case="b")])
    before = run_of([verdict(case=CASE), verdict(case="b"), verdict(case=CASE, implementation="torch.gone")])
    stale = waiver(name="old", witnesses=("b",))
    return data.gate(decided(run, [waiver(), stale], baseline=before))


def _of_versions() -> Any:
    """A finding that came and went, so that no key is null."""
    runs = [run_of([broken(version="1")]), run_of([verdict(version="2", case=CASE)])]
    return data.versions(versions(runs, "conformance matrix …"))


def test_the_keys_of_the_gate() -> None:
    found = tree(_read(_gate()))
    assert found == GATE
    assert list(found)[:3] == ["status", "verdict", "tested"]


def test_the_keys_of_a_comparison() -> None:
    found = tree(_read(data.comparison(of_every_change())))
    for change, groups in found["groups"].items():
        worst = groups["listed"][0]["worst"]
        one = {"missing": "now", "added": "before"}.get(change)
        if one:
            assert worst.pop(one) is None
            worst[one] = VERDICT
        for side in ("before", "now"):
            worst[side]["ulps"] = "float" if worst[side]["ulps"] is None else worst[side]["ulps"]
    assert found == COMPARISON


def test_the_keys_of_versions() -> None:
    assert tree(_read(_of_versions())) == VERSIONS


def test_the_keys_of_an_upgrade() -> None:
    run = run_of([broken()])
    table = versions([run, run])
    told = _read(data.upgrade(decided(run), view_of([verdict()], [newer()]), table))
    assert set(told) == {"gate", "comparison", "versions"}
    assert (set(told["gate"]), set(told["comparison"])) == (set(GATE), set(COMPARISON))
    assert set(told["versions"]) == set(VERSIONS)


@pytest.mark.parametrize("command", [("gate", "--no-known"), ("compare",)])
def test_the_files_hold_it(command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_run(Path("old.parquet"), run_of([verdict(case=CASE)]))
    write_run(Path("new.parquet"), run_of([broken()]))
    runs = ["new.parquet"] if command[0] == "gate" else ["old.parquet", "new.parquet"]
    failed = int(command[0] == "gate")
    conformance(command[0], *runs, *command[1:], "--json", "told.json", status=failed)
    told = json.loads(Path("told.json").read_text("utf-8"))
    assert set(told) == set(GATE if command[0] == "gate" else COMPARISON)


# --- what they mean ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "got", "right", "ulps"),
    [
        ({}, "0.25", "0.1", 2000.0),
        ({"got": float("nan"), "grade": "wrong_special", "ulps": float("inf")}, "NaN", "0.1", None),
        ({"outcome": "timed_out", "grade": "none", "ulps": float("nan")}, "timed_out", "", None),
        ({"outcome": "returned", "grade": "none", "symptom": "wrong shape"}, "returned", "", None),
    ],
)
def test_an_answer_for_programs(changes: dict[str, Any], got: str, right: str, ulps: float | None) -> None:
    """A number as its shortest text, an outcome by its name, an error as a number or null."""
    (reason,) = _read(data.gate(decided(run_of([broken(**changes)]))))["reasons"][:1]
    if reason["kind"] == "no verdicts":
        reason = _read(data.gate(decided(run_of([broken(**changes), verdict(case="b")]))))["reasons"][0]
    assert (reason["got"], reason["right"], reason["ulps"]) == (got, right, ulps)


def test_a_key_that_is_gone_is_seen() -> None:
    told = _read(_gate())
    del told["reasons"][0]["right"]
    with pytest.raises(AssertionError):
        assert tree(told) == GATE
