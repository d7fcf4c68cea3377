"""What passed, as data: one JSON object a frame, with the transitions' ids left to whoever reads the tables."""

from __future__ import annotations

import json
import sys
from typing import Any

from tunnelref.wire import to_json
from tunnelspec.frames import ToClientTunnelMessage, ToServerTunnelMessage


class TraceWriter:
    """Writes a gateway's trace as JSON Lines."""

    def __init__(self, path: str) -> None:
        self.stream = sys.stdout if path == "-" else open(path, "w", encoding="utf-8")  # noqa: SIM115  # closed by close()

    def __call__(self, record: dict[str, Any]) -> None:
        self.stream.write(json.dumps(plain(record), default=str) + "\n")
        self.stream.flush()

    def close(self) -> None:
        if self.stream is not sys.stdout:
            self.stream.close()


def plain(record: dict[str, Any]) -> dict[str, Any]:
    """The record as JSON: links by their runner's key, frames by the wire's names."""
    made = {name: value for name, value in record.items() if name not in ("link", "frame")}
    link, frame = record.get("link"), record.get("frame")
    if link is not None:
        made["runner"], made["link"] = link.runner_key, link.number
    if isinstance(frame, ToClientTunnelMessage | ToServerTunnelMessage):
        made["request"] = frame.requestId.hex()
        made["message_id"] = frame.messageId.hex()
        made["what"] = type(frame.messageKind).__name__
    if frame is not None and record["from"] != "relay":
        made["frame"] = to_json(frame)
    return made
