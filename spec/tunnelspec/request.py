"""Requests: plain HTTP through the tunnel, one request id a request (REQ-G, REQ-R).

The runner has 2 s to begin its response; otherwise the client gets 503. The guard tries again, but only what the runner has
not acked: a request that arrived may have run, and running it twice is worse than an error. An attempt that is given up is aborted,
in case it arrives late: links are ordered, so the runner is done with it before the next attempt comes. And since a runner acks a
request before it answers, what comes before this attempt's TunnelAck answers an earlier one.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import Any, NamedTuple

from tunnelspec.events import (
    ActorFails,
    ActorResponds,
    ActorResponseBody,
    ActorStops,
    Arrived,
    BackoffOver,
    CallActor,
    CallBody,
    CancelCall,
    CancelTimer,
    Free,
    LinkLost,
    ReadClient,
    RequestBegun,
    RequestBody,
    RequestDropped,
    Resolve,
    Respond,
    RespondAbort,
    RespondBody,
    ResponseTimeout,
    RouteFailed,
    RouteFound,
    SendAck,
    SetTimer,
    TimedOut,
    Transmit,
    TunnelDown,
    TunnelUp,
)
from tunnelspec.frames import (
    ToClientRequestAbort,
    ToClientRequestChunk,
    ToClientRequestStart,
    ToServerResponseAbort,
    ToServerResponseChunk,
    ToServerResponseStart,
)
from tunnelspec.limits import Limits
from tunnelspec.machine import Kind, Machine, Received, Role, State, excludes, ignores, moves, refuses

Outputs = tuple[Any, ...]

UNAVAILABLE_STATUS = 503  # RFC 9110, section 15.6.4
UNAVAILABLE_BODY = b"guard.service_unavailable"

# == the gateway =====================================================================================================


class Exchange(NamedTuple):
    """Context of REQ-G."""

    start: ToClientRequestStart = ToClientRequestStart("", "", "", (), None, False)
    link: int = 0
    failures: int = 0


def can_retry(c: Exchange, e: Any, lim: Limits) -> bool:
    return c.failures < lim.max_retries


def cannot_retry(c: Exchange, e: Any, lim: Limits) -> bool:
    return c.failures >= lim.max_retries


def abort_can_retry(c: Exchange, e: Received[ToServerResponseAbort], lim: Limits) -> bool:
    return e.link == c.link and c.failures < lim.max_retries


def abort_cannot_retry(c: Exchange, e: Received[ToServerResponseAbort], lim: Limits) -> bool:
    return e.link == c.link and c.failures >= lim.max_retries


def from_runner(c: Exchange, e: Received[Any], lim: Limits) -> bool:
    return e.link == c.link


def from_stranger(c: Exchange, e: Received[Any], lim: Limits) -> bool:
    return e.link != c.link


def whole(c: Exchange, e: Received[ToServerResponseStart], lim: Limits) -> bool:
    return e.link == c.link and not e.frame.stream


def streamed(c: Exchange, e: Received[ToServerResponseStart], lim: Limits) -> bool:
    return e.link == c.link and e.frame.stream


def more(c: Exchange, e: Received[ToServerResponseChunk], lim: Limits) -> bool:
    return e.link == c.link and not e.frame.finish


def last(c: Exchange, e: Received[ToServerResponseChunk], lim: Limits) -> bool:
    return e.link == c.link and e.frame.finish


def request_arrived(c: Exchange, e: Arrived, lim: Limits) -> bool:
    return e.kind is ToClientRequestStart


def other_arrived(c: Exchange, e: Arrived, lim: Limits) -> bool:
    return e.kind is not ToClientRequestStart


def over() -> Outputs:
    """What every end has in common."""
    return (CancelTimer(ResponseTimeout), CancelTimer(BackoffOver), TunnelDown(), Free())


def begin(c: Exchange, e: RequestBegun, lim: Limits) -> tuple[Exchange, Outputs]:
    return c._replace(start=e.frame), (Resolve(),)


def resolve(c: Exchange, e: Any, lim: Limits) -> tuple[Exchange, Outputs]:
    return c, (Resolve(),)


def offer(c: Exchange, e: RouteFound, lim: Limits) -> tuple[Exchange, Outputs]:
    return c._replace(link=e.link), (
        TunnelUp(e.link),
        Transmit(c.start, e.now),
        SetTimer(ResponseTimeout, lim.response_timeout_ms),
    )


def retry_later(c: Exchange, e: Any, lim: Limits) -> tuple[Exchange, Outputs]:
    return c._replace(link=0, failures=c.failures + 1), (
        CancelTimer(ResponseTimeout),
        TunnelDown(),
        SetTimer(BackoffOver, lim.backoff_ms * 2**c.failures),
    )


def abort_and_retry_later(c: Exchange, e: Any, lim: Limits) -> tuple[Exchange, Outputs]:
    return c._replace(link=0, failures=c.failures + 1), (
        Transmit(ToClientRequestAbort(), e.now),
        CancelTimer(ResponseTimeout),
        TunnelDown(),
        SetTimer(BackoffOver, lim.backoff_ms * 2**c.failures),
    )


def fail(c: Exchange, e: Any, lim: Limits) -> tuple[Exchange, Outputs]:
    return c, (Respond(UNAVAILABLE_STATUS, (), UNAVAILABLE_BODY, stream=False), *over())


def abort_and_fail(c: Exchange, e: Any, lim: Limits) -> tuple[Exchange, Outputs]:
    return c, (
        Transmit(ToClientRequestAbort(), e.now),
        Respond(UNAVAILABLE_STATUS, (), UNAVAILABLE_BODY, stream=False),
        *over(),
    )


def read_body(c: Exchange, e: Arrived, lim: Limits) -> tuple[Exchange, Outputs]:
    return c, (ReadClient(),)


def send_body(c: Exchange, e: RequestBody, lim: Limits) -> tuple[Exchange, Outputs]:
    return c, (Transmit(ToClientRequestChunk(e.data, e.finish), e.now),)


def respond_whole(c: Exchange, e: Received[ToServerResponseStart], lim: Limits) -> tuple[Exchange, Outputs]:
    return c, (
        SendAck(e.link, e.message_id),
        Respond(e.frame.status, e.frame.headers, e.frame.body or b"", stream=False),
        *over(),
    )


def respond_head(c: Exchange, e: Received[ToServerResponseStart], lim: Limits) -> tuple[Exchange, Outputs]:
    return c, (
        CancelTimer(ResponseTimeout),
        SendAck(e.link, e.message_id),
        Respond(e.frame.status, e.frame.headers, e.frame.body or b"", stream=True),
    )


def respond_more(c: Exchange, e: Received[ToServerResponseChunk], lim: Limits) -> tuple[Exchange, Outputs]:
    return c, (SendAck(e.link, e.message_id), RespondBody(e.frame.body, finish=False))


def respond_last(c: Exchange, e: Received[ToServerResponseChunk], lim: Limits) -> tuple[Exchange, Outputs]:
    return c, (SendAck(e.link, e.message_id), RespondBody(e.frame.body, finish=True), *over())


def break_response(c: Exchange, e: Any, lim: Limits) -> tuple[Exchange, Outputs]:
    return c, (RespondAbort(), *over())


def drop_quietly(c: Exchange, e: RequestDropped, lim: Limits) -> tuple[Exchange, Outputs]:
    return c, over()


def drop_and_abort(c: Exchange, e: RequestDropped, lim: Limits) -> tuple[Exchange, Outputs]:
    return c, (Transmit(ToClientRequestAbort(), e.now), *over())


def _exchange_contexts(lim: Limits) -> Iterable[Exchange]:
    yield from (Exchange(link=1, failures=failures) for failures in range(lim.max_retries + 1))


def _exchange_events(lim: Limits) -> Iterable[Any]:
    yield from (RequestBegun(Exchange().start), RequestBody(b"", False), RequestDropped(), RouteFound(1), RouteFailed())
    yield from (
        BackoffOver(),
        ResponseTimeout(),
        TimedOut(0),
        Arrived(ToClientRequestStart),
        Arrived(ToClientRequestChunk),
    )
    for link, flag in product((1, 2), (False, True)):
        yield Received(ToServerResponseStart(200, (), None, flag), link)
        yield Received(ToServerResponseChunk(b"", flag), link)
        yield Received(ToServerResponseAbort(), link)


_OVER = "The request is over, or not yet sent."

REQ_G = Machine(
    id="REQ-G",
    name="request",
    role=Role.GATEWAY,
    says="Carries one HTTP request to the actor and its response back.",
    states=(
        State("new", Kind.START, "The request is being read."),
        State("routing", Kind.WAITING, "Which runner has the actor?", "a route", "the router answers"),
        State("offered", Kind.WAITING, "The request is sent.", "its TunnelAck, or a response", "response_timeout_ms"),
        State("running", Kind.WAITING, "The runner has the request.", "ToServerResponseStart", "response_timeout_ms"),
        State("backoff", Kind.WAITING, "The last try failed.", "the next try", "backoff_ms"),
        State("streaming", Kind.STEADY, "The response's head is out; its body follows.", "the last chunk"),
        State("done", Kind.END, "The client has its response, or has gone."),
    ),
    start=Exchange(),
    transitions=(
        moves("REQ-G-01", "new", RequestBegun, "routing", then=begin, ref="protocol 10", says="A request looks for its actor."),
        moves("REQ-G-02", "routing", RouteFound, "offered", then=offer, ref="protocol 10",
              says="The request is sent to the actor's runner."),
        moves("REQ-G-03", "routing", RouteFailed, "backoff", when=can_retry, then=retry_later, ref="protocol 10, 8",
              says="Without a runner, try again later."),
        moves("REQ-G-04", "routing", RouteFailed, "done", when=cannot_retry, then=fail, ref="protocol 10",
              says="Without a runner, after the last retry, the client gets 503."),
        moves("REQ-G-05", "offered", Arrived, "running", when=request_arrived, then=read_body, ref="protocol 2, 10",
              says="The runner has the request: from now on it may run, and is not sent again."),
        moves("REQ-G-41", "offered", ResponseTimeout, "backoff", when=can_retry, then=abort_and_retry_later,
              ref="protocol 10; H-HONEST-G",
              says="A request that has not arrived is aborted, in case it still does, and tried again."),
        moves("REQ-G-07", "offered", ResponseTimeout, "done", when=cannot_retry, then=abort_and_fail, ref="protocol 10",
              says="A request that never arrives, after the last retry, is aborted, and the client gets 503."),
        moves("REQ-G-08", "running", ResponseTimeout, "done", then=abort_and_fail, ref="protocol 10",
              says="No response in time: the request is aborted, and the client gets 503."),
        moves("REQ-G-42", "offered", ToServerResponseAbort, "backoff", when=abort_can_retry, then=abort_and_retry_later,
              ref="protocol 10, 11; H-HONEST-G",
              says="A request that was lost before it arrived is tried again; if its link lives, it is aborted there."),
        moves("REQ-G-43", "offered", ToServerResponseAbort, "done", when=abort_cannot_retry, then=abort_and_fail,
              ref="protocol 10; H-ABORT",
              says="Lost before it arrived, after the last retry: it is aborted, and the client gets 503."),
        moves("REQ-G-11", "running", ToServerResponseAbort, "done", when=from_runner, then=fail, ref="protocol 10, 11",
              says="The response will not come: the client gets 503."),
        moves("REQ-G-12", "backoff", BackoffOver, "routing", then=resolve, ref="protocol 8", says="Try again."),
        moves("REQ-G-13", "running", RequestBody, None, then=send_body, ref="protocol 10", says="More of the body is sent."),
        moves("REQ-G-44", "running", ToServerResponseStart, "done", when=whole, then=respond_whole,
              ref="protocol 10", says="The response came whole."),
        moves("REQ-G-45", "running", ToServerResponseStart, "streaming", when=streamed, then=respond_head,
              ref="protocol 10", says="The response's head came; its body follows."),
        ignores("REQ-G-46", "offered", ToServerResponseStart, ref="H-ANSWER",
                says="An answer before this attempt's TunnelAck answers an earlier attempt, which was aborted."),
        ignores("REQ-G-47", "offered", ToServerResponseChunk, ref="H-HONEST-R",
                says="An answer before this attempt's TunnelAck answers an earlier attempt, which was aborted."),
        moves("REQ-G-16", "streaming", ToServerResponseChunk, None, when=more, then=respond_more, ref="protocol 10",
              says="More of the response."),
        moves("REQ-G-17", "streaming", ToServerResponseChunk, "done", when=last, then=respond_last, ref="protocol 10",
              says="The end of the response."),
        moves("REQ-G-18", "streaming", ToServerResponseAbort, "done", when=from_runner, then=break_response,
              ref="protocol 10, 11", says="The rest will not come: the client must not take the response for complete."),
        moves("REQ-G-19", ("running", "streaming"), TimedOut, "done", then=break_response, ref="protocol 9",
              says="The runner no longer acks: the client must not wait for ever."),
        moves("REQ-G-20", ("routing", "backoff"), RequestDropped, "done", then=drop_quietly, ref="L-FREE",
              says="The client left before the request was sent."),
        moves("REQ-G-21", ("offered", "running", "streaming"), RequestDropped, "done", then=drop_and_abort, ref="protocol 10",
              says="The client left: the runner is told."),
        moves("REQ-G-22", "streaming", RequestBody, None, then=send_body, ref="protocol 10",
              says="The request's body may outlast the response's head."),
        ignores("REQ-G-23", "running", ToServerResponseStart, when=from_stranger, says="Not the runner asked."),
        refuses("REQ-G-48", "streaming", ToServerResponseStart, when=from_runner, says="A response has one head."),
        ignores("REQ-G-49", "streaming", ToServerResponseStart, when=from_stranger, says="Not the runner asked."),
        ignores("REQ-G-25", ("new", "routing", "backoff", "done"), ToServerResponseStart, says=_OVER),
        refuses("REQ-G-50", "running", ToServerResponseChunk, when=from_runner, says="A body comes after its head."),
        ignores("REQ-G-51", "running", ToServerResponseChunk, when=from_stranger, says="Not the runner asked."),
        ignores("REQ-G-27", "streaming", ToServerResponseChunk, when=from_stranger, says="Not the runner asked."),
        ignores("REQ-G-28", ("new", "routing", "backoff", "done"), ToServerResponseChunk, says=_OVER),
        ignores("REQ-G-29", ("offered", "running", "streaming"), ToServerResponseAbort, when=from_stranger,
                says="Not the runner asked."),
        ignores("REQ-G-30", ("new", "routing", "backoff", "done"), ToServerResponseAbort, says=_OVER),
        excludes("REQ-G-31", "offered", Arrived, when=other_arrived, says="It was not the request that arrived."),
        excludes("REQ-G-32", ("new", "routing", "running", "backoff", "streaming", "done"), Arrived, says="Nobody waits for it."),
        ignores("REQ-G-33", ("new", "routing", "offered", "backoff", "done"), RequestBody,
                says="The body is read once the request has arrived, and no longer than it runs."),
        ignores("REQ-G-34", ("new", "done"), RequestDropped, says=_OVER),
        ignores("REQ-G-35", ("new", "offered", "running", "backoff", "streaming", "done"), RouteFound, says=_OVER),
        ignores("REQ-G-36", ("new", "offered", "running", "backoff", "streaming", "done"), RouteFailed, says=_OVER),
        excludes("REQ-G-37", ("new", "routing", "backoff", "streaming", "done"), ResponseTimeout, says="It was cancelled."),
        excludes("REQ-G-38", ("new", "routing", "offered", "running", "streaming", "done"), BackoffOver, says="It was cancelled."),
        excludes("REQ-G-39", ("new", "routing", "offered", "backoff", "done"), TimedOut, says="The attempt has its own timeout."),
        excludes("REQ-G-40", ("routing", "offered", "running", "backoff", "streaming", "done"), RequestBegun,
                says="It has begun already."),
    ),
    contexts=_exchange_contexts,
    events=_exchange_events,
)  # fmt: skip

# == the runner ======================================================================================================


class Call(NamedTuple):
    """Context of REQ-R."""

    link: int = 0


def same_link(c: Call, e: Received[Any] | LinkLost, lim: Limits) -> bool:
    return e.link == c.link


def other_link(c: Call, e: Received[Any] | LinkLost, lim: Limits) -> bool:
    return e.link != c.link


def responds_whole(c: Call, e: ActorResponds, lim: Limits) -> bool:
    return not e.frame.stream


def responds_streamed(c: Call, e: ActorResponds, lim: Limits) -> bool:
    return e.frame.stream


def body_goes_on(c: Call, e: ActorResponseBody, lim: Limits) -> bool:
    return not e.finish


def body_ends(c: Call, e: ActorResponseBody, lim: Limits) -> bool:
    return e.finish


def call(c: Call, e: Received[ToClientRequestStart], lim: Limits) -> tuple[Call, Outputs]:
    return Call(e.link), (SendAck(e.link, e.message_id), TunnelUp(e.link), CallActor(e.frame))


def call_body(c: Call, e: Received[ToClientRequestChunk], lim: Limits) -> tuple[Call, Outputs]:
    return c, (SendAck(e.link, e.message_id), CallBody(e.frame.body, e.frame.finish))


def send_response(c: Call, e: ActorResponds, lim: Limits) -> tuple[Call, Outputs]:
    return c, (Transmit(e.frame, e.now), TunnelDown(), Free())


def send_head(c: Call, e: ActorResponds, lim: Limits) -> tuple[Call, Outputs]:
    return c, (Transmit(e.frame, e.now),)


def send_chunk(c: Call, e: ActorResponseBody, lim: Limits) -> tuple[Call, Outputs]:
    return c, (Transmit(ToServerResponseChunk(e.data, finish=False), e.now),)


def send_last_chunk(c: Call, e: ActorResponseBody, lim: Limits) -> tuple[Call, Outputs]:
    return c, (Transmit(ToServerResponseChunk(e.data, finish=True), e.now), TunnelDown(), Free())


def send_abort(c: Call, e: Any, lim: Limits) -> tuple[Call, Outputs]:
    return c, (Transmit(ToServerResponseAbort(), e.now), CancelCall(), TunnelDown(), Free())


def cancel(c: Call, e: Any, lim: Limits) -> tuple[Call, Outputs]:
    return c, (CancelCall(), TunnelDown(), Free())


def ack_and_cancel(c: Call, e: Received[ToClientRequestAbort], lim: Limits) -> tuple[Call, Outputs]:
    return c, (SendAck(e.link, e.message_id), CancelCall(), TunnelDown(), Free())


def _call_contexts(lim: Limits) -> Iterable[Call]:
    yield Call(1)


def _call_events(lim: Limits) -> Iterable[Any]:
    yield from (ActorFails(), ActorStops(0), TimedOut(0))
    for flag in (False, True):
        yield ActorResponds(ToServerResponseStart(200, (), None, flag))
        yield ActorResponseBody(b"", flag)
    for link in (1, 2):
        yield LinkLost(link)
        yield Received(Exchange().start, link)
        yield Received(ToClientRequestChunk(b"", False), link)
        yield Received(ToClientRequestAbort(), link)


REQ_R = Machine(
    id="REQ-R",
    name="request",
    role=Role.RUNNER,
    says="Gives the actor one HTTP request, and sends back what it answers.",
    states=(
        State("idle", Kind.START, "No request came yet."),
        State("called", Kind.WAITING, "The actor has the request.", "the actor's response", "the gateway aborts"),
        State("responding", Kind.STEADY, "The response's head is sent.", "the rest of the body"),
        State("done", Kind.END, "The response is sent, or nobody waits for it."),
    ),
    start=Call(),
    transitions=(
        moves("REQ-R-01", "idle", ToClientRequestStart, "called", then=call, ref="protocol 10",
              says="A request is acked, and given to the actor."),
        moves("REQ-R-02", ("called", "responding"), ToClientRequestChunk, None, when=same_link, then=call_body,
              ref="protocol 10", says="More of the request's body."),
        moves("REQ-R-03", "called", ActorResponds, "done", when=responds_whole, then=send_response, ref="protocol 10",
              says="The response is sent whole."),
        moves("REQ-R-04", "called", ActorResponds, "responding", when=responds_streamed, then=send_head, ref="protocol 10",
              says="The response's head is sent; its body follows."),
        moves("REQ-R-05", "responding", ActorResponseBody, None, when=body_goes_on, then=send_chunk, ref="protocol 10",
              says="More of the response."),
        moves("REQ-R-06", "responding", ActorResponseBody, "done", when=body_ends, then=send_last_chunk, ref="protocol 10",
              says="The end of the response."),
        moves("REQ-R-07", ("called", "responding"), ActorFails, "done", then=send_abort, ref="protocol 10",
              says="An actor that is missing or fails aborts the response; the gateway decides what the client sees."),
        moves("REQ-R-08", ("called", "responding"), ActorStops, "done", then=send_abort, ref="protocol 12",
              says="The actor stops: its response will not come."),
        moves("REQ-R-09", ("called", "responding"), ToClientRequestAbort, "done", when=same_link, then=ack_and_cancel,
              ref="protocol 10", says="Nobody waits for the response any longer."),
        moves("REQ-R-10", ("called", "responding"), LinkLost, "done", when=same_link, then=cancel, ref="protocol 11",
              says="With the link the client's connection is lost."),
        moves("REQ-R-26", "responding", TimedOut, "done", then=send_abort, ref="protocol 9; H-ANSWER",
              says="The gateway does not ack: the response is given up, and the gateway told, in case it hears that."),
        refuses("REQ-R-12", ("called", "responding", "done"), ToClientRequestStart, says="A request id names one request."),
        ignores("REQ-R-13", ("called", "responding"), ToClientRequestChunk, when=other_link, says="Not this request's link."),
        ignores("REQ-R-14", ("idle", "done"), ToClientRequestChunk, says="There is no request to continue."),
        ignores("REQ-R-15", ("called", "responding"), ToClientRequestAbort, when=other_link, says="Not this request's link."),
        ignores("REQ-R-16", ("idle", "done"), ToClientRequestAbort, says="There is nothing to abort."),
        ignores("REQ-R-17", ("called", "responding"), LinkLost, when=other_link, says="Not this request's link."),
        ignores("REQ-R-18", ("idle", "done"), LinkLost, says="There is nothing to lose."),
        refuses("REQ-R-19", "responding", ActorResponds, says="A response has one head."),
        ignores("REQ-R-20", ("idle", "done"), ActorResponds, says="Nobody waits for it."),
        refuses("REQ-R-21", "called", ActorResponseBody, says="A body comes after its head."),
        ignores("REQ-R-22", ("idle", "done"), ActorResponseBody, says="Nobody waits for it."),
        ignores("REQ-R-23", ("idle", "done"), ActorFails, says="Nobody waits for it."),
        ignores("REQ-R-24", ("idle", "done"), ActorStops, says="Nobody waits for it."),
        excludes("REQ-R-25", ("idle", "called", "done"), TimedOut, says="Nothing of ours is unacked."),
    ),
    contexts=_call_contexts,
    events=_call_events,
)  # fmt: skip

MACHINES: tuple[Machine, ...] = (REQ_G, REQ_R)
