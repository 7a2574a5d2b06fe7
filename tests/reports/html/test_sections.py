"""The list of sections: each is a file and a template of its name, and all of them stand on the page."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path
from types import ModuleType

import pytest
from jinja2 import ChoiceLoader, DictLoader

from tests.support.small_gate import broken, decided
from tests.support.small_run import Page, run_of
from xent_conformance.reports.html import page, report, sections
from xent_conformance.reports.html.report import SECTIONS, render
from xent_conformance.reports.html.section import Material, Section
from xent_conformance.reports.run.findings import findings

TEMPLATES = Path(report.__file__).parent / "templates"


def modules() -> dict[str, ModuleType]:
    """Every module beside the list, by its name."""
    names = [m.name for m in pkgutil.iter_modules(sections.__path__)]
    return {name: importlib.import_module(f"{sections.__name__}.{name}") for name in names}


def test_no_section_is_forgotten() -> None:
    made = [m.SECTION for m in modules().values() if hasattr(m, "SECTION")]
    assert len(made) == len(SECTIONS) > 10
    ids = [s.id for s in SECTIONS]
    assert {s.id for s in made} == set(ids) and len(set(ids)) == len(ids)


@pytest.mark.parametrize("name", [name for name, m in modules().items() if hasattr(m, "SECTION")])
def test_a_section_has_the_template_of_its_name(name: str) -> None:
    section = modules()[name].SECTION
    assert isinstance(section, Section) and section.template == f"{name}.html"
    text = (TEMPLATES / section.template).read_text("utf-8")
    # the page writes the heading of what is folded, and the place of everything
    assert ("<h2" in text) == (not section.folded) and "section.id" not in text
    assert section.view.__module__ == modules()[name].__name__ and section.view.__doc__


def test_the_navigation_is_the_list() -> None:
    run = run_of([broken(cause="one")])
    html = render(run, findings(run.verdicts), decided(run, baseline=run))
    nav = re.findall(r'<a href="#([\w-]+)">([^<]+)</a>', html[html.index("<nav") : html.index("</nav>")])
    standing = [(s.id, s.title) for s in SECTIONS if not s.folded]
    assert nav == [("overview", "Overview"), *standing, ("more", "All the rest")]
    places = [html.index(f'<section class="wrap" id="{id_}">') for id_, _ in standing]
    folded = [html.index(f'<details class="ops" id="{s.id}">') for s in SECTIONS if s.folded]
    assert places + folded == sorted(places + folded)


def test_a_section_without_a_view_is_left_out() -> None:
    run = run_of([broken()])
    html = render(run, findings(run.verdicts))
    assert 'href="#gate"' not in html and 'id="gate"' not in html


def test_a_new_one_is_a_file_a_template_and_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def view(material: Material) -> list[str]:
        return sorted(material.findings["implementation"])

    text = '<h2>New: {{ view|join(", ") }}, {{ budget.opened }} open</h2>'
    environment = page.environment()
    loaders = [DictLoader({"new.html": text}), environment.loader]
    monkeypatch.setattr(environment, "loader", ChoiceLoader([x for x in loaders if x]))
    monkeypatch.setattr(report, "SECTIONS", (*SECTIONS, Section("new", "New one", "new.html", view)))
    run = run_of([broken(), broken(implementation="<b>")])
    shown = Page(render(run, findings(run.verdicts)))
    assert "New: <b>, torch.softmax, 1 open" in shown.text
    assert "#new" in shown.links and "new" in shown.ids
