"""Whatever renders it: one answer is told in the same words, and foreign text is escaped exactly once."""

from __future__ import annotations

import html
import io
import json
import re
import urllib.parse
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
import rich.markup
from rich.console import Console

from tests.support.small_gate import broken, decided, newer, now_header, view_of, waiver
from tests.support.small_run import Page, header, run_of, verdict
from xent_conformance.commands.files import as_json
from xent_conformance.kernel.result import Checked, Divergence
from xent_conformance.pytesting.message import divergence
from xent_conformance.reports.ci import data, junit, markdown
from xent_conformance.reports.html.comparison import render_comparison
from xent_conformance.reports.html.report import render
from xent_conformance.reports.html.versions import render as render_versions
from xent_conformance.reports.run.file import Run
from xent_conformance.reports.run.findings import findings
from xent_conformance.reports.terminal import causes as terminal_causes
from xent_conformance.reports.terminal import comparison as terminal_comparison
from xent_conformance.reports.terminal import gate as terminal_gate
from xent_conformance.reports.terminal import run as terminal_run
from xent_conformance.reports.terminal import versions as terminal_versions
from xent_conformance.reports.views.causes import causes
from xent_conformance.reports.views.comparison import Told
from xent_conformance.reports.views.gate import Gate
from xent_conformance.reports.views.versions import Versions
from xent_conformance.versions.matrix import versions

Row = dict[str, Any]

TENTH, FIFTH = 0.10000000149011612, 0.20000000298023224
"""Numbers of binary32: 0.1 and 0.2 are the shortest decimals that are these."""


class Shown:
    """One verdict that breaks a must clause, and everything that is told of it."""

    def __init__(self, **changes: Any) -> None:
        self.row: Row = broken(**changes)
        whole = header()
        whose = {"framework": self.row["framework"], "name": self.row["implementation"]}
        asked = [{**whose, "operator": self.row["operator"], "note": ""}]
        (worker,) = whole["frameworks"]
        same = {"framework": self.row["framework"], "version": self.row["version"]}
        self.header = whole | {"implementations": asked, "frameworks": [worker | same]}

    @property
    def run(self) -> Run:
        return run_of([self.row], self.header)

    @property
    def named(self) -> Run:
        """The same, and what is wrong has a name."""
        return run_of([self.row | {"cause": "1-1-softmax-value"}], self.header)

    @property
    def own(self) -> Run:
        """The same, as a run of that implementation alone."""
        alone = self.header["selection"] | {"implementation": [self.row["implementation"]]}
        return run_of([self.row], self.header | {"selection": alone})

    @property
    def gate(self) -> Gate:
        name = str(self.row["implementation"])
        known = waiver(name=name, framework=self.row["framework"], implementations=(name,), ulps=1.0)
        return decided(self.run, [known])

    @property
    def comparison(self) -> Told:
        before = verdict(
            **{k: self.row[k] for k in ("case", "implementation", "mode", "device", "framework")}
        )
        return view_of([before], [newer(**{**self.row, "version": "2.14.0"})], now_header())

    @property
    def versions(self) -> Versions:
        held = self.row | {"status": "conforms", "symptom": "none", "ulps": 0.0, "version": "1"}
        return versions([run_of([held], self.header), self.run])


def _printed(show: Callable[..., None], *told: Any) -> str:
    console = Console(file=io.StringIO(), width=160, highlight=False)
    show(*told, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def _causes(shown: Shown) -> str:
    show = partial(terminal_causes.show, whole=True)
    return _printed(show, causes(shown.named)) + _printed(terminal_run.summary, shown.run)


def _message(shown: Shown) -> str:
    faults = shown.run.verdicts.with_columns(pl.lit(None, pl.String).alias("waiver"))
    return divergence(faults, 1, shown.run)


def _checked(run: Run) -> Checked:
    """What ``check()`` returns; who is named is all that the result asks of its question here."""
    named = run.header["implementations"][0] if run.header.get("implementations") else {}
    kernel = SimpleNamespace(
        implementation=SimpleNamespace(name=named.get("name", "mine")),
        framework=SimpleNamespace(name=named.get("framework", "torch")),
    )
    return Checked(run, SimpleNamespace(no_script="", kernel=kernel))  # type: ignore[arg-type]


def _raised(shown: Shown) -> str:
    with pytest.raises(Divergence) as raised:
        _checked(shown.own).raise_on_divergence()
    return str(raised.value)


def _as_json(told: Any) -> str:
    return json.dumps(told, ensure_ascii=False, allow_nan=False)


RENDERERS: Mapping[str, Callable[[Shown], str]] = {
    "page": lambda s: render(s.run, findings(s.run.verdicts), s.gate),
    "page of a comparison": lambda s: render_comparison(s.comparison),
    "page of versions": lambda s: render_versions(s.versions),
    "notebook": lambda s: _checked(s.own)._repr_html_(),
    "terminal": _causes,
    "terminal of the gate": lambda s: _printed(terminal_gate.show, s.gate),
    "terminal of a comparison": lambda s: _printed(terminal_comparison.show, s.comparison),
    "terminal of versions": lambda s: _printed(terminal_versions.show, s.versions),
    "summary": lambda s: markdown.summary(s.gate),
    "comment": lambda s: markdown.comment(s.gate),
    "annotations": lambda s: "\n".join(markdown.workflow_commands(s.gate)),
    "junit": lambda s: junit.render(s.gate, s.run),
    "json of the gate": lambda s: _as_json(data.gate(s.gate)),
    "json of a comparison": lambda s: _as_json(data.comparison(s.comparison)),
    "json of versions": lambda s: _as_json(data.versions(s.versions)),
    "pytest": _message,
    "check": _raised,
}


def _strings(told: Any) -> list[str]:
    if isinstance(told, Mapping):
        return [text for value in told.values() for text in _strings(value)]
    return [text for value in told for text in _strings(value)] if isinstance(told, list) else [str(told)]


def _of_xml(text: str) -> str:
    elements = ET.fromstring(text).iter()
    return "\n".join(t for e in elements for t in (*e.attrib.values(), e.text or ""))


def read(renderer: str, text: str) -> str:
    """What the reader of the format sees: its escapes taken back once."""
    if "page" in renderer:
        return Page(text).text
    if renderer == "notebook":
        return html.unescape(re.sub(r"<[^>]*>", " ", text))
    if renderer in ("summary", "comment"):
        return html.unescape(re.sub(r"</?code>|`", "", text)).replace("\u200b", "")
    if renderer == "annotations":
        return urllib.parse.unquote(text)
    if renderer == "junit":
        return _of_xml(text)
    return "\n".join(_strings(json.loads(text))) if "json" in renderer else text


SENTENCES = ("page", "page of versions", "terminal", "terminal of the gate", "summary")
"""They say what was returned and what is right in a sentence."""

# --- one answer, the same words --------------------------------------------------------------------------


@pytest.mark.parametrize("renderer", [r for r in RENDERERS if r != "terminal of versions"])
def test_a_number_is_the_shortest_that_is_it(renderer: str) -> None:
    """A terminal said 0.10000000149011612 where the page said 0.1."""
    text = read(renderer, RENDERERS[renderer](Shown(got=TENTH, rounded=FIFTH)))
    assert str(TENTH) not in text and str(FIFTH) not in text
    assert re.search(r"(?<![\d.])0\.1(?!\d)", text), "what was returned"
    if renderer != "terminal of a comparison":
        assert re.search(r"(?<![\d.])0\.2(?!\d)", text), "what is right"


@pytest.mark.parametrize(
    "renderer",
    [
        "page",
        "page of versions",
        "terminal",
        "terminal of the gate",
        "summary",
        "comment",
        "annotations",
        "junit",
    ],
)
def test_an_answer_is_one_sentence(renderer: str) -> None:
    text = read(renderer, RENDERERS[renderer](Shown(got=TENTH, rounded=FIFTH, ulps=1.5e6)))
    assert "returned 0.1, right 0.2, 1.5×10⁶ ulp" in text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"got": float("nan"), "grade": "wrong_special", "symptom": "NaN"}, "returned NaN, right 0.1"),
        ({"got": -0.0, "rounded": 0.0, "ulps": 3.0}, "returned -0, right 0, 3.00 ulp"),
        ({"ulps": float("inf"), "ratio": float("inf")}, "returned 0.25, right 0.1, > 10³⁰⁸ ulp"),
        ({"ulps": 1.5e8, "ratio": 5e3}, "returned 0.25, right 0.1, 5,000 times the stable bound"),
        ({"outcome": "timed_out", "grade": "none", "symptom": "timed out"}, "timed out"),
        ({"grade": "none", "symptom": "wrong shape"}, "wrong shape"),
    ],
)
@pytest.mark.parametrize(
    "renderer", ["page", "page of versions", "terminal", "terminal of the gate", "summary"]
)
def test_odd_answers_are_told_alike(renderer: str, changes: Row, words: str) -> None:
    usual = {"ulps": float("nan")} if "ulps" not in changes and "got" not in changes else {}
    text = read(renderer, RENDERERS[renderer](Shown(**usual | changes)))
    assert words in text and "timed_out" not in text


# --- foreign text, escaped once --------------------------------------------------------------------------

NAMES = (
    "[bold]x[/bold]",
    "[/]",
    "<b>x</b>",
    "a&amp;b",
    "a|b",
    "back\\slash",
    "100%25",
    "'single' \"double\"",
)
"""What the reader of some format would take for its own."""

QUOTED = ("`x`", "[l](http://e)", "**x**", "@all", "#1")
"""What a reader of Markdown would."""

FIELDS = ("implementation", "message", "device", "mode", "machine")


def _named(name: str) -> Shown:
    raised = {"outcome": "raised", "grade": "none", "symptom": "raised", "ulps": float("nan")}
    return Shown(**dict.fromkeys(FIELDS, name), **raised)


@pytest.mark.parametrize("name", [*NAMES, *QUOTED])
@pytest.mark.parametrize("renderer", RENDERERS)
def test_a_name_reads_as_it_is(renderer: str, name: str) -> None:
    """Escaped twice, it would read with the escapes of the first time; not at all, it would be markup."""
    text = read(renderer, RENDERERS[renderer](_named(name)))
    wanted = name.replace("`", "") if renderer in ("summary", "comment") else name
    assert wanted in text
    for escape in (html.escape, rich.markup.escape, markdown.plain, lambda n: n.replace("%", "%25")):
        assert escape(name) == name or escape(name) not in text.replace(name, ""), "nowhere twice"


CONTROLS = "a\x1b[31mb\x00c\x07d"
PRINTED = [r for r in RENDERERS if "page" not in r and "json" not in r and r != "notebook"]
"""What a terminal shows, or a service reads; in a page, or in JSON, control characters are data."""


@pytest.mark.parametrize("renderer", PRINTED)
def test_no_control_character_is_obeyed(renderer: str) -> None:
    text = RENDERERS[renderer](_named(CONTROLS))
    assert "[31mb" in text
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", text)


HIDDEN = "safe\u202egnp.exe\u2066 \u200bx\ufeffy\U000e0041z\u200ew"


@pytest.mark.parametrize("renderer", RENDERERS)
def test_nothing_is_hidden_and_nothing_is_read_backwards(renderer: str) -> None:
    """A mark of direction would show another name than there is: it is written out, in JSON as JSON does."""
    text = RENDERERS[renderer](_named(HIDDEN))
    if "json" in renderer:
        text = as_json(json.loads(text))
        assert json.loads(text) == json.loads(RENDERERS[renderer](_named(HIDDEN))), "which means the same"
    if renderer in ("summary", "comment"):
        text = text.replace("&#64;\u200b", "")
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b-\u200f\ufeff\U000e0041]", text)
    told = html.unescape(re.sub(r"<[^>]*>", "", text))
    assert "\\u202egnp" in told or "pytest" in renderer


@pytest.mark.parametrize(
    "line",
    [
        "::error title=x::pwned",
        "  ::set-output name=x::pwned",
        "a ::warning::pwned",
        "x" * 158 + "::error::y",
    ],
)
@pytest.mark.parametrize(
    "renderer", ["terminal", "terminal of the gate", "annotations", "summary", "comment", "pytest", "check"]
)
def test_no_text_is_a_command_of_the_service(renderer: str, line: str) -> None:
    """Nor where a line is folded so that it would begin there."""
    for told in RENDERERS[renderer](_named(line)).splitlines():
        ours = renderer == "annotations" and told.startswith("::error title=conformance%3A ")
        assert not re.search(r"(^|\s)::[a-z]|::(error|warning|set-output)\b.*::", told[2 if ours else 0 :])


@pytest.mark.parametrize(
    "renderer", ["terminal", "terminal of the gate", "annotations", "summary", "comment"]
)
def test_no_line_of_a_framework_is_a_command_of_the_service(renderer: str) -> None:
    told = _named("x\n::error title=x::pwned\n##[error]pwned")
    lines = RENDERERS[renderer](told).splitlines()
    ours = [line for line in lines if line.startswith("::error title=conformance%3A ")]
    assert [line for line in lines if line.lstrip().startswith("::") and line not in ours] == []
    assert not any("##[error]" in line for line in lines)


def test_what_is_shown_is_raw_until_it_is_rendered() -> None:
    """The objects between decision and renderers hold what the framework said, to the letter."""
    shown = _named("[bold]<b>`x`\x1b")
    (reason,) = [r for r in shown.gate.reasons if r.answer]
    assert reason.implementation == "[bold]<b>`x`\x1b" and reason.answer
    assert reason.answer.message == reason.detail == "[bold]<b>`x`\x1b"
    assert replace(reason, command="") in [replace(r, command="") for r in shown.gate.reasons]
    group = next(g for groups in shown.comparison.groups.values() for g in groups.listed)
    assert group.implementation == "[bold]<b>`x`\x1b"
