"""Every command that README and the pages of docs show is run, in the order of its page.

In a folder that has the files which it names. A command that asks frameworks is given more options, so that
it asks little (:data:`LITTLE`); what is not run at all says why (:data:`ELSEWHERE`).
"""

from __future__ import annotations

import itertools
import re
import shlex
import shutil
from pathlib import Path

import pytest

from tests.support.capturing import needs
from tests.support.cli import conformance, invoke
from tests.support.pages import commands
from tests.support.paths import ROOT
from tests.support.workers import Workers

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

ELSEWHERE = {
    r"make [\w-]+": "it sets a machine up: CI runs it in a clean clone",
    r"pip install .*": "it needs an index of packages; tests/test_wheel.py installs the wheel",
    r"pytest --pyargs .*": "tests/conformance/pytesting runs the installed tests",
    r"conformance (upgrade|matrix) '.*": "it makes environments; tests/conformance/versions lends it some",
    r"conformance run .*--python torch=.*": "the same",
    r"conformance cache clean.*|CONFORMANCE_\w+=.*": "tests/test_scripts_page.py, in a folder of its own",
    r"conformance merge part\*.*": "tests/conformance/running/test_shards.py has all parts to merge",
    r"conformance run .*--engine ray.*": "it needs Ray; tests/conformance/fleet asks a fake, and a real one",
    r"conformance sweep .*float32.*": "it takes minutes; tests/conformance/sweep asks chunks of it",
    r"conformance torch --(python|baseline) .*": "tests/conformance/commands/test_first.py, with a fake",
    r"conformance .*--python \.venv/devices[\w-]*": "it asks an environment that make report-devices makes",
    r"(uvx|pipx run) .*": "it needs an index of packages; tests/test_wheel.py starts what it installs",
    r"conformance .*mine\.(py|parquet)( .*)?": "tests/test_adapters_page.py, in processes of their own",
}
"""By pattern, why a command is parsed and no more."""

LITTLE = {
    "run": {"--profile": "quick", "--operator": "softmax", "--dtype": "float32", "--family": "ordinary"},
    "torch": {"--operator": "softmax", "--dtype": "float32", "--family": "ordinary"},
    "search": {"--budget": "1"},
    "explain": {"--implementation": "torch.*"},
    "doctor": {"--framework": "torch"},  # that each starts and answers, test_real_frameworks.py says
}
"""Options that a command is given where it has none of its own; a budget is given in any case."""

REFUSED = {r"conformance run .*--resume": "nothing to resume"}
"""By pattern, what a command says in a folder where nothing went before it, with status 2 or 3."""

SCRIPT = """
import torch

torch.nn.functional.cross_entropy(torch.tensor([[1.0, float("nan")]]), torch.tensor([0]))
"""
"""Somebody's training, which ends in a loss that is not finite."""


def elsewhere(command: str) -> bool:
    return any(re.fullmatch(pattern, command) for pattern in ELSEWHERE)


SHOWN = {page: found for page in PAGES if (found := commands(page))}
TOLD = {
    c: page for page, found in reversed(SHOWN.items()) for c in found if c.startswith("conformance explain")
}
"""What writes nothing is run for the first page that shows it."""


def test_there_are_commands_and_each_is_ours_or_excused() -> None:
    every = [command for found in SHOWN.values() for command in found]
    assert len(every) > 20
    assert [c for c in every if not (c.startswith("conformance ") or elsewhere(c))] == []
    assert [p for p in ELSEWHERE if not any(re.fullmatch(p, c) for c in every)] == [], "excuses nobody needs"


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run file to read, and an earlier one to compare it with."""
    folder = tmp_path_factory.mktemp("pages")
    asked = ["--framework", "numpy", "--operator", "softmax", "--family", "ordinary"]
    for name in ("earlier", "now"):
        conformance("run", *asked, "--profile", "quick", "-o", folder / f"{name}.parquet")
    return folder


def _put(folder: Path, words: list[str], small: Path) -> None:
    """What a command reads and no command before it wrote."""
    (folder / "examples").exists() or (folder / "examples").symlink_to(ROOT / "examples")
    read = [word for option, word in zip(["", *words], words, strict=False) if not option.startswith("-")]
    for name in read if words[0] != "run" else []:
        if name.endswith(".parquet") and not (folder / name).exists():
            (folder / name).parent.mkdir(exist_ok=True)
            shutil.copy(small / f"{'earlier' if 'old' in name else 'now'}.parquet", folder / name)
    for option, name in itertools.pairwise(words):
        if option == "--baseline" and not (folder / name).exists():
            shutil.copy(small / "earlier.parquet", folder / name)
    (folder / "train.py").write_text(SCRIPT, encoding="utf-8")
    if "--waivers" in words:
        (folder / words[words.index("--waivers") + 1]).touch()
    (folder / "batch.json").exists() or (folder / "batch.json").write_text(_code("CASES.md", "json"))


def _code(page: str, language: str) -> str:
    """The first code of a page."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return text.partition(f"```{language}\n")[2].partition("```")[0]


def little(words: list[str]) -> list[str]:
    """The command, asking little."""
    command, *rest = words
    if "--cases" in rest:
        named = [] if "--framework" in rest else ["--framework", "numpy"]
        return [*words, *named, *(("--profile", "quick") if command == "run" else ())]
    if command == "run" and "--shard" in rest:  # so little cannot be divided into many parts
        at = rest.index("--shard") + 1
        rest[at] = "1/2"
    lacking = {option: value for option, value in LITTLE.get(command, {}).items() if option not in rest}
    if command == "search":
        at = rest.index("--budget") + 1
        return [command, *rest[:at], LITTLE["search"]["--budget"], *rest[at + 1 :]]
    return [command, *rest, *itertools.chain(*lacking.items())]


@needs("torch", "tensorflow", "jax")
@pytest.mark.parametrize("page", SHOWN, ids=lambda page: page.name)
def test_the_commands_of_a_page_run(
    page: Path, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lent: Workers
) -> None:
    monkeypatch.chdir(tmp_path)
    for command in SHOWN[page]:
        if elsewhere(command) or TOLD.get(command, page) != page:
            continue
        _, *words = shlex.split(command)
        _put(tmp_path, words, small)
        words = little(words)
        refused = [said for pattern, said in REFUSED.items() if re.fullmatch(pattern, command)]
        if refused:
            assert refused[0] in conformance(*words, status=None).output
        else:
            conformance(*words)


@pytest.mark.parametrize("command", ["run --no-such-option", "gate", "compare old.parquet", "no-command"])
def test_a_command_that_is_wrong_would_be_noticed(command: str) -> None:
    assert invoke(*shlex.split(command)).exit_code == 2


def test_upgrades_parse() -> None:
    """They are not run here, and their options are those of the command line."""
    shown = [c for found in SHOWN.values() for c in found if re.match("conformance (upgrade|matrix)", c)]
    assert shown
    for command in shown:
        _, *words = shlex.split(command)
        assert invoke(*words, "--help").exit_code == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    """To a file, and to a heading in it."""
    for link in re.findall(r"(?<!!)\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if link.startswith(("http:", "https:")):
            continue
        name, _, heading = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        if heading and target.suffix == ".md":
            headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            assert heading in {_anchor(text) for text in headings}, link


def _anchor(heading: str) -> str:
    """As the places where Markdown is shown make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
