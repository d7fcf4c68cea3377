"""What a module does, apart from what it says to its readers: what records are held against, so that prose makes none stale."""

from __future__ import annotations

import ast
from functools import cache

PROSE = {"says", "ref", "waits_for"}
"""Arguments that are for readers: what they say decides nothing."""


@cache
def meaning(source: str) -> str:
    """A module's code without what is only for readers."""
    return ast.dump(_Meaning().visit(ast.parse(source)))


class _Meaning(ast.NodeTransformer):
    """Takes docstrings and the prose of tables away."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        body = getattr(node, "body", None)
        if isinstance(body, list):
            kept = [n for n in body if not (isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant))]
            node.body = kept or [ast.Pass()]  # type: ignore[attr-defined]
        return node

    def visit_keyword(self, node: ast.keyword) -> ast.AST | None:
        return None if node.arg in PROSE else self.generic_visit(node)
