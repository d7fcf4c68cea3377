"""A gateway and its runners, as the tables have them, talking over links that deliver at once and in order.

Everything from outside (client, router, actor, timers) is told them by a script. What passes over the links is written down as a
recording has it; what each side hears and does, as a run.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from tunnelexport.values import plain
from tunnelexport.vectors.frames import frame_json
from tunnelref.wire import codec
from tunnelref.wire.schema import TO_CLIENT, TO_SERVER
from tunnelspec.endpoint import GATEWAY, RELAY, RUNNER, Endpoint, State
from tunnelspec.events import Free, LinkLost, OnBehalf, Send, SendAck
from tunnelspec.frames import ToClientTunnelMessage, ToServerTunnelMessage, TunnelAck
from tunnelspec.limits import DEFAULT, Limits
from tunnelspec.machine import Received

REQUEST = bytes(range(16))
WIRE = codec(2)


class Side:
    """One endpoint of the request: where it stands, and how it names its messages."""

    def __init__(self, name: str, endpoint: Endpoint, **contexts: Any) -> None:
        self.name, self.endpoint = name, endpoint
        self.state: State = endpoint.start(**contexts)
        self.start = self.state
        self.life = 0
        self.run: list[dict[str, Any]] = []

    def id_of(self, number: int, life: int) -> bytes:
        """The message id of its message of that number, in that life."""
        return f"{self.name}.{life}".encode().ljust(8, b"\0") + number.to_bytes(8, "big")

    def number_of(self, message_id: bytes) -> int:
        """Which of its messages the id names; 0 if none of this life."""
        return int.from_bytes(message_id[8:], "big") if message_id[:8] == self.id_of(0, self.life)[:8] else 0

    def hear(self, event: Any, limits: Limits) -> tuple[Any, ...]:
        """What it puts out on an event."""
        done = self.endpoint.step(self.state, event, limits)
        self.state = done.state
        said = {
            "event": plain(event),
            "takes": [taken.step.transition.id for taken in done.steps],
            "outputs": plain(done.outputs),
            "states": [local.state for local in done.state],
        }
        if Free() in done.outputs and self.endpoint.role == RUNNER.role:  # its next event finds a new entry
            self.state, self.life = self.endpoint.start(), self.life + 1
            said["freed"] = True
        self.run.append(said)
        return done.outputs


class Talk:
    """One request id between a gateway and its runners."""

    def __init__(
        self, gateway: Endpoint = GATEWAY, runner: Endpoint = RUNNER, limits: Limits = DEFAULT, **contexts: Any
    ) -> None:
        self.limits, self.runner_endpoint = limits, runner
        self.gateway = Side("gate", gateway, **contexts)
        self.runners: dict[int, Side] = {}
        self.relays: dict[int, State] = {}
        self.entries: list[dict[str, Any]] = []
        self.wire: dict[int, deque[tuple[Side, Any]]] = {}
        self.now = 0
        self.silent = False  # the links hold back what they carry

    def link(self, number: int) -> None:
        """A runner connects."""
        self.runners[number] = Side(f"run{number}", self.runner_endpoint)
        self.relays[number] = RELAY.start()
        self.wire[number] = deque()
        opened = {"event": "open", "protocol_version": 2, "namespace": "default", "runner_key": f"r{number}"}
        self.entries.append({"time_ms": self.now, "link": number, **opened})

    def to_gateway(self, *events: Any) -> None:
        """The gateway hears these, and what comes of each is delivered before the next."""
        for event in events:
            self._tell(self.gateway, event)

    def to_runner(self, number: int, *events: Any) -> None:
        """The runner on that link hears these, likewise."""
        for event in events:
            self._tell(self.runners[number], event)

    def lose(self, number: int) -> None:
        """A link breaks; what it carried is lost. The relay speaks for the runner."""
        self.wire.pop(number).clear()
        self.entries.append({"time_ms": self.now, "link": number, "event": "close", "code": None, "reason": ""})
        for output in RELAY.step(self.relays.pop(number), LinkLost(number, self.now), self.limits).outputs:
            if isinstance(output, OnBehalf):
                self._tell(self.gateway, Received(output.frame, number, now=self.now))
        self._tell(self.runners[number], LinkLost(number, self.now))

    def settle(self) -> None:
        """Everything that is on its way arrives."""
        while any(self.wire.values()):
            for number, queue in list(self.wire.items()):
                if queue:
                    self._deliver(number, *queue.popleft())

    def _tell(self, side: Side, event: Any) -> None:
        life = side.life
        for output in side.hear(event, self.limits):
            if isinstance(output, Send):
                self._send(side, output.link, side.id_of(output.number, life), output.frame)
            elif isinstance(output, SendAck) and output.message_id:
                self._send(side, output.link, output.message_id, TunnelAck())
        if not self.silent:
            self.settle()

    def _send(self, side: Side, link: int, message_id: bytes, kind: Any) -> None:
        if link not in self.wire:
            return
        down = side is self.gateway
        frame: Any = (ToClientTunnelMessage if down else ToServerTunnelMessage)(REQUEST, message_id, kind)
        data = WIRE.encode_to_client(frame) if down else WIRE.encode_to_server(frame)
        said = frame_json(TO_CLIENT if down else TO_SERVER, frame)
        way = "to-client" if down else "to-server"
        self.entries.append({"time_ms": self.now, "link": link, "way": way, "hex": data.hex(), "frame": said})
        self.wire[link].append((self.runners[link] if down else self.gateway, frame))

    def _deliver(self, link: int, to: Side, frame: Any) -> None:
        kind = frame.messageKind
        if type(kind) in RELAY.listeners:
            self.relays[link] = RELAY.step(self.relays[link], Received(kind, link), self.limits).state
        number = to.number_of(frame.messageId) if isinstance(kind, TunnelAck) else 0
        self._tell(to, Received(kind, link, frame.messageId, number, self.now))
