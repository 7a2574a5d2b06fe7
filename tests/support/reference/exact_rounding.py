"""Rounding to a format by brute force: rational arithmetic and the definition, nothing else."""

from __future__ import annotations

from fractions import Fraction

from xent_conformance.reference.formats import Format


def floor_log2(value: Fraction) -> int:
    """``floor(log2 |value|)`` of a non-zero rational."""
    value = abs(value)
    e = value.numerator.bit_length() - value.denominator.bit_length()
    return e if Fraction(2) ** e <= value else e - 1


def ulp(value: Fraction, fmt: Format) -> Fraction:
    """SPEC.md §0: ``2**(clamp(floor(log2 |r|), emin, emax) − p + 1)``, and η at zero."""
    e = fmt.emin if value == 0 else min(max(floor_log2(value), fmt.emin), fmt.emax)
    return Fraction(2) ** (e - fmt.precision + 1)


def correctly_rounded(value: Fraction, fmt: Format) -> float:
    """To nearest, ties to even, gradual underflow, infinite from half an ulp beyond the largest."""
    if value == 0:
        return 0.0
    spacing = ulp(value, fmt)
    rounded = round(value / spacing) * spacing  # Python rounds a Fraction's ties to even
    if abs(rounded) > Fraction(fmt.largest):
        return float("inf") if value > 0 else float("-inf")
    return float(rounded)
