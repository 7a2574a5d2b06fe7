"""Plug-ins: found by name, by file and by entry point; what is wrong with one is said, and stops no other."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points as installed
from pathlib import Path

import pytest

from tests.support.by_hand import Install
from tests.support.cli import conformance
from tests.support.paths import ROOT
from xent_conformance.check_plugin.check import check
from xent_conformance.commands.line import EVIDENCE, FAILED, USAGE
from xent_conformance.discovery import plugins
from xent_conformance.discovery.framework import FRAMEWORKS
from xent_conformance.discovery.plugins import PluginError, PluginNotFound, load, load_installed, locate
from xent_conformance.discovery.problems import problems
from xent_conformance.frameworks import jax, keras, numpy, onnx, optax, scipy, tensorflow, torch
from xent_conformance.reports.run.file import read_run

HERE = ROOT / "tests" / "plugins"
RIGHT = str(HERE / "right_plugin.py")
WRONG = str(HERE / "wrong_plugins.py")
SMALL = ["--profile", "quick", "--dtype", "float32", "--operator", "softmax", "--family", "two_classes"]


@pytest.fixture(autouse=True)
def _modules_as_they_were(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No test finds the modules of another's plug-in; registry and path are every test's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    modules = set(sys.modules)
    yield
    for name in set(sys.modules) - modules:
        if str(getattr(sys.modules[name], "__file__", "")).startswith((str(HERE), str(tmp_path))):
            del sys.modules[name]


def _words(text: str) -> str:
    return " ".join(text.split())


def _entry_point(folder: Path, monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    """Install a distribution with these entry points into ``folder``."""
    about = folder / "strangers-1.5.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: strangers\nVersion: 1.5\n")
    lines = "".join(f"{name} = {value}\n" for name, value in values.items())
    (about / "entry_points.txt").write_text(f"[{plugins.GROUP}]\n{lines}")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.syspath_prepend(str(HERE))


# --- found ---------------------------------------------------------------------------------------------


def test_a_plugin_in_a_file() -> None:
    (framework,) = load(RIGHT)
    assert FRAMEWORKS["right"] is framework
    assert framework.optional and framework.adapter == "right_plugin:Right"
    assert framework.search == (str(HERE),) and framework.install == "pip install right"
    assert [i.name for i in framework.declaration.implementations] == ["right.softmax", "right.cross_entropy"]


@pytest.mark.parametrize("reference", ["right_plugin", "right_plugin:Right", "{HERE}/right_plugin.py:Right"])
def test_a_plugin_by_its_name(reference: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(HERE))
    assert [f.name for f in load(reference.format(HERE=HERE))] == ["right"]


def test_a_plugin_in_the_current_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """The script's own folder is on the path, not the folder where it was called."""
    monkeypatch.chdir(HERE)
    assert load("right_plugin")[0].search == (str(HERE),)


def test_a_plugin_in_a_package(tmp_path: Path) -> None:
    """A worker looks where the package is, not inside of it."""
    package = tmp_path / "strange" / "inner"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(Path(RIGHT).read_text().replace('"right"', '"strange"'))
    (framework,) = load("strange.inner:Right")
    assert framework.adapter == "strange.inner:Right" and framework.search == (str(tmp_path),)


def test_a_library_on_every_workers_path_is_not_put_before_the_standard_one() -> None:
    assert locate("numpy.ma:MaskedArray")[0].search == ()


def test_every_adapter_of_a_module() -> None:
    assert [located.kind.__name__ for located in locate(WRONG)][:2] == ["NameOfNumber", "NameWithSpace"]


def test_taking_one_twice_changes_nothing() -> None:
    first = load(RIGHT)
    number = len(FRAMEWORKS)
    assert load(f"{RIGHT}:Right") == first and len(FRAMEWORKS) == number


# --- what cannot be taken --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("no_such_plugin", "there is no module no_such_plugin on the path or in"),
        ("no_such.plugin", "there is no module no_such.plugin"),
        ("not-a-module", "'not-a-module' is no module; name MODULE, MODULE:CLASS or path/to/file.py"),
        ("gone/plugin.py", "there is no file"),
        ("{HERE}/right_plugin.py:Rigth", "has no class Rigth; there is Right"),
        ("{HERE}/empty_plugin.py", "has no adapter: a public class with `implementations` and `run`"),
        ("{HERE}/raising_plugin.py", "importing raising_plugin raises RuntimeError: built for another"),
        ("{HERE}/absent_plugin.py", "import the framework in __init__, never at the top"),
        (
            "{HERE}/taken_plugin.py",
            "'numpy' is taken by xent_conformance.frameworks.numpy:NumPy",
        ),
        ("{HERE}/wrong_plugins.py:UnknownOperator", "unknown operator 'softmx': did you mean softmax"),
        ("{HERE}/wrong_plugins.py:UnknownOperator", "`conformance check-plugin"),
    ],
)
def test_what_cannot_be_taken(reference: str, words: str) -> None:
    before = dict(FRAMEWORKS)
    with pytest.raises(PluginError) as error:
        load(reference.format(HERE=HERE))
    assert words in str(error.value)
    assert before == FRAMEWORKS


def test_a_name_that_is_taken_is_a_problem_too() -> None:
    """Or a plug-in were fine that no run takes."""
    taken = (
        "the name 'numpy' is taken by xent_conformance.frameworks.numpy:NumPy: give the class another `name`"
    )
    assert taken in check(f"{HERE}/taken_plugin.py")
    assert not any("is taken" in line for line in check("numpy"))


def test_two_of_one_name_in_one_module(tmp_path: Path) -> None:
    file = tmp_path / "twins.py"
    file.write_text(Path(RIGHT).read_text() + "\n\nclass Left(Right):\n    pass\n")
    with pytest.raises(PluginError, match="the name 'right' is taken by twins:"):
        load(str(file))
    assert "right" not in FRAMEWORKS
    lines = check(str(file))
    taken = [line for line in lines if "is taken by twins:" in line]
    assert [line.partition(": ")[0] for line in taken] == ["Right", "Left"], lines


def test_a_class_under_two_names_is_one(tmp_path: Path) -> None:
    file = tmp_path / "aliased.py"
    file.write_text(Path(RIGHT).read_text() + "\n\nAlias = Right\n")
    assert not any("is taken by" in line for line in check(str(file)))


def test_a_name_that_is_no_text_is_a_problem_and_no_error(tmp_path: Path) -> None:
    file = tmp_path / "listed.py"
    file.write_text(Path(RIGHT).read_text().replace('name = distribution = "right"', 'name = ["right"]'))
    assert any(line.startswith("`name` is a list, not text") for line in check(str(file)))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("json.py", "has the name of another module"),
        ("numpy.py", "rename it"),
        ("two-words.py", "cannot be imported"),
    ],
)
def test_a_file_that_would_hide_another_module(name: str, words: str, tmp_path: Path) -> None:
    """A worker looks in the plug-in's folder first: its ``numpy.py`` would be everybody's."""
    (tmp_path / name).write_text(Path(RIGHT).read_text())
    with pytest.raises(PluginError, match=words):
        load(str(tmp_path / name))


# --- entry points ----------------------------------------------------------------------------------------


def test_entry_points(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _entry_point(tmp_path / "site", monkeypatch, good="right_plugin:Right", broken="raising_plugin:Raising")
    assert len(installed(group=plugins.GROUP)) == 2
    (broken,) = load_installed()
    who, _, why = str(broken).partition(" is left out: ")
    assert who == "plug-in broken = raising_plugin:Raising of strangers 1.5"
    assert why.startswith("importing raising_plugin raises RuntimeError: built for")
    assert "right" in FRAMEWORKS


def test_a_broken_entry_point_is_a_warning_and_the_rest_runs(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _entry_point(
        tmp_path / "site", monkeypatch, good="right_plugin:Right", taken="wrong_plugins:UnknownProfile"
    )
    install()
    result = conformance("run", *SMALL, "-o", "out.parquet")
    assert "warning: plug-in taken" in result.stderr and "unknown profile" in _words(result.stderr)
    verdicts = read_run(tmp_path / "out.parquet").verdicts
    assert set(verdicts["framework"]) == {"right"} and set(verdicts["status"]) == {"conforms"}


def test_list_reports_a_broken_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _entry_point(tmp_path / "site", monkeypatch, absent="absent_plugin:Absent", good="right_plugin")
    result = conformance("list", "implementations")
    assert "warning: plug-in absent" in result.stderr and "right.softmax" in result.stdout


# --- the command line ------------------------------------------------------------------------------------


def test_run_with_a_plugin(install: Install, tmp_path: Path) -> None:
    install()
    text = conformance("run", *SMALL, "--plugin", RIGHT, "-o", "out.parquet").stdout
    assert "right" in text
    run = read_run(tmp_path / "out.parquet")
    assert run.complete and set(run.verdicts["implementation"]) == {"right.softmax"}


def test_a_named_plugin_whose_framework_is_absent(install: Install) -> None:
    """Named as a framework, it is missed; as a plug-in alone it is an optional framework like any other."""
    install(fake="Exact")
    reference = f"{WRONG}:NotInstalled"
    result = conformance("run", *SMALL, "--plugin", reference)
    assert "not installed, so not asked: right" in _words(result.stdout)
    result = conformance(
        "run", *SMALL, "--plugin", reference, "--framework", "right", "--force", status=EVIDENCE
    )
    assert "pip install right" in _words(result.stderr)


@pytest.mark.parametrize(
    "command",
    [
        ["run", *SMALL],
        ["list", "operators"],
        ["explain", "softmax/special_values/nan_first/float32/n10/r0"],
        ["search", "--implementation", "right.softmax"],
    ],
    ids=lambda c: c[0],
)
def test_a_named_plugin_that_cannot_be_taken_is_wrong_usage(command: list[str], tmp_path: Path) -> None:
    result = conformance(*command, "--plugin", "no_such_plugin", status=USAGE)
    assert "error: --plugin no_such_plugin: there is no module no_such_plugin" in _words(result.stderr)
    assert result.stdout == "" and not list(tmp_path.glob("run.parquet*"))


def test_list_and_explain_with_a_plugin(install: Install) -> None:
    install()
    assert "right.cross_entropy" in conformance("list", "implementations", "--plugin", RIGHT).stdout
    assert "1.0" in conformance("list", "devices", "--plugin", RIGHT).stdout
    case = "softmax/special_values/nan_first/float32/n10/r0"
    assert "right.softmax eager cpu" in conformance("explain", case, "--plugin", RIGHT).stdout


def test_search_in_a_plugin(install: Install) -> None:
    install()
    found = conformance("search", "--implementation", "right.softmax", "--budget", "0", "--plugin", RIGHT)
    assert "right.softmax" in found.stdout


# --- check-plugin ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["numpy", "right_plugin", "{HERE}/right_plugin.py"])
def test_check_plugin_of_a_right_one(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name = name.format(HERE=HERE)
    monkeypatch.syspath_prepend(str(HERE))
    assert _words(conformance("check-plugin", name).stdout) == f"{name} is fine"


@pytest.mark.parametrize(
    "kind",
    [
        *(torch.Torch, jax.Jax, tensorflow.TensorFlow, numpy.NumPy, scipy.SciPy, optax.Optax),
        *(onnx.OnnxReference, onnx.OnnxRuntime, keras.KerasTorch, keras.KerasJax, keras.KerasTensorFlow),
    ],
)
def test_what_ships_is_declared_as_it_should_be(kind: type) -> None:
    assert problems(kind) == []


@pytest.mark.parametrize(
    ("name", "what", "remedy"),
    [
        ("MissingRun", "has no attribute `run`", "add `def run(self, call)`"),
        ("NameOfNumber", "`name` is an int, not text", "it is the name on the report"),
        ("NameWithSpace", "`name` is 'two words'", "use letters, digits"),
        ("NoDistribution", "`distribution` is an empty str", "the name that `pip install` takes"),
        ("ModesAreAList", "`modes` is a list", 'modes = {"eager": "quick"}'),
        ("UnknownProfile", "unknown profile of mode 'eager', 'quik'", "did you mean quick"),
        ("AutodiffIsText", "`autodiff` is a str, not True or False", "autodiff = False"),
        ("VersionIsText", "`version` is a str, not a method", "add `def version(self)`"),
        ("NoImplementations", "`implementations` is an empty tuple", "interface.Implementation"),
        ("NotAnImplementation", "`implementations` holds a tuple", "interface.Implementation"),
        ("UnknownOperator", "wrong.softmax: unknown operator 'softmx'", "did you mean softmax"),
        ("UnknownFormulation", "unknown formulation 'fusd'", "did you mean fused"),
        ("UnknownSince", "unknown profile in `since`, 'sometimes'", "there are quick, standard, full"),
        ("CameWithNoVersion", "`came` is a str, no version", 'such as "2.13"'),
        ("UnknownClassAxis", "class_axis is 'third'", '"last", "second" or None'),
        ("CallIsText", "its call is a str", "give a function"),
        ("Twice", "2 implementations of softmax have this name", "give each its own"),
        ("UnknownKeyword", "unknown keyword in `takes`, 'weigth'", "did you mean weight"),
        ("TakesWhatItDoesNotAccept", "takes 'out', which its call does not accept", "leave it out"),
        ("TakesAList", "`takes` is a list", "make it a frozenset"),
        ("UnknownLayout", "unknown name in `layouts`, 'diagonal'", "there are transposed"),
        ("UnknownState", "unknown name in `states['eager']`, 'thread'", "did you mean threads"),
        ("StatesAreASet", "`states` is a set, not a mapping", "map each mode to a frozenset"),
        ("StateOfAnUnknownMode", "unknown mode in `states`, 'compiled'", "there are eager"),
        ("UnknownMoving", "unknown name in `moving`, 'jpv'", "did you mean jvp"),
        ("RestrictsAnUnknownMode", "unknown mode in `restricted`, 'compiled'", "there are eager"),
        ("RestrictsToAnUnknownDoor", "'right.sofmax'", "did you mean right.softmax"),
        ("UnknownFormat", "'float31'", "did you mean float32"),
        ("WidensAnUnknownMode", "unknown name in `widening`, 'autocast'", "there are eager"),
        ("AnUnknownModeInOrder", "unknown name in `in_order`, 'compiled'", "there are eager"),
        ("VariantIsADict", "variant 'slow' is a dict", "interface.Variant"),
        ("VariantSetsANumber", "is not a mapping from text to text", "OMP_NUM_THREADS"),
        ("EnvironmentBeforeIsAList", "`environment_before` is not a mapping", "OMP_NUM_THREADS"),
        ("ImportsIsText", "`imports` is no sequence of names of packages", '("torch", "mine")'),
        ("DoesWithoutWhatItImports", "colorsys is in `imports` and in `without`", "name it in one"),
        ("WithoutIsText", "`without` is no sequence of names of packages", '("jax",)'),
        ("NotInstalled", "its framework is not installed", "pip install right"),
        ("DoesNotStart", "it does not start: AttributeError: module 'numpy' has no", "see to its __init__"),
        ("VersionIsATuple", "version() returns (1, 0)", "return text"),
        ("VersionRaises", "version() raises KeyError: 'version'", "return text"),
        ("EnvironmentHoldsANumber", "environment() returns {'threads': 1}", "from text to text"),
        ("DevicesAreText", "devices() returns 'cpu'", "return a list of names"),
        ("NoDevices", "devices() returns []", "return a list of names"),
        ("RunRaises", "run() in mode 'eager' raises IndexError: too many indices", "or list what they lack"),
        ("AnswersNothing", "has no value of any implementation (Unsupported: not today)", "or list it in"),
        ("ReturnsTheArray", "returns numpy.ndarray, not a mapping", "return a dict"),
        ("MissingValue", "returns a dict without value", "return it"),
        ("ReturnsAList", "returns list for value", "as a NumPy array"),
        ("WrongShape", "returns shape (2, 3, 1) for value of logits (2, 3)", "return (2, 3)"),
        ("WrongDtype", "returns float64 for float32 logits", "return the dtype that the framework gave"),
        ("Mutates", "changes the arrays it is given", "copy them"),
        ("Nondeterministic", "returns other bits for value when it is asked again", "fix seeds"),
        ("PassesOverAState", "for grad_logits what is not twice the gradient", "add up two backwards"),
        ("RaisesInAState", "state 'second_backward' raises RuntimeError: the graph", "leave it out of"),
        ("AnswersNothingInAState", "state 'inference' returns NoneType for value", "leave it out"),
        ("ForgetsAfterwards", "raises RuntimeError: the graph was freed", "keep no state"),
        ("ClaimsAutodiff", "returns a dict without grad_logits", "or say `autodiff = False`"),
        ("RefusesGradients", "run() has no grad_logits of any implementation", "or say `autodiff = False`"),
        ("WrongValue", "wrong.softmax: value is wrong on", "conformance explain softmax/ordinary/"),
        ("IgnoresKeywords", "right.cross_entropy: value with 'weight' is wrong on", "conformance explain"),
        ("RefusesKeywords", "takes 'weight', but the value cannot be had with it", "pass `call.keywords`"),
    ],
)  # fmt: skip
def test_check_plugin_of_a_wrong_one(
    name: str, what: str, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xent_conformance.check_plugin.check._heavy_imports", lambda located: ())
    lines = check(f"{WRONG}:{name}")
    line = next(line for line in lines if what in line)
    assert remedy in line and "\n" not in line
    assert len(lines) <= 3, lines


def test_check_plugin_of_one_that_has_the_states_it_declares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xent_conformance.check_plugin.check._heavy_imports", lambda located: ())
    states = [line for line in check(f"{WRONG}:SigmoidByHand") if "state" in line]
    assert states == []


def test_check_plugin_sees_a_framework_imported_at_the_top() -> None:
    result = conformance("check-plugin", str(HERE / "hasty_plugin.py"), status=FAILED)
    assert "importing hasty_plugin imports tinygrad, which makes every listing slow" in _words(result.stdout)
    assert "import the framework in __init__" in result.stdout
    assert "has 1 problem" in result.stderr


def test_check_plugin_of_one_that_cannot_be_imported() -> None:
    result = conformance("check-plugin", str(HERE / "raising_plugin.py"), status=FAILED)
    assert "importing raising_plugin raises RuntimeError: built for another Python" in _words(result.stdout)


def test_check_plugin_of_an_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _entry_point(tmp_path / "site", monkeypatch, mine="right_plugin:Right")
    assert check("mine") == [] and check("right") == []


def test_check_plugin_names_the_class_where_there_are_several(tmp_path: Path) -> None:
    file = tmp_path / "several.py"
    file.write_text(Path(RIGHT).read_text() + '\n\nclass Left(Right):\n    name, modes = "left", {}\n')
    (line,) = check(str(file))
    assert line.startswith("Left: `modes` is an empty dict")


def test_check_plugin_of_an_unknown_name() -> None:
    result = conformance("check-plugin", "numpi", status=USAGE)
    assert "there is no module numpi" in result.stderr and "did you mean numpy?" in _words(result.stderr)
    with pytest.raises(PluginNotFound, match="there is no file"):
        check("gone.py")
    with pytest.raises(PluginNotFound, match=r"there is no file [^;]*$"):  # scipy was not meant
        check("missing.py")


def test_check_plugin_in_a_shell(tmp_path: Path) -> None:
    """As an author calls it: a process of its own, in the folder of the plug-in."""
    done = subprocess.run(
        [sys.executable, "-m", "xent_conformance", "check-plugin", "right_plugin"],
        capture_output=True,
        text=True,
        cwd=HERE,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
