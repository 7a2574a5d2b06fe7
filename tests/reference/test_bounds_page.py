"""docs/BOUNDS.md is what is printed: no bound is exceeded there, and none is idle."""

from __future__ import annotations

import pytest

from docs.bounds import page, share
from tests.support.paths import ROOT
from xent_conformance.reference.formats import BFLOAT16, BINARY16, Format

BOUNDS = ROOT / "docs" / "BOUNDS.md"


def shares() -> list[tuple[str, ...]]:
    """The cells of every row of the printed page."""
    lines = BOUNDS.read_text(encoding="utf-8").splitlines()
    cells = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines if line[:1] == "|"]
    return [row for row in cells if row[1] in ("accurate", "stable")]


def test_the_documentation_is_what_is_printed() -> None:
    """Print it anew: ``.venv/bin/python -m docs.bounds > docs/BOUNDS.md``."""
    assert BOUNDS.read_text(encoding="utf-8") == page()


def test_no_bound_is_exceeded() -> None:
    found = shares()
    assert len(found) > 300
    assert [row for row in found if not max(float(row[3]), float(row[4])) <= 1.0] == []


@pytest.mark.parametrize("fmt", [BINARY16, BFLOAT16], ids=lambda f: f.name)
def test_the_gradient_of_softmax_uses_its_bound_in_16_bits(fmt: Format) -> None:
    """Once it was five to sixteen times what correct kernels need."""
    assert share("softmax", "grad_logits", "stable", fmt).worst >= 0.2
