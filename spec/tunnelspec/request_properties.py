"""Properties of plain requests (H), in their own world (``exchange``).

They are as ``properties`` has them: a sentence, ``holds`` and ``could``, of every state, step or end of their own world.
"""

from __future__ import annotations

from typing import Any

from tunnelspec.events import (
    ActorFails,
    ActorResponds,
    ActorResponseBody,
    ActorStops,
    CallBody,
    CancelCall,
    Collect,
    LinkLost,
    RequestBody,
    RequestDropped,
    Respond,
    RespondBody,
)
from tunnelspec.exchange import OK, Callee, Caller, Carrier, Handler, Left, Ran, Wire
from tunnelspec.frames import (
    ToClientRequestAbort,
    ToClientRequestChunk,
    ToClientRequestStart,
    ToServerResponseAbort,
    ToServerResponseChunk,
    ToServerResponseStart,
    TunnelAck,
)
from tunnelspec.machine import Received
from tunnelspec.properties import CENTRE, Property, Said, Scope, breaks_no_rule, hears, hears_something, nothing
from tunnelspec.system import Bounds

# -- requests: of every state ----------------------------------------------------------------------------------------


def request(gateway: Carrier) -> str:
    """The state of the gateway's request."""
    return gateway.machines[0].state


def whole_if_made(b: Bounds, client: Caller, gateway: Carrier, line: Wire, host: Handler) -> bool:
    return client.phase != "answered" or client.status != OK or host.finished > 0


def answered_ok(b: Bounds, client: Caller, gateway: Carrier, line: Wire, host: Handler) -> bool:
    return client.phase == "answered" and client.status == OK


def tries_bounded(b: Bounds, client: Caller, gateway: Carrier, store: Ran, budget: Left) -> bool:
    return bool(gateway.machines[0].context.failures <= b.limits.max_retries)


def tried_all(b: Bounds, client: Caller, gateway: Carrier, store: Ran, budget: Left) -> bool:
    return bool(gateway.machines[0].context.failures == b.limits.max_retries)


def request_ends_whole(b: Bounds, client: Caller, gateway: Carrier, store: Ran, budget: Left) -> bool:
    return (request(gateway) == "done") == gateway.ended and (
        not gateway.ended or (gateway.machines[1].state == "down" and not gateway.timing and not gateway.backing)
    )


def request_has_ended(b: Bounds, client: Caller, gateway: Carrier, store: Ran, budget: Left) -> bool:
    return gateway.ended


def request_is_timed(b: Bounds, client: Caller, gateway: Carrier, store: Ran, budget: Left) -> bool:
    return (
        gateway.timing == (request(gateway) in ("offered", "running"))
        and gateway.backing == (request(gateway) == "backoff")
        and (request(gateway) != "routing" or gateway.resolving)
    )


def request_waits(b: Bounds, client: Caller, gateway: Carrier, store: Ran, budget: Left) -> bool:
    return gateway.timing or gateway.backing or gateway.resolving


def one_tunnel(b: Bounds, client: Caller, gateway: Carrier, store: Ran, budget: Left) -> bool:
    return (gateway.machines[1].state == "up") == (request(gateway) in ("offered", "running", "streaming")) and (
        gateway.machines[1].state == "down" or gateway.machines[1].context.link == gateway.machines[0].context.link
    )


def has_tunnel(b: Bounds, client: Caller, gateway: Carrier, store: Ran, budget: Left) -> bool:
    return gateway.machines[1].state == "up"


def ends_agree(b: Bounds, runner: Callee, host: Handler) -> bool:
    return (host.phase, runner.machines[0].state) in (
        ("idle", "idle"), ("called", "called"), ("responding", "responding"),
    )  # fmt: skip


def is_called(b: Bounds, runner: Callee, host: Handler) -> bool:
    return host.phase != "idle"


# -- requests: of every step -----------------------------------------------------------------------------------------


def not_again(b: Bounds, before: Carrier, heard: Any, after: Carrier, *said: Said) -> bool:
    return request(before) not in ("running", "streaming") or request(after) not in ("routing", "backoff", "offered")


def has_arrived(b: Bounds, before: Carrier, heard: Any, after: Carrier, *said: Said) -> bool:
    return request(before) in ("running", "streaming")


def counts_once(b: Bounds, before: Carrier, heard: Any, after: Carrier, *said: Said) -> bool:
    return not try_fails(b, before, heard, after, *said) or (
        after.machines[0].context.failures == before.machines[0].context.failures + (request(after) == "backoff")
        and (before.machines[0].context.failures < b.limits.max_retries) == (request(after) == "backoff")
    )


def try_fails(b: Bounds, before: Carrier, heard: Any, after: Carrier, *said: Said) -> bool:
    return (
        request(before) in ("routing", "offered")
        and request(after) in ("backoff", "done")
        and not isinstance(heard, RequestDropped)
    )


def aborts_what_it_drops(b: Bounds, before: Carrier, heard: Any, after: Carrier, *said: Said) -> bool:
    return not drops_call(b, before, heard, after, *said) or any(
        isinstance(sent.frame, ToClientRequestAbort) for _, sent in said[0]
    )


def drops_call(b: Bounds, before: Carrier, heard: Any, after: Carrier, *said: Said) -> bool:
    return (
        request(before) in ("offered", "running", "streaming")
        and request(after) == "done"
        and not isinstance(heard, Received | Collect)
    )


def sends_body_on(b: Bounds, before: Carrier, heard: Any, after: Carrier, *said: Said) -> bool:
    return not has_body(b, before, heard, after, *said) or [
        sent.frame for _, sent in said[0] if isinstance(sent.frame, ToClientRequestChunk)
    ] == [ToClientRequestChunk(heard.data, heard.finish)]


def has_body(b: Bounds, before: Carrier, heard: Any, after: Carrier, *said: Said) -> bool:
    return isinstance(heard, RequestBody) and request(before) in ("running", "streaming")


def reads_when_arrived(b: Bounds, before: Carrier, heard: Any, after: Carrier, *said: Said) -> bool:
    return not arrives_now(b, before, heard, after, *said) or len(said[1]) > 0


def arrives_now(b: Bounds, before: Carrier, heard: Any, after: Carrier, *said: Said) -> bool:
    return hears(heard, TunnelAck) and request(before) == "offered" and request(after) == "running"


def acks_what_it_uses(b: Bounds, before: Carrier, heard: Any, after: Carrier, *said: Said) -> bool:
    return not uses_frame(b, before, heard, after, *said) or any(
        isinstance(sent.frame, TunnelAck) and sent.number == heard.message_id[0] for _, sent in said[0]
    )


def uses_frame(b: Bounds, before: Carrier, heard: Any, after: Carrier, *said: Said) -> bool:
    return any(isinstance(output, Respond | RespondBody) for output in said[1]) and (
        hears(heard, ToServerResponseStart) or hears(heard, ToServerResponseChunk)
    )


def runner_acks_what_it_uses(b: Bounds, before: Callee, heard: Any, after: Callee, *said: Said) -> bool:
    return not runner_uses_frame(b, before, heard, after, *said) or any(
        isinstance(sent.frame, TunnelAck) and sent.number == heard.message_id[0] for _, sent in said[0]
    )


def runner_uses_frame(b: Bounds, before: Callee, heard: Any, after: Callee, *said: Said) -> bool:
    return isinstance(heard, Received) and len(said[1]) > 0


def gives_body(b: Bounds, before: Callee, heard: Any, after: Callee, *said: Said) -> bool:
    return not body_comes(b, before, heard, after, *said) or said[1] == (
        CallBody(heard.frame.body, heard.frame.finish),
    )


def body_comes(b: Bounds, before: Callee, heard: Any, after: Callee, *said: Said) -> bool:
    return (
        hears(heard, ToClientRequestChunk)
        and before.machines[0].state in ("called", "responding")
        and heard.link == before.machines[0].context.link
    )


def collects(b: Bounds, before: Carrier, heard: Any, after: Carrier, *said: Said) -> bool:
    return isinstance(heard, Collect) and request(before) in ("running", "streaming")


def collects_rightly(b: Bounds, before: Carrier, heard: Any, after: Carrier, *said: Said) -> bool:
    return not collects(b, before, heard, after, *said) or (after.ended and not before.ended) == any(
        -sent.sent > b.limits.ack_timeout_ms for sent in before.machines[1].context.pending
    )


def heeds_no_stranger(b: Bounds, before: Any, heard: Any, after: Any, *said: Said) -> bool:
    return not is_strange(b, before, heard, after, *said) or (
        after.machines == before.machines and said[:-1] == ((), (), ())
    )


def is_strange(b: Bounds, before: Any, heard: Any, after: Any, *said: Said) -> bool:
    return (
        isinstance(heard, Received | LinkLost)
        and before.machines[0].context.link not in (0, heard.link)
        and before.machines[1].state == "up"
    )


def speaks_in_turn(b: Bounds, before: Callee, heard: Any, after: Callee, *said: Said) -> bool:
    return not speaks_out_of_turn(b, before, heard, after, *said) or (
        after.machines == before.machines
        and said[0] == ()
        and (said[-2] != ()) == (before.machines[0].state in ("called", "responding"))
    )


def speaks_out_of_turn(b: Bounds, before: Callee, heard: Any, after: Callee, *said: Said) -> bool:
    return (
        (isinstance(heard, ActorResponds) and before.machines[0].state != "called")
        or (isinstance(heard, ActorResponseBody) and before.machines[0].state != "responding")
        or (isinstance(heard, ActorFails) and before.machines[0].state in ("idle", "done"))
    )


def reports_out_of_turn(b: Bounds, before: Carrier, heard: Any, after: Carrier, *said: Said) -> bool:
    return not is_out_of_order(b, before, heard, after, *said) or said[-2] != ()


def passes_response_on(b: Bounds, before: Carrier, heard: Any, after: Carrier, *said: Said) -> bool:
    return not is_response(b, before, heard, after, *said) or any(
        (isinstance(output, Respond) and output.status == heard.frame.status and output.stream == heard.frame.stream)
        if hears(heard, ToServerResponseStart)
        else output == RespondBody(heard.frame.body, heard.frame.finish)
        for output in said[1]
    )


def is_response(b: Bounds, before: Carrier, heard: Any, after: Carrier, *said: Said) -> bool:
    return not is_strange(b, before, heard, after, *said) and (
        (hears(heard, ToServerResponseStart) and request(before) == "running")
        or (hears(heard, ToServerResponseChunk) and request(before) == "streaming")
    )


def tells_gateway(b: Bounds, before: Callee, heard: Any, after: Callee, *said: Said) -> bool:
    return not gives_call_up(b, before, heard, after, *said) or any(
        isinstance(sent.frame, ToServerResponseAbort) for _, sent in said[0]
    )


def gives_call_up(b: Bounds, before: Callee, heard: Any, after: Callee, *said: Said) -> bool:
    return isinstance(heard, ActorFails | ActorStops) and before.machines[0].state in ("called", "responding")


def sends_response_on(b: Bounds, before: Callee, heard: Any, after: Callee, *said: Said) -> bool:
    return not actor_responds(b, before, heard, after, *said) or [
        sent.frame for _, sent in said[0] if not isinstance(sent.frame, TunnelAck)
    ] == [heard.frame if isinstance(heard, ActorResponds) else ToServerResponseChunk(heard.data, heard.finish)]


def actor_responds(b: Bounds, before: Callee, heard: Any, after: Callee, *said: Said) -> bool:
    return (isinstance(heard, ActorResponds) and before.machines[0].state == "called") or (
        isinstance(heard, ActorResponseBody) and before.machines[0].state == "responding"
    )


def lets_actor_go(b: Bounds, before: Callee, heard: Any, after: Callee, *said: Said) -> bool:
    return not breaks_call_off(b, before, heard, after, *said) or CancelCall() in said[1]


def breaks_call_off(b: Bounds, before: Callee, heard: Any, after: Callee, *said: Said) -> bool:
    return (
        before.machines[0].state in ("called", "responding")
        and after.machines[0].state == "idle"
        and not isinstance(heard, ActorResponds | ActorResponseBody)
    )


def runner_collects_rightly(b: Bounds, before: Callee, heard: Any, after: Callee, *said: Said) -> bool:
    return not runner_collects(b, before, heard, after, *said) or (after.machines[0].state == "idle") == any(
        -sent.sent > b.limits.runner_ack_timeout_ms for sent in before.machines[1].context.pending
    )


def runner_collects(b: Bounds, before: Callee, heard: Any, after: Callee, *said: Said) -> bool:
    return isinstance(heard, Collect) and before.machines[0].state == "responding"


def reports_foreign_acks(b: Bounds, before: Any, heard: Any, after: Any, *said: Said) -> bool:
    return not acks_what_was_never_sent(b, before, heard, after, *said) or said[-2] != ()


def acks_what_was_never_sent(b: Bounds, before: Any, heard: Any, after: Any, *said: Said) -> bool:
    return hears(heard, TunnelAck) and heard.number == 0 and before.machines[1].state == "up"


def gives_up_what_is_lost(b: Bounds, before: Carrier, heard: Any, after: Carrier, *said: Said) -> bool:
    return not is_aborted(b, before, heard, after, *said) or (
        request(after) in ("backoff", "done")
        and (request(before) != "offered" or any(isinstance(sent.frame, ToClientRequestAbort) for _, sent in said[0]))
    )


def is_aborted(b: Bounds, before: Carrier, heard: Any, after: Carrier, *said: Said) -> bool:
    return (
        hears(heard, ToServerResponseAbort)
        and request(before) in ("offered", "running", "streaming")
        and before.machines[0].context.link == heard.link
    )


def drops_what_is_dropped(b: Bounds, before: Carrier, heard: Any, after: Carrier, *said: Said) -> bool:
    return not is_dropped(b, before, heard, after, *said) or request(after) == "done"


def is_dropped(b: Bounds, before: Carrier, heard: Any, after: Carrier, *said: Said) -> bool:
    return isinstance(heard, RequestDropped) and request(before) not in ("new", "done")


def is_out_of_order(b: Bounds, before: Carrier, heard: Any, after: Carrier, *said: Said) -> bool:
    return (
        (hears(heard, ToServerResponseStart) and request(before) == "streaming")
        or (hears(heard, ToServerResponseChunk) and request(before) == "running")
    ) and not is_strange(b, before, heard, after, *said)


def runner_reports_again(b: Bounds, before: Callee, heard: Any, after: Callee, *said: Said) -> bool:
    return not is_asked_again(b, before, heard, after, *said) or said[-2] != ()


def is_asked_again(b: Bounds, before: Callee, heard: Any, after: Callee, *said: Said) -> bool:
    return hears(heard, ToClientRequestStart) and before.machines[0].state in ("called", "responding")


# -- requests: what the client sees ----------------------------------------------------------------------------------


def pieces_in_order(b: Bounds, before: Caller, said: Said, after: Caller) -> bool:
    return all(output.data[0] == before.heard + 1 for output in said if isinstance(output, RespondBody))


def hears_piece(b: Bounds, before: Caller, said: Said, after: Caller) -> bool:
    return any(isinstance(output, RespondBody) for output in said)


def one_head(b: Bounds, before: Caller, said: Said, after: Caller) -> bool:
    return not hears_head(b, before, said, after) or before.phase in ("waiting", "left")


def hears_head(b: Bounds, before: Caller, said: Said, after: Caller) -> bool:
    return any(isinstance(output, Respond) for output in said)


# -- requests: of every end ------------------------------------------------------------------------------------------


def is_answered(b: Bounds, client: Caller, gateway: Carrier, store: Ran, budget: Left) -> bool:
    return client.phase in ("answered", "broken", "left") and gateway.ended


def began(b: Bounds, client: Caller, gateway: Carrier, store: Ran, budget: Left) -> bool:
    return client.phase != "new"


MAIN = ("client", "gateway", "line_a", "host_a")
CALL = ("runner_a", "host_a")

REQUEST_PROPERTIES: tuple[Property, ...] = (
    Property("H-TRUE", "A client that is given a whole response has one that the actor finished.",
             Scope.END, MAIN, whole_if_made, answered_ok),
    Property("H-BOUND", "A request is tried as often as the limit says, and no more.",
             Scope.STATE, CENTRE, tries_bounded, tried_all, honest=False),
    Property("H-WHOLE", "What ends, ends whole: no tunnel or timer is left, and the entry is free.",
             Scope.STATE, CENTRE, request_ends_whole, request_has_ended, honest=False),
    Property("H-TIMED", "Who waits has a timer, and only who waits.",
             Scope.STATE, CENTRE, request_is_timed, request_waits, honest=False),
    Property("H-LINK", "A request that was sent has one tunnel, over one link.",
             Scope.STATE, CENTRE, one_tunnel, has_tunnel, honest=False),
    Property("H-CALL", "An actor answers a call that its runner knows, and no other.",
             Scope.STATE, CALL, ends_agree, is_called),
    Property("H-AGAIN", "What the runner is known to have is not sent again.",
             Scope.STEP, ("gateway",), not_again, has_arrived, honest=False),
    Property("H-TRY", "A try that fails counts once, and it is tried again as often as the limit says.",
             Scope.STEP, ("gateway",), counts_once, try_fails, honest=False),
    Property("H-ABORT", "A request that is given up while its runner may have it is aborted there.",
             Scope.STEP, ("gateway",), aborts_what_it_drops, drops_call, honest=False),
    Property("H-BODY", "The request's body is sent on as it came.",
             Scope.STEP, ("gateway",), sends_body_on, has_body, honest=False),
    Property("H-READ", "The request's body is read once its head has arrived.",
             Scope.STEP, ("gateway",), reads_when_arrived, arrives_now, honest=False),
    Property("H-ACK", "What of a response reaches the client is acked.",
             Scope.STEP, ("gateway",), acks_what_it_uses, uses_frame, honest=False),
    Property("H-COLLECT", "Collection ends what is overdue, and nothing else.",
             Scope.STEP, ("gateway",), collects_rightly, collects, honest=False),
    Property("H-STRANGER", "What comes over another link changes nothing.",
             Scope.STEP, ("gateway",), heeds_no_stranger, is_strange, honest=False),
    Property("H-STRANGER-R", "The same, at the runner.",
             Scope.STEP, ("runner",), heeds_no_stranger, is_strange, honest=False),
    Property("H-TURN", "An actor that speaks out of turn says nothing to the gateway.",
             Scope.STEP, ("runner",), speaks_in_turn, speaks_out_of_turn, honest=False),
    Property("H-REPORT", "A response that is out of order is reported.",
             Scope.STEP, ("gateway",), reports_out_of_turn, is_out_of_order, honest=False),
    Property("H-REPORT-R", "A request that comes again while it is answered is reported.",
             Scope.STEP, ("runner",), runner_reports_again, is_asked_again, honest=False),
    Property("H-PASS", "What comes of a response is passed on as it came.",
             Scope.STEP, ("gateway",), passes_response_on, is_response, honest=False),
    Property("H-TELL", "A response that will not come is aborted.",
             Scope.STEP, ("runner",), tells_gateway, gives_call_up, honest=False),
    Property("H-HONEST-R", "A runner that follows the tables never breaks a rule of the gateway's.",
             Scope.STEP, ("gateway",), breaks_no_rule, hears_something),
    Property("H-HONEST-G", "A gateway that follows the tables never breaks a rule of the runner's.",
             Scope.STEP, ("runner",), breaks_no_rule, hears_something),
    Property("H-ACK-R", "What of a request reaches the actor is acked.",
             Scope.STEP, ("runner",), runner_acks_what_it_uses, runner_uses_frame, honest=False),
    Property("H-GIVE", "The actor is given the request's body as it came.",
             Scope.STEP, ("runner",), gives_body, body_comes, honest=False),
    Property("H-ORDER", "The client is given the response's pieces in order, and each once.",
             Scope.STEP, ("client",), pieces_in_order, hears_piece),
    Property("H-SEND", "What the actor responds is sent as it was.",
             Scope.STEP, ("runner",), sends_response_on, actor_responds, honest=False),
    Property("H-LET-GO", "The host of a call that is broken off is told to let it go, whoever broke it off.",
             Scope.STEP, ("runner",), lets_actor_go, breaks_call_off, honest=False),
    Property("H-COLLECT-R", "The runner's collection ends what is overdue, and nothing else.",
             Scope.STEP, ("runner",), runner_collects_rightly, runner_collects, honest=False),
    Property("H-REPORT-ACK", "A TunnelAck of what was never sent is reported.",
             Scope.STEP, ("runner",), reports_foreign_acks, acks_what_was_never_sent, honest=False),
    Property("H-LOST", "A request that its runner aborts is given up, or tried again; if it may still arrive, it is aborted there.",
             Scope.STEP, ("gateway",), gives_up_what_is_lost, is_aborted, honest=False),
    Property("H-DROP", "A client that leaves ends its request.",
             Scope.STEP, ("gateway",), drops_what_is_dropped, is_dropped, honest=False),
    Property("H-HEAD", "A response has one head.", Scope.STEP, ("client",), one_head, hears_head, honest=False),
    Property("H-END", "Every run ends: nothing goes round in circles.", Scope.RUN, (), nothing, nothing, honest=False),
    Property("H-ANSWER", "Every request ends: answered, broken off, or dropped.",
             Scope.END, CENTRE, is_answered, began),
)  # fmt: skip
"""Of a plain request."""
