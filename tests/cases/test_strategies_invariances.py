"""What must hold between rows: permuted, moved, weighed and reduced, in the reference itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.exploring import SOMEWHAT, formats_and_lengths
from xent_conformance.cases import strategies
from xent_conformance.reference.attributes import PLAIN, Attributes
from xent_conformance.reference.formats import Floats
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.operators import OPERATORS
from xent_conformance.reference.oracle import Oracle

DENSE, SPARSE, BINARY = "softmax_cross_entropy", "sparse_softmax_cross_entropy", "sigmoid_cross_entropy"
SOFTMAX_FAMILY = [o.name for o in OPERATORS.values() if not o.elementwise and o.domain == "reals"]
OF_THE_FAMILY = pytest.mark.parametrize("operator", SOFTMAX_FAMILY)


def exact(inputs: Inputs, output: str) -> Floats:
    """Exact values, to binary64."""
    return Oracle().truth(inputs).enclosure(output).approximate()[0]


def rounded(inputs: Inputs, output: str) -> Floats:
    return Oracle().truth(inputs).enclosure(output).round_to(inputs.format)[0]


def close(a: Floats, b: Floats, size: float = 1.0) -> bool:
    return bool(np.allclose(a, b, rtol=1e-14, atol=1e-14 * size))


def drawn(data: st.DataObject, operator: str) -> Inputs:
    """A row, with attributes where the operator takes any."""
    row = strategies.weighted if OPERATORS[operator].labels != "none" else _plain
    return data.draw(formats_and_lengths().flatmap(lambda q: row(operator, *q)))


def _plain(operator: str, fmt: object, n: int) -> st.SearchStrategy[Inputs]:
    return strategies.stacks(operator, fmt, n, 1)  # type: ignore[arg-type]


# --- the order of the classes -----------------------------------------------------------------------------


def permuted(i: Inputs, order: list[int]) -> Inputs:
    """The same row, its classes in another order."""
    a, place = i.attributes, {old: new for new, old in enumerate(order)}
    moved = replace(
        a,
        weight=tuple(a.weight[j] for j in order) if a.weight else (),
        ignore_index=place.get(a.ignore_index, a.ignore_index) if a.ignore_index is not None else None,
    )
    labels = i.labels
    if i.definition.labels == "dense":
        labels = labels[:, order]
    elif i.definition.labels == "index":
        y = int(labels[0, 0])
        labels = np.array([[float(place.get(y, y))]])
    cotangent = i.cotangent[:, order] if i.cotangent.shape == i.logits.shape else i.cotangent
    return Inputs(i.operator, i.format, i.logits[:, order], labels, cotangent, moved)


@OF_THE_FAMILY
@SOMEWHAT
@given(data=st.data())
def test_a_permutation_permutes_the_result(operator: str, data: st.DataObject) -> None:
    inputs = drawn(data, operator)
    order = data.draw(st.permutations(range(inputs.n)))
    other = permuted(inputs, order)
    for output in inputs.outputs:
        before, after = rounded(inputs, output), rounded(other, output)
        scalar = len(before) == 1 < inputs.n
        assert np.array_equal(after, before if scalar else before[order]), output


# --- a common offset ----------------------------------------------------------------------------------------


@OF_THE_FAMILY
@SOMEWHAT
@given(data=st.data())
def test_an_offset_changes_nothing_but_logsumexp(operator: str, data: st.DataObject) -> None:
    """Whole logits and a whole offset: every sum is exact in every format."""
    inputs = drawn(data, operator)
    whole = np.rint(np.clip(inputs.logits, -60, 60))
    offset = float(data.draw(st.integers(-64, 64)))
    here, there = replace(inputs, logits=whole), replace(inputs, logits=whole + offset)
    for output in inputs.outputs:
        if operator == "logsumexp" and output == "value":
            assert close(exact(there, output), exact(here, output) + offset, size=128)
        else:
            assert np.array_equal(rounded(there, output), rounded(here, output)), output


# --- sums of gradients --------------------------------------------------------------------------------------


@OF_THE_FAMILY
@SOMEWHAT
@given(data=st.data())
def test_gradients_sum_to_what_they_must(operator: str, data: st.DataObject) -> None:
    """To zero, since an offset changes nothing; that of logsumexp, which it moves, to the cotangent."""
    inputs = drawn(data, operator)
    grad = exact(inputs, "grad_logits")
    size = np.abs(inputs.cotangent).sum() * 8 * inputs.n * max(1.0, *inputs.attributes.weight, 1.0)
    expected = inputs.cotangent[0, 0] if operator == "logsumexp" else 0.0
    assert close(grad.sum(), expected, size=size)


@OF_THE_FAMILY
@SOMEWHAT
@given(data=st.data())
def test_second_derivatives_sum_to_zero(operator: str, data: st.DataObject) -> None:
    """Whatever the tangent; and along a uniform one they are zero altogether."""
    inputs = data.draw(formats_and_lengths().flatmap(lambda q: strategies.moving(operator, *q)))
    size = 32.0 * inputs.n**2
    assert close(exact(inputs, "hvp").sum(), np.float64(0.0), size=size)
    uniform = replace(inputs, tangent=np.ones_like(inputs.tangent))
    assert (exact(uniform, "hvp") == 0).all()
    moved = exact(uniform, "jvp")
    assert close(moved, np.float64(1.0)) if operator == "logsumexp" else (np.abs(moved) < 1e-30).all()


@pytest.mark.parametrize("operator", [SPARSE, DENSE])
@SOMEWHAT
@given(data=st.data())
def test_gradients_of_every_example_of_a_group_sum_to_zero(operator: str, data: st.DataObject) -> None:
    inputs = data.draw(formats_and_lengths().flatmap(lambda q: strategies.groups(operator, *q)))
    grad = exact(inputs, "grad_logits").reshape(-1, inputs.n)
    defined = np.isfinite(grad).all()
    assert not defined or close(grad.sum(axis=1), np.zeros(len(grad)), size=1024.0)
    if not defined:  # nothing to divide by
        assert inputs.attributes.reduction == "mean" and np.isnan(grad).all()


# --- reductions and attributes ----------------------------------------------------------------------------


@pytest.mark.parametrize("operator", [SPARSE, DENSE, BINARY])
@SOMEWHAT
@given(data=st.data())
def test_a_sum_is_the_sum_of_its_examples(operator: str, data: st.DataObject) -> None:
    inputs = data.draw(formats_and_lengths().flatmap(lambda q: strategies.groups(operator, *q)))
    total = replace(inputs, attributes=replace(inputs.attributes, reduction="sum"))
    each = Oracle().truth(inputs.apart).enclosure("value").approximate()
    size = max(1.0, float(np.abs(each).sum()))
    assert close(exact(total, "value"), each.sum(), size=size)
    mean = exact(replace(inputs, attributes=replace(inputs.attributes, reduction="mean")), "value")
    if operator != SPARSE:
        assert close(mean, each.sum() / each.size, size=size)


@SOMEWHAT
@given(data=st.data())
def test_an_ignored_example_may_as_well_be_left_out(data: st.DataObject) -> None:
    inputs = data.draw(formats_and_lengths().flatmap(lambda q: strategies.groups(SPARSE, *q)))
    a, n = inputs.attributes, inputs.n
    kept = inputs.labels[0] != a.ignore_index
    if kept.all() or not kept.any():
        return
    rows = inputs.logits.reshape(-1, n)[kept]
    fewer = Inputs(
        SPARSE,
        inputs.format,
        rows.reshape(1, -1),
        inputs.labels[:, kept],
        inputs.cotangent,
        replace(a, examples=int(kept.sum())),
    )
    assert np.array_equal(rounded(inputs, "value"), rounded(fewer, "value"), equal_nan=True)
    grad = rounded(inputs, "grad_logits").reshape(-1, n)
    assert np.array_equal(grad[kept].ravel(), rounded(fewer, "grad_logits"), equal_nan=True)
    assert not grad[~kept].any() or np.isnan(grad).all(), "its own gradient is zero"


@SOMEWHAT
@given(data=st.data())
def test_the_scale_of_class_weights_cancels_in_a_mean_of_index_labels(data: st.DataObject) -> None:
    inputs = data.draw(formats_and_lengths().flatmap(lambda q: strategies.groups(SPARSE, *q)))
    if not inputs.attributes.weight:
        return
    a = replace(inputs.attributes, reduction="mean")
    twice = replace(a, weight=tuple(2 * w for w in a.weight))
    for output in ("value", "grad_logits"):
        one, two = (rounded(replace(inputs, attributes=b), output) for b in (a, twice))
        assert np.array_equal(one, two, equal_nan=True)


@SOMEWHAT
@given(data=st.data())
def test_all_smoothed_the_label_says_nothing(data: st.DataObject) -> None:
    """6.7: with ε = 1 every class has 1/N, the labelled one too, each with its own weight."""
    inputs = data.draw(formats_and_lengths().flatmap(lambda q: strategies.stacks(SPARSE, *q, 1)))
    weight = data.draw(strategies.weights(inputs.n))
    a = Attributes(weight=weight, label_smoothing=1.0)
    each = [replace(inputs, labels=np.array([[float(y)]]), attributes=a) for y in range(inputs.n)]
    assert len({rounded(i, "value").tobytes() for i in each}) == 1
    assert len({rounded(i, "grad_logits").tobytes() for i in each}) == 1


@pytest.mark.parametrize("operator", [DENSE, SPARSE, BINARY])
@SOMEWHAT
@given(data=st.data())
def test_weights_of_one_are_no_weights(operator: str, data: st.DataObject) -> None:
    inputs = data.draw(formats_and_lengths().flatmap(lambda q: strategies.stacks(operator, *q, 1)))
    ones = (1.0,) * inputs.n
    given_ = Attributes(weight=ones, pos_weight=ones if operator == BINARY else ())
    for output in inputs.outputs:
        plain, weighed = (replace(inputs, attributes=a) for a in (PLAIN, given_))
        assert np.array_equal(rounded(plain, output), rounded(weighed, output)), output


@SOMEWHAT
@given(data=st.data())
def test_an_index_is_the_same_as_its_one_hot_label(data: st.DataObject) -> None:
    inputs = data.draw(formats_and_lengths().flatmap(lambda q: strategies.weighted(SPARSE, *q)))
    a, y = inputs.attributes, inputs.labels[0, 0]
    if y == a.ignore_index:
        assert rounded(inputs, "value").tolist() == [0.0]
        return
    hot = np.asarray(np.arange(inputs.n) == y, dtype=np.float64)[None]
    dense = replace(inputs, operator=DENSE, labels=hot, attributes=replace(a, ignore_index=None))
    for output in ("value", "grad_logits"):
        assert np.array_equal(rounded(inputs, output), rounded(dense, output)), output
