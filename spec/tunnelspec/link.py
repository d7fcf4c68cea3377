"""Link: the runner's own socket, below all tunnels (LINK-G, LINK-R), and who speaks for a runner that is lost (RELAY-G).

One link carries the tunnels of many clients, so that what one of them does must not harm another: a frame that cannot be
read is reported and skipped, and the link lives on. A runner shows once a second that it is there; one that is silent, or
whose socket drops, is lost, and the relay closes each of its open requests on its behalf.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from tunnelspec.events import (
    Admit,
    BadFrame,
    CancelTimer,
    Dial,
    Free,
    HangUp,
    InitTimeout,
    Introduce,
    LinkDown,
    LinkLost,
    LinkUp,
    OnBehalf,
    PassOn,
    PingDue,
    RedialDue,
    Relay,
    Replaced,
    RunnerStops,
    SayStopping,
    SendPing,
    SetTimer,
    Silence,
    StopActors,
    Welcome,
    Withhold,
)
from tunnelspec.frames import (
    ProtocolMetadata,
    ToClientAckEvents,
    ToClientClose,
    ToClientCommands,
    ToClientInit,
    ToClientKvResponse,
    ToClientRequestStart,
    ToClientWebSocketOpen,
    ToServerAckCommands,
    ToServerEvents,
    ToServerInit,
    ToServerKvRequest,
    ToServerPing,
    ToServerResponseAbort,
    ToServerResponseChunk,
    ToServerResponseStart,
    ToServerStopping,
    ToServerWebSocketClose,
)
from tunnelspec.limits import Limits
from tunnelspec.machine import Kind, Machine, Received, Role, State, excludes, ignores, moves, refuses

Outputs = tuple[Any, ...]

GOING_AWAY = 1001  # RFC 6455, section 7.4.1
POLICY_VIOLATION = 1008


class Nothing(NamedTuple):
    """A context without fields: the state says it all."""


def _no_contexts(lim: Limits) -> Iterable[Nothing]:
    yield Nothing()


# == the gateway =====================================================================================================


def await_init(c: Nothing, e: LinkUp, lim: Limits) -> tuple[Nothing, Outputs]:
    return c, (SetTimer(InitTimeout, lim.init_timeout_ms),)


def welcome(c: Nothing, e: Received[ToServerInit], lim: Limits) -> tuple[Nothing, Outputs]:
    return c, (CancelTimer(InitTimeout), Welcome(), Admit(), SetTimer(Silence, lim.lost_threshold_ms))


def hear(c: Nothing, e: Received[ToServerPing], lim: Limits) -> tuple[Nothing, Outputs]:
    return c, (SetTimer(Silence, lim.lost_threshold_ms),)


def withhold(c: Nothing, e: Received[ToServerStopping], lim: Limits) -> tuple[Nothing, Outputs]:
    return c, (Withhold(),)


def pass_on(c: Nothing, e: Received[Any], lim: Limits) -> tuple[Nothing, Outputs]:
    return c, (PassOn(e.frame),)


def hang_up_mute(c: Nothing, e: InitTimeout, lim: Limits) -> tuple[Nothing, Outputs]:
    return c, (HangUp(POLICY_VIOLATION, "ToServerInit is missing"), Free())


def hang_up_silent(c: Nothing, e: Silence, lim: Limits) -> tuple[Nothing, Outputs]:
    return c, (Withhold(), HangUp(GOING_AWAY, "runner is silent"), Relay(e.now), Free())


def hang_up_replaced(c: Nothing, e: Replaced, lim: Limits) -> tuple[Nothing, Outputs]:
    return c, (
        CancelTimer(Silence),
        CancelTimer(InitTimeout),
        Withhold(),
        HangUp(GOING_AWAY, "replaced by another link of the same runner"),
        Relay(e.now),
        Free(),
    )


def lose(c: Nothing, e: LinkDown, lim: Limits) -> tuple[Nothing, Outputs]:
    return c, (CancelTimer(Silence), CancelTimer(InitTimeout), Withhold(), Relay(e.now), Free())


def _gateway_events(lim: Limits) -> Iterable[Any]:
    yield from (LinkUp(), LinkDown(), BadFrame(""), InitTimeout(), Silence(), Replaced())
    yield Received(ToServerInit("", 1, 1, None, None, None), 1)
    yield from (Received(ToServerPing(0), 1), Received(ToServerStopping(), 1), Received(ToServerEvents(()), 1))
    yield from (Received(ToServerAckCommands(0), 1), Received(ToServerKvRequest("", 0, b""), 1))


LINK_G = Machine(
    id="LINK-G",
    name="link",
    role=Role.GATEWAY,
    says="Admits a runner, notices that it is lost, and keeps its mistakes from its tunnels.",
    states=(
        State("connecting", Kind.START, "The runner's upgrade is being accepted."),
        State("joining", Kind.WAITING, "The socket is open.", "ToServerInit", "init_timeout_ms"),
        State("ready", Kind.STEADY, "Actors may be routed to the runner.", "a ping each second", "lost_threshold_ms"),
        State("draining", Kind.WAITING, "The runner is stopping: no new actors.", "its socket's end", "lost_threshold_ms"),
        State("gone", Kind.END, "The link is no more."),
    ),
    start=Nothing(),
    transitions=(
        moves("LINK-G-01", "connecting", LinkUp, "joining", then=await_init, ref="protocol: parties",
              says="A runner introduces itself first."),
        moves("LINK-G-02", "joining", ToServerInit, "ready", then=welcome, ref="wire: ToClientInit",
              says="An introduced runner is welcomed, and may be given actors."),
        moves("LINK-G-03", "joining", InitTimeout, "gone", then=hang_up_mute, ref="P-KEEPALIVE",
              says="A socket that does not introduce itself is closed."),
        moves("LINK-G-04", ("ready", "draining"), ToServerPing, None, then=hear, ref="wire: ToServerPing",
              says="The runner lives."),
        moves("LINK-G-05", "ready", ToServerStopping, "draining", then=withhold, ref="wire: ToServerStopping",
              says="A stopping runner gets no more actors; its tunnels end as its actors stop."),
        moves("LINK-G-06", ("ready", "draining"), ToServerEvents, None, then=pass_on, ref="wire: ToServerEvents",
              says="What happened to actors concerns the directory."),
        moves("LINK-G-07", ("ready", "draining"), ToServerAckCommands, None, then=pass_on, ref="wire: ToServerAckCommands",
              says="Which commands have arrived concerns the directory."),
        moves("LINK-G-08", ("ready", "draining"), ToServerKvRequest, None, then=pass_on, ref="protocol: KV",
              says="Key-value requests are outside this specification, and answered with an error."),
        moves("LINK-G-09", ("ready", "draining"), Silence, "gone", then=hang_up_silent, ref="P-KEEPALIVE; protocol 11",
              says="A silent runner is lost: its requests are closed on its behalf."),
        moves("LINK-G-10", ("joining", "ready", "draining"), LinkDown, "gone", then=lose, ref="protocol 11",
              says="The runner's socket is closed: its requests are closed on its behalf."),
        moves("LINK-G-11", ("ready", "draining"), Replaced, "gone", then=hang_up_replaced, ref="P-RACE-OPEN",
              says="A runner that dials again replaces its own earlier link."),
        refuses("LINK-G-12", ("connecting", "joining", "ready", "draining"), BadFrame, ref="P-ISOLATE",
                says="What is not a frame is reported and skipped; the link's other tunnels do not suffer for it."),
        refuses("LINK-G-13", ("ready", "draining"), ToServerInit, says="A runner introduces itself once."),
        refuses("LINK-G-14", ("connecting", "joining"), ToServerPing, says="A runner introduces itself first."),
        refuses("LINK-G-15", ("connecting", "joining"), ToServerStopping, says="A runner introduces itself first."),
        refuses("LINK-G-16", ("connecting", "joining"), ToServerEvents, says="A runner introduces itself first."),
        refuses("LINK-G-17", ("connecting", "joining"), ToServerAckCommands, says="A runner introduces itself first."),
        refuses("LINK-G-18", ("connecting", "joining"), ToServerKvRequest, says="A runner introduces itself first."),
        excludes("LINK-G-33", "connecting", ToServerInit, says="The socket is not open yet."),
        ignores("LINK-G-20", "draining", ToServerStopping, says="It is stopping already."),
        excludes("LINK-G-21", ("joining", "ready", "draining", "gone"), LinkUp, says="It is open already, or was."),
        excludes("LINK-G-22", ("connecting", "ready", "draining", "gone"), InitTimeout, says="It was cancelled."),
        excludes("LINK-G-23", ("connecting", "joining", "gone"), Silence, says="It was cancelled, or not yet set."),
        ignores("LINK-G-24", ("connecting", "gone"), LinkDown, says="There is nothing to lose."),
        ignores("LINK-G-25", ("connecting", "joining", "gone"), Replaced, says="Only an introduced runner can be replaced."),
        ignores("LINK-G-26", "gone", BadFrame, says="The link is gone."),
        ignores("LINK-G-27", "gone", ToServerInit, says="The link is gone."),
        ignores("LINK-G-28", "gone", ToServerPing, says="The link is gone."),
        ignores("LINK-G-29", "gone", ToServerStopping, says="The link is gone."),
        ignores("LINK-G-30", "gone", ToServerEvents, says="The link is gone."),
        ignores("LINK-G-31", "gone", ToServerAckCommands, says="The link is gone."),
        ignores("LINK-G-32", "gone", ToServerKvRequest, says="The link is gone."),
    ),
    contexts=_no_contexts,
    events=_gateway_events,
)  # fmt: skip

# == the relay, on the gateway's side of the link ====================================================================


def on_behalf_close(c: Nothing, e: LinkLost, lim: Limits) -> tuple[Nothing, Outputs]:
    return c, (OnBehalf(ToServerWebSocketClose(None, None, retry=True), e.now), Free())


def on_behalf_abort(c: Nothing, e: LinkLost, lim: Limits) -> tuple[Nothing, Outputs]:
    return c, (OnBehalf(ToServerResponseAbort(), e.now), Free())


def free(c: Nothing, e: Any, lim: Limits) -> tuple[Nothing, Outputs]:
    return c, (Free(),)


def response_is_whole(c: Nothing, e: Received[ToServerResponseStart], lim: Limits) -> bool:
    return not e.frame.stream


def response_is_streamed(c: Nothing, e: Received[ToServerResponseStart], lim: Limits) -> bool:
    return e.frame.stream


def chunk_is_last(c: Nothing, e: Received[ToServerResponseChunk], lim: Limits) -> bool:
    return e.frame.finish


def chunk_is_not_last(c: Nothing, e: Received[ToServerResponseChunk], lim: Limits) -> bool:
    return not e.frame.finish


def _relay_events(lim: Limits) -> Iterable[Any]:
    yield Received(ToClientWebSocketOpen("", "", ()), 1)
    yield Received(ToClientRequestStart("", "", "", (), None, False), 1)
    yield Received(ToServerResponseAbort(), 1)
    yield LinkLost(1)
    for flag in (False, True):
        yield Received(ToServerWebSocketClose(None, None, flag), 1)
        yield Received(ToServerResponseStart(200, (), None, flag), 1)
        yield Received(ToServerResponseChunk(b"", flag), 1)


_WHICH = "It may be an earlier attempt's; the gateway knows, and ignores what is said for a request that is over."

RELAY_G = Machine(
    id="RELAY-G",
    name="relay",
    role=Role.GATEWAY,
    says="Watches what one request passes over one link, and ends it for a runner that is lost.",
    states=(
        State("idle", Kind.START, "The request has passed nothing over this link."),
        State("websocket", Kind.STEADY, "An open went to the runner, and no close came back."),
        State("http", Kind.STEADY, "A request went to the runner, and its response is not complete."),
        State("retried", Kind.STEADY, "The request went to the runner again: what ends may be an earlier attempt."),
        State("done", Kind.END, "Nothing is open on this link."),
    ),
    start=Nothing(),
    transitions=(
        moves("RELAY-G-01", ("idle", "websocket", "done"), ToClientWebSocketOpen, "websocket", ref="protocol 11",
              says="A socket is open, or being opened, over this link."),
        moves("RELAY-G-02", "idle", ToClientRequestStart, "http", ref="protocol 11",
              says="A request is on its way over this link."),
        moves("RELAY-G-03", "websocket", ToServerWebSocketClose, "done", then=free, ref="protocol 11",
              says="The runner closed the socket itself."),
        moves("RELAY-G-04", "http", ToServerResponseAbort, "done", then=free, ref="protocol 11",
              says="The runner aborted the response itself."),
        moves("RELAY-G-05", "http", ToServerResponseStart, "done", when=response_is_whole, then=free, ref="protocol 11",
              says="The response is complete."),
        ignores("RELAY-G-06", "http", ToServerResponseStart, when=response_is_streamed, says="The body is still to come."),
        moves("RELAY-G-07", "http", ToServerResponseChunk, "done", when=chunk_is_last, then=free, ref="protocol 11",
              says="The response is complete."),
        ignores("RELAY-G-08", "http", ToServerResponseChunk, when=chunk_is_not_last, says="More is still to come."),
        moves("RELAY-G-09", "websocket", LinkLost, "done", then=on_behalf_close, ref="protocol 11",
              says="For a lost runner the relay closes the socket with retry."),
        moves("RELAY-G-10", ("http", "retried"), LinkLost, "done", then=on_behalf_abort, ref="protocol 11",
              says="For a lost runner the relay aborts the response."),
        excludes("RELAY-G-11", ("http", "retried"), ToClientWebSocketOpen, says="A request id names one thing."),
        moves("RELAY-G-18", "http", ToClientRequestStart, "retried", ref="protocol 10, 11; H-ANSWER",
              says="The request is tried again over the same link."),
        ignores("RELAY-G-19", ("retried", "done"), ToClientRequestStart, says="It is watched already, or over."),
        excludes("RELAY-G-20", "websocket", ToClientRequestStart, says="A request id names one thing."),
        ignores("RELAY-G-21", "retried", ToServerResponseAbort, ref="H-ANSWER", says=_WHICH),
        ignores("RELAY-G-22", "retried", ToServerResponseStart, ref="H-ANSWER", says=_WHICH),
        ignores("RELAY-G-23", "retried", ToServerResponseChunk, ref="H-ANSWER", says=_WHICH),
        ignores("RELAY-G-13", ("idle", "http", "retried", "done"), ToServerWebSocketClose, says="No socket is open on this link."),
        ignores("RELAY-G-14", ("idle", "websocket", "done"), ToServerResponseAbort, says="No request is open on this link."),
        ignores("RELAY-G-15", ("idle", "websocket", "done"), ToServerResponseStart, says="No request is open on this link."),
        ignores("RELAY-G-16", ("idle", "websocket", "done"), ToServerResponseChunk, says="No request is open on this link."),
        ignores("RELAY-G-17", ("idle", "done"), LinkLost, says="Nothing is open on this link."),
    ),
    contexts=_no_contexts,
    events=_relay_events,
)  # fmt: skip

# == the runner ======================================================================================================


def dial(c: Nothing, e: Any, lim: Limits) -> tuple[Nothing, Outputs]:
    return c, (Dial(),)


def introduce(c: Nothing, e: LinkUp, lim: Limits) -> tuple[Nothing, Outputs]:
    return c, (Introduce(),)


def start_pinging(c: Nothing, e: Received[ToClientInit], lim: Limits) -> tuple[Nothing, Outputs]:
    return c, (SetTimer(PingDue, lim.ping_interval_ms), PassOn(e.frame))


def ping(c: Nothing, e: PingDue, lim: Limits) -> tuple[Nothing, Outputs]:
    return c, (SendPing(e.now), SetTimer(PingDue, lim.ping_interval_ms))


def redial(c: Nothing, e: LinkDown, lim: Limits) -> tuple[Nothing, Outputs]:
    return c, (CancelTimer(PingDue), Relay(e.now), SetTimer(RedialDue, lim.reconnect_ms))


def stop(c: Nothing, e: RunnerStops, lim: Limits) -> tuple[Nothing, Outputs]:
    return c, (SayStopping(), StopActors(), HangUp(GOING_AWAY, "runner stops"))


def stop_unready(c: Nothing, e: RunnerStops, lim: Limits) -> tuple[Nothing, Outputs]:
    return c, (CancelTimer(RedialDue), StopActors(), HangUp(GOING_AWAY, "runner stops"))


def obey_close(c: Nothing, e: Received[ToClientClose], lim: Limits) -> tuple[Nothing, Outputs]:
    return c, (StopActors(), HangUp(GOING_AWAY, "as the gateway asks"))


def finish(c: Nothing, e: LinkDown, lim: Limits) -> tuple[Nothing, Outputs]:
    return c, (CancelTimer(PingDue), Relay(e.now), Free())


def _runner_events(lim: Limits) -> Iterable[Any]:
    yield from (LinkUp(), LinkDown(), BadFrame(""), PingDue(0), RedialDue(), RunnerStops())
    yield from (Received(ToClientClose(), 1), Received(ToClientCommands(()), 1), Received(ToClientAckEvents(0), 1))
    yield from (Received(frame, 1) for frame in (_INIT, ToClientKvResponse(0, b"")))


_INIT = ToClientInit("", 0, ProtocolMetadata(0))

LINK_R = Machine(
    id="LINK-R",
    name="link",
    role=Role.RUNNER,
    says="Dials the gateway, shows that the runner lives, and dials again when the link breaks.",
    states=(
        State("idle", Kind.START, "The link is down.", "the next dial", "reconnect_ms"),
        State("dialing", Kind.WAITING, "The runner is dialling.", "the socket", "the dial fails"),
        State("joining", Kind.WAITING, "The runner has introduced itself.", "ToClientInit", "the socket's end"),
        State("ready", Kind.STEADY, "Tunnels may be opened.", "the next ping", "ping_interval_ms"),
        State("stopping", Kind.WAITING, "Actors are being stopped.", "the socket's end"),
        State("gone", Kind.END, "The runner has stopped."),
    ),
    start=Nothing(),
    transitions=(
        moves("LINK-R-01", "idle", RedialDue, "dialing", then=dial, ref="protocol: parties", says="The runner dials out."),
        moves("LINK-R-02", "dialing", LinkUp, "joining", then=introduce, ref="wire: ToServerInit",
              says="The runner introduces itself first."),
        moves("LINK-R-03", "joining", ToClientInit, "ready", then=start_pinging, ref="wire: ToServerPing",
              says="Welcomed, the runner begins to ping."),
        moves("LINK-R-04", ("ready", "stopping"), PingDue, None, then=ping, ref="wire: ToServerPing",
              says="The runner shows that it lives."),
        moves("LINK-R-05", "ready", ToClientCommands, None, then=pass_on, ref="wire: ToClientCommands",
              says="Which actors to start and stop concerns the runner's host."),
        moves("LINK-R-06", ("ready", "stopping"), ToClientAckEvents, None, then=pass_on, ref="wire: ToClientAckEvents",
              says="Which events have arrived concerns the runner's host."),
        moves("LINK-R-07", ("dialing", "joining", "ready"), LinkDown, "idle", then=redial, ref="protocol 11",
              says="The link broke: each socket on it is told, and the runner dials again after a pause."),
        moves("LINK-R-08", "ready", RunnerStops, "stopping", then=stop, ref="wire: ToServerStopping",
              says="A stopping runner says so, stops its actors, and closes the link when they have stopped."),
        moves("LINK-R-09", ("idle", "dialing", "joining"), RunnerStops, "stopping", then=stop_unready, ref="protocol 12",
              says="A runner that is not welcomed stops at once."),
        moves("LINK-R-10", "ready", ToClientClose, "stopping", then=obey_close, ref="wire: ToClientClose",
              says="The gateway may ask the runner to go."),
        moves("LINK-R-11", "stopping", LinkDown, "gone", then=finish, ref="L-FREE", says="The runner has stopped."),
        moves("LINK-R-12", "stopping", ToClientCommands, None, then=pass_on, ref="wire: ToClientCommands",
              says="A stop that crosses is obeyed; starts are refused by the host."),
        refuses("LINK-R-13", ("idle", "dialing", "joining", "ready", "stopping"), BadFrame, ref="P-ISOLATE",
                says="What is not a frame is reported and skipped."),
        refuses("LINK-R-28", "ready", ToClientInit, says="A runner is welcomed once a link."),
        ignores("LINK-R-29", "stopping", ToClientInit, ref="K-HONEST-G",
                says="It was on its way when the runner was told to stop."),
        refuses("LINK-R-15", ("dialing", "joining"), ToClientCommands, says="A runner is welcomed first."),
        refuses("LINK-R-16", ("dialing", "joining"), ToClientAckEvents, says="A runner is welcomed first."),
        ignores("LINK-R-17", ("idle", "dialing", "joining", "ready", "stopping", "gone"), ToClientKvResponse,
                says="Key-value requests are outside this specification; the reference sends none."),
        ignores("LINK-R-18", ("idle", "gone"), ToClientCommands, says="The link is down."),
        ignores("LINK-R-19", ("idle", "gone"), ToClientAckEvents, says="The link is down."),
        ignores("LINK-R-20", ("idle", "dialing", "gone"), ToClientInit, says="The link is down."),
        ignores("LINK-R-21", ("idle", "dialing", "joining", "stopping", "gone"), ToClientClose,
                says="It is down, or being closed; an unwelcomed runner waits for the socket's end."),
        excludes("LINK-R-22", ("idle", "dialing", "joining", "gone"), PingDue, says="It was cancelled."),
        excludes("LINK-R-23", ("dialing", "joining", "ready", "stopping", "gone"), RedialDue, says="It was cancelled."),
        ignores("LINK-R-24", ("idle", "joining", "ready", "stopping", "gone"), LinkUp, says="It is up already, or unwanted."),
        ignores("LINK-R-25", ("idle", "gone"), LinkDown, says="There is nothing to lose."),
        ignores("LINK-R-26", ("stopping", "gone"), RunnerStops, says="It is stopping already."),
        ignores("LINK-R-27", "gone", BadFrame, says="The link is gone."),
    ),
    contexts=_no_contexts,
    events=_runner_events,
)  # fmt: skip

MACHINES: tuple[Machine, ...] = (LINK_G, RELAY_G, LINK_R)
