"""Stubs of waivers: complete but for what a person must write, readable, and enough to pass."""

from __future__ import annotations

import math
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.by_hand import Install
from tests.support.cli import conformance
from tests.support.gating import HUGE, SPECIAL, TWO_CLASSES, Make, gated
from tests.support.small_gate import CASE, broken, waiver
from tests.support.small_run import run_of
from xent_conformance.decision.stubs import Stub, by_cause, ceiling, literal, toml
from xent_conformance.decision.waivers import WaiverError, read_waivers

pytestmark = pytest.mark.usefixtures("forked")


def _signed(path: Path) -> Path:
    """The file after a person has written the reasons and links."""
    text = path.read_text("utf-8")
    text = text.replace('reason = ""', 'reason = "the fake says so itself, by its name"')
    path.write_text(text.replace('link = ""', 'link = "https://example.org/1"'), "utf-8")
    return path


def _waived(run: Path, *options: str) -> list[dict[str, Any]]:
    conformance("waive", run, "-o", "w.toml", "--no-known", *options, status=0)
    found: list[dict[str, Any]] = tomllib.loads(Path("w.toml").read_text("utf-8"))["waiver"]
    return found


@pytest.mark.parametrize(
    ("fake", "asked"),
    [
        ("AlwaysNan", TWO_CLASSES),
        ("FarOff", SPECIAL),
        ("Raises", SPECIAL),
        ("NanOnOverflow", HUGE),
        ("NanUnderJit", TWO_CLASSES),
        ("FarOffUnderJit", TWO_CLASSES),
        ("OddVersion", TWO_CLASSES),
        ("Foreign", SPECIAL),
        ("OddDevice", SPECIAL),
    ],
)
def test_what_is_signed_passes(fake: str, asked: tuple[str, ...], make: Make) -> None:
    """And every waiver accepts: none is stale, unmatched or worsened from the start."""
    run = make(fake, *asked)
    status, _, _ = gated(run)
    if status == 0:
        assert fake == "OddDevice"
        return
    _waived(run)
    refused = conformance("gate", run, "--no-known", "--waivers", "w.toml", status=2)
    assert "has no reason yet" in refused.stderr
    status, told, _ = gated(run, "--waivers", _signed(Path("w.toml")))
    assert status == 0, told["waivers"]
    assert {w["state"] for w in told["waivers"]} == {"accepts"}


def test_a_stub_is_complete(make: Make) -> None:
    stubs = _waived(make("FarOff", *TWO_CLASSES))
    assert len({s["name"] for s in stubs}) == len(stubs)
    of_findings = [s for s in stubs if "cause" not in s]
    assert of_findings
    for s in stubs:
        assert s["versions"] == ">=1.0" and s["framework"] == "fake" and s["reason"] == s["link"] == ""
        assert s["implementations"] == ["fake.softmax"] and s["witnesses"]
    for s in of_findings:
        assert s["cases"] == ["softmax/two_classes/*"] and math.log2(s["ulps"]).is_integer()
        assert "modes" not in s and "devices" not in s, "it fails in all that were asked"
    text = Path("w.toml").read_text("utf-8")
    assert "verdicts of this run: float32; eager cpu\n" in text
    assert re.search(r"# .*; at worst returned \S+, right \S+, \S+ ulp\n", text)


def test_only_the_modes_that_fail_are_named(make: Make) -> None:
    assert {tuple(s["modes"]) for s in _waived(make("NanUnderJit", *TWO_CLASSES))} == {("jit",)}


@pytest.mark.parametrize(
    ("fake", "asked", "level"), [("FarOff", SPECIAL, "must"), ("FlushesToZero", HUGE, "all")]
)
def test_the_count_of_a_stub_is_of_what_it_accepts(
    fake: str, asked: tuple[str, ...], level: str, make: Make
) -> None:
    """Whatever it was written for: a cause is accepted wherever it shows."""
    run = make(fake, *asked)
    _waived(run, "--level", level)
    said = re.findall(r"^# accepts (\d+) verdicts? of this run: ", Path("w.toml").read_text("utf-8"), re.M)
    _, told, _ = gated(run, "--waivers", _signed(Path("w.toml")))
    accepted = [w["message"].split()[1] for w in told["waivers"]]
    assert said == accepted != [] and {w["state"] for w in told["waivers"]} == {"accepts"}


def test_a_version_without_an_order(make: Make) -> None:
    assert {s["versions"] for s in _waived(make("OddVersion", *TWO_CLASSES))} == {""}
    assert "no range can be given" in Path("w.toml").read_text("utf-8")


def test_a_witness_is_one_that_quick_asks(install: Install, tmp_path: Path) -> None:
    install(fake="FarOff")
    asked = ("--operator", "softmax", "--family", "two_classes", "--profile", "standard")
    conformance("run", *asked, "-o", "s.parquet")
    quick = tmp_path / "quick.parquet"
    conformance("run", "--operator", "softmax", "--family", "two_classes", "--profile", "quick", "-o", quick)
    _waived(Path("s.parquet"))
    status, told, _ = gated(quick, "--waivers", _signed(Path("w.toml")))
    assert {w["state"] for w in told["waivers"]} == {"accepts"}, "each is evaluated in quick too"
    assert status == 0


@pytest.mark.parametrize(("level", "some"), [("must", False), ("should", True), ("all", True)])
def test_levels(level: str, some: bool, make: Make) -> None:
    """Flushed results break a should clause (1.3), and nothing else."""
    run = make("FlushesToZero", *HUGE)
    conformance("waive", run, "-o", "w.toml", "--no-known", "--level", level, status=0)
    found = tomllib.loads(Path("w.toml").read_text("utf-8"))["waiver"] if Path("w.toml").exists() else []
    assert bool(found) is some
    if some:
        assert "; should 1.3; at worst" in Path("w.toml").read_text("utf-8")


def test_what_is_accepted_is_not_written_again(make: Make) -> None:
    run = make("AlwaysNan", *TWO_CLASSES)
    _waived(run)
    first = _signed(Path("w.toml"))
    done = conformance("waive", run, "-o", "more.toml", "--no-known", "--waivers", first, status=0)
    assert "no finding of that level (must) is without a waiver: nothing is written" in done.stdout
    assert not Path("more.toml").exists()


def test_names_are_free_of_those_that_are_taken(make: Make) -> None:
    run = make("AlwaysNan", *TWO_CLASSES)
    _waived(run)
    text = _signed(Path("w.toml")).read_text("utf-8")
    Path("old.toml").write_text(text.replace('versions = ">=1.0"', 'versions = "<1"'))
    done = conformance("waive", run, "-o", "new.toml", "--no-known", "--waivers", "old.toml", status=0)
    assert len(read_waivers([Path("old.toml"), _signed(Path("new.toml"))])) == 8
    then = f"conformance gate {run} --waivers old.toml --waivers new.toml --no-known"
    assert then in done.stdout, "it decides with the waivers that these stubs were written beside"


def test_a_file_that_is_there_is_kept(make: Make) -> None:
    run = make("AlwaysNan", *TWO_CLASSES)
    Path("w.toml").write_text("# reviewed\n")
    refused = conformance("waive", run, "-o", "w.toml", status=2)
    assert (
        "w.toml is there already, and stays as it is: name another file, or add --force to write over it"
        in refused.stderr
    )
    assert Path("w.toml").read_text() == "# reviewed\n"
    done = conformance("waive", run, "-o", "w.toml", "--no-known", "--force", status=0)
    assert "wrote w.toml: 4 stubs for 80 verdicts; write `reason` and `link` of each" in done.stdout
    assert f"conformance gate {run} --waivers w.toml" in done.stdout


def test_a_run_is_never_written_over(make: Make) -> None:
    run = make("AlwaysNan", *TWO_CLASSES)
    conformance("waive", run, "-o", run, "--force", status=2)
    assert run.read_bytes()[:4] == b"PAR1"


# --- the text ----------------------------------------------------------------------------------------------

TEXT = st.text(st.characters(exclude_categories=()), max_size=40)
"""Any character, surrogates and controls among them."""


@given(
    st.dictionaries(
        st.sampled_from(["a", "b", "c"]), st.one_of(TEXT, st.lists(TEXT, min_size=1), st.floats())
    )
)
def test_what_is_written_is_read(fields: dict[str, Any]) -> None:
    """Every text and every number comes back; a lone surrogate, which is no character, as ``?``."""
    (read,) = tomllib.loads(toml([Stub(fields, (), 1, 1, "")]))["waiver"]

    def plain(value: Any) -> Any:
        if isinstance(value, list):
            return [plain(v) for v in value]
        return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value

    assert repr(read) == repr({k: plain(v) for k, v in fields.items()})


@given(st.lists(TEXT, max_size=3))
def test_a_comment_stays_a_comment(lines: list[str]) -> None:
    read = tomllib.loads(toml([Stub({"name": n}, tuple(lines), 1, 1, "") for n in ("x", "y")]))
    assert read == {"waiver": [{"name": "x"}, {"name": "y"}]}


@given(st.floats(min_value=5e-324, allow_nan=False))
def test_the_ceiling_is_the_next_power_of_two(ulps: float) -> None:
    top = ceiling(ulps)
    assert top >= ulps and (math.isinf(top) or top / 2 < ulps) and math.frexp(top)[0] in (0.5, math.inf)
    assert tomllib.loads(f"x = {literal(top)}")["x"] == top


def test_an_unsigned_stub_is_refused(make: Make) -> None:
    _waived(make("AlwaysNan", *TWO_CLASSES))
    with pytest.raises(WaiverError, match="has no reason yet; write why this is accepted"):
        read_waivers([Path("w.toml")])


def test_the_page_has_the_entries_of_each_cause() -> None:
    rows = [broken(cause="one"), broken(cause="two", symptom="NaN", output="grad_logits")]
    found = by_cause(run_of([*rows, broken(cause="one", mode="jit")]), ())
    assert set(found) == {"one", "two"}
    for name, text in found.items():
        (entry,) = tomllib.loads(text)["waiver"]
        assert entry["framework"] == "torch" and entry["witnesses"] == [CASE], name
        assert "to be written by a person" in text
    assert by_cause(run_of([broken(cause="one")]), [waiver()]) == {}
