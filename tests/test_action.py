"""The GitHub Action: its steps are run here as a runner would, in a fresh folder, with a small framework."""

from __future__ import annotations

import json
import pickle
import re
import sys
from pathlib import Path

import pytest
import yaml

from tests.support import shared
from tests.support.gating import changed, of_an_older_suite, with_more
from tests.support.paths import ROOT
from tests.support.runner import ACTION, EXPRESSION, Runner, of

FAKES = "tests.support.fakes"
SMALL = "--operator softmax --dtype float32 --family two_classes"


def runner(folder: Path, fake: str) -> Runner:
    """One that asks a fake, which lies in the checkout."""
    asked = f"{SMALL} --plugin {FAKES}:{fake}"
    made = of(folder, framework="fake", arguments=asked, python=sys.executable)
    made.path = str(ROOT)
    return made


def test_every_input_and_output_is_used_and_described() -> None:
    text = (ROOT / "action.yml").read_text(encoding="utf-8")
    for name, given in ACTION["inputs"].items():
        assert given["description"] and f"inputs.{name}" in text, name
    ids = {step["id"] for step in ACTION["runs"]["steps"] if "id" in step}
    for given in ACTION["outputs"].values():
        assert EXPRESSION.search(given["value"])[1].split(".")[1] in ids  # type: ignore[index]


def test_no_expression_is_written_into_a_script() -> None:
    """What a pull request can name must not become shell: it comes as an environment variable."""
    for step in ACTION["runs"]["steps"]:
        assert not EXPRESSION.search(step.get("run", "")), step["name"]


def test_an_array_that_may_be_empty_is_taken_as_none() -> None:
    """Bash before 4.4, which macOS has, takes one without an entry for unset, and ``set -u`` ends there."""
    for step in ACTION["runs"]["steps"]:
        bare = re.findall(r'(?<!\[@\]\+)"\$\{\w+\[@\]\}"', step.get("run", ""))
        assert not bare, (step["name"], bare)


def test_no_program_is_needed_that_macos_lacks() -> None:
    """Its scripts call Python, the suite's own, and what POSIX has."""
    for step in ACTION["runs"]["steps"]:
        for name in ("sha256sum", "md5sum", "realpath", "readlink -f", "mapfile", "readarray", "declare -A"):
            assert name not in step.get("run", ""), (step["name"], name)


@pytest.fixture(scope="module")
def passed() -> Runner:
    """A run on the default branch that passes, and leaves a baseline."""

    def taken(folder: Path) -> None:
        found = runner(folder / "main", "Exact")
        assert found.run() == 0, found.log
        (folder / "runner").write_bytes(pickle.dumps(found))

    found: Runner = pickle.loads((shared.once("action-passed", taken) / "runner").read_bytes())
    return found


def test_a_run_that_passes_leaves_its_files_and_a_baseline(passed: Runner) -> None:
    assert passed.outputs["gate"] == {"status": "0"}
    folder = Path(passed.outputs["install"]["folder"])
    for name in ("run.parquet", "report.html", "gate.json", "junit.xml", "summary.md", "badge.json"):
        assert (folder / name).stat().st_size > 0, name
    assert (folder / "baseline" / "run.parquet").read_bytes() == (folder / "run.parquet").read_bytes()
    assert "gate passed" in (passed.folder / "summary").read_text(encoding="utf-8").lower()
    assert "actions/cache/save" in passed.log and "actions/upload-artifact" in passed.log


def test_a_broken_clause_stops_the_job_after_the_upload(tmp_path: Path) -> None:
    found = runner(tmp_path / "bump", "AlwaysNan")
    found.branch = "bump"
    assert found.run() == 1
    assert found.outputs["gate"] == {"status": "1"}
    assert "actions/upload-artifact" in found.log and "actions/cache/save" not in found.log
    assert "::error" in found.log


def test_the_log_has_one_decision(tmp_path: Path, passed: Runner) -> None:
    """That of the gate, which knows baseline, waivers and what else fails: who asks decides nothing."""
    first = runner(tmp_path / "main", "AlwaysNan")
    first.inputs["fail-on"] = "strict"
    assert first.run() == 1
    for found, word in ((passed, "passed"), (first, "failed")):
        lines = [line for line in found.log.splitlines() if line.startswith("gate ")]
        assert [line.split(":")[0] for line in lines] == [f"gate {word}"], found.log
        page = Path(found.outputs["install"]["folder"]) / "report.html"
        assert f"gate {word}" in page.read_text(encoding="utf-8").lower()


def test_the_first_run_on_the_default_branch_is_its_own_baseline(tmp_path: Path) -> None:
    """Green, whatever is wrong in it; from then on what changes is stopped."""
    first = runner(tmp_path / "main", "AlwaysNan")
    assert first.run() == 0, first.log
    folder = Path(first.outputs["install"]["folder"])
    decided = json.loads((folder / "gate.json").read_text(encoding="utf-8"))
    assert {r["kind"] for r in decided["reasons"]} == {"broken as before"}
    assert (folder / "baseline" / "run.parquet").is_file()


def test_the_default_branch_is_compared_with_its_baseline(tmp_path: Path, passed: Runner) -> None:
    later = runner(tmp_path / "main", "AlwaysNan")
    baseline = later.folder / "temp" / "conformance" / "baseline"
    baseline.mkdir(parents=True)
    kept = Path(passed.outputs["install"]["folder"]) / "run.parquet"
    (baseline / "run.parquet").write_bytes(kept.read_bytes())
    assert later.run() == 1, later.log
    beside = baseline.parent / "baseline.parquet"
    assert beside.read_bytes() == kept.read_bytes(), "uploaded: `waive` needs both"
    assert "conformance waive run.parquet --baseline baseline.parquet -o" in later.log
    assert (baseline / "run.parquet").read_bytes() == kept.read_bytes(), "what failed is no baseline"


@pytest.mark.parametrize(("branch", "status"), [("main", 0), ("bump", 3)])
def test_a_baseline_that_the_suite_has_outgrown_is_replaced_on_the_default_branch_alone(
    branch: str, status: int, tmp_path: Path, passed: Runner
) -> None:
    later = runner(tmp_path / branch, "Exact")
    later.branch = branch
    baseline = later.folder / "temp" / "conformance" / "baseline" / "run.parquet"
    baseline.parent.mkdir(parents=True)
    run = Path(passed.outputs["install"]["folder"]) / "run.parquet"
    changed(run, baseline, lambda r: of_an_older_suite(with_more(r)))
    before = baseline.read_bytes()
    assert later.run() == status, later.log
    assert (baseline.read_bytes() == before) == (branch == "bump")
    assert ("this run is the new one" in later.log) == (branch == "main")
    assert ("another version of the suite has asked it" in later.log) == (branch == "bump")


def test_nothing_that_is_read_elsewhere_names_a_folder_of_the_runner(tmp_path: Path) -> None:
    """What is uploaded goes by its name there, and what is of the checkout by its path in it."""
    found = runner(tmp_path / "bump", "AlwaysNan")
    found.branch = "bump"
    waivers = found.folder / "ci" / "waivers.toml"
    waivers.parent.mkdir()
    waivers.write_text("", encoding="utf-8")
    found.inputs["waivers"] = str(waivers)
    assert found.run() == 1, found.log
    uploaded = Path(found.outputs["install"]["folder"])
    for name in ("comment.md", "summary.md", "gate.json", "junit.xml", "report.html"):
        text = (uploaded / name).read_text(encoding="utf-8")
        assert str(found.folder) not in text, name
    told = (uploaded / "comment.md").read_text(encoding="utf-8")
    assert "`conformance waive run.parquet --waivers ci/waivers.toml -o new-waivers.toml`" in told


def test_a_baseline_is_looked_for_by_instruction_sets_first(passed: Runner) -> None:
    line = next(line for line in passed.log.splitlines() if line.startswith("actions/cache/restore"))
    told = json.loads(line.partition(" ")[2])
    first, second = told["restore-keys"].split()
    assert first.startswith(second) and first != second and told["key"] == f"{first}none"


def test_what_was_certified_and_compiled_is_kept(passed: Runner) -> None:
    """Restored before anything is asked, and stored under the name that is looked for first."""
    lines = [line.partition(" ") for line in passed.log.splitlines() if line.startswith("actions/cache/")]
    told = [(what, json.loads(given)) for what, _, given in lines if "/compiled" in given]
    assert [what.split("@")[0] for what, _ in told] == ["actions/cache/restore", "actions/cache/save"]
    (_, restored), (_, stored) = told
    assert restored["path"] == stored["path"]
    assert [Path(folder).name for folder in stored["path"].split()] == ["reference", "compiled"]
    assert Path(stored["path"].split()[0]).parent.name == "xent-conformance"
    assert stored["key"].startswith(restored["restore-keys"].split()[0])


def test_a_framework_that_is_not_there_is_no_evidence(tmp_path: Path) -> None:
    found = runner(tmp_path / "bump", "Absent")
    assert found.run() == 3, found.log


def test_the_baseline_of_the_default_branch_is_compared_with(tmp_path: Path, passed: Runner) -> None:
    found = runner(tmp_path / "bump", "Exact")
    found.branch = "bump"
    baseline = found.folder / "temp" / "conformance" / "baseline"
    baseline.mkdir(parents=True)
    kept = Path(passed.outputs["install"]["folder"]) / "run.parquet"
    (baseline / "run.parquet").write_bytes(kept.read_bytes())
    assert found.run() == 0, found.log
    decided = json.loads((baseline.parent / "gate.json").read_text(encoding="utf-8"))
    assert decided["changes"]["same"] == decided["verdicts"] > 0
    assert (baseline.parent / "comment.md").read_text(encoding="utf-8") == "", "silent: nothing changed"


def test_the_workflow_in_the_readme_can_be_pasted() -> None:
    """It is YAML, checks the suite out where it then uses it, and gives the action what it takes."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL)
    (job,) = yaml.safe_load(text)["jobs"].values()
    steps = job["steps"]
    paths = [f"./{step['with']['path']}" for step in steps if "path" in step.get("with", {})]
    (used,) = [step for step in steps if step.get("uses", "").startswith("./")]
    assert [used["uses"]] == paths
    assert steps.index(used) == len(steps) - 1
    assert set(used["with"]) <= set(ACTION["inputs"])
    required = {name for name, given in ACTION["inputs"].items() if given.get("required")}
    assert required <= set(used["with"])
