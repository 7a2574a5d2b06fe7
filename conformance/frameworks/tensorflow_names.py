"""Names for what TensorFlow compiles that its next process gives as well.

XLA's persistent cache looks a program up by its name too, and ``tf.function`` ends a name in a number that
counts everything its process has made before. Whoever is asked in another order, as several workers are that
share their questions, would find little of what an earlier run has compiled.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

PREFIX = "conformance_"


def keep_names() -> bool:
    """From now on a function of :func:`named` is compiled under its own name.

    False where this version of TensorFlow makes names in another place: all is compiled as usual there.
    """
    from tensorflow.python.eager.polymorphic_function import concrete_function

    usual: Callable[[str], str] | None = getattr(concrete_function, "_inference_name", None)
    if usual is None:
        return False
    counted = usual

    def name(of: str) -> str:
        return of if of.startswith(PREFIX) else counted(of)

    concrete_function._inference_name = name
    return True


def named(function: Callable[..., Any], signature: object) -> Callable[..., Any]:
    """The function under a name that says its signature, whose ``repr`` is the same in every process.

    No two functions of a process may have one name, so it is traced for one signature only.
    """
    function.__name__ = PREFIX + hashlib.sha256(repr(signature).encode()).hexdigest()[:32]
    return function
