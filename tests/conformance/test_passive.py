"""A recording of what the tables' own reference did is allowed; of what departs from them, the first frame that does is named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conformance.recorded import Recorder, World, recording
from tests.reference.test_world import CLASSES
from tunnelconform.passive import judge
from tunnelconform.recording import dump, parse
from tunnelspec.limits import Limits

Action = tuple[str, int]
actions = st.lists(
    st.tuples(
        st.sampled_from(["says", "says", "sleeps", "leaves", "connects", "breaks", "kills", "joins", "waits", "waits"]),
        st.integers(0, 3),
    ),
    max_size=14,
)


def play(did: Sequence[Action], limits: Limits) -> Recorder:
    """Do these things in a recorded world."""
    with recording() as recorder:
        world = World(limits)
        runners = [world.runner("r0", CLASSES)]
        clients = [world.client("ledger.1")]
        for word, number in did:
            client = clients[number % len(clients)]
            runner = runners[number % len(runners)] if runners else None
            if word == "says" and client.closed is None:
                client.says(*(f"m{n}" for n in range(number + 1)))
            elif word == "sleeps" and client.closed is None:
                client.says("sleep")
            elif word == "leaves" and client.closed is None:
                client.leaves(1000 + number, "bye")
            elif word == "connects":
                clients.append(world.client(("ledger.1", "plain.2", "counter.3")[number % 3]))
            elif word == "breaks" and runner is not None and runner.pipe is not None:
                runner.pipe.break_()
            elif word == "kills" and runner is not None:
                runner.kill()
                runners.remove(runner)
            elif word == "joins":
                runners.append(world.runner(f"r{number}-{len(recorder.entries)}", CLASSES))
            elif word == "waits":
                world.wait(10 ** (number + 1))
            world.settle()
        world.wait(200)
        return recorder


def told(judgement: Any) -> str:
    return "\n".join(map(str, judgement.breaches))


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(actions)
def test_what_the_reference_does_is_allowed(did: list[Action]) -> None:
    """Both sides of every request, whatever happens: no breach, and nothing that the oracle cannot follow."""
    entries = play(did, Limits()).entries
    again = tuple(parse(dump(entries)))
    assert again == tuple(entries)
    judgement = judge(again)
    assert not judgement.breaches, told(judgement)
    assert not judgement.undecided
