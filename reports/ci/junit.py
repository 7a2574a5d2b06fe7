"""A decision as JUnit XML, which every CI service reads.

A suite for each framework, with a test for each implementation and output; reasons that block are failures.
What concerns no implementation has a suite of its own: missing evidence (errors) and waivers. JUnit has no
place for a sentence about all suites: the first one opens with it, as a property, and ends with it, as its
output, for readers show the one or the other.
"""

from __future__ import annotations

import operator
import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence

import polars as pl

from xent_conformance.reports.run.file import Run, called
from xent_conformance.reports.run.words import Status
from xent_conformance.reports.text.wording import plural, visible
from xent_conformance.reports.views.gate import Gate
from xent_conformance.reports.views.reasons import Reason
from xent_conformance.reports.views.waivers import Judged

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 has no way to write, not even as an entity."""

EVIDENCE, WAIVERS = "evidence", "waivers"


def render(gate: Gate, run: Run) -> str:
    """The report of a decision on ``run``."""
    root = ET.Element("testsuites", name="conformance")
    suites = [*_frameworks(run, gate.blocking)]
    loose = [r for r in gate.blocking if r.evidence and not (r.implementation and r.output)]
    if loose:
        suites.append(_suite(EVIDENCE, [_case(EVIDENCE, r.title, [r]) for r in loose]))
    if gate.waivers:
        suites.append(_suite(WAIVERS, [_waiver(w, gate.blocking) for w in gate.waivers]))
    root.extend(suites)
    _headline(suites[:1], gate.headline)
    for count in ("tests", "failures", "errors", "skipped"):
        root.set(count, str(sum(int(s.get(count, "0")) for s in suites)))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _headline(first: Sequence[ET.Element], headline: str) -> None:
    """The answer to "may I upgrade?": the schema has properties before the tests of a suite, output after."""
    for suite in first:
        properties = ET.Element("properties")
        ET.SubElement(properties, "property", name="headline", value=_text(headline))
        suite.insert(0, properties)
        ET.SubElement(suite, "system-out").text = _text(headline)


def _frameworks(run: Run, blocking: Sequence[Reason]) -> list[ET.Element]:
    """Every implementation and output that users call; ``naive`` controls never gate."""
    door = ("framework", "implementation", "operator", "output")
    by_door: dict[tuple[str, ...], list[Reason]] = {}
    for r in blocking:
        for key in dict.fromkeys(
            map(operator.attrgetter(*door), r.findings or ((r,) if r.implementation and r.output else ()))
        ):
            by_door.setdefault(key, []).append(r)
    asked = (
        called(run)
        .verdicts.group_by(*door)
        .agg(
            pl.len().alias("count"),
            (pl.col("status") == Status.UNSUPPORTED.value).all().alias("unsupported"),
            pl.col("message").first(),
        )
        .sort(*door)
    )
    cases: dict[str, list[ET.Element]] = {}
    for framework, implementation, name, output, count, unsupported, message in asked.iter_rows():
        key = (framework, implementation, name, output)
        reasons = by_door.pop(key, [])
        case = _of_door(key, reasons)
        if unsupported and not reasons:
            _add(case, "skipped", f"unsupported: {message}")
        else:
            ET.SubElement(case, "system-out").text = plural(count, "verdict")
        cases.setdefault(framework, []).append(case)
    for of_baseline, reasons in by_door.items():
        cases.setdefault(of_baseline[0], []).append(_of_door(of_baseline, reasons))
    return [_suite(framework, found) for framework, found in cases.items()]


def _of_door(door: Sequence[str], reasons: Sequence[Reason]) -> ET.Element:
    framework, implementation, name, output = door
    return _case(framework, f"{implementation} {output} ({name})", reasons)


def _suite(name: str, cases: Sequence[ET.Element]) -> ET.Element:
    suite = ET.Element("testsuite", name=_text(name), tests=str(len(cases)))
    for count, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(count, str(sum(case.find(tag) is not None for case in cases)))
    suite.set("time", "0")
    suite.extend(cases)
    return suite


def _case(suite: str, name: str, reasons: Sequence[Reason]) -> ET.Element:
    """A test; readers of JUnit know one failure a test, so several reasons share one."""
    case = ET.Element("testcase", classname=_text(suite), name=_text(name), time="0")
    if reasons:
        tag = "error" if any(r.evidence for r in reasons) else "failure"
        more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
        _add(case, tag, reasons[0].title + more, "\n\n".join(map(_details, reasons)), reasons[0].kind)
    return case


def _waiver(waiver: Judged, blocking: Sequence[Reason]) -> ET.Element:
    case = _case(WAIVERS, waiver.name, [r for r in blocking if r.waiver == waiver.name])
    if waiver.state.unseen:
        _add(case, "skipped", waiver.message)
    return case


def _add(case: ET.Element, tag: str, message: str, text: str = "", kind: str = "") -> None:
    found = ET.SubElement(case, tag, message=_text(" ".join(message.split())))
    if kind:
        found.set("type", _text(kind))
    if text:
        found.text = _text(text)


def _details(reason: Reason) -> str:
    """All of one reason, the command last."""
    lines = [f"{reason.kind}: {reason.title}", reason.detail, reason.answered]
    for label, words in (("modes and devices", reason.targets), ("formats", reason.dtypes)):
        lines += [f"{label}: {', '.join(words)}"] if words else []
    lines += [f"verdicts: {reason.count:,}"] if reason.count else []
    lines += [f"case: {reason.case}"] if reason.case else []
    return "\n".join(line for line in [*lines, reason.command] if line)


def _text(text: str) -> str:
    return _ILLEGAL.sub("\ufffd", visible(text))
