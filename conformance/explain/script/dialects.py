"""How each framework is asked in a script: its tensors, its gradients, its modes, as its adapter has them.

A dialect turns what is shown into a :class:`xent_conformance.explain.script.program.Program`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from xent_conformance.explain.script import moving, states
from xent_conformance.explain.script.again import RECORDED
from xent_conformance.explain.script.arrays import is_brain
from xent_conformance.explain.script.format import block
from xent_conformance.explain.script.onnx import onnx
from xent_conformance.explain.script.program import (
    Program,
    argument_of,
    arguments,
    names,
    numpy_element,
    place_text,
    source,
)
from xent_conformance.explain.script.shown import Shown
from xent_conformance.explain.wanted import Refused
from xent_conformance.frameworks.layer import Layered
from xent_conformance.frameworks.own import Own
from xent_conformance.reports.run.words import Outcome


def _definition(shown: Shown, expression: str, name: str = "compute", *more: str) -> list[str]:
    given = ", ".join([*arguments(shown), *more])
    return ["", "", f"def {name}({given}):", f"    return {expression}", "", ""]


def torch(shown: Shown, library: str, imports: tuple[str, ...]) -> Program:
    """Eager, ``torch.func``, ``vmap``, autocast, compiled."""
    device, mode = shown.device.partition("[")[0], shown.mode
    to = "" if device == "cpu" else f".to({device!r})".replace("'", '"')
    lines = []
    for name in names(shown):
        dtype = shown.arrays[name].dtype
        brain = is_brain(dtype)
        bits = f"{name}.view(np.int{8 * dtype.itemsize})" if brain else name
        lines.append(f"{name} = torch.from_numpy({bits}){f'.view(torch.{dtype.name})' if brain else ''}{to}")
    call, made = source(shown, library, lambda text: f"torch.tensor({text}, dtype=logits.dtype{_on(device)})")
    lines += made
    if "out" in shown.keywords:
        lines.append(f"out = torch.full({shown.shape}, 7.0, dtype=logits.dtype{_on(device)})")
    expression, wanted = call.expression, ", ".join(arguments(shown))
    if mode in ("func", "vmap", "compile"):
        lines += _definition(shown, expression)
        wrapped = {"vmap": "torch.vmap(compute)", "compile": "torch.compile(compute, dynamic=True)"}
        if mode in wrapped:
            lines.append(f"asked = {wrapped[mode]}")
        expression = f"{'asked' if mode in wrapped else 'compute'}({wanted})"
    lines += _in_autocast(shown, device, _torch_result(shown, expression))
    settings = {"threads=4": "4"}.get(_variant(shown), "1")
    setup = [f"torch.set_num_threads({settings})"]
    setup += ["torch.use_deterministic_algorithms(True)"] if _variant(shown) == "deterministic" else []
    element = place_text(shown) + (".detach().cpu().float().numpy()" if _many(shown) else ".item()")
    kind = 'str(result.dtype).removeprefix("torch.")'
    whole = "result.detach().cpu().double().numpy()"
    return Program(("import torch", *imports), (*setup, *call.helpers), tuple(lines), element, kind, whole)


def _on(device: str) -> str:
    return "" if device == "cpu" else ", device=logits.device"


def _many(shown: Shown) -> bool:
    return any(isinstance(p, slice) for p in shown.place)


def _variant(shown: Shown) -> str:
    return shown.seat.variant


def _in_autocast(shown: Shown, device: str, lines: list[str]) -> list[str]:
    if shown.mode != "autocast":
        return lines
    kind = shown.batch.inputs.format.name
    return [f'with torch.autocast("{device.partition(":")[0]}", dtype=torch.{kind}):', *block(lines)]


def _torch_result(shown: Shown, expression: str) -> list[str]:
    if "out" in shown.keywords:
        return [expression, "result = out"]
    if shown.state:
        return states.torch(shown.state, argument_of(shown), expression)
    if shown.output == "value":
        return [f"result = {expression}", *_tensor(shown, "result")]
    if shown.moving:
        along = moving.torch_func if shown.mode in ("func", "vmap") else moving.torch
        return along(shown.output, expression)
    by = argument_of(shown)
    if shown.mode in ("func", "vmap"):
        called = expression.partition("(")[0]
        if by == "labels":
            return [
                f"_, pull = torch.func.vjp({called}, logits, labels)",
                "_, result = pull(cotangent)",
            ]
        return [
            f"_, pull = torch.func.vjp(lambda logits: {expression}, logits)",
            "(result,) = pull(cotangent)",
        ]
    like = ".to(value.dtype)" if shown.mode == "autocast" or shown.batch.mixed else ""
    return [
        f"{by}.requires_grad_()",
        f"value = {expression}",
        *_tensor(shown, "value"),
        f"(result,) = torch.autograd.grad(value, {by}, cotangent{like})",
    ]


def _tensor(shown: Shown, name: str) -> list[str]:
    """Of a function of somebody's own that did not answer: what it returns is to be a tensor."""
    call = shown.implementation.call
    call = call.call if isinstance(call, Layered) else call
    if not isinstance(call, Own) or shown.row["outcome"] == Outcome.RETURNED:
        return []
    return [
        f"if not isinstance({name}, torch.Tensor):",
        f'    sys.exit(f"differs: returned {{type({name}).__name__}}, not a tensor")',
    ]


def tensorflow(shown: Shown, library: str, imports: tuple[str, ...]) -> Program:
    """Eager, as a graph, compiled by XLA, in a 1.x session."""
    call, made = source(shown, library, lambda text: f"tf.constant({text}, dtype=logits.dtype)")
    tensors = [f"{name} = tf.constant({name})" for name in names(shown)]
    result = _tape(shown, call.expression)
    if shown.mode == "session":
        lines = _session(shown, call.expression, made)
    elif shown.mode == "eager":
        lines = [*tensors, *made, *result]
    else:
        decorated = "@tf.function(jit_compile=True)" if shown.mode == "xla" else "@tf.function"
        inner = [*made, *result[:-1], result[-1].replace("result = ", "return ")]
        given = ", ".join(names(shown))
        head = ["", "", decorated, f"def compute({given}):"]
        lines = [*tensors, *head, *block(inner), "", "", f"result = compute({given})"]
    device = shown.device.partition("[")[0]
    if device != "cpu":
        raise Refused("scripts for TensorFlow are written for the CPU; see the case without --script")
    setup = [f"tf.config.threading.set_{kind}_op_parallelism_threads(1)" for kind in ("intra", "inter")]
    element = place_text(shown) if shown.mode == "session" else place_text(shown, "result.numpy()")
    if not shown.place and shown.mode != "session":
        element = "result.numpy()"
    return Program(("import tensorflow as tf", *imports), (*setup, *call.helpers), tuple(lines), element)


def _tape(shown: Shown, expression: str) -> list[str]:
    if shown.state:
        return states.tensorflow(shown.state, argument_of(shown), expression)
    if shown.output == "value":
        return [f"result = {expression}"]
    if shown.moving:
        return moving.tensorflow(shown.output, expression)
    by = argument_of(shown)
    return [
        "with tf.GradientTape() as tape:",
        f"    tape.watch({by})",
        f"    value = {expression}",
        f"result = tape.gradient(value, {by}, output_gradients=cotangent)",
    ]


def _session(shown: Shown, expression: str, made: list[str]) -> list[str]:
    given = ", ".join(names(shown))
    fed = given if len(names(shown)) > 1 else "(logits,)"
    inner = ["fed = [tf.compat.v1.placeholder(a.dtype, a.shape) for a in given]", f"{fed} = fed"]
    inner += [*made, f"asked = {expression}"]
    if shown.moving:
        inner += moving.session(shown.output)
    elif shown.output != "value":
        inner.append(f"(asked,) = tf.compat.v1.gradients(asked, [{argument_of(shown)}], cotangent)")
    inner.append("result = session.run(asked, dict(zip(fed, given)))")
    head = "with tf.compat.v1.Graph().as_default(), tf.compat.v1.Session() as session:"
    return [f"given = [{given}]", head, *block(inner)]


def jax(shown: Shown, library: str, imports: tuple[str, ...]) -> Program:
    """Op by op, compiled, row by row."""
    if shown.device.partition("[")[0] != "cpu":
        raise Refused("scripts for JAX are written for the CPU; see the case without --script")
    call, made = source(shown, library, lambda text: f"jax.numpy.array({text}, dtype=logits.dtype)")
    lines = [f"{name} = jax.device_put({name})" for name in names(shown)] + made
    given, inputs = ", ".join(arguments(shown)), ", ".join(names(shown))
    lines += _definition(shown, call.expression)
    asked = "compute"
    if shown.mode == "vmap":
        lines.append("rows = jax.vmap(compute)")
        asked = "rows"
    compiled = shown.mode != "eager"
    if shown.state == RECORDED:
        lines.append(f"result, _ = jax.vjp({asked}, {given})")
    elif shown.output == "value":
        lines.append(f"result = jax.jit({asked})({given})" if compiled else f"result = {asked}({given})")
    elif shown.moving:
        lines += ["", ""] if shown.mode == "vmap" else []
        lines += moving.jax(shown.output, f"{asked}({given})", names(shown), compiled=compiled)
    else:
        lines = [*lines[:-1]] if shown.mode == "vmap" else lines
        lines += ["rows = jax.vmap(compute)", "", ""] if shown.mode == "vmap" else []
        lines += ["@jax.jit"] if compiled else []
        lines += [f"def gradient({inputs}):", *block(_pull(shown, asked, given)), "", ""]
        lines.append(f"result = gradient({inputs})")
    more = ("import jax.scipy.special",) if "jax.scipy.special" in call.expression else ()
    # the names of its submodules make `import jax` of no use beside them
    setup = ('jax.config.update("jax_enable_x64", True)', *call.helpers)
    return Program(("import jax", *more, *imports), setup, tuple(lines), numpy_element(shown))


def _pull(shown: Shown, asked: str, given: str) -> list[str]:
    like = ".astype(value.dtype)" if shown.batch.mixed else ""
    value = "value" if like else "_"
    once = [f"pull(cotangent{like})"] if shown.state == "second_backward" else []
    if shown.output == "grad_labels":
        return [
            f"{value}, pull = jax.vjp({asked}, logits, labels)",
            *once,
            f"return pull(cotangent{like})[1]",
        ]
    by = argument_of(shown)
    return [
        f"{value}, pull = jax.vjp(lambda {by}: {asked}({given}), {by})",
        *once,
        f"return pull(cotangent{like})[0]",
    ]


def numpy(shown: Shown, library: str, imports: tuple[str, ...]) -> Program:
    """NumPy, and what computes on its arrays."""
    call, made = source(shown, library, lambda text: f"np.array({text}, dtype=logits.dtype)")
    setup = ('np.seterr(all="ignore")', *call.helpers)
    return Program(imports, setup, (*made, f"result = {call.expression}"), numpy_element(shown))


Dialect = tuple[Callable[[Shown, str, tuple[str, ...]], Program], str, tuple[str, ...]]

DIALECTS: Mapping[str, Dialect] = {
    "torch": (torch, "torch", ()),
    "tensorflow": (tensorflow, "tf", ()),
    "jax": (jax, "jax", ()),
    "optax": (jax, "optax", ("import optax",)),
    "keras-torch": (torch, "keras", ("import keras",)),
    "keras-tensorflow": (tensorflow, "keras", ("import keras",)),
    "keras-jax": (jax, "keras", ("import keras",)),
    "numpy": (numpy, "np", ()),
    "scipy": (numpy, "scipy.special", ("import scipy.special",)),
    "onnx": (onnx, "onnx.reference", ("import onnx.reference", "from onnx import helper")),
    "onnxruntime": (onnx, "onnxruntime", ("import onnxruntime", "from onnx import helper")),
}
"""The dialect of each framework, how a script names its library, and what else it imports."""


def program(shown: Shown) -> Program:
    """The framework's part of the script."""
    dialect, library, imports = DIALECTS[shown.seat.name]
    return dialect(shown, library, imports)


def environment(shown: Shown) -> dict[str, Any]:
    """Variables that must be set before the framework is imported; none of them is ours."""
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3"} if DIALECTS[shown.seat.name][0] is tensorflow else {}
    given = {k: v for k, v in shown.seat.environment.items() if not k.startswith("CONFORMANCE_")}
    return {**quiet, **given}
