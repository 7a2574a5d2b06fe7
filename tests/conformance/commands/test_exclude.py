"""``--exclude``: not asked, and told wherever a reader might take its absence for conformance."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.by_hand import Install
from tests.support.cli import conformance
from tests.support.small_run import Page
from xent_conformance import run as run_from_python
from xent_conformance.asking.selection import Selection
from xent_conformance.commands.line import EVIDENCE, USAGE
from xent_conformance.discovery.framework import FRAMEWORKS
from xent_conformance.discovery.names import UnknownName
from xent_conformance.reports.run import commands
from xent_conformance.reports.run.file import read_run

pytestmark = pytest.mark.usefixtures("forked")

SMALL = ("--profile", "quick", "--dtype", "float32", "--family", "two_classes")
BOTH = ("--operator", "softmax", "--operator", "log_softmax")


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def _refused(*words: str) -> str:
    return " ".join(conformance("run", *SMALL, *words, status=USAGE).stderr.split())


def test_it_is_not_asked_and_that_is_told_everywhere(install: Install) -> None:
    install(fake="Exact")
    done = conformance("run", *SMALL, *BOTH, "--exclude", "*.log_*")
    run = read_run(Path("run.parquet"))
    assert set(run.verdicts["implementation"]) == {"fake.softmax"} and run.complete
    assert run.header["selection"]["exclude"] == ["*.log_*"]
    assert run.header["excluded"] == [{"framework": "fake", "name": "fake.log_softmax"}]
    assert "not asked: fake: fake.log_softmax (--exclude)" in done.stdout

    gate = conformance("gate", "run.parquet", "--verbose").stdout
    assert "left out: fake: 1 implementation not asked: --exclude '*.log_*' left out fake.log_softmax" in gate
    told = json.loads(conformance("gate", "run.parquet", "--format", "json").stdout)
    (reason,) = [r for r in told["reasons"] if r["kind"] == "left out"]
    assert reason["blocking"] is False and "whether they conform is not known" in reason["detail"]
    assert reason["command"] == "conformance run " + " ".join(
        ["--profile quick --operator softmax --operator log_softmax --dtype float32 --family two_classes"]
    )

    conformance("report", "run.parquet", "-o", "page.html")
    page = Page(Path("page.html").read_text(encoding="utf-8"))
    assert page.text.count("fake: fake.log_softmax (--exclude '*.log_*')") == 2
    document = json.loads(
        conformance("run", *SMALL, *BOTH, "--exclude", "*.log_*", "--format", "json").stdout
    )
    assert document["excluded"] == run.header["excluded"]


def test_asked_again_it_is_left_out_again(install: Install) -> None:
    install(fake="Exact")
    run = run_from_python(
        "quick", operators=["softmax", "log_softmax"], families="two_classes", exclude="*log*"
    )
    assert set(run.verdicts["implementation"]) == {"fake.softmax"}
    assert commands.ask_again(run.header).endswith("--exclude '*log*'")


def test_where_nothing_is_left_out_nothing_is_told(install: Install) -> None:
    install(fake="Exact")
    done = conformance("run", *SMALL, "--operator", "softmax", "--exclude", "fake.sigmoid")
    assert read_run(Path("run.parquet")).header["excluded"] == [], "another operator was not to be asked"
    assert "--exclude" not in done.stdout
    assert "left out" not in conformance("gate", "run.parquet", "-v").stdout


def test_a_baseline_that_has_it_lacks_evidence(install: Install) -> None:
    install(fake="Exact")
    conformance("run", *SMALL, *BOTH, "-o", "old.parquet")
    conformance("run", *SMALL, *BOTH, "--exclude", "fake.log_softmax")
    done = conformance("gate", "run.parquet", "--baseline", "old.parquet", status=EVIDENCE)
    assert "--exclude left it out of this run; ask it too" in done.stdout


def test_a_waiver_of_what_is_left_out_is_neither_stale_nor_unmatched(install: Install) -> None:
    install(fake="AlwaysNan")
    conformance("run", *SMALL, *BOTH)
    conformance("waive", "run.parquet", "-o", "w.toml", "--no-known")
    text = Path("w.toml").read_text(encoding="utf-8")
    lines = [
        'reason = "a fake that returns nothing but NaN"' if line.startswith("reason =")
        else 'link = "https://example.org/1"' if line.startswith("link =") else line
        for line in text.splitlines()
    ]  # fmt: skip
    Path("w.toml").write_text("\n".join(lines), encoding="utf-8")
    conformance("run", *SMALL, *BOTH, "--exclude", "fake.log_softmax", "--force")
    options = ("--waivers", "w.toml", "--no-known", "--format", "json")
    told = json.loads(conformance("gate", "run.parquet", *options).stdout)
    assert {w["state"] for w in told["waivers"]} <= {"accepts", "not evaluated"}


def test_what_it_names_must_be_there_and_something_must_be_left(install: Install) -> None:
    install(fake="Exact")
    assert (
        "--exclude fake.sofmax: unknown implementation 'fake.sofmax': did you mean fake.softmax"
        in _refused("--exclude", "fake.sofmax")
    )
    assert "'fake.softmax' is what --exclude leaves out; name it once" in _refused(
        "--implementation", "fake.softmax", "--exclude", "fake.soft*"
    )
    assert "no case is selected" in _refused("--exclude", "*")


def test_a_framework_that_is_named_and_left_out_whole() -> None:
    names = [i.name for i in FRAMEWORKS["scipy"].declaration.implementations]
    with pytest.raises(UnknownName, match="scipy is asked nothing: --exclude leaves out all of it"):
        Selection("quick", ("numpy", "scipy"), exclude=tuple(names))


def test_the_patterns_are_those_of_implementation() -> None:
    numpy = FRAMEWORKS["numpy"]
    every = Selection("quick", ("numpy",)).implementations(numpy)
    some = Selection("quick", ("numpy",), exclude=("*naive*",))
    assert some.implementations(numpy) == [name for name in every if "naive" not in name]
    assert set(some.excluded(numpy)) == {name for name in every if "naive" in name} != set()
