"""A waiver that names a cause accepts it wherever it shows in its implementations, and nothing else there."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.small_gate import CASE, broken, decided
from tests.support.small_run import header, run_of, verdict
from xent_conformance.decision.stubs import stubs, toml
from xent_conformance.decision.waivers import Waiver, WaiverError, known_files, read_waivers
from xent_conformance.diagnosis.predict import HYPOTHESES
from xent_conformance.diagnosis.rules import FORM_RULES, INDEX_CAST, RULES
from xent_conformance.reports.run.file import Run
from xent_conformance.reports.views.waivers import State

CAUSE = "offset-kept-beyond-the-stable-bound"
CAUSES = {CAUSE: {"hypothesis": "offset kept", "sentence": "x − (m + log S)", "source": "SPEC.md 8.3"}}

ENTRY = f"""[[waiver]]
name = "torch-offset"
framework = "torch"
versions = ">=2"
cause = "{CAUSE}"
implementations = ["torch.*"]
witnesses = ["{CASE}"]
reason = "the offset is added back, as upstream documents"
link = "none"
"""


def _read(tmp_path: Path, text: str = ENTRY) -> Waiver:
    path = tmp_path / "w.toml"
    path.write_text(text, encoding="utf-8")
    (found,) = read_waivers([path])
    return found


def _run(*rows: dict[str, Any]) -> Run:
    return run_of(rows, header(causes=CAUSES))


def test_it_accepts_its_cause_in_every_place(tmp_path: Path) -> None:
    rows = [
        broken(cause=CAUSE),
        broken(cause=CAUSE, output="grad_logits", ulps=1e12),
        broken(cause=CAUSE, implementation="torch.softmax", mode="jit", clause="2.1"),
    ]
    gate = decided(_run(*rows), [_read(tmp_path)])
    assert gate.status == 0 and gate.waived == 3 and gate.waivers[0].state is State.ACCEPTS
    assert gate.waivers[0].message == f"accepts 3 verdicts: cause {CAUSE}"


def test_another_cause_in_its_place_blocks(tmp_path: Path) -> None:
    other = broken(case="softmax/two_classes/equal/float32/n2/r1", cause="other")
    gate = decided(_run(broken(cause=CAUSE), other), [_read(tmp_path)])
    assert gate.status == 1 and [r.cause for r in gate.blocking] == ["other"]


def test_a_witness_that_fails_for_another_cause_has_worsened(tmp_path: Path) -> None:
    gate = decided(_run(broken(cause="other")), [_read(tmp_path)])
    assert gate.status == 1 and gate.waivers[0].state is State.WORSENED


def test_its_witness_must_fail(tmp_path: Path) -> None:
    gate = decided(_run(verdict(case=CASE), broken(case="other", cause=CAUSE)), [_read(tmp_path)])
    assert gate.waivers[0].state is State.STALE


def test_a_run_file_that_names_no_causes_says_nothing_of_it(tmp_path: Path) -> None:
    gate = decided(run_of([broken()]), [_read(tmp_path)])
    assert gate.waivers[0].state is State.NOT_EVALUATED and "run again" in gate.waivers[0].message
    assert gate.status == 1, "and accepts nothing"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('cause = ""', "'operators' is missing"),
        (f'cause = "{CAUSE}"\nclause = "99.9"', "clause '99.9' is not judged"),
        (f'cause = "{CAUSE}"\nsymptom = "odd"', "unknown symptom 'odd'"),
        (f'cause = "{CAUSE}"\nsymptom = "NaN"\nulps = 3.0', "has no size; leave ulps out"),
        ("cause = 3", "cause must be text"),
    ],
)
def test_what_is_wrong_in_an_entry_is_said(line: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(WaiverError, match=words):
        _read(tmp_path, ENTRY.replace(f'cause = "{CAUSE}"', line))


def test_a_cause_is_one_stub_of_a_framework() -> None:
    """Two implementations, two outputs, two clauses: one entry, and one for what none explains."""
    rows = [
        broken(cause=CAUSE),
        broken(cause=CAUSE, implementation="torch.log_softmax", output="grad_logits"),
        broken(cause=CAUSE, clause="2.1"),
        broken(cause="1-1-value-beyond", implementation="torch.other"),
    ]
    found = stubs(_run(*rows), [])
    (of_cause,) = [s for s in found if "cause" in s.fields]
    assert len(found) == 2 and of_cause.count == 3
    assert of_cause.fields["implementations"] == ["torch.log_softmax", "torch.softmax"]
    text = toml(found)
    assert "# offset kept: x − (m + log S)\n" in text
    assert tomllib.loads(text)["waiver"][0]["name"] == f"torch-{CAUSE}"


def test_a_stub_counts_what_it_accepts_and_not_what_it_was_written_for(tmp_path: Path) -> None:
    """The cause in a should clause, which no stub was asked for, and where a waiver has accepted it."""
    rows = [
        broken(cause=CAUSE),
        broken(cause=CAUSE, status="breaks_should", dtype="bfloat16", case="b"),
        broken(cause=CAUSE, output="grad_logits", mode="jit", case="c"),
        broken(cause=CAUSE, implementation="torch.other", case="d", status="breaks_should"),
    ]
    known = replace(
        _read(tmp_path, ENTRY.replace("witnesses", 'outputs = ["grad_logits"]\nwitnesses')), name="o"
    )
    (stub,) = found = stubs(_run(*rows), [known])
    assert (stub.count, stub.accepts) == (1, 3)
    assert "accepts 3 verdicts of this run: bfloat16, float32; eager cpu, jit cpu" in stub.found
    assert "written for 1 of them: float32; eager cpu" in stub.found
    signed = re.sub('(reason|link) = ""', r'\1 = "https://example.org/a/long/one"', toml(found))
    (judged,) = decided(_run(*rows), [_read(tmp_path, signed)]).waivers
    assert judged.message == f"accepts {stub.accepts} verdicts: cause {CAUSE}"


def test_every_waiver_that_ships_names_the_cause_that_it_accepts() -> None:
    """Clause and symptom narrow a cause; alone they would accept whatever goes wrong there."""
    found = read_waivers(known_files())
    assert found and [w.name for w in found if not w.cause] == []


@pytest.mark.parametrize("waiver", [w for w in read_waivers(known_files()) if not w.symptom])
def test_a_cause_that_is_named_is_one_that_a_diagnosis_may_tell(waiver: Waiver) -> None:
    """By a hypothesis, a rule or a form; what none explains is of a clause and a symptom, which narrow it."""
    names = {h.name for h in HYPOTHESES} | {r.name for r in (*RULES, INDEX_CAST, *FORM_RULES)}
    assert waiver.cause in {re.sub("[^a-z0-9]+", "-", name.lower()).strip("-") for name in names}
