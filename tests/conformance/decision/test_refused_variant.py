"""A setting of a device under which everything is an internal error: findings of 1.7, never *unsupported*."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tests.support.gating import TWO_CLASSES, Make, gated, kinds, waiver
from xent_conformance.reports.run.file import Run, read_run
from xent_conformance.reports.run.findings import findings
from xent_conformance.reports.run.words import Outcome, Status
from xent_conformance.reports.views.reasons import Kind
from xent_conformance.reports.views.waivers import State

pytestmark = pytest.mark.usefixtures("forked")

FAKE = "tests.support.fakes_of_devices:InternalErrors"
PLAIN, SSE, THREADS = "cpu", "cpu[isa=sse4_2]", "cpu[threads=4]"

REFUSED = {
    "name": "fake-refused",
    "clause": "1.7",
    "symptom": "refused",
    "devices": [SSE],
}
"""The waiver of it."""


@pytest.fixture
def file(make: Make) -> Path:
    devices = [argument for device in (PLAIN, SSE, THREADS) for argument in ("--device", device)]
    return make(FAKE, *TWO_CLASSES, *devices)


@pytest.fixture
def run(file: Path) -> Run:
    return read_run(file)


def test_every_row_is_refused_there_and_nowhere_else(run: Run) -> None:
    there = pl.col("device") == SSE
    refused = run.verdicts.filter(there).select("outcome", "status", "clause").unique().rows()
    assert refused == [(Outcome.REFUSED, Status.BREAKS_MUST, "1.7")]
    assert set(run.verdicts.filter(~there)["status"]) == {Status.CONFORMS}
    assert set(run.verdicts["device"]) == {PLAIN, SSE, THREADS}
    assert Status.UNSUPPORTED not in set(run.verdicts["status"])


def test_it_is_one_finding_for_each_implementation_and_output(run: Run) -> None:
    """Although no two messages are alike."""
    refused = run.verdicts.filter(pl.col("outcome") == Outcome.REFUSED)
    found = findings(run.verdicts)
    assert refused["message"].n_unique() > 1
    assert sorted(found.select("implementation", "output", "clause", "symptom").rows()) == [
        ("fake.softmax", "grad_logits", "1.7", "refused"),
        ("fake.softmax", "value", "1.7", "refused"),
    ]
    assert found["count"].sum() == refused.height
    assert {t for targets in found["targets"] for t in targets} == {f"eager {SSE}"}


def test_the_gate_names_it_in_one_line(file: Path) -> None:
    status, told, lines = gated(file)
    assert status == 1 and kinds(told) == {Kind.MUST}
    (reason,) = told["reasons"]
    assert {(f["clause"], f["output"]) for f in reason["findings"]} == {
        ("1.7", "grad_logits"),
        ("1.7", "value"),
    }
    assert lines[0].startswith("gate failed: fake.softmax ")
    assert "refused: refuses what it declares (must 1.7 What is offered is answered)" in lines[0]
    assert sum(SSE in line for line in lines if line.startswith("     worst: refused")) == 1


def test_a_waiver_accepts_it_there_alone(file: Path, make: Make) -> None:
    Path("w.toml").write_text(waiver(**REFUSED))
    status, told, _ = gated(file, "--waivers", "w.toml")
    assert status == 0 and told["waived"] > 0
    everywhere = make("RaisesAlways", *TWO_CLASSES)
    assert gated(everywhere, "--waivers", "w.toml")[0] == 1


def test_a_witness_that_is_refused_says_nothing_of_another_waiver(make: Make) -> None:
    """Asked of that setting alone, a waiver of NaN is not evaluated, if the refusal is accepted."""
    alone = make(FAKE, *TWO_CLASSES, "--device", SSE)
    for entries, state in (([{}, REFUSED], State.NOT_EVALUATED), ([{}], State.WORSENED)):
        Path("w.toml").write_text("\n".join(waiver(**e) for e in entries))
        status, told, _ = gated(alone, "--waivers", "w.toml")
        nan = next(w for w in told["waivers"] if w["name"] == "fake-nan")
        assert (nan["state"], status) == (state, 1), "nothing was answered, whoever accepts that"
    Path("w.toml").write_text("\n".join([waiver(), waiver(**REFUSED)]))
    (nan, _) = gated(alone, "--waivers", "w.toml")[1]["waivers"]
    assert nan["message"] == "its witnesses were refused, which fake-refused accepts"
