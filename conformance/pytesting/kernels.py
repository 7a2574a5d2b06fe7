"""Functions of one's own as tests: the fixture ``conformance_check``, and ``@conforms`` above a test.

Both fail a test with the worst findings, and take what the command line of pytest says of the suite: devices,
profile, waivers, and whether should clauses are held too.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from xent_conformance.pytesting.plugin import Options

if TYPE_CHECKING:
    from xent_conformance.discovery.names import Names
    from xent_conformance.kernel.result import Checked

_DTYPES = ("float16", "bfloat16", "float32", "float64")
"""All there are: the formats of the reference, which is not loaded to collect a test."""

_DTYPE, _CHECK = "conformance_dtype", "conformance_check"

Test = Callable[..., Any]


def conforms(operator: str, *, framework: str, dtypes: Names = None, **given: Any) -> Callable[[Test], Test]:
    """Judge the function that a test returns, one test a format: ``@conforms("softmax", framework="torch")``.

    The test takes whatever fixtures it wants and returns the function, which is judged as by
    :func:`xent_conformance.check` with these arguments; ``level="should"`` holds should clauses too. Where it
    does not conform the test fails with its worst five findings, a row each, and the worst one whole. Without
    ``dtypes`` a format that the framework has not is skipped.
    """
    from xent_conformance.discovery.names import names, spelled

    named = tuple(spelled("dtype", dtype) for dtype in names(dtypes))
    formats = named or _DTYPES

    def decorated(test: Test) -> Test:
        @functools.wraps(test)
        def judged(*arguments: Any, **fixtures: Any) -> None:
            dtype, check = fixtures.pop(_DTYPE), fixtures.pop(_CHECK)
            function = test(*arguments, **fixtures)
            if not callable(function):
                told = f"@conforms judges the function that a test returns; {test.__name__} returned"
                pytest.fail(f"{told} {function!r}", pytrace=False)
            check(function, operator, framework=framework, dtypes=[dtype], named=bool(named), **given)

        taken = inspect.signature(test)
        ours = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in (_DTYPE, _CHECK)]
        judged.__signature__ = taken.replace(  # type: ignore[attr-defined]
            parameters=[*taken.parameters.values(), *ours], return_annotation=None
        )
        parametrised: Test = pytest.mark.parametrize(_DTYPE, formats)(judged)
        return parametrised

    return decorated


class Checking:
    """What the fixture gives: :func:`xent_conformance.check` under the options of this pytest."""

    def __init__(self, options: Options) -> None:
        self._options = options

    def __call__(
        self,
        function: Callable[..., Any],
        operator: str,
        *,
        level: str = "must",
        named: bool = True,
        **given: Any,
    ) -> list[Checked]:
        """Judge the function, and fail the test where it does not conform; what came of it, device by device.

        The arguments are those of :func:`xent_conformance.check`; ``level`` is that of
        :meth:`~xent_conformance.kernel.result.Checked.raise_on_divergence`. A device, a profile and waivers
        that are not given are those of pytest's command line. Where nobody has ``named`` the formats, those
        that the framework does not offer are skipped.
        """
        from xent_conformance.kernel.check import check
        from xent_conformance.kernel.result import Divergence

        options = self._options
        if "should" in options.fail_on:
            level = "should"
        given = {"profile": options.profile or "quick", **given}
        given["waivers"] = [*_files(given.get("waivers")), *options.waivers]
        devices = (given.pop("device"),) if "device" in given else options.devices or ("cpu",)
        found, failed = [], []
        for device in devices:
            checked = check(function, operator=operator, device=device, **given)
            found.append(checked)
            if not named and checked.not_offered:
                continue
            try:
                checked.raise_on_divergence(level)  # type: ignore[arg-type]
            except Divergence as divergence:
                failed.append(str(divergence))
        if failed:
            pytest.fail("\n\n".join(failed), pytrace=False)
        if not named and all(checked.not_offered for checked in found):
            pytest.skip(found[0].not_offered)
        return found


def _files(given: Any) -> list[Any]:
    """One file, several, or none."""
    if given is None:
        return []
    return list(given) if isinstance(given, list | tuple | set | Mapping) else [given]
