"""What is committed of the page: not its megabytes, which change with every line of the tables, but the digests of what is in it.

A digest is of a world's contents, before they are compressed, so that it does not depend on how well a machine's zlib compresses.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tunnelexplore.page import Packed, page
from tunnelexplore.tours import Tour

FORMAT, VERSION = "tunnelspec-explorer", 1
FILE = Path(__file__).resolve().parent.parent / "digests.json"


def digests(packed: Packed, tours: Sequence[Tour]) -> dict[str, str]:
    """Part of the page -> its digest: each world, and under ``page`` all else."""
    rest = page({key: (place, digest, b"") for key, (place, digest, _) in packed.items()}, tours)
    return {
        "page": hashlib.sha256(rest.encode()).hexdigest(),
        **{key: digest for key, (_, digest, _) in packed.items()},
    }


def text(found: Mapping[str, str], size: int) -> str:
    """The file's content. ``bytes``, the whole page's size where it was made, is for information."""
    return json.dumps({"format": FORMAT, "version": VERSION, "bytes": size, "sha256": dict(found)}, indent=1) + "\n"


def stale(path: Path, found: Mapping[str, str]) -> tuple[str, ...]:
    """The parts that differ from the committed file: changed, missing there, or no longer in the page."""
    try:
        raw: Any = json.loads(path.read_text(encoding="utf-8"))
        known = dict(raw["sha256"]) if raw["format"] == FORMAT and raw["version"] == VERSION else {}
    except (OSError, ValueError, KeyError, TypeError):
        known = {}
    return tuple(sorted(key for key in {*known, *found} if known.get(key) != found.get(key)))
