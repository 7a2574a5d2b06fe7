"""What a conformance test says, by a run that is changed by hand; and what is asked for which tests."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from packaging.specifiers import SpecifierSet

from tests.support.by_hand import Install
from xent_conformance.asking.selection import Selection
from xent_conformance.decision.waivers import Waiver
from xent_conformance.discovery.framework import FRAMEWORKS, Framework
from xent_conformance.pytesting.groups import (
    Group,
    Narrowed,
    names,
    of_run,
    of_selection,
    place_of,
    same_device,
)
from xent_conformance.pytesting.verdicts import Failed, Known, NotAsked, Passed, Verdicts
from xent_conformance.reports.run.file import Run, held
from xent_conformance.running import engine

GROUP = Group("numpy", "numpy:softmax-shifted", "eager", "cpu", "float32", "softmax", "value", "two_classes")
WITNESS = "softmax/two_classes/confident_wrong/float32/n2/r0"
FAULT = {
    "status": "breaks_must",
    "level": "must",
    "symptom": "NaN",
    "clause": "2.5",
    "grade": "wrong_special",
}

WAIVER = Waiver(
    name="known",
    framework="numpy",
    versions=SpecifierSet(">=1"),
    operators=("softmax",),
    implementations=("*",),
    outputs=("value",),
    clause="2.5",
    symptom="NaN",
    cases=("softmax/two_classes/*",),
    witnesses=(WITNESS,),
    reason="It is known to be so.",
    link="https://example.org",
    source="mine.toml",
)


@pytest.fixture(scope="module")
def conforming(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """NumPy's softmax of two classes, all of which conforms."""
    chosen = Selection("quick", ("numpy",), ("softmax",), ("float32",), ("two_classes",), devices=("cpu",))
    run = engine.run(chosen, tmp_path_factory.mktemp("run") / "run.parquet")
    changed = run.verdicts.with_columns(status=pl.lit("conforms"), symptom=pl.lit("none"))
    yield Run(changed, run.headers)


def changed(run: Run, where: pl.Expr | None = None, **values: Any) -> Run:
    """The run with other words in the rows of ``where``, or in all."""
    where = pl.lit(True) if where is None else where
    columns = [
        pl.when(where).then(pl.lit(v)).otherwise(pl.col(name)).cast(run.verdicts.schema[name]).alias(name)
        for name, v in values.items()
    ]
    return Run(run.verdicts.with_columns(columns), run.headers)


def with_header(run: Run, **values: Any) -> Run:
    return Run(run.verdicts, ({**run.header, **values},))


WITNESSED = pl.col("case") == WITNESS


def test_what_conforms_passes(conforming: Run) -> None:
    assert Verdicts(conforming).of(GROUP) == Passed()


def test_a_must_clause_fails(conforming: Run) -> None:
    verdict = Verdicts(changed(conforming, WITNESSED, **FAULT)).of(GROUP)
    assert isinstance(verdict, Failed)
    assert "diverges in 1 of 40 rows" in verdict.message and f"case {WITNESS}" in verdict.message


@pytest.mark.parametrize(
    ("device", "end"), [("cpu", "numpy:softmax-shifted"), ("cpu[isa=avx2]", "--device 'cpu[isa=avx2]'")]
)
def test_the_command_asks_the_device_that_failed(conforming: Run, device: str, end: str) -> None:
    verdict = Verdicts(changed(conforming, **FAULT | {"device": device})).of(GROUP._replace(device=device))
    assert isinstance(verdict, Failed)
    (line,) = [line for line in verdict.message.splitlines() if "the row whole: conformance explain" in line]
    assert line.endswith(end)


def test_a_should_clause_fails_where_it_is_asked_to(conforming: Run) -> None:
    run = changed(conforming, WITNESSED, **FAULT | {"status": "breaks_should", "level": "should"})
    assert Verdicts(run).of(GROUP) == Passed(lenient=1)
    assert isinstance(Verdicts(run, fail_on={"should"}).of(GROUP), Failed)


def test_a_waiver_accepts_its_signature_alone(conforming: Run) -> None:
    run = changed(conforming, WITNESSED, **FAULT)
    known = Verdicts(run, [WAIVER]).of(GROUP)
    assert known == Known("waiver known: It is known to be so. (https://example.org)")
    more = changed(run, pl.col("case") == WITNESS.replace("r0", "r1"), **FAULT | {"symptom": "wrong shape"})
    assert isinstance(Verdicts(more, [WAIVER]).of(GROUP), Failed)


def test_a_stale_waiver_fails_where_its_witness_is(conforming: Run) -> None:
    verdicts = Verdicts(conforming, [WAIVER])
    verdict = verdicts.of(GROUP)
    assert isinstance(verdict, Failed)
    assert verdict.message.startswith(f"XPASS(strict): waiver known: its witness {WITNESS} conforms now")
    assert isinstance(verdicts.of_waiver("known"), Failed)


def test_a_waiver_is_not_stale_where_its_place_was_asked_in_part(conforming: Run) -> None:
    """With ``-k eager``, the witness may well fail where it was not asked."""
    other = GROUP._replace(mode="jit")
    verdicts = Verdicts(conforming, [WAIVER], asked=[GROUP, other])
    assert verdicts.of(GROUP) == Passed()
    assert verdicts.of_waiver("known") == NotAsked("waiver known is not evaluated: it was asked in part")
    elsewhere = replace(WAIVER, modes=("eager",))
    assert isinstance(Verdicts(conforming, [elsewhere], asked=[GROUP, other]).of(GROUP), Failed)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"expires": datetime.date(2020, 1, 1)}, "waiver known: expired"),
        ({"implementations": ("numpy:nothing",)}, "waiver known: unmatched"),
        ({"symptom": "beyond the stable bound", "ulps": 3.0}, "waiver known: worsened"),
        ({}, "waiver known: stale"),
    ],
    ids=["expired", "unmatched", "worsened", "stale"],
)
def test_a_waiver_that_does_not_hold_fails_by_itself(
    conforming: Run, changes: dict[str, Any], words: str
) -> None:
    run = changed(conforming, WITNESSED, **FAULT) if changes else conforming
    verdict = Verdicts(run, [replace(WAIVER, **changes)]).of_waiver("known")
    assert isinstance(verdict, Failed) and verdict.message.startswith(words)
    assert "\n  do this: conformance " in verdict.message


def test_a_waiver_of_other_versions_is_not_evaluated(conforming: Run) -> None:
    verdict = Verdicts(conforming, [replace(WAIVER, versions=SpecifierSet("<1"))]).of_waiver("known")
    assert isinstance(verdict, NotAsked) and "is not in its range <1" in verdict.reason


def test_what_is_undecided_fails(conforming: Run) -> None:
    verdict = Verdicts(changed(conforming, WITNESSED, status="undecided")).of(GROUP)
    assert isinstance(verdict, Failed)
    assert "could not certify 1 of 40 rows" in verdict.message and "conformance explain" in verdict.message


@pytest.mark.parametrize(
    ("status", "words"), [("unsupported", "unsupported: not by us"), ("open", "is open in the specification")]
)
def test_what_was_not_judged_is_skipped(conforming: Run, status: str, words: str) -> None:
    verdict = Verdicts(changed(conforming, status=status, message="not by us")).of(GROUP)
    assert isinstance(verdict, NotAsked) and words in verdict.reason
    part = Verdicts(changed(conforming, WITNESSED, status=status)).of(GROUP)
    assert part == Passed()


@pytest.mark.parametrize("where", ["absent", "not_installed"])
def test_a_framework_that_is_not_there(conforming: Run, where: str) -> None:
    """Skipped with the line that installs it; a failure for who asked for it by name."""
    gap = {"framework": "gone", "message": "No module named 'gone'", "install": "pip install gone"}
    run = with_header(conforming, **{where: [gap]})
    group = GROUP._replace(framework="gone")
    skipped = Verdicts(run).of(group)
    assert skipped == NotAsked("gone is not there: No module named 'gone'; add it with: pip install gone")
    assert Verdicts(run, named=["gone"]).of(group) == Failed(skipped.reason)


def test_a_device_that_is_not_there(conforming: Run) -> None:
    """A failure where nobody has it, or for who asked for the framework by name; else skipped."""
    group = GROUP._replace(device="cuda")
    words = "numpy has no device cuda here (there is cpu)"
    assert Verdicts(conforming).of(group) == Failed(words)
    extra = conforming.verdicts.with_columns(framework=pl.lit("torch"), device=pl.lit("cuda:0"))
    both = Run(pl.concat([conforming.verdicts, held(extra)]), conforming.headers)
    assert Verdicts(both).of(group) == NotAsked(words)
    assert Verdicts(both, named=["numpy"]).of(group) == Failed(words)
    assert Verdicts(both).of(group._replace(framework="torch")) == Passed()


def test_what_was_asked_and_not_answered_fails(conforming: Run) -> None:
    """Missing is not passing."""
    verdict = Verdicts(conforming).of(GROUP._replace(family="ordinary"))
    assert isinstance(verdict, Failed) and "the run is incomplete" in verdict.message


def test_a_run_file_must_be_whole(conforming: Run) -> None:
    assert Verdicts(conforming).of_file() == Passed()
    gap = {"framework": "gone", "message": "No module named 'gone'", "install": "pip install gone"}
    verdict = Verdicts(with_header(conforming, absent=[gap])).of_file()
    assert isinstance(verdict, Failed)
    assert "gone was asked for and is absent: No module" in verdict.message
    assert "do this: pip install gone" in verdict.message


# --- which tests there are, and what they need ---------------------------------------------------------


def test_the_groups_of_a_run_are_those_that_were_planned(conforming: Run) -> None:
    chosen = Selection("quick", ("numpy",), ("softmax",), ("float32",), ("two_classes",), devices=("cpu",))
    planned = of_selection(chosen)
    assert set(of_run(conforming)) == set(planned) == {GROUP}
    assert of_selection(chosen) == planned
    assert of_run(conforming, devices=["cuda"]) == [] and of_run(conforming, ["torch"]) == []


def test_a_run_is_narrowed_to_what_tests_need() -> None:
    """By mode and format, not to the product of their names."""
    chosen = Selection("quick", ("tensorflow",), devices=("cpu",))
    every = of_selection(chosen)
    kept = [g for g in every if g.family == "two_classes" and (g.mode, g.dtype) in KEPT]
    narrowed = Narrowed.to(chosen, kept)
    assert {g.place for g in of_selection(narrowed)} == {g.place for g in kept} != set()
    assert narrowed.as_dict()["families"] == ("two_classes",) and "places" not in narrowed.as_dict()


KEPT = {("eager", "float32"), ("xla", "bfloat16")}


@pytest.mark.parametrize(
    ("asked", "there", "same"),
    [
        ("cpu", "cpu", True),
        ("cuda", "cuda:0", True),
        ("cuda:0", "cuda:1", False),
        ("cpu[isa=avx2]", "cpu[isa=avx2]", True),
        ("cpu", "cpu[isa=avx2]", False),
        ("cuda[tf32=on]", "cuda:0[tf32=on]", True),
    ],
)
def test_devices_are_named_by_their_kind_too(asked: str, there: str, same: bool) -> None:
    assert same_device(asked, there) == same


def test_names_are_readable_and_each_its_own() -> None:
    """The framework is in the name where two frameworks have a door of that name."""
    every = of_selection(Selection("quick", devices=("cpu",)))
    found = names(every)
    assert len(set(found)) == len(found) > 2000
    wanted = (
        "torch.nn.functional.cross_entropy:indices-eager-cpu-float32-"
        "sparse_softmax_cross_entropy-grad_logits-huge_logits"
    )
    assert wanted in found
    keras = Group("keras-jax", "keras.ops.softmax", *GROUP[2:])
    assert names([keras])[0].startswith("keras-jax/keras.ops.softmax-eager-cpu-float32-softmax-value-")


def test_the_place_of_a_waiver_is_where_its_witnesses_are() -> None:
    groups = [
        GROUP,
        GROUP._replace(output="grad_logits"),
        GROUP._replace(family="ordinary"),
        GROUP._replace(framework="torch"),
        GROUP._replace(dtype="float64"),
        GROUP._replace(mode="jit"),
    ]
    assert place_of(replace(WAIVER, modes=("eager",)), groups) == [GROUP]


def test_variants_are_asked_where_they_are_named(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a worker of their own, whose absence is told of them."""
    torch = FRAMEWORKS["torch"]
    install()
    monkeypatch.setitem(FRAMEWORKS, "torch", Framework("torch", torch.adapter, torch.install))
    variant = next(iter(torch.declaration.variants))
    chosen = Selection("quick", ("torch",), ("softmax",), ("float32",), devices=(f"cpu[{variant}]",))
    found = of_selection(chosen)
    assert {g.device for g in found} == {f"cpu[{variant}]"}
    assert {g.seat for g in found} == {f"torch[{variant}]"}
