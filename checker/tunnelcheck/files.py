"""Traces as files: what was explored, with which tables, and the actions. ``tunnelspec replay`` reads them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from tunnelcheck.scenarios import WORLDS
from tunnelspec.limits import Limits
from tunnelspec.system import Bounds

FORMAT, VERSION = "tunnelspec-trace", 1


class TraceError(ValueError):
    """A file that is not a trace: the message names the file and what is wrong with it."""


@dataclass(frozen=True)
class Trace:
    """A trace, and the world that it is a trace of."""

    bounds: Bounds
    deviations: tuple[str, ...]
    property: str  # "" if it shows none
    actions: tuple[str, ...]
    world: str = "socket"  # which kind of world

    def to_json(self) -> str:
        """As JSON; bounds that are as by default are left out."""
        known = {f.name: getattr(Bounds(), f.name) for f in fields(Bounds)}
        bounds = {k: v for k, v in ((f.name, getattr(self.bounds, f.name)) for f in fields(Bounds)) if v != known[k]}
        bounds["limits"] = asdict(self.bounds.limits)
        return json.dumps(
            {
                "format": FORMAT,
                "version": VERSION,
                "property": self.property,
                "deviations": self.deviations,
                **({} if self.world == "socket" else {"world": self.world}),
                "bounds": bounds,
                "actions": self.actions,
            },
            indent=1,
        )


def read(path: Path) -> Trace:
    """A trace from its file. Raises ``TraceError``, and ``OSError``."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise TraceError(f"{path}: not JSON: {error}") from error
    if not isinstance(raw, Mapping) or raw.get("format") != FORMAT:
        raise TraceError(f'{path}: not a trace: its "format" is not {FORMAT!r}')
    if raw.get("version") != VERSION:
        raise TraceError(f"{path}: version {raw.get('version')!r}; this program reads version {VERSION}")
    try:
        bounds = dict(raw["bounds"])
        limits = Limits(**bounds.pop("limits", {}))
        return Trace(
            Bounds(limits=limits, **bounds),
            _words(raw["deviations"]),
            str(raw["property"]),
            _words(raw["actions"]),
            _world(raw.get("world", "socket")),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise TraceError(f"{path}: {error}") from error


def _world(value: Any) -> str:
    if value not in WORLDS:
        raise TypeError(f"there is no world of the kind {value!r}")
    return str(value)


def _words(value: Any) -> tuple[str, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str) or not all(isinstance(word, str) for word in value):
        raise TypeError(f"a list of words was expected, not {value!r}")
    return tuple(value)
