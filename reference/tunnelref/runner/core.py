"""The runner without its socket: adapters by request id, actors by id, and the one link that carries them all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, ClassVar, Protocol

from tunnelref.clock import Clock
from tunnelref.driver import Driver, Observer, ignore
from tunnelref.messageid import message_id, new_house, new_prefix, number_of
from tunnelref.runner.actor import Actor, Request, Response
from tunnelref.runner.hosted import Hosted, Spawn
from tunnelref.runner.store import Fenced, Store
from tunnelref.wire import Codec, WireError
from tunnelspec.endpoint import TABLES, Endpoint, Tables
from tunnelspec.events import (
    ActorAccepts,
    ActorCloses,
    ActorFails,
    ActorListens,
    ActorRefuses,
    ActorResponds,
    ActorResponseBody,
    ActorSends,
    ActorStops,
    AskActor,
    BadFrame,
    CallActor,
    CallBody,
    CancelCall,
    Collect,
    Committed,
    Conclude,
    Concluded,
    Dial,
    Emit,
    Forget,
    Free,
    HangUp,
    Introduce,
    LinkDown,
    LinkLost,
    LinkUp,
    PassOn,
    RedialDue,
    Relay,
    Remember,
    RunnerStops,
    SayStopping,
    Send,
    SendAck,
    SendPing,
    StopActors,
)
from tunnelspec.frames import (
    ActorIntentSleep,
    ActorName,
    ActorStateRunning,
    ActorStateStopped,
    CommandStartActor,
    CommandStopActor,
    Event,
    EventActorIntent,
    EventActorStateUpdate,
    EventWrapper,
    Headers,
    StopCode,
    ToClientCommands,
    ToClientInit,
    ToClientRequestStart,
    ToClientTunnelMessage,
    ToClientWebSocketOpen,
    ToServerAckCommands,
    ToServerEvents,
    ToServerInit,
    ToServerPing,
    ToServerResponseStart,
    ToServerStopping,
    ToServerTunnelMessage,
    TunnelAck,
    canonical_map,
)
from tunnelspec.limits import Limits
from tunnelspec.machine import Received, Violation

Log = Callable[..., None]
TUNNEL_ACK = TunnelAck()
HIBERNATION_SINCE = 2  # the first protocol version that can say so
NO_OPEN = ToClientWebSocketOpen("", "", ())
ACTOR_NOT_FOUND = (1011, "Actor not found")


class RunnerSocket(Protocol):
    """What the link needs of its socket; both calls return at once."""

    def send(self, data: bytes) -> None: ...

    def close(self, code: int, reason: str) -> None: ...


class RunnerEntry(Driver):
    """What the runner keeps for one request id."""

    __slots__ = ("actor_id", "prefix", "request_id", "runner")

    def __init__(self, runner: Runner, endpoint: Endpoint, request_id: bytes, actor_id: str) -> None:
        super().__init__(endpoint, runner.clock, runner.limits, runner.observer)
        self.runner = runner
        self.request_id = request_id
        self.actor_id = actor_id
        self.prefix = new_prefix(runner.house)

    def on_Send(self, output: Send) -> None:
        self.runner.send_tunnel(output.link, self.request_id, message_id(self.prefix, output.number), output.frame)

    def on_SendAck(self, output: SendAck) -> None:
        self.runner.send_tunnel(output.link, self.request_id, output.message_id, TUNNEL_ACK)

    def on_Free(self, output: Free) -> None:
        self.stop_timers()
        self.runner.entries.pop(self.request_id, None)

    def on_Violation(self, output: Violation) -> None:
        self.runner.log("violation", request=self.request_id.hex(), rule=output.rule)


class SocketEntry(RunnerEntry):
    """The adapter of one client's WebSocket."""

    __slots__ = ("headers", "path")

    def __init__(self, runner: Runner, request_id: bytes, frame: ToClientWebSocketOpen = NO_OPEN) -> None:
        super().__init__(runner, runner.tables.runner, request_id, frame.actorId)
        self.path = frame.path
        self.headers: Headers = frame.headers

    # -- the actor's side --------------------------------------------------------------------------------------------

    def actor_sends(self, data: bytes, binary: bool) -> None:
        """The actor sends; it takes effect with the actor's next commit."""
        self._later(lambda: self.post(ActorSends(data, binary, self.clock.now_ms())))

    def actor_closes(self, code: int, reason: str) -> None:
        """The actor closes; it takes effect with the actor's next commit."""
        hosted = self.runner.actors.get(self.actor_id)
        if hosted is not None:
            hosted.close(self, code, reason)

    def closes(self, code: int, reason: str) -> None:
        """The actor's close is durable."""
        self.post(ActorCloses(code, reason, self.clock.now_ms()))

    def committed(self, index: int) -> None:
        """The message's effect is durable."""
        self.post(Committed(index, self.clock.now_ms()))

    def concluded(self) -> None:
        """The socket's end is durable."""
        self.post(Concluded(self.clock.now_ms()))

    def _later(self, effect: Callable[[], None]) -> None:
        hosted = self.runner.actors.get(self.actor_id)
        if hosted is not None:
            hosted.later(effect)

    # -- outputs -----------------------------------------------------------------------------------------------------

    def on_AskActor(self, output: AskActor) -> None:
        self.runner.ask(self)

    def refuse(self) -> None:
        """There is no actor to ask."""
        self.post(ActorRefuses(*ACTOR_NOT_FOUND, self.clock.now_ms()))

    def answer(self, hosted: Hosted) -> None:
        """The actor takes the socket, unless its durable state says that it is closed."""
        now = self.clock.now_ms()
        record = self.runner.store.socket(self.actor_id, self.request_id)
        if record is not None and record.closed:
            self.post(ActorRefuses(1000 if record.code is None else record.code, record.reason or "", now))
        else:
            hibernates = hosted.hibernates and self.runner.codec.version >= HIBERNATION_SINCE
            last = -1 if record is None else record.last
            self.post(ActorAccepts(hibernates, last, record is not None, now))
            self.runner.listen(self)

    def listens(self) -> None:
        """The actor's listener is there."""
        self.post(ActorListens())

    def on_Emit(self, output: Emit) -> None:
        hosted = self.runner.actors.get(self.actor_id)
        if hosted is not None:
            hosted.socket_event(self, output.event)

    def on_Remember(self, output: Remember) -> None:
        self._store(lambda hosted: self.runner.store.remember(self.actor_id, hosted.generation, self.request_id))

    def on_Conclude(self, output: Conclude) -> None:
        hosted = self.runner.actors.get(self.actor_id)
        if hosted is not None:
            hosted.conclude(self, output.code, output.reason)

    def on_Forget(self, output: Forget) -> None:
        self._store(lambda hosted: self.runner.store.forget(self.actor_id, hosted.generation, self.request_id))

    def _store(self, write: Callable[[Hosted], None]) -> None:
        hosted = self.runner.actors.get(self.actor_id)
        if hosted is None:
            return
        try:
            write(hosted)
        except Fenced as error:
            self.runner.fenced(hosted, error)


class HttpEntry(RunnerEntry):
    """One HTTP request."""

    __slots__ = ("_body", "_called", "_sending", "_start")

    def __init__(self, runner: Runner, request_id: bytes, frame: ToClientRequestStart) -> None:
        super().__init__(runner, runner.tables.http_runner, request_id, frame.actorId)
        self._start = frame
        self._body = frame.body or b""
        self._called = False
        self._sending: asyncio.Task[None] | None = None

    def respond(self, response: Response) -> None:
        """The actor's answer is durable."""
        body = response.body
        now = self.clock.now_ms()
        if isinstance(body, bytes):
            head = ToServerResponseStart(response.status, canonical_map(response.headers), body, stream=False)
            self.post(ActorResponds(head, now))
            return
        head = ToServerResponseStart(response.status, canonical_map(response.headers), None, stream=True)
        self.post(ActorResponds(head, now))
        self.runner.spawn(self._send(body))

    async def _send(self, body: AsyncIterator[bytes]) -> None:
        """Send a body as it comes, for as long as somebody waits for it."""
        self._sending = asyncio.current_task()
        try:
            async for piece in body:
                if self.local("request").state != "responding":
                    return
                self.post(ActorResponseBody(piece, False, self.clock.now_ms()))
            self.post(ActorResponseBody(b"", True, self.clock.now_ms()))
        except Exception as error:  # the body's own: what is sent of it is not all
            self.runner.log("body_failed", actor=self.actor_id, error=repr(error))
            self.post(ActorFails(self.clock.now_ms()))

    def on_CallActor(self, output: CallActor) -> None:
        if not output.frame.stream:
            self._call()

    def on_CallBody(self, output: CallBody) -> None:
        self._body += output.data
        if output.finish:
            self._call()

    def on_CancelCall(self, output: CancelCall) -> None:
        """The handler runs on; nobody waits for what it answers."""
        if self._sending is not None:
            self._sending.cancel()

    def _call(self) -> None:
        if self._called:
            return  # more of a body that was complete
        self._called = True
        hosted = self.runner.actors.get(self.actor_id)
        if hosted is None:
            self.post(ActorFails(self.clock.now_ms()))
        else:
            start = self._start
            hosted.request(self, Request(start.method, start.path, start.headers, self._body))


def _no_log(event: str, **fields: Any) -> None:
    """The log that nobody reads."""


class Runner(Driver):
    """One runner: its link's table, its adapters and its actors. ``tables`` as a ``Gateway``'s."""

    hosting: ClassVar[type[Hosted]] = Hosted

    def __init__(
        self,
        clock: Clock,
        limits: Limits,
        store: Store,
        classes: Mapping[str, type[Actor]],
        dial: Callable[[], None],
        spawn: Spawn,
        codec: Codec,
        name: str = "tunnelspec",
        slots: int = 1_000,
        log: Log = _no_log,
        observer: Observer = ignore,
        tables: Tables = TABLES,
    ) -> None:
        super().__init__(tables.link_runner, clock, limits, observer)
        self.tables = tables
        self.house = new_house()
        self.observer = observer
        self.store = store
        self.classes = classes
        self.dial = dial
        self.spawn = spawn
        self.codec = codec
        self.name = name
        self.slots = slots
        self.log = log
        self.entries: dict[bytes, RunnerEntry] = {}
        self.actors: dict[str, Hosted] = {}
        self.socket: RunnerSocket | None = None
        self.number = 0  # of the link that is up now, or was last
        self.gone = False
        self._hangs_up: HangUp | None = None  # how the link is to be closed once the actors have stopped
        self._events: list[EventWrapper] = []  # told, and not yet acked
        self._event_count = 0
        self._last_command: int | None = None
        clock.call_later(limits.runner_gc_interval_ms, self.collect)
        self.post(RedialDue())

    # -- the link ----------------------------------------------------------------------------------------------------

    def up(self, socket: RunnerSocket) -> None:
        """The socket is open."""
        self.socket = socket
        self.number += 1
        self.post(LinkUp(self.clock.now_ms()))

    def down(self) -> None:
        """The socket is closed, or could not be opened."""
        self.socket = None
        self.post(LinkDown(self.clock.now_ms()))

    def stop(self) -> None:
        """Stop the actors, then the link."""
        self.post(RunnerStops(self.clock.now_ms()))

    def receive(self, data: bytes | str) -> None:
        """One WebSocket frame came from the gateway. Never raises."""
        now = self.clock.now_ms()
        try:
            frame = self.codec.decode_to_client(data)  # type: ignore[arg-type]  # text is an error like any other
        except WireError as error:
            self.log("bad_frame", error=str(error))
            self.post(BadFrame(str(error), now))
            return
        if type(frame) is ToClientTunnelMessage:
            self._receive_tunnel(frame, now)
        else:
            self.post(Received(frame, self.number, now=now))

    def send(self, frame: Any) -> None:
        """Send one frame; without a link it is lost, as on any link."""
        if self.socket is not None:
            self.socket.send(self.codec.encode_to_server(frame))

    def send_tunnel(self, link: int, request_id: bytes, message_id_: bytes, kind: Any) -> None:
        """Send one tunnel message, if the link it is meant for is still the one that is up."""
        if link == self.number:
            self.send(ToServerTunnelMessage(request_id, message_id_, kind))

    def _receive_tunnel(self, message: ToClientTunnelMessage, now: int) -> None:
        kind = message.messageKind
        entry = self.entries.get(message.requestId)
        if entry is None:
            entry = self._entry(message.requestId, kind)
        if type(kind) not in entry.endpoint.listeners:
            self.log("wrong_kind", request=message.requestId.hex(), kind=type(kind).__name__)
            return
        number = number_of(entry.prefix, message.messageId) if type(kind) is TunnelAck else 0
        entry.post(Received(kind, self.number, message.messageId, number, now))

    def _entry(self, request_id: bytes, kind: Any) -> RunnerEntry:
        """A new entry; one that nothing opened is not kept, but what came for it is judged by the tables all the same."""
        if type(kind) is ToClientRequestStart:
            entry: RunnerEntry = HttpEntry(self, request_id, kind)
        elif type(kind) is ToClientWebSocketOpen:
            entry = SocketEntry(self, request_id, kind)
        else:
            return SocketEntry(self, request_id)
        self.entries[request_id] = entry
        return entry

    # -- actors ------------------------------------------------------------------------------------------------------

    def intend_to_sleep(self, hosted: Hosted) -> None:
        """Tell the gateway that the actor asks to be stopped."""
        self.tell(EventActorIntent(hosted.id, hosted.generation, ActorIntentSleep()))

    def actor_running(self, hosted: Hosted) -> None:
        """Tell the gateway that the actor runs."""
        self.tell(EventActorStateUpdate(hosted.id, hosted.generation, ActorStateRunning()))

    def actor_stopped(self, hosted: Hosted, code: StopCode, message: str | None) -> None:
        """The actor's life is over: its sockets are closed, then the gateway is told."""
        self._leave(hosted)
        self.tell(EventActorStateUpdate(hosted.id, hosted.generation, ActorStateStopped(code, message)))
        self._hang_up()

    def _leave(self, hosted: Hosted) -> None:
        """Nothing is asked of this life any more."""
        if self.actors.get(hosted.id) is not hosted:
            return
        now = self.clock.now_ms()
        del self.actors[hosted.id]
        for entry in list(self.entries.values()):
            if entry.actor_id == hosted.id:
                entry.post(ActorStops(now))

    def fenced(self, hosted: Hosted, error: Fenced) -> None:
        """A later life of the actor has begun elsewhere: this one is over."""
        self.log("fenced", actor=hosted.id, error=str(error))
        hosted.stop()

    def tell(self, event: Event) -> None:
        """Send an event; it is kept until it is acked, and sent again over the next link."""
        self._events.append(EventWrapper(self._event_count, event))
        self._event_count += 1
        if self.local("link").state in ("ready", "stopping"):
            self.send(ToServerEvents((self._events[-1],)))

    def ask(self, entry: SocketEntry) -> None:
        """Ask the actor whether it takes a socket."""
        hosted = self.actors.get(entry.actor_id)
        if hosted is None:
            entry.refuse()
        else:
            hosted.ask(entry.request_id, lambda: entry.answer(hosted))

    def listen(self, entry: SocketEntry) -> None:
        """The actor listens as soon as it has taken a socket, once."""
        if entry.local("connection").state != "CLOSED" and entry.local("listener").state == "unheard":
            entry.listens()

    def command(self, command: CommandStartActor | CommandStopActor) -> None:
        """Start or stop an actor, as the gateway's directory says."""
        hosted = self.actors.get(command.actorId)
        if isinstance(command, CommandStopActor):
            if hosted is not None and hosted.generation == command.generation:
                hosted.stop()
            return
        if hosted is not None:
            if hosted.generation >= command.generation:
                return
            hosted.stop()  # a life that the gateway took for lost; its handler may hang, and the next does not wait for it
            self._leave(hosted)
        actor_class = self.classes.get(command.config.name)
        if actor_class is None or self.local("link").state == "stopping":
            stopped = ActorStateStopped(StopCode.ERROR, f"this runner does not host {command.config.name!r}")
            self.tell(EventActorStateUpdate(command.actorId, command.generation, stopped))
            return
        hosted = self.hosting(self, actor_class, command.actorId, command.config.key, command.generation)
        self.actors[command.actorId] = hosted
        hosted.start()

    # -- outputs -----------------------------------------------------------------------------------------------------

    def on_Dial(self, output: Dial) -> None:
        self.dial()

    def on_Introduce(self, output: Introduce) -> None:
        names = canonical_map({name: ActorName("{}") for name in self.classes})
        self.send(ToServerInit(self.name, 1, self.slots, self._last_command, names, None))

    def on_PassOn(self, output: PassOn) -> None:
        frame = output.frame
        if isinstance(frame, ToClientInit):
            self._forget_events(frame.lastEventIdx)
            if self._events:
                self.send(ToServerEvents(tuple(self._events)))
        elif isinstance(frame, ToClientCommands):
            for wrapper in frame.commands:
                self._last_command = wrapper.index
                self.command(wrapper.inner)
            if frame.commands:
                self.send(ToServerAckCommands(frame.commands[-1].index))
        else:
            self._forget_events(frame.lastEventIdx)

    def on_SendPing(self, output: SendPing) -> None:
        self.send(ToServerPing(self.clock.unix_ms()))

    def on_SayStopping(self, output: SayStopping) -> None:
        self.send(ToServerStopping())

    def on_StopActors(self, output: StopActors) -> None:
        for hosted in list(self.actors.values()):
            hosted.stop()

    def on_HangUp(self, output: HangUp) -> None:
        if self.socket is None:
            self.post(LinkDown(self.clock.now_ms()))
        else:
            self._hangs_up = output
            self._hang_up()

    def _hang_up(self) -> None:
        """Close the link, if that is wanted and the actors have stopped."""
        if self._hangs_up is not None and not self.actors and self.socket is not None:
            self.socket.close(self._hangs_up.code, self._hangs_up.reason)

    def on_Relay(self, output: Relay) -> None:
        for entry in list(self.entries.values()):
            entry.post(LinkLost(self.number, output.now))

    def on_Free(self, output: Free) -> None:
        self.stop_timers()
        self.gone = True

    def on_Violation(self, output: Violation) -> None:
        self.log("violation", rule=output.rule)

    def _forget_events(self, up_to: int) -> None:
        self._events = [wrapper for wrapper in self._events if wrapper.index > up_to]

    def collect(self) -> None:
        """Look for what is overdue, and for what is too old, in each entry; and again after a while."""
        if self.gone:
            return
        now = self.clock.now_ms()
        for entry in list(self.entries.values()):
            entry.post(Collect(now))
        self.clock.call_later(self.limits.runner_gc_interval_ms, self.collect)
