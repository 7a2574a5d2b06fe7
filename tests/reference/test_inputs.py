"""What may be asked: shapes, exactness, and the content hash that names a row (and its cache entry)."""

from __future__ import annotations

import pickle
from dataclasses import fields, replace

import numpy as np
import pytest

from xent_conformance.reference.attributes import PLAIN, Attributes
from xent_conformance.reference.formats import BFLOAT16, BINARY16, BINARY32, BINARY64
from xent_conformance.reference.inputs import Inputs

X = np.array([[1.0, 2.0, 3.0], [0.5, -8.0, 90.0]])
DENSE, INDEX, BINARY = "softmax_cross_entropy", "sparse_softmax_cross_entropy", "sigmoid_cross_entropy"
NONE = np.zeros((2, 0))
ONE = np.array([[1.0], [-0.5]])


def dense(**changed: object) -> Inputs:
    """Two plain rows of three classes."""
    return replace(Inputs(DENSE, BINARY32, X, np.eye(3)[:2], ONE), **changed)  # type: ignore[arg-type]


class Meanwhile:
    """While it is pickled somebody else has something made of the inputs whose it is, or forgets it."""

    def __init__(self, inputs: Inputs) -> None:
        self.inputs = inputs

    def __reduce__(self) -> tuple[type[str], tuple[()]]:
        _ = self.inputs.n, self.inputs.row_digests
        vars(self.inputs)["made"] = None
        return str, ()


def index(**changed: object) -> Inputs:
    return replace(Inputs(INDEX, BINARY32, X, np.array([[1.0], [2.0]]), ONE), **changed)  # type: ignore[arg-type]


def elements(**changed: object) -> Inputs:
    return replace(Inputs(BINARY, BINARY32, X, np.eye(3)[:2], np.ones((2, 3))), **changed)  # type: ignore[arg-type]


# --- shapes ---------------------------------------------------------------------------------------

SHAPES = [
    (dense, {"labels": np.zeros((2, 2))}, r"softmax_cross_entropy: labels has shape (2, 2), needs (2, 3)"),
    (dense, {"labels": np.zeros((1, 3))}, r"softmax_cross_entropy: labels has shape (1, 3), needs (2, 3)"),
    (dense, {"cotangent": np.ones((2, 3))}, "cotangent has shape (2, 3), needs (2, 1)"),
    (dense, {"tangent": np.ones((2, 1))}, "tangent has shape (2, 1), needs (2, 3)"),
    (dense, {"tangent": np.ones((1, 3))}, "tangent has shape (1, 3), needs (2, 3)"),
    (index, {"labels": np.ones((2, 3))}, "labels has shape (2, 3), needs (2, 1)"),
    (elements, {"cotangent": np.ones((2, 1))}, "cotangent has shape (2, 1), needs (2, 3)"),
    (elements, {"labels": NONE}, "labels has shape (2, 0), needs (2, 3)"),
    (dense, {"attributes": Attributes(reduction="sum", examples=2)}, "3 logits are not 2 examples"),
    (
        index,
        {"attributes": Attributes(reduction="mean", examples=3)},
        "labels has shape (2, 1), needs (2, 3)",
    ),
    (
        elements,
        {"attributes": Attributes(reduction="mean", examples=1)},
        "cotangent has shape (2, 3), needs (2, 1)",
    ),
]


@pytest.mark.parametrize(("base", "changed", "message"), SHAPES)
def test_another_shape_is_refused(base, changed: dict, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError) as refused:
        base(**changed)
    assert message in str(refused.value)
    assert str(refused.value).startswith(f"{base().operator}: "), "the message names the operator"


def test_groups_have_the_labels_of_all_their_examples() -> None:
    """Six logits are two examples of three classes, or three of two."""
    x = np.arange(6.0)[None, :]
    for examples, n in ((2, 3), (3, 2), (1, 6), (6, 1)):
        a = Attributes(reduction="sum", examples=examples)
        group = Inputs(INDEX, BINARY32, x, np.zeros((1, examples)), ONE[:1], a)
        assert (group.n, len(group), group.outputs) == (n, 1, ("value", "grad_logits"))
        assert Inputs(DENSE, BINARY32, x, np.zeros((1, 6)), ONE[:1], a).n == n
        assert Inputs(BINARY, BINARY32, x, np.zeros((1, 6)), ONE[:1], a).n == n
        assert group.apart.logits.shape == (examples, n)
        assert group.apart.attributes == PLAIN


def test_what_is_asked_follows_from_what_is_given() -> None:
    assert dense().outputs == ("value", "grad_logits", "grad_labels")
    assert dense(tangent=np.ones((2, 3))).outputs == ("jvp", "hvp")
    assert dense(copies=5).outputs == ("value",)
    empty = Inputs(INDEX, BINARY32, NONE, NONE, ONE, Attributes(reduction="sum", examples=0), empty_of=3)
    assert (empty.outputs, empty.n, len(empty)) == (("value",), 3, 2)


def unit(**changed: object) -> Inputs:
    """Two plain rows of three arguments of ``logit``."""
    inside = np.array([[0.25, 0.5, 0.75], [0.125, 0.5, 1.0]])
    return replace(Inputs("logit", BINARY32, inside, NONE, np.ones((2, 3))), **changed)  # type: ignore[arg-type]


def test_a_clamp_is_of_logit_alone_and_exact() -> None:
    assert unit(attributes=Attributes(eps=17 / 32)).attributes.given == {"eps": 17 / 32}
    with pytest.raises(ValueError, match=r"eps = 2\.0 clamps an argument in \[0, 1\]"):
        unit(attributes=Attributes(eps=2.0))
    with pytest.raises(ValueError, match="softmax_cross_entropy: eps"):
        dense(attributes=Attributes(eps=0.25))
    with pytest.raises(ValueError, match="eps holds a number that float32 does not have"):
        unit(attributes=Attributes(eps=2.0**-30))  # 1 − eps is none


def test_rows_have_weights_where_they_are_reduced() -> None:
    with pytest.raises(ValueError, match="row_weight has 2 numbers for 0 examples"):
        dense(attributes=Attributes(row_weight=(1.0, 2.0)))
    one_example = Attributes(reduction="sum", examples=1, row_weight=(1.0, 2.0))
    with pytest.raises(ValueError, match="row_weight has 2 numbers for 1 examples"):
        dense(attributes=one_example)


def test_labels_may_have_a_format_of_their_own() -> None:
    thirds = np.full((2, 3), 1 / 3)
    with pytest.raises(ValueError, match="labels holds a number that float32 does not have"):
        dense(labels=thirds)
    assert dense(labels=thirds, labels_format=BINARY64).labels is thirds


# --- exactness ------------------------------------------------------------------------------------

INEXACT = [
    (dense, BINARY32, {"logits": X + 2.0**-30}, "logits"),
    (dense, BFLOAT16, {"labels": np.eye(3)[:2] * (1 + 2.0**-8)}, "labels"),
    (dense, BINARY16, {"cotangent": np.array([[65536.0], [1.0]])}, "cotangent"),
    (dense, BINARY16, {"tangent": np.full((2, 3), 2.0**-26)}, "tangent"),
    (dense, BINARY32, {"attributes": Attributes(weight=(0.1, 1.0, 1.0))}, "weight"),
    (index, BFLOAT16, {"attributes": Attributes(weight=(1.0, 257.0, 1.0))}, "weight"),
    (elements, BINARY16, {"attributes": Attributes(pos_weight=(1e5, 1.0, 1.0))}, "pos_weight"),
]


@pytest.mark.parametrize(("base", "fmt", "changed", "name"), INEXACT)
def test_a_number_that_the_format_does_not_have_is_refused(base, fmt, changed: dict, name: str) -> None:  # type: ignore[no-untyped-def]
    """A reference for inexact inputs would be the truth about something else."""
    message = f"{base().operator}: {name} holds a number that {fmt.name} does not have"
    with pytest.raises(ValueError, match=f"^{message}$"):
        base(format=fmt, **changed)
    assert base(format=BINARY64, **changed)


def test_an_index_is_no_number_of_the_format_nor_is_the_smoothing() -> None:
    """Indices beyond 256 in bfloat16 (6.3); ``ε`` is the number of binary64 that frameworks are given."""
    x = np.zeros((2, 3))
    assert index(format=BFLOAT16, logits=x, labels=np.array([[257.0], [1e6]]))
    assert index(format=BFLOAT16, logits=x, attributes=Attributes(label_smoothing=0.1, ignore_index=-100))


# --- the content hash -----------------------------------------------------------------------------

PUBLISHED = [
    (dense(), "3d9c628fa7499d16", "09d1e767739add9b707897d8df6f2dab"),
    (index(format=BFLOAT16), "e63afb1a9215c04d", "20e0e59814b0092f099b8d1b08eeb432"),
    (
        Inputs("sigmoid", BINARY64, X, NONE, np.ones((2, 3))),
        "808391b47f50d278",
        "e8b9358e673966cea52bb94cd6ac996e",
    ),
]
"""Of the suite before it knew attributes, tangents and copies: cases of old runs keep their names."""


@pytest.mark.parametrize(("plain", "row", "batch"), PUBLISHED)
def test_plain_rows_keep_their_hash(plain: Inputs, row: str, batch: str) -> None:
    assert (plain.row_digests[0], plain.digest) == (row, batch)
    assert replace(plain, attributes=Attributes(), tangent=np.zeros((0, 0)), copies=1).digest == batch


def test_the_hash_depends_on_everything_that_is_asked() -> None:
    """No two of these rows share a name."""
    v = np.array([[1.0, 0.0, -1.0], [0.0, 0.0, 0.0]])
    asked = [
        index(),
        index(format=BFLOAT16),
        index(tangent=v),
        index(tangent=-v),
        index(tangent=np.zeros((2, 3))),
        index(copies=2),
        index(copies=3),
        *(
            index(attributes=a)
            for a in (
                Attributes(weight=(1.0, 1.0, 1.0)),
                Attributes(weight=(1.0, 1.0, 2.0)),
                Attributes(pos_weight=(1.0, 1.0, 1.0)),
                Attributes(label_smoothing=0.1),
                Attributes(label_smoothing=0.1, ignore_index=1),
                Attributes(ignore_index=1),
                Attributes(ignore_index=-1),
                Attributes(reduction="sum", examples=1),
                Attributes(reduction="mean", examples=1),
            )
        ),
    ]
    assert len({i.row_digests[0] for i in asked}) == len({i.digest for i in asked}) == len(asked)


def test_groups_of_no_example_are_told_apart_by_their_classes() -> None:
    a = Attributes(reduction="sum", examples=0)
    three, four = (Inputs(INDEX, BINARY32, NONE, NONE, ONE, a, empty_of=n) for n in (3, 4))
    assert three.digest != four.digest


# --- what has no truth ----------------------------------------------------------------------------

GAPS = [
    (index, {"attributes": Attributes(weight=(1.0, 2.0))}, "two weights of three classes: zip() fails later"),
    (elements, {"attributes": Attributes(weight=(1.0,) * 4)}, "four weights of three elements: one unused"),
    (
        elements,
        {"attributes": Attributes(pos_weight=(2.0,))},
        "one positive weight of three: IndexError later",
    ),
    (dense, {"tangent": np.ones((2, 3)), "copies": 4}, "jvp and hvp of one copy"),
    (elements, {"attributes": Attributes(examples=3), "cotangent": ONE}, "unreduced groups have no gradient"),
]


@pytest.mark.parametrize(("base", "changed"), [gap[:2] for gap in GAPS], ids=[gap[2] for gap in GAPS])
def test_what_has_no_reference_is_refused(base, changed: dict) -> None:  # type: ignore[no-untyped-def]
    """Inputs whose truth would fail later, or be the truth about something else without a word."""
    with pytest.raises(ValueError, match=r"numbers for|without copies|grouped for a reduction"):
        base(**changed)


def test_labels_in_a_format_of_their_own() -> None:
    """Numbers that the logits' format has not are the labels that they are (6.5)."""
    base = {"logits": np.array([[0.5, 1.0]]), "labels": np.array([[0.1, 0.9]]), "cotangent": np.ones((1, 1))}
    with pytest.raises(ValueError, match="labels holds a number that float32 does not have"):
        Inputs("softmax_cross_entropy", BINARY32, **base)
    made = Inputs("softmax_cross_entropy", BINARY32, **base, labels_format=BINARY64)
    assert made.labels.tolist() == [[0.1, 0.9]]


def test_pickled_while_others_look_at_them() -> None:
    """A truth is certified elsewhere while answers are judged, and what a batch had made is forgotten."""
    inputs = dense()
    whole, name = pickle.loads(pickle.dumps(inputs)), inputs.digest
    assert vars(whole).keys() == {field.name for field in fields(Inputs)}, "only what they are"
    assert pickle.loads(pickle.dumps(inputs)).digest == whole.digest == name
    assert "digest" in vars(pickle.loads(pickle.dumps(inputs))), "a name that is known is not made again"
    object.__setattr__(inputs, "labels_format", Meanwhile(inputs))
    pickle.dumps(inputs)


def test_labels_of_a_wider_format_are_other_inputs_with_the_same_names_of_rows() -> None:
    """Their numbers may be the same; who computes in the wider one may round once more."""
    own = dense(labels=np.full((2, 3), 0.25), format=BINARY16)
    same, wider = (replace(own, labels_format=fmt) for fmt in (BINARY16, BINARY32))
    assert own.digest == same.digest != wider.digest
    assert own.row_digests == wider.row_digests, "cases of old runs keep their names"
