"""What ``check-plugin`` says of values is what a run says: they ask and judge in one way."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from tests.support import fakes
from tests.support.by_hand import selection
from xent_conformance.asking.inside import InProcess
from xent_conformance.check_plugin.values import values
from xent_conformance.discovery.framework import FRAMEWORKS, Framework
from xent_conformance.frameworks.interface import Call
from xent_conformance.running.engine import run


class Wide(fakes.Exact):
    """Returns a wider type than it was given, as mixed precision does, in a mode that says so."""

    name = distribution = "wide"
    modes: ClassVar = {"mixed": "quick"}
    widening: ClassVar = frozenset({"mixed"})
    implementations = fakes.Exact.implementations[:1]

    def run(self, call: Call) -> Mapping[str, Any]:
        return {o: a.astype(np.float64) for o, a in super().run(call).items()}


class Wider(Wide):
    """The same, and does not say so."""

    widening: ClassVar[frozenset[str]] = frozenset()


@pytest.mark.parametrize(("kind", "wrong"), [(Wide, False), (Wider, True)])
def test_a_widening_mode_is_judged_as_in_a_run(
    kind: type[Wide], wrong: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All easy rows of an adapter were once flagged, in a mode whose results a run accepts."""
    told = [str(problem) for _, problem in values(kind, kind())]
    assert bool(told) is wrong
    monkeypatch.setitem(FRAMEWORKS, "wide", Framework("wide", f"{__name__}:{kind.__name__}", ""))
    asked = selection(frameworks=("wide",), operators=("softmax",), families=("two_classes",))
    inside = run(asked, None, inside=lambda seat: InProcess(seat.framework.adapter_class()))
    assert ("wrong dtype" in set(inside.verdicts["symptom"])) is wrong
    assert inside.verdicts.height > 0
