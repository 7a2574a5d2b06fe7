"""The certified enclosures contain what textbook definitions give in mpmath at up to 4000 bits.

The reference is the measure of all else, so it is measured by another library, written another way.
A single element outside its own radius fails.
"""

from __future__ import annotations

import os
import subprocess
import sys

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp, mpf

from tests.support.corpus import of_corpus
from tests.support.paths import ROOT
from tests.support.reference import mpmath_definitions
from tests.support.reference.measure import plain
from xent_conformance.reference.exact.row import Row
from xent_conformance.reference.formats import BINARY64, FORMATS
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.operators import OF_ROWS, OPERATORS
from xent_conformance.reference.oracle import Oracle

OUTPUTS = [(o.name, output) for o in OF_ROWS.values() for output in o.outputs]
LEAST_POINTS = {
    "logit": 300,
    "binary_cross_entropy": 900,
    "kl_divergence": 900,
    "negative_log_likelihood": 900,
    "kl_divergence_log_target": 900,
}


def compare(inputs: Inputs) -> dict[str, int]:
    """Check every finite row of ``inputs``; returns the number of points compared per output."""
    truth = Oracle().truth(inputs)
    assert not truth.certified.undecided.any()
    counts = dict.fromkeys(inputs.definition.outputs, 0)
    for i in range(len(inputs)):
        row = inputs.row(i)
        domain = _inside(inputs.operator, row)
        if not (domain and np.isfinite([*row.x, *row.p, *row.c]).all()):
            continue
        with mpmath.workprec(53):
            expected, slack = mpmath_definitions.evaluate(inputs.operator, row.x, row.p, row.c)
            for output, values in expected.items():
                enclosure = truth.enclosure(output)[i]
                assert enclosure.hi.shape == (len(values),)
                for j, value in enumerate(values):
                    scale = mpf(2) ** int(enclosure.exponent[j])
                    middle = (mpf(float(enclosure.hi[j])) + mpf(float(enclosure.lo[j]))) * scale
                    radius = mpf(float(enclosure.radius[j])) * scale
                    assert middle == 0 or slack <= radius / 16, "too few bits for a second opinion"
                    assert abs(value - middle) <= radius + slack, (inputs.operator, output, row, j)
                counts[output] += len(values)
    return counts


def _inside(operator: str, row: Row) -> bool:
    """Where every output is finite: a target of zero has a value, and a slope of −∞ by it."""
    if operator == "kl_divergence":
        return all(p > 0 for p in row.p)
    if OPERATORS[operator].domain == "nonnegative":
        return all(v > 0 for v in (*row.x, *row.p))
    return not OPERATORS[operator].within_unit or all(0 < v < 1 for v in row.x)


@pytest.mark.parametrize("operator", OF_ROWS)
def test_corpus_rows(operator: str) -> None:
    """Every finite row of the quick corpus with up to 20 classes, in every format."""
    counts: dict[str, int] = {}
    for fmt in FORMATS:
        for batch in of_corpus("quick", operators=[operator], dtypes=[fmt]):
            if batch.inputs.n <= 20 and plain(batch.inputs):
                for output, count in compare(batch.inputs).items():
                    counts[output] = counts.get(output, 0) + count
    assert set(counts) == set(OPERATORS[operator].outputs)
    least = LEAST_POINTS.get(operator, 1000)
    for output, count in counts.items():
        scalar = output == "value" and OPERATORS[operator].value_shape == "scalar"
        assert count >= (least / 10 if scalar else least), (output, count)


FINITE = st.floats(allow_nan=False, allow_infinity=False)
LOGIT = st.one_of(
    FINITE,
    st.floats(-40, 40),
    st.sampled_from([0.0, -0.0, 5e-324, -5e-324, 2.0**-1022, 1e-8, 709.78, -745.2, 1e308, -1.797e308]),
)
LABEL = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 1.0, 0.5, 2.0, -1.0, 5e-324, 1 - 2**-53]))
PROBABILITY = st.floats(0, 1, exclude_min=True, exclude_max=True)
TARGET = {"kl_divergence": st.one_of(PROBABILITY, st.sampled_from([1.0, 2.0, 5e-324]))} | dict.fromkeys(
    ("relative_entropy", "elementwise_kl_divergence"), st.floats(0, 1e300, exclude_min=True)
)
PREDICTION = {"nonnegative": st.floats(0, 1e300, exclude_min=True)}
COTANGENT = st.integers(-16, 16).map(lambda k: k / 8)


@pytest.mark.parametrize("operator", OF_ROWS)
@settings(max_examples=60, database=None)
@given(data=st.data())
def test_ugly_rows(operator: str, data: st.DataObject) -> None:
    """Rows nobody would choose: subnormal beside 1e308, signed zeros, labels off the simplex."""
    definition = OPERATORS[operator]
    n = data.draw(st.integers(1, 5))

    def row(elements: st.SearchStrategy[float], width: int) -> np.ndarray:
        return np.array([data.draw(st.lists(elements, min_size=width, max_size=width))]).reshape(1, width)

    labels = {"none": 0, "index": 1, "dense": n}[definition.labels]
    index = definition.labels == "index"
    compare(
        Inputs(
            operator,
            BINARY64,
            row(PREDICTION.get(definition.domain, PROBABILITY if definition.within_unit else LOGIT), n),
            row(st.integers(0, n - 1).map(float) if index else TARGET.get(operator, LABEL), labels),
            row(COTANGENT, n if definition.value_shape == "row" else 1),
        )
    )


def test_the_comparison_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """A definition wrong in the 95th bit is noticed: the comparison is not a formality."""
    right = mpmath_definitions.DEFINITIONS["softmax"]

    def wrong(x, p, c):  # type: ignore[no-untyped-def]
        outputs = right(x, p, c)
        outputs["value"][0] *= 1 + mpf(2) ** -95
        return outputs

    inputs = Inputs("softmax", BINARY64, np.array([[1.0, 2.0]]), np.zeros((1, 0)), np.ones((1, 2)))
    assert compare(inputs) == {"value": 2, "grad_logits": 2}
    monkeypatch.setitem(mpmath_definitions.DEFINITIONS, "softmax", wrong)
    with pytest.raises(AssertionError, match="softmax"):
        compare(inputs)


def test_every_output_has_a_definition() -> None:
    """The table above covers every output the reference knows, and nothing else."""
    for name, definition in OF_ROWS.items():
        row = [0.25, 0.5]
        outputs, _ = mpmath_definitions.evaluate(
            name, row, row if definition.labels == "dense" else [0.0], row
        )
        assert set(outputs) == set(definition.outputs)
    assert len(OUTPUTS) == 42
    assert mp.prec > 0


# --- its own arithmetic ---------------------------------------------------------------------------

DIGITS = """
import sys
from mpmath import libmp
from tests.support.reference import mpmath_definitions
from xent_conformance.reference.operators import OF_ROWS

print(libmp.BACKEND)
for name, o in OF_ROWS.items():
    for x in ([0.1, 0.75, 0.3], [2.0**-60, 0.5, 1 - 2.0**-53]):
        outputs, slack = mpmath_definitions.evaluate(name, x, [0.0] if o.labels == "index" else x, x)
        print({o: [tuple(map(int, v._mpf_)) for v in values] for o, values in outputs.items()}, float(slack))
"""


def test_it_says_the_same_with_the_integers_of_python() -> None:
    """gmpy2 makes it fast, and nothing else: every bit of every output is the same without it."""
    usual = {k: v for k, v in os.environ.items() if k != "MPMATH_NOGMPY"} | {"PYTHONPATH": str(ROOT)}
    told = {}
    for environment in (usual, usual | {"MPMATH_NOGMPY": "1"}):
        command = [sys.executable, "-c", DIGITS]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        backend, *told[backend] = done.stdout.splitlines()
    assert set(told) == {"gmpy", "python"} and told["gmpy"] == told["python"]
    assert len(told["python"]) == 2 * len(OF_ROWS)
