"""The closed world of a runner's own link: a gateway, a socket that breaks, and a runner that dials, pings and stops.

It is a world as ``system`` has it, over the endpoints for links. Of ``Bounds`` it heeds ``breaks``, ``stalls`` (the gateway takes
the runner for silent), ``sleeps`` (the runner is told to stop), ``leaves`` (the gateway asks it to go), ``moves`` (another link
claims to be the same runner), ``sends`` (pings), ``says`` (commands and events) and ``lies``. What of a closing handshake is on its
way is one ``Goodbye`` behind the frames before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

from tunnelspec.endpoint import LINK_GATEWAY, LINK_RUNNER, Endpoint, Local
from tunnelspec.events import (
    Admit,
    BadFrame,
    Dial,
    Free,
    HangUp,
    InitTimeout,
    Introduce,
    LinkDown,
    LinkUp,
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
    ToServerAckCommands,
    ToServerEvents,
    ToServerInit,
    ToServerKvRequest,
    ToServerPing,
    ToServerStopping,
)
from tunnelspec.machine import Received, Violation
from tunnelspec.system import Action, Stage, System, Values, armed

WELCOME = ToClientInit("", -1, ProtocolMetadata(0))
INTRODUCTION = ToServerInit("", 1, 1, None, None, None)
PING, STOPPING, CLOSE = ToServerPing(0), ToServerStopping(), ToClientClose()
EVENTS, EVENTS_ACKED = ToServerEvents(()), ToClientAckEvents(0)
COMMANDS, COMMANDS_ACKED = ToClientCommands(()), ToServerAckCommands(0)
ASKED, ANSWERED = ToServerKvRequest("", 0, b""), ToClientKvResponse(0, b"")
NOISE = "noise"
"""What is no frame."""


class Goodbye(NamedTuple):
    """The sender has closed the socket."""


class Directory(NamedTuple):
    """What the gateway knows of the runner: whether actors may be routed to it."""

    admitted: bool = False


class Hub(NamedTuple):
    """The gateway's endpoint for the newest link, its armed timers, and what it did to that link."""

    machines: tuple[Local, ...]
    joining: bool = False  # InitTimeout is armed
    listening: bool = False  # Silence is armed
    welcomed: bool = False
    relayed: int = 0  # how often the link's requests were told that it is lost
    hung_up: bool = False
    freed: bool = False


class Dialler(NamedTuple):
    """The runner's endpoint, its armed timers, and whether it was told to stop."""

    machines: tuple[Local, ...]
    pinging: bool = False
    redialling: bool = True
    told: bool = False
    freed: bool = False


class Actors(NamedTuple):
    """The runner's actors, and whether its socket is to be closed when they have stopped."""

    run: bool = True
    stopping: bool = False
    hanging_up: bool = False


class Cable(NamedTuple):
    """The socket between them. Each end notices for itself when it is down."""

    phase: str = "none"  # none, dialled, accepted, open
    up: bool = False
    gateway_knows: bool = True
    runner_knows: bool = True


class Unused(NamedTuple):
    """Links have no durable state."""


class Left(NamedTuple):
    """What of the bounds is left."""

    breaks: int
    stalls: int
    sleeps: int
    leaves: int
    moves: int
    sends: int
    says: int
    lies: int


# == the endpoints hear ==============================================================================================


def hub_hears(world: Link, hub: Hub, heard: Any) -> Values:
    """The gateway's table decides; without an event, nothing."""
    if heard is None:
        return hub, (), (), (), ()
    result = world.gateway.step(hub.machines, heard, world.limits)
    outputs = result.outputs
    after = Hub(
        result.state,
        armed(hub.joining, InitTimeout, outputs),
        armed(hub.listening, Silence, outputs),
        hub.welcomed or Welcome() in outputs,
        hub.relayed + sum(isinstance(output, Relay) for output in outputs),
        hub.hung_up or any(isinstance(output, HangUp) for output in outputs),
        hub.freed or Free() in outputs,
    )
    said = tuple(
        frame
        for output in outputs
        for frame in (
            (WELCOME,) if isinstance(output, Welcome)
            else (Goodbye(),) if isinstance(output, HangUp)
            else ANSWERS.get(type(output.frame), ()) if isinstance(output, PassOn)
            else ()
        )
    )  # fmt: skip
    to_directory = tuple(output for output in outputs if isinstance(output, Admit | Withhold | PassOn | SetTimer))
    refused = tuple(output.rule for output in outputs if isinstance(output, Violation))
    return after, said, to_directory, refused, tuple(t.step.transition.id for t in result.steps)


def dialler_hears(world: Link, runner: Dialler, heard: Any) -> Values:
    """The runner's table decides; without an event, nothing."""
    if heard is None:
        return runner, (), (), (), ()
    result = world.runner.step(runner.machines, heard, world.limits)
    outputs = result.outputs
    after = Dialler(
        result.state,
        armed(runner.pinging, PingDue, outputs),
        armed(runner.redialling, RedialDue, outputs),
        runner.told or isinstance(heard, RunnerStops),
        runner.freed or Free() in outputs,
    )
    said = tuple(
        frame
        for output in outputs
        for frame in (
            (SAYS[type(output)],) if type(output) in SAYS
            else ANSWERS.get(type(output.frame), ()) if isinstance(output, PassOn)
            else ()
        )
    )  # fmt: skip
    to_host = tuple(output for output in outputs if isinstance(output, Dial | StopActors | HangUp | Relay | PassOn))
    refused = tuple(output.rule for output in outputs if isinstance(output, Violation))
    return after, said, to_host, refused, tuple(t.step.transition.id for t in result.steps)


SAYS = {Introduce: INTRODUCTION, SendPing: PING, SayStopping: STOPPING}
"""What is sent for an output."""

ANSWERS = {ToServerEvents: (EVENTS_ACKED,), ToServerKvRequest: (ANSWERED,), ToClientCommands: (COMMANDS_ACKED,)}
"""What is sent by whom a frame is passed on to."""


def queued(cable: Cable, queue: Values, said: Values) -> Values:
    """Frames join the queue of a socket that is up; on a broken one they are lost."""
    return ((*queue, *said) if cable.up else queue,)


def tell_directory(directory: Directory, said: Values) -> Values:
    for output in said:
        if isinstance(output, Admit | Withhold):
            directory = Directory(isinstance(output, Admit))
    return (directory,)


def tell_actors(cable: Cable, actors: Actors, said: Values) -> Values:
    """The runner's host dials, stops its actors, or is to hang up."""
    for output in said:
        if isinstance(output, Dial):
            cable = Cable("dialled", gateway_knows=cable.gateway_knows, runner_knows=False)
        elif isinstance(output, StopActors):
            actors = actors._replace(stopping=True)
        elif isinstance(output, HangUp):
            actors = actors._replace(hanging_up=True)
    return cable, actors


# == what can happen =================================================================================================


def accepts(world: Link, cable: Cable, hub: Hub) -> Values | None:
    """The gateway accepts the socket; it knows the runner's earlier link to be gone."""
    if cable.phase != "dialled" or not cable.gateway_knows:
        return None
    return (
        cable._replace(phase="accepted", up=True, gateway_knows=False),
        Hub(world.gateway.start()),
        LinkUp(),
    )


def connects(cable: Cable) -> Values | None:
    return (cable._replace(phase="open"), LinkUp()) if cable.phase == "accepted" and cable.up else None


def dial_fails(cable: Cable, budget: Left) -> Values | None:
    if cable.phase != "dialled" or not budget.breaks:
        return None
    return cable._replace(phase="none", runner_knows=True), budget._replace(breaks=budget.breaks - 1), LinkDown()


def breaks(cable: Cable, budget: Left) -> Values | None:
    """What is on the socket is lost; its ends have yet to notice."""
    if not cable.up or not budget.breaks:
        return None
    return cable._replace(up=False), budget._replace(breaks=budget.breaks - 1), (), ()


def gateway_notices(cable: Cable) -> Values | None:
    if cable.up or cable.gateway_knows:
        return None
    return cable._replace(gateway_knows=True), LinkDown()


def runner_notices(cable: Cable) -> Values | None:
    """Also where the runner had not seen that it was connected."""
    if cable.up or cable.runner_knows or cable.phase == "dialled":
        return None
    return cable._replace(runner_knows=True, phase="none"), LinkDown()


def reaches_gateway(cable: Cable, queue: Values, down: Values) -> Values | None:
    """The oldest frame arrives. After a goodbye the socket is closed, and what goes the other way is lost."""
    if not queue:
        return None
    first, rest = queue[0], queue[1:]
    if isinstance(first, Goodbye):
        return cable._replace(up=False, gateway_knows=True), (), (), LinkDown()
    return cable, rest, down, BadFrame("") if first == NOISE else Received(first, 1)


def reaches_runner(cable: Cable, queue: Values, up: Values) -> Values | None:
    if not queue or cable.phase != "open":
        return None
    first, rest = queue[0], queue[1:]
    if isinstance(first, Goodbye):
        return cable._replace(up=False, runner_knows=True, phase="none"), (), (), LinkDown()
    return cable, rest, up, BadFrame("") if first == NOISE else Received(first, 1)


def init_times_out(hub: Hub) -> Values | None:
    return (hub._replace(joining=False), InitTimeout()) if hub.joining else None


def falls_silent(hub: Hub, budget: Left) -> Values | None:
    if not hub.listening or not budget.stalls:
        return None
    return hub._replace(listening=False), budget._replace(stalls=budget.stalls - 1), Silence()


def is_replaced(hub: Hub, budget: Left) -> Values | None:
    """Another link claims to be this runner."""
    if hub.freed or not budget.moves:
        return None
    return budget._replace(moves=budget.moves - 1), Replaced()


def commands(directory: Directory, cable: Cable, down: Values, budget: Left) -> Values | None:
    if not directory.admitted or not cable.up or not budget.says:
        return None
    return (*down, COMMANDS), budget._replace(says=budget.says - 1)


def asks_to_go(hub: Hub, cable: Cable, down: Values, budget: Left) -> Values | None:
    if not hub.welcomed or hub.freed or not cable.up or not budget.leaves:
        return None
    return (*down, CLOSE), budget._replace(leaves=budget.leaves - 1)


def tells_event(runner: Dialler, cable: Cable, up: Values, budget: Left) -> Values | None:
    """An actor's event, or a request for a key."""
    if runner.machines[0].state not in ("ready", "stopping") or not cable.up or not budget.says:
        return None
    return (*up, EVENTS if budget.says % 2 else ASKED), budget._replace(says=budget.says - 1)


def pings(runner: Dialler, budget: Left) -> Values | None:
    if not runner.pinging or not budget.sends:
        return None
    return runner._replace(pinging=False), budget._replace(sends=budget.sends - 1), PingDue(0)


def redials(runner: Dialler) -> Values | None:
    return (runner._replace(redialling=False), RedialDue()) if runner.redialling else None


def is_told_to_stop(budget: Left) -> Values | None:
    return (budget._replace(sleeps=budget.sleeps - 1), RunnerStops()) if budget.sleeps else None


def stopped(actors: Actors) -> Values | None:
    return (actors._replace(run=False, stopping=False),) if actors.stopping else None


def closes(cable: Cable, up: Values, actors: Actors) -> Values | None:
    """With its actors stopped, the runner's host closes its socket."""
    if actors.run or not actors.hanging_up or cable.phase != "open" or cable.runner_knows:
        return None
    after = actors._replace(hanging_up=False)
    return (*up, Goodbye()) if cable.up else up, cable._replace(runner_knows=True), after, LinkDown()


def hangs_up_nothing(cable: Cable, actors: Actors) -> Values:
    """A runner that hangs up without a socket has no end of it to wait for."""
    if actors.hanging_up and cable.phase != "open":
        return actors._replace(hanging_up=False), LinkDown()
    return actors, None


def slips_in(frame: Any, cable: Cable, queue: Values, budget: Left) -> Values | None:
    """What the tables did not send."""
    if not cable.up or not budget.lies:
        return None
    return (*queue, frame), budget._replace(lies=budget.lies - 1)


LIES_UP = (NOISE, INTRODUCTION, PING, STOPPING, EVENTS, COMMANDS_ACKED, ASKED)
LIES_DOWN = (NOISE, WELCOME, COMMANDS, EVENTS_ACKED, CLOSE, ANSWERED)


@dataclass(frozen=True, eq=False)
class Link(System):
    """A bounded world over the tables of a link."""

    gateway: Endpoint = LINK_GATEWAY
    runner: Endpoint = LINK_RUNNER

    kind: ClassVar[str] = "link"

    @cached_property
    def sides(self) -> tuple[str, ...]:
        return ("a",)

    def start(self) -> dict[str, Any]:
        """The world at its beginning."""
        b = self.bounds
        return {
            "client": Directory(),
            "gateway": Hub(self.gateway.start()),
            "store": Unused(),
            "budget": Left(b.breaks, b.stalls, b.sleeps, b.leaves, b.moves, b.sends, b.says, b.lies),
            "line_a": Cable(),
            "down_a": (),
            "up_a": (),
            "runner_a": Dialler(self.runner.start()),
            "host_a": Actors(),
        }

    @cached_property
    def gateway_stage(self) -> Stage:
        return Stage(hub_hears, ("gateway", "heard"), ("gateway", "said", "said_client", "refused", "took"), (self,))

    @cached_property
    def runner_stages(self) -> dict[str, Stage]:
        writes = ("runner_a", "said", "said_host", "refused", "took")
        return {"a": Stage(dialler_hears, ("runner_a", "heard"), writes, (self,))}

    @cached_property
    def process_stages(self) -> dict[str, Stage]:
        """Links carry nothing that an actor commits."""
        return {}

    @cached_property
    def client_stage(self) -> Stage:
        return Stage(tell_directory, ("client", "said_client"), ("client",), idle="said_client")

    def _actions(self) -> Iterator[Action]:
        b = self.bounds
        gateway = (
            self.gateway_stage,
            Stage(queued, ("line_a", "down_a", "said"), ("down_a",), idle="said"),
            self.client_stage,
        )
        once = (
            self.runner_stages["a"],
            Stage(queued, ("line_a", "up_a", "said"), ("up_a",), idle="said"),
            Stage(tell_actors, ("line_a", "host_a", "said_host"), ("line_a", "host_a"), idle="said_host"),
        )
        runner = (*once, Stage(hangs_up_nothing, ("line_a", "host_a"), ("host_a", "heard")), *once)

        def of_gateway(id_: str, party: str, says: str, stage: Stage) -> Action:
            return Action(id_, party, says, (stage, *gateway))

        def of_runner(id_: str, party: str, says: str, stage: Stage) -> Action:
            return Action(id_, party, says, (stage, *runner))

        line, down, up = "line_a", "down_a", "up_a"
        yield of_gateway(
            "accept",
            "gateway",
            "The gateway accepts the socket.",
            Stage(accepts, (line, "gateway"), (line, "gateway", "heard"), (self,)),
        )
        yield of_runner(
            "connect-a", "runner a", "The runner's socket is open.", Stage(connects, (line,), (line, "heard"))
        )
        yield of_gateway(
            "up-a",
            "link a",
            "A frame from the runner arrives.",
            Stage(reaches_gateway, (line, up, down), (line, up, down, "heard")),
        )
        yield of_runner(
            "down-a",
            "link a",
            "A frame from the gateway arrives.",
            Stage(reaches_runner, (line, down, up), (line, down, up, "heard")),
        )
        yield of_gateway(
            "mute",
            "gateway",
            "The runner did not introduce itself in time.",
            Stage(init_times_out, ("gateway",), ("gateway", "heard")),
        )
        yield of_runner(
            "redial-a", "runner a", "It is time to dial.", Stage(redials, ("runner_a",), ("runner_a", "heard"))
        )
        if b.sends:
            yield of_runner(
                "ping-a",
                "runner a",
                "It is time to ping.",
                Stage(pings, ("runner_a", "budget"), ("runner_a", "budget", "heard")),
            )
        if b.breaks:
            yield of_runner(
                "dial-fails-a",
                "link a",
                "The dial fails.",
                Stage(dial_fails, (line, "budget"), (line, "budget", "heard")),
            )
            yield Action(
                "break-a",
                "link a",
                "The socket breaks.",
                (Stage(breaks, (line, "budget"), (line, "budget", down, up)),),
            )
        yield of_gateway(
            "gateway-notices-a",
            "gateway",
            "The gateway notices that the socket is closed.",
            Stage(gateway_notices, (line,), (line, "heard")),
        )
        yield of_runner(
            "runner-notices-a",
            "runner a",
            "The runner notices that its socket is closed.",
            Stage(runner_notices, (line,), (line, "heard")),
        )
        if b.stalls:
            yield of_gateway(
                "silence",
                "gateway",
                "Nothing came from the runner for too long.",
                Stage(falls_silent, ("gateway", "budget"), ("gateway", "budget", "heard")),
            )
        if b.moves:
            yield of_gateway(
                "replace",
                "gateway",
                "Another link claims to be this runner.",
                Stage(is_replaced, ("gateway", "budget"), ("budget", "heard")),
            )
        if b.leaves:
            yield Action(
                "ask-to-go",
                "gateway",
                "The gateway asks the runner to go.",
                (Stage(asks_to_go, ("gateway", line, down, "budget"), (down, "budget")),),
            )
        if b.says:
            yield Action(
                "command",
                "gateway",
                "The directory sends a command.",
                (Stage(commands, ("client", line, down, "budget"), (down, "budget")),),
            )
            yield Action(
                "event-a",
                "actor a",
                "Something happened to an actor.",
                (Stage(tells_event, ("runner_a", line, up, "budget"), (up, "budget")),),
            )
        if b.sleeps or b.leaves or b.lies:
            yield Action(
                "stopped-a", "actor a", "The actors have stopped.", (Stage(stopped, ("host_a",), ("host_a",)),)
            )
            yield of_runner(
                "close-a",
                "runner a",
                "The runner closes its socket.",
                Stage(closes, (line, up, "host_a"), (up, line, "host_a", "heard")),
            )
        if b.sleeps:
            yield of_runner(
                "stop-a",
                "runner a",
                "The runner is told to stop.",
                Stage(is_told_to_stop, ("budget",), ("budget", "heard")),
            )
        for towards, lies in (("up", LIES_UP), ("down", LIES_DOWN)):
            for frame in lies if b.lies else ():
                name = frame if isinstance(frame, str) else type(frame).__name__
                yield Action(
                    f"lie-{towards}-{name}-a",
                    "link a",
                    "A frame that the tables did not send.",
                    (Stage(slips_in, (line, f"{towards}_a", "budget"), (f"{towards}_a", "budget"), (frame,)),),
                )
