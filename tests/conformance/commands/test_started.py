"""What is printed can be typed again: command lines by the name that this process was started by."""

from __future__ import annotations

import io
import json
import shlex
from pathlib import Path

import pytest
from rich.text import Text

from tests.support.cli import conformance
from xent_conformance.commands import started
from xent_conformance.commands.base import verbs
from xent_conformance.commands.line import app
from xent_conformance.commands.started import Screen, as_started, retold, source_of

assert app, "it has all commands"

UVX = "uvx --from /a/checkout xent-conformance"


@pytest.mark.parametrize(
    ("script", "typed", "tool", "name"),
    [
        ("/c/archive-v0/x/bin/xent-conformance", ["python", "…", "torch"], "uv", UVX),
        ("/c/bin/conformance", ["python", "…"], "pipx", "pipx run --spec /a/checkout conformance"),
        (".venv/bin/conformance", ["/a/python", ".venv/bin/conformance"], "", ".venv/bin/conformance"),
        ("/s/__main__.py", ["./py", "-m", "xent_conformance", "jax"], "", "./py -m xent_conformance"),
        ("/s/pytest", ["python", "/s/pytest", "-k", "xent_conformance"], "", "conformance"),
        ("mine.py", ["python", "mine.py"], "uv", "conformance"),
    ],
)  # fmt: skip
def test_a_process_is_started_again_as_it_was(script: str, typed: list[str], tool: str, name: str) -> None:
    assert shlex.join(started._program(script, typed, tool, "/a/checkout")) == name


@pytest.mark.parametrize("name", started.SCRIPTS)
def test_what_lies_on_the_path_is_called_by_its_name_alone(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / name).write_text("#!/bin/sh\n", encoding="utf-8")
    (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert started._program(str(tmp_path / name), [], "", "") == [name]
    assert started._program(f"/other/{name}", [], "", "") == [f"/other/{name}"], "another of that name"


@pytest.mark.parametrize(
    ("told", "source"),
    [
        ({"url": "file:///a/checkout", "dir_info": {}}, "/a/checkout"),
        ({"url": "file:///a%20b/x.whl", "archive_info": {}}, "/a b/x.whl"),
        (
            {"url": "https://e.org/r", "vcs_info": {"vcs": "git", "requested_revision": "v1"}},
            "git+https://e.org/r@v1",
        ),
        ({"url": "file:///r", "vcs_info": {"vcs": "git", "commit_id": "0a"}}, "git+file:///r"),
        ({"url": "https://e.org/x.zip", "archive_info": {}, "subdirectory": "d"}, "https://e.org/x.zip#subdirectory=d"),
    ],
)  # fmt: skip
def test_where_the_suite_is_from_is_told_as_it_was_named(told: dict[str, object], source: str) -> None:
    assert source_of(json.dumps(told)) == source


def test_only_a_command_is_called_otherwise() -> None:
    text = "see it: conformance explain a/b; `conformance --help`; conformance torch"
    told = "see it: RUN explain a/b; `RUN --help`; RUN torch"
    assert as_started(text, ["torch", *verbs()], "RUN") == told
    for other in (
        "the conformance suite",
        "xent-conformance gate",
        "x.conformance gate",
        "a/conformance run",
        "conformance explained",
        "conformance check-pluginx",
    ):
        assert as_started(other, verbs(), "RUN") == other


def test_a_styled_text_keeps_its_styles() -> None:
    text = Text.assemble("1: ", ("conformance gate a", "bold"), (" or conformance list", "dim"))
    told = retold(text, verbs(), "RUN")
    assert told.plain == "1: RUN gate a or RUN list"
    styles = {told.plain[s.start : s.end]: str(s.style) for s in told.spans}
    assert styles["RUN"] and set(styles.values()) == {"bold", "dim"}
    assert retold(Text("none"), verbs(), "RUN").plain == "none"


@pytest.mark.parametrize(
    ("typed", "help_of"),
    [
        (("torch", "--profle", "quick"), "torch -h"),
        (("gate", "--basline", "x"), "gate -h"),
        (("cache", "claen"), "cache -h"),
        (("list", "operator"), "list -h"),
    ],
)
def test_a_mistyped_line_is_answered_by_that_name(
    typed: tuple[str, ...], help_of: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its usage and where its help is, also where that name has brackets."""
    prefix = "uvx --from 'x[torch]' xent-conformance"
    monkeypatch.setattr(started, "program", lambda: prefix)
    told = " ".join(conformance(*typed, status=2).stderr.split())
    assert told.startswith(f"Usage: {prefix} ") and f"Try '{prefix} {help_of}' for help." in told


def test_a_screen_prints_them_whatever_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe as well as a terminal; what is in brackets in the name is no markup."""
    monkeypatch.setattr(started, "program", lambda: "uvx --from 'x[torch]' xent-conformance")
    paper = io.StringIO()
    screen = Screen(verbs, file=paper, width=200)
    screen.print("next: conformance gate a", Text("conformance list devices"), soft_wrap=True)
    prefix = "uvx --from 'x[torch]' xent-conformance"
    assert paper.getvalue() == f"next: {prefix} gate a {prefix} list devices\n"
