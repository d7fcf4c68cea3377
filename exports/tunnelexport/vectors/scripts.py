"""What happens in the conversations: a script each, named after what it shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tunnelexport.vectors.talk import Talk
from tunnelspec.ack import Queue
from tunnelspec.connection import Connection
from tunnelspec.endpoint import GATEWAY, HTTP_GATEWAY, HTTP_RUNNER, Local
from tunnelspec.events import (
    AckDue,
    ActorAccepts,
    ActorCloses,
    ActorFails,
    ActorListens,
    ActorRefuses,
    ActorResponds,
    ActorResponseBody,
    ActorSends,
    ActorStarted,
    ActorStops,
    BackoffOver,
    ClientClosed,
    ClientConnected,
    ClientMessage,
    Collect,
    Committed,
    Concluded,
    OpenTimeout,
    RequestBegun,
    RequestBody,
    RequestDropped,
    ResponseTimeout,
    RouteFailed,
    RouteFound,
)
from tunnelspec.frames import ToClientRequestStart, ToServerResponseStart

FRAME_BYTES = 40
"""What the wire adds to a message's data, about."""


def says(talk: Talk, *words: bytes) -> None:
    """The client sends messages."""
    for word in words:
        talk.now += 1
        talk.to_gateway(ClientMessage(word, False, len(word) + FRAME_BYTES, 0, talk.now))


def opened(talk: Talk, hibernates: bool = True, last: int = -1, link: int = 1) -> Talk:
    """A client connects, and the tunnel is open."""
    talk.link(link)
    talk.now += 1
    talk.to_gateway(ClientConnected())
    talk.to_gateway(RouteFound(link, talk.now))
    talk.to_runner(link, ActorAccepts(hibernates, last, False, talk.now), ActorListens())
    return talk


def commits(talk: Talk, *indices: int, link: int = 1) -> None:
    """The actor commits messages, and the batch of acks is due."""
    talk.now += 1
    talk.to_runner(link, *(Committed(index, talk.now) for index in indices))
    talk.now += 50
    talk.to_runner(link, AckDue(talk.now))


def sleeps(talk: Talk, link: int = 1) -> None:
    """The actor goes to sleep."""
    talk.now += 1
    talk.to_runner(link, ActorStops(talk.now))


def wakes(talk: Talk, last: int, link: int = 1, hibernates: bool = True) -> None:
    """The route is resolved afresh, and the actor takes the socket again."""
    talk.now += 1
    talk.to_gateway(RouteFound(link, talk.now))
    talk.to_runner(link, ActorAccepts(hibernates, last, last >= 0, talk.now), ActorListens())


# -- sockets ---------------------------------------------------------------------------------------------------------


def messages_and_acks() -> Talk:
    """Three messages, one cumulative ack, an answer, and the client's close (protocol 1 to 4, 7)."""
    talk = opened(Talk())
    says(talk, b"one", b"two", b"three")
    talk.to_runner(1, ActorSends(b"hello", False, talk.now))
    commits(talk, 1, 2, 3)
    talk.to_gateway(ClientClosed(1000, "bye", talk.now))
    talk.to_runner(1, Concluded(talk.now))
    return talk


def without_hibernation() -> Talk:
    """Every message carries index 0, and nothing is acked but its arrival (protocol 3)."""
    talk = opened(Talk(), hibernates=False)
    says(talk, b"one", b"two")
    talk.to_runner(1, ActorSends(b"\x00\xff", True, talk.now))
    talk.to_runner(1, ActorCloses(4001, "enough", talk.now))
    return talk


def sleep_and_replay() -> Talk:
    """The actor sleeps with two messages unprocessed; the re-open says so, and they are sent again (protocol 6)."""
    talk = opened(Talk())
    says(talk, b"one", b"two", b"three")
    commits(talk, 1)
    sleeps(talk)
    wakes(talk, 1)
    commits(talk, 2, 3)
    return talk


def sleep_and_wake_for_a_message() -> Talk:
    """With nothing pending nothing wakes the actor, until the client says something (protocol 6)."""
    talk = opened(Talk())
    says(talk, b"one")
    commits(talk, 1)
    sleeps(talk)
    talk.now += 60_000
    says(talk, b"two", b"three")
    wakes(talk, 1)
    commits(talk, 2, 3)
    return talk


def sleep_and_wake_for_the_actor() -> Talk:
    """The actor runs again for a cause of its own, and gets its socket back."""
    talk = opened(Talk())
    sleeps(talk)
    talk.to_gateway(ActorStarted(talk.now))
    wakes(talk, -1)
    talk.to_runner(1, ActorSends(b"back", False, talk.now))
    return talk


def close_while_asleep() -> Talk:
    """The client leaves a sleeping actor: what it sent is replayed after the wake, then its close follows."""
    talk = opened(Talk())
    sleeps(talk)
    says(talk, b"last words")
    talk.to_gateway(ClientClosed(1001, "going", talk.now))
    wakes(talk, -1)
    talk.to_runner(1, Concluded(talk.now))
    return talk


def closes_cross() -> Talk:
    """Client and actor close at once."""
    talk = opened(Talk())
    talk.silent = True
    talk.to_gateway(ClientClosed(1000, "", talk.now))
    talk.to_runner(1, ActorCloses(4000, "mine", talk.now))
    talk.silent = False
    talk.settle()
    return talk


def unknown_actor() -> Talk:
    """A runner without the actor answers with a final close; three retries, then the client is told (protocol 8, 12)."""
    talk = Talk()
    talk.link(1)
    talk.to_gateway(ClientConnected())
    for wait in (100, 200, 400, 0):
        talk.now += 1
        talk.to_gateway(RouteFound(1, talk.now))
        talk.to_runner(1, ActorRefuses(1011, "Actor not found", talk.now))
        talk.now += wait
        if wait:
            talk.to_gateway(BackoffOver(talk.now))
    return talk


def silent_runner() -> Talk:
    """Nobody answers the open: 2 s each time, then the back-off; the runner is told too (protocol 1, 8)."""
    talk = Talk()
    talk.link(1)
    talk.to_gateway(ClientConnected())
    for wait in (100, 200, 400, 0):
        talk.to_gateway(RouteFound(1, talk.now))
        talk.now += 2_000
        talk.to_gateway(OpenTimeout(talk.now))
        talk.now += wait
        if wait:
            talk.to_gateway(BackoffOver(talk.now))
    return talk


def no_runner() -> Talk:
    """No runner can take the actor: nothing is sent, and after three retries the client is told (protocol 8)."""
    talk = Talk()
    talk.to_gateway(ClientConnected())
    for wait in (100, 200, 400):
        talk.to_gateway(RouteFailed(talk.now))
        talk.now += wait
        talk.to_gateway(BackoffOver(talk.now))
    talk.to_gateway(RouteFailed(talk.now))
    return talk


def runner_lost() -> Talk:
    """The link breaks; the relay closes with retry, and another runner goes on where the durable state stands (protocol 11)."""
    talk = opened(Talk())
    says(talk, b"one", b"two")
    commits(talk, 1)
    talk.lose(1)
    talk.link(2)
    wakes(talk, 1, link=2)
    commits(talk, 2, link=2)
    return talk


def runner_lost_without_hibernation() -> Talk:
    """A socket that cannot hibernate ends with its link, and the client is told (protocol 6, 11)."""
    talk = opened(Talk(), hibernates=False)
    says(talk, b"one")
    talk.lose(1)
    return talk


def zombie() -> Talk:
    """A runner that was given up answers late: only the one that has the connection now counts (P-RACE-OPEN)."""
    talk = Talk()
    talk.link(1)
    talk.link(2)
    talk.to_gateway(ClientConnected(), RouteFound(1, talk.now))
    talk.now += 2_000
    talk.to_gateway(OpenTimeout(talk.now))
    talk.now += 100
    talk.to_gateway(BackoffOver(talk.now))
    wakes(talk, -1, link=2)
    says(talk, b"one")
    talk.to_runner(1, ActorAccepts(True, 7, True, talk.now), ActorListens(), ActorSends(b"late", False, talk.now))
    commits(talk, 1, link=2)
    return talk


def wrap_around() -> Talk:
    """A connection at 65 534 wakes: its next messages are 65 535, 0 and 1, and one ack covers them (protocol 3, 4)."""
    talk = Talk(connection=Connection(established=True), ack=Queue(acked=65_534, confirmed=True))
    places = {"connection": "asleep", "ack": "held", "hibernation": "asleep"}
    talk.gateway.state = talk.gateway.start = tuple(
        Local(places.get(machine.name, local.state), local.context)
        for machine, local in zip(GATEWAY.machines, talk.gateway.state, strict=True)
    )
    talk.link(1)
    says(talk, b"65535", b"0", b"1")
    wakes(talk, 65_534)
    commits(talk, 65_535, 0, 1)
    return talk


def lost_state() -> Talk:
    """An actor that has lost what it acked cannot be resumed: the client is told, never silently (P-RESUME-FAIL)."""
    talk = opened(Talk())
    says(talk, b"one", b"two")
    commits(talk, 1, 2)
    sleeps(talk)
    says(talk, b"three")
    wakes(talk, 1)
    return talk


def unacked_too_long() -> Talk:
    """A message that the actor does not ack in 30 s times out: at 30 000 ms it has not, at 30 001 it has (protocol 9)."""
    talk = opened(Talk())
    says(talk, b"one")
    sent = talk.now
    for late in (30_000, 30_001):
        talk.now = sent + late
        talk.to_gateway(Collect(talk.now))
    return talk


def too_much_at_once() -> Talk:
    """More than 1 MiB unacked: the client is told, and the actor gets the close (protocol 5)."""
    talk = opened(Talk())
    talk.now += 1
    talk.to_gateway(ClientMessage(b"big", False, 1 << 20, 0, talk.now), ClientMessage(b"more", False, 44, 0, talk.now))
    talk.to_runner(1, Concluded(talk.now))
    return talk


def slept_too_long() -> Talk:
    """A connection that slept for more than the maximum age ends, and the client is told (F15)."""
    talk = opened(Talk())
    sleeps(talk)
    for late in (0, 1):
        talk.now += 24 * 3_600_000 * (1 - late) + late
        talk.to_gateway(Collect(talk.now))
    return talk


def stops_hibernating() -> Talk:
    """An actor that no longer hibernates still gets all it has not seen; then nothing is kept (P-REPLAY-EXACT)."""
    talk = opened(Talk())
    says(talk, b"one", b"two")
    sleeps(talk)
    wakes(talk, -1, hibernates=False)
    says(talk, b"three")
    return talk


def late_listener() -> Talk:
    """What comes before the actor listens is kept, and given to it in order (protocol 12, P-EARLY)."""
    talk = Talk()
    talk.link(1)
    talk.to_gateway(ClientConnected(), RouteFound(1, 1))
    talk.to_runner(1, ActorAccepts(True, -1, False, 1))
    says(talk, b"one", b"two")
    talk.to_runner(1, ActorListens())
    return talk


# -- HTTP ------------------------------------------------------------------------------------------------------------

POST = ToClientRequestStart("a", "POST", "/upload?x=1", (("content-type", "text/plain"), ("host", "h")), None, True)


def _requested(start: ToClientRequestStart = POST) -> Talk:
    talk = Talk(HTTP_GATEWAY, HTTP_RUNNER)
    talk.link(1)
    talk.now += 1
    talk.to_gateway(RequestBegun(start), RouteFound(1, talk.now))
    return talk


def http_whole() -> Talk:
    """A request and its response, each in one frame (protocol 10)."""
    talk = _requested(ToClientRequestStart("a", "GET", "/", (), None, False))
    talk.to_runner(1, ActorResponds(ToServerResponseStart(200, (("content-type", "text/plain"),), b"hi", False), 2))
    return talk


def http_streamed() -> Talk:
    """A request's body and a response's, in pieces (protocol 10)."""
    talk = _requested()
    talk.to_gateway(RequestBody(b"first", False, 2), RequestBody(b"last", True, 3))
    talk.to_runner(
        1, ActorResponds(ToServerResponseStart(201, (), None, True), 4), ActorResponseBody(b"part", False, 5)
    )
    talk.to_runner(1, ActorResponseBody(b"", True, 6))
    return talk


def http_actor_fails() -> Talk:
    """The actor fails: the client gets 503 (protocol 10)."""
    talk = _requested()
    talk.to_runner(1, ActorFails(2))
    return talk


def http_no_answer() -> Talk:
    """No response in 2 s: the request is aborted, and the client gets 503 (protocol 10)."""
    talk = _requested()
    talk.now += 2_000
    talk.to_gateway(ResponseTimeout(talk.now))
    return talk


def http_client_leaves() -> Talk:
    """The client leaves in the middle of the response (protocol 10)."""
    talk = _requested()
    talk.to_runner(
        1, ActorResponds(ToServerResponseStart(200, (), None, True), 2), ActorResponseBody(b"part", False, 3)
    )
    talk.to_gateway(RequestDropped(4))
    return talk


def http_runner_lost() -> Talk:
    """The runner is lost in the middle of the response: the client must not take it for complete (protocol 11)."""
    talk = _requested()
    talk.to_runner(
        1, ActorResponds(ToServerResponseStart(200, (), None, True), 2), ActorResponseBody(b"part", False, 3)
    )
    talk.now = 4
    talk.lose(1)
    return talk


SOCKETS: tuple[Callable[[], Talk], ...] = (
    messages_and_acks, without_hibernation, sleep_and_replay, sleep_and_wake_for_a_message, sleep_and_wake_for_the_actor,
    close_while_asleep, closes_cross, unknown_actor, silent_runner, no_runner, runner_lost, runner_lost_without_hibernation,
    zombie, wrap_around, lost_state, unacked_too_long, too_much_at_once, slept_too_long, stops_hibernating, late_listener,
)  # fmt: skip
REQUESTS: tuple[Callable[[], Talk], ...] = (
    http_whole, http_streamed, http_actor_fails, http_no_answer, http_client_leaves, http_runner_lost,
)  # fmt: skip
SCRIPTS = (*SOCKETS, *REQUESTS)


def says_of(script: Callable[[], Any]) -> str:
    """A script's own sentence."""
    return " ".join((script.__doc__ or "").split())
