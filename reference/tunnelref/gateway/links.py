"""A runner's link, seen from the gateway: the link's table, what the relay watches on it, and frames to and from bytes."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any, Protocol

from tunnelref.driver import Driver, Observer
from tunnelref.wire import Codec, WireError
from tunnelspec.endpoint import State
from tunnelspec.events import (
    Admit,
    BadFrame,
    Free,
    HangUp,
    LinkDown,
    LinkLost,
    OnBehalf,
    PassOn,
    Relay,
    Replaced,
    Welcome,
    Withhold,
)
from tunnelspec.frames import (
    ActorStateStopped,
    CommandStartActor,
    CommandStopActor,
    CommandWrapper,
    EventActorIntent,
    EventActorStateUpdate,
    ProtocolMetadata,
    ToClientAckEvents,
    ToClientCommands,
    ToClientInit,
    ToClientKvResponse,
    ToClientTunnelMessage,
    ToServerEvents,
    ToServerInit,
    ToServerKvRequest,
    ToServerTunnelMessage,
)
from tunnelspec.machine import Received

if TYPE_CHECKING:
    from tunnelref.clock import Clock
    from tunnelref.gateway.core import Gateway
    from tunnelref.gateway.directory import Actor
    from tunnelspec.limits import Limits


class LinkSocket(Protocol):
    """What a link needs of its socket; both calls return at once."""

    def send(self, data: bytes) -> None: ...

    def close(self, code: int, reason: str) -> None: ...


def token_matches(expected: str | None, given: str | None) -> bool:
    """Whether the runner may join; compared in constant time."""
    return expected is None or hmac.compare_digest(expected.encode(), (given or "").encode())


class Link(Driver):
    """One runner's socket."""

    __slots__ = ("actors", "admitted", "codec", "events_seen", "gateway", "init", "last_command", "namespace", "number",
                 "relay", "runner_key", "socket", "watched")  # fmt: skip

    def __init__(
        self,
        gateway: Gateway,
        number: int,
        socket: LinkSocket,
        codec: Codec,
        namespace: str,
        runner_key: str,
        clock: Clock,
        limits: Limits,
        observe: Observer,
    ) -> None:
        super().__init__(gateway.tables.link_gateway, clock, limits, observe)
        self.gateway = gateway
        self.relay = gateway.tables.relay
        self.number = number
        self.socket = socket
        self.codec = codec
        self.namespace = namespace
        self.runner_key = runner_key
        self.init: ToServerInit | None = None
        self.admitted = False
        self.actors: set[str] = set()
        self.watched: dict[bytes, State] = {}  # request id -> where the relay stands
        self.last_command = -1
        self.events_seen = -1

    def takes(self, actor: Actor) -> bool:
        """Whether the actor may be started over this link."""
        if not self.admitted or self.init is None or self.namespace != actor.namespace:
            return False
        names = dict(self.init.prepopulateActorNames or ())
        return len(self.actors) < self.init.totalSlots and (not names or actor.name in names)

    def command(self, command: CommandStartActor | CommandStopActor) -> None:
        """Send one command to the runner."""
        self.last_command += 1
        self.send(ToClientCommands((CommandWrapper(self.last_command, command),)))

    def send(self, frame: Any) -> None:
        """Send one frame; bytes on a socket that is gone are lost, as on any link."""
        if self.gateway.on_trace is not None:
            self.gateway.trace_frame("gateway", self, frame)
        self.socket.send(self.codec.encode_to_client(frame))

    def send_tunnel(self, request_id: bytes, message_id: bytes, kind: Any) -> None:
        """Send one tunnel message, under the relay's eyes."""
        if type(kind) in self.relay.listeners:
            self._watch(request_id, kind)
        if self.gateway.on_trace is not None:
            self.gateway.trace_frame("gateway", self, ToClientTunnelMessage(request_id, message_id, kind, None))
        self.socket.send(self.codec.encode_tunnel_to_client(request_id, message_id, kind, None))

    def receive(self, data: bytes | str) -> None:
        """One WebSocket frame came from the runner. Never raises: what is no frame is a violation of the link's."""
        now = self.clock.now_ms()
        try:
            frame = self.codec.decode_to_server(data)  # type: ignore[arg-type]  # text is an error like any other
        except WireError as error:
            self.gateway.log("bad_frame", link=self.number, error=str(error))
            self.post(BadFrame(str(error), now))
            return
        if self.gateway.on_trace is not None:
            self.gateway.trace_frame("runner", self, frame)
        if type(frame) is ToServerTunnelMessage:
            self.receive_tunnel(frame, now)
        else:
            if type(frame) is ToServerInit and self.init is None:
                self.init = frame
            self.post(Received(frame, self.number, now=now))

    def receive_tunnel(self, message: ToServerTunnelMessage, now: int) -> None:
        """One tunnel message for one request."""
        if not self.init:
            self.post(BadFrame("ToServerTunnelMessage before ToServerInit", now))
            return
        if type(message.messageKind) in self.relay.listeners:
            self._watch(message.requestId, message.messageKind)
        self.gateway.receive(self, message, now)

    def _watch(self, request_id: bytes, kind: Any) -> None:
        relay = self.relay
        state = self.watched.get(request_id, relay.start())
        result = relay.step(state, Received(kind, self.number), self.limits)
        if any(type(output) is Free for output in result.outputs):
            self.watched.pop(request_id, None)
        else:
            self.watched[request_id] = result.state

    # -- outputs -----------------------------------------------------------------------------------------------------

    def on_Welcome(self, output: Welcome) -> None:
        metadata = ProtocolMetadata(self.limits.lost_threshold_ms)
        self.send(ToClientInit(f"runner-{self.number}", self.events_seen, metadata))
        self.gateway.log("runner_joined", link=self.number, runner=self.runner_key, namespace=self.namespace)

    def on_Admit(self, output: Admit) -> None:
        self.admitted = True  # before another is replaced, so that its clients find this one at once
        for other in list(self.gateway.links.values()):  # one that is replaced leaves them
            if other is not self and (other.namespace, other.runner_key) == (self.namespace, self.runner_key):
                other.post(Replaced(self.clock.now_ms()))

    def on_Withhold(self, output: Withhold) -> None:
        self.admitted = False

    def on_PassOn(self, output: PassOn) -> None:
        frame = output.frame
        if isinstance(frame, ToServerEvents):
            for wrapper in frame.events:
                self.events_seen = wrapper.index
                self._actor_event(wrapper.inner)
            self.send(ToClientAckEvents(self.events_seen))
        elif isinstance(frame, ToServerKvRequest):
            self.send(ToClientKvResponse(frame.requestId, KV_UNSUPPORTED))

    def on_HangUp(self, output: HangUp) -> None:
        self.socket.close(output.code, output.reason)

    def on_Relay(self, output: Relay) -> None:
        relay, watched, self.watched = self.relay, self.watched, {}
        self.gateway.directory.lost(self)
        for request_id, state in watched.items():
            for said in relay.step(state, LinkLost(self.number, output.now), self.limits).outputs:
                if isinstance(said, OnBehalf):
                    self.gateway.deliver(request_id, Received(said.frame, self.number, now=said.now), self)

    def on_Free(self, output: Free) -> None:
        self.stop_timers()
        self.gateway.links.pop(self.number, None)
        self.gateway.log("runner_gone", link=self.number, runner=self.runner_key)

    def held_up(self, yes: bool) -> None:
        """Its socket takes no more for now, or does so again: its clients wait, or go on."""
        if yes:
            self.gateway.congested.setdefault(self.number, set())
        else:
            for client in self.gateway.congested.pop(self.number, ()):
                client.resume()

    def down(self) -> None:
        """The socket is closed."""
        self.held_up(False)
        self.post(LinkDown(self.clock.now_ms()))

    def _actor_event(self, event: Any) -> None:
        directory = self.gateway.directory
        if isinstance(event, EventActorIntent):
            directory.intends_to_sleep(self, event.actorId, event.generation)
        elif isinstance(event, EventActorStateUpdate) and isinstance(event.state, ActorStateStopped):
            directory.stopped(self, event.actorId, event.generation)


KV_UNSUPPORTED = (
    b"\x00" + bytes([len(b"key-value requests are not supported")]) + b"key-value requests are not supported"
)
"""KvResponseData's first member, KvErrorResponse { message str }."""
