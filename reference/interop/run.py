"""The conversation: create, echo, sleep, wake on the next message, sleep again with a message unacked."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from reference.interop.record import Record, Seen
from tunnelconform.subject import SubjectError
from tunnelconform.subject_engine import EngineGateway
from tunnelref.runner.client import RunnerClient
from tunnelref.runner.examples import Counter
from tunnelref.runner.store import Store
from tunnelspec.limits import DEFAULT

NAME = "tunnelspec"
TALK = ("one", "two", "three")


@dataclass(frozen=True, slots=True)
class Observation:
    """Something of v2's tables that the engine was seen to follow, or not."""

    rules: str
    says: str
    followed: bool


@dataclass(frozen=True, slots=True)
class Report:
    """What a run found."""

    observations: tuple[Observation, ...]
    outside: tuple[tuple[str, str, str, int], ...]  # frame, where it met us, transition, how often
    frames: int


async def converse() -> Report:
    """One run against a fresh engine. Raises ``SubjectError`` if the engine, and not the protocol, is in the way."""
    engine, record = EngineGateway({}), Record()
    client: RunnerClient | None = None
    try:
        await engine.start()
        datacenters = {"datacenters": {"default": {"normal": {}}}}
        await engine.call("PUT", f"/runner-configs/{NAME}?namespace=default", datacenters)
        client = RunnerClient(
            f"ws://{engine.address}", {"counter": Counter}, Store(), DEFAULT, record.log, "interop", name=NAME,
            observer=record.observe,
        )  # fmt: skip
        if not await record.until("ToClientInit", 1):
            raise SubjectError("the engine did not welcome our runner")
        return await _talk(engine, client, record)
    finally:
        if client is not None:
            client.stop()
            await asyncio.wait_for(client.gone.wait(), 20)
        await engine.stop()


async def _talk(engine: EngineGateway, client: RunnerClient, record: Record) -> Report:
    actor = {"name": "counter", "key": None, "input": None, "runner_name_selector": NAME, "crash_policy": "sleep"}
    actor_id = (await engine.call("POST", "/actors?namespace=default", actor))["actor"]["actor_id"]
    found: list[Observation] = []

    def note(rules: str, says: str, followed: bool) -> None:
        found.append(Observation(rules, says, followed))

    protocols = [Subprotocol(p) for p in ("rivet", "rivet_target.actor", f"rivet_actor.{actor_id}")]
    async with connect(f"ws://{engine.address}/ws", subprotocols=protocols) as socket:
        answers = []
        for text in TALK:
            await socket.send(text)
            answers.append(await asyncio.wait_for(socket.recv(), 10))
        note("CONN-G-02, CONN-G-11", "The open is sent to the actor's runner, and its answer opens the tunnel.",
             len(record.of("ToClientWebSocketOpen")) == 1 and answers != [])  # fmt: skip
        note("CONN-G-15", "The actor's messages reach the client, in order.", answers == ["1", "2", "3"])
        sent = record.of("ToClientWebSocketMessage")
        note("ACK-G-06", "Messages are numbered 1, 2, 3.", [_index(s) for s in sent] == [1, 2, 3])
        note("TUN-R-03, TUN-R-04", "Each of our tunnel messages is acked with its own message id.",
             record.taken["TUN-R-04"] >= len(TALK))  # fmt: skip
        note("TUN-R-06", "A TunnelAck is not acked itself.", record.taken["TUN-R-06"] == 0)

        await socket.send("sleep")
        asleep = await record.until("ToClientCommands", 2)
        note("HIB-G-05", "The client's socket outlives the actor's sleep.", asleep and socket.close_code is None)
        started = len(record.of("ToClientCommands"))
        await socket.send("four")
        woke = await record.until("ToClientCommands", started + 1)
        note("HIB-G-06", "A client's message wakes the actor.", woke)
        came = await record.until("ToClientWebSocketMessage", len(TALK) + 2)
        opens = len(record.of("ToClientWebSocketOpen"))
        note(
            "CONN-G-22, CONN-G-02",
            "After the wake the socket is opened anew, and lastMsgIndex is asked for.",
            opens > 1,
        )
        note("ACK-G-16", "What was sent while the actor slept comes with the next index.",
             came and _index(record.of("ToClientWebSocketMessage")[-1]) == len(TALK) + 2)  # fmt: skip

        before = record.of("ToClientWebSocketMessage")[-1]
        hosted = client.runner.actors[actor_id]
        client.runner.intend_to_sleep(hosted)
        again = await record.until("ToClientWebSocketMessage", len(TALK) + 3)
        last = record.of("ToClientWebSocketMessage")[-1]
        note("ACK-G-12, ACK-G-17", "What was not acked is sent again, under the same request id and index.",
             again and (last.request, last.frame) == (before.request, before.frame))  # fmt: skip
        await socket.close(4000, "bye")
    closed = await record.until("ToClientWebSocketClose", 1)
    note("CONN-G-18", "The client's close reaches the runner, with its code and reason.",
         closed and _close(record.of("ToClientWebSocketClose")[-1]) == (4000, "bye"))  # fmt: skip
    return Report(tuple(found), outside(record), len(record.frames))


def outside(record: Record) -> tuple[tuple[str, str, str, int], ...]:
    """The frames that the tables did not allow where they came, counted."""
    counts: dict[tuple[str, str, str], int] = {}
    for seen in record.frames:
        if not seen.allowed:
            where = (seen.kind, ", ".join(seen.states), ", ".join(seen.rules))
            counts[where] = counts.get(where, 0) + 1
    return tuple((*where, count) for where, count in sorted(counts.items()))


def _index(seen: Seen) -> int:
    return int(seen.frame.index)


def _close(seen: Seen) -> tuple[int | None, str | None]:
    return seen.frame.code, seen.frame.reason
