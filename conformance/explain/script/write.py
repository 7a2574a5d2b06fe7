"""``conformance explain --script``: one finding as a script that needs the framework and NumPy, not us.

It is what one would paste into an issue: inputs to the last bit, the call by its public name, the gradient by
the framework's own means, what is right as a literal, and an exit status that says whether they agree.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np

from xent_conformance.cases.case import Batch, Case
from xent_conformance.explain.script.again import Again
from xent_conformance.explain.script.arrays import bits_name, is_brain, needs, type_name
from xent_conformance.explain.script.dialects import DIALECTS, environment, program
from xent_conformance.explain.script.format import block, comment, wrapped
from xent_conformance.explain.script.inputs import inputs, rules_of
from xent_conformance.explain.script.pairs import Pair, function
from xent_conformance.explain.script.program import Program, names
from xent_conformance.explain.script.recipe import Rule
from xent_conformance.explain.script.right import NOTHING
from xent_conformance.explain.script.showing import shown
from xent_conformance.explain.script.shown import Shown
from xent_conformance.explain.wanted import Refused, Wanted
from xent_conformance.frameworks.layer import Layered
from xent_conformance.frameworks.own import Own
from xent_conformance.reference.clauses import clause
from xent_conformance.reports.run.words import Outcome, Symptom
from xent_conformance.reports.text.wording import OUTPUTS_IN_WORDS

__all__ = ["Refused", "asked_for", "script", "written"]


def script(
    batch: Batch, case: Case, implementation: str, framework: str = "", mode: str = "", device: str = "cpu"
) -> str:
    """The script for the worst output of one implementation. Asks it.

    Raises :class:`Refused` where no short script can show it, and
    :class:`xent_conformance.asking.selection.UnknownName` for a name that nothing answers to.
    """
    return written(shown(batch, case, implementation, framework, mode, device))


def asked_for(batch: Batch, case: Case, wanted: Wanted) -> str:
    """The script that the options of ``conformance explain`` ask for. Raises as :func:`script` does."""
    name, framework, mode, device = wanted.alone()
    return written(shown(batch, case, name, framework, mode, device, wanted.output, wanted.interpreters))


def written(found: Shown) -> str:
    """The text of the script."""
    if found.seat.name not in DIALECTS:
        raise Refused(
            f"no script is written for {found.seat.name}; there are scripts for {', '.join(DIALECTS)}"
        )
    call = _function(found)
    if isinstance(call, Own) and call.missing:
        raise Refused(call.missing)
    framework, rules = program(found), rules_of(found)
    sections = [
        _title(found),
        _imports(found, framework, rules),
        _definitions(framework),
        inputs(found, rules),
        *(
            [_called(found, framework), _judged(found, framework)]
            if found.pair is None
            else [
                _again(found, found.pair)
                if isinstance(found.pair, Again)
                else _twice(found, found.pair, framework)
            ]
        ),
    ]
    return _spaced("\n\n".join(wrapped(s.strip("\n")) for s in sections if s.strip("\n")))


def _spaced(text: str) -> str:
    """Two empty lines before and after a definition at the margin, as its formatter would have it."""
    lines: list[str] = []
    inside = False
    for line in text.split("\n"):
        margin = bool(line) and not line.startswith((" ", ")"))
        starts = line.startswith(("def ", "@"))
        decorated = bool(_stripped(lines)) and _stripped(lines)[-1].startswith("@")
        if decorated:
            lines = _stripped(lines)
        elif margin and (starts or inside):
            lines = [*_stripped(lines), "", ""]
        inside = starts or (inside and not margin)
        if line or lines[-2:] != ["", ""]:
            lines.append(line)
    return "\n".join(_stripped(lines)) + "\n"


def _stripped(lines: list[str]) -> list[str]:
    while lines and not lines[-1]:
        lines = lines[:-1]
    return lines


def _function(found: Shown) -> Any:
    """The function that is called; of a layer that to which its parts are given."""
    call = found.implementation.call
    return call.call if isinstance(call, Layered) else call


def _title(found: Shown) -> str:
    rule = clause(str(found.row["clause"]))
    of = "on tensors of" if isinstance(_function(found), Own) else "of"
    named = f"{found.implementation.name} {of} {found.seat.declaration.distribution} {found.version}"
    told = {
        "case": found.case.id,
        "clause": f"{rule.id} ({rule.level}) {rule.title}",
        "asked": f"{named}, {found.mode}, {found.device}",
        "output": f"{OUTPUTS_IN_WORDS[found.output]}: {_said(found)}",
    }
    if found.batch.manner:
        told["manner"] = found.batch.manner
    return "\n".join(comment(f"{name}:", text) for name, text in told.items())


def _said(found: Shown) -> str:
    if isinstance(found.pair, Again) and found.pair.seen:
        return found.pair.seen
    row = found.row
    words = {"raised": "raises", "crashed": "crashes", "timed_out": "does not come to an end"}
    if row["outcome"] in words:
        return words[row["outcome"]]
    return "right" if row["symptom"] == Symptom.NONE else str(row["symptom"])


def _imports(found: Shown, framework: Program, rules: Mapping[str, Rule]) -> str:
    arrays = [found.arrays[name] for name in names(found)]
    literal = [found.arrays[name] for name in names(found) if name not in rules]
    standard = {f"import {module}" for a in literal for module in needs(a)} | {"import sys"}
    standard |= {"import hashlib"} if rules else set()
    standard |= found.pair.imports if isinstance(found.pair, Again) else set()
    if _measured(found):
        standard.add("from decimal import Decimal")
    variables = environment(found)
    if variables:
        standard.add("import os")
    brain = any(is_brain(dtype) for dtype in (*(a.dtype for a in arrays), found.dtype))
    others = {"import numpy as np", *framework.imports}
    if brain and not found.by_bits:
        others.add(f"import ml_dtypes  # {found.seat.declaration.distribution} needs it too")
    told = _sorted(standard)
    call = _function(found)
    if isinstance(call, Own):
        first, *_ = call.name.partition(".")
        others.add(f"from {call.module} import {first}")
        if call.folder:
            told += ["", f"sys.path.insert(0, {json.dumps(call.folder)})  # where {call.module} was found"]
    for name, value in variables.items():
        told += (
            ["", f'os.environ["{name}"] = "{value}"']
            if told[-1].startswith(("import", "from", "sys."))
            else [f'os.environ["{name}"] = "{value}"']
        )
    return "\n".join([*told, "", *_sorted(others)])


def _sorted(lines: set[str]) -> list[str]:
    """``import`` before ``from``, by the alphabet."""
    return sorted(lines, key=lambda line: (line.startswith("from"), line))


def _definitions(framework: Program) -> str:
    return "\n".join(f"\n\n{text}\n\n" if text.startswith("def ") else text for text in framework.setup)


def _twice(found: Shown, pair: Pair, framework: Program) -> str:
    """Both ways of asking, and a comparison of the bits."""
    given = names(found)
    at = f"[{pair.row} : {pair.row + 1}]"
    both = pair.lines(", ".join(given), ", ".join(f"{name}{at}" for name in given))
    return "\n".join([*function(given, framework.lines, framework.whole), *both])


def _again(found: Shown, again: Again) -> str:
    """The call, the call once more, and a comparison of the bits."""
    given, lines = names(found), []
    for name, state in zip(("ask", "ask_again"), again.states, strict=False):
        framework = program(replace(found, state=state))
        lines += function(given, framework.lines, framework.whole, name)
    return "\n".join([*lines, *again.lines(given)])


def _called(found: Shown, framework: Program) -> str:
    rule = clause(str(found.row["clause"]))
    lines = list(framework.lines)
    raised = found.row["outcome"] == Outcome.RAISED
    if rule.or_an_error and (raised or found.right.exact is None):
        # an error is right as well: what is defined stays outside
        begins = ("result", "(result", "value =", "with ", "_, pull", "_, result", "logits.requires_grad_")
        at = next(i for i, line in enumerate(lines) if line.startswith(begins))
        lines[at:] = [
            "try:",
            *block(lines[at:]),
            "except Exception as error:",
            '    print(f"raised {type(error).__name__}, which is right")',
            "    sys.exit(0)",
        ]
    return "\n".join(lines)


def _measured(found: Shown) -> bool:
    """Whether the element is compared with an exact value within a bound."""
    return (
        found.pair is None
        and found.right.exact is not None
        and found.row["symptom"]
        not in (
            Symptom.WRONG_DTYPE,
            Symptom.WRONG_SHAPE,
        )
    )


def _judged(found: Shown, framework: Program) -> str:
    symptom = found.row["symptom"]
    if symptom == Symptom.WRONG_DTYPE:
        return _described("result's type", framework.type, f'"{found.batch.inputs.format.name}"')
    if symptom == Symptom.WRONG_SHAPE or found.right is NOTHING:
        return _described("result's shape", "tuple(result.shape)", repr(found.shape))
    right, dtype = found.right, found.dtype
    kind, bits = type_name(dtype), f".view({bits_name(dtype)})"
    width = 2 + 2 * dtype.itemsize
    if found.by_bits and is_brain(dtype):
        kind, bits, dtype = "np.float32", ".view(np.uint32) >> 16", np.dtype(np.float32)
    lines = _element(found, framework, kind)
    lines.append(f"right = {_literal(right.rounded, kind, dtype)}")
    exactly = ""
    if right.exact is not None:
        lines[-1] += "  # the exact value, rounded once"
        lines.append(f'exact = Decimal("{_told(right.exact)}")')
        if right.bound.is_finite():
            lines.append(f'bound = Decimal("{_told(right.bound)}")  # {right.why}')
        exactly = ", exactly {exact}"
    lines += [
        "",
        f'print(f"returned {{returned!s}} ({{returned{bits}:#0{width}x}})")',
        f'print(f"right    {{right!s}} ({{right{bits}:#0{width}x}}){exactly}")',
        f"agrees = {_agrees(found)}",
        "if not agrees:",
        '    sys.exit(f"differs: returned {returned!s}, right {right!s}")',
    ]
    return "\n".join(lines)


def _element(found: Shown, framework: Program, kind: str) -> list[str]:
    if not any(isinstance(p, slice) for p in found.place):
        return [f"returned = {kind}({framework.element})"]
    return [
        f"equal = {framework.element}  # elements that should all be the same: the farthest counts",
        f"far = np.abs(equal.astype(np.float64) - {found.right.rounded!r})",
        f"returned = {kind}(equal[np.argmax(far)])",
    ]


def _described(what: str, expression: str, right: str) -> str:
    return "\n".join(
        [
            f"returned = {expression}",
            f"right = {right}",
            f'print(f"{what}: {{returned}}, right {{right}}")',
            "if returned != right:",
            '    sys.exit(f"differs: returned {returned}, right {right}")',
        ]
    )


def _literal(value: float, kind: str, dtype: np.dtype[np.generic]) -> str:
    """A number of the format, as short as it can be said there."""
    if not np.isfinite(value):
        return f'{kind}("{value}")'
    with np.errstate(over="ignore"):
        return f"{kind}({np.array([value]).astype(dtype)[0]!s})"


def _told(number: Decimal) -> str:
    """All its digits, without zeros at the end, and with an exponent where that is shorter."""
    sign, digits, _ = number.as_tuple()
    text = "".join(map(str, digits)).rstrip("0") or "0"
    place = number.adjusted() if number else 0
    if not -5 < place < len(text):
        whole, rest = text[0], text[1:]
        told = f"{whole}{'.' if rest else ''}{rest}e{place}"
    elif place < 0:
        told = f"0.{'0' * (-place - 1)}{text}"
    else:
        rest = text[place + 1 :]
        told = f"{text[: place + 1]}{'.' if rest else ''}{rest}"
    return f"{'-' if sign else ''}{told}"


def _agrees(found: Shown) -> str:
    right = found.right
    if right.exact is None:
        return "np.isnan(returned)" if np.isnan(right.rounded) else "returned == right"
    if right.bound.is_infinite():
        return f"not np.isnan(returned)  # any number: {right.why}"
    near = "np.isfinite(returned) and abs(Decimal(float(returned)) - exact) <= bound"
    if not right.infinity:
        return near
    sign = "-" if right.exact < 0 else ""
    return f"returned == {sign}np.inf or ({near})"
