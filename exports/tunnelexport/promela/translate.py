"""Python to C: the subset that guards, effects, stages and properties are written in.

A function is translated anew wherever it is called, for the values it is called with: what depends only on what is known (the
limits, the bounds, a class) is decided on the spot, and the branch not taken does not exist in C. What is outside the subset is
refused, with file and line.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Mapping, Sequence
from types import FunctionType, MethodType
from typing import Any

from tunnelexport.promela.expressions import Expressions
from tunnelexport.promela.layout import stored
from tunnelexport.promela.shapes import (
    NEVER,
    Shapes,
    is_record,
)
from tunnelexport.promela.source import Scope, changing, source
from tunnelexport.promela.terms import (
    Bound,
    Built,
    Constant,
    Maybe,
    Named,
    Row,
    Term,
    Value,
    items,
    rowish,
)
from tunnelspec.fifo import Fifo


class Translator(Expressions):
    """Functions, statements, calls."""

    def __init__(self, shapes: Shapes) -> None:
        super().__init__(shapes)
        self.intrinsics: dict[Any, Callable[..., Term]] = {}

    # -- functions ----------------------------------------------------------------------------------------------------

    def call_function(self, function: FunctionType, args: Sequence[Term], named: Mapping[str, Term]) -> Term:
        """A function's body, here, for these arguments."""
        found, before = source(function), self.where
        scope = Scope(found, changing=changing(found.node), end=self.fresh("end"))
        scope.names = self._parameters(found.node, function, args, named)
        scope.declared = self.gap()
        with self.into([]) as body:
            for name in scope.changing & set(scope.names):
                self.assign(name, scope.names[name], scope)
            finished = self.block(found.node.body, scope)
            if not finished:
                scope.returns.append((self.gap(), Constant(None), True))
        self.where = before
        self.out.append(body)
        if len(scope.returns) == 1 and scope.returns[0][2]:
            return scope.returns[0][1]
        result = self.merge(scope.declared, [(block, term) for block, term, _ in scope.returns])
        for block, _, last in scope.returns:
            if not last:
                block.append(f"goto {scope.end};")
        self.write(f"{scope.end}: ;")
        return result

    def _parameters(
        self, node: ast.FunctionDef, function: FunctionType, args: Sequence[Term], named: Mapping[str, Term]
    ) -> dict[str, Term]:
        plain = [argument.arg for argument in node.args.args]
        names: dict[str, Term] = dict(zip(plain, args, strict=False))
        if node.args.vararg is not None:
            names[node.args.vararg.arg] = Row(list(args[len(plain) :]))
        elif len(args) > len(plain):
            raise self.refuse(f"too many arguments for {function.__name__}")
        names |= named
        for name, default in zip(plain[::-1], (function.__defaults__ or ())[::-1], strict=False):
            names.setdefault(name, Constant(default))
        for name, default in (function.__kwdefaults__ or {}).items():
            names.setdefault(name, Constant(default))
        return names

    # -- statements ---------------------------------------------------------------------------------------------------

    def block(self, body: Sequence[ast.stmt], scope: Scope) -> bool:
        """Translate statements; whether none of what follows can be reached."""
        return any(self.statement(statement, scope, place == len(body) - 1) for place, statement in enumerate(body))

    def statement(self, node: ast.stmt, scope: Scope, last: bool) -> bool:
        self.at(node, scope)
        if isinstance(node, ast.Return):
            term = Constant(None) if node.value is None else self.expr(node.value, scope)
            scope.returns.append((self.gap(), term, last and scope.depth == 0))
            return True
        if isinstance(node, ast.If):
            return self._if(node, scope)
        if isinstance(node, ast.For):
            return self._for(node, scope)
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            self.bind(node.targets[0], self.expr(node.value, scope), scope)
            return False
        if isinstance(node, ast.AnnAssign) and node.value is not None:
            self.bind(node.target, self.expr(node.value, scope), scope)
            return False
        if isinstance(node, ast.AugAssign):
            now = self.expr(ast.copy_location(ast.Name(id=node.target.id, ctx=ast.Load()), node), scope)  # type: ignore[union-attr]
            self.bind(node.target, self.binary(node.op, now, self.expr(node.value, scope)), scope)
            return False
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return False
        raise self.refuse(f"{type(node).__name__} is outside the subset")

    def _if(self, node: ast.If, scope: Scope) -> bool:
        test = self.truth(self.expr(node.test, scope))
        if isinstance(test, Constant):
            return self.block(node.body if test.value else node.orelse, scope)
        if self.type_of(test) == NEVER:
            return True
        assert isinstance(test, Value)
        scope.depth += 1
        ends = []
        for word, body in ((f"if ({test.text}) {{", node.body), ("else {", node.orelse)):
            self.write(word)
            ends.append(self.block(body, scope))
            self.write("}")
        scope.depth -= 1
        return all(ends)

    def _for(self, node: ast.For, scope: Scope) -> bool:
        if node.orelse:
            raise self.refuse("else of a loop is outside the subset")
        scope.depth += 1

        def body(item: Term) -> None:
            self.bind(node.target, item, scope)
            self.block(node.body, scope)

        self.each(self.expr(node.iter, scope), body)
        scope.depth -= 1
        return False

    def bind(self, target: ast.AST, term: Term, scope: Scope) -> None:
        if isinstance(target, ast.Name):
            self.assign(target.id, term, scope)
        elif isinstance(target, ast.Tuple):
            for inner, item in zip(target.elts, self.unpacked(term, len(target.elts)), strict=True):
                self.bind(inner, item, scope)
        elif isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
            place, before = self.expr(target.slice, scope), scope.names[target.value.id]
            if not isinstance(place, Constant) or not rowish(before):
                raise self.refuse("an item of this cannot be set")
            after = list(items(before))
            after[place.value] = term
            scope.names[target.value.id] = Row(after)
        else:
            raise self.refuse(f"{type(target).__name__} cannot be assigned to")

    def assign(self, name: str, term: Term, scope: Scope) -> None:
        if name not in scope.changing:
            scope.names[name] = term
            return
        key = (scope.source.node.name, name)
        self.shapes.flow(FunctionType, ".".join(key), self.shapes.widened(self.type_of(term)))
        type_ = self.shapes.fields[FunctionType, ".".join(key)]
        if name not in scope.variables:
            variable = Value(type_, self.fresh("m"))
            scope.variables[name] = variable
            if stored(type_):
                scope.declared.append(f"{self.layout.c(type_)} {variable.text};")
        variable = scope.variables[name]
        if stored(variable.type):
            text = self.store(term, variable.type)
            self.write(f"{variable.text} = {text};")
        scope.names[name] = variable

    def unpacked(self, term: Term, count: int) -> Sequence[Term]:
        """The items of a tuple that is taken apart."""
        if self.is_never(term):
            return [Value(NEVER, "0")] * count
        found = self.listed(term)
        if found is None or len(found) != count:
            raise self.refuse("cannot be taken apart")
        return found

    # -- calls --------------------------------------------------------------------------------------------------------

    def _Call(self, node: ast.Call, scope: Scope) -> Term:
        function = self.expr(node.func, scope)
        args: list[Term] = []
        for argument in node.args:
            if isinstance(argument, ast.Starred):
                found = self.listed(self.expr(argument.value, scope))
                if found is None:
                    raise self.refuse("* of what has no known length")
                args += found
            else:
                args.append(self.expr(argument, scope))
        named: dict[str, Term] = {}
        for keyword in node.keywords:
            term = self.expr(keyword.value, scope)
            named |= term.parts if keyword.arg is None and isinstance(term, Named) else {str(keyword.arg): term}
        self.at(node, scope)
        return self.call(function, args, named)

    def call(self, function: Term, args: Sequence[Term], named: Mapping[str, Term]) -> Term:
        """A call of anything that may be called."""
        if isinstance(function, Bound):
            return self.intrinsics[f".{function.name}"](function.of, *args, **named)
        if not isinstance(function, Constant):
            raise self.refuse("a call of what is not known now")
        callee = function.value
        if all(isinstance(x, Constant) for x in (*args, *named.values())) and callee not in (next, list):
            values = [x.value for x in args]  # type: ignore[attr-defined]
            return self.evaluated(lambda: callee(*values, **{name: x.value for name, x in named.items()}))  # type: ignore[attr-defined]
        if isinstance(callee, MethodType):
            if (
                is_record(callee.__self__) or isinstance(callee.__self__, Fifo)
            ) and f".{callee.__name__}" in self.intrinsics:
                return self.intrinsics[f".{callee.__name__}"](Constant(callee.__self__), *args, **named)
            special = self.intrinsics.get(callee.__func__)
            if special is not None:
                return special(callee.__self__, *args, **named)
            return self.call_function(callee.__func__, [Constant(callee.__self__), *args], named)  # type: ignore[arg-type]
        if isinstance(callee, FunctionType) and callee not in self.intrinsics:
            return self.call_function(callee, args, named)
        if callee in self.intrinsics:
            return self.intrinsics[callee](*args, **named)
        if isinstance(callee, type):
            return self.construct(callee, args, named)
        call = vars(type(callee)).get("__call__")
        if isinstance(call, FunctionType):
            return self.call_function(call, [function, *args], named)
        raise self.refuse(f"{callee!r} is outside the subset")

    def construct(self, cls: type[Any], args: Sequence[Term], named: Mapping[str, Term]) -> Term:
        """A new record."""
        signature = inspect.signature(cls)
        try:
            bound = signature.bind(*args, **named)
        except TypeError as error:
            raise self.refuse(f"{cls.__name__}: {error}") from error
        parts = {
            name: bound.arguments.get(name, Constant(parameter.default))
            for name, parameter in signature.parameters.items()
        }
        return Built(cls, parts)


def maybe(term: Term) -> tuple[str, Sequence[Term]] | None:
    """A stage's result: in C, whether it is possible, and what it writes; None if it never is."""
    if isinstance(term, Maybe):
        return term.flag, term.row.items
    if isinstance(term, Constant) and term.value is None:
        return None
    return ("1", items(term)) if rowish(term) else None
