"""Subjects: what the suite needs of a program under test."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from tunnelspec.limits import DEFAULT, Limits


class SubjectError(RuntimeError):
    """The subject cannot be started, does not do what its adapter asks of it, or is dead: no verdict on it is possible."""


@dataclass(frozen=True)
class Place:
    """Where the runners of one new actor connect, and how they introduce themselves."""

    runner_url: str  # without a query
    runner_protocols: tuple[str, ...] = ("rivet", "rivet_target.runner")
    namespace: str = "default"
    runner_name: str = "tunnelspec"
    actor_names: tuple[str, ...] = ()  # what the runner says it can host
    data: Mapping[str, str] = field(default_factory=dict)  # the adapter's own
    slots: int = 10_000  # how many actors a runner says it takes


@dataclass(frozen=True)
class Door:
    """Where clients of that actor connect. ``request_url``: where their plain HTTP requests go, to which a path is added, with what
    headers, and with what in the query; "" if there is no such place. ``leave``: what is to be done when none will come any more.
    ``path``: the path that the actor is to see, "" if that is not known; ``headers``: what a client sends with its upgrade, and the
    actor is to see."""

    client_url: str
    client_protocols: tuple[str, ...] = ()
    leave: Callable[[], None] | None = None
    request_url: str = ""
    request_headers: tuple[tuple[str, str], ...] = ()
    request_query: str = ""
    path: str = ""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Nature:
    """What an adapter says of its subject: the limits it was started with, what it does not support and why (patterns of case
    ids), and whether an actor can be made before one of its runners has joined."""

    limits: Limits = DEFAULT
    unsupported: Mapping[str, str] = field(default_factory=dict)
    runner_first: bool = False
    answers_keys: bool = True  # it answers ToServerKvRequest, if only with an error
    grace_ms: int = 0  # it may take so long to do what it must at once; 0: as long as its limits allow
    side_by_side: int = 64  # so many conversations may be held at once
    many: int = 200  # so many at most, where a case asks for many
    spares: int = 0  # runners, beside the one that all conversations share, whose link may be broken


class GatewaySubject(Protocol):
    """A gateway under test. Each call may raise ``SubjectError``."""

    name: str

    async def start(self) -> Nature:
        """Start it, and wait until it is ready."""
        ...

    async def stop(self) -> None: ...

    async def alive(self) -> bool:
        """Whether it still answers."""
        ...

    async def place(self) -> Place:
        """A new actor's place; nobody else uses it."""
        ...

    async def door(self, place: Place) -> Door:
        """The actor's door; if ``runner_first``, asked for once a runner has joined."""
        ...
