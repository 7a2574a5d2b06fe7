"""Numbers as people read them: exact values, numbers of a format in decimal and in bits, ulps.

Numbers of a format are written so that ``float()`` of the text gives them back: ``NaN``, ``inf``,
``-0``, ``1.0864e-19``. Only measurements (ulps, counts, seconds) are rounded for the eye.
"""

from __future__ import annotations

import decimal
import math
import struct
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_PLAIN = 7
"""Numbers of a format from ``1e-4`` up to ``1e7`` are written without an exponent."""

NOTHING = "—"


@dataclass(frozen=True)
class Layout:
    """How a format lies in memory: a ``struct`` letter, and the low bits that it cuts off.

    Without a letter it is OCP's E4M3, which is no part of another format.
    """

    letter: str
    cut: int
    width: int
    """Bits that are kept."""
    precision: int
    """Binary digits of a number: an error of more than ``2**precision`` ulps is larger than the number."""


LAYOUTS = {
    "bfloat16": Layout("f", 16, 16, 8),  # the upper half of a binary32
    "float16": Layout("e", 0, 16, 11),
    "float32": Layout("f", 0, 32, 24),
    "float64": Layout("d", 0, 64, 53),
    "float8_e5m2": Layout("e", 8, 8, 3),  # the upper half of a binary16
    "float8_e4m3fn": Layout("", 0, 8, 4),
}


@dataclass(frozen=True)
class Element:
    """One number of a format with its own bits (a NaN keeps its payload)."""

    value: float
    decimal: str
    bits: str


def elements(hex_bytes: str, dtype: str) -> list[Element]:
    """The numbers in ``hex_bytes``: little-endian numbers of ``dtype``, one after another."""
    size = LAYOUTS[dtype].width // 8
    raw = bytes.fromhex(hex_bytes)
    if len(raw) % size:
        raise ValueError(f"{len(raw)} bytes are not a row of {dtype}")
    patterns = [int.from_bytes(raw[i : i + size], "little") for i in range(0, len(raw), size)]
    return [Element(v, shortest(v, dtype), _hex(p, dtype)) for p in patterns for v in [_value(p, dtype)]]


def bits(value: float, dtype: str) -> str | None:
    """The bits of ``value`` as ``0x…``, or None where ``value`` is not a number of ``dtype``."""
    pattern = _pattern(value, dtype)
    return None if pattern is None else _hex(pattern, dtype)


@lru_cache(maxsize=1 << 14)
def _shortest_finite(value: float, dtype: str) -> str:
    pattern = _pattern(value, dtype)
    if pattern is None or dtype == "float64":
        return _written(Decimal(repr(value)), _PLAIN)
    if value.is_integer() and value < 10**_PLAIN:
        return str(int(value))
    # halfway to each neighbour; exact in binary64 because the format is narrower by two bits or more
    below = (value + _value(pattern - 1, dtype)) / 2
    above = (
        value + (value - below)
        if not math.isfinite(_value(pattern + 1, dtype))
        else (value + _value(pattern + 1, dtype)) / 2
    )
    for digits in range(17):
        text = f"{value:.{digits}e}"
        if Decimal(below) < Decimal(text) < Decimal(above):
            return _written(Decimal(text), _PLAIN)
    raise AssertionError(f"17 digits tell any binary64 from its neighbours, but not {value!r}")


def shortest(value: float, dtype: str) -> str:
    """The fewest digits that only ``value`` rounds to among the numbers of ``dtype``.

    Whole numbers below ten million are written in full. A value that is no number of ``dtype`` is
    written as the binary64 that it is.
    """
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    sign = "-" if math.copysign(1.0, value) < 0 else ""
    return sign + ("0" if value == 0 else _shortest_finite(abs(value), dtype))


def exact_fraction(hi: float, lo: float, exponent: int) -> Fraction:
    """``(hi + lo)·2**exponent`` without rounding; ``hi`` and ``lo`` finite."""
    return (Fraction(hi) + Fraction(lo)) * Fraction(2) ** exponent


def exact(hi: float, lo: float, exponent: int, digits: int = 20) -> str:
    """``(hi + lo)·2**exponent`` rounded once to ``digits`` significant decimal digits.

    A value that needs fewer digits has no trailing zeros; one that was rounded shows all of them.
    """
    if not math.isfinite(hi):
        return shortest(hi, "float64")
    value = exact_fraction(hi, lo, exponent)
    context = decimal.Context(prec=digits, rounding=decimal.ROUND_HALF_EVEN)
    quotient = context.divide(Decimal(value.numerator), Decimal(value.denominator))
    return _written(quotient, digits + 1, keep_zeros=bool(context.flags[decimal.Inexact]))


def ulps(value: float) -> str:
    """An error for the eye: three digits, ``12,345``, ``3.2×10¹⁵``.

    A dash for NaN; an infinity is an error too large for binary64.
    """
    if math.isnan(value):
        return NOTHING
    if math.isinf(value):
        return "> 10³⁰⁸"
    if value == 0:
        return "0"
    if value < 0.01:
        return _times_ten(value)
    if 0.995 <= value < 1:
        return "< 1"  # faithful, and must not read as if it were not
    if value < 9.995:
        return f"{value:.2f}"
    if value < 999.95:
        return f"{value:.1f}"
    return count(round(value)) if value < 99_999.5 else _times_ten(value)


def count(number: int) -> str:
    """``52,568``."""
    return f"{number:,}"


def per_cent(part: int, whole: int) -> str:
    """``99.9 %``; all and none are said of all and none only. ``whole`` is positive."""
    if part in (0, whole):
        return f"{100 * part // whole} %"
    return f"{min(max(100 * part / whole, 0.1), 99.9):.1f} %"


def seconds(value: float) -> str:
    """``92.6 s``; ``4 ms`` below a tenth of a second."""
    return f"{value:,.1f} s" if value >= 0.1 else f"{value * 1000:.0f} ms"


def share(ratio: float) -> str:
    """An error over its bound: ``0.30 of the stable bound``, ``5,000 times the stable bound``."""
    return f"{ulps(ratio)} {'times' if ratio >= 1 else 'of'} the stable bound"


def _times_ten(value: float) -> str:
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa}×10{str(int(exponent)).translate(_SUPERSCRIPT)}"


def _e4m3(pattern: int) -> float:
    """One to the left, four bits of an exponent with a bias of 7, three of a fraction; all ones is NaN."""
    sign, exponent, fraction = -1.0 if pattern >> 7 else 1.0, pattern >> 3 & 15, pattern & 7
    if pattern & 127 == 127:
        return math.nan
    size = fraction * 2.0**-9 if exponent == 0 else (8 + fraction) * 2.0 ** (exponent - 10)
    return math.copysign(size, sign)


E4M3 = {struct.pack("d", _e4m3(p)): p for p in range(256)}
"""The pattern of each number, by the number as binary64 has it, whose zero has a sign."""


def _value(pattern: int, dtype: str) -> float:
    layout = LAYOUTS[dtype]
    if not layout.letter:
        return _e4m3(pattern)
    raw = (pattern << layout.cut).to_bytes((layout.width + layout.cut) // 8, "big")
    return float(struct.unpack(f">{layout.letter}", raw)[0])


def _pattern(value: float, dtype: str) -> int | None:
    layout = LAYOUTS[dtype]
    if not layout.letter:
        return E4M3.get(struct.pack("d", value), 127 if math.isnan(value) else None)
    try:
        raw = struct.pack(f">{layout.letter}", value)
    except OverflowError:
        return None
    pattern = int.from_bytes(raw, "big") >> layout.cut
    back = _value(pattern, dtype)
    return pattern if back == value or (math.isnan(back) and math.isnan(value)) else None


def _hex(pattern: int, dtype: str) -> str:
    return f"0x{pattern:0{LAYOUTS[dtype].width // 4}x}"


def _written(value: Decimal, plain: int, *, keep_zeros: bool = False) -> str:
    """Digits in place from ``1e-4`` up to ``10**plain``, else with an exponent."""
    sign, digit_tuple, _ = value.as_tuple()
    text = "".join(map(str, digit_tuple))
    power = value.adjusted()
    if not keep_zeros:
        text = text.rstrip("0") or "0"
    minus = "-" if sign else ""
    if text == "0":
        return f"{minus}0"
    if -5 < power < 0:
        return f"{minus}0.{'0' * (-power - 1)}{text}"
    if 0 <= power < plain:
        whole, part = text[: power + 1].ljust(power + 1, "0"), text[power + 1 :]
        return f"{minus}{whole}.{part}" if part else f"{minus}{whole}"
    part = f".{text[1:]}" if len(text) > 1 else ""
    return f"{minus}{text[0]}{part}e{power:+03d}"
