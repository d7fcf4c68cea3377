"""Which worlds the page has: small ones of the specification, and for each deviation the one that shows its harm soonest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tunnelcheck.scenarios import MEDIUM, SMALL, Scenario
from tunnelspec.deviations import DEVIATIONS, MERGED, Deviation, apply, without
from tunnelspec.endpoint import GATEWAY, RUNNER
from tunnelspec.system import System

AS_MERGED = "as-merged"
"""The name of all that the merged code does at once."""

SCENARIOS: Mapping[str, Scenario] = {s.name: s for s in MEDIUM}

WHOLE = (*(s.name for s in SMALL), "sleep-two", "close")
"""The worlds of the specification itself. The page has them whole."""

SHOWS: Mapping[str, str] = {
    AS_MERGED: "window",
    "collect-inverted": "stall", "collect-silent": "stall", "size-not-released": "wrap", "size-not-replayed": "crash",
    "fresh-ack-ids": "sleep", "ack-unchecked": "lie", "any-runner": "zombie", "last-index-trusted": "waver",
    "acks-what-it-drops": "again", "index-unvalidated": "break", "wakes-for-nothing": "sleep", "retry-unspaced": "restless",
    "window-full-circle": "window", "no-age": "old", "any-answer-opens": "sleep", "replay-keeps-age": "stall",
    "refusal-counts": "limit", "collect-at-boundary": "stall", "reopen-clears": "wrap", "replay-stops": "wrap",
    "first-index-0": "sleep", "first-index-0-gateway": "sleep", "gap-warned": "break", "count-one-more": "limit",
    "drops-silently": "limit", "early-by-kind": "limit", "same-index": "wrap", "acks-not-removed": "wake",
    "unknown-ack-refused": "sleep", "runner-as-patient": "stall", "asleep-close-lost": "deaf", "stop-forgets-close": "close",
    "accepts-after-limit": "full", "late-message-refused": "again", "late-answer-refused": "zombie",
    "heeds-after-close": "lie-down",
}  # fmt: skip
"""Deviation -> the world in which the page shows it."""

HARMLESS = ("gap-warned", "runner-as-patient")
"""Deviations that no world of the checker shows to do harm."""

ENOUGH = 7_000
"""Of a world of a deviation that is larger, the page has this many states and what surrounds the ways that it shows."""


@dataclass(frozen=True, order=True)
class Place:
    """A world of the page: a scenario, and what departs from the tables there (\"\": nothing)."""

    world: str
    deviation: str = ""

    @property
    def key(self) -> str:
        return f"{self.world}~{self.deviation}" if self.deviation else self.world

    @property
    def scenario(self) -> Scenario:
        """Raises ``KeyError``."""
        return SCENARIOS[self.world]

    @property
    def departures(self) -> tuple[Deviation, ...]:
        """Raises ``KeyError`` for an unknown deviation."""
        if self.deviation == AS_MERGED:
            return MERGED
        if self.deviation.startswith("without-"):
            known = {t.id for endpoint in (GATEWAY, RUNNER) for m in endpoint.machines for t in m.transitions}
            if (line := self.deviation.removeprefix("without-")) not in known:
                raise KeyError(line)
            return (without(line),)
        return (DEVIATIONS[self.deviation],) if self.deviation else ()

    def system(self) -> System:
        """The world, with its tables."""
        return apply(System(self.scenario.bounds), self.departures)


def places(more: Iterable[Place] = ()) -> tuple[Place, ...]:
    """All worlds of the page; ``more``: those of the tours."""
    own = [Place(name) for name in WHOLE] + [Place(world, deviation) for deviation, world in SHOWS.items()]
    return tuple(dict.fromkeys([*own, *more]))


def by_name(names: Sequence[str]) -> tuple[Place, ...]:
    """The worlds of these names, ``WORLD`` or ``WORLD~DEVIATION``. Raises ``ValueError`` for a name that is none."""
    found = []
    for name in names:
        place = Place(*name.split("~", 1))
        try:
            _ = place.scenario, place.departures
        except KeyError as error:
            raise ValueError(f"{name}: there is no world or deviation {error.args[0]!r}") from error
        found.append(place)
    return tuple(found)
