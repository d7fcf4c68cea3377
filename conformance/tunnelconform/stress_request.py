"""Cases about plain requests beyond single transitions: faults anywhere in a conversation, and how far a walk goes."""

from __future__ import annotations

from collections.abc import Iterator

from tunnelconform import conversation as talk
from tunnelconform.cases import Case
from tunnelconform.conversation import Conversation
from tunnelconform.model_gateway import Bounds, Spent

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

FAULTS: tuple[tuple[str, str, Conversation], ...] = (
    ("RELAY-G-10", "link-broken", (talk.Break(at_once=True), talk.Join())),
    ("RELAY-G-10", "link-closed", (talk.Part(at_once=True), talk.Join())),
    ("RELAY-G-10", "runner-killed", (talk.Join(who="b"), talk.Break())),
    ("RELAY-G-10", "runner-replaced", (talk.Join(),)),
    ("REQ-G-21", "client-gone", (talk.Vanish(),)),
    ("REQ-G-21", "client-gone-at-once", (talk.Vanish(at_once=True),)),
    ("REQ-G-18", "aborted", (talk.RespondAbort(),)),
    ("REQ-G-29", "stranger", (talk.Join(who="b"), talk.Respond(who="b"), talk.RespondMore(who="b"), talk.RespondAbort(who="b"))),
    ("REQ-G-48", "answered-twice", (talk.Respond(stream=True), talk.Respond(stream=True))),
    ("REQ-G-25", "answered-late", (talk.Respond(), talk.Respond(), talk.RespondMore(), talk.RespondAbort())),
    ("TUN-G-05", "acked-twice-http", (talk.AckArrival(of="ToClientRequestStart"), talk.AckArrival(of="ToClientRequestStart"))),
    ("TUN-G-06", "stray-ack-http", (talk.AckArrival(stray=True),)),
    ("LINK-G-12", "garbled-http", (talk.Garble(hex="ff"), talk.Garble(hex="06"), talk.Garble(hex="00", text=True))),
)  # fmt: skip
"""The transition that a fault is about, its name, and what the peers do."""

WALKS = Bounds(
    Spent(says=4, tells=4, answers=3, closes=2, joins=4, breaks=2, strays=3, waits=1), runners=("a", "b"), patience_ms=2_000,
    depth=40,
)  # fmt: skip


def faults() -> Iterator[Case]:
    """Each fault at each place of a conversation about a request."""
    for transition, name, steps in FAULTS:
        for place in range(2, len(TALK) + 1):
            says = f"{name.replace('-', ' ').capitalize()} before step {place + 1} of a conversation about a request."
            conversation = (*TALK[:place], *steps, *TALK[place:])
            yield Case(f"{transition}/{name}-at-{place + 1:02}", conversation, frozenset(), says, lenient=True)
