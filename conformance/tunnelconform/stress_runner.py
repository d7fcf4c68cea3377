"""A runner under stress: faults anywhere in a conversation, random walks, many messages, many sockets."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from tunnelconform import conversation as talk
from tunnelconform.cases import Case
from tunnelconform.conversation import GATEWAY, Conversation, Step
from tunnelconform.faults import MANY, PLAIN, VOLUME, Fault, anywhere
from tunnelconform.model_runner import NOISE, Bounds, RunnerModel, Spent
from tunnelconform.walks import Ground
from tunnelspec.limits import DEFAULT, Limits


def _ack(of: str, back: int = 0) -> talk.AckArrival:
    return talk.AckArrival(who=GATEWAY, of=of, back=back)


OPENED, ACKED, SAID, CLOSED = (
    _ack(of)
    for of in ("ToServerWebSocketOpen", "ToServerWebSocketMessageAck", "ToServerWebSocketMessage", "ToServerWebSocketClose")
)  # fmt: skip

TALK: Conversation = (
    talk.Start(),
    talk.Open(),
    OPENED,
    talk.Bring(index=1),
    ACKED,
    talk.Bring(index=2, text="send r1", binary=True),
    SAID,
    talk.Bring(index=3, text="state"),
    talk.Stop(),
    talk.Start(),
    talk.Open(),
    OPENED,
    talk.Bring(index=4, text="send r2"),
    ACKED,
    talk.Bring(index=5, text="close 4001 bye"),
    CLOSED,
    talk.Open(),
)
"""A conversation in which much happens; faults are put into it."""

PLAIN_TALK: Conversation = (
    talk.Start(plain=True),
    talk.Open(),
    OPENED,
    talk.Bring(index=0, text="send r1"),
    SAID,
    talk.Bring(index=0, text="state"),
    talk.Stop(),
    talk.Start(plain=True),
    talk.Open(),
    talk.Bring(index=0, text="state"),
    talk.Shut(),
)
"""One with an actor whose sockets cannot hibernate."""

AGAIN = talk.Open()
BROKEN, LEFT, TAKEN_OVER = talk.Cut(), talk.Cut(code=1001), talk.Cut(code=1012, anew=True)
GARBLED, FOREIGN = NOISE[:3], NOISE[3:]

ALIKE: tuple[Fault, ...] = (
    Fault("LINK-R-13", "garbled", GARBLED),
    Fault("ACK-R-21", "unknown-socket", FOREIGN[:-1]),
    Fault("CONN-R-06", "unknown-actor", FOREIGN[-1:]),
    Fault("TUN-R-06", "stray-ack", (talk.AckArrival(who=GATEWAY, stray=True),)),
    Fault("TUN-R-05", "acked-twice", (OPENED, OPENED), after=3),
    Fault("CONN-R-03", "opened-again", (AGAIN,)),
    Fault("CONN-R-07", "slow-reader", (talk.Deafen(who=GATEWAY, ms=60),)),
)
"""Whatever the actor is."""

FAULTS: tuple[Fault, ...] = (
    *ALIKE,
    Fault("CONN-R-16", "link-broken", (BROKEN, AGAIN)),
    Fault("CONN-R-16", "link-closed", (LEFT, AGAIN)),
    Fault("CONN-R-16", "gateway-replaced", (TAKEN_OVER, AGAIN)),
    Fault("ACK-R-22", "brought-meanwhile", (BROKEN, talk.Bring(index=1), AGAIN)),
    Fault("TUN-R-05", "acked-late", (BROKEN, AGAIN, _ack("ToServerWebSocketOpen", back=1)), after=3),
    Fault("ACK-R-06", "brought-again", (talk.Bring(index=1),), after=4),
    Fault("ACK-R-06", "brought-late", (talk.Bring(index=DEFAULT.index_modulus - 9),)),
    Fault("ACK-R-07", "brought-ahead", (talk.Bring(index=9), AGAIN)),
)

PLAIN_FAULTS: tuple[Fault, ...] = (
    *ALIKE,
    Fault("CONN-R-17", "link-broken", (BROKEN, AGAIN)),
    Fault("CONN-R-17", "gateway-replaced", (TAKEN_OVER, AGAIN)),
    Fault("ACK-R-09", "any-index", (talk.Bring(index=7),)),
)

WALKS = tuple(
    Bounds(
        Spent(opens=6, brings=12, shuts=2, starts=4, stops=3, cuts=2, strays=6, waits=2),
        hibernates=hibernates, hasty=True, wild=True, patience_ms=2_000, depth=40,
    )
    for hibernates in (True, False)
)  # fmt: skip


def faults() -> Iterator[Case]:
    """Each fault at each place of both conversations."""
    return itertools.chain(anywhere(FAULTS, TALK, first=1), anywhere(PLAIN_FAULTS, PLAIN_TALK, first=1, word="-plain"))


def rare(step: Step) -> bool:
    """What closes the socket for good, or breaks the one link that there is."""
    return isinstance(step, talk.Shut | talk.Cut) or (isinstance(step, talk.Bring) and step.text.startswith("close "))


def ground(limits: Limits) -> Ground:
    """Where one walks: with an actor that can hibernate, or one that cannot."""
    return Ground(tuple(RunnerModel(limits, bounds) for bounds in WALKS), rare)


def volume() -> Iterator[Case]:
    """Many messages, beyond the wrap of their index; many of the actor's; and many sockets."""
    start = (talk.Start(), talk.Open(), OPENED)
    again = (talk.Stop(), talk.Start(), talk.Open(), OPENED)
    woken = (*again, talk.Bring(index=1, text="state"), *again, talk.Bring(index=2, text="state"), talk.Shut())
    wrapped = (*start, talk.Flood(count=DEFAULT.index_modulus), *woken)  # the last is the one with the index 0
    says = "The index wraps, and nothing is lost; nor is the last one known when the actor has slept, be it 0."
    yield Case("ACK-R-05/wrap-around", wrapped, frozenset(), says)
    plain = (talk.Start(plain=True), talk.Open(), OPENED)
    end = (talk.Bring(index=0, text="state"), talk.Shut())
    says = "Many messages of a socket that cannot hibernate."
    yield Case("ACK-R-09/volume", (*plain, talk.Flood(count=PLAIN), *end), frozenset(), says)
    yield Case(
        "CONN-R-07/volume", (*plain, talk.Pour(count=VOLUME), *end), frozenset(), "Many messages of the actor's."
    )
    deaf = (*plain, talk.Deafen(who=GATEWAY, ms=300), talk.Pour(count=VOLUME // 10), *end)
    yield Case(
        "CONN-R-07/slow-reader", deaf, frozenset(), "The gateway does not read for a while, and then gets everything."
    )
    yield Case("CONN-R-01/many-at-once", TALK, frozenset(), f"{MANY} sockets at once.", times=MANY)


def lives() -> Iterator[Case]:
    """What an actor's durable state makes of a socket from one life to the next."""
    awake = (talk.Start(), talk.Open(), OPENED, talk.Bring(index=1), ACKED)
    again = (talk.Start(), talk.Open(), OPENED)
    aged = (talk.Wait(limit="max_hibernation_ms"),) * 2  # after the second nobody may still be about to forget it
    awaited = (*awake, talk.Cut(), *aged, talk.Open(), OPENED)
    says = "A socket without a tunnel for too long is forgotten, though its actor lives."
    yield Case("HIB-R-06/forgotten", (*awaited, talk.Bring(index=1, text="state"), talk.Shut()), frozenset(), says)
    shut = (
        *awake,
        talk.Bring(index=2, text="close 4001 enough"),
        CLOSED,
        talk.Stop(),
        *aged,
        talk.Start(),
        talk.Open(),
    )
    says = "That a socket is closed need not be known any more in a life that begins too long after."
    retold = (OPENED, talk.Bring(index=1, text="state"), talk.Shut())
    yield Case("HIB-R-06/closed-before-this-life", (*shut, *retold), frozenset(), says, lenient=True)
    slept = (*awake, talk.Stop(), talk.Start(), *aged, talk.Stop(), talk.Start(), talk.Open())
    says = "A socket that a whole life went by without need not be known any more in the next."
    yield Case("HIB-R-06/slept-a-life-through", (*slept, *retold), frozenset(), says, lenient=True)
    plain = (talk.Start(plain=True), talk.Open(), OPENED, talk.Bring(index=0), talk.Bring(index=0))
    later = (talk.Wait(limit="runner_ack_timeout_ms"), talk.Stop(), talk.Start(plain=True), talk.Open(), OPENED)
    says = "What a message did to the actor's state is durable, also where no index tells of it."
    yield Case("ACK-R-09/durable", (*plain, *later, talk.Bring(index=0, text="state"), talk.Shut()), frozenset(), says)
    doze = (*awake, talk.Bring(index=2, text="sleep"), ACKED, talk.Stop(), *again, talk.Bring(index=3, text="state"))
    says = "An actor that wants to sleep has handled what made it want to."
    yield Case("HIB-R-03/wants-to-sleep", (*doze, talk.Shut()), frozenset(), says)
    says = "A socket that its client has closed is closed, also for an open that came in the same breath."
    breath = (*awake, talk.Shut(at_once=True), talk.Open(at_once=True), talk.Stop(), *again)
    yield Case("CONN-R-13/opened-in-one-breath", breath, frozenset(), says, lenient=True)
    says = "A life that begins in place of another closes that one's sockets with retry; what was not acked may be brought again."
    taken_over = (*awake, talk.Bring(index=2, at_once=True), talk.Start(), CLOSED, talk.Open(), OPENED)
    anew = (talk.Bring(index=2), talk.Bring(index=3, text="state"), talk.Shut())
    yield Case("CONN-R-14/replaced", (*taken_over, *anew), frozenset(), says, lenient=True)
    says = "An actor that is stopped and started while it still starts leaves no open without an answer."
    hurried = (
        talk.Start(),
        talk.Open(at_once=True),
        talk.Stop(at_once=True),
        *again,
        talk.Bring(index=1, text="state"),
    )
    yield Case("CONN-R-14/started-in-one-breath", (*hurried, talk.Shut()), frozenset(), says, lenient=True)


def ends() -> Iterator[Case]:
    """A runner that is to stop, and whose actor lives."""
    hosts = (talk.Admit(), talk.Post(frame="ToClientInit", at_once=True), talk.Start())
    says = "The actors stop before the link is closed, and it is closed though they lived."
    yield Case("LINK-R-08/with-an-actor", (*hosts, talk.Terminate()), frozenset(), says)
    yield Case("LINK-R-10/with-an-actor", (*hosts, talk.Post(frame="ToClientClose")), frozenset(), says)


def cases(limits: Limits) -> Iterator[Case]:
    """All but the walks."""
    return itertools.chain(faults(), lives(), ends(), volume())
