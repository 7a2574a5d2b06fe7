"""What is told of a cause whose hypothesis has several forms: a sentence that is true of all of them.

A run file says a cause once, wherever it shows, and the forms of one hypothesis show in different outputs.
"""

from __future__ import annotations

from collections.abc import Mapping

OF_ALL_FORMS: Mapping[str, str] = {
    "0·∞ is NaN": "zero times an infinity: a label of zero times the logarithm of an excluded class, say",
    "a NaN is passed over": (
        "a NaN goes in and a number comes out: a maximum, a clip or a zero passes over it"
    ),
    "a NaN is outside of the domain": (
        "a NaN compares with nothing, and falls to the branch of what is outside: an infinity, or no gradient"
    ),
    "a mean in 16 bits": (
        "weights multiply, and are divided, in 16 bits: what is in between leaves the format"
    ),
    "a mean is subtracted": "v − Σ s v with its parts rounded apart: where v is nearly uniform, it cancels",
    "a negative index counts from the end": "the index is looked up as an array's is: −1 is the last class",
    "an index is cast to the logits' format": (
        "16 bits cannot count beyond 256 or 2048: the index is rounded to another class, or to none"
    ),
    "a product in fewer bits": "what is multiplied is rounded to 16 bits before, or to the 19 of TF32",
    "a product is derived factor by factor": "a product or a quotient, factor by factor: the terms cancel",
    "a sum in 16 bits": (
        "a sum is added, or kept, in too few bits: it overflows, stops, or loses its digits"
    ),
    "an ε in the logarithm": (
        "something is added to a probability before its logarithm is taken, for safety"
    ),
    "clipped by ε": "probabilities, or what is divided by, are kept away from 0 and from 1, for safety",
    "derived by logits that are not there": "the gradient behind a softmax or a sigmoid, where none stands",
    "gradient from the rounded value": (
        "exp of a logarithm as it was rounded, the value or a part of it: its error is that of the gradient"
    ),
    "in fewer bits": "numbers are computed in a narrower format, and cast back",
    "labels taken to sum to one": (
        "the gradient is softmax − labels, which is the derivative only where the labels sum to one"
    ),
    "log of a rounded probability": (
        "the logarithm of a probability that was rounded: near one it is lost, and one that underflowed is −∞"
    ),
    "log of the whole sum": (
        "the logarithm is taken of a sum that contains the maximum's 1, not log1p of the others"
    ),
    "log of the odds": (
        "the logarithm of the odds, or two logarithms subtracted: near one half they are lost"
    ),
    "minus infinity that the format has not": (
        "a maximum, or a shift, is −∞ for want of a number, which a format without infinities has as NaN"
    ),
    "no shift by the maximum": "exp of the logits as they are: it overflows, or all terms vanish",
    "normalised once more": (
        "what is given is normalised: a distribution by its sum, or as if it were logits"
    ),
    "one less a rounded sigmoid": "one less a rounded sigmoid, which cancels where that is nearly one",
    "probabilities less labels": (
        "probabilities and labels, or multiples of them, are rounded apart and subtracted: they "
        "cancel where they agree"
    ),
    "smoothing over another axis": (
        "the share is one over the length of the last axis of the tensor, which is not that of the classes"
    ),
    "subnormal numbers are flushed": (
        "below the smallest normal number is zero: a result, an input, or what is between"
    ),
    "terms as large as the logit": (
        "terms as large as the logit round apart: a tiny loss is lost beside it, and ∞ − ∞ is NaN"
    ),
    "the kink at zero": (
        "of max(x, 0), |x|, xlogy the derivative at 0 is taken for 0: the loss is smooth, its parts are not"
    ),
    "two softplus subtracted": "two softplus are rounded apart and subtracted; ∞ − ∞ is NaN",
    "offset kept": "x − (m + log S): the offset is added to the logarithm, which is rounded away beside it",
    "log of a quotient": "the logarithm of a quotient, which overflows or vanishes before it is taken",
    "log p less log q": "two logarithms are rounded apart and subtracted: they cancel where p is near q",
    "outside of the domain is NaN": "a logarithm of a number below zero is NaN, where it should not be taken",
    "the derivative of the logarithm is forgotten": (
        "what is given is a logarithm, and the derivative is that by the number itself, or the other way"
    ),
    "the masses are left out": "the terms that are no logarithms, q − p, or their derivative, are left out",
    "∞ − ∞ in the shift": "an infinite maximum is subtracted and added again",
}
"""By the name of a hypothesis."""
