"""The table of special values, SPEC.md 2.4, 3, 4, 5 and 6, on the reference itself.

Each test is one clause. An expected number that is neither 0, 1 nor infinite is the answer to the
same question without the special element, so no clause is tested against its own formula.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.asking_reference import INF, NAN, ask, same
from xent_conformance.reference.formats import BINARY64
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.operators import OPERATORS
from xent_conformance.reference.oracle import Oracle

ROWS = [name for name, o in OPERATORS.items() if not o.elementwise and o.domain == "reals"]
ELEMENTS = [name for name, o in OPERATORS.items() if o.elementwise and not o.within_unit]


# --- 2.4 one class --------------------------------------------------------------------------------


@pytest.mark.parametrize("x", [0.0, -0.0, 1.5, -700.0, 1e308, 5e-324])
def test_2_4_one_class(x: float) -> None:
    assert ask("softmax", [x], c=[0.75]) == {"value": [1.0], "grad_logits": [0.0]}
    assert ask("log_softmax", [x], c=[0.75]) == {"value": [0.0], "grad_logits": [0.0]}
    assert ask("logsumexp", [x], c=[0.75]) == {"value": [x], "grad_logits": [0.75]}
    assert ask("sparse_softmax_cross_entropy", [x], c=[0.75]) == {"value": [0.0], "grad_logits": [0.0]}
    zero = {"value": [0.0], "grad_logits": [0.0], "grad_labels": [0.0]}
    assert ask("softmax_cross_entropy", [x], c=[0.75]) == zero
    assert ask("softmax_cross_entropy", [x], [3.0], c=[0.75]) == zero, "whatever the label"


# --- 3.1, 3.2 NaN ---------------------------------------------------------------------------------


@pytest.mark.parametrize("operator", ROWS)
@pytest.mark.parametrize(
    "x", [[NAN, 1.0, 2.0], [1.0, NAN, 2.0], [NAN] * 3, [NAN, INF, 0.0], [NAN, -INF, 0.0]]
)
def test_3_2_nan_takes_the_row(operator: str, x: list[float]) -> None:
    for output, values in ask(operator, x).items():
        assert np.isnan(values).all(), output


@pytest.mark.parametrize("operator", ELEMENTS)
def test_3_2_nan_takes_its_element(operator: str) -> None:
    clean, hit = ask(operator, [0.5, 1.5, -2.0]), ask(operator, [0.5, NAN, -2.0])
    for output, values in hit.items():
        assert np.isnan(values[1]), output
        same([values[0], values[2]], [clean[output][0], clean[output][2]])


def test_3_2_nan_label() -> None:
    out = ask("sigmoid_cross_entropy", [0.5, 1.0], [NAN, 1.0])
    assert np.isnan([out["value"][0], out["grad_logits"][0]]).all()
    assert np.isfinite([out["value"][1], out["grad_logits"][1]]).all()


def test_3_1_nan_stays_in_its_row() -> None:
    x = np.array([[1.0, 2.0], [NAN, 1.0], [INF, 1.0], [1.0, 2.0]])
    truth = Oracle().truth(Inputs("softmax", BINARY64, x, np.zeros((4, 0)), np.ones((4, 2))))
    value = truth.enclosure("value").approximate()
    same(value[0].tolist(), value[3].tolist())
    same(value[0].tolist(), ask("softmax", [1.0, 2.0])["value"])


# --- 4 excluded classes ---------------------------------------------------------------------------


@pytest.mark.parametrize("place", [0, 1, 2])
def test_4_1_an_excluded_class_is_absent(place: int) -> None:
    """Values and gradients of the others are those of the row without it; its own are 0 and −∞."""
    rest, c = [0.25, 3.0], [1.5, -0.5]
    x, wide = rest.copy(), c.copy()
    x.insert(place, -INF)
    wide.insert(place, 2.0)
    for operator, own in (("softmax", 0.0), ("log_softmax", -INF)):
        value = ask(operator, x)["value"]
        assert value.pop(place) == own
        same(value, ask(operator, rest)["value"])
    assert ask("logsumexp", x)["value"] == ask("logsumexp", rest)["value"]
    grad = ask("softmax", x, c=wide)["grad_logits"]
    assert grad.pop(place) == 0.0, "s_i = 0, so the gradient is 0 whatever its cotangent"
    same(grad, ask("softmax", rest, c=c)["grad_logits"])
    grad = ask("logsumexp", x)["grad_logits"]
    assert grad.pop(place) == 0.0
    same(grad, ask("logsumexp", rest)["grad_logits"])


def test_4_1_the_gradient_of_log_softmax_is_the_formula_with_s_zero() -> None:
    grad = ask("log_softmax", [0.0, -INF, 0.0], c=[1.0, 2.0, -0.5])["grad_logits"]
    assert grad == [1.0 - 0.5 * 2.5, 2.0, -0.5 - 0.5 * 2.5]


def test_4_1_sparse_cross_entropy_ignores_an_excluded_class() -> None:
    got = ask("sparse_softmax_cross_entropy", [-INF, 0.25, 3.0], [1.0])
    wanted = ask("sparse_softmax_cross_entropy", [0.25, 3.0], [0.0])
    assert got == {"value": wanted["value"], "grad_logits": [0.0, *wanted["grad_logits"]]}


def test_4_1_all_but_one_excluded() -> None:
    assert ask("softmax", [-INF, 2.0, -INF])["value"] == [0.0, 1.0, 0.0]
    assert ask("sparse_softmax_cross_entropy", [-INF, 2.0, -INF]) == {
        "value": [0.0],
        "grad_logits": [0.0] * 3,
    }
    assert ask("logsumexp", [-INF, 2.0, -INF])["value"] == [2.0]


def test_4_2_zero_label_on_an_excluded_class() -> None:
    got = ask("softmax_cross_entropy", [-INF, 0.25, 3.0], [0.0, 0.75, 0.25])
    wanted = ask("softmax_cross_entropy", [0.25, 3.0], [0.75, 0.25])
    assert got["value"] == wanted["value"]
    assert got["grad_logits"] == [0.0, *wanted["grad_logits"]]


def test_4_3_label_mass_on_an_excluded_class() -> None:
    assert ask("softmax_cross_entropy", [-INF, 0.25, 3.0], [0.5, 0.25, 0.25])["value"] == [INF]
    assert ask("softmax_cross_entropy", [-INF, 0.25, 3.0], [5e-324, 0.5, 0.5])["value"] == [INF]
    assert ask("softmax_cross_entropy", [-INF, 0.25, 3.0], [-0.5, 1.0, 0.5])["value"] == [-INF]
    assert ask("sparse_softmax_cross_entropy", [-INF, 0.25, 3.0], [0.0])["value"] == [INF]


def test_4_3_mass_of_both_signs_is_undefined() -> None:
    """``+∞ − ∞``: nothing but NaN is honest."""
    assert np.isnan(ask("softmax_cross_entropy", [-INF, -INF, 3.0], [0.5, -0.5, 1.0])["value"]).all()


@pytest.mark.parametrize("operator", ROWS)
def test_4_4_every_class_excluded_is_undefined(operator: str) -> None:
    defined = {"value"} if operator == "logsumexp" else set()  # 5.3: the sum is 0
    for output, values in ask(operator, [-INF, -INF]).items():
        assert np.isnan(values).all() if output not in defined else values == [-INF]


@pytest.mark.parametrize(("operator", "alone"), [("softmax", False), ("sigmoid", True)])
@pytest.mark.parametrize("c", [NAN, INF, -INF])
def test_3_2_a_cotangent_that_is_not_finite(operator: str, alone: bool, c: float) -> None:
    """It is in the gradients of what depends on it, and in no value."""
    whole = ask(operator, [0.5, -1.0], c=[1.0, 1.0])
    found = ask(operator, [0.5, -1.0], c=[1.0, c])
    assert found["value"] == whole["value"]
    assert np.isnan(found["grad_logits"]).tolist() == [not alone, True]


def test_4_5_the_derivative_by_the_label_of_an_excluded_class() -> None:
    """Formally ``−c log 0``: infinite with the cotangent's sign; never a finite number."""
    assert ask("softmax_cross_entropy", [-INF, 0.0])["grad_labels"] == [INF, 0.0]
    assert ask("softmax_cross_entropy", [-INF, 0.0], c=[-1.0])["grad_labels"] == [-INF, 0.0]


# --- 5 infinite inputs ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "operator", ["softmax", "log_softmax", "softmax_cross_entropy", "sparse_softmax_cross_entropy"]
)
@pytest.mark.parametrize("x", [[INF, 0.0], [0.0, INF], [INF, -INF], [INF, INF]])
def test_5_1_plus_infinity_in_softmax_is_undefined(operator: str, x: list[float]) -> None:
    for values in ask(operator, x).values():
        assert np.isnan(values).all()


LIMITS = [
    ("sigmoid", INF, None, 1.0, 0.0),
    ("sigmoid", -INF, None, 0.0, 0.0),
    ("log_sigmoid", INF, None, 0.0, 0.0),
    ("log_sigmoid", -INF, None, -INF, 1.0),
    ("sigmoid_cross_entropy", INF, 1.0, 0.0, 0.0),
    ("sigmoid_cross_entropy", -INF, 0.0, 0.0, 0.0),
    ("sigmoid_cross_entropy", INF, 0.0, INF, 1.0),
    ("sigmoid_cross_entropy", -INF, 1.0, INF, -1.0),
    ("sigmoid_cross_entropy", INF, 0.25, INF, 0.75),
    ("sigmoid_cross_entropy", -INF, 0.25, INF, -0.25),
    ("sigmoid_cross_entropy", INF, 1.5, -INF, -0.5),
    ("sigmoid_cross_entropy", -INF, -0.5, -INF, 0.5),
]


@pytest.mark.parametrize(("operator", "x", "z", "value", "grad"), LIMITS)
def test_5_2_the_sigmoid_family_takes_its_limits(
    operator: str, x: float, z: float, value: float, grad: float
) -> None:
    """Beside an ordinary element: the limit of the value, and ``c`` times the limit of the slope."""
    p = None if z is None else [0.5, z]
    out = ask(operator, [0.0, x], p, c=[1.0, -0.5])
    assert out["value"][1] == value
    assert out["grad_logits"][1] == -0.5 * grad
    assert np.isfinite([out["value"][0], out["grad_logits"][0]]).all()
    near = ask(operator, [0.0, 1e300 if x > 0 else -1e300], p, c=[1.0, -0.5])
    if np.isfinite(value):
        assert near["value"][1] == value, "and the limit is where finite logits go"
    else:
        assert abs(near["value"][1]) > 1e299
        assert np.sign(near["value"][1]) == np.sign(value)
    assert near["grad_logits"][1] == out["grad_logits"][1]


def test_5_2_the_slope_by_the_label() -> None:
    assert ask("sigmoid_cross_entropy", [INF, -INF, 2.0], [1.0, 0.0, 1.0])["grad_labels"] == [-INF, INF, -2.0]


@pytest.mark.parametrize("x", [[INF, 0.0], [INF, INF], [-INF, INF]])
def test_5_3_logsumexp_takes_its_limit(x: list[float]) -> None:
    out = ask("logsumexp", x)
    assert out["value"] == [INF]
    assert np.isnan(out["grad_logits"]).all(), "its gradient is open (5.1)"
    assert np.isnan(ask("logsumexp", [*x, NAN])["value"]).all(), "NaN comes first (3.2)"


def test_5_4_the_domain_of_logit() -> None:
    out = ask("logit", [0.0, -0.0, 1.0, -5e-324, 1 + 2**-52, INF, -INF, NAN, 0.5])
    same(out["value"], [-INF, -INF, INF, NAN, NAN, NAN, NAN, NAN, 0.0])
    same(out["grad_logits"], [INF, INF, INF, NAN, NAN, NAN, NAN, NAN, 4.0])
    same(ask("logit", [0.0, 1.0], c=[-1.0, -0.5])["grad_logits"], [-INF, -INF])


# --- 2.1, 2.2, 6: finite rows that are easily got wrong -------------------------------------------


def test_2_2_overflow_outside() -> None:
    """The distance of two finite logits is beyond the format, and so is the loss."""
    big = BINARY64.largest
    assert ask("log_softmax", [big, -big])["value"] == [0.0, -INF]
    assert ask("sparse_softmax_cross_entropy", [big, -big])["value"] == [INF]
    assert ask("sparse_softmax_cross_entropy", [big, -big], [0.0])["value"] == [0.0]
    assert ask("logsumexp", [big, big])["value"] == [big]


def test_6_1_and_6_2_labels_off_the_simplex() -> None:
    """Two equal logits: ``log 2`` for each unit of label mass, gradient ``P/2 − p``."""
    ln2 = float(np.log(2.0))
    for p in ([1.0, 1.0], [0.0, 0.0], [2.0, -1.0], [-1.0, 0.0], [4.0, 4.0]):
        out = ask("softmax_cross_entropy", [7.0, 7.0], p)
        assert out["value"][0] == pytest.approx(sum(p) * ln2, rel=1e-15)
        assert out["grad_logits"] == [sum(p) / 2 - v for v in p]
        assert out["grad_labels"] == pytest.approx([ln2, ln2], rel=1e-15)


# --- given log-probabilities: 3.2, 4.1, 4.2, 4.3, 4.5, 4.7, 5.5, 6.4 ------------------------------

DIVERGENCE, LIKELIHOOD = "kl_divergence", "negative_log_likelihood"


@pytest.mark.parametrize("zero", [0.0, -0.0])
def test_4_7_a_target_of_zero_contributes_nothing(zero: float) -> None:
    """The other classes are as if it were not there, and so is the gradient; that by it is −∞, and open."""
    hit, clean = (
        ask(DIVERGENCE, [-1.0, -0.5, -2.0], [0.25, zero, 0.75]),
        ask(DIVERGENCE, [-1.0, -2.0], [0.25, 0.75]),
    )
    same(hit["value"], clean["value"])
    same(hit["grad_logits"], [-0.25, 0.0, -0.75])
    same(hit["grad_labels"], [clean["grad_labels"][0], -INF, clean["grad_labels"][1]])


def test_4_7_no_target_at_all() -> None:
    assert ask(DIVERGENCE, [-1.0, -2.0], [0.0, 0.0])["value"] == [0.0]
    assert ask(DIVERGENCE, [0.0, -7.0], [1.0, 0.0])["value"] == [0.0], "what is certain and predicted"


def test_4_2_zero_target_on_an_excluded_class() -> None:
    hit, clean = ask(DIVERGENCE, [-1.0, -INF], [0.5, 0.0]), ask(DIVERGENCE, [-1.0], [0.5])
    same(hit["value"], clean["value"])
    same(hit["grad_logits"], [-0.5, 0.0])


def test_4_1_and_4_3_an_index_and_an_excluded_class() -> None:
    assert ask(LIKELIHOOD, [-INF, -0.75], [1.0], [0.5]) == {"value": [0.75], "grad_logits": [0.0, -0.5]}
    assert ask(LIKELIHOOD, [-INF, -0.75], [0.0])["value"] == [INF]
    assert ask(DIVERGENCE, [-INF, -0.75], [0.25, 0.75])["value"] == [INF]


def test_3_2_nan_takes_what_depends_on_it() -> None:
    """The value of a divergence, whatever the target there; of a likelihood only where the index names it."""
    for p in ([0.25, 0.75], [0.0, 1.0]):
        hit = ask(DIVERGENCE, [NAN, -0.5], p)
        assert np.isnan(hit["value"]).all() and np.isnan(hit["grad_labels"]).tolist() == [True, False]
        same(hit["grad_logits"], [-v for v in p])
    hit = ask(DIVERGENCE, [-1.0, -0.5], [NAN, 0.5])
    assert np.isnan(hit["value"]).all()
    for output in ("grad_logits", "grad_labels"):
        assert np.isnan(hit[output]).tolist() == [True, False]
    assert ask(LIKELIHOOD, [NAN, -0.5], [1.0]) == {"value": [0.5], "grad_logits": [0.0, -1.0]}
    assert np.isnan(ask(LIKELIHOOD, [NAN, -0.5], [0.0])["value"]).all()


@pytest.mark.parametrize("c", [NAN, INF, -INF])
def test_3_2_a_lost_cotangent_multiplies_what_an_index_picks(c: float) -> None:
    same(ask(LIKELIHOOD, [-1.0, -0.5, -2.0], [1.0], [c])["grad_logits"], [0.0, NAN, 0.0])
    assert np.isnan(ask(DIVERGENCE, [-1.0, -0.5], [0.0, 1.0], [c])["grad_logits"]).all()


@pytest.mark.parametrize("y", [-1.0, 3.0, 2.0**40])
def test_6_4_an_index_of_given_log_probabilities(y: float) -> None:
    for values in ask(LIKELIHOOD, [-1.0, -0.5, -2.0], [y]).values():
        assert np.isnan(values).all()


def test_a_target_below_zero_has_no_logarithm() -> None:
    hit = ask(DIVERGENCE, [-1.0, -0.5], [-0.25, 1.0])
    assert np.isnan(hit["value"]).all() and np.isnan(hit["grad_labels"][0])
    same(hit["grad_logits"], [0.25, -1.0])
