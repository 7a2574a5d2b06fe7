"""``check(..., exclude=…, waivers=…)``: what is left out, and what is accepted with a reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from xent_conformance import Checked, Divergence, check
from xent_conformance.decision.waivers import WaiverError

CASE = "softmax/huge_logits/at_exp_overflow/float32/n10/r5"

WAIVER = """
[[waiver]]
name = "no-shift"
framework = "numpy"
versions = ""
operators = ["softmax"]
implementations = ["no_shift"]
outputs = ["value"]
clause = "{clause}"
symptom = "{symptom}"
cases = ["{cases}"]
witnesses = ["{witness}"]
reason = "The logits of this kernel are bounded by 80 where it is called."
link = "none"
"""


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def no_shift(x: np.ndarray) -> np.ndarray:
    """It overflows."""
    e = np.exp(x)
    return e / e.sum(axis=-1, keepdims=True)


def shifted(x: np.ndarray) -> np.ndarray:
    return no_shift(x - x.max(axis=-1, keepdims=True))


def _check(function: Any = no_shift, *families: str, **more: Any) -> Checked:
    given: dict[str, Any] = {"dtypes": "float32", "families": families or ("huge_logits", "ordinary")}
    return check(function, operator="softmax", framework="numpy", **given | more)


def _waivers(checked: Checked, **changes: str) -> str:
    """A file with a waiver for each finding of the check."""
    text = ""
    for number, row in enumerate(checked.findings.iter_rows(named=True)):
        told = {"clause": row["clause"], "symptom": row["symptom"], "cases": "*", "witness": row["case"]}
        entry = WAIVER.format(**told | changes)
        ceiling = "ulps = 1e12\n" if row["symptom"] in ("lost accuracy", "beyond the stable bound") else ""
        text += entry.replace('"no-shift"', f'"no-shift-{number}"') + ceiling
    Path("mine.toml").write_text(text, encoding="utf-8")
    return "mine.toml"


# --- what is not asked -------------------------------------------------------------------------------------


def test_families_and_paths_are_left_out() -> None:
    both = ("huge_logits", "near_ties")
    assert not _check(no_shift, *both).conforms
    left = _check(no_shift, *both, exclude="huge_logits")
    assert left.conforms and set(left.verdicts["family"]) == {"near_ties"}
    assert left.run.header["selection"]["exclude"] == ["huge_logits"]
    assert _check(no_shift, "near_ties", exclude="vocabularies").conforms, "another profile asks it"
    long = _check(no_shift, "ordinary", exclude=["*/n1000"])
    assert 1000 in set(_check(no_shift, "ordinary").verdicts["n"]) and 1000 not in set(long.verdicts["n"])


@pytest.mark.parametrize(
    ("exclude", "words"),
    [
        ("huge_logit", "exclude names nothing that would be asked, 'huge_logit': did you mean huge_logits"),
        ("*/n7777", r"'\*/n7777': there are ordinary, huge_logits"),
        (["huge_logits", "ordinary"], "or all of it is excluded"),
    ],
)
def test_what_excludes_nothing_or_everything_is_refused(exclude: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        _check(exclude=exclude)


# --- what is accepted --------------------------------------------------------------------------------------


def test_what_a_waiver_accepts_conforms_and_is_counted() -> None:
    before = _check()
    accepted = _check(waivers=_waivers(before))
    assert not before.conforms and accepted.conforms
    accepted.raise_on_divergence("should")
    assert accepted.findings.is_empty() and not before.findings.is_empty()
    assert {w.state.value for w in accepted.waivers} == {"accepts"} and not before.waivers
    waived = before.verdicts.filter(status="breaks_must").height
    assert waived and " waived of these" in repr(accepted) and " waived" not in repr(before)
    assert accepted.verdicts.equals(before.verdicts), "a verdict is what it is"
    page = accepted.report("mine.html").read_text(encoding="utf-8")
    assert "no-shift-0" in page
    assert "waiver no-shift-0: accepts" in accepted._repr_html_()


def test_what_a_waiver_does_not_accept_still_diverges() -> None:
    before = _check()
    only = _check(waivers=_waivers(before, cases="softmax/huge_logits/at_exp_overflow/*"))
    assert not only.conforms and only.findings.height <= before.findings.height
    assert only.findings["count"].sum() < before.findings["count"].sum()
    assert set(only.findings["asked"]) == set(before.findings["asked"]), "of as many rows as were asked"


def test_a_waiver_that_does_not_hold_any_more_fails() -> None:
    stale = _check(shifted, waivers=_waivers(_check()), name="no_shift")
    assert _check(shifted).conforms and not stale.conforms
    with pytest.raises(Divergence, match=r"waiver no-shift-0 is stale: its witness softmax/\S+ conforms now"):
        stale.raise_on_divergence()


def test_waivers_of_another_function_or_of_what_was_not_asked_are_no_business_of_it() -> None:
    file = _waivers(_check())
    other = _check(shifted, waivers=file)
    assert other.conforms and not other.waivers
    narrowed = _check(no_shift, "near_ties", waivers=[file])
    assert narrowed.conforms and {w.state.value for w in narrowed.waivers} == {"not evaluated"}


def test_a_file_that_cannot_be_used() -> None:
    with pytest.raises(WaiverError, match=r"gone\.toml: cannot be read"):
        _check(waivers="gone.toml")


# --- a notebook --------------------------------------------------------------------------------------------


def test_what_a_notebook_shows_is_small_safe_and_of_no_colour_of_its_own() -> None:
    """No script, no address, nothing that is loaded; the numbers of a finding open without a script."""
    checked = _check(name="mine <script>alert(1)</script>")
    page = checked._repr_html_()
    assert len(page) < 20_000 and "<script" not in page and "http" not in page and "url(" not in page
    assert "mine &lt;script&gt;" in page and "✗ does not conform" in page
    assert "<details><summary><code>softmax/huge_logits/" in page and "print(checked.explain(" in page
    style = page.partition("<style>")[2].partition("</style>")[0]
    assert "currentColor" in style and "#" not in style and "rgb(" not in style
    assert all(rule.strip().startswith(".xc") for rule in style.strip().replace("}\n", "}|").split("|"))
    assert "✓ conforms" in _check(shifted)._repr_html_()


def test_a_notebook_shows_the_worst_and_says_how_many_more(monkeypatch: pytest.MonkeyPatch) -> None:
    from xent_conformance.kernel import notebook

    monkeypatch.setattr(notebook, "SHOWN", 1)
    checked = _check()
    more = checked.findings.height - 1
    assert more > 0 and f"{more} more findings" in checked._repr_html_()
    assert checked._repr_html_().count("<details>") == 1
