"""``python -m docs.doors`` prints docs/DOORS.md: implementation × operator × mode × format.

Declared, not run: what each door returns is the report's to say.
"""

from __future__ import annotations

from itertools import groupby

from xent_conformance.discovery.doors import Door, doors
from xent_conformance.discovery.framework import FRAMEWORKS
from xent_conformance.frameworks.interface import STATES, NotOffered
from xent_conformance.reference.formats import FORMATS

HEAD = (
    "# Implementations\n\n"
    "Every implementation that the suite asks, printed by `.venv/bin/python -m docs.doors`. A mode is "
    "followed by the profile that adds it where that is not `quick`. All four formats are asked of every "
    "one in every mode that does not say otherwise. All that it has here is offered, and is to be "
    "answered (SPEC.md 1.7); what a framework does not offer is listed with who says so. Of its state "
    "(SPEC.md 7.3, 7.8 to 7.12) what it has is asked. `value+` means "
    "value and gradients by the framework's own differentiation "
    "(and `jvp` and `hvp` where it has forward mode).\n"
)

NAMED: dict[str, tuple[tuple[str, ...], str]] = {
    "tf.nn.softmax": (("tf.nn.softmax",), ""),
    "tf.nn.log_softmax": (("tf.nn.log_softmax",), ""),
    "tf.nn.softmax_cross_entropy_with_logits": (("tf.nn.softmax_cross_entropy_with_logits",), ""),
    "tf.nn.sparse_softmax_cross_entropy_with_logits": (
        ("tf.nn.sparse_softmax_cross_entropy_with_logits",),
        "",
    ),
    "tf.nn.sigmoid": (("tf.nn.sigmoid",), ""),
    "tf.nn.sigmoid_cross_entropy_with_logits": (("tf.nn.sigmoid_cross_entropy_with_logits",), ""),
    "tf.compat.v1.nn.softmax_cross_entropy_with_logits": (
        ("tf.compat.v1.nn.softmax_cross_entropy_with_logits",),
        "",
    ),
    "tf.compat.v1.nn.softmax_cross_entropy_with_logits_v2": (
        ("tf.compat.v1.nn.softmax_cross_entropy_with_logits_v2",),
        "",
    ),
    "tf.compat.v1.nn.sparse_softmax_cross_entropy_with_logits": (
        ("tf.compat.v1.nn.sparse_softmax_cross_entropy_with_logits",),
        "",
    ),
    "tf.compat.v2.nn.* (the same three under their 2.x names)": (
        (
            "tf.nn.softmax_cross_entropy_with_logits",
            "tf.nn.sparse_softmax_cross_entropy_with_logits",
            "tf.nn.sigmoid_cross_entropy_with_logits",
        ),
        "the same function objects",
    ),
    "torch.nn.CrossEntropyLoss": (
        ("torch.nn.CrossEntropyLoss:indices", "torch.nn.CrossEntropyLoss:probabilities"),
        "",
    ),
    "torch.nn.LogSoftmax followed by torch.nn.NLLLoss": (("torch.nn.LogSoftmax+torch.nn.NLLLoss",), ""),
    "NumPy softmax written naively, and shifted by its maximum, and as log-softmax": (
        ("numpy:softmax-naive", "numpy:softmax-shifted", "numpy:log_softmax-shifted"),
        "",
    ),
    "softmax then log then sum, written by hand in each framework": (
        ("tf.nn.softmax+log*p", "torch.softmax.log*p", "jax.nn.softmax+log*p", "numpy:cross_entropy-naive"),
        "",
    ),
    "sigmoid then log then sum, written by hand": (
        (
            "tf.nn.sigmoid+log*z",
            "torch.sigmoid.log",
            "jax.nn.sigmoid+log",
            "numpy:binary_cross_entropy-naive",
        ),
        "",
    ),
    "probabilities with a small epsilon added before the log": (
        ("tf.nn.softmax+epsilon+log*p", "torch.softmax+epsilon.log*p", "jax.nn.softmax+epsilon+log*p"),
        "",
    ),
    "the logit function as the inverse of the sigmoid": (
        ("torch.logit", "jax.scipy.special.logit", "scipy.special.logit", "numpy:logit-naive"),
        "",
    ),
    "argmax of logits equal to argmax of probabilities": (
        (),
        "a property, not a function: every softmax is judged element by element, ties and near ties "
        "included (family `near_ties`), which decides the order as well",
    ),
    "Gumbel-softmax as a differentiable relative of hard max": (
        ("torch.nn.functional.gumbel_softmax:noise=0", "jax.nn.softmax:gumbel,noise=0"),
        "asked with its noise at zero, near a temperature of zero too; a noise that is given is a "
        "scale and a bias of any softmax (family `composites`)",
    ),
}
"""What the published explanations name (``systems_named`` of the published examples), and its doors."""


def page() -> str:
    """The page, in Markdown."""
    lines = [HEAD]
    for framework, found in groupby(doors(), key=lambda door: door.framework):
        lines += [f"## {framework}", "", *_variants(framework), *_states(framework)]
        lines += [*_glances(framework), *_not_offered(framework)]
        lines += ["| implementation | operator | formulation | modes | outputs | attributes | note |"]
        lines += ["|---|---|---|---|---|---|---|", *map(_row, found), ""]
    lines += ["## What the published explanations name", "", "| named | asked as |", "|---|---|"]
    for name, (asked, why) in NAMED.items():
        shown = [", ".join(f"`{door}`" for door in asked), why]
        lines.append(f"| {name} | {'; '.join(part for part in shown if part)} |")
    return "\n".join(lines) + "\n"


def _variants(framework: str) -> list[str]:
    variants = FRAMEWORKS[framework].declaration.variants
    told = [
        f"`{v.device}[{name}]` ({v.about}; {v.since if v.device == 'cpu' else 'where it is named'})"
        for name, v in variants.items()
    ]
    return [f"Variants of its devices: {', '.join(told)}.", ""] if told else []


def _states(framework: str) -> list[str]:
    """What of a call's state is asked, mode by mode, in the order of the interface."""
    declared = FRAMEWORKS[framework].declaration
    told = [
        f"`{mode}` ({', '.join(state.replace('_', ' ') for state in STATES if state in has)})"
        for mode, has in declared.states.items()
        if mode in declared.modes
    ]
    return [f"Asked for its state in {', '.join(told)}.", ""] if told else []


def _glances(framework: str) -> list[str]:
    """Of modes that begin later, what every profile asks."""
    told = [
        f"`{mode}` (`{'`, `'.join(glance.implementations)}`, {glance.family}, {glance.dtype}"
        + f"{', rows of ' + ' or '.join(map(str, glance.lengths)) if glance.lengths else ''})"
        for mode, glance in FRAMEWORKS[framework].declaration.glances.items()
    ]
    return [f"Every profile takes a glance at {', '.join(told)}.", ""] if told else []


def _not_offered(framework: str) -> list[str]:
    lacks = FRAMEWORKS[framework].declaration.not_offered
    told = [f"* {_what(lack)}: {lack.source}" for lack in lacks]
    return ["Not offered, so not asked:", *told, ""] if told else []


def _what(lack: NotOffered) -> str:
    """``grad_labels of `tf.compat.v1…` ``: what of whom, where."""
    doors = [i for i in lack.implementations if i != "*"]
    parts = [
        " and ".join(f"`{o}`" for o in lack.outputs),
        f"in {' and '.join(lack.dtypes)}" if lack.dtypes else "",
        f"with {', '.join(lack.manners)}" if lack.manners else "",
        f"of {' and '.join(f'`{i}`' for i in doors)}" if doors else "",
        f"in mode `{'`, `'.join(lack.modes)}`" if lack.modes else "",
        f"under {' and '.join(f'`{v}`' if v else 'no setting' for v in lack.variants)}"
        if lack.variants
        else "",
    ]
    return " ".join(part for part in parts if part)


def _row(row: Door) -> str:
    door = row.door
    modes = ", ".join(_mode(row, m, since) for m, since in row.modes.items())
    outputs = "value+" if len(row.outputs) > 1 else "value"
    takes = ", ".join(f"`{name}`" for name in sorted(door.takes))
    cells = (f"`{door.name}`", f"`{door.operator}`", door.formulation, modes, outputs, takes, door.note)
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _mode(row: Door, mode: str, since: str) -> str:
    declared = FRAMEWORKS[row.framework].declaration
    formats = [name for name in FORMATS if declared.asks(row.door.name, mode, name)]
    told = mode if since == "quick" else f"{mode} ({since})"
    return told if len(formats) == len(FORMATS) else f"{told}: {' '.join(formats)}"


if __name__ == "__main__":
    print(page(), end="")
