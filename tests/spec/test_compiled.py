"""The compiled tables, the direct evaluator and ``transitions``: the same states, outputs, transitions and errors."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from functools import cache, wraps
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunnelref.engine import step_by_transitions
from tunnelspec.compiled import Program, machine_rows, program
from tunnelspec.compiled.__main__ import main
from tunnelspec.compiled.forms import maker
from tunnelspec.deviations import ALL, DEVIATIONS, Deviation, apply
from tunnelspec.endpoint import ENDPOINTS, GATEWAY, MACHINES, Endpoint, Local, State
from tunnelspec.events import Backlog, Collect, Send
from tunnelspec.hibernation import HIB_G, Sleep
from tunnelspec.limits import DEFAULT, Limits
from tunnelspec.machine import Ambiguous, Machine, Received, TableError, Undecided, key, step
from tunnelspec.system import Bounds, System
from tunnelspec.totality import SMALL

Seen = tuple[Any, ...]


@cache
def contexts(machine: Machine, limits: Limits) -> list[Any]:
    return [machine.start, *machine.contexts(limits)]


@cache
def events(endpoint: Endpoint, limits: Limits) -> list[Any]:
    return [event for machine in endpoint.machines for event in machine.events(limits)]


def somewhere(endpoint: Endpoint, limits: Limits, rng: random.Random) -> State:
    """Any state of each machine with any of its contexts, whether or not a run gets there."""
    return tuple(Local(rng.choice(m.states).name, rng.choice(contexts(m, limits))) for m in endpoint.machines)


def by_tables(endpoint: Endpoint, state: State, event: Any, limits: Limits, **how: Any) -> Seen:
    try:
        result = endpoint.step(state, event, limits, **how)
    except TableError as error:
        return type(error), str(error)
    return result.state, result.outputs, [(t.source, t.step.transition.id, t.step.state) for t in result.steps]


def compiled(steps: Program, state: State, event: Any) -> Seen:
    try:
        after, outputs, path = steps.step(state, event)
    except TableError as error:
        return type(error), str(error)
    passed = [(p.source, p.transition.id, p.target) for p in path.steps]
    assert path.moves == any(source != target for source, _, target in passed)
    return after, outputs, passed


@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: m.id)
@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_a_machines_step_is_the_same(machine: Machine, data: st.DataObject) -> None:
    """Every machine, in any state and bounded context, on any event: one step by all three evaluators."""
    state = data.draw(st.sampled_from([s.name for s in machine.states]))
    context = data.draw(st.sampled_from(contexts(machine, SMALL)))
    event = data.draw(st.sampled_from(list(machine.events(SMALL))))
    direct = step(machine, state, context, event, SMALL)
    assert machine_rows(machine, SMALL)[state][key(event)](context, event) == direct
    assert step_by_transitions(machine, state, context, event, SMALL) == direct


@pytest.mark.parametrize("limits", [SMALL, DEFAULT], ids=["small", "default"])
@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda e: f"{e.role}-{e.name}")
@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 2**32))
def test_an_endpoints_step_is_the_same(endpoint: Endpoint, limits: Limits, seed: int) -> None:
    """Every endpoint, wherever its machines stand, on any event, a signal too: what is said to one another is the same."""
    rng = random.Random(seed)
    for _ in range(10):
        state, event = somewhere(endpoint, SMALL, rng), rng.choice(events(endpoint, SMALL))
        direct = by_tables(endpoint, state, event, limits)
        assert compiled(program(endpoint, limits), state, event) == direct
        assert compiled(program(endpoint, limits, moving=False), state, event) == direct
        through = by_tables(endpoint, state, event, limits, evaluate=step_by_transitions)
        assert through == direct


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda e: f"{e.role}-{e.name}")
@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 2**32))
def test_a_walk_is_the_same(endpoint: Endpoint, seed: int) -> None:
    """A run of thirty events from the start: what one step leaves behind is what the next finds, by all three."""
    rng = random.Random(seed)
    direct = made = through = endpoint.start()
    for _ in range(30):
        event = rng.choice(events(endpoint, SMALL))
        if type(by_tables(endpoint, direct, event, SMALL)[0]) is type:
            continue  # a run in which this cannot come
        direct = endpoint.step(direct, event, SMALL).state
        through = endpoint.step(through, event, SMALL, step_by_transitions).state
        made = program(endpoint, SMALL).step(made, event)[0]
        assert made == direct == through


@pytest.mark.parametrize("deviation", ALL, ids=lambda d: d.id)
@settings(deadline=None, max_examples=4)
@given(seed=st.integers(0, 2**32))
def test_patched_tables_are_compiled_as_they_are_patched(deviation: Deviation, seed: int) -> None:
    """Every deviation of the tables means the same, compiled: what cannot be compiled is interpreted."""
    rng = random.Random(seed)
    limits, endpoints = patched(deviation.id)
    for endpoint in endpoints:
        for _ in range(15):
            state, event = somewhere(endpoint, limits, rng), rng.choice(events(endpoint, limits))
            direct = by_tables(endpoint, state, event, limits)
            assert compiled(program(endpoint, limits), state, event) == direct


@cache
def patched(id_: str) -> tuple[Limits, tuple[Endpoint, Endpoint]]:
    system = apply(System(Bounds(SMALL)), [DEVIATIONS[id_]])
    return system.limits, (system.gateway, system.runner)


# -- what is left to the interpreter, and what is refused ---------------------------------------------------------------


def with_row(id_: str, **changes: Any) -> Machine:
    """HIB-G with one row changed."""
    return replace(HIB_G, transitions=tuple(replace(t, **changes) if t.id == id_ else t for t in HIB_G.transitions))


def rows(machine: Machine, state: str, event: Any) -> tuple[Any, str, str]:
    """The step or the error of a compiled machine, what was written, and why nothing was."""
    functions = machine_rows(machine, DEFAULT)[state]
    try:
        done: Any = functions[type(event)](Sleep(0), event)
    except TableError as error:
        done = error
    return done, functions.sources.get(type(event), ""), functions.refused.get(type(event), "")


def always(c: Sleep, e: Any, lim: Limits) -> bool:
    return True


def test_ambiguity_and_silence_are_errors_compiled_too() -> None:
    """Every guard is decided: HIB-G-09 and HIB-G-10 at once, or neither, raise what the direct evaluator raises."""
    both = with_row("HIB-G-09", when=always)
    with pytest.raises(Ambiguous) as expected:
        step(both, "asleep", Sleep(0), Collect(1), DEFAULT)
    done, source, _ = rows(both, "asleep", Collect(1))
    assert (type(done), str(done)) == (Ambiguous, str(expected.value))
    assert source
    neither = replace(HIB_G, transitions=tuple(t for t in HIB_G.transitions if t.id != "HIB-G-10"))
    assert type(rows(neither, "asleep", Collect(1))[0]) is Undecided
    with pytest.raises(TableError, match="no machine knows object"):
        program(GATEWAY, DEFAULT).step(GATEWAY.start(), object())


@dataclass(frozen=True)
class Callable:
    """An effect that is an object."""

    base: Any

    def __call__(self, c: Any, e: Any, lim: Limits) -> Any:
        return self.base(c, e, lim)


def loop(c: Sleep, e: Backlog, lim: Limits) -> tuple[Sleep, tuple[Any, ...]]:
    outputs: tuple[Any, ...] = ()
    for _ in range(2):
        outputs = (*outputs, Collect(e.now))
    return c, outputs


def doubled(effect: Any) -> Any:
    @wraps(effect)
    def twice(c: Any, e: Any, lim: Limits) -> Any:
        after, outputs = effect(c, e, lim)
        return after, outputs * 2

    return twice


def changed(effect: Any, other: Any) -> Any:
    """The effect's name and source, and another's code."""
    made = type(effect)(effect.__code__, effect.__globals__, effect.__name__)
    made.__code__ = other.__code__
    linecached = made.__code__.replace(
        co_filename=effect.__code__.co_filename, co_firstlineno=effect.__code__.co_firstlineno
    )
    made.__code__ = linecached
    return made


WAKE = HIB_G.transition("HIB-G-06").then


@pytest.mark.parametrize(
    "effect", [Callable(WAKE), loop, doubled(WAKE), changed(WAKE, loop)], ids=["object", "loop", "decorated", "other"]
)
def test_an_effect_that_cannot_be_read_is_executed(effect: Any) -> None:
    """What a function's source does not say, or says of something else, is not compiled: the effect itself is run."""
    machine = with_row("HIB-G-06", then=effect)
    done, source, refused = rows(machine, "asleep", Backlog(7))
    assert done == step(machine, "asleep", Sleep(0), Backlog(7), DEFAULT)
    assert not source
    assert refused


def test_a_foreign_context_is_refused() -> None:
    """Functions are written for the contexts of their machines."""
    with pytest.raises(TableError, match="CONN-G: a Sleep is no context of this machine"):
        program(GATEWAY, DEFAULT).at((Local("new", Sleep(0)), *GATEWAY.start()[1:]))


def test_one_path_is_one_object() -> None:
    """The same way through the tables is the same object, compiled or interpreted: it can be counted."""
    steps = program(GATEWAY, DEFAULT)
    state = GATEWAY.start()
    assert steps.step(state, Collect(1))[2] is steps.step(state, Collect(2))[2] is steps.interpret(state, Collect(3))[2]


def test_what_is_made_quickly_is_the_same() -> None:
    """An object made through its open form is frozen, equal and hashable like any other."""
    made = maker(Send)(1, 2, b"")
    assert (made, type(made), hash(made)) == (Send(1, 2, b""), Send, hash(Send(1, 2, b"")))
    with pytest.raises(AttributeError):
        made.link = 2  # type: ignore[misc]
    assert maker(Received)(b"", 1, b"", 0, 0) == Received(b"", 1)


def test_what_was_written_can_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    """``python -m tunnelspec.compiled``: the message path by its transitions, and what is left to the interpreter."""
    assert main(["gateway", "socket", "open,up,live,awake", "ClientMessage", "TimedOut"]) == 0
    written = capsys.readouterr().out
    assert "# ACK-G-06 TUN-G-02" in written
    assert "OpenToClientWebSocketMessage()" in written
    assert "OpenTransmit" not in written  # who listens to it is known: it is never made
    assert main(["gateway", "nowhere"]) == 2
    assert "hibernation: pinned, awake, asleep, waking, ended" in capsys.readouterr().err
