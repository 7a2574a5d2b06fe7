"""The real frameworks asked once in a test session, for all tests that look at what they return in quick."""

from __future__ import annotations

import polars as pl
import pytest

from tests.support import shared
from xent_conformance.asking.selection import Selection
from xent_conformance.reports.run.file import Run, read_run
from xent_conformance.running.engine import run

FILE = "run.parquet"


def asked_in_quick(request: pytest.FixtureRequest, factory: pytest.TempPathFactory) -> Run | None:
    """The run of the conformance tests, where this session has all of them: of every installed framework.

    None where it has not, as in ``pytest tests/conformance``: whoever wants a run then makes a small one.
    Naive formulations are no tests, and are not in it.
    """
    checks = [i.callspec.params["check"] for i in request.session.items if _is_conformance_test(i)]
    if not checks:
        return None
    from xent_conformance.pytesting.session import session_of

    session = session_of(request.config)
    usual = session.options.run is None and session.options.profile in (None, "quick")
    if not usual or len(checks) < len(session.checks) or session.options.frameworks:
        return None
    return session.run(checks, factory.getbasetemp())


def _is_conformance_test(item: pytest.Item) -> bool:
    return item.path.parts[-2:] == ("pytesting", "test_frameworks.py") and hasattr(item, "callspec")


def part(run: Run, selection: Selection) -> pl.DataFrame:
    """What a run of the selection would have of these verdicts."""
    wanted = {
        "framework": selection.frameworks,
        "operator": selection.operators,
        "dtype": selection.dtypes,
        "family": selection.families,
    }
    return run.verdicts.filter(*(pl.col(name).is_in(list(names)) for name, names in wanted.items() if names))


def asked_once(name: str, selection: Selection) -> pl.DataFrame:
    """The verdicts of a run of real frameworks that one process of this session makes, by a name of its own.

    A process that takes tests over from another would ask them all again, and so would one that comes back.
    """
    file = shared.once(name, lambda folder: run(selection, folder / FILE)) / FILE
    found = read_run(file)
    assert found.complete
    return found.verdicts
