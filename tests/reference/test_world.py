"""Gateway, runners and clients on virtual time: what the tables promise, through the real cores and the real codec."""

from __future__ import annotations

import json
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.reference.world import VirtualClient, VirtualRunner, World
from tunnelref.messageid import message_id
from tunnelref.runner.actor import Actor, Socket
from tunnelref.runner.examples import Chat, Counter, Echo, PlainEcho
from tunnelspec.events import ActorCloses
from tunnelspec.fifo import Fifo
from tunnelspec.frames import ToClientWebSocketOpen, TunnelAck
from tunnelspec.limits import DEFAULT, Limits


class Ledger(Actor):
    """Writes down all it hears; ``sleep`` lets it sleep."""

    closes: ClassVar[list[tuple[str, int | None, str | None]]] = []

    def on_message(self, socket: Socket, data: str | bytes) -> None:
        text = data if isinstance(data, str) else data.decode()
        if text == "sleep":
            self.sleep()
        else:
            self.state["seen"] = [*self.state.get("seen", []), text]
            socket.send(text)

    def on_close(self, socket: Socket, code: int | None, reason: str | None) -> None:
        self.state["closed"] = [*self.state.get("closed", []), [code, reason]]


CLASSES: dict[str, type[Actor]] = {"ledger": Ledger, "echo": Echo, "plain": PlainEcho, "counter": Counter, "chat": Chat}


def state_of(world: World, actor: str) -> dict[str, Any]:
    """The actor's durable state."""
    row = world.store._db.execute("SELECT state FROM actors WHERE id = ?", (actor,)).fetchone()
    return dict(json.loads(row[0]) or {})


def states(client: VirtualClient) -> list[str]:
    return [local.state for local in client.entry.state]


def host(*runners: VirtualRunner, actor: str) -> VirtualRunner:
    """The runner that has the actor."""
    (found,) = [r for r in runners if actor in r.core.actors and r.core.socket is not None]
    return found


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize("actor", ["echo.1", "plain.1"])
@pytest.mark.parametrize("version", [1, 2])
def test_messages_pass_both_ways(world: World, actor: str, version: int) -> None:
    """CONN-G-11, CONN-G-15, ACK-G-05, ACK-G-06: text and binary, empty too; in version 1 nothing hibernates."""
    world.runner("a", CLASSES, version)
    client = world.client(actor)
    client.says("text", b"\x00\xff", "", b"")
    world.wait(100)
    assert client.received == [b"text", b"\x00\xff", b"", b""]
    hibernates = actor == "echo.1" and version == 2
    assert states(client) == ["open", "up", "live" if hibernates else "plain", "awake" if hibernates else "pinned"]


def test_the_pending_queue_drains(world: World) -> None:
    """ACK-G-08, L-DRAIN, P-ACCOUNT: after the acks nothing is pending, in the queue and in the gateway's count."""
    world.runner("a", CLASSES)
    client = world.client("ledger.1")
    client.says(*map(str, range(300)))
    world.wait(100)
    assert client.entry.local("ack").context.pending == Fifo()
    assert client.entry.local("tunnel").context.pending == Fifo()
    assert world.gateway.metrics.pending_bytes == 0


def test_indices_wrap(world: World) -> None:
    """P-WRAP: more than 65 536 messages on one connection, each once and in order."""
    world.runner("a", CLASSES)
    client = world.client("counter.1")
    for _ in range(70):
        client.says(*["x"] * 1_000)
        world.wait(60)
    assert client.received == [str(n).encode() for n in range(1, 70_001)]
    assert client.entry.local("ack").context.acked == 70_000 % 65_536


def test_a_sleeper_wakes_for_a_message_and_not_before(world: World) -> None:
    """HIB-G-05, HIB-G-06, L-WAKE: it stays asleep for an hour; a message wakes it, and its index goes on."""
    world.runner("a", CLASSES)
    client = world.client("ledger.1")
    client.says("one", "sleep")
    world.wait(3_600_000)
    assert states(client) == ["asleep", "down", "held", "asleep"]
    client.says("two", "three")
    world.wait(100)
    assert state_of(world, "ledger.1")["seen"] == ["one", "two", "three"]
    assert client.entry.local("ack").context.acked == 4


def test_a_second_and_third_wake_behave_as_the_first(world: World) -> None:
    """P-AGAIN, CONN-G-22: sleeping again and again is no failure: each wake is immediate."""
    world.runner("a", CLASSES)
    client = world.client("ledger.1")
    for n in range(8):
        client.says(str(n), "sleep")
        world.wait(100)
        assert states(client)[0] == "asleep"
        assert client.entry.local("connection").context.failures == 0
    assert state_of(world, "ledger.1")["seen"] == [str(n) for n in range(8)]


def test_an_actor_moves_to_another_runner(world: World) -> None:
    """ACK-G-17, P-RESUME-CONT: what was sent while it slept reaches the next life, in order, on another runner."""
    a = world.runner("a", CLASSES)
    client = world.client("ledger.1")
    client.says("one", "sleep")
    world.wait(100)
    b = world.runner("b", CLASSES)
    client.says("two", "three")
    world.wait(100)
    assert host(a, b, actor="ledger.1") is b
    assert state_of(world, "ledger.1")["seen"] == ["one", "two", "three"]
    assert a.core.entries == {}  # HIB-R-16: nothing of it stays behind


def test_a_runner_dies_with_unacked_messages(world: World) -> None:
    """RELAY-G-09, ACK-G-12, ACK-G-17: what was not acked is sent again, once and in order."""
    a, b = world.runner("a", CLASSES), world.runner("b", CLASSES)
    client = world.client("ledger.1")
    client.says("one")
    world.wait(100)
    dying = host(a, b, actor="ledger.1")
    dying.frozen = True
    client.says("two", "three")
    world.settle()
    dying.kill()
    world.wait(100)
    assert state_of(world, "ledger.1")["seen"] == ["one", "two", "three"]


def test_a_link_that_breaks_between_commit_and_ack(world: World) -> None:
    """P-NO-DUP: the commit is durable and its ack lost; the replay changes nothing twice."""
    a = world.runner("a", CLASSES)
    client = world.client("ledger.1")
    client.says("one", "two")
    world.settle()  # committed; the batched ack is still to come
    assert client.entry.local("ack").context.acked == 0
    assert a.pipe is not None
    a.pipe.break_()
    world.wait(1_000)
    assert state_of(world, "ledger.1")["seen"] == ["one", "two"]
    assert client.entry.local("ack").context.pending == Fifo()


def test_a_zombie_cannot_write(world: World) -> None:
    """Fencing: a runner that was taken for lost, and lives on, does not change what its successor has."""
    a, b = world.runner("a", CLASSES), world.runner("b", CLASSES)
    client = world.client("ledger.1")
    client.says("one")
    world.wait(100)
    old = host(a, b, actor="ledger.1")
    zombie = old.core.actors["ledger.1"]
    assert old.pipe is not None
    old.reachable = False
    old.pipe.break_()
    client.says("two")
    world.wait(500)
    assert state_of(world, "ledger.1")["seen"] == ["one", "two"]
    assert zombie.actor is not None
    zombie.put(lambda: zombie.actor.state.update(seen=["overwritten"]))  # type: ignore[union-attr]
    assert state_of(world, "ledger.1")["seen"] == ["one", "two"]
    assert "ledger.1" not in old.core.actors


@pytest.mark.parametrize("awake", [True, False])
def test_the_clients_close_reaches_the_actor_once(world: World, awake: bool) -> None:
    """CONN-G-18, CONN-G-60, CONN-G-12, P-CLOSE-SEEN: awake or asleep, after all it sent, with its code and reason."""
    world.runner("a", CLASSES)
    client = world.client("ledger.1")
    client.says("one", *([] if awake else ["sleep"]))
    world.wait(100)
    client.says("two")
    client.leaves(4001, "bye")
    world.wait(200)
    state = state_of(world, "ledger.1")
    assert state["seen"] == ["one", "two"]
    assert state["closed"] == [[4001, "bye"]]
    assert world.gateway.entries == {}


def test_a_close_that_is_lost_with_its_link_is_sent_again(world: World) -> None:
    """CONN-G-20, P-CLOSE-SEEN: the close was in flight when the link broke."""
    a = world.runner("a", CLASSES)
    client = world.client("ledger.1")
    client.says("one")
    world.wait(100)
    a.frozen = True
    client.leaves(4001, "bye")
    world.settle()
    a.frozen = False
    assert a.pipe is not None
    a.pipe.break_()
    world.wait(1_000)
    assert state_of(world, "ledger.1")["closed"] == [[4001, "bye"]]
    assert world.gateway.entries == {}


def test_the_actors_close_reaches_the_client(world: World) -> None:
    """CONN-G-16, CONN-R-08: with its code and reason."""
    world.runner("a", CLASSES)
    for actor in ("echo.1", "plain.1"):
        client = world.client(actor)
        client.says("close 4002 enough")
        world.wait(100)
        assert client.closed == (4002, "enough")
    assert world.gateway.entries == {}


def test_a_plain_socket_ends_with_its_runner(world: World) -> None:
    """HIB-G-04, CONN-G-25, P-LOSS-KNOWN: never silently opened anew."""
    a = world.runner("a", CLASSES)
    client = world.client("plain.1")
    client.says("hello")
    world.wait(100)
    a.kill()
    world.settle()
    assert client.closed == (1011, "guard.websocket_service_unavailable")


def test_clients_of_a_replaced_link_find_the_new_one_at_once(world: World) -> None:
    """LINK-G-11, RELAY-G-09: the new link is admitted before the earlier one is let go, so that no try fails in between."""
    old = world.runner("a", CLASSES)
    client = world.client("echo.1")
    old.frozen = True
    client.says("hello")
    world.runner("a", CLASSES)  # and no time passes
    assert client.received == [b"hello"]


def test_retries_are_spaced_and_bounded(world: World) -> None:
    """CONN-G-03, CONN-G-04, L-OPEN: without a runner 100, 200 and 400 ms, then the client is told."""
    client = world.client("nobody.1")
    world.wait(690)
    assert client.closed is None
    world.wait(20)
    assert client.closed == (1011, "guard.websocket_service_unavailable")
    assert world.gateway.entries == {}


def test_an_actor_that_crashes_on_a_message_does_not_spin(world: World) -> None:
    """CONN-G-23, CONN-G-24: the poison is sent again, with pauses, and given up; the client is told."""

    class Fragile(Actor):
        lives: ClassVar[int] = 0

        def on_start(self) -> None:
            type(self).lives += 1

        def on_message(self, socket: Socket, data: str | bytes) -> None:
            raise RuntimeError("poison")

    world.runner("a", {"fragile": Fragile})
    client = world.client("fragile.1")
    client.says("poison")
    world.wait(5_000)
    assert client.closed == (1011, "guard.websocket_service_unavailable")
    assert Fragile.lives <= 2 + DEFAULT.max_retries + 1


@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_the_count_limit_exactly(extra: int) -> None:
    """ACK-G-07, P-BOUND: at the limit all is kept; one more, and the client is told, and nothing kept is lost."""
    world = World(Limits(max_pending_messages=5))
    world.runner("a", CLASSES)
    client = world.client("ledger.1")
    client.says("sleep")
    world.wait(100)
    waking = world.gateway.directory.resolve
    world.gateway.directory.resolve = lambda *_: None  # type: ignore[method-assign]  # the route takes its time
    client.says(*(str(n) for n in range(5 + extra)))
    assert (client.closed is None) == (extra <= 0)
    world.gateway.directory.resolve = waking  # type: ignore[method-assign]
    waking("default", "ledger.1", client.entry._routed)
    world.wait(1_000)
    assert state_of(world, "ledger.1")["seen"] == [str(n) for n in range(min(5, 5 + extra))]
    assert (client.closed is None) == (extra <= 0)


def test_an_unacked_message_times_out_on_both_sides_of_the_boundary() -> None:
    """TUN-G-07, ACK-G-14, F01, P-TIMER: a message as old as the timeout is kept, an older one ends the connection."""
    limits = Limits(gc_interval_ms=10, ack_timeout_ms=1_000, lost_threshold_ms=60_000)
    world = World(limits)
    a = world.runner("a", CLASSES)
    client = world.client("ledger.1")
    a.frozen = True
    client.says("one")
    sent = world.clock.now_ms()
    world.wait(limits.ack_timeout_ms)
    assert world.clock.now_ms() - sent == limits.ack_timeout_ms
    assert client.closed is None
    world.wait(limits.gc_interval_ms)
    assert client.closed == (1011, "guard.websocket_service_timeout")


def test_a_silent_runner_is_lost(world: World) -> None:
    """LINK-G-09, P-KEEPALIVE: no ping for as long as the threshold, and its sockets are opened elsewhere."""
    a, b = world.runner("a", CLASSES), world.runner("b", CLASSES)
    client = world.client("ledger.1")
    client.says("one")
    world.wait(100)
    silent = host(a, b, actor="ledger.1")
    assert silent.pipe is not None
    silent.pipe.send_to_gateway = lambda data: None  # type: ignore[method-assign]
    client.says("two")
    world.wait(DEFAULT.lost_threshold_ms + 1_000)
    assert state_of(world, "ledger.1")["seen"] == ["one", "two"]
    assert client.closed is None


def test_hibernation_ends_at_its_maximum_age() -> None:
    """HIB-G-09, F15: a sleeper is kept for the maximum age, and then told."""
    world = World(Limits(max_hibernation_ms=60_000, gc_interval_ms=1_000))
    world.runner("a", CLASSES)
    client = world.client("ledger.1")
    client.says("sleep")
    world.wait(60_000)
    assert client.closed is None
    world.wait(2_000)
    assert client.closed == (1011, "guard.websocket_service_timeout")
    assert world.gateway.entries == {}


def test_bad_bytes_harm_nobody_else(world: World) -> None:
    """LINK-G-12, P-ISOLATE: garbage on a link is reported; the tunnels on it live on."""
    a = world.runner("a", CLASSES)
    client = world.client("echo.1")
    assert a.pipe is not None
    assert a.pipe.link is not None
    for garbage in (b"", b"\xff", b"\x06short", b"\x04" + b"\0" * 9, "text"):
        a.pipe.link.receive(garbage)
    client.says("still here")
    world.wait(100)
    assert client.received == [b"still here"]
    assert sum(event == "bad_frame" for _, event, _ in world.logs) == 5


def test_two_opens_are_one_connection() -> None:
    """CONN-R-02, P-RACE-OPEN: an actor that starts slowly gets the open twice, and the client one socket."""
    world = World(Limits(open_timeout_ms=500))
    a = world.runner("a", CLASSES)
    a.frozen = True
    client = world.client("ledger.1")
    client.says("one")
    world.wait(650)  # the first open timed out, the second is on its way
    a.frozen = False
    world.wait(1_000)
    assert state_of(world, "ledger.1")["seen"] == ["one"]
    assert client.received == [b"one"]
    assert world.kinds("runner").count("ToClientWebSocketOpen") >= 2


def test_a_chat_room_hears_everybody(world: World) -> None:
    """Many connections to one actor; newcomers get the last lines."""
    world.runner("a", CLASSES)
    first, second = world.client("chat.room"), world.client("chat.room")
    first.says("hello")
    world.wait(100)
    late = world.client("chat.room")
    world.wait(100)
    assert [len(c.received) for c in (first, second, late)] == [1, 1, 1]


Action = st.sampled_from(["say", "say", "say", "sleep", "break", "kill", "wait", "long wait", "freeze"])


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(Action, max_size=25))
def test_nothing_is_lost_whatever_breaks(actions: list[str]) -> None:
    """P-NO-DUP, P-REPLAY-EXACT, P-LOSS-KNOWN: any run of sleeps, broken links and dead runners.

    Durable state has a prefix of what was sent, in order, each once; all of it, unless the client was told.
    """
    world = World()
    runners = [world.runner("a", CLASSES), world.runner("b", CLASSES)]
    client = world.client("ledger.1")
    sent: list[str] = []
    for action in actions:
        if action == "say":
            sent.append(f"m{len(sent)}")
            client.says(sent[-1])
        elif action == "sleep":
            client.says("sleep")
        elif action == "wait":
            world.wait(20)
        elif action == "long wait":
            world.wait(3_000)
        else:
            for runner in runners:
                if "ledger.1" in runner.core.actors and runner.pipe is not None:
                    if action == "break":
                        runner.pipe.break_()
                    elif action == "freeze":
                        runner.frozen = not runner.frozen
                    else:
                        runner.kill()
                        runners.append(world.runner(f"r{len(runners)}", CLASSES))
                    break
    for runner in runners:
        runner.frozen = False
    world.wait(60_000)
    seen = state_of(world, "ledger.1").get("seen", []) if world.gateway.directory.actors else []
    assert seen == sent[: len(seen)]
    if client.closed is None:
        assert seen == sent
        assert client.entry.local("ack").context.pending == Fifo()


class Closer(Actor):
    """Closes its socket when it is told to, and writes that down."""

    def on_message(self, socket: Socket, data: str | bytes) -> None:
        self.state["closed"] = True
        socket.close(4000, "done")


def test_a_close_is_durable_before_it_is_told() -> None:
    """CONN-R-08, P-CLOSE-TRUE: when the actor's close is sent, its durable state has it, with the change that came with it."""
    seen: list[tuple[Any, ...]] = []
    world = World()
    runner = world.runner("a", {"closer": Closer})

    def observe(driver: Any, before: Any, event: Any, result: Any) -> None:
        if isinstance(event, ActorCloses):
            record = world.store.socket("closer", driver.request_id)
            seen.append((record is not None and record.closed, state_of(world, "closer")))

    runner.core.observer = observe
    client = world.client("closer")
    client.says("close")
    world.wait(100)
    assert seen == [(True, {"closed": True})]
    assert client.closed == (4000, "done")


def test_an_actor_that_hibernates_no_longer_is_still_resumed() -> None:
    """ACK-G-18: a new version of an actor may stop hibernating; what its durable state has seen is told all the same."""
    world = World()
    world.runner("a", CLASSES)
    client = world.client("ledger.1")
    client.says("one", "sleep")
    world.wait(100)
    for pipe in list(world.pipes):
        pipe.runner.kill()
    world.runner("b", {"ledger": type("Plain", (Ledger,), {"hibernates": False})})
    client.says("two")
    world.wait(100)
    assert (client.closed, states(client)[:3]) == (None, ["open", "up", "plain"])
    assert state_of(world, "ledger.1")["seen"] == ["one", "two"]


def test_a_repeated_open_finds_the_listener_attached() -> None:
    """CONN-R-03, EVT-R-06: an open of a socket that is open is answered afresh, and the actor does not listen twice."""
    world = World()
    taken: list[str] = []
    runner = world.runner("a", CLASSES)
    runner.core.observer = lambda driver, before, event, outcome: taken.extend(
        passed.transition.id for passed in outcome[2].steps
    )
    client = world.client("ledger.1")
    (link,) = world.gateway.links.values()
    link.send_tunnel(client.entry.request_id, b"again".ljust(16), ToClientWebSocketOpen("ledger.1", "/", ()))
    world.wait(10)
    assert "CONN-R-03" in taken
    assert "EVT-R-06" not in taken


def test_a_late_ack_of_an_earlier_entry_breaks_no_rule() -> None:
    """TUN-R-05, P-HONEST-G: after a sleep the same request has a new entry; a TunnelAck for the old one's message is late, not
    foreign; one that this runner never asked for is foreign."""
    world = World()
    runner = world.runner("a", CLASSES)
    client = world.client("ledger.1")
    request = client.entry.request_id
    old = message_id(runner.core.entries[request].prefix, 1)
    client.says("sleep")
    world.wait(100)
    client.says("one")
    world.wait(100)
    (link,) = world.gateway.links.values()
    link.send_tunnel(request, old, TunnelAck())
    world.settle()
    assert [fields for who, event, fields in world.logs if event == "violation"] == []
    link.send_tunnel(request, bytes(16), TunnelAck())
    world.settle()
    assert [fields["rule"] for who, event, fields in world.logs if event == "violation"] == ["TUN-R-06"]
