"""docs/DOORS.md is what the declarations say, and every system that explanations name has its door."""

from __future__ import annotations

import json
from importlib import resources

from docs.doors import NAMED, page
from tests.support.paths import ROOT
from xent_conformance.discovery.framework import FRAMEWORKS


def test_the_page_is_printed_by_its_command() -> None:
    found = (ROOT / "docs/DOORS.md").read_text(encoding="utf-8")
    assert found == page(), "renew it: .venv/bin/python -m docs.doors > docs/DOORS.md"


def test_every_named_system_is_there_or_says_why() -> None:
    data = json.loads(
        resources.files("xent_conformance.cases").joinpath("data/published.json").read_text(encoding="utf-8")
    )
    assert list(NAMED) == data["systems_named"]
    doors = {i.name for f in FRAMEWORKS.values() for i in f.declaration.implementations}
    for name, (asked, why) in NAMED.items():
        assert set(asked) <= doors, name
        assert asked or why, name
