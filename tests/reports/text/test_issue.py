"""Issues for upstream: the form that a tracker asks for, all that a maintainer needs, one writer of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.small_run import header, run_of, verdict
from xent_conformance.discovery.framework import FRAMEWORKS
from xent_conformance.explain.script.dialects import DIALECTS
from xent_conformance.reports.run.file import Run
from xent_conformance.reports.text.trackers import TRACKERS, UnknownTracker, tracker_of
from xent_conformance.reports.views.causes import causes
from xent_conformance.reports.views.issue import issue_text, shown_issue, trackers

EXPLAINED = {"offset-kept": {"hypothesis": "offset kept", "sentence": "x − (m + log S)", "source": "8.3"}}
CASE = "softmax/ordinary/spread1/float32/n3/r0"


def _run(*rows: dict[str, Any], **changes: Any) -> Run:
    usual = {"status": "breaks_must", "cause": "offset-kept"}
    told = header(causes=EXPLAINED, **changes)
    return run_of([verdict(**usual | row) for row in rows or ({},)], told)


def _text(run: Run, tracker: str = "", script: str = "") -> str:
    (cause,) = causes(run)
    return issue_text(run, cause, tracker, script)


@pytest.mark.parametrize("tracker", TRACKERS)
def test_an_issue_has_the_headings_of_the_form_in_their_order(tracker: str) -> None:
    title, body = _text(_run(), tracker, "print(1)").split("\n", 1)
    assert title.startswith(TRACKERS[tracker].before_title + "torch.softmax returns 0.25 for 0.1 (the value")
    lines = [line for line in body.splitlines() if line.startswith(("#", "**"))]
    assert lines == [heading for heading, _ in TRACKERS[tracker].sections]


@pytest.mark.parametrize("tracker", TRACKERS)
def test_every_form_holds_all_that_a_maintainer_needs(tracker: str) -> None:
    text = _text(_run(), tracker, "print(1)")
    for words in (
        "offset kept",  # the title of the cause
        "exp(x_i) / Σ exp(x_j)",
        "0x3f800000",  # the inputs, to the last bit
        "returned 0.25",
        "right    0.1",
        "exactly  0.100000000000000005551115123126",  # thirty digits
        'by the rule "Stable accuracy"',
        "x − (m + log S)",
        "```python\nprint(1)\n```",
        "2.13.0",
        "3.11.7",
        "processor: AMD EPYC",
    ):
        assert words in text, words


def test_every_framework_with_scripts_has_a_tracker_of_its_own_accord() -> None:
    assert all(tracker_of("", framework) for framework in DIALECTS)
    assert tracker_of("", "keras-jax") is tracker_of("keras", "torch") is TRACKERS["keras"]
    known = [f for t in TRACKERS.values() for f in t.frameworks]
    assert all(any(name.startswith(f) for name in FRAMEWORKS) for f in known), "no tracker of nobody"


@pytest.mark.parametrize(("tracker", "framework"), [("bugzilla", "torch"), ("", "mine")])
def test_what_is_no_tracker_is_refused_with_those_there_are(tracker: str, framework: str) -> None:
    with pytest.raises(UnknownTracker, match="pytorch, jax, tensorflow, keras, onnxruntime, onnx, optax"):
        _text(_run({"framework": framework}), tracker)


def test_without_a_script_the_command_that_prints_it_stands_in_its_place() -> None:
    """So that a page can print it, which has the run file alone."""
    text = _text(_run())
    assert f"```python\n# conformance explain {CASE} --implementation torch.softmax" in text
    assert "--output value --script\n```" in text


def test_an_issue_is_about_an_answer_of_the_tracker_s_own_framework() -> None:
    """The worst of all is another's; where none is reported there, it is the one."""
    mine = {"framework": "jax", "implementation": "jax.nn.softmax", "ratio": 2.0, "got": 0.75}
    run = _run({"ratio": 9.0}, mine)
    assert _text(run, "jax").startswith("jax.nn.softmax returns 0.75")
    assert _text(run).startswith("torch.softmax returns 0.25")
    assert _text(run, "keras").startswith("torch.softmax returns 0.25")
    assert "Seen in float32, of `jax.nn.softmax`; and in torch." in _text(run, "jax")
    (cause,) = causes(run)
    assert trackers(cause) == ("pytorch", "jax")


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("torch.log_softmax*p", "softmax composed of torch.log_softmax and a product with p"),
        ("torch.log+nll_loss", "softmax composed of torch.log and nll_loss"),
        (
            "jax.nn.softmax+clip+log*p",
            "softmax composed of jax.nn.softmax, clip, log and a product with p",
        ),
        ("torch.special.xlogy-p+q", "softmax composed as torch.special.xlogy-p+q"),
        ("torch.nn.functional.kl_div:log_target", "torch.nn.functional.kl_div:log_target"),
    ],
)
def test_what_the_suite_composed_is_not_called_a_function_of_the_framework(name: str, title: str) -> None:
    assert _text(_run({"implementation": name})).startswith(f"{title} returns 0.25 for 0.1 (the value")


def test_of_equals_a_function_that_users_call_is_reported() -> None:
    """One that is less wrong never is, whatever it is called."""
    composed = {"implementation": "torch.exp*p", "formulation": "composed"}
    layer = {"implementation": "torch.layer", "formulation": "composed", "case": "a"}
    fused = {"implementation": "torch.softmax", "case": "b"}
    assert _text(_run(composed, layer, fused)).startswith("torch.softmax returns")
    assert _text(_run(composed, layer)).startswith("torch.layer returns")
    mild = fused | {"ratio": 1.5}
    assert _text(_run(composed, mild)).startswith("softmax composed of torch.exp")


def test_the_issue_of_a_page_is_of_the_row_that_its_script_shows() -> None:
    """Also where another framework has the first tracker; only a framework without one is not asked."""
    mine = {"framework": "jax", "implementation": "jax.nn.log_softmax+sum", "ratio": 9.0}
    run = _run(mine, {"ratio": 2.0})
    (cause,) = causes(run)
    row = next(r for r in run.verdicts.iter_rows(named=True) if r["framework"] == "jax")
    found = shown_issue(run, cause, row)
    assert found.of_shown and found.text.startswith("softmax composed of jax.nn.log_softmax and sum returns")
    foreign = _run(mine | {"framework": "mine"}, {"ratio": 2.0})
    (cause,) = causes(foreign)
    other = shown_issue(foreign, cause, row | {"framework": "mine"})
    assert not other.of_shown and other.text.startswith("torch.softmax returns")
    alone = _run(mine | {"framework": "mine"})
    (cause,) = causes(alone)
    assert shown_issue(alone, cause, row | {"framework": "mine"}).text == ""


def test_a_variant_is_reported_with_its_own_environment() -> None:
    (worker,) = header()["frameworks"]
    odd = worker | {"variant": "isa=avx2", "environment": worker["environment"] | {"python": "3.12.1"}}
    run = _run({"device": "cpu[isa=avx2]"}, frameworks=[worker, odd])
    assert "python: 3.12.1" in _text(run) and "device: cpu[isa=avx2]" in _text(run)
    assert "python: 3.11.7" in _text(_run(frameworks=[worker, odd]))


def test_what_raises_is_told_in_its_own_words_and_ends_no_block() -> None:
    raised = {"outcome": "raised", "grade": "none", "symptom": "raised", "message": "```\n# Heading\x1b"}
    text = _text(_run(raised))
    assert "\n````\nraised: ```\n# Heading" in text or "````" in text
    assert "returned" not in text.splitlines()[0]


def test_other_bits_are_no_wrong_number() -> None:
    text = _text(_run({"symptom": "other bits", "grade": "exact", "ulps": 0.2}))
    assert text.startswith("torch.softmax: other bits (the value, float32): offset kept\n")
    assert "This number is within the bounds; what is wrong is: other bits." in text


def test_a_long_row_is_told_as_far_as_it_is_carried() -> None:
    long = {"dtype": "float32", "n": 5000, "logits": "0000803f000000c0" * 32, "labels": "", "tangent": ""}
    told = _text(_run(exhibits={CASE: long | {"cotangent": "0000803f", "asked": ""}}))
    assert "… and 4,936 more elements" in told and told.count("0x3f800000") == 32


def test_a_case_whose_inputs_are_not_carried_is_named() -> None:
    assert f"with the inputs of `{CASE}`" in _text(_run(exhibits={}))


def test_nothing_refers_to_a_section_that_a_maintainer_does_not_have() -> None:
    text = "Within the bound of §8: the error (SPEC.md §8.2) of the textbook. And more."
    clauses = header()["clauses"] | {"1.1": {"level": "must", "title": "Stable accuracy", "text": text}}
    assert '"Stable accuracy": Within the bound: the error of the textbook.\n' in _text(_run(clauses=clauses))
