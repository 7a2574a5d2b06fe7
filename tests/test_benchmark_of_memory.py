"""The benchmark of the end of a run ends one of as many verdicts as it says."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from benchmarks import memory
from tests.support.by_hand import Install, selection
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.run import file as run_file
from xent_conformance.reports.run.file import Run
from xent_conformance.running.engine import run


@pytest.mark.skipif(sys.platform != "linux", reason="Linux says whose memory is whose")
@pytest.mark.parametrize("in_file", [True, False])
def test_as_many_verdicts_are_ended_as_it_says(
    in_file: bool, install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(fake="OneUlpOff")
    once = run(selection(), tmp_path / "once.parquet", oracle=Oracle()).verdicts.height
    ended: list[int] = []
    real = run_file.write_run

    def seen(path: Path, whole: Run, *between: object) -> None:
        ended.append(whole.verdicts.height)
        assert whole.verdicts["implementation"].n_unique() == 2 * whole.verdicts["operator"].n_unique()
        real(path, whole, *between)  # type: ignore[arg-type]

    monkeypatch.setattr(run_file, "write_run", seen)
    line = memory.one(tmp_path / "once.parquet", 2, in_file=in_file)
    told = re.fullmatch(r" *([\d,]+) verdicts, in (a file|memory): own +(\d+) MiB, peak +(\d+) MiB", line)
    assert told and int(told[1].replace(",", "")) == 2 * once == ended[0]
    assert (told[2] == "a file") is in_file and 0 < int(told[3]) < int(told[4])
