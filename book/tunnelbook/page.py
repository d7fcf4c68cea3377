"""A page with generated blocks: text in, text out."""

from __future__ import annotations

import re

from tunnelbook.blocks import BLOCKS
from tunnelspec.endpoint import MACHINES

_BLOCK = re.compile(r"(<!-- generated: (?P<name>[\w-]+) -->\n)(?P<body>.*?)(<!-- end -->)", re.DOTALL)
_CITED = re.compile(r"\b[A-Z]+-[GR]-\d+\b")
IDS = frozenset(t.id for machine in MACHINES for t in machine.transitions)


class PageError(ValueError):
    """A page that asks for a block, or cites a rule, that does not exist; the message names it and the line."""


def render(page: str) -> str:
    """The page with every block generated anew. Raises ``PageError``."""

    def fill(match: re.Match[str]) -> str:
        name = match["name"]
        if name not in BLOCKS:
            raise PageError(f"line {_line(page, match.start())}: there is no block {name!r}")
        return f"{match[1]}\n{BLOCKS[name]()}\n\n{match[4]}"

    return _BLOCK.sub(fill, page)


def stale(page: str) -> tuple[str, ...]:
    """The names of the blocks that are not what the tables say."""
    fresh = {match["name"]: match["body"] for match in _BLOCK.finditer(render(page))}
    return tuple(match["name"] for match in _BLOCK.finditer(page) if match["body"] != fresh[match["name"]])


def missing(page: str) -> tuple[str, ...]:
    """The machines that the page does not show."""
    shown = {match["name"] for match in _BLOCK.finditer(page)}
    return tuple(machine.id for machine in MACHINES if machine.id not in shown)


def check_citations(page: str) -> None:
    """Raises ``PageError`` for the first rule that is cited and does not exist."""
    for match in _CITED.finditer(page):
        if match[0] not in IDS:
            raise PageError(f"line {_line(page, match.start())}: {match[0]} is cited, and there is no such transition")


def link_citations(page: str) -> str:
    """The prose's bare ids as links to their rules."""
    parts = re.split(r"(<!-- generated: .*?<!-- end -->|```.*?```|\[[^\]]*\]\([^)]*\))", page, flags=re.DOTALL)
    return "".join(
        part if index % 2 else _CITED.sub(lambda m: f"[{m[0]}](#{m[0].lower()})", part)
        for index, part in enumerate(parts)
    )


def _line(page: str, position: int) -> int:
    return page.count("\n", 0, position) + 1
