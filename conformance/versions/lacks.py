"""Which distributions a Python does not have: run by itself, in that Python, it imports none of them."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import sys

OLDEST = (3, 11)
"""What a worker needs; an older Python lacks that."""


def lacks(names: list[str]) -> list[str]:
    """Of these, those of which it has neither the distribution nor a package of that name."""
    return [name for name in names if not _has(name)]


def _has(name: str) -> bool:
    # tensorflow-cpu has the package tensorflow, and scikit-learn has none of its own name
    try:
        return bool(importlib.util.find_spec(name.replace("-", "_")) or importlib.metadata.version(name))
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return False


if __name__ == "__main__":
    print(json.dumps(lacks(sys.argv[1:]) if sys.version_info >= OLDEST else sys.argv[1:]))
