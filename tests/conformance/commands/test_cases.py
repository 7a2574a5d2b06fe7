"""``--cases``: anybody's inputs through the whole command line, and what it prints can be typed."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.by_hand import Install
from tests.support.cli import conformance
from tests.support.outside import case, held, loss, path_of
from tests.support.paths import ROOT
from tests.support.small_run import Page
from xent_conformance import run as run_from_python
from xent_conformance.asking.selection import Selection
from xent_conformance.commands.line import EVIDENCE, USAGE
from xent_conformance.reports.run import commands
from xent_conformance.reports.run.file import Run, read_run
from xent_conformance.reports.run.unusable import RunFileError
from xent_conformance.running import engine

pytestmark = pytest.mark.usefixtures("forked")

CASE = "softmax/mine/one/float32/n3/r0"


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def mine(tmp_path: Path) -> str:
    """A softmax of one row, whose own answer is far off, and a loss."""
    path_of(tmp_path, case(expected=[[0.0, 0.25, 0.75]]), loss(id="two", attributes={"ignore_index": 7}))
    return "mine.json"


def _refused(*arguments: str, status: int = USAGE) -> str:
    return " ".join(conformance(*arguments, status=status).stderr.split())


def _asked(*more: str) -> Run:
    conformance("run", "--cases", "mine.json", "--profile", "quick", "--force", *more)
    return read_run(Path("run.parquet"))


def test_every_implementation_that_takes_them_is_asked(install: Install, mine: str) -> None:
    install(fake="Exact", other="OneUlpOff")
    run = _asked()
    assert set(run.verdicts["family"]) == {"mine"} and run.complete
    assert set(run.verdicts["case"]) == {CASE}, "no fake takes ignore_index"
    assert set(run.verdicts["framework"]) == {"fake", "other"}
    assert set(run.verdicts["output"]) == {"value", "grad_logits"}


def test_the_first_finding_is_shown_by_what_is_typed(install: Install, mine: str) -> None:
    """While the run goes on: the case is of a file, which the command has to be given."""
    install(fake="AlwaysNan")
    said = conformance("run", "--cases", "mine.json", "--profile", "quick").stderr
    (line,) = [line for line in said.splitlines() if "a first finding" in line]
    program, *words = shlex.split(line.rpartition("; ")[2])
    assert program == "conformance" and words[-2:] == ["--cases", "mine.json"]
    assert CASE in conformance(*words).stdout


def test_the_header_says_which_file(install: Install, mine: str) -> None:
    install(fake="Exact")
    header = _asked().header
    (told,) = header["cases"]
    assert (told["file"], told["name"], told["refused"]) == ("mine.json", "mine", [])
    assert header["selection"]["cases"] == ["mine.json"] and header["families"] == {"mine": "by hand"}
    (file,) = Selection("quick", cases=("mine.json",)).files
    assert told["digest"] == file.digest and header["corpus"] not in ("", file.digest)
    assert set(header["exhibits"]) == set()


def test_the_files_own_answer_is_judged(install: Install, mine: str) -> None:
    install(fake="Exact")
    text = " ".join(conformance("run", "--cases", mine, "--profile", "quick").stdout.split())
    assert "mine.json: of the 1 row that it brings an answer to, 0 obey their clause" in text
    assert f"ulp off in {CASE} (clause 1.1)" in text
    (claim,) = read_run(Path("run.parquet")).header["cases"][0]["claims"]
    assert claim["case"] == CASE and claim["status"] == "breaks_must" and claim["ulps"] > 1e6
    conformance("report", "run.parquet", "-o", "page.html")
    page = Page(Path("page.html").read_text(encoding="utf-8"))
    assert "by hand; of the 1 row that it brings an answer to, 0 obey" in page.text
    assert "only cases mine.json" in page.text


def test_a_right_answer_of_the_file_is_right(install: Install, tmp_path: Path) -> None:
    install(fake="Exact")
    path_of(tmp_path, case(operator="sigmoid", logits=[[0.0]], expected=[[0.5]]))
    text = conformance("run", "--cases", "mine.json", "--profile", "quick").stdout
    assert "of the 1 row that it brings an answer to, 1 obey their clause" in text and "farthest" not in text


def test_a_failure_is_shown_again_as_it_is_printed(install: Install, mine: str) -> None:
    """Each command names the file: typed, it finds the case."""
    install(fake="AlwaysNan")
    run = _asked()
    told = commands.explain(run, CASE, "fake.softmax")
    assert told.endswith(f"{CASE} --implementation fake.softmax --cases mine.json")
    text = conformance(*shlex.split(told)[1:]).stdout
    assert "fake.softmax eager cpu" in text and "returned NaN" in text
    assert "--cases mine.json --script" in commands.script(run, run.verdicts.row(0, named=True))
    again = commands.ask_again(run.header)
    assert again == "conformance run --profile quick --cases mine.json"
    before = run.verdicts
    conformance(*shlex.split(again)[1:], "-o", "again.parquet")
    assert read_run(Path("again.parquet")).verdicts.equals(before)
    conformance("report", "run.parquet", "-o", "page.html")
    html = Path("page.html").read_text(encoding="utf-8")
    shown = set(re.findall(r"conformance explain \S+(?: --\S+ [^\s<]+)*", html))
    assert shown and all("--cases mine.json" in command for command in shown)


def test_a_case_of_the_corpus_is_explained_without_the_file(install: Install, mine: str) -> None:
    install(fake="Exact")
    told = commands.explain(_asked(), "softmax/ordinary/unit/float32/n10/r0")
    assert told == "conformance explain softmax/ordinary/unit/float32/n10/r0"


def test_a_script_shows_it() -> None:
    """It says which case it is, holds the inputs in their bits, and runs by itself."""
    path_of(Path(), case(logits=[[1.0, 2.0], [3.0, "-inf"]]))
    script = conformance(
        "explain", "softmax/mine/one/float32/n2/r1", "--cases", "mine.json",
        "--implementation", "numpy:softmax-shifted", "--script",
    ).stdout  # fmt: skip
    assert "# case:   softmax/mine/one/float32/n2/r1" in script and "0xFF800000" in script
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_gate(install: Install, mine: str) -> None:
    """A failure fails it; waivers of the corpus are not evaluated, and that is none."""
    install(fake="Exact")
    _asked()
    assert conformance("gate", "run.parquet").stdout.startswith("gate passed")
    install(fake="AlwaysNan")
    _asked()
    text = conformance("gate", "run.parquet", status=1).stdout
    assert f"{CASE}" in text and "--cases mine.json" in text


def test_a_failure_is_waived_like_any_other(install: Install, mine: str) -> None:
    """The stub's witness is of the file: it is there as long as the run is."""
    install(fake="AlwaysNan")
    _asked()
    conformance("waive", "run.parquet", "-o", "w.toml", "--no-known")
    text = Path("w.toml").read_text(encoding="utf-8")
    assert CASE in text
    written = {"reason": "a fake that is made to return nothing but NaN", "link": "https://example.org/1"}
    said = text
    for field, words in written.items():
        said = re.sub(rf"^{field} = .*$", f'{field} = "{words}"', said, flags=re.MULTILINE)
    Path("w.toml").write_text(said, encoding="utf-8")
    text = conformance("gate", "run.parquet", "--waivers", "w.toml", "--no-known").stdout
    assert text.startswith("gate passed")


def test_another_content_is_noticed(install: Install, mine: str, tmp_path: Path) -> None:
    install(fake="Exact")

    class Interrupted(Exception):
        """As Ctrl-C would."""

    def stop(_: str, done: int, planned: int) -> None:
        if done:
            raise Interrupted

    chosen = Selection("quick", cases=(mine,))
    with pytest.raises(Interrupted):
        engine.run(chosen, tmp_path / "run.parquet", progress=stop)
    path_of(tmp_path, case(logits=[[1.0, 2.0, 4.5]]))
    with pytest.raises(RunFileError, match="belongs to another run"):
        engine.run(Selection("quick", cases=(mine,)), tmp_path / "run.parquet", resume=True)
    path_of(tmp_path, case(expected=[[0.0, 0.25, 0.75]]), loss(id="two", attributes={"ignore_index": 7}))
    result = engine.run(Selection("quick", cases=(mine,)), tmp_path / "run.parquet", resume=True)
    assert result.complete


def test_several_files_and_what_narrows_them(install: Install, mine: str, tmp_path: Path) -> None:
    install(fake="Exact")
    other = path_of(tmp_path, case(operator="sigmoid"), case(id="half", dtype="float16"), name="other")
    every = ("run", "--cases", mine, "--cases", str(other), "--profile", "quick", "--force")
    conformance(*every)
    assert set(read_run(Path("run.parquet")).verdicts["family"]) == {"mine", "other"}
    conformance(*every, "--operator", "sigmoid")
    assert set(read_run(Path("run.parquet")).verdicts["operator"]) == {"sigmoid"}
    conformance(*every, "--dtype", "float16")
    assert set(read_run(Path("run.parquet")).verdicts["variant"]) == {"half"}


def test_what_of_a_file_cannot_be_asked_is_told(install: Install) -> None:
    """Of WebNN's tests one is a softmax; the others are named in the terminal and on the page."""
    install(fake="Exact")
    x = {"x": {"data": [1, 2], "descriptor": {"shape": [2], "dataType": "float32"}}}
    tests = [
        {
            "name": kind,
            "graph": {
                "inputs": x,
                "operators": [{"name": kind, "arguments": [{"input": "x"}], "outputs": "y"}],
                "expectedOutputs": {"y": {"data": [0.25, 0.75], "descriptor": {}}},
            },
        }
        for kind in ("softmax", "relu", "elu")
    ]
    Path("web.json").write_text(json.dumps({"tests": tests}), encoding="utf-8")
    text = " ".join(conformance("run", "--cases", "web.json", "--profile", "quick").stdout.split())
    told = "2 tests of it cannot be asked; relu: relu is no operator of the specification; elu: elu is no"
    assert told in text
    conformance("report", "run.parquet", "-o", "page.html")
    assert told in Page(Path("page.html").read_text(encoding="utf-8")).text


def test_two_runs_of_a_file_are_compared(install: Install, mine: str) -> None:
    install(fake="Exact")
    conformance("run", "--cases", mine, "--profile", "quick", "-o", "old.parquet")
    install(fake="AlwaysNan")
    _asked()
    text = conformance("gate", "run.parquet", "--baseline", "old.parquet", status=1).stdout
    assert "regress" in text or "worse" in text
    conformance("compare", "old.parquet", "run.parquet", "--html", "c.html")
    assert CASE in Path("c.html").read_text(encoding="utf-8")


def test_from_python(install: Install, mine: str) -> None:
    install(fake="Exact")
    run = run_from_python("quick", cases=mine)
    assert set(run.verdicts["case"]) == {CASE}
    with pytest.raises(ValueError, match=r"gone\.json: no such file"):
        run_from_python("quick", cases="gone.json")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--family", "ordinary"), "--family names a family of the corpus, and --cases asks a file's cases"),
        (("--operator", "logit"), "no case is selected: no implementation that is named takes a case"),
        (("--cases", "gone.json"), "gone.json: no such file"),
        (("--cases", "mine.json"), "its name is 'mine', as that of mine.json"),
    ],
)
def test_wrong_usage(words: tuple[str, ...], said: str, install: Install, mine: str) -> None:
    install(fake="Exact")
    assert said in _refused("run", "--cases", mine, "--profile", "quick", *words)
    assert not Path("run.parquet").exists()


def test_a_file_that_is_wrong_is_refused_in_a_line(install: Install) -> None:
    install(fake="Exact")
    Path("bad.json").write_text(json.dumps(held(case(logits=[[0.1]]))), encoding="utf-8")
    for verb in (("run",), ("explain", CASE)):
        said = _refused(*verb, "--cases", "bad.json")
        assert "bad.json: case 'one': logits[0][0]: 0.1 is no float32 number" in said


def test_explaining_what_is_not_there(install: Install, mine: str) -> None:
    install(fake="Exact")
    said = _refused("explain", "softmax/mine/one/float32/n3/r7", "--cases", mine)
    assert f"did you mean {CASE}" in said
    without = _refused("explain", CASE)
    assert "'mine' is no family; a case of a file of yours is found with --cases FILE" in without


def test_an_absent_framework_is_missing_evidence(install: Install, mine: str) -> None:
    install(fake="Exact", gone="Absent")
    assert "is not there" in _refused("run", "--cases", mine, "--framework", "gone", status=EVIDENCE)


def test_the_examples_are_asked(install: Install) -> None:
    install(fake="tests.support.fakes_in_any_manner:Whole")
    for name in ("webnn_softmax", "onnx_node_tests"):
        conformance(
            "run", "--cases", str(ROOT / f"examples/cases/{name}.json"), "--dtype", "float32", "--force"
        )
        run = read_run(Path("run.parquet"))
        assert set(run.verdicts["status"]) == {"conforms"}
        claims = run.header["cases"][0]["claims"]
        assert len(claims) >= 17 and {c["status"] for c in claims} == {"conforms"}
