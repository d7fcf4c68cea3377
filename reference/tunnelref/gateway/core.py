"""The gateway without its sockets: in-flight entries by request id, links by number, and what runs between them.

Everything the protocol says is in the tables; this module moves their outputs to where they belong.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Protocol

from tunnelref.clock import Clock
from tunnelref.driver import Driver, Observer, ignore
from tunnelref.gateway.directory import Actor, Directory
from tunnelref.gateway.links import Link, LinkSocket
from tunnelref.messageid import message_id, new_house, new_prefix, number_of
from tunnelref.metrics import GatewayMetrics
from tunnelref.wire import Codec
from tunnelspec.compiled import Outcome, Path
from tunnelspec.compiled.forms import maker
from tunnelspec.connection import Connection
from tunnelspec.endpoint import TABLES, Endpoint, State, Tables
from tunnelspec.events import (
    ActorStarted,
    ClientClosed,
    ClientConnected,
    ClientMessage,
    CloseClient,
    Collect,
    Deliver,
    Free,
    LinkUp,
    ReadClient,
    RequestBegun,
    RequestBody,
    RequestDropped,
    Resolve,
    Respond,
    RespondAbort,
    RespondBody,
    RouteFailed,
    RouteFound,
    Send,
    SendAck,
)
from tunnelspec.frames import (
    Headers,
    ToClientRequestStart,
    ToClientWebSocketOpen,
    ToServerTunnelMessage,
    TunnelAck,
)
from tunnelspec.limits import Limits
from tunnelspec.machine import Received, Violation

Log = Callable[..., None]
FRAME_OVERHEAD = 38  # bytes of a ToClientWebSocketMessage's frame besides its data and the data's length
TUNNEL_ACK = TunnelAck()
_client_message = maker(ClientMessage)
_received = maker(Received)


class ClientSocket(Protocol):
    """What an entry needs of its client's WebSocket; every call returns at once."""

    def read(self) -> None:
        """Begin to read the client's messages."""

    def pause(self) -> None:
        """Read no more for now: the client's own writes will wait."""

    def resume(self) -> None:
        """Go on reading."""

    def send(self, data: bytes, binary: bool) -> None: ...

    def close(self, code: int, reason: str) -> None: ...


class HttpClient(Protocol):
    """What an entry needs of its client's HTTP exchange."""

    def read(self) -> None:
        """Begin to read the request's body."""

    def respond(self, status: int, headers: Headers, body: bytes, stream: bool) -> None: ...

    def respond_body(self, data: bytes, finish: bool) -> None: ...

    def abort(self) -> None: ...


def frame_size(data: bytes) -> int:
    """What a client message takes on the wire, in bytes."""
    size = len(data)
    return FRAME_OVERHEAD + size + (1 if size < 1 << 7 else 2 if size < 1 << 14 else 3 if size < 1 << 21 else 5)


class Entry(Driver):
    """What the gateway keeps for one request id."""

    __slots__ = ("actor_id", "gateway", "namespace", "prefix", "request_id")

    def __init__(self, gateway: Gateway, endpoint: Endpoint, namespace: str, actor_id: str, **contexts: Any) -> None:
        super().__init__(endpoint, gateway.clock, gateway.limits, gateway.observe, **contexts)
        self.gateway = gateway
        self.namespace = namespace
        self.actor_id = actor_id
        self.request_id = gateway.new_request_id()
        self.prefix = new_prefix(gateway.house)

    def on_Resolve(self, output: Resolve) -> None:
        self.gateway.directory.resolve(self.namespace, self.actor_id, self._routed)

    def _routed(self, link: Link | None) -> None:
        now = self.clock.now_ms()
        self.post(RouteFailed(now) if link is None else RouteFound(link.number, now))

    def on_Send(self, output: Send) -> None:
        link = self.gateway.links.get(output.link)
        if link is not None:
            link.send_tunnel(self.request_id, message_id(self.prefix, output.number), output.frame)

    def on_SendAck(self, output: SendAck) -> None:
        link = self.gateway.links.get(output.link)
        if link is not None and output.message_id:  # what the relay said on a runner's behalf has no id to ack
            link.send_tunnel(self.request_id, output.message_id, TUNNEL_ACK)

    def on_Free(self, output: Free) -> None:
        self.stop_timers()
        self.gateway.entries.pop(self.request_id, None)

    def on_Violation(self, output: Violation) -> None:
        self.gateway.log("violation", request=self.request_id.hex(), rule=output.rule)


class SocketEntry(Entry):
    """A client's WebSocket."""

    __slots__ = ("client",)

    def __init__(self, gateway: Gateway, namespace: str, client: ClientSocket, frame: ToClientWebSocketOpen) -> None:
        super().__init__(gateway, gateway.tables.gateway, namespace, frame.actorId, connection=Connection(open=frame))
        self.client = client

    def message(self, data: bytes, binary: bool) -> None:
        """The client sent a message."""
        gateway = self.gateway
        if gateway.on_trace is not None:
            gateway.trace("client", "gateway", "message", self, size=len(data))
        total = gateway.metrics.pending_bytes
        self.post(_client_message(data, binary, frame_size(data), total, self.clock.now_ms()))
        if gateway.congested:
            self._wait()

    def _wait(self) -> None:
        """Whose link is held up reads no more: what a slow runner does not take stays with the clients, not in our memory."""
        waiting = self.gateway.congested.get(self.local("connection").context.link)
        if waiting is not None:
            waiting.add(self.client)
            self.client.pause()

    def closed(self, code: int | None, reason: str | None) -> None:
        """The client's socket is gone."""
        self.gateway.trace("client", "gateway", "close", self, code=code, reason=reason)
        self.post(ClientClosed(code, reason, self.clock.now_ms()))

    def on_ReadClient(self, output: ReadClient) -> None:
        self.client.read()

    def on_Deliver(self, output: Deliver) -> None:
        if self.gateway.on_trace is not None:
            self.gateway.trace("gateway", "client", "message", self, size=len(output.data))
        self.client.send(output.data, output.binary)

    def on_CloseClient(self, output: CloseClient) -> None:
        self.gateway.trace("gateway", "client", "close", self, code=output.code, reason=output.reason)
        self.client.close(output.code, output.reason)


class HttpEntry(Entry):
    """A client's HTTP request."""

    __slots__ = ("client",)

    def __init__(self, gateway: Gateway, namespace: str, client: HttpClient, actor_id: str) -> None:
        super().__init__(gateway, gateway.tables.http_gateway, namespace, actor_id)
        self.client = client

    def body(self, data: bytes, finish: bool) -> None:
        """More of the request's body."""
        self.post(RequestBody(data, finish, self.clock.now_ms()))

    def dropped(self) -> None:
        """The client went away."""
        self.post(RequestDropped(self.clock.now_ms()))

    def on_ReadClient(self, output: ReadClient) -> None:
        self.client.read()

    def on_Respond(self, output: Respond) -> None:
        self.client.respond(output.status, output.headers, output.body, output.stream)

    def on_RespondBody(self, output: RespondBody) -> None:
        self.client.respond_body(output.data, output.finish)

    def on_RespondAbort(self, output: RespondAbort) -> None:
        self.client.abort()


def _no_log(event: str, **fields: Any) -> None:
    """The log that nobody reads."""


class Gateway:
    """All entries and links of one gateway. ``log`` gets structured records, ``on_trace`` every frame that passes.

    It runs ``tables``: other than the specification's only to test what tests it.
    """

    def __init__(
        self,
        clock: Clock,
        limits: Limits,
        log: Log = _no_log,
        on_trace: Callable[[dict[str, Any]], None] | None = None,
        observer: Observer = ignore,
        tables: Tables = TABLES,
    ) -> None:
        self.clock = clock
        self.limits = limits
        self.log = log
        self.on_trace = on_trace
        self.observer = observer
        self.tables = tables
        self.house = new_house()
        self.entries: dict[bytes, Entry] = {}
        self.links: dict[int, Link] = {}
        self.congested: dict[int, set[ClientSocket]] = {}  # a link that is held up -> the clients that wait for it
        self.metrics = GatewayMetrics(tables.gateway)
        self.directory = Directory(lambda: self.links.values(), self.actor_started)
        self._links_made = 0
        self._schedule_collection()

    # -- clients -----------------------------------------------------------------------------------------------------

    def new_request_id(self) -> bytes:
        """What names one client's socket or request, for its whole life."""
        return os.urandom(16)

    def connect(self, client: ClientSocket, namespace: str, actor_id: str, path: str, headers: Headers) -> SocketEntry:
        """A client's upgrade was accepted."""
        entry = SocketEntry(self, namespace, client, ToClientWebSocketOpen(actor_id, path, headers))
        self.entries[entry.request_id] = entry
        self.trace("client", "gateway", "connect", entry)
        entry.post(ClientConnected())
        return entry

    def request(self, client: HttpClient, namespace: str, frame: ToClientRequestStart) -> HttpEntry:
        """A client's HTTP request."""
        entry = HttpEntry(self, namespace, client, frame.actorId)
        self.entries[entry.request_id] = entry
        entry.post(RequestBegun(frame))
        return entry

    # -- links -------------------------------------------------------------------------------------------------------

    def join(self, socket: LinkSocket, codec: Codec, namespace: str, runner_key: str) -> Link:
        """A runner's socket is open."""
        self._links_made += 1
        link = Link(self, self._links_made, socket, codec, namespace, runner_key, self.clock, self.limits, self.observe)
        self.links[link.number] = link
        link.post(LinkUp(self.clock.now_ms()))
        return link

    def receive(self, link: Link, message: ToServerTunnelMessage, now: int) -> None:
        """One tunnel message came over a link."""
        entry = self.entries.get(message.requestId)
        if entry is None:
            self.log("unknown_request", link=link.number, request=message.requestId.hex())
            return
        kind = message.messageKind
        number = number_of(entry.prefix, message.messageId) if type(kind) is TunnelAck else 0
        entry.post(_received(kind, link.number, message.messageId, number, now))

    def deliver(self, request_id: bytes, event: Received[Any], link: Link) -> None:
        """The relay speaks for a runner that is lost."""
        entry = self.entries.get(request_id)
        if entry is not None:
            self.trace("relay", "gateway", type(event.frame).__name__, entry, frame=event.frame)
            entry.post(event)

    # -- housekeeping ------------------------------------------------------------------------------------------------

    def observe(self, driver: Driver, before: State, event: Any, outcome: Outcome) -> None:
        """See what an event did: metrics here, and whoever else looks."""
        if type(driver) is SocketEntry:
            self.metrics.see(before, event, outcome)
            if self.on_trace is not None and outcome[2].moves:
                self._trace_states(driver, outcome[2])
        if self.observer is not ignore:
            self.observer(driver, before, event, outcome)

    def metrics_text(self) -> str:
        """The metrics, in Prometheus' text format."""
        sockets = ((id_.hex(), entry.state) for id_, entry in self.entries.items() if type(entry) is SocketEntry)
        return self.metrics.text(sockets, len(self.links))

    def trace_frame(self, source: str, link: Link, frame: Any) -> None:
        """A frame passes a link."""
        self.trace(
            source, "runner" if source == "gateway" else "gateway", type(frame).__name__, None, link=link, frame=frame
        )

    def trace(self, source: str, target: str, what: str, entry: Entry | None, **fields: Any) -> None:
        """One line of the conversation, as data."""
        if self.on_trace is None:
            return
        request = entry.request_id.hex() if entry is not None else None
        self.on_trace(
            {"at_ms": self.clock.now_ms(), "from": source, "to": target, "what": what, "request": request, **fields}
        )

    def _trace_states(self, entry: Entry, path: Path) -> None:
        changes = [
            {"machine": machine.name, "before": source, "after": target, "rule": transition.id}
            for machine, source, transition, target in path.steps
            if source != target
        ]
        self.trace("gateway", "gateway", "state", entry, changes=changes)

    def actor_started(self, actor: Actor) -> None:
        """The directory let an actor start: its sleeping sockets have a cause to wake."""
        now = self.clock.now_ms()
        for entry in list(self.entries.values()):
            if type(entry) is SocketEntry and (entry.namespace, entry.actor_id) == (actor.namespace, actor.id):
                entry.post(ActorStarted(now))

    def _schedule_collection(self) -> None:
        self.clock.call_later(self.limits.gc_interval_ms, self.collect)

    def collect(self) -> None:
        """Look for what is overdue, and for what is too old, in each client's entry; and again after a while."""
        now = self.clock.now_ms()
        for entry in list(self.entries.values()):
            entry.post(Collect(now))
        self._schedule_collection()


__all__ = ["ClientSocket", "Entry", "Gateway", "HttpClient", "HttpEntry", "SocketEntry", "frame_size"]
