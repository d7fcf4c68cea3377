"""What modules do, apart from what they say to their readers: what records are held against, so that prose makes none stale."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PROSE = {"says", "ref", "waits_for"}
"""Arguments that are for readers: what they say decides nothing."""


@cache
def meaning(source: str) -> str:
    """A module's code without what is only for readers."""
    return ast.dump(_Meaning().visit(ast.parse(source)))


@dataclass(frozen=True, slots=True)
class Sources:
    """Of which modules something is recorded: what they mean decides; where no byte has changed, that need not be asked."""

    meaning: str
    text: str

    @classmethod
    def of(cls, paths: Sequence[Path]) -> Sources:
        """Of these modules, as they are."""
        return cls(_meaning_of(paths), _text_of(paths))

    def are(self, paths: Sequence[Path]) -> bool:
        """Whether these modules still mean the same."""
        return self.text == _text_of(paths) or self.meaning == _meaning_of(paths)


def _meaning_of(paths: Iterable[Path]) -> str:
    return _digest((path.name, meaning(path.read_text(encoding="utf-8")).encode()) for path in paths)


def _text_of(paths: Iterable[Path]) -> str:
    return _digest((path.name, path.read_bytes()) for path in paths)


def _digest(named: Iterable[tuple[str, bytes]]) -> str:
    digest = hashlib.sha256()
    for name, data in named:
        digest.update(f"{name} {len(data)}\n".encode() + data)
    return digest.hexdigest()[:16]


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
