"""Cases beyond single transitions: faults anywhere in a conversation, random walks, many messages, many connections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from tunnelconform import stress_gateway, stress_request, stress_runner
from tunnelconform.cases import Case
from tunnelconform.walks import Ground, Walk, walks
from tunnelspec.limits import Limits


class Stress(Protocol):
    """What one side goes through: where one walks with it, all other cases, and those that no seed changes and that take long."""

    def ground(self, limits: Limits) -> Ground: ...

    def cases(self, limits: Limits) -> Iterator[Case]: ...

    def volume(self) -> Iterator[Case]: ...


SIDES: Mapping[str, Mapping[str, Stress]] = {
    "gateway": {"": stress_gateway, "request-": stress_request},
    "runner": {"": stress_runner},
}
"""For each role, by a word in the names of walks: what it goes through with sockets, and what with plain requests."""


def ground(role: str, limits: Limits) -> Ground:
    """Where one walks with sockets of a subject of that role and such limits."""
    return SIDES[role][""].ground(limits)


def more_walks(role: str, limits: Limits, seed: int, count: int) -> tuple[Walk, ...]:
    """Random conversations, so many about sockets, and half as many about requests; the same for the same seed."""
    found: tuple[Walk, ...] = ()
    for word, side in SIDES[role].items():
        found += walks(side.ground(limits), seed, count // 2 if word else count, word)
    return found


def stress(role: str, limits: Limits, seed: int, count: int) -> tuple[Case, ...]:
    """All of them, with so many walks."""
    some = (case for side in SIDES[role].values() for case in side.cases(limits))
    return (*some, *more_walks(role, limits, seed, count))


def volume(role: str) -> tuple[Case, ...]:
    """The cases that are much of everything, and that no seed changes."""
    return tuple(case for side in SIDES[role].values() for case in side.volume())
