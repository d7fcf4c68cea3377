"""Conversations: what the peers of a subject do, one step after the other, as data.

A conversation holds only what *peers* do, faults included. What the subject is to do is nobody's script: the oracle knows. Between
two steps the peers wait until the subject has said all that it must, unless a step says ``at_once``; so the same conversation can
be played against any subject, shrunk by leaving steps out, drawn, and written down as a script.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, ClassVar

CLIENT = "client"
GATEWAY = "gateway"
TIME = "time"


class ConversationError(ValueError):
    """JSON that is not a conversation: the message names the step and what is wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something that a peer does. ``at_once``: the next step follows without waiting for the subject."""

    do: ClassVar[str] = ""
    who: str
    at_once: bool = False


# -- the client ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Connect(Step):
    """The client connects to its actor."""

    do: ClassVar[str] = "connect"
    who: str = CLIENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Say(Step):
    """The client sends a message. ``size``: it is filled up until its frame takes so many bytes on the wire. ``parts``: it is sent
    as so many fragments."""

    do: ClassVar[str] = "say"
    who: str = CLIENT
    text: str = "m"
    binary: bool = False
    size: int = 0
    parts: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoil(Step):
    """The client sends text that is not UTF-8: its connection must be failed with 1007 (RFC 6455, section 8.1)."""

    do: ClassVar[str] = "spoil"
    who: str = CLIENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave(Step):
    """The client closes its socket; without a code, the close frame is empty."""

    do: ClassVar[str] = "leave"
    who: str = CLIENT
    code: int | None = 1000
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vanish(Step):
    """The client's connection is cut, without a close frame."""

    do: ClassVar[str] = "vanish"
    who: str = CLIENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Deafen(Step):
    """The client, or the gateway, reads nothing for a while; the next step does not wait for it."""

    do: ClassVar[str] = "deafen"
    who: str = CLIENT
    ms: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Flood(Step):
    """The client sends so many messages as fast as the subject takes them. A runner of the suite acks the arrival of each, and with
    ``every`` each so many-th as processed."""

    do: ClassVar[str] = "flood"
    who: str = CLIENT
    count: int = 1_000
    every: int = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Press(Step):
    """The client sends many large messages, and the runner reads nothing until the subject takes no more; with ``lost``, its link
    then breaks."""

    do: ClassVar[str] = "press"
    who: str = CLIENT
    lost: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit(Step):
    """Another client connects to the same actor, and leaves when the conversation ends."""

    do: ClassVar[str] = "visit"
    who: str = "visitor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Step):
    """The client begins a plain HTTP request; with ``body``, one whose body is to follow."""

    do: ClassVar[str] = "request"
    who: str = CLIENT
    body: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload(Step):
    """The client sends a line of its request's body, or, without a text, that this was the last."""

    do: ClassVar[str] = "upload"
    who: str = CLIENT
    text: str = ""


# -- a runner --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Join(Step):
    """The runner connects and introduces itself; if it is connected, it does so again with the same key. ``unfit``: why it cannot
    take the actor: ``names`` (it hosts others), ``slots`` (it has none), ``namespace`` (it is of another)."""

    do: ClassVar[str] = "join"
    who: str = "a"
    unfit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dial(Step):
    """The runner connects, and says nothing yet."""

    do: ClassVar[str] = "dial"
    who: str = "a"


@dataclass(frozen=True, slots=True, kw_only=True)
class Post(Step):
    """The runner sends a frame that is not about a socket."""

    do: ClassVar[str] = "post"
    who: str = "a"
    frame: str = "ToServerPing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mute(Step):
    """The runner stops to ping."""

    do: ClassVar[str] = "mute"
    who: str = "a"


@dataclass(frozen=True, slots=True, kw_only=True)
class AckArrival(Step):
    """The runner sends the TunnelAck of the latest tunnel message of this kind that came to any runner (``back`` 1: of the one
    before it, and so on). ``stray``: with an id that no message has."""

    do: ClassVar[str] = "ack-arrival"
    who: str = "a"
    of: str = "ToClientWebSocketOpen"
    back: int = 0
    stray: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Step):
    """The runner agrees to the open."""

    do: ClassVar[str] = "answer"
    who: str = "a"
    can_hibernate: bool = True
    last: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell(Step):
    """The runner sends a message of the actor's. ``size``: it is filled up to so many bytes."""

    do: ClassVar[str] = "tell"
    who: str = "a"
    text: str = "r"
    binary: bool = False
    size: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pour(Step):
    """The actor sends so many messages, as fast as the subject takes them."""

    do: ClassVar[str] = "pour"
    who: str = "a"
    count: int = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Heap(Step):
    """The runner sends many large messages of the actor's, and the client is slow to read."""

    do: ClassVar[str] = "heap"
    who: str = "a"


@dataclass(frozen=True, slots=True, kw_only=True)
class AckMessages(Step):
    """The runner acks the client's messages up to this index."""

    do: ClassVar[str] = "ack-messages"
    who: str = "a"
    index: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Close(Step):
    """The runner closes the socket on the actor's side."""

    do: ClassVar[str] = "close"
    who: str = "a"
    code: int | None = None
    reason: str | None = None
    retry: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sleep(Step):
    """The actor goes to sleep: the runner says so, closes its sockets with retry, and reports that it has stopped."""

    do: ClassVar[str] = "sleep"
    who: str = "a"


@dataclass(frozen=True, slots=True, kw_only=True)
class Break(Step):
    """The runner's connection is cut, without a close frame."""

    do: ClassVar[str] = "break"
    who: str = "a"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part(Step):
    """The runner closes its connection in the proper way; or the gateway does, with this code."""

    do: ClassVar[str] = "part"
    who: str = "a"
    code: int = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Garble(Step):
    """The runner sends what is no frame: these bytes, or as a text frame."""

    do: ClassVar[str] = "garble"
    who: str = "a"
    hex: str = "ff"
    text: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Respond(Step):
    """The runner sends the actor's response to an HTTP request, or with ``stream`` its head."""

    do: ClassVar[str] = "respond"
    who: str = "a"
    status: int = 200
    stream: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RespondMore(Step):
    """The runner sends more of the response's body: a line; ``last``: and nothing after it."""

    do: ClassVar[str] = "respond-more"
    who: str = "a"
    text: str = "r"
    last: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RespondAbort(Step):
    """The runner says that the response, or its rest, will not come."""

    do: ClassVar[str] = "respond-abort"
    who: str = "a"


# -- the gateway, to a runner under test --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Start(Step):
    """The gateway has the runner start the actor; ``plain``: the one that cannot hibernate."""

    do: ClassVar[str] = "start"
    who: str = GATEWAY
    plain: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop(Step):
    """The gateway has the runner stop the actor."""

    do: ClassVar[str] = "stop"
    who: str = GATEWAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Open(Step):
    """The gateway opens the client's socket, or opens it again."""

    do: ClassVar[str] = "open"
    who: str = GATEWAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Bring(Step):
    """The gateway brings a message of the client's, with this index."""

    do: ClassVar[str] = "bring"
    who: str = GATEWAY
    index: int = 1
    text: str = "m"
    binary: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Shut(Step):
    """The gateway brings the client's close."""

    do: ClassVar[str] = "shut"
    who: str = GATEWAY
    code: int | None = 1000
    reason: str | None = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Step):
    """The gateway brings a client's HTTP request to the actor; ``stream``: its body is to follow."""

    do: ClassVar[str] = "call"
    who: str = GATEWAY
    path: str = "/whole"
    stream: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CallMore(Step):
    """The gateway brings a line of the request's body, or, without a text, says that this was the last."""

    do: ClassVar[str] = "call-more"
    who: str = GATEWAY
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOff(Step):
    """The gateway says that nobody waits for the response any longer."""

    do: ClassVar[str] = "call-off"
    who: str = GATEWAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut(Step):
    """The gateway's end of the runner's link is cut, or with a code closed in the proper way; the runner is expected to dial
    again. ``anew``: the gateway that it then finds is another one, which knows nothing of it."""

    do: ClassVar[str] = "cut"
    who: str = GATEWAY
    code: int | None = None
    anew: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign(Step):
    """The gateway sends a frame for a socket that it has not opened; an open is for an actor that nobody has started."""

    do: ClassVar[str] = "foreign"
    who: str = GATEWAY
    frame: str = "ToClientWebSocketMessage"


@dataclass(frozen=True, slots=True, kw_only=True)
class Admit(Step):
    """The gateway waits for the runner's dial, and accepts it."""

    do: ClassVar[str] = "admit"
    who: str = GATEWAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse(Step):
    """The gateway waits for the runner's dial, and answers it with 503."""

    do: ClassVar[str] = "refuse"
    who: str = GATEWAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminate(Step):
    """Whoever started the runner tells it to stop (SIGTERM)."""

    do: ClassVar[str] = "terminate"
    who: str = "operator"


# -- time ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait(Step):
    """Time passes: as long as a limit of the tables says and the subject may take beyond it; with ``short``, not quite as long."""

    do: ClassVar[str] = "wait"
    who: str = TIME
    limit: str = "open_timeout_ms"
    short: bool = False


STEPS: Mapping[str, type[Step]] = {
    step.do: step
    for step in (
        *(Connect, Say, Flood, Press, Leave, Vanish, Spoil, Deafen, Visit, Request, Upload),
        *(Dial, Join, Post, Mute, AckArrival, Answer, Tell, Pour, Heap, AckMessages, Close, Sleep, Break, Part, Garble),
        *(Respond, RespondMore, RespondAbort),
        *(Start, Stop, Open, Bring, Shut, Call, CallMore, CallOff, Cut, Foreign),
        *(Admit, Refuse, Terminate),
        Wait,
    )
}
"""All steps, by what they do."""

Conversation = tuple[Step, ...]


def to_json(conversation: Iterable[Step]) -> list[dict[str, Any]]:
    """The conversation as JSON; what a step leaves at its default is left out."""
    return [step_to_json(step) for step in conversation]


def step_to_json(step: Step) -> dict[str, Any]:
    """One step as JSON."""
    said = {f.name: getattr(step, f.name) for f in fields(step) if getattr(step, f.name) != f.default}
    return {"who": step.who, "do": step.do, **{name: value for name, value in said.items() if name != "who"}}


def from_json(items: Any) -> Conversation:
    """The conversation that the JSON describes. Raises ``ConversationError``."""
    if not isinstance(items, list):
        raise ConversationError("a conversation is a list of steps")
    return tuple(_step(place, item) for place, item in enumerate(items, 1))


def _step(place: int, item: Any) -> Step:
    if not isinstance(item, dict) or item.get("do") not in STEPS:
        raise ConversationError(f"step {place}: {item!r} does nothing known; known are {', '.join(STEPS)}")
    cls = STEPS[item["do"]]
    known = {f.name: f for f in fields(cls)}
    given = {name: value for name, value in item.items() if name != "do"}
    for name, value in given.items():
        if name not in known:
            raise ConversationError(f"step {place}: {cls.do} has no {name!r}")
        default = known[name].default
        right = (int, str, type(None)) if default is None or name in ("code", "reason") else (type(default),)
        if default is not MISSING and type(value) not in right:
            raise ConversationError(f"step {place}: {name} is {value!r}")
    return cls(**given)


def words(step: Step) -> str:
    """The step in a few words."""
    said = [
        f"{f.name}={getattr(step, f.name)!r}"
        for f in fields(step)
        if f.name not in ("who", "at_once") and getattr(step, f.name) != f.default
    ]
    return " ".join((step.do, *said))
