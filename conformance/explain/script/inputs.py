"""The inputs of a call in a script: to the last bit, as many copies, and in the memory that is asked."""

from __future__ import annotations

from collections.abc import Mapping

from xent_conformance.explain.script.arrays import assigned
from xent_conformance.explain.script.call import helper_of
from xent_conformance.explain.script.program import names
from xent_conformance.explain.script.recipe import Rule, rule
from xent_conformance.explain.script.shown import Shown
from xent_conformance.worker import layouts


def rules_of(found: Shown) -> Mapping[str, Rule]:
    """Of the arguments that are long, the rule that makes them, where one is found."""
    made = ((n, rule(n, found.arrays[n], found.batch, by_bits=found.by_bits)) for n in names(found))
    return {name: how for name, how in made if how is not None}


def inputs(found: Shown, rules: Mapping[str, Rule]) -> str:
    """Statements that make the arguments as NumPy arrays."""
    lines = [f"\n\n{text}\n\n" for text in dict.fromkeys(h for r in rules.values() for h in r.helpers)]
    given = names(found)
    for name in given:
        lines += (
            rules[name].lines
            if name in rules
            else [assigned(name, found.arrays[name], by_bits=found.by_bits)]
        )
    if found.repeated:
        rows = len(found.batch.inputs)
        lines.append(
            f"rows = np.resize(np.arange({rows}), {found.repeated})  # as many as were asked together"
        )
        lines += [f"{name} = {name}[rows]" for name in given]
    copies = found.batch.inputs.copies
    if copies > 1:
        lines += _copied(found, copies)
    if found.layout != "contiguous":
        lines = [*_layout_helpers(found), *lines, *_laid_out(found)]
    return "\n".join(lines)


def _copied(found: Shown, copies: int) -> list[str]:
    """Every class as often as it is to be there."""
    axis = found.batch.form.class_axis
    lines = []
    for name in names(found):
        if found.arrays[name].ndim == found.arrays["logits"].ndim:
            lines.append(f"{name} = np.repeat({name}, {copies}, axis={axis})")
        elif name == "labels":
            lines.append(f"labels = labels * {copies}  # the first of the classes")
    return lines


def _layout_of(found: Shown, name: str) -> str:
    """The layout that an array is put into; empty for contiguous memory."""
    a, layout = found.arrays[name], found.layout
    if layout.endswith("_broadcast"):
        return "broadcast" if layout == f"{name}_broadcast" else ""
    return "" if a.ndim == 0 or (a.ndim == 1 and layout in ("transposed", "class_last")) else layout


def _layout_helpers(found: Shown) -> list[str]:
    told = {_layout_of(found, name) for name in names(found)} - {"", "transposed"}
    texts = {t: None for layout in sorted(told) for t in helper_of(getattr(layouts, f"_{layout}"))}
    return [f"\n\n{text}\n\n" for text in texts]


def _laid_out(found: Shown) -> list[str]:
    lines = []
    for name in names(found):
        layout = _layout_of(found, name)
        if layout:
            function = "np.asfortranarray" if layout == "transposed" else layout
            lines.append(f"{name} = {function}({name})")
    return lines
