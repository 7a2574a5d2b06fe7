"""An implementation's call as the expression that a user of the framework would write.

An adapter says how its framework is called in a lambda. Here the lambda's source is read and evaluated as
far as it goes: its parameters become the names of a script, the keywords that are given are put in their
places, a helper that is one expression is put in the place of its call, and any other comes along as a
function. What remains is the framework's own names and nothing of ours.
"""

from __future__ import annotations

import ast
import copy
import inspect
import io
import sys
import tokenize
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from xent_conformance.frameworks.around import Around
from xent_conformance.frameworks.layer import OWN, Layered
from xent_conformance.frameworks.own import Own

Names = Mapping[str, ast.expr]


@dataclass(frozen=True)
class Source:
    """``expression`` computes the value; ``helpers`` are the definitions that it needs, in their order."""

    expression: str
    helpers: tuple[str, ...] = ()


def source_of(
    call: Callable[..., Any], library: str, arguments: Sequence[str], keywords: Mapping[str, str]
) -> Source:
    """``call`` as an expression of ``library`` (how a script names it) and of the named arguments.

    ``keywords`` are given as expressions. Raises LookupError where the source cannot be found.
    """
    if isinstance(call, Own):
        passed = [*arguments, *(f"{name}={text}" for name, text in keywords.items())]
        return Source(f"{call.name}({', '.join(passed)})")
    if isinstance(call, Around):
        return _around(call, library, arguments, dict(keywords))
    if isinstance(call, Layered):  # the parts stand under their own names, and need no keyword to say where
        named_only = {name: text for name, text in keywords.items() if name not in OWN}
        return source_of(call.call, library, _parts(arguments), named_only)
    writer = _Writer(sys.modules[call.__module__], _parsed(library))
    given = [writer.library, *map(_parsed, arguments)]
    named = {name: _parsed(text) for name, text in keywords.items()}
    expression = writer.called(call, given, named)
    return Source(text_of(expression), tuple(writer.helpers.values()))


def _parts(arguments: Sequence[str]) -> Sequence[str]:
    """Hidden states, weights, labels and a bias, as the function of a layer takes them."""
    return ["hidden", "weight", "labels", "bias" if "bias" in arguments else "None"]


def _around(call: Around, library: str, given: Sequence[str], keywords: dict[str, str]) -> Source:
    """The call with what stands before it and after it written out."""
    x, *labels = given
    if "cast" in keywords:
        narrow = source_of(call.cast, library, [x, keywords.pop("cast")], {})
        x = source_of(call.cast, library, [narrow.expression, "logits.dtype"], {}).expression
    for name, sign in (("matrix", "@"), ("scale", "*"), ("temperature", "/"), ("bias", "+")):
        if name in keywords:
            x = f"({x} {sign} {keywords.pop(name)})"
    times = keywords.pop("times", None)
    helpers: tuple[str, ...] = ()
    if call.hide is not None and "mask" in keywords:
        hidden = source_of(call.hide, library, [x, keywords.pop("mask")], {})
        x, helpers = hidden.expression, hidden.helpers
    inner = source_of(call.call, library, [x, *labels], keywords)
    expression = inner.expression if times is None else f"({inner.expression}) * {times}"
    return Source(expression, (*helpers, *inner.helpers))


def helper_of(function: Callable[..., Any]) -> tuple[str, ...]:
    """A function of NumPy's, and what it calls, as definitions."""
    writer = _Writer(sys.modules[function.__module__], ast.Name("np"))
    node = writer.definition(function)
    assert isinstance(node, ast.FunctionDef), "a helper has a name"
    writer.define(node, {})
    return tuple(writer.helpers.values())


def text_of(node: ast.AST) -> str:
    """The node as source, with double quotes."""
    text = ast.unparse(ast.fix_missing_locations(node))
    tokens = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        string = token.string
        if token.type == tokenize.STRING and string[0] == "'" and '"' not in string and "\\" not in string:
            token = token._replace(string=f'"{string[1:-1]}"')
        tokens.append(token)
    return str(tokenize.untokenize(tokens))


def _parsed(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def _same(a: ast.AST, b: ast.AST) -> bool:
    return ast.unparse(a) == ast.unparse(b)


@dataclass
class _Writer:
    """Reads one adapter's module; collects the helpers that the expression needs."""

    module: ModuleType
    library: ast.expr
    helpers: dict[str, str] = field(default_factory=dict)

    def called(
        self, call: Callable[..., Any], arguments: Sequence[ast.expr], keywords: Mapping[str, ast.expr]
    ) -> ast.expr:
        """The call as an expression."""
        node = self.definition(call)
        if isinstance(node, ast.Lambda):
            return self.evaluated(node.body, _bound(node.args, arguments, keywords))
        return self.call_of(node, arguments, keywords)

    def definition(self, function: Callable[..., Any]) -> ast.Lambda | ast.FunctionDef:
        """The definition of a function of the module."""
        code = function.__code__
        tree = ast.parse(inspect.getsource(self.module))
        for node in ast.walk(tree):
            if isinstance(node, ast.Lambda | ast.FunctionDef) and node.lineno == code.co_firstlineno:
                names = [a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
                if names == list(code.co_varnames[: len(names)]) and (
                    isinstance(node, ast.Lambda) == (code.co_name == "<lambda>")
                ):
                    return node
        raise LookupError(f"no definition at line {code.co_firstlineno} of {self.module.__name__}")

    def evaluated(self, node: ast.expr, names: Names) -> ast.expr:
        """The expression with these names replaced, and helpers in the place of their calls."""
        result: ast.expr = _Replace(self, names).visit(copy.deepcopy(node))
        return result

    def call_of(
        self, node: ast.FunctionDef, arguments: Sequence[ast.expr], keywords: Mapping[str, ast.expr]
    ) -> ast.expr:
        """What a call of a helper becomes: its one expression, or the call of its definition."""
        if (value := _only_expression(node)) is not None:
            bound = _bound(node.args, arguments, keywords)
            if all(_cheap(given) or _uses(value, name) <= 1 for name, given in bound.items()):
                return self.evaluated(value, bound)
        parameters = [a.arg for a in node.args.args]
        ours = {p for p, value in zip(parameters, arguments, strict=False) if _same(value, self.library)}
        self.define(node, dict.fromkeys(ours, self.library))
        left = [
            value for i, value in enumerate(arguments) if i >= len(parameters) or parameters[i] not in ours
        ]
        passed = [ast.keyword(name, value) for name, value in keywords.items()]
        return ast.Call(ast.Name(public(node.name)), left, passed)

    def define(self, node: ast.FunctionDef, names: Names) -> None:
        """Take the function along, without annotations and without the parameters that are replaced."""
        name = public(node.name)
        if name in self.helpers:
            return
        written = copy.deepcopy(node)
        written.name, written.returns, written.type_comment = name, None, None
        written.args.args = [a for a in written.args.args if a.arg not in names]
        written.args.defaults = written.args.defaults[-len(written.args.args) :] if written.args.args else []
        _Replace(self, names, own=frozenset(a.arg for a in written.args.args)).visit_body(written)
        self.helpers[name] = text_of(_Bare().visit(written))

    def constant(self, name: str) -> str | None:
        """The script's name of a constant of the module, which comes along; None if it is none."""
        value = vars(self.module).get(name)
        if not isinstance(value, int | float | str):
            return None
        self.helpers.setdefault(public(name), f"{public(name)} = {value!r}".replace("'", '"'))
        return public(name)

    def function(self, name: str) -> ast.FunctionDef | None:
        """The definition of a helper of the module; None if the name is none."""
        value = vars(self.module).get(name)
        if not inspect.isfunction(value) or value.__module__ != self.module.__name__:
            return None
        node = self.definition(value)
        return node if isinstance(node, ast.FunctionDef) else None


def public(name: str) -> str:
    """The name of a helper in a script: it is nobody's private there."""
    return name.lstrip("_")


@dataclass
class _Replace(ast.NodeTransformer):
    """Puts expressions in the places of names, and helpers in the places of their calls."""

    writer: _Writer
    names: Names
    own: frozenset[str] = frozenset()

    def visit_body(self, node: ast.FunctionDef) -> None:
        node.body = [self.visit(statement) for statement in node.body]

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id in self.own or not isinstance(node.ctx, ast.Load):
            return node
        if node.id in self.names:
            return copy.deepcopy(self.names[node.id])
        constant = self.writer.constant(node.id)
        return ast.Name(constant) if constant else node

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        """What is decided by an argument that is not given is decided here."""
        test = self.visit(node.test)
        if isinstance(test, ast.Compare) and ast.unparse(test) == "None is None":
            decided: ast.expr = self.visit(node.body)
            return decided
        return ast.IfExp(test, self.visit(node.body), self.visit(node.orelse))

    def visit_Call(self, node: ast.Call) -> ast.expr:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        arguments = [self.visit(a) for a in node.args]
        passed = [k for keyword in node.keywords for k in _spread(keyword.arg, self.visit(keyword.value))]
        last = {k.arg: k for k in passed if k.arg}
        helper = None if name in self.names or name in self.own else self.writer.function(name)
        if helper is not None and all(k.arg for k in passed):
            return self.writer.call_of(helper, arguments, {k: v.value for k, v in last.items()})
        if helper is not None:  # a helper that is passed keywords which nobody knows yet
            self.writer.call_of(helper, arguments, {})
            short = ast.Name(public(name))
            return ast.Call(short, [a for a in arguments if not _same(a, self.writer.library)], passed)
        rest = [k for k in passed if not k.arg]
        return ast.Call(self.visit(node.func), arguments, [*last.values(), *rest])


def _spread(name: str | None, value: ast.expr) -> list[ast.keyword]:
    """``name=value``; of ``**value``, where that is a dictionary with known keys, one keyword each."""
    if name is not None or not isinstance(value, ast.Dict):
        return [ast.keyword(name, value)]
    found = []
    for key, item in zip(value.keys, value.values, strict=True):
        found += _spread(key.value if isinstance(key, ast.Constant) else None, item)  # type: ignore[arg-type]
    return found


class _Bare(ast.NodeTransformer):
    """Without annotations."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        self.generic_visit(node)
        node.returns = None
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        assert node.value is not None, "a helper's variable is given a value"
        return ast.Assign([node.target], node.value)


def _bound(
    parameters: ast.arguments, arguments: Sequence[ast.expr], keywords: Mapping[str, ast.expr]
) -> dict[str, ast.expr]:
    """What each parameter is, defaults and ``**given`` among them."""
    names = [a.arg for a in parameters.args]
    bound = dict(zip(reversed(names), reversed(parameters.defaults), strict=False))
    bound |= {
        a.arg: default
        for a, default in zip(parameters.kwonlyargs, parameters.kw_defaults, strict=True)
        if default is not None
    }
    bound |= dict(zip(names, arguments, strict=False))
    known = {*names, *(a.arg for a in parameters.kwonlyargs)}
    bound |= {name: value for name, value in keywords.items() if name in known}
    if parameters.kwarg is not None:
        others = {name: value for name, value in keywords.items() if name not in known}
        bound[parameters.kwarg.arg] = ast.Dict([ast.Constant(n) for n in others], list(others.values()))
    return bound


def _only_expression(node: ast.FunctionDef) -> ast.expr | None:
    """What a function returns that does nothing else."""
    body = node.body[1:] if ast.get_docstring(node) else node.body
    return body[0].value if len(body) == 1 and isinstance(body[0], ast.Return) else None


def _cheap(node: ast.expr) -> bool:
    """Whether it may be written twice: names and constants compute nothing."""
    return not any(isinstance(n, ast.Call | ast.BinOp | ast.Subscript) for n in ast.walk(node))


def _uses(node: ast.expr, name: str) -> int:
    return sum(isinstance(n, ast.Name) and n.id == name for n in ast.walk(node))
