"""README is true, and what it leaves to pages: tables and numbers match the code and the published run.

Its commands and links are those of every page: tests/test_pages.py."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs.claims import HOMES, blocks, within
from docs.mutants import EQUIVALENT
from docs.published import read
from tests.support.by_hand import Install
from tests.support.cli import conformance
from tests.support.faults.seeded import FAULTS
from tests.support.faults.variants import VARIANTS
from tests.support.mutants.mutate import mutants
from tests.support.paths import ROOT
from xent_conformance.reports.run.words import Grade

README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = (ROOT / "docs" / "COMMANDS.md").read_text(encoding="utf-8")
EVIDENCE = (ROOT / "docs" / "EVIDENCE.md").read_text(encoding="utf-8")


def test_it_is_short() -> None:
    """The rest is in docs."""
    assert len(README.splitlines()) < 200


def test_every_grade_is_explained() -> None:
    for grade in Grade:
        if grade is not Grade.NONE:
            assert f"| `{grade.value}` |" in README


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^\$ make (\w+)", README, re.MULTILINE):
        assert f"\n{target}:" in makefile


def test_what_is_gated_elsewhere_is_what_the_command_before_has_written(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the program of the first answer, which nobody has installed, and asked as that asks."""
    monkeypatch.chdir(tmp_path)
    install(torch="Exact")
    (first,) = re.findall(r"^\$ (uvx .* xent-conformance) torch$", README, re.MULTILINE)
    block = (
        README.partition("Elsewhere, ask each version")[2].partition("```console\n")[2].partition("```")[0]
    )
    made, *decided = (line.removeprefix("$ ") for line in block.splitlines())
    assert made.startswith(f"{first} run ") and "`uvx --from … xent-conformance` for `conformance`" in README
    ask = made.removeprefix(first).split()
    for now in ("old.parquet", "new.parquet"):  # of an earlier version, and of this one
        conformance(*ask, "--operator", "softmax", "--dtype", "float32", "--family", "two_classes")
        Path("new.parquet").replace(now)
    assert [conformance(*line.split()[1:]).exit_code for line in decided] == [0, 0]


def _named_right() -> str:
    """``189 of the 235``, as the page of diagnosis has it."""
    page = (ROOT / "docs" / "DIAGNOSIS.md").read_text(encoding="utf-8")
    (found,) = re.findall(
        r"^(\d+ of the \d+) faults that `quick` catches are named right", page, re.MULTILINE
    )
    return str(found)


FEW = (
    "none",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
)


def test_faults_variants_and_mutants_are_counted() -> None:
    power = (ROOT / "docs" / "POWER.md").read_text(encoding="utf-8")
    silent = len(re.findall(r"^\| `\w+` \|.*\| nothing \|$", power, re.MULTILINE))
    counted = (
        f"{len(FAULTS)} seeded faults",
        f"like any other implementation: {sum(f.beyond is None for f in FAULTS)} are caught in `quick`",
        f"{len(VARIANTS)} correct variants",
        f"{silent} (other sums, one pass, higher precision, a reciprocal) raise no alarm at all",
        f"and {len(VARIANTS) - silent} forms that everybody ships",
        f"{len(mutants())} [mutants](MUTANTS.md)",
        f"({_named_right()} that `quick` catches are named right)",
        f"{FEW[sum(f.beyond is not None for f in FAULTS)]} need what only a longer profile asks",
        f"in `quick` but {FEW[len(EQUIVALENT)]}, which are the same function",
    )
    assert [words for words in counted if words not in EVIDENCE + COMMANDS] == []
    caught, honest = sum(f.beyond is None for f in FAULTS), len(VARIANTS)
    said = (
        f"of {len(FAULTS)} seeded faults, each a defect that real code has had, {caught} are caught",
        f"of {honest} correct variants {silent} raise no alarm at all, and the other {honest - silent} break",
        f"{len(mutants())} [mutants](docs/MUTANTS.md)",
    )
    assert [words for words in said if words not in README] == []


def test_what_was_run_on_a_gpu_is_what_its_run_files_say() -> None:
    told = README + EVIDENCE
    for name, words, card in (
        ("gpu-jax", "JAX {} was run whole", "H100"),
        ("gpu-torch", "PyTorch {} without the families", "H100"),
        ("gpu-h200-torch", "run whole of PyTorch {}", "H200"),
        ("gpu-h200-jax", "run whole of PyTorch 2.11, JAX {}", "H200"),
        ("gpu-h200-optax", "run whole of PyTorch 2.11, JAX 0.11, Optax {}", "H200"),
        ("gpu-h200-liger", "run whole of PyTorch 2.11, JAX 0.11, Optax 0.2 and Liger {}", "H200"),
    ):
        header = read((name,)).header
        (worker,) = header["frameworks"]
        assert words.format(".".join(worker["version"].split(".")[:2])) in told
        assert card in worker["environment"]["cuda:0"] and card in told
        whole = not header["selection"]["families"]
        assert whole == ("whole" in words) and header["selection"]["profile"] == "quick"


@pytest.mark.parametrize("name", list(HOMES))
def test_what_is_said_of_the_pinned_versions_is_what_the_published_run_has(name: str) -> None:
    found = within(name).search(HOMES[name].read_text(encoding="utf-8"))
    assert found and found[0] == f"{found[1]}{blocks()[name]}{found[2]}", "run: python -m docs.claims --write"
