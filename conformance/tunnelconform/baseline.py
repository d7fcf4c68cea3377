"""Expected failures: a file that says which cases fail, and why that is accepted for now."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from tunnelconform.played import Verdict
from tunnelconform.suite import Result


class BaselineError(ValueError):
    """A file that is no baseline: the message names the file and the entry."""


def read(path: Path) -> Mapping[str, str]:
    """Case id -> reason. Raises ``BaselineError``, ``OSError``."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, UnicodeDecodeError) as error:
        raise BaselineError(f"{path}: not JSON: {error}") from error
    if not isinstance(entries, dict):
        raise BaselineError(f"{path}: not an object from case ids to reasons")
    for id_, reason in entries.items():
        if not isinstance(reason, str) or not reason.strip():
            raise BaselineError(f"{path}: {id_} has no reason")
    return entries


def stale(entries: Mapping[str, str], results: Iterable[Result], known: Iterable[str]) -> dict[str, str]:
    """The entries that are out of date, and why: their case does not fail any longer, or there is no such case."""
    failing = {r.case.id: r.verdict for r in results}
    every = set(known)
    found = {id_: "there is no such case" for id_ in entries if id_ not in every}
    for id_, verdict in failing.items():
        if id_ in entries and verdict is Verdict.PASS:
            found[id_] = "it passes"
    return found
