"""The page as one file: the sources of ``web/``, the pictures, what the page knows of the tables, and the worlds, packed."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib.resources import files
from typing import Any

from tunneldraw.svg import dark_style, plain_style
from tunnelexplore.atlas import AS_MERGED, Place, places
from tunnelexplore.pictures import drawn, shown
from tunnelexplore.tours import Tour
from tunnelexplore.world import Way, build
from tunnelspec.deviations import DEVIATIONS
from tunnelspec.endpoint import GATEWAY, RUNNER
from tunnelspec.properties import PROPERTIES

WEB = files("tunnelexplore") / "web"
SCRIPTS = (
    "data.js", "dom.js", "session.js", "steps.js", "properties.js", "sequence.js", "parts.js", "pictures.js", "goals.js", "tour.js",
    "keys.js", "main.js",
)  # fmt: skip
"""The page's modules, each after those that it imports."""

MOST_BYTES = 6_000_000
"""What the page may have: it is sent by mail, and opened on telephones."""


class TooLarge(ValueError):
    """The page has more than ``MOST_BYTES``."""


Report = Callable[[int, int, str], None]
Packed = Mapping[str, tuple[Place, str, bytes]]


def pack(place: Place, ways: Sequence[Way]) -> tuple[str, bytes]:
    """A world's digest, and its bytes: the digest is of what is in it, not of how it was compressed."""
    world = build(place, ways).packed()
    return hashlib.sha256(world).hexdigest(), zlib.compress(world, 9)


def pack_all(
    tours: Sequence[Tour], only: Sequence[Place] = (), report: Report = lambda done, total, key: None, workers: int = 0
) -> Packed:
    """All worlds of the page, or ``only`` these and those of the tours, on the processors there are."""
    ways: dict[Place, list[Way]] = {place: [] for place in (only or places())}
    for tour in tours:
        for place, way in tour.legs:
            ways.setdefault(place, []).append(way)
    packed: dict[str, tuple[Place, str, bytes]] = {}
    with ProcessPoolExecutor(max_workers=workers or os.cpu_count()) as pool:
        running = {place: pool.submit(pack, place, found) for place, found in ways.items()}
        for done, (place, future) in enumerate(running.items(), 1):
            packed[place.key] = (place, *future.result())
            report(done, len(running), place.key)
    return packed


def page(packed: Packed, tours: Sequence[Tour]) -> str:
    """The whole page. The same tables give the same bytes. Raises ``TooLarge``, and ``tunneldraw.svg.Undrawable``."""
    parts = {
        "style": _source("style.css") + plain_style(),
        "dark": _source("dark.css") + dark_style(),
        "theme": _source("theme.js"),
        "script": script(),
        "pictures": "".join(f'<template id="drawing {id_}">{svg}</template>' for id_, svg in drawn(shown()).items()),
        "atlas": _json(atlas((place for place, _, _ in packed.values()), tours)),
        "worlds": "\n".join(
            f'<script type="text/plain" id="world {key}">{base64.b64encode(data).decode()}</script>'
            for key, (_, _, data) in packed.items()
        ),
        "stamp": f"{len(packed)} worlds.",
    }
    made = re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], _source("page.html"))
    if (size := len(made.encode())) > MOST_BYTES:
        raise TooLarge(
            f"the page has {size:,} bytes, and may have {MOST_BYTES:,}: take out worlds (tunnelexplore.atlas)"
        )
    return made


IMPORT = re.compile(r'^import \{ (.*) \} from "\./(.*)"$', re.MULTILINE)
EXPORT = re.compile(r"^export ((?:async )?(?:function|const|class) (\w+))", re.MULTILINE)


def script() -> str:
    """The modules as one: each a function that gives what it exports to those after it."""
    parts = ["const modules = {}"]
    for name in SCRIPTS:
        source = _source(name)
        names = ", ".join(match[2] for match in EXPORT.finditer(source))
        body = EXPORT.sub(r"\1", IMPORT.sub(r'const { \1 } = modules["\2"]', source))
        parts.append(f'modules["{name}"] = await (async () => {{\n{body}\nreturn {{ {names} }}\n}})()')
    return "\n".join(parts)


def atlas(on_page: Iterable[Place], tours: Iterable[Tour]) -> dict[str, Any]:
    """What the page knows beside the worlds: all of it said by the tables."""
    machines = (*GATEWAY.machines, *RUNNER.machines)
    return {
        "machines": [
            {"id": m.id, "name": m.name, "role": m.role.value, "says": m.says,
             "states": [{"name": s.name, "kind": s.kind.value, "says": s.says} for s in m.states]}
            for m in machines
        ],
        "rules": {t.id: {"says": t.says, "verdict": t.verdict.value} for m in machines for t in m.transitions},
        "properties": [{"id": p.id, "says": p.says, "scope": p.scope.value} for p in PROPERTIES],
        "deviations": [
            {"id": AS_MERGED, "says": "All that the merged code does, at once.", "merged": True},
            *({"id": d.id, "says": d.says, "merged": d.merged} for d in DEVIATIONS.values()),
        ],
        "worlds": [
            {"key": p.key, "world": p.world, "deviation": p.deviation, "says": p.scenario.says} for p in on_page
        ],
        "tours": [tour.to_json() for tour in tours],
    }  # fmt: skip


def _source(name: str) -> str:
    return (WEB / name).read_text(encoding="utf-8")


def _json(value: Any) -> str:
    """JSON that may stand in a script element."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
