"""``conformance doctor``: each device answers a call; what is not here is said, with what gets it."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.by_hand import Install
from tests.support.cli import conformance
from tests.support.fakes_to_examine import OnAccelerators, UnderSettingsOnly
from tests.support.paths import ROOT
from xent_conformance.commands import listing
from xent_conformance.commands.line import EVIDENCE, USAGE
from xent_conformance.discovery import seats as of_seats
from xent_conformance.discovery.framework import FRAMEWORKS, Seat
from xent_conformance.discovery.problems import problems
from xent_conformance.discovery.seats import as_they_are, seats, wanted_devices

pytestmark = pytest.mark.usefixtures("forked")

DEVICES = "tests.support.fakes_of_devices"
EXAMINED = "tests.support.fakes_to_examine"


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def _told(*arguments: str, status: int = 0) -> Any:
    return json.loads(conformance("doctor", "--format", "json", *arguments, status=status).stdout)


def _by_device(told: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {r["device"]: r for r in told["devices"]}


def test_each_device_answers_in_each_format(install: Install) -> None:
    install(fake=f"{DEVICES}:WithCuda", gone="Absent")
    told = _told()
    assert list(_by_device(told)) == ["cpu", "cuda:0", "cuda:1"]
    for r in told["devices"]:
        assert r["formats"] == dict.fromkeys(("float16", "bfloat16", "float32", "float64"), "conforms")
        assert (r["framework"], r["version"], r["failed"]) == ("fake", "1.0", {})
        assert r["implementation"] == "fake.sparse_softmax_cross_entropy" and r["mode"] == "eager"
    assert [(r["framework"], r["device"]) for r in told["settings"]] == [
        ("fake", "cpu[threads=4]"),
        ("fake", "cuda[tf32]"),
    ]
    (absent,) = told["absent"]
    assert absent["framework"] == "gone" and absent["install"] == "pip install 'gone'"
    assert told["wrong"] == []


def test_for_a_person_a_line_a_device(install: Install) -> None:
    install(fake=f"{DEVICES}:NoCuda", gone="Absent")
    text = conformance("doctor").stdout
    for words in (
        "fake 1.0 cpu",
        "bf16 f16 f32 f64 conforms (fake.sparse_softmax_cross_entropy, eager)",
        "fake: cpu[threads=4]; not on this machine: cuda[tf32]",
        "gone: pip install 'gone'",
        "1 device answered in",
    ):
        assert words in text


def test_a_wrong_number_is_said_and_is_no_failure(install: Install) -> None:
    install(fake="AlwaysNan")
    (device,) = _told()["devices"]
    assert all(re.fullmatch(r"breaks must \d+\.\d+", status) for status in device["formats"].values())


def test_a_device_that_does_not_answer_fails(install: Install) -> None:
    """Its CPU is well."""
    install(fake=f"{EXAMINED}:RefusesCuda")
    told = _told(status=EVIDENCE)
    by = _by_device(told)
    assert set(by["cpu"]["formats"].values()) == {"conforms"} and not by["cpu"]["failed"]
    assert set(by["cuda:0"]["formats"].values()) == {"does not answer"}
    assert all("not implemented for CUDA" in words for words in by["cuda:0"]["failed"].values())
    (wrong,) = told["wrong"]
    assert wrong.startswith("fake does not answer on cuda:0 in bf16 f16 f32 f64: value refused: ")
    assert "does not answer on cuda:0" in conformance("doctor", status=EVIDENCE).stderr


def test_a_device_that_takes_its_process_with_it(install: Install) -> None:
    """The formats after it are asked of a fresh one."""
    install(fake=f"{EXAMINED}:DiesOnCuda")
    told = _told(status=EVIDENCE)
    by = _by_device(told)
    assert set(by["cpu"]["formats"].values()) == {"conforms"}
    assert by["cuda:0"]["formats"]["float32"] == "does not answer"
    assert "crashed: worker killed by signal 9" in by["cuda:0"]["failed"]["float32"]
    assert by["cuda:0"]["formats"]["float64"] == "conforms"


def test_a_format_that_is_refused_is_told_by_itself(install: Install) -> None:
    install(fake="OnlyBinary64")
    (device,) = _told(status=EVIDENCE)["devices"]
    assert device["formats"]["float64"] == "conforms"
    assert device["formats"]["float32"] == "does not answer"
    assert "double or nothing" in device["failed"]["float32"] and "float64" not in device["failed"]


@pytest.mark.usefixtures("opened")
def test_what_is_installed_and_does_not_start_fails(install: Install) -> None:
    install(broken="BreaksOnImport", fake="Exact")
    told = _told(status=EVIDENCE)
    assert [r["framework"] for r in told["devices"]] == ["fake"]
    assert told["absent"][0]["broken"] and told["wrong"][0].startswith("broken does not start: ")


def test_what_is_named_is_to_be_here(install: Install) -> None:
    install(fake="Exact", gone="Absent")
    assert _told()["wrong"] == []
    (wrong,) = _told("--framework", "fake", "--framework", "gone", status=EVIDENCE)["wrong"]
    assert wrong.startswith("gone is not installed: ")
    told = _told("--device", "cuda", "--framework", "fake", status=EVIDENCE)
    assert told["wrong"] == ["no framework that is here has the device cuda"] and told["devices"] == []
    assert "unknown framework" in conformance("doctor", "--framework", "nobody", status=USAGE).stderr
    apart = ("doctor", "--framework", "fake", "--python", f"gone={sys.executable}")
    assert "an interpreter for gone, which is not asked" in conformance(*apart, status=USAGE).stderr


def test_nothing_here_fails(install: Install) -> None:
    install(gone="Absent")
    assert _told(status=EVIDENCE)["wrong"] == [
        "no framework is here; `pip install torch` is one way to begin"
    ]


def test_settings_are_started_where_they_are_named(install: Install) -> None:
    install(fake=f"{DEVICES}:WithCuda")
    assert list(_by_device(_told("--device", "cuda:1[tf32]"))) == ["cuda:1[tf32]"]
    every = _told("--profile", "full")
    assert sorted(_by_device(every)) == ["cpu", "cpu[threads=4]", "cuda:0", "cuda:1"]
    assert [r["device"] for r in every["settings"]] == ["cuda[tf32]"]


# --- a kind of device that is asked under settings alone --------------------------------------------------


def test_a_device_that_is_asked_under_settings_alone(install: Install) -> None:
    install(fake=f"{EXAMINED}:UnderSettingsOnly")
    fake = FRAMEWORKS["fake"]
    keys = {p: [s.key for s in seats(fake, (), p)] for p in ("quick", "full")}
    assert keys == {"quick": ["fake[interpret=1]"], "full": ["fake[interpret=1]", "fake[interpret=2]"]}
    assert [s.key for s in as_they_are(fake)] == ["fake[interpret=1]"]
    assert list(seats(fake, ["cpu"], "full")) == []
    assert [s.key for s in seats(fake, ["cuda"], "quick")] == ["fake"]
    assert wanted_devices(Seat(fake), ["cpu", "cuda:0"], ["cpu", "cuda"]) == ["cuda:0"]
    assert wanted_devices(Seat(fake, "interpret=1"), ["cpu", "cuda:0"], []) == ["cpu"]


def test_it_is_examined_and_listed_so(install: Install) -> None:
    install(fake=f"{EXAMINED}:UnderSettingsOnly")
    told = _told()
    assert list(_by_device(told)) == ["cpu[interpret=1]"] and told["absent"] == []
    assert [r["device"] for r in told["settings"]] == ["cpu[interpret=2]", "cpu[wide]"]
    listed = [(version, device) for _, version, device, _ in listing.rows("devices")]
    assert listed == [("1.0", "cpu[interpret=1]"), ("", "cpu[interpret=2]"), ("", "cpu[wide]")]


def test_where_there_is_an_accelerator_it_is_asked_there_as_it_is(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen of Liger on a GPU: nobody who named no device asked its kernels there, its interpreter alone."""
    install(fake=f"{EXAMINED}:OnAccelerators")
    fake = FRAMEWORKS["fake"]
    assert [s.key for s in seats(fake, (), "quick", by_name=True)] == ["fake[interpret=1]"]
    monkeypatch.setattr(of_seats, "accelerators", lambda: frozenset({"cuda"}))
    for by_name in (False, True):
        assert [s.key for s in seats(fake, (), "quick", by_name=by_name)] == ["fake", "fake[interpret=1]"]
    assert set(_by_device(_told())) == {"cuda:0", "cpu[interpret=1]"}


def test_accelerators_that_nobody_sees_are_a_problem() -> None:
    assert problems(OnAccelerators) == []
    (problem,) = problems(type("Odd", (OnAccelerators,), {"accelerators": frozenset({"cpu"})}))
    assert "unknown name in `accelerators`, 'cpu'" in str(problem)


def test_kinds_that_no_setting_is_of_are_a_problem() -> None:
    assert problems(UnderSettingsOnly) == []
    odd = type("Odd", (UnderSettingsOnly,), {"settings_only": frozenset({"tpu"})})
    (problem,) = problems(odd)
    assert "unknown name in `settings_only`, 'tpu'" in str(problem)


# --- the page ---------------------------------------------------------------------------------------------


def test_the_document_is_documented(install: Install) -> None:
    install(fake=f"{DEVICES}:NoCuda", gone="Absent")
    told = _told()
    page = (ROOT / "docs" / "JSON.md").read_text(encoding="utf-8")
    section = page.split("## doctor\n")[1].split("\n## ")[0]
    names = set(re.findall(r"`(\w+)`", section))
    inner: Sequence[Mapping[str, Any]] = [*told["devices"], *told["settings"], *told["absent"]]
    assert set(told) | {key for record in inner for key in record} <= names
    documented = set(re.findall(r"^\| `(\w+)`", section, re.MULTILINE))
    assert documented <= set(told)


def test_what_is_newer_than_the_version_that_is_here_is_told(install: Install) -> None:
    install(fake="tests.support.fakes_of_modes:Older")
    told = json.loads(conformance("doctor", "--framework", "fake", "--format", "json").output)
    newer = {"framework": "fake", "implementation": "fake.log_softmax", "message": "it came with 1.2"}
    assert told["older"] == [newer] and told["lacks"] == []
    assert "fake fake.log_softmax: it came with 1.2" in conformance("doctor", "--framework", "fake").output
