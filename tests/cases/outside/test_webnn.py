"""WebNN's data: a script of web-platform-tests, or its JSON; what is no case has its reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.paths import ROOT
from xent_conformance.cases.outside.files import read_file
from xent_conformance.cases.outside.numbers import CasesError

SCRIPT = """// META: title=test
'use strict';
// const commentedTests = [];
const softmaxTests = [
  {
    'name': 'softmax float32 2D, axis 0',  // 'quoted' in a comment: [1, 2]
    'graph': {
      'inputs': {
        'softmaxInput': {
          'data': [0.1, -Infinity, NaN, 4,],
          'descriptor': {shape: [2, 2], dataType: 'float32'},
          'constant': true
        }
      },
      /* one operator */
      'operators': [{
        'name': 'softmax',
        'arguments': [{'input': 'softmaxInput'}, {'axis': 0}],
        'outputs': 'softmaxOutput'
      }],
      'expectedOutputs': {
        'softmaxOutput': {'data': [1, 0, Infinity, 0.5], 'descriptor': {shape: [2, 2], dataType: 'float32'}}
      }
    }
  },  // the last
];

webnn_conformance_test(softmaxTests, buildAndExecuteGraph, getPrecisionTolerance);
"""


def test_a_script(tmp_path: Path) -> None:
    path = tmp_path / "softmax.https.any.js"
    path.write_text(SCRIPT, encoding="utf-8")
    found = read_file(path)
    (call,) = found.document.calls
    assert (found.name, call.id) == ("webnn_softmax", "softmax_float32_2D_axis_0")
    assert call.classes == 0 and call.logits[0, 0] == np.float32(0.1), "as a typed array has it"
    assert np.isneginf(call.logits[0, 1]) and np.isnan(call.logits[1, 0])
    assert call.expected is not None and call.expected.tolist() == [[1.0, 0.0], [np.inf, 0.5]]


def graph(**changes: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {
        "inputs": {"x": {"data": [1, 2], "descriptor": {"shape": [2], "dataType": "float16"}}},
        "operators": [{"name": "softmax", "arguments": [{"input": "x"}], "outputs": "y"}],
        "expectedOutputs": {"y": {"data": [0.25, 0.75], "descriptor": {}}},
    }
    return usual | changes


def told(path: Path, *tests: Any) -> Path:
    path.write_text(json.dumps({"tests": list(tests)}), encoding="utf-8")
    return path


def test_json_with_what_is_no_case(tmp_path: Path) -> None:
    sigmoid = [{"name": "sigmoid", "arguments": [{"input": "x"}], "outputs": "y"}]
    relu = [{**sigmoid[0], "name": "relu"}]
    ints = {"x": {"data": [1, 2], "descriptor": {"shape": [2], "dataType": "int8"}}}
    few = {"x": {"data": [1], "descriptor": {"shape": [2], "dataType": "float16"}}}
    batch = {"x": {"data": [1], "descriptor": {"shape": [{"name": "batch"}], "dataType": "float16"}}}
    found = read_file(
        told(
            tmp_path / "some.json",
            {"name": "plain", "graph": graph()},
            {"name": "elements", "graph": graph(operators=sigmoid)},
            {"name": "relu", "graph": graph(operators=relu)},
            {"name": "two", "graph": graph(operators=sigmoid * 2)},
            {"name": "ints", "graph": graph(inputs=ints)},
            {"name": "few", "graph": graph(inputs=few)},
            {"name": "dynamic", "graph": graph(inputs=batch)},
            {"name": "bare"},
            7,
        )
    )
    assert found.name == "webnn_some"
    assert [(c.id, c.operator.name) for c in found.document.calls] == [
        ("plain", "softmax"),
        ("elements", "sigmoid"),
    ]
    assert {name: why.partition(";")[0] for name, why in found.refused} == {
        "relu": "relu is no operator of the specification",
        "two": "a graph of 2 operators",
        "ints": "its tensors are int8",
        "few": "it is no graph of WebNN's (ValueError: 1 numbers for shape [2])",
        "dynamic": "its shape is [{'name': 'batch'}]: a length is not a number",
        "bare": "it is no graph of WebNN's (KeyError: 'graph')",
        "test 8": "it is no graph of WebNN's (TypeError: 'int' object is not subscriptable)",
    }


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (SCRIPT.replace("0.1,", "Math.PI,"), "its array of tests is no literal that can be read"),
        ("const softmaxTests = [\n];\n", "it has no tests"),
        (SCRIPT.replace("'softmax',", "'elu',"), "none of its 1 tests can be asked"),
    ],
)
def test_a_script_that_cannot_be_read(script: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "a.js"
    path.write_text(script, encoding="utf-8")
    with pytest.raises(CasesError, match=said):
        read_file(path)


def test_the_example() -> None:
    """Nine tests, of which two stand twice: as constants and as inputs."""
    found = read_file(ROOT / "examples" / "cases" / "webnn_softmax.json")
    assert len(found.document.calls) == 9 and "3-Clause BSD" in found.about
    assert {c.format.name for c in found.document.calls} == {"float16", "float32"}
    assert len(found.claims) == 9
