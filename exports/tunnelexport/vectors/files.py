"""The files of ``conformance/vectors/``."""

from __future__ import annotations

from pathlib import Path

from tunnelexport.vectors.form import SCHEMA, Group
from tunnelexport.vectors.frames import frames
from tunnelexport.vectors.serials import serials
from tunnelexport.vectors.steps import steps
from tunnelexport.vectors.talks import conversations, runs

SCHEMA_FILE = Path(__file__).with_name(SCHEMA)


def groups() -> tuple[Group, ...]:
    """One for each kind of vector."""
    return (frames(), serials(), steps(), runs(), conversations())


def files() -> dict[str, str]:
    """File name -> content. ``README.md`` beside them is written by hand."""
    return {group.name: group.text() for group in groups()} | {SCHEMA: SCHEMA_FILE.read_text(encoding="utf-8")}
