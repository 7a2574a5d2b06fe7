"""The page for who owns a GPU: two run files, put together by its own command, stand apart or are refused.

The files are of one build on two machines, whose devices have the same names.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import conformance
from tests.support.pages import commands
from tests.support.paths import ROOT
from tests.support.small_run import CLAUSES, Page, header, run_of, verdict
from xent_conformance.commands.base import EVIDENCE
from xent_conformance.reports.run.file import write_run

(REPORT,) = (c for c in commands(ROOT / "docs" / "YOUR_DEVICE.md") if c.startswith("conformance report "))

OURS = {"cuda:0": "NVIDIA H200", "driver": "nvidia 580.159.04", "instructions": "avx avx2"}
"""What tells a machine from another whose processor is called the same."""


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def asked(
    name: str,
    *,
    case: str = "a",
    bits: str = "same",
    version: str = "2.13.0",
    hash: str = "same",
    head: Mapping[str, Any] | None = None,
    **machine: str,
) -> None:
    """A run file of both devices of a machine; its GPU returns ``bits``, and other ones are wrong."""
    usual = header()
    (torch,) = usual["frameworks"]
    environment = torch["environment"] | OURS | machine
    worker = torch | {"devices": ["cpu", "cuda:0"], "environment": environment, "version": version}
    same = {"case": case, "hash": hash, "version": version, "machine": environment["processor"]}
    wrong = {} if bits == "same" else {"status": "breaks_must"}
    rows = [verdict(**same, bits="same"), verdict(**same, bits=bits, device="cuda:0", **wrong)]
    write_run(Path(name), run_of(rows, usual | {"frameworks": [worker]} | (head or {})))


def told(status: int = 0) -> str:
    """What the page's command shows, or says where it refuses."""
    _, *words = shlex.split(REPORT)
    said = conformance(*words, "--no-gate", status=status).stderr
    page = Path(words[words.index("-o") + 1])
    assert page.exists() is (status == 0)
    return said if status else Page(page.read_text(encoding="utf-8")).text


GPU = {"cuda:0": "NVIDIA H100"}

OTHER = {
    "device": (GPU, ("AMD EPYC, NVIDIA H200", "AMD EPYC, NVIDIA H100")),
    "driver": ({"driver": "nvidia 590.10"}, ("AMD EPYC, nvidia 580.159.04", "AMD EPYC, nvidia 590.10")),
    "instructions": ({"instructions": "avx2"}, ("AMD EPYC, avx", "AMD EPYC, without avx")),
    "processor": ({"processor": "Intel Xeon"}, ("AMD EPYC", "Intel Xeon")),
}


@pytest.mark.parametrize("what", OTHER)
def test_two_machines_stand_apart(what: str) -> None:
    """By whatever is not the same in them, each with what its own devices gave."""
    other, (ours, theirs) = OTHER[what]
    asked("run.parquet")
    asked("mine.parquet", bits="other", **other)
    text = told()
    assert f"torch.softmax · eager · cuda:0 · {theirs} ·" in text, "what came back"
    assert f"torch.softmax · eager · cpu, cuda:0 · {ours}" in text
    assert f"torch.softmax · eager · cpu · {theirs}" in text
    for machine, value in ((ours, "0.25 0 0"), (theirs, "✕ 2,000 1 0")):
        assert f"torch 2.13.0 · cuda:0 · {machine} {value}" in text, "on the scorecard"
    issue = text.partition("### Versions")[2].partition("Copy")[0]
    assert all(f"{name}: {value}" in issue for name, value in other.items()), "upstream is told whose it is"
    run, mine = text.split(" Run 1 ")[1].split(" Run 2 ")
    for name, value in other.items():
        assert f"{name} {value}" in mine and f"{name} {value}" not in run, "in its own environment"


def test_another_build_stands_apart_by_its_version() -> None:
    asked("run.parquet")
    asked("mine.parquet", bits="other", version="2.13.0+cu130", **GPU)
    text = told()
    assert "torch 2.13.0 · cuda:0 0.25 0 0" in text and "torch 2.13.0+cu130 · cuda:0 ✕ 2,000 1 0" in text


STRICTER = CLAUSES | {"1.2": CLAUSES["1.2"] | {"text": "Exactly."}}

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "corpus": (
        {"head": {"corpus": "beefed"}, "case": "b"},
        "asked another corpus (c0ffee and beefed, both quick); run again with one version of the suite",
    ),
    "bits": ({"hash": "another"}, "asked different bits under one name (a); run again with one suite"),
    "reference": ({"head": {"reference": "0ther"}}, "were judged by another reference (ed822e1f and 0ther)"),
    "clauses": ({"head": {"clauses": STRICTER}}, "judged by different versions of SPEC.md"),
    "target": ({"cuda:0": OURS["cuda:0"]}, "answer for torch.softmax on cpu of AMD EPYC (a)"),
}
"""What is not the same in the other file, and what is said."""


@pytest.mark.parametrize("what", REFUSED)
def test_what_answers_other_questions_or_the_same_twice_is_refused(what: str) -> None:
    """By the names of the two files, with a third between them that fits."""
    changes, words = REFUSED[what]
    asked("run.parquet")
    asked("mine.parquet", **GPU | changes)
    said = told(status=EVIDENCE)
    assert "run.parquet and mine.parquet" in said and words in said
    asked("between.parquet", processor="Intel Xeon")
    between = conformance("report", "between.parquet", "run.parquet", "mine.parquet", status=EVIDENCE).stderr
    assert words.partition(" (")[0] in between and "mine.parquet" in between


def test_other_profiles_have_other_corpora_and_stand_apart() -> None:
    asked("run.parquet")
    selection = header()["selection"] | {"profile": "standard"}
    asked("mine.parquet", head={"corpus": "beefed", "selection": selection}, **GPU)
    assert "AMD EPYC, NVIDIA H100" in told()
