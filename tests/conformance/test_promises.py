"""Promises to a client: a faithful conversation keeps them, and whatever is lost, doubled, swapped or altered in it breaks the one
that has its name, whatever the tables or a profile say."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conformance.talked import GRACE_MS, Talk, places
from tunnelconform import conversation as talk
from tunnelconform.active import shortest
from tunnelconform.cases import Case
from tunnelconform.conversation import Conversation
from tunnelconform.html_report import to_html
from tunnelconform.junit import to_xml
from tunnelconform.played import Played, Verdict
from tunnelconform.plays import gateway_play
from tunnelconform.profiles import STRICT, Profile
from tunnelconform.promises import Account, Closed, Gone, Left, Words, gateway
from tunnelconform.report import Report, entry_of, failure_of, from_json, to_json
from tunnelconform.session import Session
from tunnelconform.shrink import signature
from tunnelconform.subject_reference import SHORT
from tunnelconform.subject_within import GatewayWithin
from tunnelconform.terminal import Finding, shown
from tunnelspec.deviations import DEVIATIONS, Deviation, Line, says_nothing
from tunnelspec.endpoint import MACHINES
from tunnelspec.frames import (
    ToClientWebSocketClose,
    ToClientWebSocketMessage,
    ToServerWebSocketClose,
    ToServerWebSocketMessage,
    ToServerWebSocketMessageAck,
)


@dataclass(frozen=True)
class Life:
    """One life of an actor: how many messages the client says before and in it, how many are acked, what the actor says."""

    before: int
    during: int
    acked: float
    told: int
    sleeps: bool  # it is closed with retry; else its link breaks


lives = st.lists(
    st.builds(Life, st.integers(0, 3), st.integers(0, 3), st.floats(0, 1), st.integers(0, 2), st.booleans()),
    min_size=1, max_size=4,
)  # fmt: skip


def faithful(lived: Sequence[Life]) -> Talk:
    """What a faithful gateway's conversation looks like."""
    talk, count, acked = Talk(), 0, 0
    for link, life in enumerate(lived, 1):
        for _ in range(life.before):
            if link > 1:
                count += 1
                talk.says(count)
        talk.opens(link, acked or -1)
        for number in range(acked + 1, count + 1):
            talk.brings(link, number)
        for _ in range(life.during):
            count += 1
            talk.says(count)
            talk.brings(link, count)
        for number in range(life.told):
            talk.tells(link, f"t{link}.{number}")
        through = acked + round((count - acked) * life.acked)
        if through > acked:
            acked = through
            talk.acks(link, acked)
        if link < len(lived):
            talk.add(link, True, ToServerWebSocketClose(None, None, True) if life.sleeps else Gone())
    return talk


def came_before(talk: Talk, place: int) -> bool:
    """Whether the message at that place is one that came before: it is sent again."""
    return any(f.what == talk.facts[place].what for f in talk.facts[:place])


@given(lives)
def test_a_faithful_conversation_breaks_nothing(lived: list[Life]) -> None:
    """At each of its moments: nothing is broken, and at its end nothing is owed."""
    talk = faithful(lived)
    for length in range(len(talk.facts) + 1):
        assert gateway(talk.facts[:length], length, GRACE_MS).broken is None
    assert talk.judged() == Account()


@given(lives, st.data())
def test_a_message_that_is_left_out_is_missed(lived: list[Life], data: st.DataObject) -> None:
    talk = faithful(lived)
    came = places(talk, ToClientWebSocketMessage, False)
    if not came:
        return
    place = data.draw(st.sampled_from(came))
    link, again = talk.facts[place].channel, came_before(talk, place)
    more = [n for n in came if n > place and talk.facts[n].channel == link]
    last_life = link == len(lived)
    del talk.facts[place]
    if not more and not last_life:  # what was on its way may be lost with the link
        assert talk.broken in ("", "P-REPLAY-EXACT", "P-LOSS-KNOWN")
    elif again:
        assert talk.broken == "P-REPLAY-EXACT"
    else:
        assert talk.broken == ("P-GAP-LOUD" if more else "P-LOSS-KNOWN")


@given(lives, st.data())
def test_a_message_that_comes_twice_is_noticed(lived: list[Life], data: st.DataObject) -> None:
    """In the same life: with its index P-NO-DUP, or P-ACK-KEPT if it was acked meanwhile; under a fresh index P-NO-DUP."""
    talk = faithful(lived)
    came = places(talk, ToClientWebSocketMessage, False)
    if not came:
        return
    place = data.draw(st.sampled_from(came))
    talk.facts.insert(place + 1, talk.facts[place])
    assert talk.broken == "P-NO-DUP"


@given(lives, st.data())
def test_messages_that_are_swapped_are_noticed(lived: list[Life], data: st.DataObject) -> None:
    talk = faithful(lived)
    came = places(talk, ToClientWebSocketMessage, False)
    pairs = [(a, b) for a, b in pairwise(came) if b == a + 1]
    if not pairs:
        return
    one, two = data.draw(st.sampled_from(pairs))
    again = came_before(talk, one)
    talk.facts[one], talk.facts[two] = talk.facts[two], talk.facts[one]
    assert talk.broken == ("P-REPLAY-EXACT" if again else "P-GAP-LOUD")


@given(lives, st.data())
def test_a_message_that_is_altered_is_noticed(lived: list[Life], data: st.DataObject) -> None:
    talk = faithful(lived)
    came = places(talk, ToClientWebSocketMessage, False)
    if not came:
        return
    place = data.draw(st.sampled_from(came))
    again, fact = came_before(talk, place), talk.facts[place]
    how = data.draw(st.sampled_from([{"data": fact.what.data + b"!"}, {"binary": not fact.what.binary}]))
    talk.facts[place] = fact._replace(what=replace(fact.what, **how))
    assert talk.broken == ("P-REPLAY-EXACT" if again else "P-LOSS-KNOWN")


@given(lives, st.data())
def test_what_the_actor_says_comes_once_and_in_order(lived: list[Life], data: st.DataObject) -> None:
    """P-DELIVER if it is left out, altered or overtaken, P-ASYM if it comes again."""
    talk = faithful(lived)
    heard = places(talk, Words, False)
    if not heard:
        return
    place = data.draw(st.sampled_from(heard))
    fact, how = talk.facts[place], data.draw(st.sampled_from(["drop", "twice", "alter", "again"]))
    if how == "drop":
        del talk.facts[place]
        life, _, number = fact.what.data.removeprefix(b"t").partition(b".")
        overtaken = int(number) + 1 < lived[int(life) - 1].told
        alive = int(life) == len(lived)  # else it may have been lost with its link
        assert talk.broken == ("P-DELIVER" if overtaken or alive else "")
    elif how == "alter":
        talk.facts[place] = fact._replace(what=Words(fact.what.data + b"!", fact.what.binary))
        assert talk.broken == "P-DELIVER"
    else:
        talk.facts.insert(place + 1 if how == "twice" else len(talk.facts), fact)
        assert talk.broken == "P-ASYM"


def awake(*, count: int = 3, link: int = 1, told: int = 0) -> Talk:
    """A conversation in which so many messages came, and none was acked."""
    talk = faithful([Life(0, count, 0, told, True)])
    assert talk.broken == ""
    return talk


def test_a_message_comes_no_more_once_it_was_acked() -> None:
    """P-ACK-KEPT: over the same link, and over the next, whose actor says what it has, or is not asked."""
    talk = awake()
    talk.acks(1, 2)
    for link, opened in ((1, False), (2, False), (2, True)):
        again = Talk(list(talk.facts), talk.ids)
        if link == 2:
            again.add(1, True, Gone())
        if opened:
            again.opens(2, 1)  # the actor has forgotten what it acked
        again.brings(link, 2)
        assert again.broken == "P-ACK-KEPT"


def test_a_message_comes_no_more_once_last_msg_index_covers_it() -> None:
    talk = awake()
    talk.add(1, True, Gone())
    talk.opens(2, 2)
    talk.brings(2, 2)
    assert talk.broken == "P-NO-DUP"


def test_an_ack_that_may_have_been_lost_with_its_link_binds_nobody() -> None:
    """It was cut off: both what was acked and what was not may be sent again, but no less."""
    for first in (1, 2, 3):
        talk = awake()
        talk.add(1, True, ToServerWebSocketMessageAck(2))
        talk.add(1, True, Gone())
        for number in range(first, 4):
            talk.brings(2, number)
        assert talk.broken == ""
    talk = awake()
    talk.add(1, True, ToServerWebSocketMessageAck(2))
    talk.add(1, True, ToServerWebSocketClose(None, None, True))  # behind it: the ack was heard
    talk.brings(2, 2)
    assert talk.broken == "P-ACK-KEPT"


def test_indices_have_no_gap_and_none_stands_for_two_messages() -> None:
    """P-GAP-LOUD; a message that comes again under another index is P-REPLAY-EXACT."""
    talk = awake()
    talk.says(4)
    talk.brings(1, 4, 5)
    assert talk.broken == "P-GAP-LOUD"
    talk = awake()
    talk.says(4)
    talk.brings(1, 4, 3)
    assert talk.broken == "P-GAP-LOUD"
    talk = awake()
    talk.add(1, True, Gone())
    talk.opens(2)
    talk.brings(2, 1, 4)
    assert talk.broken == "P-REPLAY-EXACT"


def test_a_socket_that_cannot_hibernate_has_one_index_for_all() -> None:
    """What came is known by its words then."""
    talk = Talk()
    talk.opens(1, can_hibernate=False)
    for number in (1, 2, 3):
        talk.says(number)
    for number in (1, 2):
        talk.brings(1, number, 0)
    assert talk.judged(0).broken is None
    for other, name in ((2, "P-NO-DUP"), (3, "")):
        again = Talk(list(talk.facts), talk.ids)
        again.brings(1, other, 0)
        assert again.broken == name
    assert talk.broken == "P-LOSS-KNOWN"


def test_what_is_owed_is_waited_for() -> None:
    """Not a moment too soon: until then one is told how long to wait."""
    talk = awake()
    talk.says(4)
    due = talk.facts[-1].time_ms + GRACE_MS
    assert gateway(talk.facts, due - 1, GRACE_MS) == Account(None, due)
    found = gateway(talk.facts, due, GRACE_MS).broken
    assert found is not None
    assert (found.property, "message 4" in found.says) == ("P-LOSS-KNOWN", True)


def test_who_is_told_or_gone_is_owed_nothing() -> None:
    """Nor who said something while nothing was open, which may reach the actor at any later time."""
    for ending in (Closed(1011), Left(1000, "done"), Left()):
        talk = awake()
        talk.says(4)
        talk.add(1, True, ToServerWebSocketMessage(b"t", False))
        talk.add(0, isinstance(ending, Left), ending)
        assert talk.broken == ""
    for way in (Gone(), ToServerWebSocketClose(None, None, True), ToServerWebSocketClose(4000, "x", False)):
        talk = awake()
        talk.add(1, True, way)
        talk.says(4)
        assert talk.broken == ""


def test_a_gap_of_which_the_client_is_told_is_none() -> None:
    talk = awake()
    talk.says(4)
    talk.says(5)
    talk.brings(1, 5, 4)
    assert talk.judged(0).broken is None
    assert talk.judged(0).due_ms
    assert talk.broken == "P-GAP-LOUD"
    talk.add(0, False, Closed(1011))
    assert talk.broken == ""


def test_a_gap_stays_one_though_the_message_comes_after_a_loss() -> None:
    """The message comes for the first time then, and not again."""
    talk = faithful([Life(0, 1, 1.0, 0, False), Life(0, 2, 0.0, 0, False), Life(0, 0, 0.0, 0, False)])
    place = places(talk, ToClientWebSocketMessage, False)[1]
    del talk.facts[place]
    assert talk.broken == "P-GAP-LOUD"


def test_a_close_comes_behind_what_was_said_before_it() -> None:
    """The client's own, known by its reason, and the actor's, known by a code that is the application's."""
    talk = awake()
    talk.says(4)
    talk.add(0, True, Left(1000, "done"))
    talk.add(1, False, ToClientWebSocketClose(1000, "done"))
    assert talk.broken == "P-LOSS-KNOWN"
    for code, name in ((4000, "P-DELIVER"), (1011, "")):
        talk = awake()
        talk.tells(1, "t", heard=False)
        talk.add(1, True, ToServerWebSocketClose(code, "x", False))
        talk.add(0, False, Closed(code))
        assert talk.broken == name


def test_the_actor_may_be_overtaken_by_nobody() -> None:
    talk = awake()
    talk.tells(1, "one", heard=False)
    talk.tells(1, "two")
    assert talk.broken == "P-DELIVER"


def test_what_was_on_its_way_when_the_actor_went_to_sleep_may_still_come() -> None:
    """A message crosses the close; what was not acked comes again after it, with an open or without one."""
    for opened in (True, False):
        talk = awake()
        talk.says(4)
        talk.add(1, True, ToServerWebSocketClose(None, None, True))
        talk.brings(1, 4)
        if opened:
            talk.opens(1)
        for number in (1, 2, 3, 4):
            talk.brings(1, number)
        assert talk.broken == ""


# -- over real sockets -----------------------------------------------------------------------------------------------

OPENED = (talk.Join(), talk.Connect(), talk.AckArrival(), talk.Answer())
LOST = (*OPENED, talk.Say(text="m1"), talk.Say(text="m2"), talk.Close(retry=True), talk.AckArrival(), talk.Answer())

SENDS_NOTHING = Deviation("sends-nothing", "A message is kept, and not sent.", (), False, (
    Line("ACK-G-06", after=says_nothing),))  # fmt: skip
DEPARTURES = {**DEVIATIONS, "sends-nothing": SENDS_NOTHING}

LOSSES: dict[str, tuple[Conversation, str]] = {
    "replay-stops": (LOST, "P-REPLAY-EXACT"),
    "reopen-clears": (LOST, "P-REPLAY-EXACT"),
    "sends-nothing": ((*OPENED, talk.Say(text="m1"), talk.Say(text="m2")), "P-LOSS-KNOWN"),
    "drops-silently": (
        (*OPENED, *(talk.Say(text=f"m{n}") for n in range(SHORT["max_pending_messages"] + 1))),
        "P-LOSS-KNOWN",
    ),
}
"""Departures by which a client loses something, a conversation in which it does, and what is then broken."""


def lenient(name: str) -> Profile:
    """A profile that allows that departure, and excuses whatever rests on any rule."""
    anything = {t.id: "by design" for machine in MACHINES for t in machine.transitions} | {"P-LOSS-KNOWN": "by design"}
    return Profile("lenient", "", deviations=(DEPARTURES[name],), excuses=anything)


def over_sockets(
    name: str, conversation: Conversation, profile: Profile, work: Callable[[Session], Awaitable[None]] | None = None
) -> Played:
    """The conversation, with a reference gateway that departs so, under that profile."""

    async def held() -> Played:
        subject = GatewayWithin((DEPARTURES[name],) if name else ())
        nature = await subject.start()

        async def play(steps: Conversation, goal: frozenset[str], lenient: bool) -> Played:
            return await gateway_play(subject, nature, steps, goal, lenient, profile, GRACE_MS).run()

        try:
            if work is not None:
                await work(Session("gateway", "", nature, profile, play, subject.alive, (), {}, None))
            return await play(conversation, frozenset(), False)
        finally:
            await subject.stop()

    return asyncio.run(held())


@pytest.mark.parametrize("name", LOSSES)
def test_no_profile_excuses_a_loss(name: str) -> None:
    """The oracle follows the tables that lose something, so that it has nothing to say; the promise is broken all the same."""
    conversation, promise = LOSSES[name]
    played = over_sockets(name, conversation, lenient(name))
    assert played.problem is None
    assert played.broken is not None
    assert played.broken.property == promise
    assert signature(played) == ("gateway", "promise", (promise,))
    assert over_sockets("", conversation, STRICT).broken is None


def test_a_broken_promise_is_a_failure_like_others_that_only_a_baseline_excuses() -> None:
    """It has an aspect of its own, is shrunk and confirmed, is drawn, and is in each report."""

    async def work(session: Session) -> None:
        results = await session.results((case,), lambda result: None)
        (result,) = (session.graded(result, {}, False) for result in results)
        assert (result.verdict, result.aspect, result.excused) == (Verdict.FAIL, "promise", "")
        assert session.graded(result, {case.id: "known"}, False).excused == "known"
        shrunk = await shortest(result, session)
        assert (shrunk.failed, shrunk.tried) == (3, 3)
        assert len(shrunk.played.conversation) == len(LOST) - 1
        finding = Finding(case, shrunk, (case.id,))
        entry, failure = entry_of(result, False), failure_of(finding)
        report = Report("gateway lossy", 1.0, (entry,), (failure,))
        assert from_json(json.loads(json.dumps(to_json(report)))).failures == (failure,)
        assert entry.rules == ("P-REPLAY-EXACT",)
        assert failure.promise is not None
        assert failure.promise["property"] == "P-REPLAY-EXACT"
        drawn = "\n".join(shown(case, shrunk.played, False, 132))
        for told in (drawn, to_html(report), to_xml(report)):
            assert "P-REPLAY-EXACT" in told
            assert "which was not acked, did not come again" in told

    case = Case("ACK-G-17/held", (*LOST, talk.Leave()), frozenset(), "says")
    over_sockets("reopen-clears", LOST, lenient("reopen-clears"), work)
