"""Whatever comes back instead of arrays is its question's outcome, in words; nothing else suffers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import fakes_of_odd as odd
from tests.support.by_hand import NAN, Install, batch, launch, process, question
from tests.support.fakes_of_odd import HELLO, ODD, WHOLE, Hello, Odd
from xent_conformance.asking.arrays import arrays_of
from xent_conformance.asking.asker import ask
from xent_conformance.asking.connection import FrameworkAbsent
from xent_conformance.asking.process import Process
from xent_conformance.asking.selection import Selection
from xent_conformance.check_plugin import calls as probe
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.run.words import Outcome
from xent_conformance.running.engine import run

pytestmark = pytest.mark.usefixtures("forked")

MODULE = odd.__name__
PLAIN = arrays_of(batch("softmax", [[0.0, 1.0], [2.0, 2.0]]))
SAID = {
    "none": "returned nothing for value",
    "object": "returned object of dtype object for value: no numbers",
    "ragged": "returned list for value, of which no array can be made (ValueError: ",
    "records": "returned numpy.ndarray of dtype [('p', '<f4'), ('q', '<f4')] for value: no numbers",
    "no array": f"returned {MODULE}.NoArray for value, of which no array can be made (RuntimeError",
}


@pytest.mark.parametrize("how", [*ODD, *WHOLE])
def test_what_is_no_array_of_numbers_is_told_in_words(how: str) -> None:
    worker = Process(launch(f"{MODULE}:Odd", ODD=how))
    try:
        (reply,) = worker.ask([question()], PLAIN)
        (after,) = worker.ask([question("log_softmax")], PLAIN)
    finally:
        worker.close()
    assert set(reply.failures) == {"value"} and set(reply.results) == {"grad_logits"}
    assert reply.failures["value"]["outcome"] == Outcome.RETURNED
    assert reply.failures["value"]["message"].startswith(SAID.get(how, "returned "))
    assert not after.failures


@pytest.mark.parametrize("how", ["objects", "nothing"])
def test_a_run_goes_on_and_counts_it(how: str, install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ODD", how)
    install(fake=f"{MODULE}:Odd")
    asked = Selection(
        "quick", operators=("softmax", "log_softmax"), dtypes=("float32",), families=("two_classes",)
    )
    found = run(asked, None, oracle=Oracle())
    told = found.verdicts.group_by("operator", "output").agg(odd=(found.verdicts["message"] != "").any())
    assert found.complete and told.height == 4
    broken = found.verdicts.filter(found.verdicts["status"] == "breaks_must")
    assert set(zip(broken["operator"], broken["output"], strict=True)) == {("softmax", "value")}
    assert broken.height == found.verdicts.filter(operator="softmax", output="value").height


def test_what_cannot_be_told_or_kept_is_told_otherwise(install: Install, tmp_path: Path) -> None:
    with process(f"{MODULE}:Mute") as worker:
        (half,) = worker.ask([question("softmax", "value")], arrays_of(batch("softmax", [[1.0, 0.0]])))
        (mute,) = worker.ask([question("softmax", "value")], arrays_of(batch("softmax", [[NAN, 0.0]])))
    assert half.failures["value"]["message"] == "ValueError: half a character ?"
    assert mute.failures["value"]["message"] == "Unspeakable: (what it says cannot be had)"
    install(fake=f"{MODULE}:Mute")
    asked = Selection(
        "quick", operators=("softmax",), dtypes=("float32",), families=("special_values", "two_classes")
    )
    assert run(asked, tmp_path / "run.parquet", oracle=Oracle()).complete


def test_bytes_on_the_protocols_pipe_are_the_loss_of_that_row() -> None:
    """At once, not when an endless frame has not come; and the protocol is not for reading."""
    with process(f"{MODULE}:Writes") as worker:
        (answer,) = ask(worker, batch("softmax", [[0.0, 1.0], [NAN, 0.0]]), [question("softmax", "value")])
    assert set(answer.failures["value"]) == {1}
    failure = answer.failures["value"][1]
    assert failure.outcome is Outcome.CRASHED
    words = "what came through the pipe of its answers is no answer (it begins with b'load'); killed"
    assert failure.message == words


@pytest.mark.parametrize("how", HELLO)
def test_what_it_says_of_itself_and_cannot_be_is_told(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    method, _ = HELLO[how]
    with pytest.raises(FrameworkAbsent, match=rf"^{method}\(\) (returns|raises) .*: return ") as absent:
        Process(launch(f"{MODULE}:Hello", ODD=how))
    assert absent.value.broken and str(absent.value).encode()
    monkeypatch.setenv("ODD", how)
    (problem,) = probe.identity(Hello())
    assert str(problem).startswith(f"{method}() ")


@pytest.mark.parametrize("how", [*ODD, *WHOLE])
def test_check_plugin_finds_it(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ODD", how)
    monkeypatch.setattr(Odd, "implementations", [i for i in Odd.implementations if i.operator == "softmax"])
    assert any("run() in mode 'eager' returns" in str(problem) for _, problem in probe.calls(Odd()))
