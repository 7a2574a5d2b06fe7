"""A linear layer and its loss: certified by another library, bounded for every honest form (SPEC.md 8.22)."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping, Sequence

import mpmath
import numpy as np
import pytest
from mpmath import mpf

from tests.support.reference.arithmetic import Arithmetic
from tests.support.reference.textbook_layers import outputs
from xent_conformance.cases.corpus import batches
from xent_conformance.reference.attributes import Attributes
from xent_conformance.reference.bounds.layer import Layer
from xent_conformance.reference.formats import BFLOAT16, BINARY32, FORMATS, Floats, Format
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.oracle import Oracle, Truth

LAYER = "linear_cross_entropy"

FORMS = ("stored", "fused", "apart")


def layers(
    fmt: Format,
    features: int,
    n: int,
    *,
    examples: int = 6,
    spread: float = 2.0,
    seed: int = 0,
    **given: object,
) -> Inputs:
    """Groups of a bell's numbers; the third example is ignored."""
    a = Attributes(features=features, examples=examples, ignore_index=-1, **given)  # type: ignore[arg-type]
    generator = np.random.Generator(np.random.Philox(seed))
    numbers = generator.normal(size=(3, features * (examples + n) + a.affine * n)) * np.array(
        [[1], [spread], [0.1]]
    )
    labels = generator.integers(0, n, (3, examples)).astype(np.float64)
    labels[:, 2] = -1
    return Inputs(LAYER, fmt, fmt.nearest(numbers), labels, np.array([[1.0], [-0.75], [2.0]]), a)


# --- what is right ---------------------------------------------------------------------------------


def by_definition(inputs: Inputs, row: int) -> dict[str, list[mpf]]:
    """As it is written, with so many digits that nothing is lost; a label that names no class left out."""
    layer, a = Layer(inputs), inputs.attributes
    hidden, weight, bias = (
        [[mpf(float(v)) for v in each] for each in part]
        for part in (layer.hidden[row], layer.weight[row], layer.bias[row][:, None])
    )
    labels = inputs.labels[row].astype(int).tolist()
    kept = [y != a.ignore_index for y in labels]
    by = mpf(sum(kept)) if a.reduction == "mean" else mpf(1)
    losses, g = [], []
    for h, y, there in zip(hidden, labels, kept, strict=True):
        x = [mpmath.fdot(h, w) + b[0] for w, b in zip(weight, bias, strict=True)]
        e = [mpmath.exp(v) for v in x]
        total, c = sum(e), mpf(float(inputs.cotangent[row, 0])) / by
        losses.append(mpmath.log(total) - x[y] if there else mpf(0))
        g.append([c * (v / total - (i == y)) if there else mpf(0) for i, v in enumerate(e)])
    value = losses if a.reduction == "none" else [sum(losses) / by]
    found = {
        "value": value,
        "grad_hidden": [mpmath.fdot(gm, w) for gm in g for w in zip(*weight, strict=True)],
        "grad_weight": [mpmath.fdot(gi, h) for gi in zip(*g, strict=True) for h in zip(*hidden, strict=True)],
        "grad_bias": [sum(gi) for gi in zip(*g, strict=True)],
    }
    return {name: found[name] for name in inputs.outputs}


@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
def test_another_library_agrees(reduction: str) -> None:
    """Every output, with a bias and without, in two formats."""
    compared = 0
    with mpmath.workdps(150):
        for fmt, affine in ((BINARY32, True), (BFLOAT16, False)):
            inputs = layers(fmt, 3, 4, reduction=reduction, affine=affine)
            truth = Oracle().truth(inputs)
            for row in range(len(inputs)):
                for output, values in by_definition(inputs, row).items():
                    e = truth.enclosure(output)[row]
                    assert len(values) == e.hi.size
                    for j, value in enumerate(values):
                        scale = mpf(2) ** int(e.exponent[j])
                        middle = (mpf(float(e.hi[j])) + mpf(float(e.lo[j]))) * scale
                        slack = mpf(float(e.radius[j])) * scale + abs(value) * mpf(10) ** -120
                        assert abs(value - middle) <= slack, (output, row, j, value, middle)
                        compared += 1
    assert compared > 150


def test_an_ignored_example_counts_nowhere() -> None:
    """The same layer without it has the same value, and its gradients; its own gradient is exactly zero."""
    inputs = layers(BINARY32, 2, 3, reduction="mean", affine=True)
    whole = Oracle().truth(inputs)
    kept = [0, 1, 3, 4, 5]
    hidden = Layer(inputs).hidden[:, kept].reshape(3, -1)
    rest = inputs.logits[:, inputs.attributes.parts(inputs.logits.shape[1])[1].start :]
    a = Attributes(features=2, examples=5, ignore_index=-1, reduction="mean", affine=True)
    labels = inputs.labels[:, kept]
    fewer = Oracle().truth(Inputs(LAYER, BINARY32, np.hstack([hidden, rest]), labels, inputs.cotangent, a))
    for output in ("value", "grad_weight", "grad_bias"):
        np.testing.assert_array_equal(
            whole.enclosure(output).approximate(), fewer.enclosure(output).approximate()
        )
    by_hidden = whole.enclosure("grad_hidden").approximate().reshape(3, 6, 2)
    assert (by_hidden[:, 2] == 0).all() and (by_hidden[:, kept] != 0).all()


# --- how far is right ------------------------------------------------------------------------------


@functools.cache
def strained() -> Sequence[tuple[Truth, Mapping[str, Floats]]]:
    """Layers of one feature and of many, in every format, with the stable bounds of their outputs."""
    found = []
    for fmt in FORMATS.values():
        for features, n, given in (
            (1, 2, {"reduction": "sum"}),
            (3, 5, {"reduction": "mean", "affine": True}),
            (12, 7, {"reduction": "none", "affine": True, "spread": 1.0}),
        ):
            truth = Oracle().truth(layers(fmt, features, n, **given))  # type: ignore[arg-type]
            found.append((truth, {o: truth.bound(o).stable for o in truth.inputs.outputs}))
    return found


@pytest.mark.parametrize("form", FORMS)
def test_the_innocent_are_never_accused(form: str) -> None:
    """Whole logits in the format, logits that are never stored, the two terms of the gradient apart.

    In order and in a tree, with functions that are right and with the worst that 8.1 allows.
    """
    worst: dict[str, float] = {}
    for truth, stable in strained():
        exact = {o: truth.enclosure(o).approximate() for o in stable}
        for order, slop in itertools.product(("sequential", "tree"), ("nearest", "up", "mixed")):
            a = Arithmetic(truth.inputs.format, order, slop)
            for row in range(len(truth.inputs)):
                with np.errstate(all="ignore"):
                    found = outputs(a, truth.inputs, row, form)
                for output, got in found.items():
                    share = np.abs(got - exact[output][row]) / stable[output][row]
                    worst[output] = max(worst.get(output, 0.0), float(share.max()))
    assert set(worst) == {"value", "grad_hidden", "grad_weight", "grad_bias"}
    assert all(0.05 < share <= 1 for share in worst.values()), worst


def test_accurate_is_never_looser_than_stable() -> None:
    for fmt in FORMATS.values():
        truth = Oracle().truth(layers(fmt, 3, 5, reduction="mean", affine=True))
        for output in truth.inputs.outputs:
            bound = truth.bound(output)
            assert (bound.accurate <= bound.stable).all() and (bound.accurate > 0).all()


def test_nothing_is_granted_for_a_product_that_is_exact() -> None:
    """The bounds of the corpus' offsets are those of the same layer without the offset."""
    for fmt in (BINARY32, BFLOAT16):
        (batch,) = (
            b
            for b in batches("quick", operators=[LAYER], dtypes=[fmt.name])
            if any(ask.variant == "offset" for ask in b.asks)
        )
        row = next(i for i, ask in enumerate(batch.asks) if ask.variant == "offset")
        i = batch.inputs
        far = Inputs(
            LAYER,
            fmt,
            i.logits[row : row + 1],
            i.labels[row : row + 1],
            i.cotangent[row : row + 1],
            i.attributes,
        )
        offset = 2.0 ** (fmt.precision - 1)
        bias = far.attributes.parts(far.logits.shape[1])[2]
        numbers = far.logits.copy()
        numbers[:, bias] -= offset
        near = Inputs(LAYER, fmt, numbers, far.labels, far.cotangent, far.attributes)
        assert Layer(far).exact.all() and Layer(near).exact.all()
        assert (Layer(far).bias >= offset / 2).all()
        a, b = Oracle().truth(far), Oracle().truth(near)
        for output in far.outputs:
            np.testing.assert_array_equal(a.bound(output).stable, b.bound(output).stable)


def test_a_product_that_is_rounded_is_granted_its_error_and_no_more() -> None:
    """Twice the features cost twice the roundings; an offset that is rounded costs what it is."""
    small = layers(BINARY32, 4, 5, reduction="none", affine=True)
    assert not Layer(small).exact.any()
    moved = small.logits.copy()
    moved[:, small.attributes.parts(moved.shape[1])[2]] += 2.0**12
    far = Inputs(LAYER, BINARY32, BINARY32.nearest(moved), small.labels, small.cotangent, small.attributes)
    kept = small.labels != -1
    near, away = (Oracle().truth(i).bound("value").stable[kept] for i in (small, far))
    assert (away > 50 * near).all() and (away < 2.0**12 * 5 * 16 * BINARY32.u).all()


def test_a_sum_in_sixteen_bits_is_beyond_the_bound() -> None:
    """Hundreds of equal terms in bfloat16: the gradient of the weights stops halfway."""
    (batch,) = (b for b in batches("quick", operators=[LAYER]) if b.inputs.n == 2)
    truth = Oracle().truth(batch.inputs)
    exact, bound = truth.enclosure("grad_weight").approximate(), truth.bound("grad_weight").stable
    examples = batch.inputs.attributes.examples or 0
    stopped, one = 0.0, abs(exact[0, 0]) / examples
    for _ in range(examples):
        stopped = float(BFLOAT16.nearest(np.array(stopped + one)))
    assert abs(stopped - abs(exact[0, 0])) > 1.2 * bound[0, 0]
    assert abs(float(BFLOAT16.nearest(exact[0, :1])[0]) - exact[0, 0]) < 0.05 * bound[0, 0]


# --- what is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"features": 0}, "no examples and a layer of 0"),
        ({"features": 4}, "no examples and a layer of 4"),
        ({"affine": False}, "no examples and a layer of 3"),
        ({"label_smoothing": 0.5}, "and nothing else"),
    ],
)
def test_what_is_no_layer_is_refused(changed: dict[str, object], words: str) -> None:
    a = {"features": 3, "affine": True, "examples": 2, "reduction": "sum"} | changed
    numbers = np.ones((1, 3 * (2 + 4) + 4))
    with pytest.raises(ValueError, match=words):
        Inputs(LAYER, BINARY32, numbers, np.zeros((1, 2)), np.ones((1, 1)), Attributes(**a))  # type: ignore[arg-type]


def test_numbers_that_are_not_finite_are_refused() -> None:
    numbers = np.ones((1, 22))
    numbers[0, 3] = np.nan
    a = Attributes(features=3, affine=True, examples=2, reduction="sum")
    with pytest.raises(ValueError, match="its numbers are finite"):
        Inputs(LAYER, BINARY32, numbers, np.zeros((1, 2)), np.ones((1, 1)), a)


def test_another_operator_has_no_layer() -> None:
    a = Attributes(features=3, examples=2, reduction="sum")
    with pytest.raises(ValueError, match="and nothing else"):
        Inputs(
            "sparse_softmax_cross_entropy", BINARY32, np.ones((1, 18)), np.zeros((1, 2)), np.ones((1, 1)), a
        )
