"""What foreign code says, as text that can be kept: whatever it raises, and however it spells it."""

from __future__ import annotations

LONGEST = 400


def plain(text: str) -> str:
    """Text that has an encoding: half a character, which some languages let through, is a question mark."""
    return text.encode(errors="replace").decode()


def words(error: BaseException) -> str:
    """A framework's own words, in one line that is not endless.

    Where a tracer tells the way it came (``in user code:``, files of ours), its last line is the error.
    """
    try:
        told = plain(str(error))
    except Exception:  # noqa: BLE001  # it is foreign code
        told = "(what it says cannot be had)"
    lines = [line for line in told.splitlines() if line.strip()]
    if lines and lines[0].strip() == "in user code:":
        return lines[-1].strip()[:LONGEST]
    return f"{type(error).__name__}: {' '.join(told.split())}"[:LONGEST]
