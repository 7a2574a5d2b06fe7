"""Decisions made by hand, to be shown."""

from __future__ import annotations

from typing import Any

from xent_conformance.reports.run.words import Status
from xent_conformance.reports.text.wording import Answer
from xent_conformance.reports.views.comparison import Change
from xent_conformance.reports.views.gate import Gate
from xent_conformance.reports.views.reasons import Kind, Reason
from xent_conformance.reports.views.waivers import Judged, State

HOSTILE = (
    "[bold]<script>alert(1)</script>[/bold] | `x` **b** [l](http://e) @all #1\n"
    "::error title=x::pwned\x1b[31m\x00 ##[error]y"
)


def answer(returned: str = "NaN", right: str = "0.5", message: str = "") -> Answer:
    """A NaN where a half is right, but for what is named."""
    return Answer(returned, right, "", "wrong_special", "returned", message, None)


def reason(kind: Kind = Kind.MUST, **changes: Any) -> Reason:
    """A must clause broken by torch.softmax, but for ``changes``."""
    usual: dict[str, Any] = {
        "blocking": True,
        "title": "torch.softmax value: NaN (must 2.2 Large logits)",
        "detail": "",
        "command": "conformance explain softmax/x/y/float32/n2/r0 --implementation torch.softmax",
        "count": 4,
        "framework": "torch",
        "version": "2.13.0",
        "implementation": "torch.softmax",
        "operator": "softmax",
        "output": "value",
        "targets": ("eager cpu",),
        "dtypes": ("float32",),
        "clause": "2.2",
        "symptom": "NaN",
        "case": "softmax/x/y/float32/n2/r0",
        "answer": answer(),
    }
    return Reason(kind, **usual | changes)


def missing(kind: Kind, **changes: Any) -> Reason:
    """Evidence that is missing: it is about no answer."""
    return reason(kind, **{"output": "", "symptom": "", "answer": None} | changes)


def waiver(name: str = "torch-nan", state: State = State.ACCEPTS, **changes: Any) -> Judged:
    usual: dict[str, Any] = {
        "framework": "torch", "reason": "…", "link": "none", "source": "w.toml", "rows": 3,
        "message": "accepts 3 verdicts",
    }  # fmt: skip
    return Judged(name, state=state, **usual | changes)


def gate(*reasons: Reason, **changes: Any) -> Gate:
    """A decision with these reasons, those that block first."""
    usual: dict[str, Any] = {
        "reasons": tuple(sorted(reasons, key=lambda r: not r.blocking)),
        "waivers": (),
        "tested": ("torch 2.13.0",),
        "verdicts": 100,
        "by_status": {Status.BREAKS_MUST: 4, Status.CONFORMS: 96},
        "waived": 0,
    }
    return Gate(**usual | changes)


def changes(**counts: int) -> dict[Change, int]:
    """Pairs by the names of :class:`Change`, in any case."""
    return {Change[name.upper()]: number for name, number in counts.items()}


HOSTILE_GATE = gate(
    reason(title=HOSTILE, detail=HOSTILE, implementation=HOSTILE, output=HOSTILE, answer=answer(HOSTILE),
           case=HOSTILE, command=f"conformance explain '{HOSTILE}'", targets=(HOSTILE,)),
    reason(title=HOSTILE, detail=HOSTILE, answer=None, framework=HOSTILE, implementation=""),
    reason(Kind.DRIFTED, blocking=False, title=HOSTILE, detail=HOSTILE, implementation=HOSTILE),
    tested=(HOSTILE,),
    against=(HOSTILE,),
    waivers=(waiver(HOSTILE, State.STALE, message=HOSTILE, next=HOSTILE),
             waiver(HOSTILE, State.NOT_EVALUATED, message=HOSTILE, next=HOSTILE)),
)  # fmt: skip
