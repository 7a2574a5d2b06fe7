"""A stand-in for Playwright: a browser that answers as the functions of a test say, and what it was told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

Answer = Callable[[str, Mapping[str, Any]], Any]
"""What a page returns of a function's source and of its arguments, as they come through the wire."""


class Error(Exception):
    """Playwright's, which has its words apart."""

    @property
    def message(self) -> str:
        return str(self)


class Page:
    """What it is asked in, and all that it was told."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.scripts: list[str] = []
        self.asked: list[Mapping[str, Any]] = []

    def add_init_script(self, *, path: Any) -> None:
        self.init = path.read_text(encoding="utf-8")

    def goto(self, url: str) -> None:
        assert url.startswith("http://127.0.0.1:") and url.endswith("/")

    def add_script_tag(self, *, url: str) -> None:
        self.scripts.append(url)

    def evaluate(self, told: str, given: Mapping[str, Any]) -> Any:
        self.asked.append(given)
        found = self.answer(told, given)
        whole = isinstance(found, Mapping) and {"lost", "complaint"} <= set(found)
        return found if whole else {"found": found, "complaint": "", "lost": ""}


class Playwright:
    """Its way to a page; ``flags`` are what the browser was started with."""

    def __init__(self, answer: Answer, refuses: str = "") -> None:
        self.page, self.refuses, self.stopped = Page(answer), refuses, False
        self.chromium = SimpleNamespace(executable_path="/nowhere/chrome", launch=self.launch)

    def launch(self, *, executable_path: str, args: list[str]) -> Any:
        if self.refuses:
            raise Error(self.refuses)
        self.executable, self.flags = executable_path, args
        return SimpleNamespace(version="150.0", new_page=lambda: self.page)

    def stop(self) -> None:
        self.stopped = True

    @property
    def module(self) -> dict[str, Any]:
        """The names of ``playwright.sync_api`` that are used."""
        return {"Error": Error, "sync_playwright": lambda: SimpleNamespace(start=lambda: self)}
