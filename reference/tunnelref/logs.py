"""Structured logs: one JSON object a line, on standard error; a token never gets there, for nobody passes one in."""

from __future__ import annotations

import json
import sys
import time
from typing import Any, TextIO


class JsonLog:
    """A log function: ``log("runner_joined", link=1)``."""

    def __init__(self, party: str, stream: TextIO | None = None) -> None:
        self.party = party
        self.stream = stream or sys.stderr

    def __call__(self, event: str, **fields: Any) -> None:
        record = {"time": round(time.time(), 3), "party": self.party, "event": event, **fields}
        self.stream.write(json.dumps(record, default=str) + "\n")
        self.stream.flush()
