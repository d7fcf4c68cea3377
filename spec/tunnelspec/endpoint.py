"""An endpoint: the machines of one side as one step function, (state, event) -> (state, outputs).

Every machine of the endpoint that knows an event hears it, at once. What they put out is then handled in order, depth first:
a signal goes to every machine that knows it, and what *that* puts out comes before what was to follow. So a replay stands
before the close that follows it, and an observer sees the outputs in the order in which they were meant.

There is one endpoint state for each request id, on each side.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, NamedTuple

from tunnelspec.ack import ACK_G, ACK_R
from tunnelspec.connection import CONN_G, CONN_R
from tunnelspec.events import Signal
from tunnelspec.hibernation import HIB_G, HIB_R
from tunnelspec.limits import Limits
from tunnelspec.link import LINK_G, LINK_R, RELAY_G
from tunnelspec.listener import EVT_R
from tunnelspec.machine import Machine, Received, Role, Step, TableError, step
from tunnelspec.request import REQ_G, REQ_R
from tunnelspec.tunnel import TUN_G, TUN_R

Evaluator = Callable[[Machine, str, Any, Any, Limits], Step]


class Local(NamedTuple):
    """Where one machine stands."""

    state: str
    context: Any


State = tuple[Local, ...]  # one for each machine of the endpoint, in its order


class Taken(NamedTuple):
    """One machine's step, and where it stood before."""

    machine: Machine
    source: str
    step: Step


class Result(NamedTuple):
    """What an event did: the new state, what goes out, and the transitions that made it so."""

    state: State
    outputs: tuple[Any, ...]
    steps: tuple[Taken, ...]


@dataclass(frozen=True)
class Endpoint:
    """Machines that share one request id and hear one another's signals."""

    role: Role
    name: str
    says: str
    machines: tuple[Machine, ...]

    def start(self, states: Mapping[str, str] = MappingProxyType({}), **contexts: Any) -> State:
        """Where a new request id stands. ``states`` and ``contexts`` replace a machine's by the machine's name."""
        return tuple(Local(states.get(m.name, m.initial), contexts.get(m.name, m.start)) for m in self.machines)

    def again(self, before: State) -> State:
        """Where the next entry of a request id stands: afresh, but message ids are never used twice."""
        place = self.place("tunnel")
        start = list(self.start())
        start[place] = Local(start[place].state, start[place].context._replace(next=before[place].context.next))
        return tuple(start)

    def freed(self, state: State) -> State:
        """What is left of an entry: where it stood, and nothing of what it knew."""
        return tuple(Local(local.state, machine.start) for local, machine in zip(state, self.machines, strict=True))

    @cached_property
    def listeners(self) -> Mapping[type[Any], tuple[int, ...]]:
        """Event -> the machines that know it."""
        found: dict[type[Any], list[int]] = {}
        for place, machine in enumerate(self.machines):
            for event in machine.alphabet:
                found.setdefault(event, []).append(place)
        return {event: tuple(places) for event, places in found.items()}

    def machine(self, name: str) -> Machine:
        """The machine of that name. Raises ``KeyError``."""
        return {m.name: m for m in self.machines}[name]

    def place(self, name: str) -> int:
        """Where the machine of that name stands in a state. Raises ``ValueError``."""
        return [m.name for m in self.machines].index(name)

    def step(self, state: State, event: Any, limits: Limits, evaluate: Evaluator = step) -> Result:
        """What ``event`` does. Raises ``TableError`` for an event that no machine knows."""
        locals_ = list(state)
        outputs: list[Any] = []
        steps: list[Taken] = []
        waiting = [event]
        while waiting:
            item = waiting.pop()
            kind = type(item.frame) if type(item) is Received else type(item)
            places = self.listeners.get(kind)
            if places is None:
                if item is event or isinstance(item, Signal):
                    raise TableError(f"{self.role} {self.name}: no machine knows {kind.__name__}")
                outputs.append(item)
                continue
            said: tuple[Any, ...] = ()
            for place in places:
                here = locals_[place]
                done = evaluate(self.machines[place], here[0], here[1], item, limits)
                if done.context is not here[1] or done.state != here[0]:
                    locals_[place] = Local(done.state, done.context)
                steps.append(Taken(self.machines[place], here[0], done))
                said += done.outputs
            waiting += said[::-1]
        return Result(tuple(locals_), tuple(outputs), tuple(steps))


GATEWAY = Endpoint(
    Role.GATEWAY, "socket", "One client's WebSocket, as the gateway sees it.", (CONN_G, TUN_G, ACK_G, HIB_G)
)
RUNNER = Endpoint(
    Role.RUNNER, "socket", "One client's WebSocket, as the runner sees it.", (CONN_R, TUN_R, ACK_R, HIB_R, EVT_R)
)
HTTP_GATEWAY = Endpoint(Role.GATEWAY, "http", "One HTTP request, as the gateway sees it.", (REQ_G, TUN_G))
HTTP_RUNNER = Endpoint(Role.RUNNER, "http", "One HTTP request, as the runner sees it.", (REQ_R, TUN_R))
LINK_GATEWAY = Endpoint(Role.GATEWAY, "link", "A runner's own socket, as the gateway sees it.", (LINK_G,))
LINK_RUNNER = Endpoint(Role.RUNNER, "link", "A runner's own socket, as the runner sees it.", (LINK_R,))
RELAY = Endpoint(Role.GATEWAY, "relay", "One request on one link, as the relay sees it.", (RELAY_G,))

ENDPOINTS: tuple[Endpoint, ...] = (GATEWAY, RUNNER, HTTP_GATEWAY, HTTP_RUNNER, LINK_GATEWAY, LINK_RUNNER, RELAY)


@dataclass(frozen=True)
class Tables:
    """What a gateway and a runner run. ``deviations.depart`` makes others of them."""

    gateway: Endpoint = GATEWAY
    runner: Endpoint = RUNNER
    http_gateway: Endpoint = HTTP_GATEWAY
    http_runner: Endpoint = HTTP_RUNNER
    link_gateway: Endpoint = LINK_GATEWAY
    link_runner: Endpoint = LINK_RUNNER
    relay: Endpoint = RELAY


TABLES = Tables()
"""The specification's."""

MACHINES: tuple[Machine, ...] = tuple(dict.fromkeys(m for endpoint in ENDPOINTS for m in endpoint.machines))
