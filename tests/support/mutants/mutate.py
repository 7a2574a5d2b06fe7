"""Mechanical mutants: one token of the textbook changed at a time, every token that means something."""

from __future__ import annotations

import ast
import copy
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

TEXTBOOK = Path(__file__).with_name("textbook.py")

_OPERATIONS: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div,),
    ast.Div: (ast.Mult,),
    ast.BitOr: (ast.BitAnd,),
}

_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Eq: (ast.NotEq,),
    ast.Lt: (ast.LtE, ast.GtE),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
}

_FUNCTIONS = {
    "max": ("min",),
    "argmax": ("argmin",),
    "sum": ("mean",),
    "exp": ("expm1", "exp2"),
    "log1p": ("log",),
    "log": ("log1p",),
    "maximum": ("minimum",),
    "abs": ("positive",),
}

_CONSTANTS: dict[float, tuple[float, ...]] = {0: (1,), 1: (0, 2), 2: (1, 3), 0.5: (0.25,), 0.25: (0.5,)}


@dataclass(frozen=True)
class Mutant:
    """One change, in words, of one function, and the module that has it."""

    name: str
    function: str
    line: str
    tree: ast.Module

    def module(self) -> ModuleType:
        """The mutated textbook, fresh."""
        made = ModuleType(f"mutant_{self.name}")
        exec(compile(self.tree, str(TEXTBOOK), "exec"), made.__dict__)
        return made


@functools.cache
def mutants() -> tuple[Mutant, ...]:
    """All of them, function by function; each differs from the textbook in one place."""
    source = TEXTBOOK.read_text(encoding="utf-8")
    tree, found = ast.parse(source), list[Mutant]()
    for function in (node for node in tree.body if isinstance(node, ast.FunctionDef)):
        for count, (place, changed) in enumerate(_changes(function), 1):
            mutated = copy.deepcopy(function)
            node = list(ast.walk(mutated))[place]
            _apply(node, changed)
            ast.fix_missing_locations(mutated)
            # the other functions are the same objects: nothing changes them, and a copy of all is dear
            whole = ast.Module([mutated if f is function else f for f in tree.body], tree.type_ignores)
            line = source.splitlines()[getattr(node, "lineno", function.lineno) - 1].strip()
            found.append(
                Mutant(f"{function.name}:{count} {_words(node, changed)}", function.name, line, whole)
            )
    return tuple(found)


@functools.cache
def callers(function: str) -> frozenset[str]:
    """The functions of the textbook that use one, by others or at once; itself among them."""
    uses = {
        f.name: {n.id for n in ast.walk(f) if isinstance(n, ast.Name)}
        for f in ast.parse(TEXTBOOK.read_text(encoding="utf-8")).body
        if isinstance(f, ast.FunctionDef)
    }
    found = frozenset({function})
    while more := {name for name, used in uses.items() if used & found} - found:
        found |= more
    return found


Change = tuple[str, object]


def _changes(function: ast.FunctionDef) -> Iterator[tuple[int, Change]]:
    """Places, counted as :func:`ast.walk` goes, and what is put there."""
    kept = {id(node) for node in ast.walk(function.args)}  # defaults and annotations are no arithmetic
    kept |= {id(node) for node in ast.walk(function.returns)} if function.returns else set()
    for place, node in enumerate(ast.walk(function)):
        if id(node) in kept:
            continue
        if isinstance(node, ast.BinOp):
            yield from ((place, ("op", new)) for new in _OPERATIONS.get(type(node.op), ()))
        elif isinstance(node, ast.Compare):
            yield from ((place, ("compare", new)) for new in _COMPARISONS.get(type(node.ops[0]), ()))
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            yield place, ("plus", None)
        elif isinstance(node, ast.Attribute):
            yield from ((place, ("function", new)) for new in _FUNCTIONS.get(node.attr, ()))
        elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
            yield from ((place, ("constant", new)) for new in _CONSTANTS.get(node.value, ()))
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "where":
            yield place, ("where", None)


def _apply(node: ast.AST, change: Change) -> None:
    kind, new = change
    match node, kind:
        case ast.BinOp(), "op":
            node.op = new()  # type: ignore[operator]
        case ast.Compare(), "compare":
            node.ops = [new()]  # type: ignore[operator]
        case ast.UnaryOp(), "plus":
            node.op = ast.UAdd()
        case ast.Attribute(), "function":
            node.attr = str(new)
        case ast.Constant(), "constant":
            node.value = new  # type: ignore[assignment]
        case ast.Call(), "where":
            node.args[1], node.args[2] = node.args[2], node.args[1]
        case _:
            raise AssertionError(f"no change {kind} of {ast.dump(node)}")


def _words(node: ast.AST, change: Change) -> str:
    kind, new = change
    return {"plus": "no minus", "where": "the other way round"}.get(
        kind, f"{kind} {getattr(new, '__name__', new)}"
    )
