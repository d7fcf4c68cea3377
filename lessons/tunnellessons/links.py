"""Rules and properties, cited on a page."""

from __future__ import annotations

from tunnelcheck.explain import RULES

BOOK = "../README.md"
"""The specification's page, from a lesson."""


def cite(id_: str) -> str:
    """A rule's id as a link to it. Raises ``KeyError``."""
    return f"[{RULES[id_].id}]({BOOK}#{id_.lower()})"
