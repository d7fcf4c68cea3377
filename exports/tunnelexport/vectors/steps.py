"""Steps: what one table makes of one event in one state and context. Some of every transition, and some by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from tunnelexport.values import plain
from tunnelexport.vectors.form import Group, Note, Origin, Result, digest, unique
from tunnelexport.vectors.steps_by_hand import STEPS
from tunnelexport.xstate import limits_of
from tunnelspec.endpoint import MACHINES
from tunnelspec.limits import DEFAULT, Limits
from tunnelspec.machine import Machine, Transition, Verdict, step
from tunnelspec.totality import SMALL

EACH = 3
"""Vectors of each transition, if the bounded contexts have as many."""

LIMITS: Mapping[str, Limits] = {"small": SMALL, "default": DEFAULT}

NOTES = {
    "Guarded": Note("A condition that is forgotten, negated, or off by one.", "The wrong transition is taken."),
    "Unguarded": Note("An event that is forgotten in a state.", "A connection that hangs, or ends for no reason."),
    "Ignored": Note(
        "An event that means nothing here, and yet does something.", "Late frames disturb what came after them."
    ),
    "Refused": Note(
        "A peer's mistake that is taken for granted, or that ends more than itself: the state stays, and it is reported.",
        "One bad frame closes other clients' connections, or acks what was never sent.",
    ),
    "Excluded": Note(
        "Nothing: it cannot come, as the checker shows of the closed world. The tables ignore it; others may do as they like.",
        "None.",
    ),
    "Protocol": Note(
        "A step that was worked out from the protocol's text, with its own limits.", "What the text promises fails."
    ),
}


def steps() -> Group:
    """All of them."""
    says = (
        "A machine's state and context, an event, and what comes of it: the transition, the next state and context, the outputs. "
        "A context and an event are as bounded as the limits named."
    )
    head = {"limits": {name: limits_of(limits) for name, limits in LIMITS.items()}}
    return Group(
        "steps", says, NOTES, unique((*by_hand(), *(v for machine in MACHINES for v in derived(machine)))), head
    )


def by_hand() -> Iterator[dict[str, Any]]:
    """Steps from the protocol's text, as they stand there: ``tests/exports`` asks the tables."""
    for case in STEPS:
        id_ = _id(case["machine"], case["limits"], case["state"], case["context"], case["event"])
        head = {"id": id_, "result": Result.VALID.value, "notes": ["Protocol"], "from": Origin.HAND.value}
        yield {**head, **case}


def derived(machine: Machine, each: int = EACH) -> Iterator[dict[str, Any]]:
    """Some steps of every transition, of all that the proof of totality tries.

    Which ones is decided by their ids, so that a further context changes few of them.
    """
    contexts, events = tuple(machine.contexts(SMALL)), tuple(machine.events(SMALL))
    ids = {}
    for context in contexts:
        for event in events:
            for state in machine.states:
                id_ = _id(machine.id, "small", state.name, plain(context), plain(event))
                ids[id_] = (state.name, context, event)
    seen: Counter[Transition] = Counter()
    for id_ in sorted(ids):
        state_name, context, event = ids[id_]
        done = step(machine, state_name, context, event, SMALL)
        seen[done.transition] += 1
        if seen[done.transition] <= each:
            result = Result.ACCEPTABLE if done.transition.excluded else Result.VALID
            head = {"id": id_, "result": result.value, "notes": [_note(done.transition)], "from": Origin.TABLES.value}
            before = {"state": state_name, "context": plain(context), "event": plain(event)}
            after = {"state": done.state, "context": plain(done.context), "outputs": plain(done.outputs)}
            after = {"transition": done.transition.id, **after}
            yield {**head, "machine": machine.id, "limits": "small", **before, "then": after}


def _id(machine: str, limits: str, state: str, context: Any, event: Any) -> str:
    return f"step-{machine.lower()}-{state}-{digest(limits, context, event)}"


def _note(t: Transition) -> str:
    if t.excluded:
        return "Excluded"
    if t.verdict is not Verdict.TAKEN:
        return t.verdict.value.capitalize()
    return "Guarded" if t.when is not None else "Unguarded"
