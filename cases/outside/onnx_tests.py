"""ONNX's backend tests: a folder with ``model.onnx`` and ``test_data_set_*``, or a tree of such folders.

One node that is an operator of ours becomes a case, with the output that its author expects. What is none,
a graph of several nodes or a loss of log-probabilities, is refused by name with its reason.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xent_conformance.cases.outside.numbers import CasesError
from xent_conformance.cases.outside.translated import (
    Inexpressible,
    Translation,
    path_safe,
    translation,
    written,
)
from xent_conformance.reference.formats import FORMATS

Array = NDArray[Any]

ALONG_AN_AXIS = {"Softmax": "softmax", "LogSoftmax": "log_softmax"}
ELEMENTWISE = {"Sigmoid": "sigmoid"}
LOSS = "SoftmaxCrossEntropyLoss"

FOLDED_BEFORE = 13
"""Before this opset the axes from ``axis`` on were one, and ``axis`` was 1 if nothing else was said."""


def read_folder(folder: Path) -> Translation:
    """The cases below ``folder``. Raises :class:`CasesError` where there are no models, or no ``onnx``."""
    models = sorted(folder.rglob("model.onnx"))
    if not models:
        raise CasesError("a folder is taken for ONNX's backend tests, and it has no model.onnx")
    onnx = _onnx()
    cases: list[dict[str, Any]] = []
    refused: dict[str, str] = {}
    for path in models:
        where = path.parent.relative_to(folder)
        name = path_safe("-".join(where.parts) or folder.resolve().name)
        try:
            model = onnx.load(path)
            sets = [s for s in sorted(path.parent.glob("test_data_set_*")) if s.is_dir()]
            if not sets:
                raise Inexpressible("it has no test_data_set")
            for i, data in enumerate(sets):
                inputs, outputs = _tensors(onnx, data, "input"), _tensors(onnx, data, "output")
                each = name if len(sets) == 1 else f"{name[:76]}-{i}"
                cases += cases_of(onnx, each, model, inputs, outputs)
        except Inexpressible as why:
            refused[name] = str(why)
        except (OSError, ValueError, onnx.checker.ValidationError) as error:
            refused[name] = f"it cannot be read: {' '.join(str(error).split())[:200]}"
        except Exception as error:  # protobuf's own, which has no public base
            if type(error).__name__ != "DecodeError":
                raise
            refused[name] = "it cannot be read: it is no protobuf"
    source = f"ONNX backend tests in the folder {folder.resolve().name}"
    return translation(folder.resolve().name, source, cases, refused)


def cases_of(
    onnx: Any, name: str, model: Any, inputs: Sequence[Array], outputs: Sequence[Array]
) -> list[dict[str, Any]]:
    """The case that a model of one node and its tensors are. Raises :class:`Inexpressible`.

    A loss that gives its log-probabilities too is another case, of them.
    """
    graph = model.graph
    if len(graph.node) != 1:
        raise Inexpressible(f"a graph of {len(graph.node)} nodes; one operator is asked at a time")
    node = graph.node[0]
    if node.op_type == "NegativeLogLikelihoodLoss":
        raise Inexpressible("it takes log-probabilities, and logits are what is asked here")
    if node.op_type not in {*ALONG_AN_AXIS, *ELEMENTWISE, LOSS}:
        raise Inexpressible(f"{node.op_type} is no operator of the specification")
    constant = {t.name: _array(onnx, t) for t in graph.initializer}
    given = [i.name for i in graph.input if i.name not in constant]
    if len(given) > len(inputs) or not outputs:
        raise Inexpressible("its data has fewer tensors than its graph")
    values = constant | dict(zip(given, inputs, strict=False))
    arguments = [values.get(edge) for edge in node.input]
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    x, expected = (arguments or [None])[0], outputs[0]
    if x is None:
        raise Inexpressible("its first input has no data")
    if x.dtype.name not in FORMATS:
        raise Inexpressible(f"its tensors are {x.dtype.name}; there are {', '.join(FORMATS)}")
    if x.ndim == 0:
        x, expected = x.reshape(1), expected.reshape(1)
    case: dict[str, Any] = {"id": path_safe(name), "dtype": x.dtype.name}
    if node.op_type == LOSS:
        case |= _loss(x, arguments[1:], attributes)
    else:
        x, expected, axis = _along(node.op_type, x, expected, attributes, _opset(model))
        case |= {"operator": {**ALONG_AN_AXIS, **ELEMENTWISE}[node.op_type], "axis": axis}
    first = case | {"logits": written(x), "expected": written(expected)}
    if node.op_type != LOSS or len(outputs) == 1:
        return [first]
    also = {"operator": ALONG_AN_AXIS["LogSoftmax"], "axis": 1, "logits": written(x)}
    return [first, {"id": case["id"], "dtype": case["dtype"], **also, "expected": written(outputs[1])}]


def _along(
    kind: str, x: Array, expected: Array, attributes: Mapping[str, Any], opset: int
) -> tuple[Array, Array, int]:
    """Input, expected output and the axis of the classes."""
    if kind in ELEMENTWISE:
        return x, expected, -1
    if opset >= FOLDED_BEFORE:
        return x, expected, _whole(attributes, "axis", -1)
    axis = _whole(attributes, "axis", 1) % max(x.ndim, 1)
    folded = (math.prod(x.shape[:axis]), math.prod(x.shape[axis:]))
    return x.reshape(folded), expected.reshape(folded), -1


def _whole(attributes: Mapping[str, Any], name: str, otherwise: int) -> int:
    """An attribute that is a whole number. Raises :class:`Inexpressible` for another kind of one."""
    value = attributes.get(name, otherwise)
    if not isinstance(value, int):
        raise Inexpressible(f"its {name} is no whole number")
    return value


def _loss(x: Array, arguments: Sequence[Array | None], attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Labels and attributes; the classes are the second axis."""
    labels = arguments[0] if arguments else None
    weight = arguments[1] if len(arguments) > 1 else None
    if labels is None:
        raise Inexpressible("its labels have no data")
    reduction = attributes.get("reduction", b"mean")
    if not isinstance(reduction, bytes):
        raise Inexpressible("its reduction is no text")
    given: dict[str, Any] = {"reduction": reduction.decode("utf-8", "replace")}
    if "ignore_index" in attributes:
        given["ignore_index"] = _whole(attributes, "ignore_index", 0)
    if weight is not None:
        given["weight"] = written(weight)
    return {
        "operator": "sparse_softmax_cross_entropy",
        "axis": 1,
        "labels": written(labels.astype(np.int64)),
        "attributes": given,
    }


def _opset(model: Any) -> int:
    return next((int(o.version) for o in model.opset_import if o.domain in ("", "ai.onnx")), FOLDED_BEFORE)


def _tensors(onnx: Any, folder: Path, kind: str) -> list[Array]:
    """``input_0.pb``, ``input_1.pb``, …"""
    found: list[Array] = []
    while (path := folder / f"{kind}_{len(found)}.pb").is_file():
        found.append(_array(onnx, onnx.load_tensor(path)))
    return found


def _array(onnx: Any, tensor: Any) -> Array:
    """Its numbers. Raises ValueError for one that has none, in whatever way the library says so."""
    try:
        array: Array = onnx.numpy_helper.to_array(tensor)
    except Exception as error:  # noqa: BLE001  # what a damaged tensor raises is not documented
        raise ValueError(f"{type(error).__name__}: {error}") from None
    return array


def _onnx() -> Any:
    try:
        import onnx
        import onnx.numpy_helper
    except ImportError as error:
        raise CasesError(
            f"ONNX's files are read by onnx, which is absent ({error}): pip install onnx"
        ) from None
    return onnx
