"""A gateway under stress: faults anywhere in a conversation, random walks, many messages, many connections."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from tunnelconform import conversation as talk
from tunnelconform.bulk import bulk
from tunnelconform.cases import Case
from tunnelconform.conversation import Conversation, Step
from tunnelconform.faults import MANY, PLAIN, VOLUME, WRAP, Fault, anywhere
from tunnelconform.model_gateway import MOST_BYTES, Bounds, GatewayModel, Spent
from tunnelconform.peers import wire_size
from tunnelconform.placing import placing
from tunnelconform.walks import Ground
from tunnelspec.limits import Limits

TALK: Conversation = (
    talk.Join(),
    talk.Connect(),
    talk.AckArrival(),
    talk.Answer(),
    talk.Say(text="m1"),
    talk.AckArrival(of="ToClientWebSocketMessage"),
    talk.Tell(text="r1"),
    talk.AckMessages(index=1),
    talk.Say(text="m2"),
    talk.Sleep(),
    talk.AckArrival(),
    talk.Answer(last=1),
    talk.Say(text="m3"),
    talk.AckMessages(index=3),
    talk.Leave(code=1000, reason="done"),
    talk.AckArrival(of="ToClientWebSocketClose"),
)
"""A conversation in which much happens; faults are put into it."""

FAULTS: tuple[Fault, ...] = (
    Fault("RELAY-G-09", "link-broken", (talk.Break(at_once=True), talk.Join())),
    Fault("RELAY-G-09", "said-meanwhile", (talk.Break(at_once=True), talk.Say(text="meanwhile"), talk.Join())),
    Fault("RELAY-G-09", "link-closed", (talk.Part(at_once=True), talk.Join())),
    Fault("RELAY-G-09", "runner-killed", (talk.Join(who="b"), talk.Break())),
    Fault("LINK-G-11", "runner-replaced", (talk.Join(),)),
    Fault("LINK-G-12", "garbled", (talk.Garble(hex="ff"), talk.Garble(hex="06"), talk.Garble(hex="00", text=True))),
    Fault("TUN-G-06", "stray-ack", (talk.AckArrival(stray=True),), after=3),
    Fault("TUN-G-05", "acked-twice", (talk.AckArrival(), talk.AckArrival()), after=3),
    Fault("ACK-G-10", "acked-ahead", (talk.AckMessages(index=9),)),
    Fault("ACK-G-09", "acked-again", (talk.AckMessages(index=0),)),
    Fault("CONN-G-15", "slow-reader", (talk.Deafen(ms=60), talk.Tell(text="r"), talk.Tell(text="s"))),
)

WALKS = Bounds(
    Spent(says=12, tells=6, answers=8, acks=8, closes=4, sleeps=2, joins=6, breaks=3, visits=1, strays=4, waits=2),
    runners=("a", "b"), large=True, patience_ms=2_000, depth=40,
)  # fmt: skip


def faults() -> Iterator[Case]:
    """Each fault at each place of a conversation."""
    return anywhere(FAULTS, TALK, first=2)


def rare(step: Step) -> bool:
    """What ends a tunnel or the socket, what takes time, and a second runner: else most walks would never open a socket."""
    ends = talk.Leave | talk.Vanish | talk.Close | talk.Sleep | talk.Break | talk.Visit | talk.Wait
    return isinstance(step, ends) or (isinstance(step, talk.Join) and step.who != "a")


def ground(limits: Limits) -> Ground:
    """Where one walks."""
    return Ground((GatewayModel(limits, WALKS),), rare)


def volume() -> Iterator[Case]:
    """Many messages, beyond the wrap of their index; and many connections."""
    start = (talk.Join(), talk.Connect(), talk.AckArrival())
    end = (talk.Say(text="last"), talk.Tell(text="r"), talk.Leave(code=1000, reason="done"))
    many = (talk.Flood(count=WRAP), *end)
    yield Case(
        "ACK-G-06/wrap-around", (*start, talk.Answer(), *many), frozenset(), "The index wraps, and nothing is lost."
    )
    plain = (talk.Answer(can_hibernate=False), talk.Flood(count=PLAIN, every=0), *end)
    yield Case("ACK-G-05/volume", (*start, *plain), frozenset(), "Many messages of a socket that cannot hibernate.")
    poured = (talk.Answer(), talk.Pour(count=VOLUME), *end)
    yield Case("CONN-G-15/volume", (*start, *poured), frozenset(), "Many messages of the actor's.")
    yield Case("CONN-G-02/many-at-once", TALK, frozenset(), f"{MANY} connections at once.", times=MANY)


def plainly_broken() -> Iterator[Case]:
    """The link of a socket that cannot hibernate breaks: whatever was on its way, the client must be told."""
    start = (talk.Join(), talk.Connect(), talk.AckArrival(), talk.Answer(can_hibernate=False), talk.Say(text="m1"))
    end = (talk.Join(), talk.Say(text="m2"), talk.Tell(text="r1"))
    meanwhile = (talk.Break(at_once=True), talk.Say(text="meanwhile", at_once=True))
    for name, fault in (("link-broken", (talk.Break(at_once=True),)), ("said-meanwhile", meanwhile)):
        says = "A socket that cannot hibernate ends with its link, and the client is told."
        yield Case(f"RELAY-G-09/{name}-plain", (*start, *fault, *end), frozenset(), says, lenient=True)


def room_again(limits: Limits) -> Iterator[Case]:
    """What is acked frees its room, however the acks come: one each time, or one for several. That the actor speaks after each ack
    shows that it is worked on, also where the subject's own acks do not tell."""
    start = (talk.Join(), talk.Connect(), talk.AckArrival(), talk.Answer())
    for name, count in (("each", 1), ("several", 4)):
        size, steps = limits.max_pending_bytes // count, list[Step](start)
        if size > MOST_BYTES:
            continue
        for index in range(1, 3 * count + 1):
            steps.append(talk.Say(text=f"m{index}", size=size))
            if index % count == 0:
                steps += [talk.AckMessages(index=index), talk.Tell(text=f"r{index}")]
        says = "An ack gives the room back that its messages took."
        yield Case(f"ACK-G-08/room-again-{name}", (*steps, talk.Leave(code=1000, reason="done")), frozenset(), says)


def just_room(limits: Limits) -> Iterator[Case]:
    """A message counts with the frame's own bytes, whatever its length takes there: one byte too many is too many."""
    start = (talk.Join(), talk.Connect(), talk.AckArrival(), talk.Answer())
    for data in (127, 128):  # the length takes one byte, or two
        first = wire_size(bytes(data), False)
        for word, over in (("room", 0), ("no-room", 1)):
            second = limits.max_pending_bytes - first + over
            if not first < second < MOST_BYTES:
                continue
            steps = (
                talk.Say(text="m", size=first),
                talk.Say(text="n", size=second),
                talk.Leave(code=1000, reason="done"),
            )
            says = "The limit on what is pending is kept to the byte."
            transition = "ACK-G-07" if over else "ACK-G-06"
            yield Case(f"{transition}/{word}-beside-{data}", (*start, *steps), frozenset(), says, lenient=True)


def sent_again() -> Iterator[Case]:
    """A message that is sent again has all the time again."""
    nearly = talk.Wait(limit="ack_timeout_ms", short=True)
    conversation = (
        talk.Join(), talk.Connect(), talk.AckArrival(), talk.Answer(), talk.Say(text="m1"), nearly, talk.Close(retry=True),
        talk.AckArrival(), talk.Answer(last=0), nearly, talk.AckMessages(index=1), talk.Say(text="m2"),
    )  # fmt: skip
    yield Case("ACK-G-17/counts-as-sent", conversation, frozenset(), "Sent again counts as sent, also for the timeout.")


def cases(limits: Limits) -> Iterator[Case]:
    """All but the walks."""
    return itertools.chain(
        faults(), plainly_broken(), room_again(limits), just_room(limits), sent_again(), bulk(), placing(), volume()
    )
