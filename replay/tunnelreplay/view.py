"""The reference as the model would see it: one value for each component of the world, and one moment for each action.

Nothing here is taken from the model's prediction but what nobody can see: the budget of what may still happen.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tunnelcheck.replay import Moment
from tunnelreplay.actors import ACTOR, event_of
from tunnelreplay.link import DOWN, UP
from tunnelreplay.names import Names
from tunnelreplay.rig import GATEWAY, Heard, Rig
from tunnelspec.compiled import Passed
from tunnelspec.endpoint import Local
from tunnelspec.events import (
    AckDue,
    AskActor,
    BackoffOver,
    CloseClient,
    Committed,
    Conclude,
    Deliver,
    Emit,
    Forget,
    Free,
    OpenTimeout,
    ReadClient,
    Remember,
    SocketOpened,
)
from tunnelspec.machine import Violation
from tunnelspec.system import (
    LEAVE_CODE,
    Action,
    Carried,
    Client,
    Gateway,
    Host,
    Line,
    Runner,
    Stage,
    Store,
    System,
    carried,
    gateway_hears,
    processes,
    runner_hears,
    tell_client,
)


class View:
    """Watches a rig, and says what world it is."""

    def __init__(self, rig: Rig, names: Names, system: System) -> None:
        self.rig = rig
        self.names = names
        self.system = system
        self._ended = ""  # the transition that closed the connection
        self._opened = False  # the client is being read
        self._freed: tuple[Local, ...] | None = None

    def resume(self) -> None:
        """The connection was open before the trace begins."""
        self._opened = True

    # -- the world ---------------------------------------------------------------------------------------------------

    def world(self, budget: Any) -> dict[str, Any]:
        """Each component's value now."""
        rig = self.rig
        world: dict[str, Any] = {
            "client": self._client(),
            "gateway": self._gateway(),
            "store": self._store(),
            "budget": budget,
        }
        for x in rig.sides:
            link = rig.links[x]
            world |= {
                f"line_{x}": self._line(x),
                f"down_{x}": tuple(self.carried(held.message) for held in link.queues[DOWN]),
                f"up_{x}": tuple(self.carried(held.message) for held in link.queues[UP]),
                f"runner_{x}": self._runner(x),
                f"host_{x}": self._host(x),
            }
        return world

    def carried(self, message: Any) -> Carried:
        """A tunnel message on a link."""
        assert message.requestId == self.rig.gateway.request_id, message
        return Carried(self.names.frame(message.messageKind), self.names.message(message.messageId))

    def _client(self) -> Client:
        client = self.rig.client
        heard = client.heard[-1][0] if client.heard else 0
        if client.left:
            phase = "left"
        elif client.told is not None:
            phase = "told"
        elif self._opened:
            phase = "open"
        else:
            phase = "new" if client.end is None else "connecting"
        return Client(phase, client.said, heard, 0 if client.told is None else client.told.code)

    def _gateway(self) -> Gateway:
        entry = self.rig.entry
        resolving = self.rig.router.waiting is not None
        if entry is None:
            return Gateway(self.system.gateway.start(), resolving=resolving)
        if self._freed is not None:
            starts = self.names.fresh(GATEWAY, self.system.gateway)
            machines = tuple(Local(was.state, fresh.context) for was, fresh in zip(self._freed, starts, strict=True))
            return Gateway(machines, resolving=resolving, ended=self._ended)
        timers = entry.timers or {}
        machines = self.names.locals(GATEWAY, entry, entry.state)
        return Gateway(machines, OpenTimeout in timers, BackoffOver in timers, resolving, self._ended)

    def _runner(self, x: str) -> Runner:
        adapter = self.rig.adapter(x)
        if adapter is None or self.rig.runner(x).gone:
            return Runner(self.names.fresh(x, self.system.runner))
        return Runner(self.names.locals(x, adapter, adapter.state), AckDue in (adapter.timers or {}))

    def _host(self, x: str) -> Host:
        runner = self.rig.runner(x)
        asked = runner.asked is not None and not runner.gone
        life = None if runner.gone else runner.host
        if life is None:
            return Host(asked=asked)
        waiting = (event_of(work) for work in life.waiting)
        mailbox = tuple(
            Conclude(*event) if isinstance(event, tuple) else event
            for event in waiting
            if not isinstance(event, SocketOpened)
        )
        return Host(True, life.hibernates != self.system.bounds.hibernates, asked, mailbox)

    def _line(self, x: str) -> Line:
        link, runner = self.rig.links[x], self.rig.runner(x)
        knows = runner.gone or runner.socket is None
        return Line(self.names.model_links[x], link.up, link.stalled, self.rig.link_number(x) == 0, knows)

    def _store(self) -> Store:
        generation, written = self.rig.durable()
        record = self.rig.store.socket(ACTOR, self.rig.gateway.request_id)
        if record is None:
            concluded = 0 if self.system.bounds.hibernates else written.get("concluded", 0)
        else:
            concluded = (LEAVE_CODE if record.code is None else record.code) if record.closed else 0
        owner = self.rig.generations.get(generation, "")
        return Store(owner, -1 if record is None else record.last, written.get("applied", 0), concluded)

    # -- an action ---------------------------------------------------------------------------------------------------

    def note(self, heard: Iterable[Heard]) -> None:
        """Take note of what cannot be seen afterwards."""
        for h in heard:
            outputs = h.outputs
            if h.where == GATEWAY:
                self._opened = self._opened or any(isinstance(o, ReadClient) for o in outputs)
                self._ended = self._ended or next(
                    (passed.transition.id for passed in h.steps if self._closes(passed)), ""
                )
                if Free() in outputs:
                    self._freed = h.after
                    self.names.freed(GATEWAY, h.driver)
            elif Free() in outputs and h.driver is not self.rig.adapter(h.where):
                self.names.freed(h.where, h.driver)

    @staticmethod
    def _closes(passed: Passed) -> bool:
        return passed.machine.name == "connection" and passed.target == "closed"

    def moment(self, action: Action, before: dict[str, Any], after: dict[str, Any], heard: tuple[Heard, ...]) -> Moment:
        """An action as it was: what each of its stages read, and what it wrote."""
        registers: dict[str, Any] = {}
        stages: list[tuple[Stage, tuple[Any, ...], tuple[Any, ...]]] = []
        for stage in action.stages:
            reads: tuple[Any, ...]
            if stage.do is gateway_hears or stage.do is runner_hears:
                where = GATEWAY if stage.do is gateway_hears else stage.given[1]
                found = next((h for h in heard if h.where == where), None)
                if found is None:
                    continue
                name = stage.reads[0]
                event = self.names.event(where, found.driver, found.event)
                said = self._said(where, found)
                stages.append((stage, (self._before(before[name], found), event), (after[name], *said)))
                registers |= {"heard": event, **dict(zip(stage.writes[1:], said, strict=True))}
            elif stage.do is processes:
                reads = tuple(before[name] for name in stage.reads)
                writes = (after[stage.writes[0]], after[stage.writes[1]], self._processed(before, after, stage, heard))
                stages.append((stage, reads, writes))
            elif stage.do is tell_client and "said_client" in registers:
                reads = (before["client"], registers["said_client"])
                stages.append((stage, reads, (after["client"],)))
        return Moment(action, before, after, registers, tuple(stages))

    def _before(self, was: Any, heard: Heard) -> Any:
        """What an endpoint was as it heard: older than before the action, if the action is time."""
        if heard.where == GATEWAY and was.ended:
            return was
        return was._replace(machines=self.names.locals(heard.where, heard.driver, heard.before))

    def _said(self, where: str, heard: Heard) -> tuple[Any, ...]:
        """What an endpoint put out, for whom, and which transitions it took: as the model's stages write it."""
        outputs = tuple(self.names.event(where, heard.driver, output) for output in heard.outputs)
        refused = tuple(o.rule for o in outputs if isinstance(o, Violation))
        took = tuple(passed.transition.id for passed in heard.steps)
        if where == GATEWAY:
            to_client = tuple(o for o in outputs if isinstance(o, ReadClient | Deliver | CloseClient))
            return (*(carried(outputs, x) for x in self.system.sides), to_client, refused, took)
        to_host = tuple(o for o in outputs if isinstance(o, AskActor | Emit | Conclude | Remember | Forget))
        return carried(outputs, where), to_host, refused, took

    def _processed(self, before: dict[str, Any], after: dict[str, Any], stage: Stage, heard: tuple[Heard, ...]) -> Any:
        """What the actor made of what came first: the event that its adapter heard of it. Of a message that carries no
        index no adapter hears, though it was applied."""
        where = stage.given[0]
        for h in heard:
            if h.where == where:
                return self.names.event(where, h.driver, h.event)
        applied = after["store"].applied != before["store"].applied
        return Committed(-1, 0) if applied else None
