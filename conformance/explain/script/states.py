"""How a call stands to gradients in a script: recorded, not at all, a second backward, two that add up."""

from __future__ import annotations

from xent_conformance.explain.script.again import RECORDED


def torch(state: str, by: str, expression: str) -> list[str]:
    """Eager. ``by``: what the gradient is taken in."""
    if state == RECORDED:
        return ["logits.requires_grad_()", f"result = {expression}"]
    if state == "inference":
        return ["with torch.inference_mode():", f"    result = {expression}"]
    if state == "accumulated":
        return [
            f"{by}.requires_grad_()",
            f"values = [{expression} for _ in range(2)]",
            "for value in values:",
            "    value.backward(cotangent)",
            f"result = {by}.grad * 0.5  # which is exact",
        ]
    return [
        f"{by}.requires_grad_()",
        f"value = {expression}",
        f"torch.autograd.grad(value, {by}, cotangent, retain_graph=True)",
        f"(result,) = torch.autograd.grad(value, {by}, cotangent)",
    ]


def tensorflow(state: str, by: str, expression: str) -> list[str]:
    """Eager. ``by``: what the gradient is taken in."""
    if state == "inference":
        return [f"result = {expression}"]
    if state == RECORDED:
        return ["with tf.GradientTape() as tape:", "    tape.watch(logits)", f"    result = {expression}"]
    return [
        "with tf.GradientTape(persistent=True) as tape:",
        f"    tape.watch({by})",
        f"    value = {expression}",
        f"tape.gradient(value, {by}, output_gradients=cotangent)",
        f"result = tape.gradient(value, {by}, output_gradients=cotangent)",
    ]
