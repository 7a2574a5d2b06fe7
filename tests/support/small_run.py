"""Small runs written by hand, and a reader of the page that a renderer makes of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html.parser import HTMLParser
from typing import Any

import polars as pl

from xent_conformance.reports.html.report import render
from xent_conformance.reports.run.file import SCHEMA, Run
from xent_conformance.reports.run.findings import findings

HOSTILE = "<script>alert('x')</script>&\"'`.name"

CLAUSES = {
    "1.1": {"level": "must", "title": "Stable accuracy", "text": "Within the `stable` bound."},
    "1.2": {"level": "should", "title": "Relative accuracy", "text": "Within the accurate bound."},
    "4.4": {"level": "open", "title": "Every class excluded", "text": "No distribution is defined."},
}


def verdict(**changes: Any) -> dict[str, Any]:
    """A verdict that conforms, but for ``changes``; ``status`` brings its clause, level and symptom."""
    usual = {
        "breaks_must": ("1.1", "must", "beyond the stable bound", "divergent", 2000.0),
        "breaks_should": ("1.2", "should", "lost relative accuracy", "stable", 40.0),
        "open": ("4.4", "open", "NaN", "wrong_special", float("inf")),
        "unsupported": ("1.1", "must", "none", "none", float("nan")),
        "undecided": ("1.1", "must", "none", "exact", 0.25),
    }
    clause, level, symptom, grade, ulps = usual.get(
        changes.get("status", ""), ("1.1", "must", "none", "exact", 0.25)
    )
    row: dict[str, Any] = {
        "case": "softmax/ordinary/spread1/float32/n3/r0",
        "hash": "20de83f9154278e7",
        "operator": "softmax",
        "family": "ordinary",
        "variant": "spread1",
        "dtype": "float32",
        "n": 3,
        "framework": "torch",
        "version": "2.13.0",
        "implementation": "torch.softmax",
        "formulation": "fused",
        "mode": "eager",
        "device": "cpu",
        "machine": "AMD EPYC",
        "output": "value",
        "outcome": "returned",
        "message": "",
        "grade": grade,
        "status": "conforms",
        "symptom": symptom,
        "clause": clause,
        "level": level,
        "ulps": ulps,
        "ratio": ulps / 100,
        "index": 1,
        "got": 0.25,
        "hi": 0.1,
        "lo": 0.0,
        "exponent": 0,
        "rounded": 0.10000000149011612,
        "bits": "0ac49b7f92cc1e4c",
        "cause": "",
    }
    if set(changes) - set(row):
        raise ValueError(f"no such columns: {set(changes) - set(row)}")
    return row | changes


def header(**changes: Any) -> dict[str, Any]:
    """The header of a complete run of torch, but for ``changes``."""
    usual: dict[str, Any] = {
        "suite": "0.1.0",
        "selection": {
            "profile": "quick",
            "frameworks": [],
            "operators": [],
            "dtypes": [],
            "families": [],
            "implementation": [],
            "devices": [],
            "plugins": [],
        },
        "corpus": "c0ffee",
        "reference": "ed822e1f",
        "created": "2026-11-21T07:21:44+00:00",
        "planned": {"torch": 4},
        "finished": {"torch": 4},
        "absent": [],
        "not_installed": [],
        "distances": [],
        "frameworks": [
            {
                "framework": "torch",
                "version": "2.13.0",
                "devices": ["cpu"],
                "environment": {"python": "3.11.7", "processor": "AMD EPYC"},
                "import_s": 1.5,
                "variant": "",
                "starts": 1,
            }
        ],
        "seconds": {"import": 1.5, "total": 9.0},
        "operators": {"softmax": "exp(x_i) / Σ exp(x_j)"},
        "families": {"ordinary": "bell-shaped logits"},
        "implementations": [
            {"framework": "torch", "name": "torch.softmax", "operator": "softmax", "note": "a note to read"}
        ],
        "clauses": CLAUSES,
        "exhibits": {
            "softmax/ordinary/spread1/float32/n3/r0": {
                "dtype": "float32",
                "n": 3,
                "logits": "0000803f000000c0cdcccc3d",
                "labels": "",
                "cotangent": "0000803f0000803f0000803f",
                "tangent": "",
                "asked": "",
            }
        },
    }
    return usual | changes


def distance(**changes: Any) -> dict[str, Any]:
    """An entry of the header's distances: torch against jax, but for ``changes``."""
    usual: dict[str, Any] = {
        "operator": "softmax",
        "output": "value",
        "dtype": "float32",
        "ulps": 3.0,
        "framework_a": "jax",
        "implementation_a": "jax.nn.softmax",
        "mode_a": "jit",
        "device_a": "cpu",
        "got_a": 0.5,
        "framework_b": "torch",
        "implementation_b": "torch.softmax",
        "mode_b": "eager",
        "device_b": "cpu",
        "got_b": 0.25,
        "case": "softmax/ordinary/spread1/float32/n3/r0",
        "index": 1,
    }
    if set(changes) - set(usual):
        raise ValueError(f"no such keys: {set(changes) - set(usual)}")
    return usual | changes


def run_of(rows: Sequence[Mapping[str, Any]], *headers: Mapping[str, Any]) -> Run:
    """A run of ``rows``; with no header, that of a complete run."""
    return Run(pl.DataFrame(list(rows), schema=SCHEMA, orient="row"), headers or (header(),))


def page_of(rows: Iterable[Mapping[str, Any]], *headers: Mapping[str, Any]) -> tuple[Page, str]:
    """The page of ``rows``, read, and as text."""
    run = run_of(list(rows), *headers)
    html = render(run, findings(run.verdicts))
    return Page(html), html


class Page(HTMLParser):
    """What a browser would find: tags balanced, ids, links, text; raises AssertionError on a stray tag."""

    VOID = frozenset({"meta", "link", "br", "wbr", "input", "img", "hr"})
    OPTIONAL = ({"td", "th"}, {"dt", "dd"})
    """Cells, and terms and what is said of them, may end where the next one starts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == [], f"never closed: {self.open}"

    @property
    def ids(self) -> list[str]:
        return [str(a["id"]) for _, a in self.tags if "id" in a]

    @property
    def links(self) -> list[str]:
        return [str(a["href"]) for _, a in self.tags if "href" in a]

    @property
    def text(self) -> str:
        """All text but scripts and styles, runs of white space as one space."""
        return " ".join("".join(self.texts).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in ("br", "small", "td", "th", "dt", "dd"):
            self.texts.append(" ")
        if tag in self.VOID:
            return
        if any({tag, self.open[-1]} <= alike for alike in self.OPTIONAL if self.open):
            self.open.pop()
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if (tag == "tr" and self.open[-1] in ("td", "th")) or (tag == "dl" and self.open[-1] in ("dt", "dd")):
            self.open.pop()
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()
        if tag not in ("b", "i", "wbr", "code"):
            self.texts.append(" ")

    def handle_data(self, data: str) -> None:
        if not {"script", "style"} & set(self.open):
            self.texts.append(data)
