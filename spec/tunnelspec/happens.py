"""What can happen in the closed world (``system``), but for what the endpoints' tables say: a pure function for each stage."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

from tunnelspec.events import (
    AckDue,
    ActorAccepts,
    ActorCloses,
    ActorListens,
    ActorRefuses,
    ActorSends,
    ActorStarted,
    ActorStops,
    AskActor,
    BackoffOver,
    ClientClosed,
    ClientConnected,
    ClientMessage,
    CloseClient,
    Collect,
    Committed,
    Conclude,
    Concluded,
    Deliver,
    Emit,
    Forget,
    LinkLost,
    OpenTimeout,
    ReadClient,
    RouteFailed,
    RouteFound,
    Send,
    SendAck,
    SocketClosed,
    SocketMessage,
)
from tunnelspec.frames import (
    ToClientWebSocketClose,
    ToClientWebSocketMessage,
    ToClientWebSocketOpen,
    ToServerWebSocketClose,
    ToServerWebSocketMessage,
    ToServerWebSocketMessageAck,
    ToServerWebSocketOpen,
    TunnelAck,
)
from tunnelspec.machine import Received
from tunnelspec.world import (
    ACTOR_CODE,
    LEAVE_CODE,
    NOT_FOUND,
    SIDES,
    Budget,
    Carried,
    Client,
    Gateway,
    Host,
    Line,
    Runner,
    Store,
    Values,
)

# == what they said is carried =======================================================================================


def carried(outputs: Values, side: str) -> tuple[tuple[int, Carried], ...]:
    """What of the outputs goes to or comes from this side, each with its link. The links of a are odd, those of b even."""
    return tuple(
        (o.link, Carried(o.frame, o.number) if isinstance(o, Send) else Carried(TunnelAck(), o.message_id[0]))
        for o in outputs
        if (isinstance(o, Send) or (isinstance(o, SendAck) and o.message_id != b"")) and SIDES[1 - o.link % 2] == side
    )


def carry(line: Line, queue: tuple[Carried, ...], said: tuple[tuple[int, Carried], ...]) -> Values:
    """Frames join the queue of a link that is up; on a broken one they are lost."""
    return (queue + tuple(frame for link, frame in said if line.up and link == line.link),)


def tell_client(client: Client, said: Values) -> Values:
    """The client hears the gateway."""
    for output in said:
        if isinstance(output, ReadClient) and client.phase == "connecting":
            client = client._replace(phase="open")
        elif isinstance(output, Deliver) and client.phase == "open":
            client = client._replace(heard=output.data[0])
        elif isinstance(output, CloseClient) and client.phase != "left":
            client = client._replace(phase="told", told=output.code)
    return (client,)


def tell_host(host: Host, said: Values) -> Values:
    """The actor's host hears the runner: a question, or what its listener is to see."""
    for output in said:
        if isinstance(output, AskActor):
            host = host._replace(asked=True)
        elif isinstance(output, Emit) and isinstance(output.event, SocketMessage | SocketClosed):
            host = host._replace(mailbox=(*host.mailbox, output.event)) if host.on else host
        elif isinstance(output, Conclude) and host.on:
            host = host._replace(mailbox=(*host.mailbox, output))
    return (host,)


def tell_store(side: str, store: Store, said: Values) -> Values:
    """The durable state hears that a socket's record may go."""
    if Forget() in said and store.owner == side:
        return (store._replace(last=-1, concluded=0),)
    return (store,)


# == what can happen =================================================================================================


def client_connects(client: Client) -> Values | None:
    if client.phase != "new":
        return None
    return client._replace(phase="connecting"), ClientConnected()


def client_says(says: int, client: Client) -> Values | None:
    """Also a client that was closed may have sent before it saw that."""
    if client.phase not in ("open", "told") or client.said == says:
        return None
    return client._replace(said=client.said + 1), ClientMessage(bytes([client.said + 1]), False, 1, 0, 0)


def client_leaves(client: Client, budget: Budget) -> Values | None:
    """Also a client that was closed may have left before it saw that."""
    if client.phase not in ("connecting", "open", "told") or not budget.leaves:
        return None
    after = client if client.phase == "told" else client._replace(phase="left")
    return after, budget._replace(leaves=0), ClientClosed(LEAVE_CODE, "", 0)


def open_times_out(gateway: Gateway) -> Values | None:
    return (gateway._replace(opening=False), OpenTimeout(0)) if gateway.opening else None


def backoff_ends(gateway: Gateway) -> Values | None:
    return (gateway._replace(backing=False), BackoffOver(0)) if gateway.backing else None


def resolves(gateway: Gateway) -> Values | None:
    return () if gateway.resolving else None


def finds(
    side: str, store: Store, budget: Budget, line: Line, here: Host, other_line: Line, there: Host
) -> Values | None:
    """The actor's runner; or, if it has none now, any, which starts it, unless it died or lost its link, and hears nothing. By a
    move the router takes a living actor for lost: what goes on living there is a zombie."""
    if line.gateway_knows:
        return None
    if store.owner == side and here.on:
        return store, budget, here, RouteFound(line.link, 0)
    if here.on:
        return None  # a zombie is there: it must stop before the runner can start the actor again
    moves = there.on and store.owner not in ("", side) and not other_line.gateway_knows
    if moves and not budget.moves:
        return None
    left = budget._replace(moves=budget.moves - 1) if moves else budget
    if line.runner_knows:
        return store, left, here, RouteFound(line.link, 0)
    return store._replace(owner=side), left, Host(on=True), RouteFound(line.link, 0)


def finds_none(line: Line) -> Values | None:
    return () if line.gateway_knows else None


def route_fails() -> Values:
    return (RouteFailed(0),)


def starts(side: str, store: Store, budget: Budget, line: Line, here: Host, there: Host) -> Values | None:
    """The actor runs again for a cause of its own."""
    if not budget.wakes or line.gateway_knows or here.on or (there.on and store.owner not in ("", side)):
        return None
    left = budget._replace(wakes=budget.wakes - 1)
    if line.runner_knows:
        return store, left, here, ActorStarted(0)
    return store._replace(owner=side), left, Host(on=True), ActorStarted(0)


def arrive(line: Line, queue: tuple[Carried, ...]) -> Values | None:
    """A link's oldest frame arrives."""
    if not queue or line.stalled:
        return None
    frame, number = queue[0]
    if isinstance(frame, TunnelAck):
        return queue[1:], Received(frame, line.link, number=number)
    return queue[1:], Received(frame, line.link, bytes([number]))


def breaks(line: Line, budget: Budget) -> Values | None:
    """What is on the link is lost; its ends have yet to notice."""
    if not line.up or not budget.breaks:
        return None
    return line._replace(up=False, stalled=False), budget._replace(breaks=budget.breaks - 1), (), ()


def stalls(line: Line, budget: Budget) -> Values | None:
    if not line.up or line.stalled or not budget.stalls:
        return None
    return line._replace(stalled=True), budget._replace(stalls=budget.stalls - 1)


def recovers(line: Line) -> Values | None:
    return (line._replace(stalled=False),) if line.stalled else None


def gateway_notices(line: Line) -> Values | None:
    """The relay closes on the runner's behalf."""
    if line.up or line.gateway_knows:
        return None
    close = Received(ToServerWebSocketClose(None, None, retry=True), line.link)
    return (Line(line.link + 2) if line.runner_knows else line._replace(gateway_knows=True)), close


def runner_notices(line: Line) -> Values | None:
    """The runner learns that its link is gone, and dials again; the gateway then knows at the latest."""
    if line.up or line.runner_knows:
        return None
    return (Line(line.link + 2) if line.gateway_knows else line._replace(runner_knows=True)), LinkLost(line.link, 0)


def acks_are_due(runner: Runner) -> Values | None:
    return (runner._replace(due=False), AckDue(0)) if runner.due else None


def answers(hibernates: bool, store: Store, host: Host, runner: Runner) -> Values | None:
    """The actor is asked whether it takes the socket; a close that waits is made durable first. How a socket ended that cannot
    hibernate is not remembered."""
    waiting = (*host.mailbox, *runner.machines[4].context.events)
    if not host.asked or any(isinstance(item, Conclude | SocketClosed) for item in waiting):
        return None
    after = host._replace(asked=False)
    if not host.on:
        return after, ActorRefuses(*NOT_FOUND, 0)
    if store.concluded and hibernates:
        return after, ActorRefuses(store.concluded, "", 0)
    return after, ActorAccepts(hibernates != host.wavers, store.last, store.last >= 0, 0)


def wavers(store: Store, host: Host, budget: Budget, runner: Runner) -> Values | None:
    """An actor that just started sees hibernation otherwise than in its other lives."""
    if not host.on or host.wavers or runner.machines[0].state == "OPEN" or not budget.wavers:
        return None
    return host._replace(wavers=True), budget._replace(wavers=budget.wavers - 1)


def listens(host: Host, runner: Runner) -> Values | None:
    """The actor attaches its listener, some time after it was asked."""
    if not host.on or runner.machines[4].state == "heard" or runner.machines[0].state == "CLOSED":
        return None
    return (ActorListens(),)


def processes(side: str, store: Store, host: Host) -> Values | None:
    """The actor handles what came first, and commits; one that may not write any longer stops."""
    if not host.mailbox:
        return None
    item, rest = host.mailbox[0], host._replace(mailbox=host.mailbox[1:])
    if store.owner != side:
        return store, Host(), ActorStops(0)
    if isinstance(item, SocketMessage):
        known = store.last if item.index < 0 else item.index
        return store._replace(last=known, applied=item.data[0]), rest, Committed(item.index, 0)
    if isinstance(item, SocketClosed) and not item.final:
        return store, rest, None
    return store._replace(concluded=store.concluded or item.code or LEAVE_CODE), rest, Concluded(0)


def sleeps(restless: bool, host: Host, budget: Budget) -> Values | None:
    """The actor goes to sleep, or crashes: what it had not committed is gone."""
    if not host.on or not budget.sleeps:
        return None
    return Host(asked=host.asked), budget._replace(sleeps=budget.sleeps - (not restless)), ActorStops(0)


def actor_sends(sends: int, host: Host, budget: Budget, runner: Runner) -> Values | None:
    if not host.on or not budget.sends or runner.machines[4].state != "heard":
        return None
    return budget._replace(sends=budget.sends - 1), ActorSends(bytes([sends - budget.sends + 1]), False, 0)


def actor_closes(side: str, store: Store, host: Host, budget: Budget, runner: Runner) -> Values | None:
    """The actor closes, in the same transaction as its state; what closed the socket first is what counts."""
    if not host.on or not budget.closes or store.owner != side or runner.machines[4].state != "heard":
        return None
    if runner.machines[0].state == "CLOSED":
        return None
    after = store._replace(concluded=store.concluded or ACTOR_CODE)
    return after, budget._replace(closes=budget.closes - 1), ActorCloses(ACTOR_CODE, "", 0)


# == time ============================================================================================================


def older(value: Any, oldest: int) -> Any:
    """The same value with all its instants a tick earlier."""
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        aged = {
            name: max(inner - 1, -oldest) if name in ("sent", "since") else older(inner, oldest)
            for name, inner in zip(value._fields, value, strict=True)
        }
        return type(value)(**aged)
    if hasattr(value, "append"):
        return type(value)(older(item, oldest) for item in value)
    if isinstance(value, tuple):
        return tuple(older(item, oldest) for item in value)
    return value


def quiet_gateway(oldest: int, gateway: Gateway) -> Values | None:
    """No short timer is armed, and no route is waited for: a tick is longer than all of them."""
    if gateway.opening or gateway.backing or gateway.resolving:
        return None
    return older(gateway, oldest), Collect(0)


def quiet_line(line: Line, down: tuple[Carried, ...], up: tuple[Carried, ...]) -> Values | None:
    """Nothing is on its way, unless it is stalled; both ends know whether the link is up."""
    return () if (line.up and (line.stalled or not (down or up))) else None


def quiet_runner(runner: Runner, host: Host) -> Values | None:
    """No ack is due, and no question unanswered. The actor itself may be slow."""
    return None if runner.due or host.asked else ()


def runner_ages(oldest: int, runner: Runner) -> Values:
    return older(runner, oldest), Collect(0)


# == lies ============================================================================================================


def slips_in(frame: Any, number: int, line: Line, queue: tuple[Carried, ...], budget: Budget) -> Values | None:
    """A frame that the tables did not send, behind all that is on the link."""
    if not line.up or not budget.lies:
        return None
    return (*queue, Carried(frame, number)), budget._replace(lies=budget.lies - 1)


def miscommits(index: int, budget: Budget) -> Values | None:
    """An actor's host claims a commit."""
    return (budget._replace(lies=budget.lies - 1), Committed(index, 0)) if budget.lies else None


def lies_up(modulus: int) -> Iterator[tuple[str, Any]]:
    """What a broken runner might say."""
    yield from ((f"ack-{index}", ToServerWebSocketMessageAck(index)) for index in range(modulus))
    yield from (
        (f"open-{can:d}-{last}", ToServerWebSocketOpen(can, last)) for can, last in product((False, True), (-1, 0, 3))
    )
    yield from (("close", ToServerWebSocketClose(1011, "", False)), ("retry", ToServerWebSocketClose(None, None, True)))
    yield from (("message", ToServerWebSocketMessage(b"\x63", False)), ("foreign", TunnelAck()))


def lies_down(modulus: int) -> Iterator[tuple[str, Any]]:
    """What a broken gateway might say."""
    yield from ((f"message-{index}", ToClientWebSocketMessage(index, b"\x63", False)) for index in range(modulus))
    yield from (("open", ToClientWebSocketOpen("", "", ())), ("close", ToClientWebSocketClose(None, None)))
    yield ("foreign", TunnelAck())


FOREIGN = 0
"""The number that no message of this endpoint has."""

LIE = 15
"""The number of a frame that the tables did not send."""
