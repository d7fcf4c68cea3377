"""The tables, run by ``transitions``: one shared ``Machine`` a table, and a light, unregistered model for each step.

The package costs some 30 times a direct step, so it runs what it is for, the changes of phase (a few per connection); an event
that leaves every state where it is (a message) goes through the compiled tables, and what they leave to the interpreter, but
does not change the state, through the direct evaluator. All read the same tables, and a property-based test holds them equal
on random events. ``transitions`` takes the first enabled row and says nothing of a second; that there is no second is proved
by ``tunnelspec.totality``. The other two evaluators raise where there is one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, cast

from transitions import EventData
from transitions import Machine as Engine

from tunnelspec.endpoint import Endpoint, Result, State
from tunnelspec.limits import Limits
from tunnelspec.machine import Machine, Received, Step, Transition, Undecided, fire, key, step


class Model:
    """One machine's place in one endpoint, for as long as a step takes."""

    __slots__ = ("context", "event", "limits", "result", "state")

    def __init__(self, state: str, context: Any, event: Any, limits: Limits) -> None:
        self.state = state
        self.context = context
        self.event = event
        self.limits = limits
        self.result: Step | None = None


def trigger(event: type[Any]) -> str:
    """The name under which ``transitions`` knows an event."""
    return f"on_{event.__name__}"


@cache
def engine(machine: Machine) -> Engine:
    """The table as a ``transitions.Machine``, shared by all endpoints."""
    built = Engine(
        model=None,
        states=[state.name for state in machine.states],
        initial=machine.initial,
        auto_transitions=False,
        send_event=True,
    )
    for transition in machine.transitions:
        built.add_transition(
            trigger(transition.on),
            list(transition.sources),
            transition.target,  # None is an internal transition there as here
            conditions=_condition(transition),
            before=_effect(transition),
        )
    return built


def step_by_transitions(machine: Machine, state: str, context: Any, event: Any, limits: Limits) -> Step:
    """One step, taken by ``transitions``. Raises ``Undecided`` where no transition is enabled."""
    model = Model(state, context, event, limits)
    known = engine(machine).events.get(trigger(key(event)))
    if known is None or not known.trigger(model) or model.result is None:
        raise Undecided(f"{machine.id}: nothing applies in {state!r} to {event} with {context}")
    return model.result


@cache
def stationary(machine: Machine) -> Mapping[str, frozenset[type[Any]]]:
    """State -> the events that never leave it: the message path."""
    return {
        state: frozenset(event for event, rows in events.items() if all(row.target is None for row in rows))
        for state, events in machine.rows.items()
    }


def evaluate(machine: Machine, state: str, context: Any, event: Any, limits: Limits) -> Step:
    """The reference's evaluator: phase changes by ``transitions``, the message path directly."""
    if (type(event.frame) if type(event) is Received else type(event)) in stationary(machine)[state]:
        return step(machine, state, context, event, limits)
    return step_by_transitions(machine, state, context, event, limits)


def by_transitions(endpoint: Endpoint, state: State, event: Any, limits: Limits) -> Result:
    """An endpoint's step, as the reference takes those that the compiled tables leave."""
    return endpoint.step(state, event, limits, evaluate)


def _condition(transition: Transition) -> list[str | Callable[..., bool | None]]:
    guard = transition.when
    if guard is None:
        return []

    def holds(data: EventData) -> bool:
        model = cast(Model, data.model)
        return guard(model.context, model.event, model.limits)

    return [holds]


def _effect(transition: Transition) -> Callable[[EventData], None]:
    def run(data: EventData) -> None:
        model = cast(Model, data.model)
        model.result = fire(transition, model.state, model.context, model.event, model.limits)

    return run
