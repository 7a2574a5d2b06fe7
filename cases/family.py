"""What a family of cases is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from xent_conformance.cases.case import Ask
from xent_conformance.cases.profile import Profile
from xent_conformance.cases.words import Words
from xent_conformance.reference.formats import FORMATS, Format
from xent_conformance.reference.operators import Domain, Operator

LOGITS: Mapping[Domain, Profile] = {"reals": Profile.QUICK, "unit": Profile.QUICK}
"""Asked of logits, and of the argument of ``logit``."""

_LOSSES: tuple[Domain, ...] = ("log_probabilities", "probabilities")

DIVERGENCES: Mapping[Domain, Profile] = {
    "log_distributions": Profile.QUICK,
    "nonnegative": Profile.QUICK,
}
"""Divergences by elements, and of targets that are given by their logarithms: they have their own family."""

LAYER: Mapping[Domain, Profile] = {"layer": Profile.QUICK}
"""Of a layer and its loss, which are asked together."""

GIVEN: Mapping[Domain, Profile] = {**LOGITS, **dict.fromkeys(_LOSSES, Profile.QUICK)}
"""Of given log-probabilities and probabilities too."""

GIVEN_LATER: Mapping[Domain, Profile] = {**LOGITS, **dict.fromkeys(_LOSSES, Profile.STANDARD)}
"""Of given ones from ``standard`` on: what it asks is how a call is made, not what is right."""

EVERY_LATER: Mapping[Domain, Profile] = {**GIVEN_LATER, **dict.fromkeys(DIVERGENCES, Profile.STANDARD)}
"""The divergences too."""


FOUNDATIONS = ("softmax", "sparse_softmax_cross_entropy", "sigmoid_cross_entropy")
"""The operators through which a compiler is seen where the others are the same to it: a maximum, a sum and a
quotient; their logarithm, and a place in the row; and a function of each element. JAX's, Optax's and Keras's
losses are composed of what these are made of."""


def always(operator: Operator, fmt: Format, n: int) -> bool:
    """A mode that compiles every shape anew is asked what the others are."""
    return True


def sparingly(operator: Operator, fmt: Format, n: int) -> bool:
    """Of the foundations alone, where what is asked is how a long or an odd row is walked."""
    return operator.name in FOUNDATIONS


def sparingly_in_single(operator: Operator, fmt: Format, n: int) -> bool:
    """In one format too: a row is walked alike in all."""
    return sparingly(operator, fmt, n) and fmt.name == "float32"


def in_single(operator: Operator, fmt: Format, n: int) -> bool:
    """Of every operator in one format, where what is asked is how a call is made."""
    return fmt.name == "float32"


def in_single_or_sparingly(operator: Operator, fmt: Format, n: int) -> bool:
    """Of every operator in one format, and of the foundations in all."""
    return in_single(operator, fmt, n) or sparingly(operator, fmt, n)


@dataclass(frozen=True)
class Family:
    """A named group of cases.

    ``asked(operator, profile)`` gives the row lengths that are asked (empty where the family has
    nothing for the operator); ``rows(operator, format, n, words)`` yields the rows of one batch.
    ``formats_in`` names the formats of a profile that asks fewer than all ``formats``; ``formats_at``
    those of one row length in a profile, where a framework would compile much for little. ``domains`` says
    of which arguments it has rows, each with the smallest profile that asks them. ``compiled`` says what is
    asked at once of modes that compile every shape anew; the rest they are asked a profile later.
    ``compiled_in_quick`` says what of that ``quick`` asks of them; the rest begins in ``standard``.
    """

    name: str
    about: str
    asked: Callable[[Operator, str], Sequence[int]]
    rows: Callable[[Operator, Format, int, Words], Iterable[Ask]]
    formats: tuple[str, ...] = tuple(FORMATS)
    formats_in: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    formats_at: Mapping[tuple[str, int], tuple[str, ...]] = field(default_factory=dict, hash=False)
    domains: Mapping[Domain, Profile] = field(default_factory=lambda: LOGITS, hash=False)
    compiled: Callable[[Operator, Format, int], bool] = always
    compiled_in_quick: Callable[[Operator, Format, int], bool] = always

    def lengths(self, operator: Operator, profile: str) -> Sequence[int]:
        """The row lengths that a profile asks of an operator."""
        since = self.domains.get(operator.domain)
        return self.asked(operator, profile) if since is not None and since <= profile else ()

    def formats_asked(self, profile: str, n: int) -> tuple[str, ...]:
        """The formats of rows of length ``n`` in a profile."""
        return self.formats_at.get((profile, n), self.formats_in.get(profile, self.formats))
