"""The corpus is the same bits everywhere: golden digests, unique ids, values that the format has."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.support import shared
from tests.support.corpus import Corpus, as_in_a_run
from tests.support.paths import ROOT
from xent_conformance.cases.case import Batch
from xent_conformance.cases.corpus import Profile, batches, digest, families, find_case
from xent_conformance.cases.families import ALL
from xent_conformance.cases.words import Words
from xent_conformance.reference.clauses import Level, clauses
from xent_conformance.reference.formats import BINARY32, EIGHT_BITS, FORMATS
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.operators import OF_ROWS, OPERATORS
from xent_conformance.reports.run.words import OUTPUTS

GOLDEN = {
    "quick": "9db81b6c587740f072edd57bf88f0af2147e34b78f3ef46265080c4cc95c99b0",
    "standard": "4a1907ce48c9a8c566ef61dc8897405040b1ceb75ffa8982c8d3cb28e98bbe29",
    "full": "5049e6dbbc943fde5b62df56c87b5ddd77dafc0f8a45bf998493f185a06af2a1",
}
"""New ones: ``from xent_conformance.cases.corpus import *; print({p: digest(p) for p in Profile})``.

A change here makes every earlier run file incomparable: say in the commit why.
"""

CASES = ROOT / "cases"

ALL_DIGESTS = (
    "import tests.support.corpus; "  # a batch is made once for the profiles that have it
    "from xent_conformance.cases.corpus import *; digests = [digest(p) for p in Profile]"
)


@pytest.fixture(scope="module")
def standard(corpus: Corpus) -> tuple[Batch, ...]:
    return corpus("standard")


# --- golden ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", Profile)
def test_golden_digest(profile: str) -> None:
    assert digest(profile) == GOLDEN[profile]


@pytest.fixture(scope="module")
def elsewhere() -> tuple[str, list[str]]:
    """What another process has: its NumPy, which is another one where `make test` has installed one."""

    def asked(folder: Path) -> None:
        code = f"import numpy; {ALL_DIGESTS}; print(numpy.__version__, *digests)"
        other = [str((ROOT / os.environ["OTHER_NUMPY"]).resolve())] if "OTHER_NUMPY" in os.environ else []
        env = os.environ | {"PYTHONHASHSEED": "12345", "PYTHONPATH": os.pathsep.join((*other, str(ROOT)))}
        python = [sys.executable, "-c", code]
        done = subprocess.run(python, env=env, capture_output=True, text=True, check=True)
        (folder / "said").write_text(done.stdout, encoding="utf-8")

    said = (shared.once("digests-elsewhere", asked) / "said").read_text(encoding="utf-8")
    version, *digests = said.split()
    return version, digests


def test_another_process_has_the_same_bits(elsewhere: tuple[str, list[str]]) -> None:
    """Nothing may hang on the order of a set, a hash seed or the time."""
    _, digests = elsewhere
    assert digests == [GOLDEN[p] for p in Profile]


@pytest.mark.skipif("OTHER_NUMPY" not in os.environ, reason="`make test` installs the other NumPy")
def test_another_numpy_has_the_same_bits(elsewhere: tuple[str, list[str]]) -> None:
    """Philox's raw words and exact arithmetic are the same in every version; distributions need not be."""
    version, digests = elsewhere
    assert version != np.__version__
    assert digests == [GOLDEN[p] for p in Profile]


def test_raw_words_are_golden() -> None:
    """The generator itself: if this fails and the digests too, look here first."""
    words = Words("softmax/ordinary/float32/n10")
    assert words.integers(63, 3).tolist() == [4011003621748902571, 570135536357905252, 8461529137225874890]
    assert words.integers(8, 4).tolist() == [166, 35, 145, 33]


def test_words_belong_to_their_path() -> None:
    a, b, c = Words("a").integers(63, 100), Words("a").integers(63, 100), Words("b").integers(63, 100)
    np.testing.assert_array_equal(a, b)
    assert (a != c).all()


# --- words ----------------------------------------------------------------------------------------


def test_words_stay_in_their_ranges() -> None:
    w = Words("ranges")
    assert set(w.below(7, 2000).tolist()) == set(range(7))
    fractions = w.fractions(2000, bits=12)
    assert ((fractions > 0) & (fractions < 1)).all()
    assert (np.ldexp(fractions, 12) % 2 == 1).all(), "odd multiples of 2**-12"
    cotangent = w.cotangent(4000) * 8
    assert set(cotangent.tolist()) == set(range(-16, 17)) - {0}


def test_bells_have_the_shape_they_promise() -> None:
    """Centred, deviation about ``scale`` (it is 1.15 of it), never beyond ``4 scale``."""
    bell = Words("bell").bell(BINARY32, 8.0, 20_000)
    assert abs(bell.mean()) < 0.3
    assert 0.9 * 8 < bell.std() < 1.25 * 8
    assert np.abs(bell).max() <= 32.0
    assert np.abs(bell).max() > 24.0


# --- ids and hashes -------------------------------------------------------------------------------


def test_ids_are_unique(standard: tuple[Batch, ...]) -> None:
    ids = [case.id for b in standard for case in b.cases]
    assert len(ids) == len(set(ids)) > 5000
    assert len({b.id for b in standard}) == len(standard)


def test_every_id_finds_its_case(standard: tuple[Batch, ...]) -> None:
    for b in standard:
        if b.inputs.n > 1000:
            continue
        for case in b.cases:
            found, again = find_case(case.id)
            assert found.id == b.id
            assert again == case


@pytest.mark.parametrize(
    "unknown",
    [
        "",
        "softmax",
        "softmax/ordinary/unit/float32/n10/r99",
        "softmax/ordinary/unit/float32/n11/r0",
        "softmax/ordinary/unit/float32/nten/r0",
        "softmax/ordinary/unit/float8/n10/r0",
        "softmax/nowhere/unit/float32/n10/r0",
        "softmin/ordinary/unit/float32/n10/r0",
    ],
)
def test_an_unknown_id_is_refused(unknown: str) -> None:
    with pytest.raises(LookupError):
        find_case(unknown)


def test_an_unknown_profile_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown profile 'nightly'; there are quick, standard"):
        list(batches("nightly"))


def test_quick_is_a_subset_with_the_same_hashes(standard: tuple[Batch, ...], corpus: Corpus) -> None:
    known = {case.id: case for b in standard for case in b.cases}
    quick = [case for b in corpus("quick") for case in b.cases]
    assert 1000 < len(quick) < len(known)
    for case in quick:
        assert known[case.id] == case


def test_selection_does_not_change_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked alone or among all, a batch has the same bits."""
    as_in_a_run(monkeypatch)
    alone = list(batches("quick", operators=["softmax"], families_=["ordinary"], dtypes=["bfloat16"]))
    among = [b for b in batches("quick") if b.id in {a.id for a in alone}]
    assert [b.inputs.digest for b in alone] == [b.inputs.digest for b in among]
    assert {b.inputs.format.name for b in alone} == {"bfloat16"}
    assert len(alone) == 2


@pytest.mark.parametrize("name", ["logits", "labels", "cotangent"])
def test_one_bit_changes_one_hash(name: str) -> None:
    b = next(
        batches("quick", operators=["softmax_cross_entropy"], families_=["soft_labels"], dtypes=["float32"])
    )
    arrays = {n: getattr(b.inputs, n).copy() for n in ("logits", "labels", "cotangent")}
    value = arrays[name][2, 0]
    arrays[name][2, 0] = float(np.nextafter(np.float32(value), np.float32(np.inf)))
    changed = Inputs(b.operator, b.inputs.format, **arrays)
    differs = [changed.row_digests[i] != b.inputs.row_digests[i] for i in range(len(changed))]
    assert differs == [i == 2 for i in range(len(changed))]
    assert changed.digest != b.inputs.digest


def test_the_sign_of_zero_is_part_of_the_hash() -> None:
    plus = Inputs("sigmoid", BINARY32, np.array([[0.0]]), np.zeros((1, 0)), np.ones((1, 1)))
    minus = Inputs("sigmoid", BINARY32, np.array([[-0.0]]), np.zeros((1, 0)), np.ones((1, 1)))
    assert plus.digest != minus.digest


def test_equal_bits_of_another_question_have_another_hash() -> None:
    x, none, c = np.array([[0.5, 1.0]]), np.zeros((1, 0)), np.ones((1, 2))
    questions = [Inputs(o, f, x, none, c) for o in ("softmax", "log_softmax") for f in FORMATS.values()]
    assert len({q.row_digests[0] for q in questions}) == len(questions)


# --- what is asked --------------------------------------------------------------------------------


def test_every_value_exists_in_its_format(standard: tuple[Batch, ...]) -> None:
    for b in standard:
        fmt = b.inputs.format
        arrays = [b.inputs.logits, b.inputs.cotangent, b.inputs.tangent]
        a = b.inputs.attributes
        arrays += [] if a.weight_dtype else [np.array(a.weight), np.array(a.pos_weight)]
        own_labels = b.inputs.definition.labels == "dense" and b.inputs.labels_format is None
        arrays += [np.array(a.row_weight), *([b.inputs.labels] if own_labels else [])]
        for array in arrays:
            np.testing.assert_array_equal(fmt.nearest(array), array)
            with np.errstate(over="ignore", invalid="ignore"):
                np.testing.assert_array_equal(array.astype(fmt.dtype).astype(np.float64), array)
        drawn = [row for row, a in enumerate(b.asks) if a.cotangent is None]
        assert (b.inputs.cotangent[drawn] != 0).all()


def test_index_labels_are_classes(standard: tuple[Batch, ...]) -> None:
    """Or what is ignored; others are where 6.4 is tested, and nowhere else."""
    for b in standard:
        if b.inputs.definition.labels == "index":
            known = (b.inputs.labels >= 0) & (b.inputs.labels < b.inputs.n)
            known |= b.inputs.labels == b.inputs.attributes.ignore_index
            for case in b.cases:
                assert known[case.row].all() == (case.clause != "6.4"), case.id
            np.testing.assert_array_equal(b.inputs.labels, np.floor(b.inputs.labels))


def test_every_clause_exists(standard: tuple[Batch, ...]) -> None:
    known = clauses()
    for b in standard:
        for case in b.cases:
            assert {case.clause, *case.clauses.values()} <= set(known), case.id
            named = {"value", "grad_logits", "grad_labels", "jvp", "hvp"}
            assert set(case.clauses) <= named, case.id
            assert set(b.inputs.outputs) <= set(OUTPUTS), case.id


def test_every_case_asks_something_that_is_judged(standard: tuple[Batch, ...]) -> None:
    """Open clauses are recorded, not judged: they must not be most of the corpus."""
    levels = [clauses()[case.clause].level for b in standard for case in b.cases]
    assert levels.count(Level.OPEN) < 0.05 * len(levels)
    assert levels.count(Level.MUST) > 0.6 * len(levels)


def test_every_operator_and_format_is_asked_in_every_profile(corpus: Corpus) -> None:
    for profile in Profile:
        asked = {(b.operator, b.inputs.format.name) for b in corpus(profile)}
        everywhere = {(o, f) for o, f in asked if f in FORMATS}
        every = {(o, f) for o in OPERATORS for f in FORMATS}
        few = {(o, f) for o in OPERATORS if o not in OF_ROWS for f in ("float16", "float64")}
        assert everywhere == (every - few if profile == Profile.QUICK else every), "a layer is compiled anew"
        eight = {f for _, f in asked - everywhere}
        assert eight == set(EIGHT_BITS), "one family asks them, in every profile"


def test_the_first_cotangent_of_a_scalar_is_one(standard: tuple[Batch, ...]) -> None:
    """So that the plain gradient, without a factor, is always among the questions."""
    for b in standard:
        scalar = b.inputs.definition.value_shape == "scalar" or b.inputs.attributes.grouped
        if scalar and b.asks[0].cotangent is None:
            assert b.inputs.cotangent[0].tolist() == [1.0], b.id


def test_families_have_distinct_names_and_say_what_they_are() -> None:
    assert len(families()) == len(ALL)
    for name, family in families().items():
        assert name.isidentifier()
        assert 20 < len(family.about) < 100


FORBIDDEN = (
    ".normal(",
    "np.exp",
    "np.log",
    "math.exp",
    "math.log",
    "np.random.rand",
    "default_rng",
    "numpy.random",
)


def test_no_libm_and_no_distribution_in_the_sources() -> None:
    """Their last bits differ between machines and versions; a case must not."""
    sources = sorted(CASES.rglob("*.py"))
    assert len(sources) > 8
    for source in sources:
        text = source.read_text(encoding="utf-8")
        assert [call for call in FORBIDDEN if call in text] == [], source.name
