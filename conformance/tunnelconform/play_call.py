"""Plays a conversation about one plain HTTP request against a runner: the suite is the gateway, the runner hosts the test actor."""

from __future__ import annotations

from tunnelconform import conversation as talk
from tunnelconform.around_call import AroundCall, Called
from tunnelconform.around_request import MARK
from tunnelconform.conversation import Conversation
from tunnelconform.hub import Hub
from tunnelconform.oracle import Oracle
from tunnelconform.play import GRACE_MS
from tunnelconform.play_runner import SUPPOSED, RunnerPlay
from tunnelconform.side import Side
from tunnelspec.endpoint import TABLES, Tables
from tunnelspec.frames import ToClientRequestAbort, ToClientRequestChunk, ToClientRequestStart
from tunnelspec.limits import Limits


class CallPlay(RunnerPlay):
    """One conversation with a runner, about one request."""

    def __init__(
        self, hub: Hub, limits: Limits, conversation: Conversation, goal: frozenset[str] = frozenset(),
        lenient: bool = False, tables: Tables = TABLES, grace_ms: int = GRACE_MS,
    ) -> None:  # fmt: skip
        super().__init__(hub, limits, conversation, goal, lenient, tables.runner, grace_ms)
        self.around = AroundCall(limits)
        oracle = Oracle(tables.http_runner, self.around, limits, goal, SUPPOSED)
        self.side = Side("runner", oracle, oracle.start(memory=Called()), grace_ms)

    async def do_call(self, step: talk.Call) -> None:
        headers = ((MARK, self.actor_id),)
        method = "POST" if step.stream else "GET"
        await self._send(ToClientRequestStart(self.actor_id, method, step.path, headers, None, step.stream), step)

    async def do_call_more(self, step: talk.CallMore) -> None:
        await self._send(ToClientRequestChunk(f"{step.text}\n".encode() if step.text else b"", not step.text), step)

    async def do_call_off(self, step: talk.CallOff) -> None:
        await self._send(ToClientRequestAbort(), step)
