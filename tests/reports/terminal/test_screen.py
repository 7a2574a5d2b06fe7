"""No table is wider than the console or longer than it may be, whatever names there are."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from tests.support.by_hand import batch
from tests.support.small_gate import newer, now_header, view_of
from tests.support.small_run import run_of, verdict
from tests.support.versions_by_hand import run as run_of_version
from tests.support.versions_by_hand import verdict as verdict_of_version
from xent_conformance.commands import listing
from xent_conformance.explain import printing
from xent_conformance.reports.terminal import comparison, run, screen, versions
from xent_conformance.reports.terminal.screen import say, table
from xent_conformance.versions.matrix import versions as over_versions

LONG = "a_framework_with_a_very_long_name_indeed." * 6


def _console(width: int) -> Console:
    return Console(file=io.StringIO(), width=width, highlight=False)


def _printed(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def _summary(console: Console) -> None:
    rows = [verdict(framework=f"{LONG}{i}", case=str(i)) for i in range(300)]
    run.summary(run_of(rows), console)


def _compared(console: Console) -> None:
    environment = {f"{LONG}{i}": LONG * 9 for i in range(300)}
    comparison.show(view_of([verdict()], [newer()], now_header(environment=environment)), console)


@pytest.mark.parametrize("width", [140, 60])
def test_columns_are_laid_out_in_the_signs_that_are_printed(width: int) -> None:
    """``Σ`` is ``sum`` where the stream has no such sign: then it takes three columns."""
    out = io.BytesIO()
    stream = io.TextIOWrapper(out, encoding="ascii", write_through=True)
    rows = [("softmax", "exp(x_i) / Σ exp(x_j)", "Σ ∇ " * 9), ("log", "x", "y")]
    table(Console(file=stream, width=width, highlight=False), ("name", "formula", "about"), rows)
    lines = out.getvalue().decode("ascii").splitlines()
    assert "exp(x_i) / sum exp(x_j)" in "\n".join(lines) and max(map(len, lines)) <= width
    bars = {tuple(i for i, sign in enumerate(line) if sign == "|") for line in lines if " | " in line}
    assert len(bars) == (width > 100)


def test_numbers_of_different_elements_are_not_set_side_by_side() -> None:
    """Each with its element and its own right result; of one element, as they are."""
    told = {}
    for element in (1, 2):
        console = _console(400)
        comparison.show(view_of([verdict(ulps=2.0)], [newer(ulps=9.0, index=element, got=0.5)]), console)
        told[element] = _printed(console)
    assert "before conforms, 2.00 ulp, 0.25; now conforms, 9.00 ulp, 0.5:" in told[1]
    assert "before conforms, 2.00 ulp, element 1 0.25 (right 0.1); " in told[2]
    assert "now conforms, 9.00 ulp, element 2 0.5 (right 0.1):" in told[2]


def _over_versions(console: Console) -> None:
    rows = [verdict_of_version(implementation=f"{LONG}{i}", status="breaks_must") for i in range(300)]
    runs = [run_of_version(f"{i}.0.0.dev20261121+cpu", *rows) for i in range(7)]
    versions.show(over_versions(runs), console)


def _explained(console: Console) -> None:
    x = np.linspace(-1e-300, 1e300, 300)
    asked = batch("softmax_cross_entropy", [x.tolist()], labels=[x.tolist()], dtype="float64")
    inputs = replace(asked.inputs, tangent=asked.inputs.logits)
    asked = replace(asked, inputs=inputs)
    printing._inputs(asked, asked.cases[0], console)


TABLES: Mapping[str, Callable[[Console], None]] = {
    "summary of a run": _summary,
    "comparison": _compared,
    "versions": _over_versions,
    "inputs of a case": _explained,
    **{
        what: lambda console, what=what: listing.show(what, console)  # type: ignore[misc]
        for what in ("operators", "implementations", "families", "clauses")
    },
}


def _rows(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(("│", "┃", "┏", "┡", "└"))]


@pytest.mark.parametrize("width", [80, 160])
@pytest.mark.parametrize("what", TABLES)
def test_no_table_is_wider_than_the_console(what: str, width: int) -> None:
    console = _console(width)
    TABLES[what](console)
    text = _printed(console)
    rows = _rows(text) or text.splitlines()  # where a name would fold it is a list
    assert rows and max(map(len, rows)) <= width


def test_a_table_in_which_a_name_would_fold_is_a_list() -> None:
    console = _console(100)
    for length in (40, 90):
        screen.table(console, ["name", "about"], [["n" * length, "words " * 10]], names=["name"])
    text = _printed(console)
    assert text.count("┃") > 0 and "n" * 90 in text.splitlines()


@pytest.mark.parametrize("what", TABLES)
def test_on_sixty_columns_every_name_and_number_is_read_in_one_piece(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A word that has room on a line stands on one, unbroken; and no line is wider."""
    cells: list[str] = []
    printed = screen.table

    def noted(console: Console, columns: Sequence[str], rows: Iterable[Sequence[str]], **rest: Any) -> None:
        every = [tuple(row) for row in rows]
        cells.extend(word for row in every[: screen.ROWS] for cell in row for word in cell.split())
        printed(console, columns, every, **rest)

    for module in (comparison, run, versions, printing, listing):
        monkeypatch.setattr(module, "table", noted)
    console = _console(60)
    TABLES[what](console)
    lines = [line for line in _printed(console).splitlines() if "…" not in line]
    told = [line for line in lines if line.startswith(("│", "┃", "┏", "┡", "└", "  "))]
    assert [line for line in told if len(line) > 60] == []
    seen = set(re.split(r"[\s│]+", _printed(console)))
    short = {word for word in cells if len(word) <= 50}
    assert short or what == "summary of a run"
    assert short - seen == set()


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("summary of a run", "… 240 more rows"),
        ("comparison", "… 263 more rows: --json FILE holds them"),
        ("versions", "… 240 more rows: --html FILE and --json FILE hold all"),
        ("inputs of a case", "… 284 more elements"),
    ],
)
def test_no_table_is_longer_than_it_may_be(what: str, told: str) -> None:
    console = _console(160)
    TABLES[what](console)
    text = _printed(console)
    assert told in text
    assert len(_rows(text)) < 4_000


def test_a_long_list_says_how_many_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "ROWS", 3)
    console = _console(160)
    listing.show("clauses", console)
    assert "more rows" in _printed(console)


@pytest.mark.parametrize("width", [80, 160])
def test_names_are_cut_nowhere(width: int) -> None:
    """They fold, so that all of them is there."""
    console = _console(width)
    _summary(console)
    first = "".join(line.split("│")[1].strip() for line in _printed(console).splitlines() if "│" in line)
    assert f"{LONG}0" in first


def test_names_are_whole_where_there_is_room_for_them() -> None:
    """At 160 columns, as in a pipe, a list can be searched for a name."""
    console = _console(160)
    listing.show("implementations", console)
    text = _printed(console)
    assert "torch.nn.functional.binary_cross_entropy_with_logits" in text


def test_a_row_of_the_inputs_is_an_element_where_that_fits() -> None:
    for width, tables in ((80, 4), (160, 4), (300, 1)):
        console = _console(width)
        _explained(console)
        assert _printed(console).count("┏") == tables


@pytest.mark.parametrize(("width", "tables"), [(80, 3), (160, 1)])
def test_versions_for_which_there_is_no_room_stand_below(width: int, tables: int) -> None:
    console = _console(width)
    _over_versions(console)
    text = _printed(console)
    assert text.count("fake, version by version") == tables
    assert text.count("… 240 more rows") == tables


def test_what_is_printed_is_no_markup() -> None:
    console = _console(80)
    say(console, "[bold]x", ("[/red]y", "bold"))
    table(console, ("[b]",), [("[red]z[/red]",)], title="[i]t")
    assert [
        words for words in ("[bold]x[/red]y", "[b]", "[red]z[/red]", "[i]t") if words not in _printed(console)
    ] == []


def test_a_cell_keeps_its_lines_and_is_bounded() -> None:
    console = _console(80)
    table(console, ("a",), [("one\ntwo\n" + "x" * 9_999,)])
    text = _printed(console)
    assert "│ one " in text and "│ two " in text and "…" in text and len(text) < 2_000


def widths_of(*natural: int, room: int, names: tuple[int, ...] = ()) -> list[int]:
    return screen._fitted(list(natural), [i not in names for i in range(len(natural))], room)


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (widths_of(5, 9, room=20), [5, 9]),
        (widths_of(5, 30, room=20), [5, 15]),
        (widths_of(30, 30, room=20), [10, 10]),
        (widths_of(30, 30, room=40, names=(0,)), [30, 10]),
        (widths_of(30, 30, room=20, names=(0,)), [12, 8]),
        (widths_of(30, 30, room=4, names=(0,)), [2, 2]),
        (widths_of(30, 30, room=1), [1, 1]),
    ],
)
def test_the_widest_gives_way_first_and_names_last(found: list[int], wanted: list[int]) -> None:
    assert found == wanted
