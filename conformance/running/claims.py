"""What a file of cases says of itself: its content, what is no case, and how right its own answers are.

A value that its author expects is judged like a framework's: against the certified value, by its clause.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from xent_conformance.cases.case import Batch
from xent_conformance.cases.outside.files import CaseFile
from xent_conformance.judging.judge import Judge
from xent_conformance.judging.numbered import STATUSES, rules
from xent_conformance.reference.oracle import Oracle


def told_of(files: Sequence[CaseFile], asked: Iterable[Batch], oracle: Oracle) -> list[dict[str, Any]]:
    """Of each file, for a header: what it is, and the verdict on each answer that it brings."""
    batches = list(asked)
    return [
        {
            "file": file.path,
            "name": file.name,
            "digest": file.digest,
            "refused": [list(pair) for pair in file.refused],
            "claims": [c for b in batches if b.id in file.claims for c in _claims(file, b, oracle)],
        }
        for file in files
    ]


def _claims(file: CaseFile, batch: Batch, oracle: Oracle) -> list[dict[str, Any]]:
    judge, claim = Judge(oracle.truth(batch.inputs)), file.claims[batch.id]
    if not claim.size:
        return []
    v = judge.verdicts(batch.cases, "value", claim)
    return [
        {"case": case.id, "status": STATUSES[status].value, "clause": rules().ids[clause], "ulps": ulps,
         "got": got, "rounded": rounded}
        for case, status, clause, ulps, got, rounded in zip(
            batch.cases, v.status, v.clause, v.ulps.tolist(), v.got.tolist(), v.rounded.tolist(), strict=True
        )
    ]  # fmt: skip
