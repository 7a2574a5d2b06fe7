"""Bits of a journal are flipped: what is damaged is refused or asked again, and never another verdict.

``FLIPS=20000 pytest tests/conformance/running/test_journal.py`` flips more.
"""

from __future__ import annotations

import os
import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from tests.support.by_hand import Install, selection
from tests.support.small_run import verdict
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.atomic import journal_of
from xent_conformance.reports.run.file import SCHEMA, Run
from xent_conformance.reports.run.unusable import RunFileError
from xent_conformance.running.engine import run
from xent_conformance.running.journal import Journal

FLIPS = int(os.environ.get("FLIPS", "150"))

IDENTITY = {"suite": "x"}


class Interrupted(Exception):
    """What a test's progress callback raises, as Ctrl-C would."""


def _rows(batch: str) -> pl.DataFrame:
    """Verdicts on a batch, right and wrong."""
    statuses = ("conforms", "breaks_must", "breaks_should", "open", "unsupported")
    rows = [verdict(case=f"{batch}/r{i}", status=statuses[i % 5], got=i / 7) for i in range(40)]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A run that was interrupted after three batches, each in a part."""
    journal = Journal(tmp_path / "run.parquet", IDENTITY)
    for batch in "abc":
        journal.add([("fake", batch)], _rows(batch))
    return tmp_path / "run.parquet"


def _flip(path: Path, bit: int) -> None:
    held = bytearray(path.read_bytes())
    held[bit // 8] ^= 1 << bit % 8
    path.write_bytes(bytes(held))


def _resumed(out: Path) -> pl.DataFrame:
    """What a resumed run has of the interrupted one: of each batch that is done, its verdicts."""
    journal = Journal(out, IDENTITY, resume=True)
    found = journal.verdicts()
    assert {case.split("/")[0] for case in found["case"]} == journal.done("fake")
    return found


@pytest.mark.long
def test_flipped_bits_are_refused_or_change_no_verdict(out: Path, tmp_path: Path) -> None:
    """In any file of the journal, at any place, one bit or several."""
    whole = _resumed(out)
    kept = tmp_path / "kept"
    shutil.copytree(journal_of(out), kept)
    files = sorted(path.name for path in kept.iterdir())
    draw, refused, again = random.Random(16), 0, 0
    for _ in range(FLIPS):
        shutil.rmtree(journal_of(out), ignore_errors=True)
        shutil.copytree(kept, journal_of(out))
        victim = journal_of(out) / draw.choice(files)
        for _ in range(draw.choice((1, 1, 1, 2, 8))):
            _flip(victim, draw.randrange(victim.stat().st_size * 8))
        if victim.read_bytes() == (kept / victim.name).read_bytes():
            continue  # flipped back
        try:
            found = _resumed(out)
        except RunFileError:
            refused += 1
            continue
        again += 1
        batches = {case.split("/")[0] for case in found["case"]}
        expected = whole.filter(pl.col("case").cast(pl.String).str.slice(0, 1).is_in(batches))
        assert found.equals(expected, null_equal=True) and len(batches) == 2, victim
    assert refused > FLIPS // 10 and again > FLIPS // 2, "flips of the identity, and of parts"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda rows: rows.with_columns(status=pl.lit("breaks_musu")), "has status 'breaks_musu'"),
        (lambda rows: rows.with_columns(clause=pl.lit("99.1")), "has clause '99.1'"),
        (lambda rows: rows.with_columns(operator=pl.lit("softmay")), "has operator 'softmay'"),
        (lambda rows: rows.drop("level"), "not the columns of a verdict"),
    ],
    ids=["status", "clause", "operator", "columns"],
)
def test_a_part_whose_words_nobody_knows_is_refused(
    change: Callable[[pl.DataFrame], pl.DataFrame], told: str, tmp_path: Path
) -> None:
    """Its digest fits: whoever wrote it was no run of this suite."""
    out = tmp_path / "other.parquet"
    Journal(out, IDENTITY).add([("fake", "a")], change(_rows("a")))
    with pytest.raises(RunFileError, match=f"{re.escape(told)}.*delete that file and its answers are asked"):
        Journal(out, IDENTITY, resume=True)


def test_a_part_that_is_damaged_while_the_run_goes_on_is_not_sealed(out: Path) -> None:
    journal = Journal(out, IDENTITY, resume=True)
    _flip(next(journal_of(out).glob("part-*.parquet")), 4321)
    with pytest.raises(RunFileError, match="was damaged while the run went on: --resume asks"):
        journal.verdicts()
    assert len(Journal(out, IDENTITY, resume=True).done("fake")) == 2


# --- a whole run ---


def _run(out: Path, *, resume: bool = False, stop: int = 0) -> Run:
    def progress(_: str, done: int, planned: int) -> None:
        if done == stop:
            raise Interrupted

    return run(selection(), out, oracle=Oracle(), resume=resume, progress=progress if stop else None)


def test_a_flipped_letter_does_not_turn_a_failing_run_into_a_passing_one(
    install: Install, tmp_path: Path
) -> None:
    install(fake="AlwaysNan")
    whole = _run(tmp_path / "whole.parquet")
    out = tmp_path / "run.parquet"
    with pytest.raises(Interrupted):
        _run(out, stop=3)
    (part,) = journal_of(out).glob("part-*.parquet")
    place = part.read_bytes().index(b"s_must") + len("s_mus")  # the words of a column stand there as they are
    _flip(part, place * 8)
    assert b"s_musu" in part.read_bytes()
    result = _run(out, resume=True)
    assert result.verdicts.equals(whole.verdicts) and result.complete
    assert result.header["asked_again"] == [f"{part} is damaged: what it answered is asked again"]
