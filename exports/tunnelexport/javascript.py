"""Guards and effects as JavaScript, translated from their source.

The tables keep to a small part of Python, and of that part this translates what means the same in both languages. It knows the
types of what it translates, from the annotations, because the languages differ where types are mixed: an empty array is true in
JavaScript, bytes are hex there, a class is its name. What it cannot translate exactly it refuses, with the file and the line;
it never approximates. Numbers are JavaScript's: whole, and exact up to 2^53, which is more than a u32 or a time in ms takes;
``runtime.js`` raises where a power, a remainder or a mask would not be exact.
"""

from __future__ import annotations

import ast
import builtins
import json
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from types import FunctionType, NoneType
from typing import Any, NamedTuple

from tunnelexport.code import needs
from tunnelexport.hints import CLASS, array, attribute, item, joined, parts, queue, row
from tunnelexport.values import plain
from tunnelspec.fifo import Fifo
from tunnelspec.source import definition

RUNTIME = Path(__file__).with_name("runtime.js").read_text(encoding="utf-8")
RESERVED = frozenset({
    "py", "arguments", "await", "class", "const", "delete", "enum", "eval", "export", "function", "in", "let", "new", "null",
    "static", "super", "switch", "this", "throw", "typeof", "undefined", "var", "void", "with", "yield",
})  # fmt: skip
PRIMITIVE = frozenset({int, str, bytes, bool, NoneType})
ARITHMETIC: Mapping[type[ast.operator], str] = {
    ast.Add: "({} + {})",
    ast.Sub: "({} - {})",
    ast.Mult: "({} * {})",
    ast.Mod: "py.mod({}, {})",
    ast.FloorDiv: "py.div({}, {})",
    ast.Pow: "py.pow({}, {})",
    ast.BitAnd: "py.and({}, {})",
}
ORDER: Mapping[type[ast.cmpop], str] = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}


class Untranslatable(ValueError):
    """Python that has no exact counterpart here: the message names the file, the line, the text and why."""


class Typed(NamedTuple):
    """JavaScript, and the Python type of what it gives."""

    text: str
    type: Any


def functions(roots: Iterable[Callable[..., Any]]) -> str:
    """The functions and their helpers as JavaScript, each under its own name. Raises ``Untranslatable``."""
    found: dict[str, Callable[..., Any]] = {}
    for function in needs(roots).functions:
        other = found.setdefault(function.__name__, function)
        if other is not function:
            raise Untranslatable(
                f"{function.__module__}.{function.__name__}: {other.__module__} has one of that name too"
            )
    return "\n".join(translated(function) for function in found.values())


def translated(function: Callable[..., Any]) -> str:
    """One function as JavaScript. Raises ``Untranslatable``."""
    return _Function(function).text()


class _Function:
    def __init__(self, function: Callable[..., Any]) -> None:
        self.node = definition(function)
        assert isinstance(function, FunctionType)  # so says its definition
        self.function = function
        self.hints = typing.get_type_hints(function)
        self.locals: dict[str, Any] = {a.arg: self.hints.get(a.arg, Any) for a in self.node.args.args}

    def text(self) -> str:
        names = ", ".join(self.name(a.arg, self.node) for a in self.node.args.args)
        body = self.statements(self.node.body)
        return f"function {self.name(self.node.name, self.node)}({names}) {{\n{body}\n}}"

    def refuse(self, node: ast.AST, why: str) -> Untranslatable:
        code = self.function.__code__
        line = code.co_firstlineno + getattr(node, "lineno", 1) - 1
        return Untranslatable(f"{Path(code.co_filename).name}, line {line}: {ast.unparse(node)}: {why}")

    def name(self, name: str, node: ast.AST) -> str:
        if name in RESERVED:
            raise self.refuse(node, f"{name} is a word of JavaScript's own")
        return name

    # -- statements --------------------------------------------------------------------------------------------------

    def statements(self, body: Iterable[ast.stmt], indent: str = "  ") -> str:
        return "\n".join(indent + line for statement in body if (line := self.statement(statement, indent)))

    def statement(self, node: ast.stmt, indent: str) -> str:
        match node:
            case ast.Expr(value=ast.Constant(value=str())):
                return ""
            case ast.Return(value=ast.expr() as value):
                text = self.condition(value) if self.hints.get("return") is bool else self.expression(value).text
                return f"return {text}"
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                given = self.expression(value)
                return f"const {self.local(name, given.type, node)} = {given.text}"
            case ast.Assign(targets=[ast.Tuple(elts=targets)], value=value):
                given = self.expression(value)
                kinds = typing.get_args(given.type)
                if typing.get_origin(given.type) is not tuple or len(kinds) != len(targets) or kinds[-1] is ...:
                    raise self.refuse(node, "what is unpacked must be a tuple of known length")
                names = [t.id for t in targets if isinstance(t, ast.Name)]
                bound = [self.local(name, kind, node) for name, kind in zip(names, kinds, strict=True)]
                return f"const [{', '.join(bound)}] = {given.text}"
            case ast.If(test=test, body=then, orelse=[]):
                return f"if ({self.condition(test)}) {{\n{self.statements(then, indent + '  ')}\n{indent}}}"
        raise self.refuse(node, "such a statement is not translated")

    def local(self, name: str, kind: Any, node: ast.AST) -> str:
        if name in self.locals:
            raise self.refuse(node, f"{name} is assigned twice")
        self.locals[name] = kind
        return self.name(name, node)

    # -- expressions -------------------------------------------------------------------------------------------------

    def condition(self, node: ast.expr) -> str:
        """An expression of which only the truth counts. The languages agree on it for a primitive alone."""
        if isinstance(node, ast.BoolOp):
            sign = " && " if isinstance(node.op, ast.And) else " || "
            return f"({sign.join(self.condition(value) for value in node.values)})"
        if isinstance(node, ast.Compare):
            return self.compare(node)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            negated = self.condition(node.operand)
            return f"!({negated})" if isinstance(node.operand, ast.Compare) else f"!{negated}"
        found = self.expression(node)
        if not parts(found.type) <= PRIMITIVE:
            raise self.refuse(node, f"the truth of {found.type} differs between the languages")
        return found.text if found.type is bool else f"Boolean({found.text})"

    def expression(self, node: ast.expr) -> Typed:
        match node:
            case ast.Constant(value=value):
                return self.constant(value, node)
            case ast.Name(id=name):
                return self.named(name, node)
            case ast.Attribute(value=value, attr=name):
                return self.field(self.expression(value), name, node)
            case ast.Subscript(value=value, slice=place):
                return self.subscript(self.expression(value), self.expression(place), node)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in ARITHMETIC:
                return Typed(ARITHMETIC[type(op)].format(self.number(left), self.number(right)), int)
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(value))):
                return Typed(f"-{value}", int)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return Typed(f"(-{self.number(operand)})", int)
            case ast.BoolOp(op=ast.Or(), values=[first, second]) if not self.boolean(node):
                return self.either(first, second)
            case ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
                return Typed(self.condition(node), bool)
            case ast.Compare():
                return Typed(f"({self.compare(node)})", bool)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                a, b = self.expression(body), self.expression(orelse)
                return Typed(f"({self.condition(test)} ? {a.text} : {b.text})", joined(a.type, b.type))
            case ast.Tuple(elts=items):
                return self.array(items)
            case ast.GeneratorExp(elt=elt, generators=[generator]):
                return self.generator(elt, generator)
            case ast.Call():
                return self.call(node)
        raise self.refuse(node, "such an expression is not translated")

    def boolean(self, node: ast.BoolOp) -> bool:
        return all(isinstance(v, ast.Compare | ast.BoolOp) or self.expression(v).type is bool for v in node.values)

    def constant(self, value: Any, node: ast.AST) -> Typed:
        if isinstance(value, float | complex) or value is ...:
            raise self.refuse(node, "such a constant is not translated")
        return Typed(json.dumps(plain(value)), type(value))

    def named(self, name: str, node: ast.expr) -> Typed:
        if name in self.locals:
            return Typed(name, self.locals[name])
        value = self.function.__globals__.get(name)
        if isinstance(value, type):
            return Typed(json.dumps(value.__name__), CLASS)
        if isinstance(value, tuple) and not hasattr(value, "_fields"):
            return Typed(json.dumps(plain(value)), array(joined(*map(_kind, value)) if value else Any))
        if isinstance(value, int | str | bytes):
            return self.constant(value, node)
        raise self.refuse(node, "such a name is not translated")

    def field(self, value: Typed, name: str, node: ast.expr) -> Typed:
        kind = attribute(value.type, name)
        if kind is None:
            raise self.refuse(node, f"{value.type} is not known to have it")
        return Typed(f"{value.text}.{name}", kind)

    def subscript(self, value: Typed, place: Typed, node: ast.expr) -> Typed:
        if item(value.type) is None or place.type is not int:
            raise self.refuse(node, "only an array has items, by number")
        return Typed(f"py.at({value.text}, {place.text})", item(value.type))

    def number(self, node: ast.expr) -> str:
        found = self.expression(node)
        if found.type is not int:
            raise self.refuse(node, f"a whole number is due, not {found.type}")
        return found.text

    def either(self, first: ast.expr, second: ast.expr) -> Typed:
        a, b = self.expression(first), self.expression(second)
        if not parts(a.type) <= PRIMITIVE:
            raise self.refuse(first, f"the truth of {a.type} differs between the languages")
        left = parts(a.type) - {NoneType}
        return Typed(f"({a.text} || {b.text})", joined(*left, b.type))

    def array(self, items: Iterable[ast.expr]) -> Typed:
        texts: list[str] = []
        kinds: list[Any] = []
        spread = False
        for node in items:
            if isinstance(node, ast.Starred):
                found = self.expression(node.value)
                if any(typing.get_origin(part) not in (tuple, Fifo) for part in parts(found.type)):
                    raise self.refuse(node, "only an array is unpacked")
                texts.append(f"...{found.text}")
                kinds += [k for part in parts(found.type) for k in typing.get_args(part) if k is not ...]
                spread = True
            else:
                found = self.expression(node)
                texts.append(found.text)
                kinds.append(found.type)
        text = f"[{', '.join(texts)}]"
        return Typed(text, array(joined(*kinds) if kinds else Any) if spread else row(*kinds))

    def compare(self, node: ast.Compare) -> str:
        sides = [node.left, *node.comparators]
        links = [self.link(a, op, b) for a, op, b in zip(sides, node.ops, sides[1:], strict=False)]
        return links[0] if len(links) == 1 else f"({' && '.join(links)})"

    def link(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> str:
        if type(op) in ORDER:
            return f"{self.number(left)} {ORDER[type(op)]} {self.number(right)}"
        a, b = self.expression(left), self.expression(right)
        sign = "===" if isinstance(op, ast.Eq | ast.Is | ast.In) else "!=="
        if isinstance(op, ast.In | ast.NotIn):
            within = f"py.has({b.text}, {a.text})"
            return within if sign == "===" else f"!{within}"
        primitive = parts(a.type) | parts(b.type)
        classes = all(kind is NoneType or typing.get_origin(kind) is type for kind in primitive)
        if not classes and (not primitive <= PRIMITIVE or {int, bool} <= primitive):
            raise self.refuse(left, f"{a.type} and {b.type} do not compare alike in both languages")
        return f"{a.text} {sign} {b.text}"

    def generator(self, elt: ast.expr, generator: ast.comprehension) -> Typed:
        over = generator.iter
        match over:
            case ast.Call(func=ast.Name(id="enumerate"), args=[inner]):
                found = self.expression(inner)
                found = Typed(f"py.enumerate({found.text})", array(row(int, item(found.type))))
            case _:
                found = self.expression(over)
        kind = item(found.type)
        if kind is None:
            raise self.refuse(over, "only an array is gone through")
        before = dict(self.locals)
        match generator.target:
            case ast.Name(id=name):
                target = self.local(name, kind, over)
            case ast.Tuple(elts=elts):
                names = [t.id for t in elts if isinstance(t, ast.Name)]
                bound = (self.local(n, k, over) for n, k in zip(names, typing.get_args(kind), strict=True))
                target = f"[{', '.join(bound)}]"
        tests = "".join(f".filter(({target}) => {self.condition(test)})" for test in generator.ifs)
        made = self.expression(elt)
        self.locals = before
        text = f"({made.text})" if made.text.startswith("{") else made.text
        return Typed(f"{found.text}{tests}.map(({target}) => {text})", array(made.type))

    # -- calls -------------------------------------------------------------------------------------------------------

    def call(self, node: ast.Call) -> Typed:
        match node.func:
            case ast.Attribute(value=value, attr=name):
                return self.method(self.expression(value), name, node)
            case ast.Name(id=name) if name not in self.locals:
                called = self.function.__globals__.get(name, getattr(builtins, name, None))
                if called is Fifo:
                    return self.fifo(node)
                if isinstance(called, FunctionType):
                    return self.ours(called, node)
                if isinstance(called, type) and (is_dataclass(called) or hasattr(called, "_fields")):
                    return self.construct(called, node)
                return self.builtin(name, node)
        raise self.refuse(node, "such a call is not translated")

    def ours(self, called: FunctionType, node: ast.Call) -> Typed:
        names = [argument.arg for argument in definition(called).args.args]
        given = _given(names, node)
        if set(given) != set(names):
            raise self.refuse(node, "each argument must be given")
        texts = ", ".join(self.expression(given[name]).text for name in names)
        return Typed(f"{self.name(called.__name__, node)}({texts})", typing.get_type_hints(called)["return"])

    def construct(self, cls: type[Any], node: ast.Call) -> Typed:
        defaults = (
            {f.name: f.default for f in fields(cls) if f.default is not MISSING}
            if is_dataclass(cls)
            else dict(cls._field_defaults)
        )
        names = [f.name for f in fields(cls)] if is_dataclass(cls) else list(cls._fields)
        given = _given(names, node)
        texts = [f"type: {json.dumps(cls.__name__)}"] if is_dataclass(cls) else []
        for name in names:
            if name in given:
                texts.append(f"{name}: {self.expression(given[name]).text}")
            elif name in defaults:
                texts.append(f"{name}: {json.dumps(plain(defaults[name]))}")
            else:
                raise self.refuse(node, f"{name} is missing")
        return Typed(f"{{{', '.join(texts)}}}", cls)

    def fifo(self, node: ast.Call) -> Typed:
        if not node.args:
            return Typed("[]", queue(Any))
        made = self.expression(node.args[0])
        return Typed(made.text, queue(item(made.type) or joined(*typing.get_args(made.type))))

    def method(self, value: Typed, name: str, node: ast.Call) -> Typed:
        if name == "_replace" and not node.args:
            changes = ", ".join(f"{k.arg}: {self.expression(k.value).text}" for k in node.keywords)
            return Typed(f"py.replace({value.text}, {{{changes}}})", value.type)
        if typing.get_origin(value.type) is Fifo and len(node.args) == 1 and not node.keywords:
            given = self.expression(node.args[0])
            forms = {"append": f"{value.text}.concat([{given.text}])", "drop": f"{value.text}.slice({given.text})",
                     "remove": f"py.without({value.text}, {given.text})",
                     "oldest": f"{value.text}.slice(0, {given.text})"}  # fmt: skip
            if name in forms:
                return Typed(forms[name], array(item(value.type)) if name == "oldest" else value.type)
        raise self.refuse(node, "such a method is not translated")

    def builtin(self, name: str, node: ast.Call) -> Typed:
        given = [self.expression(argument) for argument in node.args]
        match name, given:
            case ("len", [found]) if item(found.type) is not None:
                return Typed(f"{found.text}.length", int)
            case ("sum", [found]) if item(found.type) is int:
                return Typed(f"py.sum({found.text})", int)
            case ("tuple", [found]) if item(found.type) is not None:
                return Typed(found.text, array(item(found.type)))
            case ("next", [found, otherwise]) if item(found.type) is not None:
                return Typed(f"py.first({found.text}, {otherwise.text})", joined(item(found.type), otherwise.type))
            case ("type", [found]):
                return Typed(f"{found.text}.type", CLASS)
        raise self.refuse(node, "such a call is not translated")


def _given(names: list[str], node: ast.Call) -> dict[str, ast.expr]:
    return dict(zip(names, node.args, strict=False)) | {k.arg: k.value for k in node.keywords if k.arg}


def _kind(value: Any) -> Any:
    return CLASS if isinstance(value, type) else type(value)
