"""@rivetkit/bare-ts, the production runner's library, with a schema of its own, reads our bytes and writes the same.

Needs node and ``npm install`` in ``tests/node`` (``@rivetkit/bare-ts``, ``@bare-ts/tools``); skipped without.
"""

from __future__ import annotations

import json
import random
import subprocess
from pathlib import Path
from typing import Any

from tests.strategies import DIRECTIONS, random_value, union
from tunnelexport.vectors.frames_by_hand import VECTORS
from tunnelref.wire import codec, to_json

HERE = Path(__file__).parent
NODE = HERE.parents[1] / "node"
FRAMES = 2000

# What version 1 does not carry: the script, which knows nothing of defaults, does not show it.
NOT_IN_VERSION_1 = {"index", "canHibernate", "lastMsgIndex", "retry"}


def ask(requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the library makes of these bytes: see ``bare_check.mjs``."""
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    command = ["node", str(NODE / "bare_check.mjs"), str(HERE)]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def _theirs(json_: Any) -> Any:
    """Their JSON in our form: big integers as numbers, enum members in the wire's capitals."""
    if isinstance(json_, dict):
        if json_.keys() == {"i64"}:
            return int(json_["i64"])
        return {
            key: value.upper() if key == "code" and isinstance(value, str) else _theirs(value)
            for key, value in json_.items()
        }
    return [_theirs(item) for item in json_] if isinstance(json_, list) else json_


def _ours(json_: Any, version: int, parent: str = "") -> Any:
    """Our JSON without what the version does not carry."""
    if isinstance(json_, dict):
        carried = NOT_IN_VERSION_1 if version == 1 and "WebSocket" in parent else set()
        return {key: _ours(value, version, key) for key, value in json_.items() if key not in carried}
    return [_ours(item, version) for item in json_] if isinstance(json_, list) else json_


def test_same_bytes_and_same_meaning() -> None:
    rng = random.Random(1)
    cases = [(v.direction, version, v.value, v.data) for v in VECTORS for version in v.versions]
    for n in range(FRAMES):
        direction, version = DIRECTIONS[n % 2], 1 + n // 2 % 2
        frames = union(direction, version)
        frame = random_value(rng.choice((frames, frames.members[-1])), rng)
        cases.append((direction, version, frame, getattr(codec(version), f"encode_{direction}")(frame)))
    cases = [case for case in cases if "Kv" not in type(case[2]).__name__]
    names = {"to_server": "ToServer", "to_client": "ToClient"}
    answers = ask([{"version": v, "union": names[way], "hex": data.hex()} for way, v, _, data in cases])
    assert len(answers) == len(cases)
    for (_, version, frame, data), answer in zip(cases, answers, strict=True):
        assert "error" not in answer, (answer, frame)
        assert answer["hex"] == data.hex(), frame
        assert _theirs(answer["json"]) == _ours(to_json(frame), version), frame


def test_the_script_refuses_what_is_no_frame() -> None:
    [answer] = ask([{"version": 2, "union": "ToServer", "hex": "0405"}])
    assert "error" in answer
