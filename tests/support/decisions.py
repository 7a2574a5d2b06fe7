"""What a gate tells, made by hand."""

from __future__ import annotations

from typing import Any

HOSTILE = "<script>alert(1)</script> | `x` **b** [l](http://e) @all #1\n::error title=x::pwned\x1b[31m\x00"


def reason(**changes: Any) -> dict[str, Any]:
    """A must clause broken by torch.softmax, but for ``changes``."""
    usual: dict[str, Any] = {
        "kind": "must clause broken",
        "blocking": True,
        "evidence": False,
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
        "got": "nan",
        "right": "0.5",
        "ulps": None,
    }
    assert not set(changes) - set(usual)
    return usual | changes


def waiver(**changes: Any) -> dict[str, Any]:
    usual = {
        "name": "torch-nan", "state": "accepts", "rows": 3, "message": "accepts 3 verdicts", "next": "",
        "case": "", "implementation": "", "framework": "torch", "reason": "…", "link": "none",
        "source": "w.toml",
    }  # fmt: skip
    assert not set(changes) - set(usual)
    return usual | changes


def gate(*reasons: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A decision with these reasons; status 0 where none blocks, 3 where evidence is missing."""
    blocking = [r for r in reasons if r["blocking"]]
    status = 3 if any(r["evidence"] for r in blocking) else 1 if blocking else 0
    usual: dict[str, Any] = {
        "status": status,
        "verdict": "",
        "tested": ["torch 2.13.0"],
        "against": [],
        "verdicts": 100,
        "waived": 0,
        "by_status": {"breaks_must": 4, "conforms": 96},
        "changes": {},
        "reasons": [*blocking, *(r for r in reasons if not r["blocking"])],
        "waivers": [],
    }
    assert not set(changes) - set(usual)
    return usual | changes


HOSTILE_GATE = gate(
    reason(title=HOSTILE, detail=HOSTILE, implementation=HOSTILE, output=HOSTILE, got=HOSTILE, case=HOSTILE,
           command=f"conformance explain '{HOSTILE}'", targets=(HOSTILE,)),
    reason(title=HOSTILE, detail=HOSTILE, got="", framework=HOSTILE, implementation=""),
    reason(blocking=False, kind="drifted", title=HOSTILE, detail=HOSTILE, implementation=HOSTILE),
    tested=[HOSTILE],
    against=[HOSTILE],
    waivers=[waiver(name=HOSTILE, state="stale", message=HOSTILE, next=HOSTILE),
             waiver(name=HOSTILE, state="not evaluated", message=HOSTILE, next=HOSTILE)],
)  # fmt: skip
