"""What one side is held to: when a gateway knows that a link is gone, and which waits show that it does not act too early."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunnelconform import conversation as talk
from tunnelconform.around_dialler import STOPS, AroundDialler, Plug
from tunnelconform.around_gateway import CLIENT, AroundGateway, Known, Links
from tunnelconform.around_link import SOCKET, AroundLink, Perhaps
from tunnelconform.around_request import AroundRequest, Head
from tunnelconform.around_runner import STOPS as ENDS
from tunnelconform.around_runner import Actor, AroundRunner, Begins
from tunnelconform.cases import timely
from tunnelconform.lag import LONG_MS, UNREAD, Lag
from tunnelconform.model_gateway import Bounds, GatewayModel, Spent
from tunnelconform.oracle import Oracle, Told
from tunnelconform.play_gateway import BY_ITSELF
from tunnelconform.side import Side
from tunnelconform.subject_reference import ReferenceGateway
from tunnelspec.connection import UNAVAILABLE
from tunnelspec.endpoint import GATEWAY, HTTP_GATEWAY, LINK_GATEWAY, LINK_RUNNER, RUNNER
from tunnelspec.events import (
    ActorStops,
    ClientClosed,
    ClientConnected,
    ClientMessage,
    CloseClient,
    HangUp,
    LinkLost,
    LinkUp,
    Replaced,
    RequestBegun,
    RunnerStops,
)
from tunnelspec.frames import (
    ProtocolMetadata,
    ToClientInit,
    ToClientRequestAbort,
    ToClientRequestStart,
    ToClientWebSocketClose,
    ToClientWebSocketMessage,
    ToClientWebSocketOpen,
    ToServerInit,
    ToServerResponseAbort,
    ToServerResponseStart,
    ToServerStopping,
    ToServerWebSocketClose,
    ToServerWebSocketMessage,
    ToServerWebSocketMessageAck,
    ToServerWebSocketOpen,
    TunnelAck,
)
from tunnelspec.limits import DEFAULT
from tunnelspec.machine import Received

GRACE_MS = 100
MAX_HIBERNATION_MS = 500
INIT = Received(ToServerInit("r", 1, 1, None, None, None), 1)


def allows(side: Side, channel: int, what: object, time_ms: int, message_id: bytes = b"") -> bool:
    """Whether it may say that."""
    side.says(channel, what, time_ms, message_id)
    return not side.over


@given(st.integers(10, 900), st.integers(1, 900))
def test_a_link_that_was_replaced_is_known_to_be_gone_since_then(replaced: int, later: int) -> None:
    """LINK-G-11: seen late on a busy machine, but known at once; what it then does is timed from there."""
    limits = ReferenceGateway().limits
    oracle = Oracle(LINK_GATEWAY, AroundLink(), limits)
    side = Side("link", oracle, oracle.start(), 2_000)
    side.told(Told(SOCKET, LinkUp(1), 0, 1))
    side.told(Told(SOCKET, INIT, 0, 2))
    assert allows(side, SOCKET, ToClientInit("x", -1, ProtocolMetadata(1)), 3)
    side.told(Told(BY_ITSELF, Replaced(replaced), 0, replaced))
    closed = HangUp(1001, "replaced by another link of the same runner")
    assert side.since(SOCKET, closed, replaced + later) == replaced
    assert side.since(SOCKET, HangUp(1006, ""), replaced + later) == replaced + later


def test_a_wait_that_is_to_be_too_short_is_so_whatever_was_waited_for_before() -> None:
    """HIB-G-09: a sleeper that had slept for a while was to be woken and wait no longer than that; it expired first."""
    limits = replace(ReferenceGateway().limits, ack_timeout_ms=900, max_hibernation_ms=2_600)
    model = GatewayModel(limits, Bounds(Spent()))
    asleep = (talk.Join(), talk.Connect(), talk.AckArrival(), talk.Answer(), talk.Close(retry=True))
    last = talk.Wait(limit="max_hibernation_ms")
    twins = dict(timely(model, (*asleep, last), "HIB-G-09"))
    assert twins["not-yet"] == (*asleep, talk.Wait(limit="max_hibernation_ms", short=True))
    slept = (*asleep, talk.Wait(limit="ack_timeout_ms"), talk.Wait(limit="ack_timeout_ms"), talk.Say(text="m1"))
    assert "not-yet" not in dict(timely(model, (*slept, talk.Wait(limit="ack_timeout_ms")), "HIB-G-09"))


@pytest.mark.parametrize("slept", [1, 2])
def test_a_sleeper_that_is_too_old_expires_before_the_timer_of_its_open(slept: int) -> None:
    """HIB-G-09: a gateway collects all along; the model did so at the end of a wait, behind what came due in it (CONN-G-06)."""
    limits = replace(ReferenceGateway().limits, ack_timeout_ms=900, max_hibernation_ms=2_600, open_timeout_ms=2_500)
    model = GatewayModel(limits, Bounds(Spent()))
    asleep = (talk.Join(), talk.Connect(), talk.AckArrival(), talk.Answer(), talk.Close(retry=True))
    woken = (*asleep, *[talk.Wait(limit="ack_timeout_ms")] * slept, talk.Say(text="m1"))
    _, felt = model.do(model.after(woken), talk.Wait(limit="max_hibernation_ms"))
    taken = [step.transition.id for step in felt]
    assert "HIB-G-09" in taken
    assert not {"CONN-G-06", "CONN-G-07"} & {*taken}


def test_a_link_may_be_replaced_or_not_until_its_successor_is_welcome() -> None:
    """LINK-G-11: a successor that comes to nothing replaces nothing; one that is welcome does."""
    oracle = Oracle(LINK_GATEWAY, AroundLink(), ReferenceGateway().limits)
    side = Side("link", oracle, oracle.start(), 100)
    for event in (LinkUp(1), INIT):
        side.told(Told(SOCKET, event, 0, 2))
    assert allows(side, SOCKET, ToClientInit("x", -1, ProtocolMetadata(1)), 3)
    side.told(Told(BY_ITSELF, Perhaps(Replaced(4)), 0, 4))
    assert side.silent_until(400)
    side.told(Told(BY_ITSELF, Replaced(401), 0, 401))
    assert not side.silent_until(600)


@given(st.lists(st.tuples(st.integers(0, 3_000), st.integers(0, 3_000)), max_size=60), st.integers(50, 3_000))
def test_time_that_was_not_the_subjects_own_is_made_up_for(beats: list[tuple[int, int]], grace_ms: int) -> None:
    """Behind what is allowed there lies as much time as is allowed, in which this process could run, or worked itself, if not long
    without a pause; what came with the last beats may be unread, whoever worked."""
    lag, now_ms, lost = Lag(), 0.0, list[tuple[float, float]]()
    for place, (late, worked) in enumerate(beats):
        lag.due(now_ms)
        now_ms += 20 + late
        lag.beat(now_ms, worked)
        lost.append((now_ms, late if place >= len(beats) - UNREAD or late >= LONG_MS else max(0, late - worked)))
    more = lag.over(grace_ms, now_ms)
    assert more <= sum(by for _, by in lost)
    assert more == sum(by for when, by in lost if when >= now_ms - grace_ms - more)
    lag.due(now_ms)
    assert lag.over(grace_ms, now_ms + 20) == more  # a beat that is not late yet
    assert lag.over(grace_ms, now_ms + 520) == more + 500


class Opening:
    """A gateway whose client has connected, and said something before its runner answers, or after."""

    def __init__(self, says: int, opened: bool) -> None:
        self.links = Links()
        self.links.joined(1, 1)
        around = AroundGateway(GATEWAY, ReferenceGateway().limits, self.links, GRACE_MS)
        oracle = Oracle(GATEWAY, around, ReferenceGateway().limits, supposed=10)
        self.side = Side("gateway", oracle, oracle.start(memory=Known()), GRACE_MS)
        self.time = 1
        self.side.told(Told(CLIENT, ClientConnected(), 0, self._now()))
        assert self.says(ToClientWebSocketOpen("a", "/", ()), b"open")
        self.hears(TunnelAck(), b"open")
        if opened:
            self.hears(ToServerWebSocketOpen(True, -1))
        for number in range(1, says + 1):
            self.side.told(Told(CLIENT, ClientMessage(f"m{number}".encode(), False, 50, 0, self.time), 0, self._now()))

    def _now(self) -> int:
        self.time += 1
        return self.time

    def hears(self, frame: object, id_: bytes = b"") -> None:
        self.side.hears(1, frame, id_ or self._now().to_bytes(2), self.time)

    def says(self, frame: object, id_: bytes = b"") -> bool:
        return allows(self.side, 1, frame, self._now(), id_ or self.time.to_bytes(2))

    def passes_on(self, number: int) -> bool:
        return self.says(ToClientWebSocketMessage(number, f"m{number}".encode(), False))


class CutOff(Opening):
    """Its client is cut off while what it said is still on its way."""

    def __init__(self, says: int, opened: bool) -> None:
        super().__init__(says, opened)
        self.links.gone.add(CLIENT)
        self.side.loses(CLIENT, [ClientClosed(None, None, self.time)], self._now())


@given(st.integers(0, 3), st.integers(0, 3), st.booleans())
def test_of_what_a_client_said_that_was_cut_off_any_beginning_may_have_been_read(
    said: int, read: int, opened: bool
) -> None:
    """CONN-G-18, ACK-G-20: it lay unread before the gateway, and was read once the tunnel was open; the close came behind it."""
    cut = CutOff(said, opened)
    if not opened:
        cut.hears(ToServerWebSocketOpen(True, -1))
    assert all(cut.passes_on(number) for number in range(1, min(said, read) + 1))
    assert cut.says(ToClientWebSocketClose(None, None))
    assert not cut.passes_on(read + 1)


@given(st.integers(1, 3))
def test_of_what_a_client_said_nothing_is_left_out_before_what_was_read(said: int) -> None:
    """ACK-G-06: what is passed on begins with the first."""
    cut = CutOff(said, opened=False)
    cut.hears(ToServerWebSocketOpen(True, -1))
    assert not cut.says(ToClientWebSocketMessage(1, b"m2", False))


@given(st.integers(600, 2_200), st.booleans())
def test_a_link_that_may_be_taken_for_silent_may_be_missed_by_the_next_try(later: int, doubted: bool) -> None:
    """LINK-G-09, CONN-G-04: whoever was held up and read no pings looks for a runner in vain, long before one sees that it has
    closed the link."""
    gateway = Opening(1, opened=True)
    assert gateway.passes_on(1)
    if doubted:
        gateway.links.doubted.add(1)
    lost = gateway.time
    gateway.side.told(Told(BY_ITSELF - 1, LinkLost(1, lost), 0, lost))
    gateway.time += later
    gateway.side.lag_ms = later
    assert allows(gateway.side, CLIENT, CloseClient(1011, UNAVAILABLE), gateway.time) == doubted


@given(st.integers(2_400, 9_000))
def test_what_was_said_before_one_heard_it_is_not_late(heard: int) -> None:
    """LINK-G-03: a suite that is held up while it dials introduces its runner too late, and hears only then that it was."""
    around = AroundLink()
    oracle = Oracle(LINK_GATEWAY, around, ReferenceGateway().limits)
    side = Side("link", oracle, oracle.start(), GRACE_MS)
    side.told(Told(SOCKET, LinkUp(1), 0, 1))
    around.open_ms = heard
    side.told(Told(SOCKET, INIT, 0, heard))
    assert allows(side, SOCKET, HangUp(1008, "ToServerInit is missing"), heard + GRACE_MS)


@given(st.booleans(), st.booleans())
def test_an_answer_that_crosses_the_next_try_may_end_it_for_the_relay(answers: bool, speaks: bool) -> None:
    """REQ-G-46, RELAY-G-05, RELAY-G-10: a runner aborts a request, answers it all the same, and is lost on the next try. Where the
    gateway read the answer behind the try that it had sent, its relay holds that for answered, and says nothing of the loss."""
    limits, links = ReferenceGateway().limits, Links()
    links.joined(1, 1)
    around = AroundRequest(HTTP_GATEWAY, limits, links, GRACE_MS)
    oracle = Oracle(HTTP_GATEWAY, around, limits, supposed=10)
    side = Side("gateway", oracle, oracle.start(memory=Known()), GRACE_MS)
    request = ToClientRequestStart("", "GET", "/", (), None, False)
    again = 5 + limits.backoff_ms
    side.told(Told(CLIENT, RequestBegun(request), 0, 2))
    assert allows(side, 1, request, 3, b"try 1")
    side.hears(1, ToServerResponseAbort(), b"abort", 4)
    assert allows(side, 1, ToClientRequestAbort(), 5, b"over")
    if answers:
        side.hears(1, ToServerResponseStart(200, (), b"", False), b"answer", again)
    assert allows(side, 1, request, again + 1, b"try 2")
    links.lost(1, again + 50)
    side.loses(1, [LinkLost(1, again + 50)], again + 50)
    if speaks:
        assert allows(side, CLIENT, Head(503), again + 51)
    else:
        assert side.silent_until(again + 50 + GRACE_MS) == answers


def opened(hibernates: bool) -> Side:
    """A runner whose actor has taken a socket."""
    limits = replace(DEFAULT, runner_ack_timeout_ms=400, max_hibernation_ms=MAX_HIBERNATION_MS)
    oracle = Oracle(RUNNER, AroundRunner(limits), limits)
    side = Side("runner", oracle, oracle.start(memory=Actor(hibernates)), GRACE_MS)
    side.told(Told(1, Begins(), 0, 1))
    side.hears(1, ToClientWebSocketOpen("a", "/", ()), b"o", 1)
    assert allows(side, 1, TunnelAck(), 2, b"o")
    assert allows(side, 1, ToServerWebSocketOpen(hibernates, -1), 3, b"r")
    return side


@given(lost=st.integers(10, 40))
def test_what_a_subject_was_told_it_has_worked_on_in_time_whatever_came_before(lost: int) -> None:
    """CONN-R-16, TUN-R-07: a lost link is known before the wait for an ack on it is over, where that is longer than a runner may
    take; so its socket sleeps since then, and is forgotten in time (HIB-R-06)."""
    side = opened(hibernates=True)
    side.loses(1, [LinkLost(1, lost)], lost)
    assert side.silent_until(600)
    assert {h.state[RUNNER.place("hibernation")].context.since for h in side.hypotheses} == {lost}


@given(
    closes=st.booleans(), age=st.integers(GRACE_MS, 900), late=st.integers(0, GRACE_MS // 2), remembers=st.booleans()
)
def test_a_life_may_begin_without_what_is_too_old_and_not_without_what_is_not(
    closes: bool, age: int, late: int, remembers: bool
) -> None:
    """HIB-R-06, HIB-R-07, HIB-R-16: what the durable state knows of a socket outlives the actor's life, up to the maximum age."""
    side = opened(hibernates=True)
    text, stopped = (b"close 4001 enough" if closes else b"m"), 12
    side.hears(1, ToClientWebSocketMessage(1, text, False), b"m", 4)
    answered = [TunnelAck(), *([ToServerWebSocketClose(4001, "enough", False)] if closes else [])]
    assert all(allows(side, 1, frame, 5, b"m") for frame in answered)
    side.told(Told(ENDS, ActorStops(stopped), 0, stopped))
    if not closes:
        assert allows(side, 1, ToServerWebSocketMessageAck(1), stopped + 1, b"a")
        assert allows(side, 1, ToServerWebSocketClose(None, None, True), stopped + 1, b"c")
    begins = stopped + age
    side.told(Told(1, Begins(), 0, begins))
    side.hears(1, ToClientWebSocketOpen("a", "/", ()), b"p", begins)
    assert allows(side, 1, TunnelAck(), begins + late, b"p")
    known = ToServerWebSocketClose(4001, "enough", False) if closes else ToServerWebSocketOpen(True, 1)
    since = 4 if closes else stopped
    may_be_forgotten = begins + late - since > MAX_HIBERNATION_MS
    answer = known if remembers else ToServerWebSocketOpen(True, -1)
    assert allows(side, 1, answer, begins + late, b"s") == (remembers or may_be_forgotten)


@given(st.integers(0, 3))
def test_an_open_may_be_answered_before_what_waits_for_its_handler(first: int) -> None:
    """CONN-R-03, CONN-R-07: the answer to a repeated open comes anywhere among what the actor still says; that keeps its order."""
    side = opened(hibernates=False)
    for number in (1, 2, 3):
        side.hears(1, ToClientWebSocketMessage(0, b"state", False), b"m%d" % number, 4)
        side.says(1, TunnelAck(), 5, b"m%d" % number)
    side.hears(1, ToClientWebSocketOpen("a", "/", ()), b"p", 6)
    side.says(1, TunnelAck(), 7, b"p")
    said = [ToServerWebSocketMessage(b"%d" % number, False) for number in (1, 2, 3)]
    said_and_answered = (*said[:first], ToServerWebSocketOpen(False, -1), *said[first:])
    for place, frame in enumerate(said_and_answered):
        side.says(1, frame, 8, b"x%d" % place)
        assert not side.problem
    side.says(1, said[-1], 9, b"y")
    assert side.problem


@given(st.integers(302, 500), st.booleans())
def test_who_has_closed_its_link_owes_nothing_on_it(until: int, closes: bool) -> None:
    """LINK-R-04, LINK-R-08: a runner whose ping is due about when it stops closes the link first, late as it may be."""
    limits = replace(DEFAULT, ping_interval_ms=300)
    around = AroundDialler()
    oracle = Oracle(LINK_RUNNER, around, limits)
    side = Side("link", oracle, oracle.start(LINK_RUNNER.start({"link": "joining"}), memory=Plug(True)), GRACE_MS)
    side.told(Told(SOCKET, Received(ToClientInit("x", -1, ProtocolMetadata(1)), 1), 0, 1))
    side.told(Told(STOPS, RunnerStops(250), 0, 250))
    assert allows(side, SOCKET, ToServerStopping(), 330)
    assert allows(side, SOCKET, HangUp(1001, "runner stops"), 340)
    if closes:
        side.closes(SOCKET)
        around.hung_up = True
    assert side.silent_until(until) == closes


def waiting(joined: int) -> Side:
    """A gateway whose client found no runner; one joined meanwhile, so that it is offered the socket when the backoff is over."""
    limits, links = ReferenceGateway().limits, Links()
    oracle = Oracle(GATEWAY, AroundGateway(GATEWAY, limits, links, GRACE_MS), limits, supposed=10)
    side = Side("gateway", oracle, oracle.start(memory=Known()), GRACE_MS)
    side.told(Told(CLIENT, ClientConnected(), 0, 0))
    links.joined(1, joined)
    return side


@given(st.integers(1, 200), st.integers(1, GRACE_MS), st.data())
def test_what_comes_while_something_is_late_may_be_worked_on_before_it(
    joined: int, late: int, data: st.DataObject
) -> None:
    """CONN-G-28, CONN-G-49: the client left when the next try was due, but not begun yet, as late as it may be: there is none."""
    side, due = waiting(joined), ReferenceGateway().limits.backoff_ms
    side.told(Told(CLIENT, ClientClosed(1000, "done", due + late), 0, due + late))
    looks = st.integers(due + 1, due + late + 1).filter(lambda before: before + GRACE_MS > due + late)
    for before in sorted(data.draw(st.lists(looks, min_size=1, max_size=3))):
        assert side.silent_until(before)


@given(st.integers(1, 200), st.integers(1, 200))
def test_what_comes_when_something_is_too_late_excuses_nothing(joined: int, later: int) -> None:
    """CONN-G-02: the next try was to have begun before the client left."""
    side, due = waiting(joined), ReferenceGateway().limits.backoff_ms
    left = due + GRACE_MS + 1 + later
    side.told(Told(CLIENT, ClientClosed(1000, "done", left), 0, left))
    assert not side.silent_until(due + 1)


@pytest.mark.parametrize("first", ["actor", "client"])
def test_an_actor_may_close_what_the_client_has_closed(first: str) -> None:
    """CONN-R-25: its close is durable with what else its handler did, so that the next open is answered with it (CONN-R-06)."""
    side = opened(hibernates=True)
    side.hears(1, ToClientWebSocketMessage(1, b"close 4001 bye", False), b"m", 4)
    side.hears(1, ToClientWebSocketClose(1000, "done"), b"c", 4)
    for id_ in (b"m", b"c"):
        assert allows(side, 1, TunnelAck(), 5, id_)
    side.hears(1, ToClientWebSocketOpen("a", "/", ()), b"p", 6)
    assert allows(side, 1, TunnelAck(), 7, b"p")
    closed = (4001, "bye") if first == "actor" else (1000, "done")
    assert allows(side, 1, ToServerWebSocketClose(*closed, retry=False), 8, b"s")
    assert side.silent_until(200)
