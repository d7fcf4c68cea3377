"""What was derived before: cases are a function of the code that derives them, and finding them takes seconds.

A file a derivation, named by a hash of that code and of what it was asked; in ``$XDG_CACHE_HOME/tunnelspec``, by default
``~/.cache/tunnelspec``. A file that cannot be read or written is as good as none.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

from tunnelconform.cases import Case
from tunnelconform.conversation import from_json, to_json
from tunnelspec import machine

Derived = tuple[tuple[Case, ...], Mapping[str, str]]
"""Cases, and the transitions that none of them takes with the reason."""


def remembered(name: str, asked: object, derive: Callable[[], Derived], folder: Path | None = None) -> Derived:
    """What ``derive`` finds when asked that (anything whose ``repr`` tells it from other questions); found once."""
    digest = hashlib.sha256(f"{code()} {asked!r}".encode()).hexdigest()[:24]
    path = (folder or home()) / f"{name}-{digest}.json"
    with suppress(OSError, ValueError, KeyError, TypeError):
        return _read(path.read_text(encoding="utf-8"))
    found = derive()
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}")
        draft.write_text(_written(found), encoding="utf-8")
        draft.replace(path)  # whoever reads it meanwhile reads a whole one
    return found


def home() -> Path:
    """Where files are kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tunnelspec"


@cache
def code() -> str:
    """A hash of all code that has a part in a derivation: the specification's, and the suite's own."""
    digest = hashlib.sha256()
    for folder in (Path(machine.__file__).parent, Path(__file__).parent):
        for path in (*sorted(folder.glob("*.py")), *sorted(folder.glob("*.json"))):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _written(derived: Derived) -> str:
    cases, unreached = derived
    listed = [
        {"id": case.id, "conversation": to_json(case.conversation), "goal": sorted(case.goal), "says": case.says}
        for case in cases
    ]
    return json.dumps({"cases": listed, "unreached": dict(unreached)})


def _read(text: str) -> Derived:
    told = json.loads(text)
    cases = (Case(c["id"], from_json(c["conversation"]), frozenset(c["goal"]), c["says"]) for c in told["cases"])
    return tuple(cases), told["unreached"]
