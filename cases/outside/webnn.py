"""The conformance data of WebNN, as web-platform-tests holds it: an array of tests, in JSON or in JavaScript.

Each test is a graph, ``{inputs, operators, expectedOutputs}``; one operator that is ours becomes a case. The
numbers are what a typed array makes of them: rounded to nearest.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from xent_conformance.cases.outside.numbers import CasesError
from xent_conformance.cases.outside.translated import Inexpressible, Translation, path_safe, translation
from xent_conformance.reference.formats import FORMATS

OPERATORS = {"softmax": "softmax", "sigmoid": "sigmoid"}
"""What WebNN calls the operators that are ours."""

_ARRAY = re.compile(r"^(?:const|let|var)\s+\w*[Tt]ests\s*=\s*(\[.*?^\])\s*;", re.DOTALL | re.MULTILINE)
_TOKEN = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)|(?P<string>'[^'\\\n]*'|"[^"\\\n]*")"""
    r"""|(?P<key>[A-Za-z_]\w*)(?=\s*:)|(?P<special>-?(?:Infinity|NaN)\b)|(?P<trailing>,(?=\s*[\]}]))""",
    re.DOTALL,
)


def is_javascript(text: str) -> bool:
    """Whether a file declares an array of tests, as a script of web-platform-tests does."""
    return _ARRAY.search(text) is not None


def read_script(text: str, name: str, source: str) -> Translation:
    """The tests of a script. Raises :class:`CasesError` where its array is none of literals."""
    found = _ARRAY.search(text)
    assert found is not None, "asked of a script that declares its tests"
    try:
        # a trailing comma may stand before a comment: comments go first
        plain = _TOKEN.sub(lambda m: "" if m["comment"] else m[0], found[1])
        tests = json.loads(_TOKEN.sub(_as_json, plain))
    except (ValueError, RecursionError) as error:
        raise CasesError(f"its array of tests is no literal that can be read: {error}") from None
    return read_tests(tests, name, source)


def _as_json(found: re.Match[str]) -> str:
    if found["string"]:
        return json.dumps(found["string"][1:-1])
    if found["key"]:
        return f'"{found["key"]}"'
    return _SPECIAL[found["special"]] if found["special"] else ""


_SPECIAL = {"NaN": '"nan"', "-NaN": '"nan"', "Infinity": '"inf"', "-Infinity": '"-inf"'}


def read_tests(tests: Any, name: str, source: str) -> Translation:
    """The cases of an array of tests."""
    if not isinstance(tests, list) or not tests:
        raise CasesError("it has no tests: nothing is asked")
    cases: list[dict[str, Any]] = []
    refused: dict[str, str] = {}
    for i, test in enumerate(tests):
        called = str(test.get("name", f"test {i}")) if isinstance(test, dict) else f"test {i}"
        try:
            cases.append({"id": path_safe(called), **_case(test)})
        except Inexpressible as why:
            refused[called] = str(why)
        except (KeyError, TypeError, AttributeError, IndexError, ValueError) as error:
            refused[called] = f"it is no graph of WebNN's ({type(error).__name__}: {error})"
    return translation(path_safe(name), source, cases, refused, rounding="nearest")


def _case(test: Mapping[str, Any]) -> dict[str, Any]:
    graph = test["graph"]
    operators = graph["operators"]
    if len(operators) != 1:
        raise Inexpressible(f"a graph of {len(operators)} operators; one is asked at a time")
    (operator,) = operators
    kind = operator["name"]
    if kind not in OPERATORS:
        raise Inexpressible(f"{kind} is no operator of the specification")
    arguments: dict[str, Any] = {}
    for argument in operator["arguments"]:
        arguments |= argument
    x = graph["inputs"][arguments["input"]]
    dtype, shape = x["descriptor"]["dataType"], x["descriptor"]["shape"]
    if dtype not in FORMATS:
        raise Inexpressible(f"its tensors are {dtype}; there are {', '.join(FORMATS)}")
    if not all(type(k) is int for k in shape):
        raise Inexpressible(f"its shape is {shape}: a length is not a number")
    (expected,) = graph["expectedOutputs"].values()
    shape = shape or [1]
    axis = int(arguments.get("axis", len(shape) - 1)) if kind == "softmax" else -1
    return {
        "operator": OPERATORS[kind],
        "dtype": dtype,
        "axis": axis,
        "logits": _shaped(x["data"], shape),
        "expected": _shaped(expected["data"], shape),
    }


def _shaped(data: Any, shape: list[int]) -> Any:
    """A flat array as nested lists; one number stands for all of them."""
    count = 1
    for k in shape:
        count *= k
    flat = data if isinstance(data, list) else [data] * count
    if len(flat) != count:
        raise ValueError(f"{len(flat)} numbers for shape {shape}")
    for k in reversed(shape[1:]):
        flat = [flat[i : i + k] for i in range(0, len(flat), k)] if k else [[]]
    return flat
