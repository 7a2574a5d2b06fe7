"""``conformance search`` finds what is wrong with a wrong implementation, and says "worst found"."""

from __future__ import annotations

import pytest

from tests.support.cli import invoke
from xent_conformance.discovery.names import UnknownName
from xent_conformance.explain.search import search, search_target

pytestmark = pytest.mark.usefixtures("forked")

NO_TIME = 0.0  # one turn of a hundred rows, always the same ones


def test_it_finds_the_overflow_of_the_naive_softmax_and_simplifies_it() -> None:
    found = search(search_target("numpy:softmax-naive", None, "value", "float32", None, 3), NO_TIME)
    assert found.verdict["grade"] == "wrong_special"
    assert found.verdict["status"] == "breaks_must"
    assert found.tried >= 50
    plain = [x for x in found.inputs.logits[0].tolist() if x in (0.0, 1.0, -1.0)]
    assert len(plain) >= 1, "the row was not simplified"


def test_it_reports_a_harmless_worst_case_of_a_right_implementation() -> None:
    found = search(search_target("numpy:softmax-shifted", None, "value", "float64", None, 3), NO_TIME)
    assert found.verdict["status"] == "conforms"
    assert 0 < found.verdict["ratio"] < 1, "a right implementation stays within the stable bound"


def test_the_same_search_finds_the_same_row() -> None:
    target = search_target("numpy:sigmoid-naive", None, "value", "float32", None, 2)
    first, second = search(target, NO_TIME), search(target, NO_TIME)
    assert first.inputs.digest == second.inputs.digest


def test_the_command_prints_a_case_to_promote() -> None:
    arguments = ["search", "--implementation", "numpy:log_softmax-naive", "--budget", "0", "--n", "2"]
    done = invoke(*arguments)
    assert done.exit_code == 0, done.output
    assert "worst found" in done.output
    assert 'yield Ask("found", np.array(' in done.output


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"implementation": "numpy:softmax-nave"}, "did you mean numpy:softmax-naive"),
        ({"operator": "sigmoid"}, "does not compute sigmoid"),
        ({"output": "grad_logits"}, "unknown output"),
        ({"dtype": "float8"}, "unknown dtype"),
        ({"mode": "jit"}, "unknown mode"),
    ],
)
def test_unknown_names_are_refused(changed: dict[str, str], message: str) -> None:
    known = {"implementation": "numpy:softmax-naive", "operator": None, "output": "value"}
    asked = {**known, "dtype": "float32", "mode": None, "n": 3, **changed}
    with pytest.raises(UnknownName, match=message):
        search_target(**asked)
