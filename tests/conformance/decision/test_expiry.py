"""A waiver expires by the day of the decision: a run of yesterday does not prolong it."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from tests.support.cli import conformance
from tests.support.gating import TWO_CLASSES, Make, changed, gated, kinds, waiver
from xent_conformance.decision import gate as deciding
from xent_conformance.decision.waivers import WaiverError, read_waivers
from xent_conformance.reports.run.file import Run
from xent_conformance.reports.views.reasons import Kind


def _of_old(make: Make, where: Path) -> Path:
    """A run of a year ago."""
    old = {"created": "2025-11-20T00:00:00+00:00"}
    return changed(make("AlwaysNan", *TWO_CLASSES), where, lambda r: Run(r.verdicts, ({**r.header, **old},)))


def test_a_run_of_before_does_not_prolong_a_waiver(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = _of_old(make, tmp_path / "old.parquet")
    Path("w.toml").write_text(waiver(expires="2026-01-01"))
    for today, expired in (("2025-12-31", False), ("2026-01-01", True), ("2026-05-01", True)):
        monkeypatch.setattr(deciding, "today", lambda day=today: datetime.date.fromisoformat(day))
        _, told, lines = gated(run, "--waivers", "w.toml")
        assert (Kind.EXPIRED in kinds(told)) is expired
        assert f"Waivers expire by the day of the decision, {today}." in lines


def test_today_is_the_day_of_the_clock(make: Make, tmp_path: Path) -> None:
    """It expires today, and the run is a year old."""
    day = datetime.datetime.now(datetime.UTC).date()
    run = _of_old(make, tmp_path / "old.parquet")
    Path("w.toml").write_text(waiver(expires=str(day)))
    assert Kind.EXPIRED in kinds(gated(run, "--waivers", "w.toml")[1])
    Path("w.toml").write_text(waiver(expires=str(day + datetime.timedelta(days=7))))
    assert Kind.EXPIRED not in kinds(gated(run, "--waivers", "w.toml")[1])


def test_a_slow_clock_prolongs_nothing(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = _of_old(make, tmp_path / "old.parquet")
    monkeypatch.setattr(deciding, "today", lambda: datetime.date(1970, 1, 1))
    Path("w.toml").write_text(waiver(expires="2025-11-20"))
    assert Kind.EXPIRED in kinds(gated(run, "--waivers", "w.toml")[1])


def test_the_page_says_by_which_day_where_a_waiver_expires(make: Make, tmp_path: Path) -> None:
    run = make("AlwaysNan", *TWO_CLASSES)
    day = datetime.datetime.now(datetime.UTC).date()
    told = f"Waivers expire by the day of the decision, {day}."
    for expires, there in (("2999-01-01", True), (None, False)):
        Path("w.toml").write_text(waiver(expires=expires))
        conformance("report", run, "--waivers", "w.toml", "--no-known", "-o", "page.html", "--force")
        assert (told in Path("page.html").read_text("utf-8")) is there


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"implementations": ["*"], "cases": ["*"]}, "name the implementations"),
        ({"implementations": ["fake.*", "**"], "cases": ["softmax/*", "*"]}, "or the cases"),
        (
            {"symptom": "beyond the stable bound", "clause": "1.1", "ulps": float("inf")},
            "ulps = inf is no ceiling: write the largest error that is accepted",
        ),
    ],
    ids=["everything", "everything among others", "inf"],
)
def test_a_waiver_of_everything_is_refused_and_told_how_to_say_what_is_meant(
    fields: dict[str, object], words: str, make: Make
) -> None:
    text = waiver(**fields).replace("Infinity", "inf")
    Path("w.toml").write_text(text)
    with pytest.raises(WaiverError, match=words):
        read_waivers([Path("w.toml")])
    done = conformance("gate", make("AlwaysNan", *TWO_CLASSES), "--waivers", "w.toml", status=2)
    assert words in " ".join(done.output.split())


def test_everywhere_is_allowed_where_something_else_is_named() -> None:
    for fields in ({"implementations": ["*"]}, {"cases": ["*"]}):
        Path("w.toml").write_text(waiver(**fields))
        assert len(read_waivers([Path("w.toml")])) == 1
