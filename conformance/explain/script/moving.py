"""Derivatives along a tangent in a script: ``jvp`` and ``hvp`` by each framework's own means."""

from __future__ import annotations

from collections.abc import Sequence

from xent_conformance.explain.script.format import block
from xent_conformance.explain.wanted import Refused


def torch(output: str, expression: str) -> list[str]:
    """Forward mode by dual numbers; the gradient of the gradient."""
    if output == "jvp":
        return [
            "with torch.autograd.forward_ad.dual_level():",
            "    logits = torch.autograd.forward_ad.make_dual(logits, tangent)",
            f"    value = {expression}",
            "    result = torch.autograd.forward_ad.unpack_dual(value).tangent",
        ]
    return [
        "logits.requires_grad_()",
        f"value = {expression}",
        "(gradient,) = torch.autograd.grad(value, logits, cotangent, create_graph=True)",
        "(result,) = torch.autograd.grad(gradient, logits, tangent)",
    ]


def torch_func(output: str, expression: str) -> list[str]:
    """``torch.func``: forward mode, and forward over reverse."""
    if output == "jvp":
        return [f"_, result = torch.func.jvp(lambda logits: {expression}, (logits,), (tangent,))"]
    return [
        "",
        "",
        "def gradient(logits):",
        f"    _, pull = torch.func.vjp(lambda logits: {expression}, logits)",
        "    return pull(cotangent)[0]",
        "",
        "",
        "_, result = torch.func.jvp(gradient, (logits,), (tangent,))",
    ]


def tensorflow(output: str, expression: str) -> list[str]:
    """An accumulator in forward mode; a tape around a tape."""
    if output == "jvp":
        return [
            "with tf.autodiff.ForwardAccumulator(logits, tangent) as accumulator:",
            f"    value = {expression}",
            "result = accumulator.jvp(value)",
        ]
    return [
        "with tf.GradientTape() as outer:",
        "    outer.watch(logits)",
        "    with tf.GradientTape() as inner:",
        "        inner.watch(logits)",
        f"        value = {expression}",
        "    gradient = inner.gradient(value, logits, output_gradients=cotangent)",
        "result = outer.gradient(gradient, logits, output_gradients=tangent)",
    ]


def session(output: str) -> list[str]:
    """``tf.gradients`` twice; TensorFlow 1 has no forward mode."""
    if output == "jvp":
        raise Refused("a session of TensorFlow 1 has no forward mode")
    return [
        "(asked,) = tf.compat.v1.gradients(asked, [logits], cotangent)",
        "(asked,) = tf.compat.v1.gradients(asked, [logits], tangent)",
    ]


def jax(output: str, call: str, inputs: Sequence[str], *, compiled: bool) -> list[str]:
    """Forward mode, and forward over reverse, of ``call``."""
    if output == "jvp":
        body = [
            f"_, moved = jax.jvp(lambda logits: {call}, (logits,), (tangent,))",
            "return moved",
        ]
    else:
        body = [
            "def gradient(logits):",
            f"    _, pull = jax.vjp(lambda logits: {call}, logits)",
            "    return pull(cotangent)[0]",
            "",
            "_, moved = jax.jvp(gradient, (logits,), (tangent,))",
            "return moved",
        ]
    given = ", ".join(inputs)
    head = ["@jax.jit"] if compiled else []
    return [*head, f"def along({given}):", *block(body), "", "", f"result = along({given})"]
