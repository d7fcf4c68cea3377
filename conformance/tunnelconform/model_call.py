"""A runner, its test actor and the gateway as a model, to derive the cases about plain requests from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tunnelconform import conversation as talk
from tunnelconform.around_call import HELD, STREAMED, AroundCall, Called
from tunnelconform.conversation import Step
from tunnelconform.derive import Felt
from tunnelconform.model_gateway import NEARLY
from tunnelconform.model_runner import Bounds, Model, RunnerModel, Spent
from tunnelspec.endpoint import HTTP_RUNNER, Endpoint
from tunnelspec.frames import ToClientRequestAbort, ToClientRequestChunk, ToClientRequestStart
from tunnelspec.limits import Limits

PATHS = ("/whole", STREAMED, HELD)

CALL_WORLDS: tuple[Bounds, ...] = (
    Bounds(Spent(opens=2, brings=2, shuts=1, starts=1, strays=1), depth=6),
    Bounds(Spent(opens=2, brings=2, shuts=1, starts=2, stops=1), depth=6),
    Bounds(Spent(opens=1, brings=1, shuts=1, starts=1, waits=1), depth=6),
    Bounds(Spent(opens=2, brings=1, shuts=1, starts=1, cuts=1), depth=6),
)
"""Small worlds. What ``Spent`` counts are here: calls, lines of their bodies, calls off."""


class CallModel(RunnerModel):
    """What a gateway can do about one request, and what the runner's tables and the actor's contract make of it."""

    def __init__(
        self, limits: Limits, bounds: Bounds, tables: Endpoint = HTTP_RUNNER, lives_by: Limits | None = None,
        nearly: float = NEARLY,
    ) -> None:  # fmt: skip
        super().__init__(limits, bounds, tables, lives_by, nearly)
        self.around: AroundCall = AroundCall(limits)

    def start(self) -> Model:
        return Model(self.tables.start(), Called())  # type: ignore[arg-type]  # what it knows of its actor is another thing

    def steps(self, m: Model) -> Iterator[Step]:
        if not m.actor.alive and self._left(m, "starts"):
            yield talk.Start()
        if m.actor.alive and self._left(m, "stops"):
            yield talk.Stop()
        if self._left(m, "opens"):
            yield from (talk.Call(path=path, stream=stream) for path in PATHS for stream in (False, True))
        if self._left(m, "brings"):
            yield from (talk.CallMore(text=text) for text in (f"b{m.spent.brings + 1}", ""))
        if self._left(m, "shuts"):
            yield talk.CallOff()
        if not m.spent.opens:
            return
        if self._left(m, "cuts"):
            yield talk.Cut()
        if self._left(m, "strays"):
            yield talk.AckArrival(who=talk.GATEWAY, stray=True)
        if self._left(m, "waits") and self.limits.runner_ack_timeout_ms <= self.bounds.patience_ms:
            yield talk.Wait(limit="runner_ack_timeout_ms")
        for kind in dict.fromkeys(kind for kind, _ in reversed(m.arrived)):
            yield talk.AckArrival(who=talk.GATEWAY, of=kind)

    def epilogue(self, m: Model) -> Iterator[Step]:
        """What shows where the runner stands: the rest of the body, the call off, and another call."""
        yield from (talk.CallMore(), talk.CallOff(), talk.Call())

    def _do(self, m: Model, step: Step, taken: list[Felt]) -> Model:
        if isinstance(step, talk.Call):
            method = "POST" if step.stream else "GET"
            start: Any = ToClientRequestStart("", method, step.path, (), None, step.stream)
            return self._spend(m, "opens", self._hear(m, start, taken))
        if isinstance(step, talk.CallMore):
            chunk = ToClientRequestChunk(step.text.encode(), not step.text)
            return self._spend(m, "brings", self._hear(m, chunk, taken))
        if isinstance(step, talk.CallOff):
            return self._spend(m, "shuts", self._hear(m, ToClientRequestAbort(), taken))
        return super()._do(m, step, taken)
