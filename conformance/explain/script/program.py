"""The part of a script that is the framework's, and what all frameworks' parts are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from xent_conformance.explain.script.call import Source, source_of
from xent_conformance.explain.script.shown import Shown
from xent_conformance.explain.wanted import Refused
from xent_conformance.frameworks.interface import holds_numbers, type_of


@dataclass(frozen=True)
class Program:
    """Lines that import, that set up, and that leave what was returned in ``result``.

    ``element`` is the element of interest as NumPy or Python has it; ``type`` the name of ``result``'s type;
    ``whole`` all of ``result`` in binary64.
    """

    imports: tuple[str, ...]
    setup: tuple[str, ...]
    lines: tuple[str, ...]
    element: str
    type: str = "result.dtype.name"
    whole: str = "np.asarray(result).astype(np.float64)"


def place_text(shown: Shown, result: str = "result") -> str:
    """The element of interest, or the group of elements that it stands for."""
    told = [f"{p.start}:{p.stop}" if isinstance(p, slice) else str(p) for p in shown.place]
    return f"{result}[{', '.join(told)}]" if told else result


def names(shown: Shown) -> list[str]:
    """The arguments of the call, the cotangent where a gradient is asked, the tangent where there is one."""
    gradient = [] if shown.output in ("value", "jvp") else ["cotangent"]
    return [*arguments(shown), *gradient, *(["tangent"] if shown.moving else [])]


def arguments(shown: Shown) -> list[str]:
    """The arguments of the call."""
    return [n for n in ("logits", "hidden", "weight", "labels", "bias") if n in shown.arrays]


def argument_of(shown: Shown) -> str:
    """What the gradient is taken in."""
    return shown.output.removeprefix("grad_")


def source(shown: Shown, library: str, tensor: Callable[[str], str] = str) -> tuple[Source, list[str]]:
    """The call, and the lines that make tensors of those keywords that are numbers a class."""
    keywords, lines = {}, []
    for name, value in shown.keywords.items():
        if holds_numbers(name, value):
            keywords[name] = name
            lines.append(f"{name} = {_typed(tensor(repr(value)), name, shown, library)}")
        elif name != "weight_dtype" or library not in ("torch", "tf"):  # whose tensors have it already
            words = {"out": name, "dtype": f"{library}.{value}"}
            keywords[name] = words.get(name, repr(value))
    call, given = shown.implementation.call, arguments(shown)
    try:
        return source_of(call, library, given, keywords), lines
    except LookupError as error:
        name = shown.implementation.name
        raise Refused(f"the call of {name} cannot be read ({error}); see the case without --script") from None


def _typed(tensor: str, keyword: str, shown: Shown, library: str) -> str:
    """The tensor of a keyword, in the type of its numbers."""
    kind = type_of(keyword, shown.keywords, "")
    if kind == "bool":
        return tensor.replace(", dtype=logits.dtype", "")
    named = f"torch.{kind}" if library == "torch" else f'"{kind}"'
    return tensor.replace("dtype=logits.dtype", f"dtype={named}") if kind else tensor


def numpy_element(shown: Shown) -> str:
    return place_text(shown, "np.asarray(result)")
