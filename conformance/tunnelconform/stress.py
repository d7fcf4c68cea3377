"""Cases beyond single transitions: faults anywhere in a conversation, random walks, many messages, many connections."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

from tunnelconform import conversation as talk
from tunnelconform.cases import Case
from tunnelconform.conversation import Conversation, Step
from tunnelconform.model_gateway import MOST_BYTES, Bounds, GatewayModel, Spent
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

FAULTS: tuple[tuple[str, str, Conversation], ...] = (
    ("RELAY-G-09", "link-broken", (talk.Break(at_once=True), talk.Join())),
    ("RELAY-G-09", "said-meanwhile", (talk.Break(at_once=True), talk.Say(text="meanwhile"), talk.Join())),
    ("RELAY-G-09", "link-closed", (talk.Part(at_once=True), talk.Join())),
    ("RELAY-G-09", "runner-killed", (talk.Join(who="b"), talk.Break())),
    ("LINK-G-11", "runner-replaced", (talk.Join(),)),
    ("LINK-G-12", "garbled", (talk.Garble(hex="ff"), talk.Garble(hex="06"), talk.Garble(hex="00", text=True))),
    ("TUN-G-06", "stray-ack", (talk.AckArrival(stray=True),)),
    ("TUN-G-05", "acked-twice", (talk.AckArrival(), talk.AckArrival())),
    ("ACK-G-10", "acked-ahead", (talk.AckMessages(index=9),)),
    ("ACK-G-09", "acked-again", (talk.AckMessages(index=0),)),
    ("CONN-G-15", "slow-reader", (talk.Deafen(ms=60), talk.Tell(text="r"), talk.Tell(text="s"))),
)
"""The transition that a fault is about, its name, and what the peers do."""

WALKS = Bounds(
    Spent(says=12, tells=6, answers=8, acks=8, closes=4, sleeps=2, joins=6, breaks=3, visits=1, strays=4, waits=2),
    runners=("a", "b"), large=True, patience_ms=2_000, depth=40,
)  # fmt: skip

WRAP = 65_536 + 600
VOLUME = 50_000
MANY = 200


def faults() -> Iterator[Case]:
    """Each fault at each place of a conversation."""
    for transition, name, steps in FAULTS:
        for place in range(2, len(TALK)):
            if all(isinstance(step, talk.AckArrival) for step in steps) and place < 3:
                continue  # nothing has come yet
            conversation = (*TALK[:place], *steps, *TALK[place:])
            says = f"{name.replace('-', ' ').capitalize()} before step {place + 1} of a conversation."
            yield Case(f"{transition}/{name}-at-{place + 1:02}", conversation, frozenset(), says, lenient=True)


def walk(model: GatewayModel, dice: random.Random) -> Conversation:
    """A random conversation; some of its steps follow at once."""
    m, steps = model.start(), list[Step]()
    length = dice.randint(6, 22)
    while len(steps) < length:
        by_kind: dict[str, list[Step]] = {}
        for step in model.steps(m):
            if not (isinstance(step, talk.Leave | talk.Vanish) and len(steps) < length - 4):
                by_kind.setdefault(step.do, []).append(step)
        if not by_kind:
            break
        step = dice.choice(by_kind[dice.choice(sorted(by_kind))])
        if dice.random() < 0.25 and not isinstance(step, talk.Wait):
            step = replace(step, at_once=True)
        steps.append(step)
        m, _ = model.do(m, step)
    return (*steps, *model.epilogue(m))


def walks(limits: Limits, seed: int, count: int) -> Iterator[Case]:
    """Random conversations; the same for the same seed."""
    model = GatewayModel(limits, WALKS)
    for number in range(count):
        conversation = walk(model, random.Random(f"{seed}-{number}"))
        yield Case(f"walk/{seed}-{number}", conversation, frozenset(), "A random conversation.", lenient=True)


def volume() -> Iterator[Case]:
    """Many messages, beyond the wrap of their index; and many connections."""
    start = (talk.Join(), talk.Connect(), talk.AckArrival())
    end = (talk.Say(text="last"), talk.Tell(text="r"), talk.Leave(code=1000, reason="done"))
    many = (talk.Flood(count=WRAP), *end)
    yield Case(
        "ACK-G-06/wrap-around", (*start, talk.Answer(), *many), frozenset(), "The index wraps, and nothing is lost."
    )
    plain = (talk.Answer(can_hibernate=False), talk.Flood(count=VOLUME, every=0), *end)
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


def sent_again() -> Iterator[Case]:
    """A message that is sent again has all the time again."""
    nearly = talk.Wait(limit="ack_timeout_ms", short=True)
    conversation = (
        talk.Join(), talk.Connect(), talk.AckArrival(), talk.Answer(), talk.Say(text="m1"), nearly, talk.Close(retry=True),
        talk.AckArrival(), talk.Answer(last=0), nearly, talk.AckMessages(index=1), talk.Say(text="m2"),
    )  # fmt: skip
    yield Case("ACK-G-17/counts-as-sent", conversation, frozenset(), "Sent again counts as sent, also for the timeout.")


def stress(limits: Limits, seed: int, count: int) -> tuple[Case, ...]:
    """All of them."""
    return (*faults(), *plainly_broken(), *room_again(limits), *sent_again(), *walks(limits, seed, count), *volume())
