"""Plays a conversation against a gateway: the suite is the client and the runners, and an oracle follows what the gateway does."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from functools import cache
from typing import Any

from websockets.exceptions import InvalidHandshake
from websockets.frames import CloseCode

from tunnelconform import bulk, flood, promises
from tunnelconform import conversation as talk
from tunnelconform.around_gateway import BY_ITSELF, CLIENT, AroundGateway, Known, Links, short
from tunnelconform.around_link import SOCKET, AroundLink, Perhaps
from tunnelconform.conversation import Conversation, Step
from tunnelconform.duties import STOPS, Duties
from tunnelconform.frames_said import POSTED
from tunnelconform.hearing import Deafened
from tunnelconform.oracle import Hypothesis, Oracle, Told
from tunnelconform.peers import Client, Runner, fresh_id, introduction, wire_size
from tunnelconform.peers_http import Requester
from tunnelconform.play import CONNECTS_MS, GRACE_MS, Play
from tunnelconform.played import Impossible
from tunnelconform.profiles import STRICT, Profile
from tunnelconform.promises import Account, Closed, Gone, Left, Words
from tunnelconform.side import Side
from tunnelconform.subject import Door, GatewaySubject, Nature, Place
from tunnelref.wire import WireError
from tunnelspec.endpoint import TABLES, Endpoint, Tables
from tunnelspec.events import (
    ActorStarted,
    BackoffOver,
    BadFrame,
    ClientClosed,
    ClientConnected,
    ClientMessage,
    CloseClient,
    Collect,
    Deliver,
    HangUp,
    LinkDown,
    LinkLost,
    LinkUp,
    Replaced,
    Silence,
)
from tunnelspec.frames import (
    CommandStartActor,
    CommandStopActor,
    ToClientAckEvents,
    ToClientCommands,
    ToClientInit,
    ToClientKvResponse,
    ToClientTunnelMessage,
    ToClientWebSocketOpen,
    ToServerKvRequest,
    ToServerPing,
    ToServerWebSocketClose,
    ToServerWebSocketMessage,
    ToServerWebSocketMessageAck,
    ToServerWebSocketOpen,
    TunnelAck,
)
from tunnelspec.machine import Received

SUPPOSED = 10
"""So many events that cannot be seen may lie between two observations: retries without a runner are some."""

FIRST_QUESTION = 1_000
"""Requests with numbers beyond it are the suite's own questions."""

ANSWER_MS = 300
"""So long the suite waits for an answer to one."""

VISITOR = "visitor=1"
"""What tells another client's connection from the one that the conversation is about."""

_keys = itertools.count(1)


@cache
def tables_of(profile: Profile) -> Tables:
    """The tables, as a profile has them."""
    return TABLES if profile is STRICT else profile.tables()


def _relayed(link: int) -> int:
    """The channel of what the relay may say of a link before one sees that it is closed."""
    return BY_ITSELF - link


class GatewayPlay(Play):
    """One conversation with one gateway."""

    subject_lane = "gateway"
    begins: type[Any] = ToClientWebSocketOpen
    """The tunnel message that names the conversation's request."""

    def __init__(
        self, subject: GatewaySubject, nature: Nature, conversation: Conversation, goal: frozenset[str] = frozenset(),
        lenient: bool = False, profile: Profile = STRICT, grace_ms: int = GRACE_MS,
    ) -> None:  # fmt: skip
        self.subject, self.nature, self.goal, self.profile = subject, nature, goal, profile
        self.collects_every_ms = nature.limits.gc_interval_ms
        self.links = Links()
        self.grace_ms = grace_ms
        tables = self.tables()
        self.around = self.surroundings(tables)
        oracle = Oracle(tables, self.around, nature.limits, goal, SUPPOSED)
        side = Side("gateway", oracle, oracle.start(memory=Known()), grace_ms)
        super().__init__(conversation, nature.limits, side, lenient, grace_ms)
        self.client: Client | None = None
        self.requester: Requester | None = None  # the client of a plain request
        self.admission: asyncio.Task[Client] | None = None  # its upgrade, until that is answered
        self.visited = 0  # when another client set out to connect, in ms; 0 if none has
        self.started = 0  # when the actor may last have been started for its sake
        self.visitors: list[Client] = []
        self.runners: dict[str, Runner] = {}
        self.request = b""
        self.arrived: list[tuple[int, str, bytes]] = []  # tunnel messages: link, kind, id
        self.links_made = 0
        self.introduced: set[int] = set()
        self.welcomed: set[int] = set()
        self.flood: talk.Flood | None = None
        self.settled = 0  # tunnel messages, up to here, that no longer wait for anything
        self.settles: dict[bytes, int] = {}
        self.asked = self.answered = FIRST_QUESTION
        self.poured = 0  # messages of the actor's that came to the client
        self.duties = Duties()
        self.key = f"conform-{next(_keys)}"
        self.place: Place | None = None
        self.door: Door | None = None

    def tables(self) -> Endpoint:
        """The tables of what is tested."""
        return tables_of(self.profile).gateway

    def surroundings(self, tables: Endpoint) -> AroundGateway:
        """What is around it."""
        nature, profile = self.nature, self.profile
        return AroundGateway(
            tables, nature.limits, self.links, self.grace_ms, profile.acks, profile.own_words, profile.route_patience_ms
        )

    @property
    def dutiful(self) -> bool:
        """Whether what the directory owes its runners is judged: of a gateway that looks long for a route it is not known when."""
        return not self.profile.route_patience_ms

    def account(self, now_ms: int, grace_ms: int) -> Account:
        return promises.gateway(self.facts, now_ms, grace_ms)

    async def prepare(self) -> None:
        self.place = await self.subject.place()
        if not self.nature.runner_first:
            self.door = await self.subject.door(self.place)

    async def end(self) -> None:
        """Leave nothing open."""
        if self.admission is not None:
            self.admission.cancel()
        peers = [p for p in (self.client, self.requester, *self.visitors, *self.runners.values()) if p is not None]
        ended = await asyncio.gather(*(peer.end() for peer in peers), return_exceptions=True)
        if self.door is not None and self.door.leave is not None:
            self.door.leave()
        for error in ended:
            if isinstance(error, Deafened):
                raise error

    async def between(self, before: Step) -> None:
        """A link is ordered: once the gateway has answered a question over it, it has worked on what came before."""
        runner = self.runners.get(before.who)
        if runner is None or not runner.up or runner.link not in self.introduced or not self.nature.answers_keys:
            await super().between(before)
            return
        self.asked += 1
        asked = self.asked
        await runner.send(ToServerKvRequest("nobody", asked, b"\x00\x00"))
        began = self.now()
        while self.answered < asked and runner.up and self.now() < began + ANSWER_MS:
            await self.next(0.05)
        while self.now() == began:  # what comes next has a later time, so that its order is known
            await asyncio.sleep(0.001)

    # -- the client --------------------------------------------------------------------------------------------------

    async def _client(self) -> Client:
        await self._admitted()
        if self.client is None or self.client.left:
            raise Impossible("there is no client")
        return self.client

    async def _admitted(self) -> None:
        """Wait until the client's upgrade is answered. Raises ``Impossible`` if it is not."""
        if self.admission is None:
            return
        await self.until(self.admission.done, "the client's upgrade is not answered")
        try:
            self.client = self.admission.result()
        except (OSError, TimeoutError, InvalidHandshake) as error:
            self.side.undecided, self.side.over = True, f"the client cannot connect: {error!r}"
            raise Impossible(self.side.over) from error
        self.admission = None

    def _admits(self) -> None:
        """The client's upgrade is answered, or will not be."""
        self.around.admitted_ms = self.now()
        self.news.set()

    async def _door(self) -> Door:
        if self.door is None:
            assert self.place is not None
            self.door = await self.subject.door(self.place)
        return self.door

    async def do_connect(self, step: talk.Connect) -> None:
        if self.client is not None or self.admission is not None:
            raise Impossible("the client has connected before")
        door = await self._door()
        self.around.path, self.around.headers = door.path, door.headers
        self.tell(CLIENT, ClientConnected())
        self.note("client", "gateway", "connect")
        patience_ms = CONNECTS_MS + self.profile.route_patience_ms
        connecting = Client.connect(door, self._hears_message, self._hears_close, patience_ms / 1000)
        self.admission = asyncio.ensure_future(connecting)
        self.around.admitted_ms = self.now() + patience_ms  # until it is known
        self.admission.add_done_callback(lambda _: self._admits())
        if self.links.able or not self.profile.route_patience_ms:
            await self._admitted()

    def _size(self, data: bytes, binary: bool) -> int:
        """What the subject counts for a client's message."""
        return wire_size(data, binary) + self.profile.size_differs

    async def do_say(self, step: talk.Say) -> None:
        client = await self._client()
        data = step.text.encode()
        if step.size:
            room = step.size - self._size(b"", step.binary)
            while room > 0 and self._size(data.ljust(room, b"."), step.binary) > step.size:
                room -= 1
            data = data.ljust(room, b".")
        self._told_message(data, step.binary)
        self.note("client", "gateway", talk.words(step))
        await client.say(data, step.binary, step.parts)

    def _told_message(self, data: bytes, binary: bool) -> None:
        self.fact(CLIENT, True, Words(data, binary))
        self.tell(CLIENT, ClientMessage(data, binary, self._size(data, binary), 0, self.now()))

    async def do_press(self, step: talk.Press) -> None:
        client = await self._client()
        self.note("client", "gateway", "many large messages; the runner reads nothing until no more is taken")
        await bulk.press(self, client, self._runner("a"), step, self._told_message)

    async def do_heap(self, step: talk.Heap) -> None:
        client, runner = await self._client(), self._runner(step.who)
        self.note(step.who, "gateway", "many large messages; the client is slow to read")
        await bulk.heap(self, client, runner)

    async def do_flood(self, step: talk.Flood) -> None:
        client = await self._client()
        self.note("client", "gateway", talk.words(step))
        await flood.flood(self, client, step, self._told_message)

    async def do_pour(self, step: talk.Pour) -> None:
        runner = self._runner(step.who)
        self.note(step.who, "gateway", talk.words(step))
        await flood.pour(self, runner, step)

    async def do_leave(self, step: talk.Leave) -> None:
        if self._turns_away(step):
            return
        client = await self._client()
        self._client_is_gone(ClientClosed(step.code, step.reason or None, self.now()), False)
        self.note("client", "gateway", talk.words(step))
        await client.leave(step.code, step.reason)

    async def do_spoil(self, step: talk.Spoil) -> None:
        client = await self._client()
        self._client_is_gone(ClientClosed(None, None, self.now()), True)
        self.note("client", "gateway", "text that is not UTF-8")
        code = await client.spoil(self.grace_ms / 1000)
        if code not in (int(CloseCode.INVALID_DATA), 1006):
            self.side.owes(CloseClient(int(CloseCode.INVALID_DATA), ""), ("CONN-G-18",), self.now())

    async def do_vanish(self, step: talk.Vanish) -> None:
        if self._turns_away(step):
            return
        client = await self._client()
        self._client_is_gone(ClientClosed(None, None, self.now()), True)
        self.note("client", "gateway", talk.words(step))
        client.vanish()

    def _turns_away(self, step: Step) -> bool:
        """Whether the client left before its upgrade was answered: then it cannot say that it does."""
        if self.admission is None or self.admission.done():
            return False
        self.note("client", "gateway", talk.words(step))
        self._client_is_gone(ClientClosed(None, None, self.now()), True)
        self.admission.cancel()
        return True

    def _client_is_gone(self, event: ClientClosed, cut: bool) -> None:
        """What the gateway tells its client from now is not seen; what the client said is lost only if it was cut off."""
        self.links.gone.add(CLIENT)
        self.fact(CLIENT, True, Left(event.code, event.reason or ""))
        if cut:
            self.side.loses(CLIENT, [event], self.now())
        else:
            self.side.hypotheses = tuple(
                h._replace(said=tuple(s for s in h.said if s.channel != CLIENT)) for h in self.side.hypotheses
            )
            self.tell(CLIENT, event)

    async def do_deafen(self, step: talk.Deafen) -> None:
        self.note("client", "client", talk.words(step))
        (await self._client()).deafen(step.ms / 1000)

    async def do_visit(self, step: talk.Visit) -> None:
        self.visited = self.started = self.now()
        self.note("client", "gateway", "another client connects")
        door = await self._door()
        door = replace(door, client_url=f"{door.client_url}{'&' if '?' in door.client_url else '?'}{VISITOR}")
        try:
            visitor = await Client.connect(
                door, lambda data, binary: None, lambda code, reason: None, CONNECTS_MS / 1000
            )
        except (OSError, TimeoutError, InvalidHandshake) as error:
            raise Impossible(f"the other client cannot connect: {error!r}") from error
        self.visitors.append(visitor)

    def _hears_message(self, data: bytes, binary: bool) -> None:
        self.fact(CLIENT, False, Words(data, binary))
        self.poured += 1
        if self.flood is not None and not self.around.acks:
            self.settled = int(data)
        self._links_may_be_lost()
        self.see(CLIENT, Deliver(data, binary), b"", "client")

    def _hears_close(self, code: int, reason: str) -> None:
        self.fact(CLIENT, False, Closed(code))
        self._links_may_be_lost()
        self.see(CLIENT, CloseClient(code, short(reason)), b"", "client")

    # -- runners -----------------------------------------------------------------------------------------------------

    def _runner(self, who: str) -> Runner:
        runner = self.runners.get(who)
        if runner is None or not runner.up:
            raise Impossible(f"runner {who} has no link")
        return runner

    async def do_dial(self, step: talk.Dial, unfit: str = "") -> None:
        self.links_made += 1
        link = self.links_made
        assert self.place is not None
        place = replace(self.place, namespace="another") if unfit == "namespace" else self.place
        if unfit:
            self.links.unfit.add(link)
        self.note(step.who, "gateway", "connect")
        around = AroundLink(self.profile.own_words, self.dutiful)
        oracle = Oracle(tables_of(self.profile).link_gateway, around, self.nature.limits, self.goal)
        side = self.link_sides[link] = Side("link", oracle, oracle.start(), self.grace_ms)
        side.told(Told(SOCKET, LinkUp(self.now()), 0, self.now()))
        try:
            runner = await Runner.dial(
                place, f"{self.key}-{step.who}", link, step.who, self._hears, self._loses, self.closes_sockets,
                CONNECTS_MS / 1000,
            )  # fmt: skip
        except (OSError, TimeoutError, InvalidHandshake) as error:
            raise Impossible(f"runner {step.who} cannot connect: {error!r}") from error
        around.open_ms = self.now()
        runner.on_ping = lambda: self._posts(runner, ToServerPing(0))
        runner.on_stop = self.news.set
        runner.on_report = lambda frame: self._posts(runner, frame) if self.dutiful else None
        self.runners[step.who] = runner

    async def do_post(self, step: talk.Post) -> None:
        runner = self._runner(step.who)
        self.note(step.who, "gateway", step.frame)
        await self._post(runner, step.frame)

    async def _post(self, runner: Runner, name: str, unfit: str = "") -> None:
        assert self.place is not None
        frame = introduction(self.place, unfit) if name == "ToServerInit" else POSTED[name]
        first = name == "ToServerInit" and runner.link not in self.introduced
        if first:
            self.introduced.add(runner.link)
            limits = self.nature.limits
            runner.pings(min(limits.ping_interval_ms, limits.lost_threshold_ms // 3) / 1000)
        self._posts(runner, frame)
        await runner.send(frame)

    def _posts(self, runner: Runner, frame: Any) -> None:
        side = self.link_sides[runner.link]
        side.told(Told(SOCKET, Received(frame, runner.link, now=self.now()), 0, self.now()))

    async def do_mute(self, step: talk.Mute) -> None:
        self.note(step.who, "gateway", "pings no longer")
        self._runner(step.who).pinging = False

    async def do_join(self, step: talk.Join) -> None:
        if step.unfit and self.nature.runner_first:
            raise Impossible("where its actors may go is its adapter's affair")
        before = self.runners.get(step.who)
        await self.do_dial(talk.Dial(who=step.who), step.unfit)
        runner, now = self.runners[step.who], self.now()
        replaced = None
        if before is not None and before.up:  # told first: the gateway may act on it before one has said it
            replaced = self.link_sides[before.link]
            self.links.replaced(now)
            replaced.told(Told(BY_ITSELF, Perhaps(Replaced(now)), 0, now))
            self.side.told(Told(_relayed(before.link), LinkLost(before.link, now), 0, now))
        await self._post(runner, "ToServerInit", step.unfit)
        await self.until(lambda: runner.link in self.welcomed, "the gateway did not welcome the runner")
        if replaced is not None:
            replaced.told(Told(BY_ITSELF, Replaced(self.now()), 0, self.now()))

    async def do_ack_arrival(self, step: talk.AckArrival) -> None:
        runner = self._runner(step.who)
        if step.stray:
            await self.say_tunnel(runner, TunnelAck(), step, fresh_id())
            return

        def those() -> list[bytes]:
            return [id_ for _, kind, id_ in self.arrived if kind == step.of]

        await self.until(lambda: len(those()) > step.back, f"no {step.of} came")
        await self.say_tunnel(runner, TunnelAck(), step, those()[-1 - step.back])

    async def do_answer(self, step: talk.Answer) -> None:
        frame = ToServerWebSocketOpen(step.can_hibernate, step.last)
        await self.say_tunnel(self._runner(step.who), frame, step)

    async def do_tell(self, step: talk.Tell) -> None:
        frame = ToServerWebSocketMessage(step.text.encode().ljust(step.size, b"."), step.binary)
        await self.say_tunnel(self._runner(step.who), frame, step)

    async def do_ack_messages(self, step: talk.AckMessages) -> None:
        await self.say_tunnel(self._runner(step.who), ToServerWebSocketMessageAck(step.index), step)

    async def do_close(self, step: talk.Close) -> None:
        frame = ToServerWebSocketClose(step.code, step.reason, step.retry)
        await self.say_tunnel(self._runner(step.who), frame, step)

    async def do_sleep(self, step: talk.Sleep) -> None:
        runner = self._runner(step.who)
        if not runner.actors:
            raise Impossible(f"runner {step.who} has no actor")
        self.note(step.who, "gateway", "the actor wants to sleep")
        stops = runner.stops
        await runner.intends_to_sleep()
        try:
            await self.until(lambda: runner.stops > stops, "the gateway did not stop the actor")
        except Impossible:
            if runner.up and self.dutiful and not self.over():
                stop = CommandStopActor(*next(iter(runner.actors.items())))
                self.link_sides[runner.link].owes(stop, STOPS, self.now())
            raise

    async def do_break(self, step: talk.Break) -> None:
        runner = self._runner(step.who)
        self.note(step.who, "gateway", "the link breaks")
        runner.cut()
        self._leaves(runner)

    async def do_part(self, step: talk.Part) -> None:
        runner = self._runner(step.who)
        self.note(step.who, "gateway", "the link is closed")
        runner.up = False
        self._leaves(runner)
        await runner.part(step.code)

    async def do_garble(self, step: talk.Garble) -> None:
        runner = self._runner(step.who)
        self.note(step.who, "gateway", talk.words(step))
        self.link_sides[runner.link].told(Told(SOCKET, BadFrame("", self.now()), 0, self.now()))
        await runner.garble(bytes.fromhex(step.hex), step.text)

    async def say_tunnel(self, runner: Runner, kind: Any, step: Step | None, message: bytes = b"") -> None:
        """A runner sends a tunnel message."""
        await self.until(lambda: bool(self.request), "the gateway has opened nothing")
        message = message or fresh_id()
        self.fact(runner.link, True, kind, message)
        self.side.hears(runner.link, kind, message, self.now())
        self.note(runner.name, "gateway", talk.words(step) if step is not None else type(kind).__name__)
        await runner.send_tunnel(self.request, message, kind)

    def _hears(self, runner: Runner, frame: Any) -> None:
        if isinstance(frame, WireError):
            self.see(runner.link, frame, b"", runner.name)
            return
        if isinstance(frame, ToClientCommands):
            for wrapper in frame.commands:
                if not self.duties.allow(runner.link, wrapper) and self.dutiful:
                    self.link_sides[runner.link].refuse(SOCKET, wrapper, self.now())
                if (
                    isinstance(wrapper.inner, CommandStartActor) and self.visited
                ):  # else it is for the client's own sake
                    self.side.told(Told(BY_ITSELF, ActorStarted(self.started), 0, self.started))
                    self.started = self.now()
                self.note("gateway", runner.name, type(wrapper.inner).__name__)
        if isinstance(frame, ToClientKvResponse) and frame.requestId > FIRST_QUESTION:
            self.answered = max(self.answered, frame.requestId)
            self.news.set()
            return
        if isinstance(frame, ToClientAckEvents) and self.dutiful:
            self.link_sides[runner.link].says(SOCKET, frame, self.now())
            self.news.set()
        if isinstance(frame, ToClientInit | ToClientKvResponse):
            if isinstance(frame, ToClientInit):
                self.welcomed.add(runner.link)
                self.links.joined(runner.link, self.now())
            self.link_sides[runner.link].says(SOCKET, frame, self.now())
            self.note("gateway", runner.name, frame)
            self.news.set()
        if not isinstance(frame, ToClientTunnelMessage) or runner.link in self.links.gone:
            return  # what was on its way when the runner closed its link counts as lost
        kind = frame.messageKind
        if not self.request and isinstance(kind, self.begins) and VISITOR not in kind.path:
            self.request = frame.requestId
            if isinstance(kind, ToClientWebSocketOpen):
                self.around.opened = kind
        if isinstance(kind, self.begins) and self.dutiful and not self.duties.runs(runner.link, kind.actorId):
            self.link_sides[runner.link].refuse(SOCKET, kind, self.now())
        if frame.requestId != self.request:
            asyncio.ensure_future(self._humour(runner, frame))  # noqa: RUF006  # its result is nobody's
            return
        self.fact(runner.link, False, kind, frame.messageId)
        if isinstance(kind, TunnelAck) and not self.around.acks:
            self.note("gateway", runner.name, kind)
            return
        if isinstance(kind, TunnelAck):
            self.settled = self.settles.pop(frame.messageId, self.settled)
        else:
            self.arrived.append((runner.link, type(kind).__name__, frame.messageId))
        self._may_be_lost(runner.link)
        self.see(runner.link, kind, frame.messageId, runner.name)
        flood.drain(self, runner, frame)

    async def _humour(self, runner: Runner, frame: ToClientTunnelMessage) -> None:
        """A visitor's socket is acked and opened, and otherwise left alone."""
        if isinstance(frame.messageKind, TunnelAck):
            return
        await runner.send_tunnel(frame.requestId, frame.messageId, TunnelAck())
        if isinstance(frame.messageKind, ToClientWebSocketOpen):
            await runner.send_tunnel(frame.requestId, fresh_id(), ToServerWebSocketOpen(False, -1))

    async def closes_sockets(self, runner: Runner) -> None:
        """Before an actor stops, its socket is closed with retry."""
        if self.request:
            await self.say_tunnel(runner, ToServerWebSocketClose(None, None, True), None)

    def _loses(self, runner: Runner) -> None:
        code, reason = runner.closed_with()
        self.note("gateway", runner.name, f"the gateway closes the link: {code} {reason}")
        side, hangs_up = self.link_sides[runner.link], HangUp(code, reason)
        known_ms = side.since(SOCKET, hangs_up, self.now())
        side.says(SOCKET, hangs_up, self.now())
        self._lost(runner, known_ms)

    def _may_be_lost(self, link: int) -> None:
        """If the gateway may take a link for silent, it may act on that before one sees that it closes it."""
        dues = [t.due_ms for h in self.link_sides[link].hypotheses for t in h.timers if t.event is Silence]
        if link not in self.links.doubted and dues and min(dues) <= self.now():
            self.links.doubted.add(link)
            self.side.told(Told(_relayed(link), LinkLost(link, min(dues)), 0, min(dues)))

    def _links_may_be_lost(self) -> None:
        for runner in self.runners.values():
            if runner.up:
                self._may_be_lost(runner.link)

    def _leaves(self, runner: Runner) -> None:
        """A runner's own end of its link: what the gateway says of it is not seen."""
        side = self.link_sides[runner.link]
        side.loses(SOCKET, [LinkDown(self.now())], self.now())
        side.over = side.over or "the link is gone"
        self._lost(runner, self.now())

    def _lost(self, runner: Runner, now: int) -> None:
        """A link is gone; the gateway may have known it since then."""
        self.links.lost(runner.link, self.now())
        self.fact(runner.link, False, Gone())
        self.side.loses(_relayed(runner.link), (), now)
        self.side.loses(runner.link, [LinkLost(runner.link, now)], now)
        self.news.set()

    # -- time --------------------------------------------------------------------------------------------------------

    def until_ms(self, step: talk.Wait) -> int:
        resting = self.side.oracle.at_rest(self.side.hypotheses) if step.limit == "backoff_ms" else ()
        dues = [t.due_ms for h in resting for t in h.timers if t.event is BackoffOver]
        return max(dues, default=super().until_ms(step))

    def due(self, side: Side, h: Hypothesis, until_ms: int) -> list[tuple[Any, int]]:
        collection = [(Collect(until_ms), until_ms)] if side is self.side else []
        return [*super().due(side, h, until_ms), *collection]
