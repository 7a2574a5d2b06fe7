"""Small files of cases, written by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from xent_conformance.cases.case import Batch
from xent_conformance.cases.outside.batches import batch
from xent_conformance.cases.outside.files import CaseFile, read_file
from xent_conformance.cases.outside.schema import Document, document


def case(**changes: Any) -> dict[str, Any]:
    """A softmax of one row; ``None`` takes a field out."""
    usual = {"id": "one", "operator": "softmax", "dtype": "float32", "logits": [[1.0, 2.0, 4.0]]}
    return {name: value for name, value in {**usual, **changes}.items() if value is not None}


def loss(**changes: Any) -> dict[str, Any]:
    """A loss of two rows of three classes, with index labels."""
    usual: dict[str, Any] = {
        "operator": "sparse_softmax_cross_entropy",
        "logits": [[1.0, 2.0, 4.0], [0.0, -1.0, 0.5]],
        "labels": [2, 0],
    }
    return case(**usual | changes)


def held(*cases: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """What a file of these cases holds."""
    usual = {"schema": 1, "name": "mine", "source": "by hand", "cases": list(cases)}
    return {name: value for name, value in {**usual, **changes}.items() if value is not None}


def read(*cases: dict[str, Any], **changes: Any) -> Document:
    return document(held(*cases, **changes))


def batch_of(**changes: Any) -> Batch:
    """The batch of one case."""
    (call,) = read(case(**changes)).calls
    return batch(call, "mine")


def file_of(folder: Path, *cases: dict[str, Any], **changes: Any) -> CaseFile:
    return read_file(path_of(folder, *cases, **changes))


def path_of(folder: Path, *cases: dict[str, Any], **changes: Any) -> Path:
    path = folder / f"{changes.get('name', 'mine')}.json"
    path.write_text(json.dumps(held(*cases, **changes)), encoding="utf-8")
    return path
