"""From the gateway's trace to the steps of a sequence diagram."""

from __future__ import annotations

from collections.abc import Iterable

from tunnelcli.demo.cast import Record
from tunneldraw.sequence import Lane, Message, StateChange, Step

LANES = (
    Lane("client", "client"),
    Lane("gateway", "gateway"),
    Lane("runner-a", "runner a"),
    Lane("runner-b", "runner b"),
)
BELOW = ("ToServerPing", "ToServerInit", "ToClientInit", "ToServerAckCommands", "ToClientAckEvents")
"""Frames of the link itself that say nothing about a client."""


class Scribe:
    """Writes down what happened."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self._began: int | None = None
        self._clients: list[str] = []  # request ids, in the order in which they came

    def add(self, step: Step) -> Step:
        self.steps.append(step)
        return step

    def hear(self, party: str, record: Record) -> Iterable[Step]:
        """The steps that a record makes; only the gateway's trace makes any."""
        if party != "gateway" or "what" not in record or record["what"] in BELOW:
            return
        if record["what"] == "state":
            for change in record["changes"]:
                if change["machine"] in ("connection", "hibernation"):
                    yield self.add(
                        StateChange("gateway", change["machine"], change["before"], change["after"], change["rule"])
                    )
            return
        if self._began is None:
            self._began = record["at_ms"]
        source, target = (self._lane(record[end], record) for end in ("from", "to"))
        yield self.add(Message(source, target, self._label(record), time_ms=record["at_ms"] - self._began))

    def _label(self, record: Record) -> str:
        request = record.get("request")
        if request is not None and request not in self._clients:
            self._clients.append(request)
        second = request is not None and self._clients.index(request) > 0
        return ("#2 " if second else "") + label(record)

    def _lane(self, end: str, record: Record) -> str:
        return str(record["runner"]) if end == "runner" else "gateway" if end == "relay" else end


def label(record: Record) -> str:
    """What passed, in a few words."""
    what = str(record["what"])
    frame = record.get("frame", {})
    (outer,) = frame.values() if frame else ({},)
    kind = outer.get("messageKind", {}) if isinstance(outer, dict) else {}
    fields: dict[str, object] = next(iter(kind.values()), {}) if isinstance(kind, dict) else {}
    said = [
        f"{name} {fields[name]}" for name in ("index", "lastMsgIndex", "retry", "code") if fields.get(name) is not None
    ]
    said += [f"{name} {record[name]}" for name in ("size", "code") if record.get(name) is not None]
    if what == "ToClientCommands":
        (command,) = outer[0]["inner"] if isinstance(outer, list) else outer["commands"][0]["inner"]
        return str(command)
    return f"{what} {', '.join(said)}".strip()
