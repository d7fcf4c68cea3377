"""A gateway, its HTTP client and its runners as a model, to derive the cases about plain requests from."""

from __future__ import annotations

from collections.abc import Iterator

from tunnelconform import conversation as talk
from tunnelconform.conversation import Step
from tunnelconform.derive import Felt
from tunnelconform.model_gateway import NEARLY, WAITS, Bounds, GatewayModel, Model, Spent
from tunnelspec.endpoint import HTTP_GATEWAY, Endpoint
from tunnelspec.events import RequestBegun, RequestBody, RequestDropped
from tunnelspec.frames import (
    ToClientRequestStart,
    ToServerResponseAbort,
    ToServerResponseChunk,
    ToServerResponseStart,
)
from tunnelspec.limits import Limits
from tunnelspec.machine import Verdict

REQUEST_WORLDS: tuple[Bounds, ...] = (
    Bounds(Spent(says=2, tells=2, answers=2, closes=1, joins=1, strays=1), depth=9),
    Bounds(Spent(tells=1, answers=1, closes=2, joins=2, breaks=1, strays=1), depth=9),
    Bounds(Spent(says=1, tells=1, answers=2, closes=1, joins=2), runners=("a", "b"), depth=7),
    Bounds(Spent(says=2, tells=1, answers=1, joins=1, waits=4), depth=8),
    Bounds(Spent(answers=1, closes=2, joins=1, waits=4), depth=8),
)
"""Small worlds. What ``Spent`` counts are here: lines of the request's body, of the response's, responses, aborts."""


class RequestModel(GatewayModel):
    """What the peers can do about one request, and what comes of it. The client is ``here`` while its body goes on, ``waits`` once
    it has sent all, and ``gone`` when it has left or has its response."""

    def __init__(
        self, limits: Limits, bounds: Bounds, tables: Endpoint = HTTP_GATEWAY, lives_by: Limits | None = None,
        nearly: float = NEARLY,
    ) -> None:  # fmt: skip
        super().__init__(limits, bounds, tables, lives_by, nearly)

    def steps(self, m: Model) -> Iterator[Step]:
        links = dict(m.links)
        if m.client == "new":
            yield talk.Request()
            if self.bounds.most.says:
                yield talk.Request(body=True)
        if m.client == "here" and self._left(m, "says"):
            yield talk.Upload(text=f"b{m.spent.says + 1}")
            yield talk.Upload()
        if m.client in ("here", "waits"):
            yield talk.Vanish()
        for who in self.bounds.runners:
            if who not in links and self._left(m, "joins"):
                yield talk.Join(who=who)
            if who in links and m.arrived:
                yield from self._runner_steps(m, who)
        if m.client != "new" and self._left(m, "waits"):
            armed = [event for event, _ in m.timers]
            for limit, event in WAITS.items():
                if event in (None, *armed) and getattr(self.limits, limit) <= self.bounds.patience_ms:
                    yield talk.Wait(limit=limit)

    def _runner_steps(self, m: Model, who: str) -> Iterator[Step]:
        for kind in dict.fromkeys(a.kind for a in reversed(m.arrived)):
            yield talk.AckArrival(who=who, of=kind)
            if sum(a.kind == kind for a in m.arrived) > 1 and self._left(m, "strays"):
                yield talk.AckArrival(who=who, of=kind, back=1)
        if self._left(m, "answers"):
            yield from (talk.Respond(who=who, stream=stream) for stream in (False, True))
        if self._left(m, "tells"):
            text = f"r{m.spent.tells + 1}"
            yield from (talk.RespondMore(who=who, text=text, last=last) for last in (False, True))
        if self._left(m, "closes"):
            yield talk.RespondAbort(who=who)
        if self._left(m, "breaks"):
            yield talk.Break(who=who)
        if self._left(m, "strays"):
            yield talk.AckArrival(who=who, stray=True)

    def epilogue(self, m: Model) -> Iterator[Step]:
        """What shows where the gateway stands: each of these that moves something is done."""
        for who, link in m.links:
            starts = [a for a in m.arrived if a.kind == "ToClientRequestStart"]
            if not starts or starts[-1].link != link:
                continue
            for step in (
                talk.AckArrival(who=who, of="ToClientRequestStart"),
                talk.Upload(text=f"b{m.spent.says + 1}"),
                talk.Respond(who=who, stream=True),
                talk.RespondMore(who=who, text=f"r{m.spent.tells + 1}", last=True),
            ):
                if isinstance(step, talk.Upload) and m.client != "here":
                    continue
                after, taken = self.do(m, step)
                if any(felt.transition.verdict is Verdict.TAKEN for felt in taken):
                    yield step
                    m = after
            return

    # -- what comes of it --------------------------------------------------------------------------------------------

    def _request(self, m: Model, step: talk.Request, taken: list[Felt]) -> Model:
        start = ToClientRequestStart("", "", "", (), None, step.body)
        return self._feel(m._replace(client="here" if step.body else "waits"), RequestBegun(start), taken)

    def _upload(self, m: Model, step: talk.Upload, taken: list[Felt]) -> Model:
        event = RequestBody(step.text.encode(), not step.text, m.now)
        m = self._spend(m, "says")._replace(client="here" if step.text else "waits")
        return self._feel(m, event, taken) if m.reads else m._replace(unread=(*m.unread, event))

    def _vanish(self, m: Model, step: talk.Vanish, taken: list[Felt]) -> Model:
        return self._feel(m._replace(client="gone"), RequestDropped(m.now), taken)

    def _respond(self, m: Model, step: talk.Respond, taken: list[Felt]) -> Model:
        frame = ToServerResponseStart(step.status, (), None, step.stream)
        return self._tunnel(self._spend(m, "answers"), step.who, frame, taken)

    def _respond_more(self, m: Model, step: talk.RespondMore, taken: list[Felt]) -> Model:
        frame = ToServerResponseChunk(step.text.encode(), step.last)
        return self._tunnel(self._spend(m, "tells"), step.who, frame, taken)

    def _respond_abort(self, m: Model, step: talk.RespondAbort, taken: list[Felt]) -> Model:
        return self._tunnel(self._spend(m, "closes"), step.who, ToServerResponseAbort(), taken)
