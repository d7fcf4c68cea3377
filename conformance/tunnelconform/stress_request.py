"""Cases about plain requests beyond single transitions: faults anywhere in a conversation, and where one walks."""

from __future__ import annotations

from collections.abc import Iterator

from tunnelconform import conversation as talk
from tunnelconform.cases import Case
from tunnelconform.conversation import Conversation, Step
from tunnelconform.faults import Fault, anywhere
from tunnelconform.model_gateway import Bounds, Spent
from tunnelconform.model_request import RequestModel
from tunnelconform.walks import Ground
from tunnelspec.limits import Limits

TALK: Conversation = (
    talk.Join(),
    talk.Request(body=True),
    talk.Upload(text="b1"),
    talk.AckArrival(of="ToClientRequestStart"),
    talk.AckArrival(of="ToClientRequestChunk"),
    talk.Respond(stream=True),
    talk.RespondMore(text="r1"),
    talk.Upload(text="b2"),
    talk.Upload(),
    talk.RespondMore(text="r2", last=True),
)
"""A request whose body and response go on side by side; faults are put into it."""

FAULTS: tuple[Fault, ...] = (
    Fault("RELAY-G-10", "link-broken", (talk.Break(at_once=True), talk.Join())),
    Fault("RELAY-G-10", "link-closed", (talk.Part(at_once=True), talk.Join())),
    Fault("RELAY-G-10", "runner-killed", (talk.Join(who="b"), talk.Break())),
    Fault("RELAY-G-10", "runner-replaced", (talk.Join(),)),
    Fault("REQ-G-21", "client-gone", (talk.Vanish(),)),
    Fault("REQ-G-21", "client-gone-at-once", (talk.Vanish(at_once=True),)),
    Fault("REQ-G-18", "aborted", (talk.RespondAbort(),)),
    Fault("REQ-G-29", "stranger",
          (talk.Join(who="b"), talk.Respond(who="b"), talk.RespondMore(who="b"), talk.RespondAbort(who="b"))),
    Fault("REQ-G-48", "answered-twice", (talk.Respond(stream=True), talk.Respond(stream=True))),
    Fault("REQ-G-25", "answered-late", (talk.Respond(), talk.Respond(), talk.RespondMore(), talk.RespondAbort())),
    Fault("TUN-G-05", "acked-twice-http", (talk.AckArrival(of="ToClientRequestStart"), talk.AckArrival(of="ToClientRequestStart"))),
    Fault("TUN-G-06", "stray-ack-http", (talk.AckArrival(stray=True),)),
    Fault("LINK-G-12", "garbled-http", (talk.Garble(hex="ff"), talk.Garble(hex="06"), talk.Garble(hex="00", text=True))),
)  # fmt: skip

WALKS = Bounds(
    Spent(says=4, tells=4, answers=3, closes=2, joins=4, breaks=2, strays=3, waits=1), runners=("a", "b"), patience_ms=2_000,
    depth=40,
)  # fmt: skip


def faults() -> Iterator[Case]:
    """Each fault at each place of a conversation about a request."""
    return anywhere(FAULTS, TALK, first=2, last=len(TALK))


def rare(step: Step) -> bool:
    """What ends the request, what takes time, and a second runner."""
    ends = talk.Vanish | talk.RespondAbort | talk.Break | talk.Part | talk.Wait
    return isinstance(step, ends) or (isinstance(step, talk.Join) and step.who != "a")


def ground(limits: Limits) -> Ground:
    """Where one walks."""
    return Ground((RequestModel(limits, WALKS),), rare)


def cases(limits: Limits) -> Iterator[Case]:
    """All but the walks."""
    return faults()


def volume() -> Iterator[Case]:
    """None: a request is one message each way, and bodies of any length are cases of REQ-G."""
    return iter(())
