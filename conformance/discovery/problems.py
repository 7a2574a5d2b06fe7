"""What is wrong with an adapter class as it is written: its framework is not imported, nothing is called.

A plug-in comes from elsewhere and inherits from nothing, so nothing else has checked it. What is wrong
here would stop the driver in the middle of a run; a plug-in is therefore not taken before it is right.
"""

from __future__ import annotations

import difflib
import fnmatch
import inspect
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from xent_conformance.cases.form import Layout
from xent_conformance.cases.profile import Profile
from xent_conformance.frameworks import around, layer
from xent_conformance.frameworks.around import Around
from xent_conformance.frameworks.interface import (
    MANNERS,
    STATES,
    Formulation,
    Glance,
    Implementation,
    NotOffered,
    Variant,
)
from xent_conformance.reference.formats import FORMATS
from xent_conformance.reference.operators import MOVING, OPERATORS
from xent_conformance.worker.identity import is_text_to_text, numbers
from xent_conformance.worker.machine import ACCELERATORS

KEYWORDS = (
    "axis",
    "axes",
    "keepdims",
    "dtype",
    "out",
    "weight",
    "pos_weight",
    "weight_dtype",
    "label_smoothing",
    "ignore_index",
    "eps",
    "reduction",
    "row_weight",
    "features",
    "affine",
    *("cast", "matrix", "scale", "temperature", "bias", "mask", "times"),
)
"""What an implementation may take beside logits and labels: ``Implementation.takes``."""

OUTPUTS = ("value", "grad_logits", "grad_labels", *layer.PARTS)

LAYOUTS = tuple(name for name in get_args(Layout) if name != "contiguous")

FORMULATIONS: tuple[str, ...] = get_args(Formulation)

_NAME = re.compile(r"[A-Za-z0-9][\w.+-]*")
_KIND = re.compile(r"[a-z]+")


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with an adapter, and what to do about it."""

    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.what}: {self.remedy}"


_WORDS: Mapping[str, str] = {
    "name": 'give it one, `name = "mine"`; it is the name on the report',
    "distribution": "give it the name that `pip install` takes",
    "modes": 'give it one, `modes = {"eager": "quick"}`: each mode, with the smallest profile that asks it',
    "autodiff": "say `autodiff = False` where only values are to be asked, or True",
    "implementations": "give it a tuple of xent_conformance.frameworks.interface.Implementation",
    "version": "add `def version(self)`, which returns the framework's version as text",
    "environment": "add `def environment(self)`, which returns a dict of what may change its arithmetic",
    "devices": 'add `def devices(self)`, which returns the devices there are, such as ["cpu", "cuda:0"]',
    "run": "add `def run(self, call)`, which returns a dict from each of `call.outputs` to a NumPy array",
}
"""The attributes an adapter must have, with what to do where one is missing."""

METHODS = ("version", "environment", "devices", "run")


def problems(kind: Any) -> list[Problem]:
    """Everything that is wrong with the adapter class ``kind``; empty where it can be asked."""
    if not isinstance(kind, type):
        return [Problem(f"{kind!r} is no class", "name the adapter's class, MODULE:CLASS")]
    missing = [name for name in _WORDS if not hasattr(kind, name)]
    found = [Problem(f"{kind.__name__} has no attribute `{name}`", _WORDS[name]) for name in missing]
    for name, check in _CHECKS.items():
        if name not in missing and hasattr(kind, name):
            found += check(kind, getattr(kind, name))
    return found


def accepts(call: Callable[..., Any], keyword: str) -> bool:
    """Whether ``call`` can be given the keyword, as far as its signature can be read.

    Several axes are given as ``axis``.
    """
    keyword = "axis" if keyword == "axes" else keyword
    if isinstance(call, Around):
        own = around.KEYWORDS | ({"mask"} if call.hide else frozenset())
        return keyword in own or accepts(call.call, keyword)
    if isinstance(call, layer.Layered):
        return keyword in layer.OWN or accepts(call.call, keyword)
    try:
        parameters = inspect.signature(call).parameters.values()
    except (TypeError, ValueError):
        return True  # compiled code that does not say
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return any(
        p.kind is inspect.Parameter.VAR_KEYWORD or (p.name == keyword and p.kind in named) for p in parameters
    )


REDUCING = frozenset(
    {
        "batchmean",
        "elementwise_mean",
        "mean",
        "mean_with_sample_weight",
        "sum",
        "sum_by_nonzero_weights",
        "sum_over_batch_size",
        "sum_over_nonzero_weights",
    }
)
"""Words by which frameworks make one number of all losses."""


def reduction_of(call: Callable[..., Any]) -> str:
    """The reduction that ``call`` does by default, as its own signature says; empty where it says none."""
    try:
        named = inspect.signature(call, follow_wrapped=False).parameters.get("reduction")
    except (TypeError, ValueError):  # compiled code that does not say
        return ""
    default = None if named is None else named.default
    return default if isinstance(default, str) and default.lower() in REDUCING else ""


def unknown(what: str, name: object, known: Iterable[str]) -> Problem:
    """A name that nothing answers to, with the near ones, or all where none is near."""
    names = list(known)
    near = difflib.get_close_matches(str(name), names, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(names)}"
    return Problem(f"unknown {what} {name!r}", hint)


# --- what must be there ------------------------------------------------------------------------------


def _name(kind: type, name: Any) -> Iterator[Problem]:
    if not isinstance(name, str):
        yield Problem(f"`name` is {_a(name)}, not text", _WORDS["name"])
    elif not _NAME.fullmatch(name):
        yield Problem(
            f"`name` is {name!r}", "use letters, digits and `. _ + -` alone: it stands in commands and files"
        )


def _distribution(kind: type, distribution: Any) -> Iterator[Problem]:
    if not isinstance(distribution, str) or not distribution:
        yield Problem(f"`distribution` is {_a(distribution)}, not text", _WORDS["distribution"])


def _modes(kind: type, modes: Any) -> Iterator[Problem]:
    if not isinstance(modes, Mapping) or not modes or not all(isinstance(m, str) for m in modes):
        yield Problem(f"`modes` is {_a(modes)}, not a mapping from names to profiles", _WORDS["modes"])
        return
    for mode, profile in modes.items():
        if profile not in list(Profile):
            yield unknown(f"profile of mode {mode!r},", profile, Profile)


def _autodiff(kind: type, autodiff: Any) -> Iterator[Problem]:
    if not isinstance(autodiff, bool):
        yield Problem(f"`autodiff` is {_a(autodiff)}, not True or False", _WORDS["autodiff"])


def _callable(name: str) -> Callable[[type, Any], Iterator[Problem]]:
    def check(kind: type, method: Any) -> Iterator[Problem]:
        if not callable(method):
            yield Problem(f"`{name}` is {_a(method)}, not a method", _WORDS[name])

    return check


def _implementations(kind: type, implementations: Any) -> Iterator[Problem]:
    if not _is_sequence(implementations) or not implementations:
        yield Problem(
            f"`implementations` is {_a(implementations)}, not a sequence with something in it",
            _WORDS["implementations"],
        )
        return
    right = [i for i in implementations if isinstance(i, Implementation)]
    for wrong in implementations:
        if not isinstance(wrong, Implementation):
            yield Problem(f"`implementations` holds {_a(wrong)}", _WORDS["implementations"])
    for i in right:
        yield from (Problem(f"{i.name}: {p.what}", p.remedy) for p in _implementation(i))
    for (name, operator), count in Counter((i.name, i.operator) for i in right).items():
        if count > 1:
            yield Problem(
                f"{name}: {count} implementations of {operator} have this name",
                "give each its own: it is how an answer finds its implementation",
            )


def _implementation(i: Implementation) -> Iterator[Problem]:
    if not isinstance(i.name, str) or not i.name:
        yield Problem(f"its name is {_a(i.name)}, not text", "give it the name that users call it by")
    if i.operator not in OPERATORS:
        yield unknown("operator", i.operator, OPERATORS)
    if i.formulation not in FORMULATIONS:
        yield unknown("formulation", i.formulation, FORMULATIONS)
    if i.since not in list(Profile):
        yield unknown("profile in `since`,", i.since, Profile)
    if i.came and not (isinstance(i.came, str) and numbers(i.came)):
        yield Problem(f"`came` is {_a(i.came)}, no version", 'say since which there is it, such as "2.13"')
    if i.class_axis not in ("last", "second", None):
        yield Problem(f"class_axis is {i.class_axis!r}", 'say "last", "second" or None')
    if not callable(i.call):
        yield Problem(f"its call is {_a(i.call)}, not a function", "give a function (framework, x, …)")
    if not isinstance(i.takes, (frozenset, set, tuple, list)):
        yield Problem(f"`takes` is {_a(i.takes)}", 'give a set of names, frozenset({"axis"})')
        return
    if not isinstance(i.takes, frozenset):
        yield Problem(f"`takes` is {_a(i.takes)}", "make it a frozenset: an implementation is hashed")
    for keyword in sorted(map(str, i.takes)):
        if keyword not in KEYWORDS:
            yield unknown("keyword in `takes`,", keyword, KEYWORDS)
        elif callable(i.call) and not accepts(i.call, keyword):
            yield Problem(
                f"takes {keyword!r}, which its call does not accept",
                f"add the parameter `{keyword}`, or leave it out of `takes`",
            )


# --- what may be there -------------------------------------------------------------------------------


def _subset(name: str, known: Sequence[str]) -> Callable[[type, Any], Iterator[Problem]]:
    def check(kind: type, given: Any) -> Iterator[Problem]:
        if isinstance(given, str) or not isinstance(given, Iterable):
            yield Problem(f"`{name}` is {_a(given)}, not a set of names", f"there are {', '.join(known)}")
            return
        yield from (unknown(f"name in `{name}`,", item, known) for item in given if item not in known)

    return check


def _glances(kind: type, given: Any) -> Iterator[Problem]:
    remedy = "map a mode to a xent_conformance.frameworks.interface.Glance"
    if not isinstance(given, Mapping) or not all(isinstance(glance, Glance) for glance in given.values()):
        yield Problem(f"`glances` is {_a(given)} with something else in it", remedy)
        return
    doors = [i.name for i in getattr(kind, "implementations", ()) if isinstance(i, Implementation)]
    for mode, glance in given.items():
        if mode not in _names_of_modes(kind):
            yield unknown("mode in `glances`,", mode, _names_of_modes(kind))
        if glance.dtype not in FORMATS:
            yield unknown(f"format in `glances[{mode!r}]`,", glance.dtype, FORMATS)
        # one that inherits them has doors of its own
        for name in glance.implementations if "glances" in vars(kind) else ():
            if name not in doors:
                yield unknown(f"implementation in `glances[{mode!r}]`,", name, doors)


def _widening(kind: type, modes: Any) -> Iterator[Problem]:
    yield from _subset("widening", _names_of_modes(kind))(kind, modes)


def _compiling(kind: type, modes: Any) -> Iterator[Problem]:
    yield from _subset("compiling", _names_of_modes(kind))(kind, modes)


def _in_order(kind: type, modes: Any) -> Iterator[Problem]:
    yield from _subset("in_order", _names_of_modes(kind))(kind, modes)


def _by_mode(name: str) -> Callable[[type, Any], Iterator[Problem]]:
    def check(kind: type, given: Any) -> Iterator[Problem]:
        if not isinstance(given, Mapping):
            yield Problem(f"`{name}` is {_a(given)}, not a mapping", "map each mode to a frozenset of names")
            return
        doors = [i.name for i in getattr(kind, "implementations", ()) if isinstance(i, Implementation)]
        known: Sequence[str] = {"restricted": doors, "formats": tuple(FORMATS), "states": STATES}[name]
        for mode, names in given.items():
            if mode not in _names_of_modes(kind):
                yield unknown(f"mode in `{name}`,", mode, _names_of_modes(kind))
            yield from _subset(f"{name}[{mode!r}]", known)(kind, names)

    return check


def _doors(name: str) -> Callable[[type, Any], Iterator[Problem]]:
    """Of a set of the framework's own implementations."""

    def check(kind: type, names: Any) -> Iterator[Problem]:
        doors = [i.name for i in getattr(kind, "implementations", ()) if isinstance(i, Implementation)]
        yield from _subset(name, doors)(kind, names)

    return check


def _variants(kind: type, variants: Any) -> Iterator[Problem]:
    remedy = "map each name to a xent_conformance.frameworks.interface.Variant"
    if not isinstance(variants, Mapping):
        yield Problem(f"`variants` is {_a(variants)}, not a mapping", remedy)
        return
    for name, variant in variants.items():
        if not isinstance(variant, Variant):
            yield Problem(f"variant {name!r} is {_a(variant)}", remedy)
            continue
        yield from _texts(f"environment of variant {name!r}", variant.environment)
        yield from _subset(f"modes of variant {name!r}", _names_of_modes(kind))(kind, variant.modes)
        if variant.since not in list(Profile):
            yield unknown(f"profile of variant {name!r},", variant.since, Profile)
        if not isinstance(variant.device, str) or not _KIND.fullmatch(variant.device):
            yield Problem(
                f"device of variant {name!r} is {variant.device!r}",
                'name the kind of device that it is a setting of, such as "cuda"',
            )


def _settings_only(kind: type, given: Any) -> Iterator[Problem]:
    of = [v.device for v in getattr(kind, "variants", {}).values() if isinstance(v, Variant)]
    yield from _subset("settings_only", tuple(dict.fromkeys(of)))(kind, given)


def _accelerators(kind: type, given: Any) -> Iterator[Problem]:
    yield from _subset("accelerators", ACCELERATORS)(kind, given)


def _not_offered(kind: type, lacks: Any) -> Iterator[Problem]:
    remedy = "give a tuple of xent_conformance.frameworks.interface.NotOffered"
    if not _is_sequence(lacks) or not all(isinstance(lack, NotOffered) for lack in lacks):
        yield Problem(f"`not_offered` is {_a(lacks)} with something else in it", remedy)
        return
    for lack in lacks:
        where = f"`not_offered` ({lack.source[:40]}…)"
        if len(lack.source.strip()) < 10:
            yield Problem(
                f"`not_offered` has the source {lack.source!r}", "say who says so: a page, a message"
            )
        for name, given, known in (
            ("mode", lack.modes, _names_of_modes(kind)),
            ("output", lack.outputs, (*OUTPUTS, *MOVING)),
            ("format", lack.dtypes, tuple(FORMATS)),
            ("manner", lack.manners, MANNERS),
            ("variant", lack.variants, ("", *_names_of_variants(kind))),
        ):
            yield from (unknown(f"{name} in {where},", item, known) for item in given if item not in known)
        doors = [i.name for i in getattr(kind, "implementations", ()) if isinstance(i, Implementation)]
        for glob in lack.implementations if "not_offered" in vars(kind) else ():
            if not fnmatch.filter(doors, glob):
                yield unknown(f"implementation in {where},", glob, doors)


def _environment_before(kind: type, variables: Any) -> Iterator[Problem]:
    yield from _texts("environment_before", variables)


def _packages(name: str, remedy: str) -> Callable[[type, Any], Iterator[Problem]]:
    """Names of packages, without what is in them."""

    def check(kind: type, given: Any) -> Iterator[Problem]:
        if not _is_sequence(given) or not all(isinstance(n, str) and n.isidentifier() for n in given):
            yield Problem(f"`{name}` is no sequence of names of packages", remedy)

    return check


def _without(kind: type, given: Any) -> Iterator[Problem]:
    remedy = 'such as ("jax",): packages that its own import where they are, and that it does not need'
    odd = list(_packages("without", remedy)(kind, given))
    yield from odd
    if not odd and (both := [name for name in getattr(kind, "imports", ()) if name in given]):
        yield Problem(f"{both[0]} is in `imports` and in `without`", "name it in one of them")


def _texts(name: str, given: Any) -> Iterator[Problem]:
    """A mapping from text to text, or the problem that it is none."""
    if not is_text_to_text(given):
        yield Problem(f"`{name}` is not a mapping from text to text", 'such as {"OMP_NUM_THREADS": "1"}')


def _names_of_modes(kind: type) -> Sequence[str]:
    """The modes of the class and of those it inherits from, whose other attributes may name them still."""
    every = [vars(base).get("modes") for base in kind.__mro__]
    return list(dict.fromkeys(str(m) for modes in every if isinstance(modes, Mapping) for m in modes))


def _names_of_variants(kind: type) -> Sequence[str]:
    """The variants that the class has, as far as they are declared as they should be."""
    variants = getattr(kind, "variants", {})
    return list(variants) if isinstance(variants, Mapping) else []


def _is_sequence(given: Any) -> bool:
    return isinstance(given, Sequence) and not isinstance(given, (str, bytes))


def _a(value: Any) -> str:
    """``a str``, ``an int``: what a value is, where its kind is what is wrong with it."""
    name = type(value).__name__
    return (
        f"an empty {name}" if value in ("", (), [], {}) else f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
    )


_CHECKS: Mapping[str, Callable[[type, Any], Iterable[Problem]]] = {
    "name": _name,
    "distribution": _distribution,
    "modes": _modes,
    "autodiff": _autodiff,
    "implementations": _implementations,
    **{name: _callable(name) for name in METHODS},
    "moving": _subset("moving", MOVING),
    "layouts": _subset("layouts", LAYOUTS),
    "in_eight_bits": _doors("in_eight_bits"),
    "from_eight_bits": _doors("from_eight_bits"),
    "not_offered": _not_offered,
    "restricted": _by_mode("restricted"),
    "formats": _by_mode("formats"),
    "glances": _glances,
    "states": _by_mode("states"),
    "widening": _widening,
    "in_order": _in_order,
    "compiling": _compiling,
    "variants": _variants,
    "settings_only": _settings_only,
    "accelerators": _accelerators,
    "environment_before": _environment_before,
    "imports": _packages(
        "imports", 'such as ("torch", "mine"): the packages that it imports, without what is in them'
    ),
    "without": _without,
}
