"""Where the reference's code can be broken, and how: one small fault at a time.

A fault is named by the function it is in and what it does there, never by a line: a change elsewhere leaves its name alone, and a
hash of the function's code says whether what is known of it still holds.
"""

from __future__ import annotations

import ast
import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import tunnelref

HOME = Path(next(iter(tunnelref.__path__)))

SHARED = ("driver.py", "outbox.py", "messageid.py", "connection.py")
"""Where both roles run through: counted with the gateway's, and what its suite does not notice is tried with the runner's, too."""

FILES = {
    "gateway": (
        *SHARED,
        "gateway/core.py",
        "gateway/http.py",
        "gateway/links.py",
        "gateway/directory.py",
        "gateway/server.py",
    ),
    "runner": ("runner/core.py", "runner/hosted.py", "runner/actor.py", "runner/store.py", "runner/client.py"),
}
"""The code that a role's behaviour goes through, beside the tables and the codec, which have mutants and vectors of their own."""

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip

FAULTS = {
    "drop": "the statement is not there",
    "negate": "the condition is turned round",
    "compare": "the comparison is turned round, or takes in its bound",
    "either": "`and` is `or`, or the other way",
    "swap": "`+` is `-`, or the other way",
}

Node = ast.stmt | ast.expr


@dataclass(frozen=True)
class Mutant:
    """A fault. ``number``: its place among all of its file's."""

    role: str
    file: str
    where: str  # the function, with its class; "" for what is in none
    fault: str
    text: str
    number: int
    code: str  # a hash of the function's code, as it is without the fault

    @property
    def id(self) -> str:
        """What it is called, whatever happens to other functions."""
        return f"{self.file} {self.where or 'module'}: {self.fault} {self.text}"

    def source(self) -> str:
        """The file with the fault."""
        tree = ast.parse((HOME / self.file).read_text(encoding="utf-8"))
        _, node, fault = list(_places(tree))[self.number]
        _break(tree, node, fault)
        return ast.unparse(ast.fix_missing_locations(tree))


@cache
def mutants(role: str) -> tuple[Mutant, ...]:
    """All of a role's, in the order of files and lines."""
    return tuple(mutant for file in FILES[role] for mutant in in_file(role, file))


def in_file(role: str, file: str) -> Iterator[Mutant]:
    """Those of one file."""
    tree = ast.parse((HOME / file).read_text(encoding="utf-8"))
    codes, seen = _codes(tree), Counter[str]()
    for number, (where, node, fault) in enumerate(_places(tree)):
        text = ast.unparse(node).splitlines()[0]
        seen[f"{where} {fault} {text}"] += 1
        again = seen[f"{where} {fault} {text}"]
        told = text if again == 1 else f"{text} ({again})"
        yield Mutant(role, file, where, fault, told, number, codes.get(where) or _hash(ast.unparse(node)))


def _places(tree: ast.Module) -> Iterator[tuple[str, Node, str]]:
    """What can be broken: in which function, what, and how."""
    for where, node in _walk(tree, ""):
        if (
            (isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant))
            or isinstance(node, ast.AugAssign)
            or (isinstance(node, ast.Assign) and not isinstance(node.targets[0], ast.Name))
        ):
            yield where, node, "drop"
        if isinstance(node, ast.If | ast.IfExp):
            yield where, node.test, "negate"
        if isinstance(node, ast.While) and not isinstance(node.test, ast.Constant):
            yield where, node.test, "negate"
        if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARISONS:
            yield where, node, "compare"
        if isinstance(node, ast.BoolOp):
            yield where, node, "either"
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
            yield where, node, "swap"


def _walk(node: ast.AST, where: str) -> Iterator[tuple[str, ast.AST]]:
    """All nodes in the order of their lines, each with its function."""
    tests = {id(child.test) for child in ast.walk(node) if isinstance(child, ast.If | ast.IfExp | ast.While)}
    yield from (
        (place, child)
        for place, child in _descend(node, where)
        if not (id(child) in tests and isinstance(child, ast.Compare) and not _moves(child))
    )


def _descend(node: ast.AST, where: str) -> Iterator[tuple[str, ast.AST]]:
    for child in ast.iter_child_nodes(node):
        inner = where
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inner = f"{where}.{child.name}".lstrip(".")
        yield inner, child
        yield from _descend(child, inner)


def _moves(test: ast.Compare) -> bool:
    """Whether its other comparison is something else than the condition turned round."""
    return isinstance(test.ops[0], ast.Lt | ast.LtE | ast.Gt | ast.GtE)


def _break(tree: ast.AST, node: Node, fault: str) -> None:
    if isinstance(node, ast.Compare) and fault == "compare":
        node.ops[0] = COMPARISONS[type(node.ops[0])]()
    elif isinstance(node, ast.BinOp) and fault == "swap":
        node.op = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
    elif isinstance(node, ast.BoolOp) and fault == "either":
        node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    elif isinstance(node, ast.expr):
        _replace(tree, node, ast.UnaryOp(ast.Not(), node))
    else:
        _replace(tree, node, ast.Pass())


def _replace(tree: ast.AST, node: Node, new: ast.AST) -> None:
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is node:
                setattr(parent, name, new)
                return
            if isinstance(value, list) and any(item is node for item in value):
                value[[item is node for item in value].index(True)] = new
                return


def _codes(tree: ast.Module) -> dict[str, str]:
    """The hash of each function's code, without its docstring."""
    return {
        where: _hash(ast.unparse(_bare(node)))
        for where, node in _descend(tree, "")
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def _bare(function: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
    if ast.get_docstring(function) is not None:
        function.body = function.body[1:] or [ast.Pass()]
    return function


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
