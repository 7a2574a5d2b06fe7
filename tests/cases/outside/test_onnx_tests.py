"""ONNX's backend tests, as folders: what is a case, with its output; what is none, with its reason."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.support.later import Later
from tests.support.paths import ROOT
from xent_conformance.cases.outside.files import read_file
from xent_conformance.cases.outside.numbers import CasesError
from xent_conformance.cases.outside.schema import Call, read_document
from xent_conformance.reference.attributes import Attributes

if TYPE_CHECKING:
    import onnx
else:
    onnx = Later("onnx")

pytestmark = pytest.mark.skipif(find_spec("onnx") is None, reason="pip install onnx")

F = np.float32


def write(
    folder: Path,
    nodes: Sequence[Any],
    inputs: Sequence[np.ndarray],
    outputs: Sequence[np.ndarray],
    *,
    opset: int = 21,
    sets: int = 1,
) -> Path:
    """A test as ONNX's own script writes it."""
    folder.mkdir(parents=True)
    infos = [
        onnx.helper.make_tensor_value_info(name, onnx.helper.np_dtype_to_tensor_dtype(a.dtype), a.shape)
        for name, a in zip("xyw", inputs, strict=False)
    ]
    out = onnx.helper.make_tensor_value_info("out", 1, None)
    graph = onnx.helper.make_graph(list(nodes), "g", infos, [out])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", opset)])
    onnx.save(model, folder / "model.onnx")
    for k in range(sets):
        data = folder / f"test_data_set_{k}"
        data.mkdir()
        for kind, arrays in (("input", inputs), ("output", outputs)):
            for i, a in enumerate(arrays):
                (data / f"{kind}_{i}.pb").write_bytes(onnx.numpy_helper.from_array(a).SerializeToString())
    return folder


def node(kind: str, *names: str, **attributes: Any) -> Any:
    return onnx.helper.make_node(kind, list(names) or ["x"], ["out"], **attributes)


def only(folder: Path) -> Call:
    (call,) = read_file(folder).document.calls
    return call


X = np.arange(24, dtype=F).reshape(2, 3, 4) / 4
Y = np.array([[0, 2, 1, 1], [2, 0, 0, 1]])


@pytest.mark.parametrize(
    ("kind", "operator"), [("Softmax", "softmax"), ("LogSoftmax", "log_softmax"), ("Sigmoid", "sigmoid")]
)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_values(kind: str, operator: str, dtype: Any, tmp_path: Path) -> None:
    x = X.astype(dtype)
    call = only(write(tmp_path / "test_a", [node(kind)], [x], [x * 2]))
    assert (call.operator.name, call.format.name, call.id) == (operator, x.dtype.name, "test_a")
    assert np.array_equal(call.logits, x) and call.classes == 2
    assert call.expected is not None and np.array_equal(call.expected, x * 2)


@pytest.mark.parametrize(("axis", "classes"), [(0, 0), (1, 1), (-2, 1), (-1, 2)])
def test_an_axis(axis: int, classes: int, tmp_path: Path) -> None:
    assert only(write(tmp_path / "a", [node("Softmax", axis=axis)], [X], [X])).classes == classes


@pytest.mark.parametrize(
    ("attributes", "shape"), [({}, (2, 12)), ({"axis": 2}, (6, 4)), ({"axis": 0}, (1, 24))]
)
def test_before_opset_13_the_axes_were_folded(
    attributes: dict[str, int], shape: tuple[int, int], tmp_path: Path
) -> None:
    call = only(write(tmp_path / "a", [node("Softmax", **attributes)], [X], [X * 2], opset=11))
    assert call.classes == 1 and np.array_equal(call.logits, X.reshape(shape))
    assert call.expected is not None and np.array_equal(call.expected, 2 * X.reshape(shape))


def test_a_loss(tmp_path: Path) -> None:
    weight = np.array([1, 2, 0.5], dtype=F)
    loss = node("SoftmaxCrossEntropyLoss", "x", "y", "w", ignore_index=2, reduction="sum")
    call = only(write(tmp_path / "a", [loss], [X, Y, weight], [np.array(3.5, dtype=F)]))
    assert call.operator.name == "sparse_softmax_cross_entropy" and call.classes == 1
    assert call.attributes == Attributes((1.0, 2.0, 0.5), (), 0.0, 2, "sum", 8)
    assert call.labels is not None and np.array_equal(call.labels, Y) and call.expected == 3.5


def test_a_loss_is_a_mean_and_gives_its_log_probabilities_too(tmp_path: Path) -> None:
    loss = onnx.helper.make_node("SoftmaxCrossEntropyLoss", ["x", "y"], ["out", "log"])
    written = write(tmp_path / "a", [loss], [X, Y.astype(np.int32)], [np.array(1, dtype=F), X])
    first, second = read_file(written).document.calls
    assert first.attributes.reduction == "mean" and first.id == second.id == "a"
    assert second.operator.name == "log_softmax" and second.classes == 1
    assert second.expected is not None and np.array_equal(second.expected, X)


def test_a_tree_with_what_is_no_case(tmp_path: Path) -> None:
    """Each is named, none is dropped in silence."""
    write(tmp_path / "node" / "test_ok", [node("Softmax")], [X], [X], sets=2)
    two = [node("Softmax"), node("Sigmoid")]
    write(tmp_path / "node" / "test_two", two, [X], [X])
    write(tmp_path / "node" / "test_relu", [node("Relu")], [X], [X])
    write(tmp_path / "node" / "test_nll", [node("NegativeLogLikelihoodLoss", "x", "y")], [X, Y], [X])
    write(tmp_path / "node" / "test_ints", [node("Softmax")], [Y], [Y])
    write(tmp_path / "node" / "test_bare", [node("Softmax")], [X], [X], sets=0)
    write(tmp_path / "node" / "test_no_output", [node("Softmax")], [X], [])
    (tmp_path / "node" / "test_torn").mkdir()
    (tmp_path / "node" / "test_torn" / "model.onnx").write_bytes(b"\xff\xff\xffnot a model")
    found = read_file(tmp_path / "node")
    assert found.name == "node" and [c.id for c in found.document.calls] == ["test_ok-0", "test_ok-1"]
    reasons = dict(found.refused)
    assert {name: reasons[name].partition(";")[0] for name in reasons if name != "test_torn"} == {
        "test_two": "a graph of 2 nodes",
        "test_relu": "Relu is no operator of the specification",
        "test_nll": "it takes log-probabilities, and logits are what is asked here",
        "test_ints": "its tensors are int64",
        "test_bare": "it has no test_data_set",
        "test_no_output": "its data has fewer tensors than its graph",
    }
    assert "cannot be read" in reasons["test_torn"]


def test_attributes_and_inputs_of_another_kind(tmp_path: Path) -> None:
    """As a damaged file has them: each is a reason, and none ends in a traceback."""
    mine = tmp_path / "node"
    write(mine / "test_ok", [node("Softmax")], [X], [X])
    write(mine / "test_axis", [node("Softmax", axis=[1.5])], [X], [X])
    write(mine / "test_folded", [node("Softmax", axis=b"one")], [X], [X], opset=11)
    loss = "SoftmaxCrossEntropyLoss"
    write(mine / "test_ignored", [node(loss, "x", "y", ignore_index=1.5)], [X, Y], [F(1)])
    write(mine / "test_reduced", [node(loss, "x", "y", reduction=3)], [X, Y], [F(1)])
    write(mine / "test_nothing", [onnx.helper.make_node("Softmax", [], ["out"])], [X], [X])
    found = read_file(mine)
    assert [c.id for c in found.document.calls] == ["test_ok"] and dict(found.refused) == {
        "test_axis": "its axis is no whole number",
        "test_folded": "its axis is no whole number",
        "test_ignored": "its ignore_index is no whole number",
        "test_reduced": "its reduction is no text",
        "test_nothing": "its first input has no data",
    }


def test_a_folder_of_nothing(tmp_path: Path) -> None:
    with pytest.raises(CasesError, match=r"ONNX's backend tests, and it has no model\.onnx"):
        read_file(tmp_path)
    write(tmp_path / "test_relu", [node("Relu")], [X], [X])
    with pytest.raises(CasesError, match=r"none of its 1 tests can be asked .test_relu: Relu is no"):
        read_file(tmp_path)


def test_without_onnx_it_says_how_to_have_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "a", [node("Softmax")], [X], [X])
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(CasesError, match="pip install onnx"):
        read_file(tmp_path)


def test_the_example_is_what_the_installed_onnx_makes() -> None:
    """All but the outputs, which ONNX computes with NumPy: their last bits are the processor's."""
    there = read_file(ROOT / "examples" / "cases" / "onnx_node_tests.json")
    installed = version("onnx")
    if f"ONNX {installed}," not in there.about:
        pytest.skip(f"the example is of another version than ONNX {installed}")
    made = subprocess.run(
        [sys.executable, "-m", "docs.outside", "onnx"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found = read_document(made.stdout)
    assert (found.name, found.source) == (there.name, there.about)
    assert len(found.calls) == len(there.document.calls) > 40
    for ours, theirs in zip(there.document.calls, found.calls, strict=True):
        assert (ours.id, ours.operator, ours.attributes) == (theirs.id, theirs.operator, theirs.attributes)
        assert np.array_equal(ours.logits, theirs.logits) and ours.classes == theirs.classes
        assert np.array_equal(ours.labels if ours.labels is not None else 0,
                              theirs.labels if theirs.labels is not None else 0)  # fmt: skip
        assert ours.expected is not None and theirs.expected is not None
        np.testing.assert_allclose(ours.expected, theirs.expected, rtol=1e-5)
