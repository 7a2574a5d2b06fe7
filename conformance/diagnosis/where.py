"""Where it is remembered what hypotheses said, and by which source."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xent_conformance.reference.kept import kept_folder
from xent_conformance.reference.sources import hash_of, of_reference


def sayings_folder() -> Path:
    """Where it is remembered between runs."""
    return kept_folder() / "diagnosis"


def sayings_of(identity: Mapping[str, Any]) -> Path:
    """The file of all runs that have asked and judged the same: ``identity`` says what and how."""
    told = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
    return sayings_folder() / of_hypotheses() / f"{told[:32]}.sayings"


@functools.cache
def of_hypotheses() -> str:
    """Hash of the source that says: this package, and what is right."""
    both = hash_of(Path(__file__).parent) + of_reference()
    return hashlib.sha256(both.encode()).hexdigest()[:16]
