"""A file of vectors: its head, and one vector a line, so that a change shows as the lines that it changes.

A vector's id is made from what goes in, never from what is expected: it stays as long as the case exists.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

VERSION = "1.0"
"""Of the form: what is added compatibly raises the second number, anything else the first."""

SCHEMA = "vectors.schema.json"


class Result(StrEnum):
    """What an implementation is to make of a vector."""

    VALID = "valid"  # exactly this
    INVALID = "invalid"  # a refusal
    ACCEPTABLE = "acceptable"  # this, or a refusal, or what the standard leaves open; the notes say which


class Origin(StrEnum):
    """Where a vector comes from."""

    HAND = "hand"  # worked out from the protocol's text
    TABLES = "tables"  # derived


@dataclass(frozen=True, slots=True)
class Note:
    """What vectors with this note hunt, and what the mistake does to a user."""

    hunts: str
    harm: str


@dataclass(frozen=True)
class Group:
    """One file of vectors."""

    kind: str
    says: str
    notes: Mapping[str, Note]
    vectors: tuple[dict[str, Any], ...]
    head: Mapping[str, Any]  # further keys of the file

    @property
    def name(self) -> str:
        return f"{self.kind}.json"

    def text(self) -> str:
        """The file. Raises ``ValueError`` for an id that comes twice, and for a note that is not explained or not used."""
        ids = [vector["id"] for vector in self.vectors]
        if twice := {id_ for id_ in ids if ids.count(id_) > 1}:
            raise ValueError(f"{self.name}: ids that come twice: {', '.join(sorted(twice))}")
        used = {note for vector in self.vectors for note in vector["notes"]}
        if used != set(self.notes):
            raise ValueError(
                f"{self.name}: notes without an explanation, or without a vector: {used ^ set(self.notes)}"
            )
        head = {
            "$schema": SCHEMA,
            "format": "tunnelspec-vectors",
            "version": VERSION,
            "kind": self.kind,
            "says": self.says,
            "count": len(self.vectors),
            "notes": {name: {"hunts": note.hunts, "harm": note.harm} for name, note in self.notes.items()},
            **self.head,
        }
        lines = ",\n".join(_line(vector) for vector in self.vectors)
        return f'{json.dumps(head, indent=1, ensure_ascii=False)[:-2]},\n "vectors": [\n{lines}\n ]\n}}\n'


def digest(*what: Any) -> str:
    """Ten hex digits that name an input."""
    text = json.dumps(what, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def unique(vectors: Iterable[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    """The vectors, the first of each id: what was worked out by hand comes first, and stands."""
    found: dict[str, dict[str, Any]] = {}
    for vector in vectors:
        found.setdefault(vector["id"], vector)
    return tuple(found.values())


def _line(vector: Mapping[str, Any]) -> str:
    return json.dumps(vector, ensure_ascii=False, separators=(", ", ": "))
