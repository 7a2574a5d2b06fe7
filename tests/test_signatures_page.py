"""docs/SIGNATURES.md is what the worker would ask, and as many as JAX has compiled when it is asked."""

from __future__ import annotations

import subprocess
import sys

from docs.signatures import Counting, Counts, Signature, page
from tests.support.capturing import needs
from tests.support.corpus import Corpus, of_corpus
from tests.support.paths import ROOT
from xent_conformance.cases.case import Batch

FAMILIES = ("ordinary", "shapes")

ASKS_JAX = f"""
from xent_conformance.asking.asker import ask
from xent_conformance.asking.inside import InProcess
from xent_conformance.asking.selection import Selection
from xent_conformance.frameworks.jax import Jax

jax = Jax()
connection = InProcess(lambda: jax)
asked = Selection("quick", ("jax",), ("softmax",), ("float32",), {FAMILIES})
(seat,) = [seat for seat in asked.seats() if seat.key == "jax"]
for batch in asked.batches():
    for answer in ask(connection, batch, asked.questions(seat, batch, ["cpu"])):
        assert not answer.failures, answer.failures
print(sum(function._cache_size() for function in jax._compiled.values()))
"""
"""Its own count of what it has compiled; in a process of its own, where nobody else has used it."""


def _asked() -> list[Batch]:
    return of_corpus("quick", operators={"softmax"}, families=FAMILIES, dtypes={"float32"})


def test_the_page_is_printed_by_its_command(corpus: Corpus) -> None:
    found = (ROOT / "docs/SIGNATURES.md").read_text(encoding="utf-8")
    told = "renew it: .venv/bin/python -m docs.signatures > docs/SIGNATURES.md"
    assert found == page(corpus("quick")), told


@needs("jax")
def test_jax_has_compiled_as_many() -> None:
    told = subprocess.run([sys.executable, "-c", ASKS_JAX], capture_output=True, text=True, check=True).stdout
    assert int(told) == len(Counting("jax", "jit").of(_asked(), "quick")) > 5


def test_another_shape_is_another_and_other_numbers_are_not() -> None:
    """Counted as the compiler does: the same batch of another family adds nothing, one more length does."""
    every = _asked()
    (ten,) = [b for b in every if b.id == "softmax/ordinary/float32/n10"]
    (one,) = [b for b in every if b.id == "softmax/ordinary/float32/n1"]
    counting = Counting("jax", "jit")
    alone = counting.of([ten], "quick")
    renamed = Batch("another", ten.inputs, ten.asks, outside=True)
    assert set(counting.of([ten, renamed], "quick")) == set(alone)
    assert all(whose == {"ordinary", "another"} for whose in counting.of([ten, renamed], "quick").values())
    assert len(counting.of([ten, one], "quick")) == 2 * len(alone)


def _signature(*shape: int, dtype: str = "float32") -> Signature:
    return Signature("a", "softmax", ("value",), (), ((dtype, shape),))


def test_what_is_asked_alone_and_what_for_its_shape() -> None:
    wide, narrow, half = _signature(64, 1000), _signature(64, 10), _signature(64, 10, dtype="float16")
    counts = Counts({wide: {"a"}, narrow: {"b", "c"}, half: {"a"}})
    assert counts.of("a") == (2, 2, 1)
    assert counts.of("b") == (1, 0, 0)
    assert counts.whole == (3, 2, 1)
    assert counts.saved("a", 1000, 10) == 1
    assert counts.saved("a", 1000, 11) == 0, "nobody compiles that"
