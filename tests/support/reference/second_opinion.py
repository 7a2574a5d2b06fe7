"""Certified enclosures held against :mod:`mpmath_differences`, element by element."""

from __future__ import annotations

from collections.abc import Sequence

import mpmath
from mpmath import mpf

from tests.support.reference.mpmath_differences import Opinion, Vector, opinion
from xent_conformance.reference.exact.enclosure import Enclosure
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.oracle import Oracle

DIGITS = mpf(2) ** -94
"""``5e-29``: to so many digits a second opinion must know an element that is not zero."""


def agree(enclosure: Enclosure, values: Vector, slack: mpf, label: object) -> int:
    """Every value lies in its enclosure; NaN where, and only where, the enclosure is NaN."""
    assert enclosure.hi.shape == (len(values),), label
    for j, value in enumerate(values):
        if mpmath.isnan(value) or mpmath.isinf(value):
            same = mpf(float(enclosure.hi[j]))
            assert same == value or (mpmath.isnan(same) and mpmath.isnan(value)), (label, j)
            continue
        scale = mpf(2) ** int(enclosure.exponent[j])
        middle = (mpf(float(enclosure.hi[j])) + mpf(float(enclosure.lo[j]))) * scale
        radius = mpf(float(enclosure.radius[j])) * scale
        assert middle == 0 or slack <= DIGITS * abs(middle), ("too few bits", label, j)
        assert abs(value - middle) <= radius + slack, (label, j, value, middle)
    return len(values)


def compare(inputs: Inputs, outputs: Sequence[str] = ()) -> int:
    """Check every row of ``inputs``; returns the number of elements compared."""
    truth = Oracle().truth(inputs)
    assert not truth.certified.undecided.any()
    count = 0
    for i in range(len(inputs)):
        row, wanted = inputs.row(i), outputs or inputs.outputs
        with mpmath.workprec(53):
            second: Opinion = opinion(inputs.operator, row, wanted)
            assert set(second.outputs) == set(wanted)
            for output, values in second.outputs.items():
                label = (inputs.operator, inputs.format.name, output, row)
                count += agree(truth.enclosure(output)[i], values, second.slack, label)
    return count
