"""The closed world of the relay: what passes over one link for one request, and that link's loss.

It is a world as ``system`` has it, over the relay's endpoint alone. Of ``Bounds`` it heeds ``says``, how many frames pass, and
``hibernates``: whether the request is for a socket. The gateway follows the tables; the runner may say anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

from tunnelspec.endpoint import RELAY, Endpoint, Local
from tunnelspec.events import Free, LinkLost, OnBehalf
from tunnelspec.frames import (
    ToClientRequestStart,
    ToClientWebSocketOpen,
    ToServerResponseAbort,
    ToServerResponseChunk,
    ToServerResponseStart,
    ToServerWebSocketClose,
)
from tunnelspec.machine import Received, Violation
from tunnelspec.system import Action, Stage, System, Values

OPENINGS = {True: ToClientWebSocketOpen("", "", ()), False: ToClientRequestStart("", "", "", (), None, False)}
"""What the gateway sends: whether it is for a socket."""

ANSWERS = (
    ("close", ToServerWebSocketClose(None, None, False)), ("retry", ToServerWebSocketClose(None, None, True)),
    ("abort", ToServerResponseAbort()), ("whole", ToServerResponseStart(200, (), None, False)),
    ("head", ToServerResponseStart(200, (), None, True)), ("piece", ToServerResponseChunk(b"", False)),
    ("last", ToServerResponseChunk(b"", True)),
)  # fmt: skip
"""What the runner may send."""


NOBODY = Endpoint(RELAY.role, "none", "There is no runner here.", ())


class Watcher(NamedTuple):
    """The relay's endpoint, and what passed."""

    machines: tuple[Local, ...]
    passed: tuple[Any, ...] = ()
    lost: bool = False


class Unused(NamedTuple):
    """A part that this world does not have."""

    machines: tuple[Local, ...] = ()


def relay_hears(world: Watch, watcher: Watcher, heard: Any) -> Values:
    """The relay's table decides. What it watched is forgotten when that has ended."""
    result = world.gateway.step(watcher.machines, heard, world.limits)
    outputs = result.outputs
    machines = world.gateway.start() if Free() in outputs else result.state
    passed = (*watcher.passed, heard.frame) if isinstance(heard, Received) else watcher.passed
    said = tuple(output.frame for output in outputs if isinstance(output, OnBehalf))
    refused = tuple(output.rule for output in outputs if isinstance(output, Violation))
    after = Watcher(machines, passed, watcher.lost or isinstance(heard, LinkLost))
    return after, said, refused, tuple(t.step.transition.id for t in result.steps)


def passes(says: int, frame: Any, watcher: Watcher) -> Values | None:
    if watcher.lost or len(watcher.passed) == says:
        return None
    return (Received(frame, 1),)


def is_lost(watcher: Watcher) -> Values | None:
    return None if watcher.lost else (LinkLost(1),)


@dataclass(frozen=True, eq=False)
class Watch(System):
    """A bounded world over the relay's table."""

    gateway: Endpoint = RELAY
    runner: Endpoint = NOBODY

    kind: ClassVar[str] = "relay"

    @cached_property
    def sides(self) -> tuple[str, ...]:
        return ("a",)

    def start(self) -> dict[str, Any]:
        """The world at its beginning."""
        world: dict[str, Any] = dict.fromkeys(self.components, Unused())
        return world | {"gateway": Watcher(self.gateway.start())}

    @cached_property
    def gateway_stage(self) -> Stage:
        return Stage(relay_hears, ("gateway", "heard"), ("gateway", "said", "refused", "took"), (self,))

    def _actions(self) -> Iterator[Action]:
        def passing(name: str, party: str, frame: Any) -> Action:
            stage = Stage(passes, ("gateway",), ("heard",), (self.bounds.says, frame))
            return Action(name, party, f"{type(frame).__name__} passes.", (stage, self.gateway_stage))

        yield passing("open", "gateway", OPENINGS[self.bounds.hibernates])
        for name, frame in ANSWERS:
            yield passing(f"{name}-a", "runner a", frame)
        yield Action(
            "lose", "link a", "The link is lost.", (Stage(is_lost, ("gateway",), ("heard",)), self.gateway_stage)
        )
