"""Small decisions and small comparisons, made of small runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from packaging.specifiers import SpecifierSet

from tests.support.small_run import header, run_of, verdict
from xent_conformance.decision.compare import compare
from xent_conformance.decision.gate import decide
from xent_conformance.decision.waivers import Waiver
from xent_conformance.reports.run.file import Run
from xent_conformance.reports.views.comparison import Told
from xent_conformance.reports.views.gate import Gate

Rows = list[dict[str, Any]]

CASE = "softmax/two_classes/confident_wrong/float32/n2/r0"
"""Of the corpus: the witness of a waiver must be."""


def waiver(**changes: Any) -> Waiver:
    """Accepts what ``broken`` breaks."""
    usual: dict[str, Any] = {
        "name": "torch-known",
        "framework": "torch",
        "versions": SpecifierSet(""),
        "operators": ("softmax",),
        "implementations": ("torch.softmax",),
        "outputs": ("value",),
        "clause": "1.1",
        "symptom": "beyond the stable bound",
        "cases": ("*",),
        "witnesses": (CASE,),
        "reason": "it rounds once more, as upstream documents",
        "link": "https://example.org/issue/1",
        "ulps": 1e6,
        "source": "known/torch.toml",
    }
    return Waiver(**usual | changes)


def broken(**changes: Any) -> dict[str, Any]:
    return verdict(**{"status": "breaks_must", "case": CASE, **changes})


def decided(run: Run, waivers: Sequence[Waiver] = (), **options: Any) -> Gate:
    return decide(run, waivers=waivers, **options)


def newer(**changes: Any) -> dict[str, Any]:
    return verdict(**{"version": "2.14.0", **changes})


def now_header(**changes: Any) -> dict[str, Any]:
    usual = header()
    (torch,) = usual["frameworks"]
    return usual | {
        "created": "2026-12-24T00:00:00+00:00",
        "frameworks": [torch | {"version": "2.14.0"} | changes],
    }


def view_of(before: Rows, now: Rows, *headers: dict[str, Any], limit: int = 500) -> Told:
    return compare(run_of(before), run_of(now, *(headers or (now_header(),)))).told(limit)


def of_every_change() -> Told:
    """One pair of each change, and one more that is fixed."""
    before = [
        verdict(case="regressed"),
        verdict(case="missing"),
        verdict(case="other", hash="one"),
        verdict(case="drifted", ulps=2.0),
        verdict(case="fixed", status="breaks_should"),
        verdict(case="fixed too", status="breaks_should"),
        verdict(case="improved", ulps=64.0),
        verdict(case="bits"),
        verdict(case="same"),
    ]
    now = [
        newer(
            case="regressed",
            status="breaks_must",
            symptom="NaN",
            grade="wrong_special",
            got=math.nan,
            ulps=math.nan,
        ),
        newer(case="other", hash="two"),
        newer(case="drifted", ulps=32.0),
        newer(case="fixed"),
        newer(case="fixed too"),
        newer(case="improved", ulps=1.5),
        newer(case="added"),
        newer(case="bits", bits="other"),
        newer(case="same"),
    ]
    return view_of(before, now)
