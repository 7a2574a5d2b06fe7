"""The conformance tests: ``pytest --pyargs xent_conformance``, ``-k`` chooses, ``-n`` shares the run.

One test for each framework's implementation, mode, device, format, operator, output and family of cases. The
frameworks are asked once, when the first test that is left after ``-k`` begins, and only what the tests that
are left need. What is imported here is light: other test suites may collect this file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from xent_conformance.pytesting.plugin import BREAKS_SHOULD

if TYPE_CHECKING:
    from xent_conformance.pytesting.session import Check, Session
    from xent_conformance.pytesting.verdicts import Verdicts


def _session(config: pytest.Config) -> Session:
    from xent_conformance.pytesting.session import session_of

    return session_of(config)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A parameter for each test there is."""
    if "check" in metafunc.fixturenames:
        checks = _session(metafunc.config).checks
        metafunc.parametrize("check", checks.values(), ids=checks)


@pytest.fixture(scope="session")
def verdicts(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Verdicts:
    """The verdicts on everything that the tests of this session are about."""
    from xent_conformance.pytesting.session import NothingAsked, NothingToJudge

    callspecs = (getattr(item, "callspec", None) for item in request.session.items)
    wanted = [spec.params["check"] for spec in callspecs if spec is not None and "check" in spec.params]
    try:
        return _session(request.config).verdicts(wanted, tmp_path_factory.getbasetemp())
    except NothingToJudge as nothing:
        pytest.fail(str(nothing), pytrace=False)
    except NothingAsked as nothing:
        pytest.skip(str(nothing))


def test_conformance(
    check: Check, verdicts: Verdicts, record_property: Callable[[str, object], None]
) -> None:
    """What the suite says of one group of cases, of one waiver, or of the run file."""
    from xent_conformance.pytesting.verdicts import Failed, Known, NotAsked, Passed

    match check.verdict(verdicts):
        case Failed(message):
            pytest.fail(message, pytrace=False)
        case Known(reason):
            pytest.xfail(reason)
        case NotAsked(reason):
            pytest.skip(reason)
        case Passed(lenient):
            if lenient:
                record_property(BREAKS_SHOULD, lenient)
