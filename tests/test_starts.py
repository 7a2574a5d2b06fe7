"""Processes that a GPU would lose are counted right: each start, by operator, and each suspect row asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from benchmarks.starts import DEVICE, Asserting, Counted, counted, shares
from tests.support.by_hand import NAN, Install, batch
from tests.support.fakes import Exact
from xent_conformance.asking.selection import Selection
from xent_conformance.cases.case import Batch
from xent_conformance.frameworks.interface import Array, Call, Implementation

SPARSE = "sparse_softmax_cross_entropy"
FIRST = next(i for i in Exact.implementations if i.operator == SPARSE)
LOGITS = [[float(i) for i in range(10)]] * 6


class Indexed(Exact):
    """It has two doors to the loss, and says of an index that is no class what PyTorch says."""

    implementations = (*Exact.implementations, Implementation("fake.other", SPARSE, "fused", FIRST.call))

    def run(self, call: Call) -> Mapping[str, Array]:
        if call.labels is not None and ((call.labels < 0) | (call.labels >= call.logits.shape[-1])).any():
            raise IndexError("Target 10 is out of bounds.")
        return super().run(call)


class Fake(Asserting, Indexed):
    """As if its CPU were a GPU."""


class ByHand(Selection):
    """Twice six rows of which two are bad, six that are right, and a NaN that nobody asserts is none."""

    def batches(self) -> Iterator[Batch]:
        bad = batch(SPARSE, LOGITS, labels=[[0.0], [10.0], [2.0], [-7.0], [1.0], [0.0]])
        right = batch(SPARSE, LOGITS, labels=[[0.0]] * 6)
        return iter([bad, right, bad, batch("softmax", [LOGITS[0], [NAN, *LOGITS[0][1:]]])])


def test_each_start_is_counted_and_each_suspect_row(install: Install) -> None:
    """Of a door that is new the call as a whole and the value of each bad row; later the values alone."""
    install(fake=f"{__name__}:Fake")
    connection = Counted(Fake)
    lost, rows = counted(ByHand("quick", devices=("cuda",)), connection)
    assert lost == {SPARSE: 2 * (1 + 2) + 2 * 2, "softmax": 0}
    assert rows == {SPARSE: 2 * 2 * 2, "softmax": 1}
    assert connection.starts == 1 + lost.total()
    assert {device for _, device in connection.asserting} == {DEVICE}
    assert shares(lost, rows) == {SPARSE: 1.25}, "what loses none has no share"
