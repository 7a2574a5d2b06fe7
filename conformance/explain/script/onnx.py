"""An ONNX operator in a script: a model of one node, and of what hides classes, as the adapter makes it."""

from __future__ import annotations

from collections.abc import Mapping

from xent_conformance.explain.script.program import Program, numpy_element
from xent_conformance.explain.script.shown import Shown
from xent_conformance.frameworks.onnx import OPSET, axes_of


def onnx(shown: Shown, library: str, imports: tuple[str, ...]) -> Program:
    """A model of one node, behind a ``Where`` for a mask, evaluated by what ``library`` names."""
    kind, attributes = shown.implementation.call(None, **shown.keywords)
    lines, feeds, initial, hidden = [], ['"x": logits'], [], []
    feeds += ['"y": labels'] if "labels" in shown.arrays else []
    if "weight" in attributes:
        other = attributes.pop("weight_dtype", "")
        dtype = f"np.{other}" if other else "logits.dtype"
        lines.append(f"weight = np.array({attributes.pop('weight')}, dtype={dtype})")
        feeds.append('"w": weight')
    inputs = "list(feeds)"
    if "mask" in attributes:
        lines.append(f"mask = np.array({attributes.pop('mask')})")
        feeds.append('"mask": mask')
        hidden.append('hidden = helper.make_node("Where", ["mask", "x", "nothing"], ["left"])')
        initial.append('helper.make_tensor("nothing", kind, [], [float("-inf")])')
        inputs = '["left"]'
    axis = attributes.pop("axis", -1)
    if kind == "ReduceLogSumExp":
        axes = axes_of(axis, shown.arrays["logits"].ndim)
        inputs = '["left", "axes"]' if hidden else '[*feeds, "axes"]'
        attributes = {"keepdims": int(attributes.get("keepdims", False))}
        initial.append(f'helper.make_tensor("axes", onnx.TensorProto.INT64, [{len(axes)}], {axes})')
    elif kind in ("Softmax", "LogSoftmax"):
        attributes = {"axis": axis}
    given = "".join(f", {name}={value!r}" for name, value in attributes.items()).replace("'", '"')
    rank = len(shown.shape)
    more = f", initializer=[{', '.join(initial)}]" if initial else ""
    nodes = "hidden, node" if hidden else "node"
    lines += [
        f"feeds = {{{', '.join(feeds)}}}",
        "described = [",
        "    helper.make_tensor_value_info(",
        "        name, helper.np_dtype_to_tensor_dtype(a.dtype), [None] * a.ndim",
        "    )",
        "    for name, a in feeds.items()",
        "]",
        "kind = helper.np_dtype_to_tensor_dtype(logits.dtype)",
        f'out = helper.make_tensor_value_info("f", kind, {[None] * rank})',
        *hidden,
        f'node = helper.make_node("{kind}", {inputs}, ["f"]{given})',
        f'graph = helper.make_graph([{nodes}], "one_node", described, [out]{more})',
        f'opset = [helper.make_opsetid("", {OPSET})]',
        "model = helper.make_model(graph, opset_imports=opset, ir_version=10)",
        *_RUNNING[library],
        "(result,) = session.run(None, feeds)",
    ]
    if kind == "ReduceLogSumExp" and library == "onnxruntime":
        imports = ("import onnx", *imports)
    return Program(imports, (), tuple(lines), numpy_element(shown))


_RUNNING: Mapping[str, tuple[str, ...]] = {
    "onnx.reference": ("session = onnx.reference.ReferenceEvaluator(model)",),
    "onnxruntime": (
        "options = onnxruntime.SessionOptions()",
        "options.intra_op_num_threads = options.inter_op_num_threads = 1",
        "session = onnxruntime.InferenceSession(",
        '    model.SerializeToString(), options, providers=["CPUExecutionProvider"]',
        ")",
    ),
}
