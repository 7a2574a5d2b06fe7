"""JUnit: what every CI service reads, whatever a framework says."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from tests.support.decisions import HOSTILE, HOSTILE_GATE, answer, gate, missing, reason, waiver
from tests.support.small_run import run_of, verdict
from xent_conformance.reports.ci.junit import render
from xent_conformance.reports.views.gate import Gate
from xent_conformance.reports.views.reasons import Kind
from xent_conformance.reports.views.waivers import State

RUN = run_of(
    [
        verdict(),
        verdict(output="grad_logits"),
        verdict(implementation="torch.naive", formulation="naive"),
        verdict(framework="jax", implementation="jax.nn.softmax"),
        verdict(framework="jax", implementation="jax.lost", status="unsupported", message="not written"),
    ]
)


def _read(told: Gate) -> ET.Element:
    """The report, with the structure that readers expect."""
    root = ET.fromstring(render(told, RUN))
    assert root.tag == "testsuites"
    totals = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    for suite in root:
        assert suite.tag == "testsuite" and suite.get("name") and suite.get("time") is not None
        cases = suite.findall("testcase")
        names = [(c.get("classname"), c.get("name")) for c in cases]
        assert all(map(all, names))
        beside = [[], ["properties", *["testcase"] * len(cases), "system-out"]][suite is root[0]]
        assert [e.tag for e in suite] == (beside or ["testcase"] * len(cases)), "in the order of the schema"
        assert len(set(names)) == len(names), "a test has a name of its own"
        assert int(suite.get("tests", "-1")) == len(cases) > 0
        for count, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.get(count, "-1")) == sum(c.find(tag) is not None for c in cases)
            totals[count] += int(suite.get(count, "0"))
        for case in cases:
            results = [e for e in case if e.tag in ("failure", "error", "skipped")]
            assert len(results) <= 1 and all(e.get("message") for e in results)
        totals["tests"] += len(cases)
    assert {k: int(root.get(k, "-1")) for k in totals} == totals
    return root


def _case(root: ET.Element, name: str) -> ET.Element:
    (found,) = [c for c in root.iter("testcase") if c.get("name") == name]
    return found


def test_every_implementation_and_output_is_a_test() -> None:
    root = _read(gate())
    assert [(s.get("name"), [c.get("name") for c in s.findall("testcase")]) for s in root] == [
        ("jax", ["jax.lost value (softmax)", "jax.nn.softmax value (softmax)"]),
        ("torch", ["torch.softmax grad_logits (softmax)", "torch.softmax value (softmax)"]),
    ]
    assert (root.get("failures"), root.get("errors"), root.get("skipped")) == ("0", "0", "1")
    skipped = _case(root, "jax.lost value (softmax)").find("skipped")
    assert skipped is not None and skipped.get("message") == "unsupported: not written"


@pytest.mark.parametrize(
    "told", [gate(), gate(reason()), gate(missing(Kind.ABSENT)), gate(reason(title="a \x00 title"))]
)
def test_the_headline_is_the_first_property_and_the_output_of_the_first_suite(told: Gate) -> None:
    first = _read(told)[0]
    (headline,) = first.iterfind("properties/property")
    assert headline.get("name") == "headline"
    assert headline.get("value") == first.findtext("system-out") == told.headline.replace("\x00", "\ufffd")


def test_a_failure_says_all() -> None:
    root = _read(gate(reason(detail="why it is so"), reason(clause="1.1", title="another")))
    failure = _case(root, "torch.softmax value (softmax)").find("failure")
    assert failure is not None and failure.text
    assert failure.get("message") == "torch.softmax value: NaN (must 2.2 Large logits) (and 1 more)"
    assert failure.get("type") == "must clause broken"
    for words in (
        "why it is so",
        "returned NaN, right 0.5",
        "eager cpu",
        "float32",
        "case: softmax/x",
        "another",
    ):
        assert words in failure.text
    assert failure.text.splitlines()[-1].startswith("conformance explain ")


def test_warnings_do_not_fail() -> None:
    assert _read(gate(reason(blocking=False))).get("failures") == "0"


def test_missing_evidence_is_an_error() -> None:
    root = _read(
        gate(
            missing(Kind.ABSENT, title="jax is absent", implementation=""),
            missing(Kind.MISSING, title="torch.softmax: 3 verdicts missing"),
        )
    )
    assert root.get("errors") == "2" and root.get("failures") == "0"
    assert [s.get("name") for s in root][-1] == "evidence"


def test_what_the_baseline_alone_asked() -> None:
    root = _read(gate(reason(Kind.REGRESSED, implementation="torch.gone")))
    assert _case(root, "torch.gone value (softmax)").find("failure") is not None


def test_waivers() -> None:
    stale = missing(Kind.STALE, title="waiver old: stale", waiver="old", implementation="", detail="conforms")
    waivers = (
        waiver("good"),
        waiver("old", State.STALE),
        waiver("other", State.NOT_EVALUATED, message="jax was not run"),
    )
    root = _read(gate(stale, waivers=waivers))
    suite = root[-1]
    assert [[e.tag for e in c] for c in suite] == [[], ["failure"], ["skipped"]]


@pytest.mark.parametrize("text", [HOSTILE, "\x00\x08\x0b\x1f\ufffe\uffff", "]]>", "\ud800", "\U0001f600"])
def test_whatever_a_framework_says_is_xml(text: str) -> None:
    told = gate(reason(title=text, detail=text, implementation=text, case=text, answer=answer(text)))
    xml = render(told, RUN)
    root = _read(told)
    assert "<script" not in xml
    (failure,) = root.iter("failure")
    assert failure.text
    xml.encode("utf-8")


def test_the_hostile_gate_is_xml() -> None:
    ET.fromstring(render(HOSTILE_GATE, RUN))
