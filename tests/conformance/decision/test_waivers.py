"""Reading waivers: what is refused, with which words; whom and where a waiver names."""

from __future__ import annotations

import datetime
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.support.gating import waiver
from xent_conformance.cases.corpus import find_case
from xent_conformance.decision.places import Places
from xent_conformance.decision.waivers import Waiver, WaiverError, known_files, matching, read_waivers


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "w.toml"


def _read(path: Path, **fields: Any) -> Waiver:
    path.write_text(waiver(**fields), encoding="utf-8")
    (found,) = read_waivers([path])
    return found


def test_a_waiver_is_read(path: Path) -> None:
    found = _read(path, expires="2027-06-30", ulps=12.5, symptom="beyond the stable bound", clause="1.1")
    assert found.expires == datetime.date(2027, 6, 30) and found.ulps == 12.5
    assert found.signature() == "beyond the stable bound of at most 12.5 ulp (1.1)"
    assert found.source == str(path) and found.modes == found.devices == ("*",)


@pytest.mark.parametrize(
    ("named", "there", "seen"),
    [
        (["avx2"], "avx avx2", True),
        (["avx2", "-avx512f"], "avx avx2", True),
        (["avx2", "-avx512f"], "avx avx2 avx512f", False),
        (["avx512f"], "avx avx2", False),
        (["-avx512f"], "", False),
        (["-avx512f"], None, False),
        (None, None, True),
    ],
)
def test_processors(named: list[str] | None, there: str | None, seen: bool, path: Path) -> None:
    """Of a processor that says nothing, nothing is known; a waiver that names none speaks of all."""
    found = _read(path, **({"instructions": named} if named else {}))
    assert found.seen_with(there) is seen


def test_libraries(path: Path) -> None:
    """What a framework computes with decides as its own version does; what it does not name is another."""
    found = _read(path, libraries=["jaxlib>=0.5,<0.11", "numpy>=2"])
    assert found.without({"jaxlib": "0.10.2", "numpy": "2.4.6"}) == []
    assert found.without({"jaxlib": "0.11.2", "numpy": "2.4.6"}) == ["jaxlib>=0.5,<0.11"]
    assert found.without({"jaxlib": "0.10.2.dev7"}) == ["numpy>=2"]
    assert found.without({"jaxlib": "of today", "numpy": "2"}) == ["jaxlib>=0.5,<0.11"]
    assert _read(path).without({}) == []


def test_a_run_that_was_diagnosed_before_calls_the_cause_otherwise(path: Path) -> None:
    """Runs that are kept are decided by the waivers of today."""
    named = pl.DataFrame({"cause": ["now", "then", "another"], "symptom": ["NaN"] * 3, "clause": ["1.1"] * 3})

    def accepted(**fields: Any) -> list[str]:
        waived = _read(path, cause="now", symptom="NaN", clause="1.1", **fields)
        return named.filter(waived.accepts())["cause"].to_list()

    assert accepted() == ["now"]
    assert accepted(formerly=["then"]) == ["now", "then"]


def test_a_file_without_waivers_is_fine(path: Path) -> None:
    path.write_text("# nothing is accepted\n")
    assert read_waivers([path]) == []


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"reason": ""}, "waiver 'fake-nan': has no reason yet; write why this is accepted"),
        ({"reason": "   "}, "has no reason yet"),
        ({"reason": "  known  "}, "'known' is no reason; write why this is accepted in a sentence"),
        ({"link": ""}, "has no link yet; write the address where upstream documents or tracks it, or 'none'"),
        ({"link": "see the tracker"}, "has no link yet"),
        ({"name": None}, "waiver number 1: 'name' is missing"),
        ({"witnesses": None}, "'witnesses' is missing"),
        ({"witnesses": []}, "witnesses must be a list of names"),
        ({"cases": "softmax/*"}, "cases must be a list of names"),
        ({"outputs": ["value", 3]}, "outputs must be a list of names"),
        ({"outputs": [""]}, "outputs must be a list of names"),
        ({"framework": ["fake"]}, "framework must be text"),
        ({"operators": ["sofmax"]}, "unknown operator 'sofmax' (`conformance list operators` shows all)"),
        ({"clause": "9.9"}, "clause '9.9' is not judged (`conformance list clauses` shows all)"),
        ({"clause": "4.4"}, "clause '4.4' is not judged"),
        ({"symptom": "nan"}, "unknown symptom 'nan'; there are lost relative accuracy"),
        ({"symptom": "none"}, "unknown symptom 'none'"),
        ({"symptom": "beyond the stable bound"}, "needs a ceiling: ulps = the largest error"),
        ({"symptom": "beyond the stable bound", "ulps": 0}, "needs a ceiling"),
        ({"symptom": "beyond the stable bound", "ulps": True}, "needs a ceiling"),
        ({"ulps": 3.0}, "symptom 'NaN' has no size; leave ulps out"),
        ({"versions": "about 2"}, "versions = 'about 2' is no range; write one like '>=2.13,<3'"),
        ({"expires": '"soon"'}, "expires must be a date, as in expires = 2027-06-30"),
        ({"expires": "2027-06-30T00:00:00"}, "expires must be a date"),
        ({"formerly": ["nan-is-zero"]}, "formerly says what the cause was called: write the cause as well"),
        ({"instructions": ["avx1024"]}, "unknown instruction set 'avx1024'; there are sse4_1, sse4_2, avx"),
        ({"instructions": []}, "instructions must be a list of names"),
        ({"libraries": ["jaxlib"]}, "'jaxlib' is no library with its versions; write one like 'jaxlib<0.11'"),
        ({"libraries": ["<0.11"]}, "'<0.11' is no library with its versions"),
        ({"until": "2027"}, "unknown field 'until'; there are name, framework"),
    ],
)
def test_what_cannot_be_used(fields: dict[str, Any], words: str, path: Path) -> None:
    path.write_text(waiver(**fields), encoding="utf-8")
    with pytest.raises(WaiverError) as refused:
        read_waivers([path])
    assert words in str(refused.value) and str(refused.value).startswith(f"{path}: waiver ")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[waiver]\n", "not TOML"),
        ("waiver = 3\n", "holds [[waiver]] entries and nothing else"),
        ("[other]\n", "holds [[waiver]] entries and nothing else"),
        ("waiver = [3]\n", "waiver number 1: not a table"),
    ],
)
def test_files_of_another_kind(text: str, words: str, path: Path) -> None:
    path.write_text(text)
    with pytest.raises(WaiverError, match=re.escape(words)):
        read_waivers([path])


def test_files_that_cannot_be_read(path: Path) -> None:
    with pytest.raises(
        WaiverError, match=r"cannot be read .*`conformance waive RUN.parquet -o .*` writes stubs"
    ):
        read_waivers([path])
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(WaiverError, match="it is not UTF-8"):
        read_waivers([path])


def test_two_waivers_of_one_name(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    for p in (path, other):
        p.write_text(waiver())
    with pytest.raises(WaiverError, match=r"other\.toml: waiver 'fake-nan' is also in .*w\.toml; give one"):
        read_waivers([path, other])


@pytest.mark.parametrize(
    ("versions", "version", "inside"),
    [
        (">=2.13,<3", "2.13.0", True),
        (">=2.13,<3", "2.13.1+cpu", True),
        (">=2.13,<3", "2.14.0.dev20260101", True),
        (">=2.13,<3", "2.12.9", False),
        (">=2.13,<3", "3.0", False),
        (">=2.13", "nightly", False),
        ("", "nightly", True),
        ("", "1.0", True),
    ],
)
def test_ranges_of_versions(versions: str, version: str, inside: bool, path: Path) -> None:
    """A version without an order is in no range; no range speaks of every version."""
    assert _read(path, versions=versions).in_range(version) is inside


@pytest.mark.parametrize(
    ("patterns", "found"),
    [
        (["cpu"], ["cpu"]),
        (["cpu*"], ["cpu", "cpu[isa=avx2]"]),
        (["cpu[isa=avx2]"], ["cpu[isa=avx2]"]),
        (["cpu[*]"], ["cpu[isa=avx2]"]),
        (["CPU"], []),
        (["cuda:?"], ["cuda:0"]),
        (["*"], ["cpu", "cpu[isa=avx2]", "cuda:0"]),
    ],
)
def test_globs(patterns: list[str], found: list[str]) -> None:
    """Brackets are letters: devices have them."""
    assert matching(["cpu", "cpu[isa=avx2]", "cuda:0"], patterns) == found


def test_the_place_of_a_waiver(path: Path) -> None:
    """Every field narrows it."""
    row = {
        "framework": "fake", "version": "1.0", "operator": "softmax", "output": "value",
        "implementation": "fake.softmax", "mode": "eager", "device": "cpu", "case": "softmax/two_classes/x",
    }  # fmt: skip
    others = [row | {column: "another"} for column in row if column != "mode"]
    others += [row | {column: None} for column in ("framework", "operator", "implementation", "device")]
    found = Places(pl.DataFrame([row, *others])).of(_read(path, devices=["cpu"]))
    assert found.to_dicts() == [row]


BEYOND = "beyond the stable bound"


@pytest.mark.parametrize(
    ("clause", "symptom", "row", "accepted"),
    [
        ("1.1", BEYOND, {"clause": "1.1", "symptom": BEYOND, "ulps": 9.0}, True),
        ("1.1", BEYOND, {"clause": "6.3", "symptom": BEYOND, "ulps": 9.0}, True),
        ("1.1", BEYOND, {"clause": "6.3", "symptom": BEYOND, "ulps": 11.0}, False),
        ("1.1", BEYOND, {"clause": "1.1", "symptom": "NaN", "ulps": 9.0}, False),
        ("6.3", BEYOND, {"clause": "1.1", "symptom": BEYOND, "ulps": 9.0}, False),
        ("2.5", "NaN", {"clause": "2.1", "symptom": "NaN", "ulps": 9.0}, False),
    ],
)
def test_a_wrong_number_is_accepted_whatever_its_row_was_made_for(
    clause: str, symptom: str, row: dict[str, Any], accepted: bool, path: Path
) -> None:
    found = _read(path, clause=clause, symptom=symptom, **({"ulps": 10.0} if symptom == BEYOND else {}))
    assert pl.DataFrame([row]).select(found.accepts()).item() is accepted


def test_the_known_waivers_are_read() -> None:
    found = read_waivers(known_files())
    assert found and all(w.reason for w in found)


def test_every_witness_of_ours_is_there() -> None:
    """The gate looks for those of others alone."""
    ours = read_waivers(known_files())
    assert ours and all(w.shipped for w in ours)
    for witness in {witness for w in ours for witness in w.witnesses}:
        assert find_case(witness)[1].id == witness


def test_a_file_of_anybody_else_is_not_ours(path: Path) -> None:
    assert not _read(path).shipped
