"""The same calls, twice: what a mode, a device or a machine changes, and what must not be compared."""

from __future__ import annotations

from typing import Any

from tests.support.small_run import header, run_of, verdict
from xent_conformance.reports.run.file import merge
from xent_conformance.reports.views.modes import Moved, Pair, Place, What, pairs

Rows = list[dict[str, Any]]

NOTHING = Moved(0, 0, ())


def asked(case: str, **changes: Any) -> dict[str, Any]:
    return verdict(case=case, **changes)


def found(rows: Rows) -> tuple[Pair, ...]:
    return pairs(run_of(rows))


def one(rows: Rows) -> Pair:
    (pair,) = found(rows)
    return pair


def test_a_mode_is_held_against_eager_call_by_call() -> None:
    rows = [
        asked("same"),
        asked("same", mode="xla"),
        asked("bits"),
        asked("bits", mode="xla", bits="other"),
        asked("worse"),
        asked("worse", mode="xla", status="breaks_must", bits="other", cause="fused"),
        asked("better", status="breaks_should", cause="0-is-nan"),
        asked("better", mode="xla", bits="other"),
        asked("milder", status="breaks_must", cause="0-is-nan"),
        asked("milder", mode="xla", status="breaks_should", bits="other", cause="lost"),
        asked("eager alone"),
        asked("xla alone", mode="xla"),
    ]
    pair = one(rows)
    assert (pair.what, pair.mode, pair.other_mode) == (What.MODE, "eager", "xla")
    assert (pair.calls, pair.same) == (5, 1)
    # by what is wrong on the worse side: of what became milder, the cause that it had
    assert pair.better == Moved(2, 1, (("0-is-nan", 2),))
    assert pair.worse == Moved(1, 1, (("fused", 1),))
    assert not pair.alike and not pair.as_right


def test_the_same_status_for_another_cause_is_neither_better_nor_worse() -> None:
    rows = [
        asked("a", status="breaks_should", cause="one"),
        asked("a", mode="xla", status="breaks_should", cause="another", bits="other"),
    ]
    pair = one(rows)
    assert pair.better == pair.worse == NOTHING
    assert pair.as_right and not pair.alike


def test_a_refusal_is_the_same_as_a_refusal_and_another_as_an_error() -> None:
    refused = {"outcome": "refused", "grade": "none", "bits": "", "status": "breaks_should"}
    raised = refused | {"outcome": "raised"}
    rows = [
        asked("a", **refused),
        asked("a", mode="xla", **refused),
        asked("b", **refused),
        asked("b", mode="xla", **raised),
    ]
    assert (one(rows).calls, one(rows).same) == (2, 1)


def test_what_is_not_offered_not_decided_or_naive_is_no_pair() -> None:
    rows = [
        asked("a"),
        asked("a", mode="xla", status="unsupported"),
        asked("b", status="undecided"),
        asked("b", mode="xla", status="undecided"),
        asked("c", formulation="naive"),
        asked("c", formulation="naive", mode="xla"),
    ]
    assert found(rows) == ()


def test_without_eager_the_mode_that_was_asked_most_is_the_base() -> None:
    rows = [asked("a", mode="pmap"), asked("a", mode="jit"), asked("b", mode="jit")]
    assert (one(rows).mode, one(rows).other_mode) == ("jit", "pmap")


def test_a_device_is_held_against_the_cpu_in_every_mode_that_both_answered() -> None:
    rows = [
        asked("a"),
        asked("a", mode="compile"),
        asked("a", device="cuda", bits="other"),
        asked("a", mode="compile", device="cuda"),
        asked("a", mode="graph", device="cuda"),
    ]
    (pair,) = [p for p in found(rows) if p.what is What.DEVICE]
    assert (pair.base.device, pair.other.device, pair.mode, pair.calls, pair.same) == (
        "cpu",
        "cuda",
        "",
        2,
        1,
    )


def test_a_variant_is_held_against_its_device_as_well_and_has_no_modes_of_its_own() -> None:
    devices = ["cpu", "cpu[isa=avx2]", "cuda", "cuda[tf32]"]
    rows = [asked("a", device=d, mode=m) for d in devices for m in ("eager", "compile")]
    told = {(p.what, p.base.device, p.other.device) for p in found(rows)}
    assert told == {
        (What.MODE, "cpu", "cpu"),
        (What.MODE, "cuda", "cuda"),
        (What.DEVICE, "cpu", "cpu[isa=avx2]"),
        (What.DEVICE, "cpu", "cuda"),
        (What.DEVICE, "cpu", "cuda[tf32]"),
        (What.DEVICE, "cuda", "cuda[tf32]"),
    }


def test_of_settings_alone_the_first_stands_for_the_device_as_it_is() -> None:
    """Which is first, the header says: ``f32`` before ``bf16``, whatever the alphabet does."""
    settings = ("precision=f32", "precision=bf16", "precision=f16")
    rows = [asked("a", device=f"cpu[{name}]", bits=name) for name in settings]
    workers = [{"framework": "torch", "variant": name, "devices": ["cpu"]} for name in settings]
    told = {(p.base.device, p.other.device) for p in pairs(run_of(rows, header(frameworks=workers)))}
    assert told == {("cpu[precision=f32]", f"cpu[{name}]") for name in settings[1:]}
    plain = pairs(run_of([*rows, asked("a")], header(frameworks=workers)))
    assert {p.base.device for p in plain} == {"cpu"} and len(plain) == 3


def test_a_kind_under_settings_alone_has_its_first_beside_the_cpu_as_it_is() -> None:
    """A driver is held against the CPU, another against the first driver too; it has modes of its own."""
    settings = ("swiftshader", "lavapipe", "lavapipe,fp16")
    workers = [{"framework": "torch", "variant": "", "devices": ["cpu"]}]
    workers += [{"framework": "torch", "variant": name, "devices": ["vulkan"]} for name in settings]
    devices = [f"vulkan[{name}]" for name in settings]
    rows = [asked("a", device=d, mode=m) for d in ("cpu", *devices) for m in ("eager", "compile")]
    told = pairs(run_of(rows, header(frameworks=workers)))
    assert {(p.base.device, p.other.device) for p in told if p.what is What.DEVICE} == {
        *(("cpu", device) for device in devices),
        *((devices[0], device) for device in devices[1:]),
    }
    assert {p.base.device for p in told if p.what is What.MODE} == {"cpu", *devices}


def test_a_gpu_is_held_against_the_cpu_beside_it_if_that_was_asked() -> None:
    at_home = run_of([asked("a", machine="home"), asked("b", machine="home")])
    away = run_of([asked("a", machine="away"), asked("a", machine="away", device="cuda", bits="other")])
    told = {(p.what, p.base, p.other) for p in pairs(merge([at_home, away]))}
    home, there = (Place("cpu", machine, "2.13.0") for machine in ("home", "away"))
    assert told == {
        (What.MACHINE, home, there),
        (What.DEVICE, there, Place("cuda", "away", "2.13.0")),
    }


def test_a_gpu_alone_is_held_against_the_cpu_of_another_file_and_build() -> None:
    cpu = run_of([asked("a", machine="home", version="2.13.0+cpu")])
    gpu = run_of([asked("a", machine="away", version="2.13.0+cu130", device="cuda", bits="other")])
    (pair,) = pairs(merge([cpu, gpu]))
    assert (pair.version, pair.what, pair.calls, pair.same) == ("2.13.0", What.DEVICE, 1, 0)
    assert (pair.base.version, pair.other.version) == ("2.13.0+cpu", "2.13.0+cu130")


def test_other_versions_and_frameworks_are_no_pair() -> None:
    rows = [
        asked("a"),
        asked("a", version="2.12.0", mode="compile"),
        asked("a", framework="jax", device="cuda"),
    ]
    assert found(rows) == ()


def test_no_verdict_is_no_pair() -> None:
    assert found([]) == ()
