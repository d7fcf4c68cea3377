"""The Python that is translated: a function's parsed text, and the names of one call of it."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from types import FunctionType
from typing import Any

from tunnelexport.promela.shapes import (
    Refused,
)
from tunnelexport.promela.terms import (
    Term,
    Value,
)
from tunnelexport.promela.writing import Block


@dataclass(frozen=True)
class Source:
    """A function's definition: its parsed text with the file's own lines, and what its names mean."""

    node: ast.FunctionDef
    file: str
    globals: Mapping[str, Any]


@cache
def source(function: FunctionType) -> Source:
    """The source of a plain function. Raises ``Refused``."""
    try:
        lines, start = inspect.getsourcelines(function)
        file = inspect.getsourcefile(function) or "?"
        node = ast.parse(textwrap.dedent("".join(lines))).body[0]
    except (OSError, TypeError, SyntaxError) as error:
        raise Refused(f"{function.__qualname__}: no source: {error}") from error
    short = "/".join(file.rsplit("/", 2)[-2:])
    if not isinstance(node, ast.FunctionDef):
        raise Refused(f"{short}:{start}: {function.__qualname__} is not a plain function")
    ast.increment_lineno(node, start - 1)
    return Source(node, short, function.__globals__)


@dataclass
class Scope:
    """The names of one call."""

    source: Source
    names: dict[str, Term] = field(default_factory=dict)
    variables: dict[str, Value] = field(default_factory=dict)  # names that change, and the C variables that hold them
    returns: list[tuple[Block, Term, bool]] = field(default_factory=list)  # where, what, and whether it ends the body
    changing: frozenset[str] = frozenset()
    declared: Block = field(default_factory=list)
    end: str = ""
    depth: int = 0  # of ifs and loops in C

    def inner(self) -> Scope:
        """The same names, and some of its own: for a comprehension."""
        return Scope(self.source, dict(self.names), self.variables)


def changing(node: ast.FunctionDef) -> frozenset[str]:
    """Names that are assigned more than once, or in a loop."""
    counts: dict[str, int] = {argument.arg: 1 for argument in node.args.args}

    def note(target: ast.AST, times: int) -> None:
        for inner in ast.walk(target):
            if isinstance(inner, ast.Name):
                counts[inner.id] = counts.get(inner.id, 0) + times

    def visit(body: Sequence[ast.stmt], times: int) -> None:
        for statement in body:
            if isinstance(statement, ast.Assign):
                for target in statement.targets:
                    if not isinstance(target, ast.Subscript):
                        note(target, times)
            elif isinstance(statement, ast.AugAssign | ast.AnnAssign):
                note(statement.target, times)
            elif isinstance(statement, ast.For):
                visit(statement.body, 2)
            elif isinstance(statement, ast.If):
                visit(statement.body, times)
                visit(statement.orelse, times)

    visit(node.body, 1)
    return frozenset(name for name, count in counts.items() if count > 1)
