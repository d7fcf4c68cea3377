"""Cases beyond single transitions: faults anywhere in a conversation, random walks, many messages, many connections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from tunnelconform import stress_gateway, stress_runner
from tunnelconform.cases import Case
from tunnelconform.walks import Ground, Walk, walks
from tunnelspec.limits import Limits


class Stress(Protocol):
    """What one side goes through: where one walks with it, all other cases, and those that no seed changes and that take long."""

    def ground(self, limits: Limits) -> Ground: ...

    def cases(self, limits: Limits) -> Iterator[Case]: ...

    def volume(self) -> Iterator[Case]: ...


SIDES: Mapping[str, Stress] = {"gateway": stress_gateway, "runner": stress_runner}


def ground(role: str, limits: Limits) -> Ground:
    """Where one walks with a subject of that role and such limits."""
    return SIDES[role].ground(limits)


def more_walks(role: str, limits: Limits, seed: int, count: int) -> tuple[Walk, ...]:
    """Random conversations; the same for the same seed."""
    return walks(ground(role, limits), seed, count)


def stress(role: str, limits: Limits, seed: int, count: int) -> tuple[Case, ...]:
    """All of them, with so many walks."""
    return (*SIDES[role].cases(limits), *more_walks(role, limits, seed, count))


def volume(role: str) -> tuple[Case, ...]:
    """The cases that are much of everything, and that no seed changes."""
    return tuple(SIDES[role].volume())
