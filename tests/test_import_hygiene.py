"""The rooms of the house: what each may know, by its files, and what each loads, in fresh interpreters.

The plan is :data:`tests.support.rooms.PLAN`. ``reference``, ``cases`` and ``reports`` know no framework and
nothing of the floors above them; a worker runs in another interpreter that has little more than NumPy. The
last tests seed violations and see each caught.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.house import FLOORS, NAME, House, circles, reach
from tests.support.imported import WORKER_HAS, framework_names, loaded, names_of
from tests.support.paths import ROOT
from tests.support.rooms import PlanError, read
from xent_conformance.discovery.framework import FRAMEWORKS

HEAVY = frozenset({"polars", "flint", "typer", "rich", "jinja2", "platformdirs"})

OURS = House()

DOORSTEP = {NAME, f"{NAME}.version"}
"""What an import of any module of ours loads before it, beside the packages that hold the module."""

ABOVE = {"reference": ("cases", "reports", "conformance"), "cases": ("reports", "conformance"),
         "reports": ("reference", "cases", "conformance")}  # fmt: skip
"""For each floor but the highest, those that it knows nothing of."""


def differences(house: House, plan: dict[str, set[str]]) -> list[str]:
    """What the files say and the plan does not, or the other way round, with the line to look at."""
    told = [f"no plan for {room}" for room in sorted(house.rooms - set(plan))]
    told += [f"planned and not there: {room}" for room in sorted(set(plan) - house.rooms)]
    for room in sorted(house.rooms & set(plan)):
        arrows = house.arrows.get(room, {})
        for there in sorted(set(arrows) - plan[room]):
            module, knows, line = arrows[there][0]
            file = house.modules[module].relative_to(house.root)
            told.append(f"{room} must not know {there}: {file}:{line} has {knows}")
        told += [f"{room} knows {there} no longer: take it out" for there in sorted(plan[room] - set(arrows))]
    return told


def trespasses(house: House, plan: dict[str, set[str]]) -> list[str]:
    """What rooms load and may not, each in turn, in one fresh interpreter; the first to load it is named."""
    rooms = sorted(house.rooms)
    told = []
    seen: set[str] = set()
    for room, (ours, names) in zip(
        rooms, loaded(*((house.members(room), "") for room in rooms), root=house.root), strict=True
    ):
        may = reach(plan, room)
        packages = {module.rpartition(".")[0] for module in ours}
        others = {house.room(module) for module in ours - packages - DOORSTEP} - may
        told += [f"{room} loads {other}" for other in sorted(others)]
        told += [f"{room} loads {name}" for name in sorted((names & framework_names()) - seen)]
        seen |= names
    return told


def test_every_room_knows_what_the_plan_says_and_nothing_else() -> None:
    assert differences(OURS, read()) == []


def test_no_room_comes_back_to_itself() -> None:
    assert circles(OURS.arrows) == []


def test_no_floor_knows_one_above_it() -> None:
    for room, known in OURS.arrows.items():
        above = ABOVE.get(room.partition("/")[0], ())
        assert [there for there in known if there.partition("/")[0] in above] == [], room


def test_what_is_loaded_is_within_the_plan() -> None:
    """And no framework is, by any module of ours, an adapter's too: it is imported when that is made."""
    assert trespasses(OURS, read()) == []


def test_every_framework_has_a_name_that_is_looked_for() -> None:
    """Each adapter imports what it asks; NumPy is a worker's own."""
    assert [n for n, f in FRAMEWORKS.items() if not names_of(f) - WORKER_HAS] == ["numpy"]
    named = {"tensorflow", "torch", "jax", "keras", "optax", "scipy", "onnx", "onnxruntime"}
    assert named | {"mlx", "paddle", "tinygrad"} <= framework_names()


def test_a_worker_needs_numpy_and_ml_dtypes_alone() -> None:
    needed = ("worker.serve", "worker.wire", "frameworks.interface", "frameworks")
    ((ours, names),) = loaded(([f"{NAME}.{module}" for module in needed], ""))
    assert {OURS.room(module) for module in ours} <= {
        *("conformance", "conformance/version", "conformance/worker"),
        *("conformance/devices", "conformance/frameworks"),
    }
    assert names & (framework_names() | HEAVY) == set()
    assert {*WORKER_HAS, NAME} <= names


def test_adapters_need_nothing_but_what_a_worker_has() -> None:
    ((_, names),) = loaded((OURS.members("conformance/frameworks"), ""))
    assert names & (framework_names() | HEAVY) == set()


@pytest.mark.parametrize("what", ["operators", "implementations", "families", "clauses"])
def test_listing_imports_no_framework(what: str) -> None:
    then = f"from xent_conformance.commands.line import app; app(['list', {what!r}], standalone_mode=False)"
    ((_, names),) = loaded(([f"{NAME}.commands.line"], then))
    assert names & framework_names() == set()
    assert {NAME, "rich"} <= names


def test_the_command_line_is_light_until_it_works() -> None:
    """``--help`` and ``--version`` should not wait for a data frame library."""
    ((ours, names),) = loaded(([f"{NAME}.commands.line"], ""))
    assert names & (framework_names() | {"polars", "flint", "jinja2"}) == set()
    floors = {OURS.room(module).partition("/")[0] for module in ours}
    assert floors <= {"conformance", "reference", "cases"}


# --- the tests of these tests ------------------------------------------------------------------------


def a_house(root: Path, **files: str) -> House:
    """A small one with the same floors; a file's name has ``__`` for ``/``. Stand-ins for frameworks too."""
    for folder in FLOORS.values():
        (root / folder / "low").mkdir(parents=True)
        for package in (root / folder, root / folder / "low"):
            (package / "__init__.py").touch()
    (root / FLOORS[NAME] / "version.py").touch()
    for module in ("jax", "torch", "tensorflow", "tensorflow/keras", "keras"):
        (root / module).mkdir()
        (root / module / "__init__.py").touch()
    for name, text in files.items():
        (root / f"{name.replace('__', '/')}.py").write_text(text, encoding="utf-8")
    return House(root)


EMPTY = "\n".join(["conformance", "conformance/version", *(f"{f}\n{f}/low" for f in FLOORS.values())])
IMPORT = "from xent_conformance.cases.low import"


@pytest.mark.parametrize(
    "text",
    [
        "import xent_conformance.cases.low.a\n",
        f"{IMPORT} a\n",
        f"{IMPORT}.a import x\n".replace("low import", "low"),
        f"def later() -> None:\n    {IMPORT} a\n",
        f"from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    {IMPORT} a\n",
        f"try:\n    {IMPORT} a\nexcept ImportError:\n    a = None\n",
        "from ...cases.low import a\n",
        "from ...cases.low.a import x\n",
        "NAMES = {'a': 'xent_conformance.cases.low.a'}\n",
        "PROGRAM = '''\nfrom xent_conformance.cases.low.a import x\n'''\n",
    ],
)
def test_an_arrow_is_seen_however_it_is_written(text: str, tmp_path: Path) -> None:
    house = a_house(tmp_path, reference__low__b=text, cases__low__a="x = 1\n")
    (told,) = differences(house, read(EMPTY))
    assert told.startswith("reference/low must not know cases/low: reference/low/b.py:")
    with pytest.raises(PlanError, match="reference/low knows cases/low, which is not above it"):
        read(
            EMPTY.replace("reference/low", "reference/low\n    cases: low").replace("cases\ncases/low\n", "")
        )


def test_what_no_file_says_any_more_is_taken_out_of_the_plan(tmp_path: Path) -> None:
    plan = read(f"{EMPTY}\nreports/low\n    reference: low\ngone")
    assert differences(a_house(tmp_path), plan) == [
        "planned and not there: gone",
        "reports/low knows reference/low no longer: take it out",
    ]
    del plan["cases/low"]
    assert "no plan for cases/low" in differences(House(tmp_path), plan)


def test_a_docstring_and_the_place_of_data_are_no_arrows(tmp_path: Path) -> None:
    text = '"""See :mod:`xent_conformance.cases.low.a`."""\nfiles("xent_conformance.cases")\n'
    house = a_house(tmp_path, reference__low__b=text, cases__low__a="")
    assert differences(house, read(EMPTY)) == []


def test_a_circle_is_seen(tmp_path: Path) -> None:
    house = a_house(
        tmp_path,
        reference__low__b="from xent_conformance.reports.low import c\n",
        reports__low__c="def later():\n    from xent_conformance.cases.low import a\n",
        cases__low__a="import xent_conformance.reference.low.b\n",
    )
    (way,) = circles(house.arrows)
    assert way == ["cases/low", "reference/low", "reports/low", "cases/low"]


def test_modules_beside_folders_are_rooms_and_modules_in_one_are_not(tmp_path: Path) -> None:
    """What a folder stands on and what stands on it may lie in the folder around it."""
    house = a_house(
        tmp_path,
        reference__ground="",
        reference__low__b="from xent_conformance.reference import ground\nfrom . import c\n",
        reference__low__c="",
        reference__roof="from .low.b import ground\n",
    )
    assert {room: set(known) for room, known in house.arrows.items()} == {
        "reference/low": {"reference/ground"},
        "reference/roof": {"reference/low"},
    }


@pytest.mark.parametrize(
    ("text", "caught"),
    [
        ("import jax\n", {"jax"}),
        ("import tensorflow.keras\n", {"tensorflow"}),
        ("def f():\n    import torch\nf()\n", {"torch"}),
        ("from xent_conformance.reports.low import helper\n", {"reports/low", "keras"}),  # by way of another
        (
            "import importlib\nimportlib.import_module('xent_' + 'conformance.reports.low.d')\n",
            {"reports/low"},
        ),
        ("try:\n    import jax\nexcept ImportError:\n    pass\n", {"jax"}),
        ("def later():\n    import torch\n", set()),  # a lazy import is what is wanted
        ("", set()),
    ],
)
def test_what_is_loaded_and_may_not_be_is_caught(text: str, caught: set[str], tmp_path: Path) -> None:
    house = a_house(tmp_path, reference__low__b=text, reports__low__d="")
    (tmp_path / "reports" / "low" / "helper.py").write_text("import keras\n" if "helper" in text else "")
    assert set(trespasses(house, read(EMPTY))) == {f"reference/low loads {name}" for name in caught}


def test_a_house_that_is_not_there_is_not_a_pass(tmp_path: Path) -> None:
    assert not House(tmp_path).rooms
    assert len(differences(House(tmp_path), read())) == len(read())


def test_the_house_is_the_installed_one() -> None:
    """Each floor lies where pyproject.toml says, and is imported from there."""
    import importlib

    for name, folder in FLOORS.items():
        file = importlib.import_module(name).__file__
        assert file is not None and Path(file) == ROOT / folder / "__init__.py"
