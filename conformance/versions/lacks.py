"""Which distributions a Python has: run by itself, in that Python, it imports none of them."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import sys

OLDEST = (3, 11)
"""What a worker needs; an older Python lacks that."""


def has(names: list[str]) -> dict[str, str]:
    """Of these, those of which it has the distribution, or a package of that name; each with its version.

    The version is empty where only the package is there: tensorflow-cpu has the package tensorflow.
    """
    found = {name: _version(name) for name in names}
    return {name: version for name, version in found.items() if version is not None}


def _version(name: str) -> str | None:
    # scikit-learn has no package of its own name
    try:
        return importlib.metadata.version(name)
    except (importlib.metadata.PackageNotFoundError, ValueError):
        pass
    try:
        return "" if importlib.util.find_spec(name.replace("-", "_")) else None
    except (ImportError, ValueError):
        return None


if __name__ == "__main__":
    print(json.dumps(has(sys.argv[1:]) if sys.version_info >= OLDEST else {}))
