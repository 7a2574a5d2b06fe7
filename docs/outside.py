"""``python -m docs.outside`` prints the files of ``examples/cases`` that hold the tests of other projects.

``onnx`` takes the node tests that the installed ``onnx`` makes; ``webnn FILE COMMIT`` those in a script of
web-platform-tests, ``webnn/conformance_tests/softmax.https.any.js``, as it was at a commit.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xent_conformance.cases.outside.onnx_tests import cases_of
from xent_conformance.cases.outside.translated import (
    Inexpressible,
    Translation,
    path_safe,
    printed,
    translation,
)
from xent_conformance.cases.outside.webnn import read_script

KINDS = ("Softmax", "LogSoftmax", "Sigmoid", "SoftmaxCrossEntropyLoss", "NegativeLogLikelihoodLoss")

LARGE = 4096
"""Tests of more numbers say nothing that their small siblings do not, and would be most of the file."""


def onnx() -> Translation:
    """The node tests of the operators that ONNX has for softmax, sigmoid and their losses."""
    import onnx as library
    import onnx.numpy_helper
    from onnx.backend.test.case.node import collect_testcases

    cases: list[dict[str, Any]] = []
    refused: dict[str, str] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the cases of other operators overflow on purpose
        found = collect_testcases(None)
    for test in sorted(found, key=lambda test: str(test.name)):
        if test.model.graph.node[0].op_type not in KINDS or "_expanded" in test.name:
            continue
        ((inputs, outputs),) = test.data_sets
        try:
            if inputs[0].size > LARGE:
                raise Inexpressible(f"its {inputs[0].size} numbers are left out, not to be most of this file")
            cases += cases_of(library, path_safe(test.name), test.model, inputs, outputs)
        except Inexpressible as why:
            refused[test.name] = str(why)
    source = (
        f"ONNX {library.__version__}, onnx/backend/test/case/node (Apache-2.0): the node tests of "
        f"{', '.join(KINDS)}. {_left_out(refused)}"
    )
    return translation("onnx_node_tests", source, cases, refused)


def webnn(file: Path, commit: str) -> Translation:
    """The tests of WebNN's softmax."""
    source = (
        "web-platform-tests, webnn/conformance_tests/softmax.https.any.js (3-Clause BSD, copyright "
        f"web-platform-tests contributors), as servo/servo has it at {commit}: the numbers of its tests."
    )
    return read_script(file.read_text(encoding="utf-8"), "webnn_softmax", source)


def _left_out(refused: Mapping[str, str]) -> str:
    by_reason: dict[str, int] = {}
    for reason in refused.values():
        by_reason[reason] = by_reason.get(reason, 0) + 1
    return " ".join(f"Not here: {count} ({reason})." for reason, count in sorted(by_reason.items()))


def main(words: list[str]) -> int:
    """Print the file that is named. Status 2 for another."""
    match words:
        case ["onnx"]:
            print(printed(onnx().document), end="")
        case ["webnn", file, commit]:
            print(printed(webnn(Path(file), commit).document), end="")
        case _:
            print("usage: python -m docs.outside onnx | webnn FILE COMMIT", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
