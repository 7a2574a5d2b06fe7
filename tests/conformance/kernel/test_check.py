"""``xent_conformance.check``: a right kernel conforms, a wrong one does not, and the message says where."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

import xent_conformance
from tests.support.later import Later
from tests.support.paths import ROOT
from xent_conformance import Checked, Divergence, check
from xent_conformance.reports.run import commands
from xent_conformance.reports.run.unusable import RunFileError
from xent_conformance.reports.run.words import Status

if TYPE_CHECKING:
    import torch
else:
    torch = Later("torch")

SPARSE = "sparse_softmax_cross_entropy"
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def torch_loss(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """As people write it: log-softmax in binary32, and gather."""
    log_probabilities = torch.log_softmax(x.float() if x.itemsize < 4 else x, dim=-1)
    return -log_probabilities.gather(1, y[:, None]).squeeze(1).to(x.dtype)


def numpy_loss(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The shifted one; NumPy would take a negative index from the end."""
    if y.size and not 0 <= y.min() <= y.max() < x.shape[1]:
        raise IndexError("a label is no class")
    shifted = x - x.max(axis=-1, keepdims=True)
    return np.log(np.exp(shifted).sum(axis=-1)) - np.take_along_axis(shifted, y[:, None], axis=-1)[:, 0]


def _check(function: Callable[..., Any], *families: str, framework: str = "torch", **more: Any) -> Checked:
    given: dict[str, Any] = {"operator": SPARSE, "dtypes": "float32", "families": families or None}
    return check(function, framework=framework, **given | more)


# --- right ones ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["bfloat16", "float32", "float64"])
def test_a_right_torch_kernel_conforms(dtype: str) -> None:
    checked = _check(torch_loss, dtypes=[dtype])
    assert checked.conforms, checked
    checked.raise_on_divergence()
    moving = {"jvp", "hvp"} if dtype == "float32" else set()
    assert set(checked.verdicts["output"]) == {"value", "grad_logits"} | moving
    assert set(checked.verdicts["dtype"]) == {dtype}
    assert len(set(checked.verdicts["family"])) > 8


def test_that_one_format_alone_is_wrong_is_said_first() -> None:
    def off_in(*wrong: str) -> Checked:
        def loss(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            return torch_loss(x, y) + (1 if str(x.dtype).removeprefix("torch.") in wrong else 0)

        formats = ["bfloat16", "float16", "float32"]
        return _check(loss, "ordinary", dtypes=formats, differentiable=False)

    def said(checked: Checked) -> str:
        with pytest.raises(Divergence) as error:
            checked.raise_on_divergence()
        return str(error.value).splitlines()[0].removeprefix(f"{checked.what}: ")

    one, alone = off_in("float32"), "breaks must clauses in float32 alone, of 3 formats"
    assert said(one).startswith(f"{alone}: value beyond the stable bound in ")
    assert f"; {alone}; worst: " in repr(one)
    two = off_in("float32", "float16")
    assert said(two).startswith("value beyond the stable bound in ") and " alone, of " not in repr(two)
    only = _check(lambda x, y: torch_loss(x, y) + 1, "ordinary", differentiable=False)
    assert " alone, of " not in said(only) + repr(only)


def test_a_right_numpy_kernel_conforms() -> None:
    checked = _check(numpy_loss, framework="numpy")
    assert checked.conforms and set(checked.verdicts["output"]) == {"value"}
    assert set(checked.verdicts["framework"]) == {"numpy"}


def test_the_verdicts_are_those_of_a_run(tmp_path: Path) -> None:
    """The same arithmetic, asked here and in a worker by the framework's own name."""
    named = {"operators": "softmax", "dtypes": "float32", "families": ["two_classes", "special_values"]}
    ran = xent_conformance.run("quick", "torch", **named, implementation="torch.softmax", devices="cpu")
    checked = check(
        lambda x, axis=-1, **out: torch.softmax(x, dim=axis, **out),
        operator="softmax",
        framework="torch",
        dtypes="float32",
        families=["two_classes", "special_values"],
        takes=("axis", "out"),
        name="torch.softmax",
    )
    columns = ["case", "output", "status", "clause", "ulps", "bits"]
    theirs = ran.verdicts.filter(mode="eager").select(columns).sort("case", "output")
    assert checked.verdicts.select(columns).equals(theirs)


def test_keywords_are_asked_where_they_are_taken() -> None:
    def softmax(x: torch.Tensor, axis: int = -1) -> torch.Tensor:
        return torch.softmax(x, dim=axis)

    plain = _check(softmax, "shapes", operator="softmax").verdicts
    taken = _check(softmax, "shapes", operator="softmax", takes=["axis"])
    assert taken.conforms and taken.verdicts.height > plain.height

    last = _check(softmax, "shapes", operator="softmax", class_axis="last").verdicts
    assert plain.height < last.height < taken.verdicts.height


def test_attributes() -> None:
    def weighted(x: torch.Tensor, y: torch.Tensor, weight: torch.Tensor | None = None) -> torch.Tensor:
        return torch.nn.functional.cross_entropy(x, y, weight=weight, reduction="none")

    def unweighted(x: torch.Tensor, y: torch.Tensor, weight: torch.Tensor | None = None) -> torch.Tensor:
        return torch.nn.functional.cross_entropy(x, y, reduction="none")

    assert _check(weighted, "attributes", takes=("weight",)).conforms
    wrong = _check(unweighted, "attributes", takes=("weight",))
    assert not wrong.conforms and wrong.findings["clause"][0].startswith("6.")


# --- wrong ones ------------------------------------------------------------------------------------------


def no_shift(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    e = torch.exp(x)
    return -torch.log(e.gather(1, y[:, None]).squeeze(1) / e.sum(dim=-1))


def mean_over_rows(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return torch_loss(x, y).mean()


def nan_leak(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """A NaN of another row in the block is everybody's."""
    return torch_loss(x, y) + 0 * x.sum()


def index_through_float(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return torch_loss(x, y.to(torch.bfloat16).long())


def scaled(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """A gradient of its own, divided by the number of rows."""

    class Scaled(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            ctx.save_for_backward(x, y)
            return torch_loss(x, y)

        @staticmethod
        def backward(ctx: Any, c: torch.Tensor) -> tuple[torch.Tensor, None]:
            x, y = ctx.saved_tensors
            one_hot = torch.nn.functional.one_hot(y, x.shape[1])
            return (torch.softmax(x, -1) - one_hot) * c[:, None] / len(x), None

    return Scaled.apply(x, y)


@pytest.mark.parametrize(
    ("kernel", "families", "clause", "words"),
    [
        (no_shift, ["huge_logits"], "2.1", ["No overflow inside", "value NaN in", "got      NaN"]),
        (mean_over_rows, ["ordinary"], "1.4", ["grad_logits was never answered"]),
        (scaled, ["ordinary"], "1.1", ["grad_logits beyond the stable bound", "ulp, divergent"]),
        (nan_leak, ["special_values"], "4.1", ["NaN in", "expected"]),
        (index_through_float, ["index_labels"], "6.3", ["raised: RuntimeError: index 1000 is out of"]),
    ],
    ids=lambda given: getattr(given, "__name__", None),
)  # fmt: skip
def test_a_wrong_kernel_diverges(
    kernel: Callable[..., Any], families: list[str], clause: str, words: list[str]
) -> None:
    checked = _check(kernel, *families)
    assert not checked.conforms
    with pytest.raises(Divergence) as divergence:
        checked.raise_on_divergence()
    message = str(divergence.value)
    broken = checked.findings.filter(pl.col("level") == "must")["clause"].to_list()
    assert clause in broken and f"clause {broken[0]} (must)" in message
    assert f"case {SPARSE}/" in message and "conformance explain" in message
    assert [w for w in words if w not in message] == []


def test_the_message() -> None:
    """Expected and got in decimal and in bits, the ulps, the clause and the case."""
    checked = _check(lambda x: torch.softmax(x, -1) * 1.0001, "two_classes", operator="softmax", name="off")
    with pytest.raises(AssertionError) as divergence:
        checked.raise_on_divergence()
    lines = str(divergence.value).splitlines()
    said = r"(value|grad_logits) beyond the stable bound in \d+ of \d+ rows; \d+ findings?, the worst:"
    assert re.fullmatch(rf"off as softmax, torch eager cpu: {said}", lines[0])
    assert lines[1].startswith("  clause 2.5 (must) Two classes")
    assert re.fullmatch(r"  (value|grad_logits): beyond the stable bound in \d+ of \d+ rows", lines[2])
    assert lines[3].startswith("  case softmax/two_classes/")
    number = r"-?[\d.e+-]+"
    assert re.fullmatch(rf"    got      {number}  0x[0-9a-f]{{8}}", lines[4])
    assert re.fullmatch(rf"    expected {number}  0x[0-9a-f]{{8}}", lines[5])
    assert re.fullmatch(rf"    exactly  {number}", lines[6])
    assert re.fullmatch(r"    error    [\d,.]+ ulp, divergent", lines[7])


def test_the_value_that_overflows_is_told_before_the_gradient_that_is_nan_for_it() -> None:
    """Both are as far off as can be, and the gradient is in as many rows: by name alone it would be first."""

    def naive(x: torch.Tensor) -> torch.Tensor:
        return torch.exp(x) / torch.exp(x).sum(-1, keepdim=True)

    checked = _check(naive, "huge_logits", operator="softmax")
    assert xent_conformance.findings(checked.run)["output"][0] == "grad_logits"
    with pytest.raises(Divergence, match=r"value NaN in \d+ of \d+ rows"):
        checked.raise_on_divergence()
    assert "value breaks 2.1 (must), NaN" in repr(checked)
    levels = checked.findings["level"].to_list()
    assert levels == sorted(levels), "must before should, whatever the output"


def test_the_message_says_how_to_repeat_it() -> None:
    """No command knows the function, so it is the call, narrowed; and that shows the same worst row."""
    checked = _check(no_shift, "ordinary", "huge_logits", dtypes=["float32", "float64"])
    with pytest.raises(Divergence) as divergence:
        checked.raise_on_divergence()
    worst = checked.findings.row(0, named=True)
    _, family, _, dtype, _, _ = worst["case"].split("/")
    lines = str(divergence.value).splitlines()
    assert lines[-1] == f'  to repeat it: check(no_shift, …, families=["{family}"], dtypes=["{dtype}"])'
    assert lines[-2] == f"  the inputs: conformance explain {worst['case']}"
    again = _check(no_shift, family, dtypes=[dtype]).findings.row(0, named=True)
    assert [again[c] for c in ("case", "output", "bits")] == [worst[c] for c in ("case", "output", "bits")]


def test_its_page_names_no_command_that_cannot_know_it(tmp_path: Path) -> None:
    """Nor does the report of the run file that it saves."""
    checked = _check(no_shift, "huge_logits")
    page = checked.report(tmp_path / "mine.html").read_text(encoding="utf-8")
    call = "check(no_shift, …, families=[&#34;huge_logits&#34;], dtypes=[&#34;float32&#34;])"
    first = page.partition("<h1>")[0]
    assert f"no_shift as {SPARSE} · 1 framework" in first, "whoever is sent the page sees whose it is"
    assert call in page and "--implementation no_shift" not in page
    saved = checked.save(tmp_path / "mine.parquet")
    assert commands.explain(xent_conformance.read_run(saved), "case", "no_shift") == "check(no_shift, …)"


def test_should_is_asked_for() -> None:
    """A loss of a confident prediction that loses its digits breaks 1.2, which is a should clause."""
    checked = _check(torch_loss, "two_classes")
    assert checked.conforms and checked.findings.height
    checked.raise_on_divergence()
    checked.raise_on_divergence("must")
    with pytest.raises(Divergence, match=r"clause 1\.2 \(should\) Relative accuracy"):
        checked.raise_on_divergence("should")
    with pytest.raises(ValueError, match="unknown level 'must not'"):
        checked.raise_on_divergence("must not")  # type: ignore[arg-type]


# --- what the function does beside returning -------------------------------------------------------------


def test_what_it_raises_is_an_outcome() -> None:
    def refuses_nan(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        if np.isnan(x).any():
            raise ValueError("no <NaN>, please")
        return numpy_loss(x, y)

    checked = _check(refuses_nan, "special_values", framework="numpy")
    raised = checked.verdicts.filter(outcome="raised")
    assert raised.height and set(raised["message"]) == {"ValueError: no <NaN>, please"}
    assert checked.verdicts.filter(outcome="returned").height
    with pytest.raises(Divergence, match="got      raised: ValueError: no <NaN>, please"):
        checked.raise_on_divergence("should")
    assert "no &lt;NaN&gt;, please" in checked._repr_html_()
    assert "<NaN>" not in checked._repr_html_()


def test_a_function_that_refuses_everything_does_not_conform() -> None:
    def broken(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return undefined  # type: ignore[name-defined]  # noqa: F821

    checked = _check(broken, "ordinary", framework="numpy")
    assert set(checked.verdicts["status"]) == {Status.BREAKS_MUST}
    assert not checked.conforms
    with pytest.raises(Divergence, match=r"numpy eager cpu: value was never answered \(.*NameError: name"):
        checked.raise_on_divergence()


def test_what_it_does_to_its_inputs_stays_with_it() -> None:
    """A call has arrays of its own, here as in a worker: what it did to them is told, and nobody else's."""

    def mutates(x: np.ndarray) -> np.ndarray:
        x -= x.max(axis=-1, keepdims=True)
        return np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True)

    checked = _check(mutates, "ordinary", framework="numpy", operator="softmax")
    told = checked.verdicts.filter(clause="7.11")
    assert not checked.conforms and set(checked.verdicts["outcome"]) == {"returned"}
    assert set(told["message"]) == {"the call changed its logits"}
    assert set(checked.verdicts["grade"]) <= {"exact", "faithful", "accurate"}, "its numbers are right"


def test_a_format_that_its_framework_has_not_is_not_asked() -> None:
    checked = _check(numpy_loss, "ordinary", framework="numpy", dtypes=["bfloat16", "float32"])
    assert set(checked.verdicts.filter(dtype="bfloat16")["status"]) == {"unsupported"}
    assert checked.conforms


# --- what comes of it --------------------------------------------------------------------------------------


def test_what_comes_of_it(tmp_path: Path) -> None:
    checked = _check(no_shift, "huge_logits", "ordinary", name="mine <1>")
    assert repr(checked).startswith(f"<Checked mine <1> as {SPARSE}, torch eager cpu: ")
    assert "breaks must" in repr(checked) and "worst: " in repr(checked)
    page = checked._repr_html_()
    assert (
        "mine &lt;1&gt;" in page and "<1>" not in page and "does not conform" in page and "2.1 must" in page
    )

    read = xent_conformance.read_run(checked.save(tmp_path / "mine.parquet"))
    assert read.verdicts.equals(checked.verdicts) and read.complete
    what = ["operator", "output", "clause", "symptom"]
    assert xent_conformance.findings(read).sort(what).equals(checked.findings.sort(what))
    report = checked.report(str(tmp_path / "mine.html")).read_text(encoding="utf-8")
    assert "mine &lt;1&gt;" in report and report.rstrip().endswith("</html>")


def test_a_conforming_one_has_no_findings_to_show() -> None:
    checked = _check(lambda x: torch.softmax(x, -1), "near_ties", operator="softmax")
    assert checked.conforms and checked.findings.is_empty()
    assert "worst" not in repr(checked) and "<table>" not in checked._repr_html_()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"operator": "softmx"}, "unknown operator 'softmx': did you mean softmax"),
        ({"framework": "pytorhc"}, "unknown framework 'pytorhc': did you mean torch"),
        ({"operator": 3}, "operator is 3, which is no name: write it as text"),
        ({"dtypes": ["float31"]}, "unknown dtype 'float31'"),
        ({"dtypes": np.int32}, "unknown dtype 'int32'"),
        ({"families": "two_clases"}, "unknown family 'two_clases': did you mean two_classes"),
        ({"profile": "quik"}, "unknown profile 'quik'"),
        ({"mode": "compiled"}, "unknown mode 'compiled': there are eager, func"),
        ({"device": "tpu"}, "no device 'tpu': torch has cpu"),
        ({"takes": ["axsi"]}, "unknown keyword 'axsi' in takes: did you mean axis"),
        ({"takes": "axis"}, "takes 'axis', which torch_loss does not accept"),
        ({"class_axis": "third"}, "unknown class_axis 'third'"),
        ({"families": "soft_labels"}, "no case is asked: the named families"),
        (
            {"operator": "linear_cross_entropy"},
            "every one of linear_cross_entropy gives ignore_index and reduction, which takes is to name",
        ),
        ({"mode": "autocast"}, "no case is asked"),
    ],
    ids=str,
)
def test_bad_arguments(changed: dict[str, Any], words: str) -> None:
    given: dict[str, Any] = {"operator": SPARSE, "framework": "torch", "dtypes": "float32"}
    with pytest.raises(ValueError, match=re.escape(words)):
        check(torch_loss, **given | changed)


def _mean(x: Any, y: Any, *, reduction: str = "mean") -> Any:
    return torch.nn.functional.cross_entropy(x, y, reduction=reduction)


class _Rows:
    """An object that was made with a reduction, and does none."""

    reduction = "mean"

    def __call__(self, x: Any, y: Any) -> Any:
        return torch_loss(x, y)


@functools.wraps(_mean)
def _wrapped(x: Any, y: Any) -> Any:
    return torch_loss(x, y)


def _by_tree(x: Any, y: Any, reduction: str = "tree") -> Any:
    return torch_loss(x, y)


@pytest.mark.parametrize("loss", [_Rows(), _wrapped, _by_tree], ids=["object", "wrapped", "tree"])
def test_what_gives_a_loss_a_row_is_asked_whatever_it_is_called_with_elsewhere(loss: Any) -> None:
    assert _check(loss, "near_ties").conforms


def test_what_has_no_losses_reduces_none() -> None:
    def softmax(x: Any, reduction: str = "sum") -> Any:
        return torch.softmax(x, -1)

    assert _check(softmax, "near_ties", operator="softmax").conforms


def _added(x: Any, y: Any, reduction: str = "sum_over_batch_size") -> Any:
    return _mean(x, y)


@pytest.mark.parametrize(
    ("loss", "how"),
    [(_mean, "'mean'"), (functools.partial(_mean), "'mean'"), (_added, "'sum_over_batch_size'")],
)
def test_what_makes_one_number_of_all_losses_is_told_before_it_is_asked(loss: Any, how: str) -> None:
    told = (
        f"makes one number of all losses unless told otherwise (reduction={how}), and the losses are judged"
    )
    with pytest.raises(ValueError, match=re.escape(told)):
        check(loss, operator=SPARSE, framework="torch", takes=() if how != "'mean'" else "reduction")


def test_what_is_told_to_keep_the_losses_of_rows_is_asked() -> None:
    assert _check(functools.partial(_mean, reduction="none"), "near_ties").conforms


def test_names_in_capitals_are_those_that_are_meant() -> None:
    """A mode that was taken as it is written is another one, in which nothing is compiled."""
    families = (name for name in ["Near_Ties"])  # which may be gone through once
    asked: dict[str, Any] = {"operator": SPARSE.upper(), "profile": "Quick", "families": families}
    found = check(torch_loss, framework="Torch", mode="Func", dtypes="FLOAT32", **asked)
    assert set(found.verdicts["mode"]) == {"func"} and set(found.verdicts["family"]) == {"near_ties"}


def test_what_cannot_be_called() -> None:
    with pytest.raises(ValueError, match="'softmax' cannot be called"):
        check("softmax", operator="softmax", framework="numpy")  # type: ignore[arg-type]


@pytest.mark.skipif("torch.cuda.is_available()", reason="there is one")
def test_a_device_that_is_not_there() -> None:
    with pytest.raises(ValueError, match="no device 'cuda': torch has cpu"):
        _check(torch_loss, device="cuda")


@pytest.mark.skipif("not torch.cuda.is_available()", reason="needs a CUDA device")
def test_on_a_cuda_device() -> None:
    checked = _check(torch_loss, device="cuda", dtypes=["bfloat16", "float32"])
    assert checked.conforms, checked
    assert set(checked.verdicts["device"]) == {"cuda:0"}


def test_a_framework_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "scipy", None)
    with pytest.raises(ValueError, match=r"scipy is not installed .* add it with: pip install scipy"):
        check(numpy_loss, operator=SPARSE, framework="scipy")


# --- the rest of the Python side ---------------------------------------------------------------------------


def test_run_from_python(tmp_path: Path) -> None:
    named = {"operators": "softmax", "dtypes": "float32", "families": "two_classes"}
    run = xent_conformance.run("quick", "numpy", **named, out=tmp_path / "run.parquet")
    assert xent_conformance.read_run(str(tmp_path / "run.parquet")).verdicts.equals(run.verdicts)
    assert xent_conformance.findings(run).height
    with pytest.raises(ValueError, match="unknown framework 'numpi': did you mean numpy"):
        xent_conformance.run("quick", "numpi")
    with pytest.raises(ValueError, match="there is no module no_such_plugin"):
        xent_conformance.run("quick", "numpy", plugins="no_such_plugin")
    with pytest.raises(RunFileError, match="no such file"):
        xent_conformance.read_run("gone.parquet")


def test_what_the_package_exports() -> None:
    assert callable(xent_conformance.findings)
    assert {"check", "run", "read_run", "findings", "Divergence"} <= set(dir(xent_conformance))
    with pytest.raises(AttributeError, match="no attribute 'chek'"):
        xent_conformance.chek  # noqa: B018


# --- the README --------------------------------------------------------------------------------------------


def _code(section: str) -> str:
    """The Python of a section of the README."""
    text = README.partition(f"## {section}\n")[2].partition("\n## ")[0]
    return text.partition("```python\n")[2].partition("```")[0]


def test_your_own_kernel_as_the_readme_has_it(tmp_path: Path) -> None:
    code = _code("Check your kernel")
    assert len([line for line in code.splitlines() if line.strip()]) <= 12
    found: dict[str, Any] = {}
    exec(code, found)
    assert found["checked"].conforms and (tmp_path / "mine.html").is_file()


def test_the_other_way_to_write_it_breaks_the_clause_the_readme_says() -> None:
    def my_cross_entropy(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return torch.logsumexp(x, -1) - x.gather(1, y[:, None]).squeeze(1)

    with pytest.raises(Divergence, match=r": grad_logits beyond [^\n]*\n  clause 7\.1 \(must\)"):
        _check(my_cross_entropy, "offsets").raise_on_divergence()
