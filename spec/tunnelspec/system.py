"""The closed world: a client, the gateway, links that break, runners, an actor with durable state, and time.

The world is a set of **components** (``World``), and what can happen in it is a set of **actions**. An action is a row of
**stages**, each a pure function of a few named components to a few named components; None means *not possible now*. The
protocol itself is in none of them: a stage hands an event to an endpoint's tables, and others carry what the tables put out.
The components are in ``world``, the stages in ``happens``, but for those that ask the tables, which are here.

Because a stage sees nothing but the components it names, what it does can be tabulated over their values: that is all an
explorer needs to know, and why it is fast.

*Registers* pass values between the stages of one action, and mean nothing between actions: ``heard``, the event for an
endpoint's machines; ``said_…``, what they put out, and for whom; ``took``, the transitions that were taken.

*Time* has no clock. All events carry ``now=0``, and what was sent carries minus its age; a ``tick`` (one gateway
collection) makes everything a tick older, up to an age beyond every timeout. Short timers may fire whenever they are armed, for a
slow peer cannot be told from a lost one; a tick comes only when nothing is on its way but what is stalled, for 2 s < 15 s < 30 s.

*What is left out*: a message's size is 1 and its data its ordinal; the relay speaks for every link that broke, whether or not the
request was open on it (the tables ignore the difference); message ids of one endpoint are never reused, as 128 bits promise; the
durable state keeps of a close the code and not the reason, and knows a socket by what it has applied of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, ClassVar

from tunnelspec.ack import Queue
from tunnelspec.connection import Connection
from tunnelspec.endpoint import GATEWAY, RUNNER, Endpoint, Local, Taken
from tunnelspec.events import (
    AckDue,
    AskActor,
    BackoffOver,
    CancelTimer,
    CloseClient,
    Conclude,
    Deliver,
    Emit,
    Forget,
    Free,
    OpenTimeout,
    ReadClient,
    Remember,
    Resolve,
    RouteFailed,
    RouteFound,
    SetTimer,
)
from tunnelspec.frames import (
    TunnelAck,
)
from tunnelspec.happens import (
    FOREIGN,
    LIE,
    acks_are_due,
    actor_closes,
    actor_sends,
    answers,
    arrive,
    backoff_ends,
    breaks,
    carried,
    carry,
    client_connects,
    client_leaves,
    client_says,
    finds,
    finds_none,
    gateway_notices,
    lies_down,
    lies_up,
    listens,
    miscommits,
    older,
    open_times_out,
    processes,
    quiet_gateway,
    quiet_line,
    quiet_runner,
    recovers,
    resolves,
    route_fails,
    runner_ages,
    runner_notices,
    sleeps,
    slips_in,
    stalls,
    starts,
    tell_client,
    tell_host,
    tell_store,
    wavers,
)
from tunnelspec.limits import Limits
from tunnelspec.machine import Violation
from tunnelspec.world import (
    ACTOR_CODE,
    LEAVE_CODE,
    SIDES,
    Action,
    Bounds,
    Budget,
    Carried,
    Client,
    Gateway,
    Host,
    Line,
    Runner,
    Stage,
    Store,
    Values,
    small_limits,
)

__all__ = [
    "ACTOR_CODE",
    "FOREIGN",
    "LEAVE_CODE",
    "LIE",
    "SIDES",
    "Action",
    "Bounds",
    "Budget",
    "Carried",
    "Client",
    "Gateway",
    "Host",
    "Line",
    "Runner",
    "Stage",
    "Store",
    "System",
    "Values",
    "armed",
    "carried",
    "carry",
    "closing",
    "crashes",
    "gateway_hears",
    "lies_down",
    "lies_up",
    "older",
    "processes",
    "recovers",
    "runner_ages",
    "runner_hears",
    "slips_in",
    "small_limits",
    "stalls",
    "tell_client",
]

# == the endpoints hear ==============================================================================================


def armed(was: bool, timer: type[Any], outputs: Values) -> bool:
    """Whether a timer is armed after these outputs."""
    for output in outputs:
        if isinstance(output, SetTimer | CancelTimer) and output.event is timer:
            was = isinstance(output, SetTimer)
    return was


def gateway_hears(system: System, gateway: Gateway, heard: Any) -> Values:
    """The gateway's tables decide. When the entry is freed, what it knew is forgotten."""
    result = system.gateway.step(gateway.machines, heard, system.limits)
    took = tuple(taken.step.transition.id for taken in result.steps)
    outputs = result.outputs
    if Free() in outputs:
        machines = system.gateway.freed(result.state)
        waits = gateway.resolving and not isinstance(heard, RouteFound | RouteFailed)
        after = Gateway(machines, resolving=waits, ended=gateway.ended or closing(system, result.steps))
    else:
        after = Gateway(
            result.state,
            armed(gateway.opening, OpenTimeout, outputs),
            armed(gateway.backing, BackoffOver, outputs),
            Resolve() in outputs or (gateway.resolving and not isinstance(heard, RouteFound | RouteFailed)),
            gateway.ended,
        )
    to_client = tuple(o for o in outputs if isinstance(o, ReadClient | Deliver | CloseClient))
    refused = tuple(o.rule for o in outputs if isinstance(o, Violation))
    return after, *(carried(outputs, side) for side in system.sides), to_client, refused, took


def closing(system: System, steps: tuple[Taken, ...]) -> str:
    """The transition that closed the connection."""
    return next(
        t.step.transition.id for t in steps if t.machine is system.gateway.machines[0] and t.step.state == "closed"
    )


def runner_hears(system: System, side: str, runner: Runner, heard: Any) -> Values:
    """The runner's tables decide; without an event, nothing. When the entry is freed, the next open begins a new one."""
    if heard is None:
        return runner, (), (), (), ()
    result = system.runner.step(runner.machines, heard, system.limits)
    took = tuple(taken.step.transition.id for taken in result.steps)
    outputs = result.outputs
    kept = Runner(result.state, armed(runner.due, AckDue, outputs))
    after = system.fresh_runner(result.state) if Free() in outputs else kept
    to_host = tuple(o for o in outputs if isinstance(o, AskActor | Emit | Conclude | Remember | Forget))
    refused = tuple(o.rule for o in outputs if isinstance(o, Violation))
    return after, carried(outputs, side), to_host, refused, took


def crashes(system: System, line: Line, budget: Budget, runner: Runner) -> Values | None:
    """A runner's process dies with all that it knows; the gateway has yet to notice."""
    if not line.up or not budget.crashes:
        return None
    return (
        line._replace(up=False, stalled=False, runner_knows=True),
        budget._replace(crashes=budget.crashes - 1),
        system.fresh_runner(runner.machines),
        Host(),
        (),
        (),
    )


# == the whole =======================================================================================================


@dataclass(frozen=True, eq=False)
class System:
    """A bounded world over the tables of a gateway and a runner."""

    bounds: Bounds
    gateway: Endpoint = GATEWAY
    runner: Endpoint = RUNNER

    kind: ClassVar[str] = "socket"  # of world, and of the properties that are asked of it

    @property
    def limits(self) -> Limits:
        return self.bounds.limits

    @cached_property
    def sides(self) -> tuple[str, ...]:
        return SIDES[: self.bounds.runners]

    @cached_property
    def components(self) -> tuple[str, ...]:
        """The names of the world's parts; those of one side stand together."""
        parts = ("line", "down", "up", "runner", "host")
        return ("client", "gateway", "store", "budget", *(f"{part}_{side}" for side in self.sides for part in parts))

    def start(self) -> dict[str, Any]:
        """The world at its beginning."""
        b = self.bounds
        budget = Budget(
            *(b.leaves, b.wavers, b.sends, b.closes, b.sleeps, b.wakes),
            *(b.moves, b.breaks, b.crashes, b.stalls, b.lies),
        )
        world: dict[str, Any] = {"client": Client(), "gateway": Gateway(self.gateway.start()), "store": Store()}
        if b.acked >= 0:
            world = {"client": Client("open"), "gateway": self._asleep(), "store": Store(last=b.acked)}
        world["budget"] = budget
        for place, side in enumerate(self.sides):
            parts = (Line(place + 1), (), (), Runner(self.runner.start()), Host())
            world |= zip((f"{p}_{side}" for p in ("line", "down", "up", "runner", "host")), parts, strict=True)
        return world

    def _asleep(self) -> Gateway:
        """A connection that was open before, whose actor sleeps and has acked all it was sent."""
        queue = Queue(acked=self.bounds.acked, confirmed=True)
        contexts: dict[str, Any] = {"connection": Connection(established=True), "ack": queue}
        states = {"connection": "asleep", "tunnel": "down", "ack": "held", "hibernation": "asleep"}
        return Gateway(self.gateway.start(states, **contexts))

    def fresh_runner(self, before: tuple[Local, ...]) -> Runner:
        """A new entry, which does not reuse the message ids of the one before."""
        return Runner(self.runner.again(before))

    @property
    def said(self) -> tuple[str, ...]:
        """The registers of what the gateway says to each side."""
        return tuple(f"said_{x}" for x in self.sides)

    @cached_property
    def gateway_stage(self) -> Stage:
        """The gateway's endpoint hears."""
        return Stage(
            gateway_hears, ("gateway", "heard"), ("gateway", *self.said, "said_client", "refused", "took"), (self,)
        )

    @cached_property
    def runner_stages(self) -> Mapping[str, Stage]:
        """The runners' endpoints hear."""
        return {
            x: Stage(
                runner_hears,
                (f"runner_{x}", "heard"),
                (f"runner_{x}", "said", "said_host", "refused", "took"),
                (self, x),
            )
            for x in self.sides
        }

    @cached_property
    def process_stages(self) -> Mapping[str, Stage]:
        """The actors process."""
        return {x: Stage(processes, ("store", f"host_{x}"), ("store", f"host_{x}", "heard"), (x,)) for x in self.sides}

    @cached_property
    def client_stage(self) -> Stage:
        """The client hears."""
        return Stage(tell_client, ("client", "said_client"), ("client",), idle="said_client")

    def stages(self, name: str) -> tuple[Stage, ...]:
        """The stages that a property of steps is about: what the gateway hears, the runners, the client; what the actors
        process. Raises ``KeyError``."""
        if name == "gateway":
            return (self.gateway_stage,)
        if name == "client":
            return (self.client_stage,)
        return tuple({"runner": self.runner_stages, "process": self.process_stages}[name].values())

    def endpoints(self) -> dict[str, Endpoint]:
        """Its endpoints, by the names of its fields."""
        values = ((f.name, getattr(self, f.name)) for f in fields(self))
        return {name: value for name, value in values if isinstance(value, Endpoint)}

    @cached_property
    def actions(self) -> tuple[Action, ...]:
        """All that can happen, in a fixed order."""
        return tuple(self._actions())

    def _at_gateway(self, *first: Stage) -> tuple[Stage, ...]:
        carries = (
            Stage(carry, (f"line_{x}", f"down_{x}", f"said_{x}"), (f"down_{x}",), idle=f"said_{x}") for x in self.sides
        )
        return (*first, self.gateway_stage, *carries, self.client_stage)

    def _at_runner(self, x: str, *first: Stage) -> tuple[Stage, ...]:
        forgets = Stage(tell_store, ("store", "said_host"), ("store",), (x,), idle="said_host")
        return (
            *first,
            self.runner_stages[x],
            Stage(carry, (f"line_{x}", f"up_{x}", "said"), (f"up_{x}",), idle="said"),
            Stage(tell_host, (f"host_{x}", "said_host"), (f"host_{x}",), idle="said_host"),
            *((forgets,) if self.bounds.passes else ()),
        )

    def _actions(self) -> Iterator[Action]:
        b = self.bounds
        yield Action(
            "connect",
            "client",
            "The client connects.",
            self._at_gateway(Stage(client_connects, ("client",), ("client", "heard"))),
        )
        yield Action(
            "say",
            "client",
            "The client sends a message.",
            self._at_gateway(Stage(client_says, ("client",), ("client", "heard"), (b.says,))),
        )
        if b.leaves:
            yield Action(
                "leave",
                "client",
                "The client closes its socket.",
                self._at_gateway(Stage(client_leaves, ("client", "budget"), ("client", "budget", "heard"))),
            )
        yield Action(
            "open-timeout",
            "gateway",
            "The runner did not answer the open in time.",
            self._at_gateway(Stage(open_times_out, ("gateway",), ("gateway", "heard"))),
        )
        yield Action(
            "backoff",
            "gateway",
            "The pause before the next try is over.",
            self._at_gateway(Stage(backoff_ends, ("gateway",), ("gateway", "heard"))),
        )
        yield Action(
            "route-fails",
            "router",
            "No runner can be reached.",
            self._at_gateway(
                Stage(resolves, ("gateway",), ()),
                *(Stage(finds_none, (f"line_{x}",), ()) for x in self.sides),
                Stage(route_fails, (), ("heard",)),
            ),
        )
        for x in self.sides:
            yield from self._side(x, SIDES[1 - SIDES.index(x)])
        if b.passes:
            oldest = self.limits.max_hibernation_ms + 1
            quiet = [
                stage
                for x in self.sides
                for stage in (
                    Stage(quiet_line, (f"line_{x}", f"down_{x}", f"up_{x}"), ()),
                    Stage(quiet_runner, (f"runner_{x}", f"host_{x}"), ()),
                )
            ]
            ages = [
                stage
                for x in self.sides
                for stage in self._at_runner(
                    x, Stage(runner_ages, (f"runner_{x}",), (f"runner_{x}", "heard"), (oldest,))
                )
            ]
            gateway = Stage(quiet_gateway, ("gateway",), ("gateway", "heard"), (oldest,))
            yield Action(
                "tick", "time", "15 s pass, and garbage is collected.", (*quiet, *self._at_gateway(gateway), *ages)
            )

    def _side(self, x: str, y: str) -> Iterator[Action]:
        b = self.bounds
        line, down, up, runner, host = (f"{part}_{x}" for part in ("line", "down", "up", "runner", "host"))
        there = (f"line_{y}", f"host_{y}") if b.runners > 1 else (line, host)
        yield Action(
            f"route-{x}",
            "router",
            f"The actor is on runner {x}, or is started there.",
            self._at_gateway(
                Stage(resolves, ("gateway",), ()),
                Stage(finds, ("store", "budget", line, host, *there), ("store", "budget", host, "heard"), (x,)),
            ),
        )
        yield Action(
            f"up-{x}",
            f"link {x}",
            f"A frame from runner {x} arrives.",
            self._at_gateway(Stage(arrive, (line, up), (up, "heard"))),
        )
        yield Action(
            f"down-{x}",
            f"link {x}",
            f"A frame from the gateway arrives at runner {x}.",
            self._at_runner(x, Stage(arrive, (line, down), (down, "heard"))),
        )
        yield Action(
            f"answer-{x}",
            f"actor {x}",
            "The actor answers whether it takes the socket.",
            self._at_runner(x, Stage(answers, ("store", host, runner), (host, "heard"), (b.hibernates,))),
        )
        yield Action(
            f"listen-{x}",
            f"actor {x}",
            "The actor attaches its listener.",
            self._at_runner(x, Stage(listens, (host, runner), ("heard",))),
        )
        yield Action(
            f"process-{x}",
            f"actor {x}",
            "The actor handles what came first, and commits.",
            self._at_runner(x, self.process_stages[x]),
        )
        yield Action(
            f"ack-due-{x}",
            f"runner {x}",
            "The batch of message acks is due.",
            self._at_runner(x, Stage(acks_are_due, (runner,), (runner, "heard"))),
        )
        if b.wavers:
            yield Action(
                f"waver-{x}",
                f"actor {x}",
                "The actor changes its mind about hibernating.",
                (Stage(wavers, ("store", host, "budget", runner), (host, "budget")),),
            )
        if b.sleeps:
            yield Action(
                f"sleep-{x}",
                f"actor {x}",
                "The actor goes to sleep, or crashes.",
                self._at_runner(x, Stage(sleeps, (host, "budget"), (host, "budget", "heard"), (b.restless,))),
            )
        if b.wakes:
            others = there[1]
            yield Action(
                f"start-{x}",
                "router",
                "The actor starts for a cause of its own.",
                self._at_gateway(
                    Stage(starts, ("store", "budget", line, host, others), ("store", "budget", host, "heard"), (x,))
                ),
            )
        if b.sends:
            yield Action(
                f"send-{x}",
                f"actor {x}",
                "The actor sends the client a message.",
                self._at_runner(x, Stage(actor_sends, (host, "budget", runner), ("budget", "heard"), (b.sends,))),
            )
        if b.closes:
            yield Action(
                f"close-{x}",
                f"actor {x}",
                "The actor closes the socket.",
                self._at_runner(
                    x, Stage(actor_closes, ("store", host, "budget", runner), ("store", "budget", "heard"), (x,))
                ),
            )
        if b.breaks:
            yield Action(
                f"break-{x}",
                f"link {x}",
                f"The link of runner {x} breaks.",
                (Stage(breaks, (line, "budget"), (line, "budget", down, up)),),
            )
        if b.crashes:
            yield Action(
                f"crash-{x}",
                f"runner {x}",
                f"The process of runner {x} dies.",
                (Stage(crashes, (line, "budget", runner), (line, "budget", runner, host, down, up), (self,)),),
            )
        if b.breaks or b.crashes:
            yield Action(
                f"gateway-notices-{x}",
                "gateway",
                f"The gateway notices that the link of runner {x} is lost.",
                self._at_gateway(Stage(gateway_notices, (line,), (line, "heard"))),
            )
        if b.breaks:
            yield Action(
                f"runner-notices-{x}",
                f"runner {x}",
                f"Runner {x} notices that its link is lost.",
                self._at_runner(x, Stage(runner_notices, (line,), (line, "heard"))),
            )
        if b.stalls:
            yield Action(
                f"stall-{x}",
                f"link {x}",
                f"The link of runner {x} carries nothing for a while.",
                (Stage(stalls, (line, "budget"), (line, "budget")),),
            )
            yield Action(
                f"recover-{x}",
                f"link {x}",
                f"The link of runner {x} carries again.",
                (Stage(recovers, (line,), (line,)),),
            )
        if b.lies:
            yield from (lie for lie in self._lies(x) if lie.id.startswith(f"lie-{b.lying}"))

    def _lies(self, x: str) -> Iterator[Action]:
        line = f"line_{x}"
        for index in range(self.limits.index_modulus):
            yield Action(
                f"lie-commit-{index}-{x}",
                f"actor {x}",
                "The actor claims to have committed what it was not given.",
                self._at_runner(x, Stage(miscommits, ("budget",), ("budget", "heard"), (index,))),
            )
        for towards, lies in (("up", lies_up), ("down", lies_down)):
            queue = f"{towards}_{x}"
            for name, frame in lies(self.limits.index_modulus):
                number = FOREIGN if isinstance(frame, TunnelAck) else LIE
                yield Action(
                    f"lie-{towards}-{name}-{x}",
                    f"link {x}",
                    "A frame that the tables did not send.",
                    (Stage(slips_in, (line, queue, "budget"), (queue, "budget"), (frame, number)),),
                )

    def over(self, changed: Callable[[Endpoint], Endpoint]) -> System:
        """The same world over other endpoints."""
        endpoints: dict[str, Any] = {name: changed(endpoint) for name, endpoint in self.endpoints().items()}
        return replace(self, **endpoints)

    def with_bounds(self, **changes: Any) -> System:
        """The same tables in a world with other bounds."""
        return replace(self, bounds=replace(self.bounds, **changes))
