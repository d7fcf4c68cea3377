"""Large messages, and peers that are slow to read: a gateway loses nothing, and cuts nobody off.

What a runner does not take, a gateway must leave with the clients: if it read on, it would have to keep all that in its memory, and
would give up sooner or later. So more is pressed upon it than it could sensibly keep, until it takes no more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from tunnelconform import conversation as talk
from tunnelconform.cases import Case
from tunnelconform.conversation import Step
from tunnelconform.peers import Client, Runner, fresh_id
from tunnelspec.frames import ToServerWebSocketMessage

if TYPE_CHECKING:
    from tunnelconform.play_gateway import GatewayPlay

EDGES = (125, 126, 127, 511, 512, 65_535, 65_536, 70_000)
"""Sizes at which a WebSocket frame's head changes (RFC 6455, section 5.2), or a sensible implementation's way with it may."""

PRESSED, PRESSED_BYTES = 320, 256 << 10
POURED, POURED_BYTES = 180, 64 << 10
STUCK_S = 0.3
"""A gateway that has taken nothing for so long takes no more."""

DEAF_S = 1.5
"""So long at most a runner reads nothing: a gateway may take a longer silence for the loss of what it sent."""


def bulk() -> Iterator[Case]:
    """The cases."""
    start: tuple[Step, ...] = (talk.Join(), talk.Connect(), talk.AckArrival(), talk.Answer(can_hibernate=False))
    end = talk.Leave(code=1000, reason="done")
    steps: list[Step] = []
    for binary in (False, True):
        for size in EDGES:
            said = talk.Say(text=f"s{size}", size=size, binary=binary)
            steps += [
                said,
                talk.AckArrival(of="ToClientWebSocketMessage"),
                talk.Tell(text=f"t{size}", size=size, binary=binary),
            ]
    steps += [talk.Tell(text=""), talk.Say(text="")]
    steps += [talk.Say(text="fragments", binary=binary, parts=parts) for binary in (False, True) for parts in (2, 9)]
    says = "Messages of any size pass, whole, also those that a client sends in fragments."
    yield Case("CONN-G-15/sizes", (*start, *steps, end), frozenset(), says)
    says = "Text that is not UTF-8 ends its client's connection, and no other."
    spoilt = (*start, talk.Say(text="m"), talk.Spoil())
    yield Case("CONN-G-18/not-utf-8", spoilt, frozenset(), says)
    says = "A client whose connection breaks has left without a code."
    yield Case("CONN-G-18/vanished", (*start, talk.Say(text="m"), talk.Vanish()), frozenset(), says)
    says = "While a client is slow to read, what its actor sends is kept for it, and all of it comes."
    yield Case("CONN-G-15/slow-client", (*start, talk.Heap(), talk.Say(text="m"), end), frozenset(), says)
    says = "While a runner is slow to read, its clients wait, and then all comes."
    yield Case("ACK-G-05/slow-runner", (*start, talk.Press(), talk.Tell(text="r"), end), frozenset(), says)
    says = "A runner that was slow to read is lost: its clients go on with the next."
    lost = (talk.Join(), talk.Connect(), talk.AckArrival(), talk.Answer(), talk.Press(lost=True), talk.Join(), end)
    yield Case("RELAY-G-09/slow-runner-lost", lost, frozenset(), says, lenient=True)


async def press(
    play: GatewayPlay, client: Client, runner: Runner, step: talk.Press, told: Callable[[bytes, bool], None]
) -> None:
    """The client sends, while the runner reads nothing until the gateway takes no more."""
    sent, came = 0, len(play.arrived)

    async def send() -> None:
        nonlocal sent
        for number in range(PRESSED):
            data = str(number).encode().ljust(PRESSED_BYTES, b".")
            told(data, False)
            await client.say(data, False)
            sent = number + 1

    play.flood = talk.Flood(count=PRESSED, every=0)
    runner.deafen()
    sending, before, end = asyncio.ensure_future(send()), -1, play.now() + int(DEAF_S * 1000)
    try:
        while not sending.done() and sent > before and play.now() < end:
            before = sent
            await asyncio.sleep(STUCK_S)
        if step.lost:
            await play.do_break(talk.Break(who=runner.name))
            return
        runner.hear()
        while (now := len(play.arrived)) < came + PRESSED:
            await play.until(partial(_more, play, now), "not all that was pressed came")
    finally:
        sending.cancel()
        play.flood = None


def _more(play: GatewayPlay, than: int) -> bool:
    return len(play.arrived) > than


async def heap(play: GatewayPlay, client: Client, runner: Runner) -> None:
    """The actor sends, while the client reads nothing for a while."""
    came = play.poured
    for number in range(POURED):
        message, data = fresh_id(), str(number).encode().ljust(POURED_BYTES, b".")
        kind = ToServerWebSocketMessage(data, False)
        play.side.hears(runner.link, kind, message, play.now(), at_once=number > 0)
        await runner.send_tunnel(play.request, message, kind)
        if number == 0:
            await play.until(
                lambda: play.poured > came, "the first did not come"
            )  # and with it all before it is worked on
            client.deafen(STUCK_S)
    await play.until(lambda: play.poured >= came + POURED, "not all that the actor sent came")
