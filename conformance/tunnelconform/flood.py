"""Very many messages at once, through a gateway, as fast as it takes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tunnelconform import conversation as talk
from tunnelconform.peers import Client, Runner, fresh_id
from tunnelspec.frames import (
    ToClientTunnelMessage,
    ToClientWebSocketMessage,
    ToServerWebSocketMessage,
    ToServerWebSocketMessageAck,
    TunnelAck,
)

if TYPE_CHECKING:
    from tunnelconform.play_gateway import GatewayPlay

MOST_OUTSTANDING = 200
"""So many messages of a flood are on their way at most."""

MARKED = 50
"""In a flood, where acks are not judged, the actor speaks after so many messages."""


async def flood(play: GatewayPlay, client: Client, step: talk.Flood, told: Callable[[bytes, bool], None]) -> None:
    """The client sends, and the runner acks what comes."""
    window = min(MOST_OUTSTANDING, play.nature.limits.max_pending_messages - 1)
    play.flood = step
    came = play.settled = len(play.arrived)
    for sent in range(step.count):
        data = str(sent).encode()
        told(data, False)
        await client.say(data, False)
        await _reaches(play, lambda: play.settled, came + sent + 2 - window, "not all messages of the flood came")
    await _reaches(play, lambda: len(play.arrived), came + step.count, "not all messages of the flood came")
    play.flood = None


async def _reaches(play: GatewayPlay, count: Callable[[], int], least: int, what: str) -> None:
    """Wait until so many have come. Raises ``Impossible``."""
    if count() < least:
        await play.until(lambda: count() >= least, what)


def drain(play: GatewayPlay, runner: Runner, frame: ToClientTunnelMessage) -> None:
    """While a flood lasts, the runner acks what comes. Where the gateway's own acks say nothing, the actor speaks to the client
    now and then: once that is heard, what the runner said before is worked on."""
    kind = frame.messageKind
    if play.flood is None or not isinstance(kind, ToClientWebSocketMessage):
        return
    acks: list[tuple[bytes, Any]] = [(frame.messageId, TunnelAck())]
    if play.flood.every and kind.index and kind.index % play.flood.every == 0:
        acks.append((fresh_id(), ToServerWebSocketMessageAck(kind.index)))
        play.settles[acks[-1][0]] = len(play.arrived)
    if not play.around.acks and len(play.arrived) % MARKED == 0:
        acks.append((fresh_id(), ToServerWebSocketMessage(str(len(play.arrived)).encode(), False)))
    elif play.around.acks and not play.flood.every:
        play.settled = len(play.arrived)
    for message, ack in acks:
        play.side.hears(runner.link, ack, message, play.now(), at_once=True)
        runner.post_tunnel(play.request, message, ack)


async def pour(play: GatewayPlay, runner: Runner, step: talk.Pour) -> None:
    """The actor sends."""
    came = play.poured
    for sent in range(step.count):
        message = fresh_id()
        kind = ToServerWebSocketMessage(str(sent).encode(), False)
        play.side.hears(runner.link, kind, message, play.now(), at_once=sent > 0)
        await runner.send_tunnel(play.request, message, kind)
        least = came + (1 if sent == 0 else sent - MOST_OUTSTANDING)  # with the first, all before it is worked on
        await _reaches(play, lambda: play.poured, least, "not all that was poured came")
