"""The actors' durable state, in SQLite: an actor's state and the index of the last message it has seen change together.

A *generation* fences: whoever began the actor's newest life is the only one who can write, so that a runner that was taken
for lost and lives on cannot change what its successor has.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS actors (
    id TEXT PRIMARY KEY,
    generation INTEGER NOT NULL,
    state TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS sockets (
    actor TEXT NOT NULL,
    request BLOB NOT NULL,
    last INTEGER NOT NULL,            -- index of the last message whose effect is in the actor's state; -1: none
    closed INTEGER NOT NULL DEFAULT 0,
    code INTEGER,
    reason TEXT,
    since INTEGER,                    -- Unix ms since when it has no tunnel, or is closed; NULL while it has one
    PRIMARY KEY (actor, request)
) STRICT, WITHOUT ROWID;
"""


class Fenced(Exception):
    """A later generation of this actor has begun: this one may not write any more."""


@dataclass(frozen=True, slots=True)
class SocketRecord:
    """What the durable state knows of a socket."""

    last: int
    closed: bool
    code: int | None
    reason: str | None


class Store:
    """One SQLite file, which runners may share. Every method is one transaction."""

    def __init__(self, path: str | Path = ":memory:") -> None:
        self._db = sqlite3.connect(path, isolation_level=None, timeout=10)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        self._db.close()

    def begin(self, actor: str, generation: int, now_ms: int, forget_before_ms: int) -> Any:
        """Begin a life of the actor; its state, or None for its first. Raises ``Fenced`` if a later one has begun.

        Its sockets have no tunnel from now on; those that had none since before ``forget_before_ms`` are forgotten.
        """
        with self._transaction():
            row = self._db.execute("SELECT generation, state FROM actors WHERE id = ?", (actor,)).fetchone()
            if row is not None and row[0] > generation:
                raise Fenced(f"actor {actor}: generation {row[0]} has begun, {generation} may not")
            self._db.execute(
                "INSERT INTO actors VALUES (?, ?, 'null') ON CONFLICT (id) DO UPDATE SET generation = excluded.generation",
                (actor, generation),
            )
            self._db.execute("UPDATE sockets SET since = ? WHERE actor = ? AND since IS NULL", (now_ms, actor))
            self._db.execute("DELETE FROM sockets WHERE actor = ? AND since < ?", (actor, forget_before_ms))
            return None if row is None else json.loads(row[1])

    def commit(
        self,
        actor: str,
        generation: int,
        state: Any,
        seen: Mapping[bytes, int],
        closed: Mapping[bytes, tuple[int | None, str | None]] = MappingProxyType({}),
        now_ms: int = 0,
    ) -> None:
        """The actor's state; for each socket (by request id) the last index whose effect is in it; and the code and reason of
        those that the actor closed: all or nothing.

        Raises ``Fenced``, and ``TypeError`` for a state that is not JSON.
        """
        text = json.dumps(state, separators=(",", ":"))
        with self._transaction():
            self._write(actor, generation, "state = ?", (text,))
            self._db.executemany(
                "UPDATE sockets SET last = ? WHERE actor = ? AND request = ?",
                [(index, actor, request) for request, index in seen.items()],
            )
            for request, (code, reason) in closed.items():
                self._conclude(actor, request, code, reason, now_ms)

    def remember(self, actor: str, generation: int, request: bytes) -> None:
        """A socket that can hibernate has a tunnel. Raises ``Fenced``."""
        with self._transaction():
            self._write(actor, generation)
            self._db.execute(
                "INSERT INTO sockets (actor, request, last) VALUES (?, ?, -1)"
                " ON CONFLICT (actor, request) DO UPDATE SET since = NULL",
                (actor, request),
            )

    def conclude(
        self, actor: str, generation: int, request: bytes, code: int | None, reason: str | None, now_ms: int
    ) -> None:
        """A socket was closed, for good: the first time counts. It is remembered from now on, if it was not. Raises ``Fenced``."""
        with self._transaction():
            self._write(actor, generation)
            self._conclude(actor, request, code, reason, now_ms)

    def forget(self, actor: str, generation: int, request: bytes) -> None:
        """Nobody will open the socket again. Raises ``Fenced``."""
        with self._transaction():
            self._write(actor, generation)
            self._db.execute("DELETE FROM sockets WHERE actor = ? AND request = ?", (actor, request))

    def socket(self, actor: str, request: bytes) -> SocketRecord | None:
        """What is known of a socket."""
        row = self._db.execute(
            "SELECT last, closed, code, reason FROM sockets WHERE actor = ? AND request = ?", (actor, request)
        ).fetchone()
        return None if row is None else SocketRecord(row[0], bool(row[1]), row[2], row[3])

    def _conclude(self, actor: str, request: bytes, code: int | None, reason: str | None, now_ms: int) -> None:
        self._db.execute("INSERT OR IGNORE INTO sockets (actor, request, last) VALUES (?, ?, -1)", (actor, request))
        self._db.execute(
            "UPDATE sockets SET closed = 1, code = ?, reason = ?, since = ?"
            " WHERE actor = ? AND request = ? AND closed = 0",
            (code, reason, now_ms, actor, request),
        )

    def _write(
        self, actor: str, generation: int, change: str = "generation = generation", values: tuple[Any, ...] = ()
    ) -> None:
        found = self._db.execute(
            f"UPDATE actors SET {change} WHERE id = ? AND generation = ?", (*values, actor, generation)
        )
        if found.rowcount != 1:
            raise Fenced(f"actor {actor}: generation {generation} is not the newest")

    def _transaction(self) -> _Transaction:
        return _Transaction(self._db)


class _Transaction:
    """BEGIN IMMEDIATE … COMMIT, or ROLLBACK if the body raises."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        self._db.execute("COMMIT" if kind is None else "ROLLBACK")
