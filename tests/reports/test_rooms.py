"""No module of ``reports`` comes back to itself; which room may know which is the plan of the whole house."""

from __future__ import annotations

from tests.support.house import House, circles

OURS = House()


def known(house: House = OURS) -> dict[str, set[str]]:
    """By module of this floor, the modules that it imports, at once or later or for types only."""
    ours = [module for module in house.modules if module.startswith("xent_conformance.reports.")]
    return {module: {there for there, _ in house._known(module)} - {module} for module in ours}


def test_no_module_comes_back_to_itself() -> None:
    graph = known()
    assert sum(map(len, graph.values())) > 100
    assert circles(graph) == []


def test_a_circle_is_seen() -> None:
    words, found = (f"xent_conformance.reports.run.{name}" for name in ("words", "findings"))
    assert circles(known() | {words: {found}}) == [[found, words, found]]
