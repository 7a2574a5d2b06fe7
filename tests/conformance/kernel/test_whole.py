"""``checked.explain()`` and ``checked.script()``: of one's own function what the command has of others."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.support.scripts import run_scripts
from xent_conformance import Checked, check
from xent_conformance.explain.wanted import Refused
from xent_conformance.kernel.naming import name_of

SPARSE = "sparse_softmax_cross_entropy"

KERNELS = '''
import numpy as np
import torch


def no_shift(x, y):
    e = torch.exp(x)
    return -torch.log(e.gather(1, y[:, None]).squeeze(1) / e.sum(dim=-1))


def right(x, y, weight=None):
    return torch.nn.functional.cross_entropy(x, y, weight=weight, reduction="none")


def unweighted(x, y, weight=None):
    return torch.nn.functional.cross_entropy(x, y, reduction="none")


class Scaled(torch.autograd.Function):
    """A gradient of its own, divided by the number of rows."""

    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return right(x, y)

    @staticmethod
    def backward(ctx, c):
        x, y = ctx.saved_tensors
        one_hot = torch.nn.functional.one_hot(y, x.shape[1])
        return (torch.softmax(x, -1) - one_hot) * c[:, None] / len(x), None


class Losses:
    @staticmethod
    def no_shift(x, y):
        return no_shift(x, y)


class Module(torch.nn.Module):
    def forward(self, x, y):
        return no_shift(x, y)


module = Module()


def array(x):
    return torch.softmax(x.detach(), -1).numpy()


def nothing(x):
    torch.softmax(x, -1)


def column(x):
    return torch.softmax(x, -1)[:, :1]


def pair(x):
    return torch.softmax(x, -1), x


def numpy_no_shift(x):
    with np.errstate(all="ignore"):
        e = np.exp(x)
        return e / e.sum(axis=-1, keepdims=True)


def inside():
    def loss(x, y):
        return no_shift(x, y)

    return loss
'''


@pytest.fixture
def kernels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A module of the user's, in a folder that is on the path for this test alone."""
    folder = tmp_path / "theirs"
    folder.mkdir()
    (folder / "their_kernels.py").write_text(KERNELS, encoding="utf-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(folder)
    yield pytest.importorskip("their_kernels")
    sys.modules.pop("their_kernels")


def _check(function: Any, *families: str, framework: str = "torch", **more: Any) -> Checked:
    given: dict[str, Any] = {"operator": SPARSE, "dtypes": "float32", "families": families or None}
    return check(function, framework=framework, **given | more)


def _ran(script: str, tmp_path: Path) -> tuple[int, str]:
    """The script by itself, where neither this suite nor ml_dtypes can be imported."""
    path = tmp_path / "shows_it.py"
    path.write_text(script, encoding="utf-8")
    (ended,) = run_scripts([path], "torch")
    return ended


# --- what it is called ------------------------------------------------------------------------------------


def test_names_are_those_that_its_author_would_say(kernels: ModuleType) -> None:
    """Every autograd function inherits one ``Function.apply``; a partial function has no name at all."""
    import functools

    assert name_of(kernels.Scaled.apply) == "Scaled.apply"
    assert name_of(kernels.Losses().no_shift) == "Losses.no_shift"
    assert name_of(kernels.module) == "Module" and name_of(kernels.module.forward) == "Module.forward"
    assert name_of(functools.partial(kernels.right, weight=None)) == "right"
    assert name_of(kernels.inside()) == "loss" and name_of(lambda x: x) == "<lambda>"
    assert name_of(np.exp) == "ufunc" or name_of(np.exp) == "exp"
    checked = _check(kernels.Scaled.apply, "ordinary")
    assert set(checked.verdicts["implementation"]) == {"Scaled.apply"}


# --- a script ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["no_shift", "Losses.no_shift", "module", "Scaled.apply"])
def test_the_script_shows_the_worst_without_this_suite(
    name: str, kernels: ModuleType, tmp_path: Path
) -> None:
    function: Any = kernels
    for part in name.split("."):
        function = getattr(function, part)
    checked = _check(function, "ordinary" if name == "Scaled.apply" else "huge_logits")
    script = checked.script()
    assert f"from their_kernels import {name.partition('.')[0]}\n" in script
    assert checked.findings["case"][0] in script and f"{name}(logits, labels)" in script
    assert "xent_conformance" not in script and "import conformance" not in script
    status, told = _ran(script, tmp_path)
    assert status == 1 and told.splitlines()[-1].startswith("differs: returned "), told


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float64"])
def test_formats(dtype: str, kernels: ModuleType, tmp_path: Path) -> None:
    """bfloat16 with NumPy and torch alone."""
    status, told = _ran(_check(kernels.no_shift, "huge_logits", dtypes=dtype).script(), tmp_path)
    assert status == 1 and "differs: returned " in told, told


def test_keywords_are_passed_and_a_right_case_ends_with_0(kernels: ModuleType, tmp_path: Path) -> None:
    wrong = _check(kernels.unweighted, "attributes", takes=("weight",))
    script = wrong.script()
    assert "unweighted(logits, labels, weight=weight)" in script
    assert _ran(script, tmp_path)[0] == 1
    right = _check(kernels.right, "attributes", takes=("weight",))
    assert right.conforms
    assert _ran(right.script(wrong.findings["case"][0]), tmp_path)[0] == 0


def test_the_output_that_is_said_to_be_the_worst_is_the_one_that_is_shown(kernels: ModuleType) -> None:
    """Not another one of its case, which is wrong as well."""
    checked = _check(kernels.column, "two_classes", operator="softmax")
    assert checked.findings["output"].head(2).to_list() == ["value", "grad_logits"]
    assert "# output: the value: wrong shape\n" in checked.script()
    assert "# output: the gradient in the logits: " in checked.script(output="grad_logits")


def test_a_function_of_numpy(kernels: ModuleType, tmp_path: Path) -> None:
    checked = _check(kernels.numpy_no_shift, "huge_logits", framework="numpy", operator="softmax")
    status, told = _ran(checked.script(), tmp_path)
    assert status == 1 and "differs: returned nan, right " in told


@pytest.mark.parametrize(
    ("name", "said", "printed"),
    [("array", "a NumPy array", "ndarray"), ("nothing", "None", "NoneType"), ("pair", "a tuple", "tuple")],
)
@pytest.mark.parametrize("output", ["value", "grad_logits"])
def test_what_is_no_tensor_is_told_and_its_script_ends_with_1(
    name: str, said: str, printed: str, output: str, kernels: ModuleType, tmp_path: Path
) -> None:
    checked = _check(getattr(kernels, name), "two_classes", operator="softmax")
    rows = checked.verdicts.filter(output=output)
    assert set(rows["message"]) == {f"TypeError: returned {said}, not a tensor"}
    assert set(rows["clause"]) == {"1.7"} and set(rows["status"]) == {"breaks_must"}
    status, told = _ran(checked.script(rows["case"][0], output), tmp_path)
    assert status == 1 and told == f"differs: returned {printed}, not a tensor"


def test_what_has_no_name_that_can_be_imported_is_refused_with_what_to_do(kernels: ModuleType) -> None:
    for function in (kernels.inside(), lambda x, y: kernels.no_shift(x, y)):
        checked = _check(function, "huge_logits")
        with pytest.raises(Refused, match="define it at the top of a module"):
            checked.script()
        assert "breaks must" in checked.explain(), "it can be explained all the same"


def test_a_function_of_the_program_that_was_started_is_refused(tmp_path: Path) -> None:
    """To import it would start the program again."""
    program = tmp_path / "program.py"
    program.write_text(
        "import numpy as np\n"
        "from xent_conformance import check\n\n\n"
        "def mine(x):\n"
        "    return np.zeros_like(x)\n\n\n"
        'checked = check(mine, operator="softmax", framework="numpy", dtypes="float32", families="widths")\n'
        "try:\n    checked.script()\n"
        "except Exception as error:\n    print(type(error).__name__, error)\n"
        "try:\n    checked.raise_on_divergence()\n"
        "except Exception as error:\n    print(error)\n",
        encoding="utf-8",
    )
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, check=True)
    why = "mine is defined in the program that was started: put it into a module, and import it"
    refused, *told = done.stdout.splitlines()
    assert refused == f"Refused {why}"
    (offered,) = (line for line in told if "without this suite" in line)
    assert offered.endswith(f"; but first: {why}"), "no advice that cannot be followed"


# --- a case whole -----------------------------------------------------------------------------------------


def test_a_case_is_explained_as_the_command_explains_it(kernels: ModuleType) -> None:
    checked = _check(kernels.no_shift, "huge_logits", "ordinary")
    (worst, *_) = checked.findings.iter_rows(named=True)
    told = checked.explain()
    assert told.startswith(f"{worst['case']}  ") and "certified grad_logits:" in told
    assert ": no_shift eager cpu\n" in told and f"breaks must, clause {worst['clause']} (must)" in told
    assert "not installed" not in told
    right = f"{SPARSE}/ordinary/unit/float32/n10/r0"
    assert checked.explain(right).startswith(right) and "breaks must" not in checked.explain(right)


def test_what_cannot_be_explained(kernels: ModuleType) -> None:
    checked = _check(kernels.right, "near_ties")
    with pytest.raises(ValueError, match="breaks no clause here: name the case"):
        checked.explain()
    with pytest.raises(ValueError, match="no case 'what'; a case id reads"):
        checked.explain("what")
    with pytest.raises(ValueError, match="right is not asked about softmax/"):
        checked.explain("softmax/ordinary/unit/float32/n10/r0")
    with pytest.raises(Refused, match="is not asked about this case"):
        checked.script("softmax/ordinary/unit/float32/n10/r0")
