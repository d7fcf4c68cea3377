"""The actions of the model, done by the parties of a rig: one function for each verb."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from tunnelref.gateway.core import SocketEntry
from tunnelref.runner.core import SocketEntry as Adapter
from tunnelreplay.actors import ACTOR, PacedHost
from tunnelreplay.clock import fire
from tunnelreplay.link import DOWN, UP
from tunnelreplay.names import LIES, Names
from tunnelreplay.rig import GATEWAY, Rig, Stuck
from tunnelspec.events import AckDue, BackoffOver, CloseClient, OpenTimeout
from tunnelspec.frames import ToClientTunnelMessage, ToClientWebSocketOpen, ToServerTunnelMessage
from tunnelspec.system import ACTOR_CODE, LEAVE_CODE

Do = Callable[[Rig, Names, str], Awaitable[None]]

EARLIER = b"\0"
"""What the client said in the life before the trace."""


async def perform(rig: Rig, names: Names, action: str, data: bytes = b"") -> None:
    """Do what an action says, and wait until all that came of it is in hand. Raises ``Stuck``.

    ``data``: of the client's message; by default its ordinal.
    """
    if action == "say":
        await say(rig, data)
    elif action in ALONE:
        await ALONE[action](rig, names, "")
    else:
        verb, _, side = action.rpartition("-")
        if verb in SIDED:
            await SIDED[verb](rig, names, side)
        else:
            await lie(rig, names, verb, side)
    await rig.settle()
    if rig.failures:
        raise Stuck("; ".join(rig.failures))
    if any(isinstance(output, CloseClient) for heard in rig.heard for output in heard.outputs):
        await rig.until(lambda: rig.client.told is not None or rig.client.left, "the client is closed")


def hears(rig: Rig, where: str) -> Callable[[], bool]:
    """Whether one more step was seen there than now."""
    before = sum(heard.where == where for heard in rig.heard)
    return lambda: sum(heard.where == where for heard in rig.heard) > before


# -- the client ------------------------------------------------------------------------------------------------------


async def connect(rig: Rig, names: Names, side: str) -> None:
    heard = hears(rig, GATEWAY)
    await rig.connect()
    await rig.until(heard, "the gateway hears that the client connected")
    assert rig.entry is not None
    names.gateway(rig.entry.prefix)


async def say(rig: Rig, data: bytes) -> None:
    heard = hears(rig, GATEWAY)
    rig.client.said += 1
    rig.client.say(data or bytes([rig.client.said]))
    await rig.until(lambda: heard() or rig.freed, "the gateway hears the client's message")


async def leave(rig: Rig, names: Names, side: str) -> None:
    heard = hears(rig, GATEWAY)
    rig.client.leave(LEAVE_CODE)
    await rig.until(lambda: heard() or rig.freed, "the gateway hears the client's close")


# -- the gateway, its router and its timers --------------------------------------------------------------------------


def entry(rig: Rig) -> SocketEntry:
    """What the gateway keeps for the client."""
    assert rig.entry is not None
    return rig.entry


async def open_timeout(rig: Rig, names: Names, side: str) -> None:
    fire(entry(rig), OpenTimeout)


async def backoff(rig: Rig, names: Names, side: str) -> None:
    fire(entry(rig), BackoffOver)


async def route_fails(rig: Rig, names: Names, side: str) -> None:
    rig.router.answer(None)


async def route(rig: Rig, names: Names, side: str) -> None:
    if rig.runner(side).host is None:
        command_start(rig, side)
    rig.router.answer(rig.gateway.links[rig.link_number(side)])


async def start(rig: Rig, names: Names, side: str) -> None:
    command_start(rig, side)
    rig.router.started(ACTOR)


def command_start(rig: Rig, side: str) -> None:
    """Tell a runner to start the actor; one that died, or lost its link, hears nothing."""
    if rig.runner(side).socket is not None and not rig.runner(side).gone:
        rig.start_actor(side)


async def tick(rig: Rig, names: Names, side: str) -> None:
    rig.clock.ticks += 1
    rig.clock.fire(rig.gateway.collect)
    for runner in rig.sides:
        rig.clock.fire(rig.runner(runner).collect)


# -- links -----------------------------------------------------------------------------------------------------------


async def up(rig: Rig, names: Names, side: str) -> None:
    heard, unknown = hears(rig, GATEWAY), rig.unknown
    rig.links[side].let_through(UP)
    await rig.until(lambda: heard() or rig.unknown > unknown, "the gateway hears a frame")


async def down(rig: Rig, names: Names, side: str) -> None:
    heard = hears(rig, side)
    rig.links[side].let_through(DOWN)
    await rig.until(heard, f"runner {side} hears a frame")


async def break_(rig: Rig, names: Names, side: str) -> None:
    rig.links[side].break_()


async def stall(rig: Rig, names: Names, side: str) -> None:
    rig.links[side].stalled = True


async def recover(rig: Rig, names: Names, side: str) -> None:
    rig.links[side].stalled = False


async def gateway_notices(rig: Rig, names: Names, side: str) -> None:
    rig.links[side].cut_gateway()
    await rig.until(lambda: rig.link_number(side) == 0, f"the gateway notices that link {side} is lost")
    await _again(rig, names, side)


async def runner_notices(rig: Rig, names: Names, side: str) -> None:
    rig.links[side].cut_runner()
    await rig.until(lambda: rig.runner(side).socket is None, f"runner {side} notices that its link is lost")
    await _again(rig, names, side)


async def crash(rig: Rig, names: Names, side: str) -> None:
    names.forget(side, rig)
    await rig.kill(side)
    rig.links[side].break_()


async def _again(rig: Rig, names: Names, side: str) -> None:
    if rig.link_number(side) == 0 and (rig.runner(side).gone or rig.runner(side).socket is None):
        await rig.rejoin(side)
        names.joined(rig, side)


async def lie(rig: Rig, names: Names, verb: str, side: str) -> None:
    """A frame that no table sent, or a commit that no actor made: ``lie-up-ack-2``, ``lie-commit-3``."""
    if verb.startswith("lie-commit-"):
        liar = rig.adapter(side)
        if liar is not None:
            liar.committed(int(verb.removeprefix("lie-commit-")))
        return
    way, name = verb.removeprefix("lie-").split("-", 1)
    frame = LIES[way](rig.limits.index_modulus)[name]
    if isinstance(frame, ToClientWebSocketOpen):
        frame = replace(frame, actorId=ACTOR)
    id_ = names.lie(frame, rig.runner(side).house if way == UP else rig.gateway.house)
    request = rig.gateway.request_id
    message = (
        ToServerTunnelMessage(request, id_, frame) if way == UP else ToClientTunnelMessage(request, id_, frame, None)
    )
    rig.links[side].inject(way, message)


# -- the actor and its runner ----------------------------------------------------------------------------------------


def host(rig: Rig, side: str) -> PacedHost:
    """The actor's life on this side."""
    found = rig.runner(side).host
    assert found is not None
    return found


def adapter(rig: Rig, side: str) -> Adapter:
    """What the runner keeps for the client."""
    found = rig.adapter(side)
    assert found is not None
    return found


async def answer(rig: Rig, names: Names, side: str) -> None:
    rig.runner(side).answer()


async def listen(rig: Rig, names: Names, side: str) -> None:
    adapter(rig, side).listens()


async def process(rig: Rig, names: Names, side: str) -> None:
    host(rig, side).step()
    if rig.runner(side).host is None:
        rig.runner(side).asked = None


async def ack_due(rig: Rig, names: Names, side: str) -> None:
    fire(adapter(rig, side), AckDue)


async def waver(rig: Rig, names: Names, side: str) -> None:
    host(rig, side).hibernates ^= True


async def sleep(rig: Rig, names: Names, side: str) -> None:
    host(rig, side).stop()


async def send(rig: Rig, names: Names, side: str) -> None:
    names.actor_said += 1
    host(rig, side).act(lambda: adapter(rig, side).actor_sends(bytes([names.actor_said]), False))


async def close(rig: Rig, names: Names, side: str) -> None:
    life = host(rig, side)

    def handler() -> None:
        life.ledger.note_end(ACTOR_CODE)
        adapter(rig, side).actor_closes(ACTOR_CODE, "")

    life.act(handler)


ALONE: Mapping[str, Do] = {
    "connect": connect, "leave": leave, "open-timeout": open_timeout, "backoff": backoff, "route-fails": route_fails,
    "tick": tick,
}  # fmt: skip
"""Actions of no side."""

SIDED: Mapping[str, Do] = {
    "route": route, "start": start, "up": up, "down": down, "break": break_, "stall": stall, "recover": recover,
    "gateway-notices": gateway_notices, "runner-notices": runner_notices, "crash": crash, "answer": answer,
    "listen": listen, "process": process, "ack-due": ack_due, "waver": waver, "sleep": sleep, "send": send,
    "close": close,
}  # fmt: skip
"""Actions of one side."""
