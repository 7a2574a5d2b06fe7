"""What may be compared: a framework's own mode and plain devices, and questions that all were asked."""

from __future__ import annotations

from typing import Any

from tests.support.small_run import run_of, verdict
from xent_conformance.reports.views.fair import Place, at_home, causes_of, shared

JAX = {"framework": "jax", "version": "0.10.2"}


def modes(*rows: dict[str, Any]) -> list[tuple[str, str, str]]:
    found = (
        at_home(run_of(rows).verdicts)
        .select("framework", "mode", "device")
        .unique()
        .sort("framework", "device")
    )
    return found.rows()


def test_a_frameworks_own_mode_is_that_of_most_of_its_implementations() -> None:
    rows = [
        verdict(mode="eager", implementation="torch.a"),
        verdict(mode="func", implementation="torch.a", case="b"),
        verdict(mode="func", implementation="torch.a", case="c"),
        verdict(mode="eager", implementation="torch.b"),
        verdict(**JAX, mode="jit", implementation="jax.a"),
        verdict(**JAX, mode="jit", implementation="jax.b"),
        verdict(**JAX, mode="eager", implementation="jax.a"),
    ]
    assert modes(*rows) == [("jax", "jit", "cpu"), ("torch", "eager", "cpu")]


def test_of_as_many_implementations_the_mode_with_more_rows_is_its_own() -> None:
    rows = [verdict(mode="jit", case=c) for c in "ab"] + [verdict(mode="eager", case="a")]
    assert modes(*rows) == [("torch", "jit", "cpu")]
    assert modes(verdict(mode="jit"), verdict(mode="eager")) == [("torch", "eager", "cpu")]


def test_naive_controls_do_not_choose_the_mode_and_are_asked_in_it() -> None:
    rows = [verdict(mode="eager"), verdict(mode="eager", implementation="naive", formulation="naive")]
    rows += [
        verdict(mode="xla", implementation=f"naive{i}", formulation="naive", case=str(i)) for i in range(3)
    ]
    kept = at_home(run_of(rows).verdicts)
    assert sorted(kept["implementation"]) == ["naive", "torch.softmax"]


def test_each_version_has_its_own_mode() -> None:
    rows = [verdict(version="1", mode="jit"), verdict(version="2", mode="eager")]
    assert at_home(run_of(rows).verdicts).height == 2


def test_a_device_under_a_setting_speaks_for_nobody_but_itself() -> None:
    rows = [verdict(device="cpu[isa=avx2]"), verdict(), verdict(device="cuda:0")]
    assert modes(*rows) == [("torch", "eager", "cpu"), ("torch", "eager", "cuda:0")]
    assert modes(verdict(device="cpu[isa=avx2]")) == [("torch", "eager", "cpu[isa=avx2]")]


def test_a_kind_of_device_that_was_asked_under_settings_alone_is_at_home_under_each() -> None:
    """Whatever other kinds were asked as they are."""
    drivers = ["vulkan[lavapipe]", "vulkan[swiftshader]"]
    rows = [verdict(device=device) for device in ("cpu", "cpu[isa=avx2]", *drivers)]
    assert modes(*rows) == [("torch", "eager", device) for device in ("cpu", *drivers)]


def test_only_what_all_were_asked_is_compared() -> None:
    rows = [verdict(implementation=i, case=c) for i, c in (("a", "1"), ("b", "1"), ("a", "2"), ("b", "3"))]
    kept = shared(run_of(rows).verdicts, ["operator", "dtype"], ["case"])
    assert sorted(kept.select("implementation", "case").rows()) == [("a", "1"), ("b", "1")]
    # each format by itself: one that was asked in one format alone takes nothing from another
    rows.append(verdict(implementation="c", case="4", dtype="float64"))
    assert shared(run_of(rows).verdicts, ["operator", "dtype"], ["case"]).height == 3


def test_where_nothing_was_asked_of_all_that_of_most_is_compared() -> None:
    rows = [verdict(implementation=i, case=c) for i, c in (("a", "1"), ("b", "1"), ("c", "2"))]
    kept = shared(run_of(rows).verdicts, ["operator"], ["case"])
    assert set(kept["case"]) == {"1"}


def test_causes_of_most_rows_come_first_and_no_cause_is_none() -> None:
    rows = [verdict(case=str(i), status="breaks_should", cause=c) for i, c in enumerate(["b", "a", "b", ""])]
    assert causes_of(run_of(rows).verdicts) == ("b", "a")


def test_a_place_has_the_columns_of_a_verdict() -> None:
    assert Place.of(verdict()) == Place("torch", "2.13.0", "eager", "cpu", "AMD EPYC")
