"""Model and reference in lockstep: each action of a trace is predicted, done over real sockets, looked at, and compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tunnelcheck.replay import Moment, Unfaithful, act, plain
from tunnelreplay.names import Names, compared
from tunnelreplay.perform import EARLIER, perform
from tunnelreplay.rig import GATEWAY, Heard, Rig, Sent, Stuck
from tunnelreplay.view import View
from tunnelspec.deviations import Deviation, apply
from tunnelspec.endpoint import Tables
from tunnelspec.machine import Verdict
from tunnelspec.system import Bounds, System


class Divergence(Exception):
    """The reference does not do what the model says: a defect of one of them. The message names the step and what differs."""


@dataclass(frozen=True)
class Replayed:
    """A trace as the reference did it, and what passed over the links at each step."""

    system: System
    moments: tuple[Moment, ...]
    sent: tuple[tuple[Sent, ...], ...]


Told = Callable[[int, Moment], None]


def earlier_life(acked: int) -> Iterator[str]:
    """What happened before a trace that begins with a sleeping connection: it was open, so many messages were acked, and its
    actor went to sleep."""
    yield from ("connect", "route-a", "down-a", "answer-a", "listen-a", "up-a", "up-a", "down-a")
    for _ in range(acked):
        yield from ("say", "down-a", "up-a", "process-a", "ack-due-a", "up-a", "down-a")
    yield from ("sleep-a", "up-a", "down-a")


async def replay(
    bounds: Bounds,
    deviations: Sequence[Deviation],
    actions: Sequence[str],
    told: Told = lambda step, moment: None,
    runs: Sequence[Deviation] | None = None,
) -> Replayed:
    """Do a trace on the reference. Raises ``Divergence``, and ``Unfaithful`` where the model itself cannot do it.

    ``told`` is called after each step. ``runs``: what the reference departs by, if that is not what the model departs by: to see
    the comparison fail.
    """
    system = apply(System(bounds), deviations)
    subject = apply(System(bounds), deviations if runs is None else runs)
    predict = plain(system)
    known = {action.id: action for action in system.actions}
    async with Rig(system.sides, Tables(), bounds.limits, bounds.hibernates) as rig:
        names = Names(bounds.limits.number_modulus, bounds.limits.max_hibernation_ms + 1, rig.clock.now_ms)
        await _live_before(rig, names, bounds.acked)
        rig.depart(Tables(gateway=subject.gateway, runner=subject.runner), subject.limits)
        view = View(rig, names, system)
        if bounds.acked >= 0:
            view.resume()
        expected = system.start()
        before = view.world(expected["budget"])
        _compare(0, "start", expected, before)
        moments: list[Moment] = []
        sent: list[tuple[Sent, ...]] = []
        for step, id_ in enumerate(actions, 1):
            if id_ not in known:
                raise Unfaithful(f"step {step}: there is no action {id_!r} in this world")
            prediction = act(predict, expected, known[id_])
            if prediction is None:
                raise Unfaithful(f"step {step}: {id_} is not possible here")
            rig.heard.clear()
            rig.sent.clear()
            freed = rig.freed
            try:
                await perform(rig, names, id_)
            except (Stuck, TimeoutError) as error:
                raise Divergence(f"step {step}, {id_}: {error or 'a socket does not answer'}") from error
            heard = _timely(rig, freed)
            view.note(heard)
            after = view.world(prediction.after["budget"])
            moment = view.moment(known[id_], before, after, heard)
            _compare(step, id_, prediction.after, after)
            _compare_stages(step, prediction, moment)
            moments.append(moment)
            sent.append(tuple(rig.sent))
            told(step, moment)
            expected, before = prediction.after, after
        return Replayed(system, tuple(moments), tuple(sent))


async def _live_before(rig: Rig, names: Names, acked: int) -> None:
    """The life before the trace, by the tables as they are specified; from then on all counts anew."""
    for side in rig.sides:
        names.joined(rig, side)
    if acked >= 0:
        for action in earlier_life(acked):
            await perform(rig, names, action, EARLIER)
        assert rig.entry is not None
        names.gateway(rig.entry.prefix, rig.entry.local("tunnel").context.next - 1)
        rig.client.said = 0
        rig.client.heard.clear()
        rig.generations.clear()
    rig.heard.clear()
    for where in (GATEWAY, *rig.sides):
        names.fresh_since[where] = rig.clock.ticks


def _timely(rig: Rig, freed: bool) -> tuple[Heard, ...]:
    """What was heard, but for what reached the gateway's entry when it was over already. That changes nothing; and it comes when it
    comes, for the library reads on behind a close."""
    late = [h for h in rig.heard if freed and h.where == GATEWAY]
    for h in late:
        if h.outputs or any(passed.transition.verdict is Verdict.TAKEN for passed in h.steps):
            raise Divergence(f"an entry that is over takes {[passed.transition.id for passed in h.steps]}")
    return tuple(h for h in rig.heard if h not in late)


def _compare(step: int, action: str, expected: dict[str, Any], observed: dict[str, Any]) -> None:
    for name, value in expected.items():
        if compared(observed[name]) != compared(value):
            raise Divergence(f"step {step}, {action}: {name}\n  model:     {value}\n  reference: {observed[name]}")


def _compare_stages(step: int, predicted: Moment, observed: Moment) -> None:
    """What was heard, said and taken. Where the reference keeps no entry nothing is heard, and nothing is to be said; there is
    nobody either who could report a violation."""
    seen = {id(stage): (reads, writes) for stage, reads, writes in observed.stages}
    for stage, reads, writes in predicted.stages:
        if stage.writes[-1:] != ("took",):
            continue
        if id(stage) not in seen:
            said = {name: value for name, value in zip(stage.writes[1:-2], writes[1:-2], strict=True) if value != ()}
            if said:
                raise Divergence(
                    f"step {step}, {predicted.action.id}: the reference heard nothing, and yet {said} is due"
                )
            continue
        actual_reads, actual_writes = seen[id(stage)]
        pairs = {"heard": (reads[1], actual_reads[1])}
        pairs |= {name: (writes[place], actual_writes[place]) for place, name in enumerate(stage.writes) if place > 0}
        for name, (due, actual) in pairs.items():
            if compared(due) != compared(actual):
                raise Divergence(
                    f"step {step}, {predicted.action.id}: {name}\n  model:     {due}\n  reference: {actual}"
                )
