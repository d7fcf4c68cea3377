"""Profiles: subjects that differ from the specification by design.

A profile is a named set of departures from the tables, which the oracle then follows, so that all that lies behind the first
difference is still checked. What it excuses is listed apart. It excuses a difference of design, never a loss.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from tunnelspec.deviations import DEVIATIONS, apply
from tunnelspec.endpoint import Endpoint
from tunnelspec.system import Bounds, System


@dataclass(frozen=True)
class Profile:
    """``deviations``: by their names. ``excuses``: patterns of rules on which a failure may rest, and the difference of design that
    makes them fail."""

    name: str
    says: str
    deviations: tuple[str, ...] = ()
    excuses: Mapping[str, str] = ()  # type: ignore[assignment]

    def tables(self) -> tuple[Endpoint, Endpoint]:
        """The endpoints of gateway and runner as the profile has them."""
        system = apply(System(Bounds()), [DEVIATIONS[name] for name in self.deviations])
        return system.gateway, system.runner

    def excuse(self, rules: tuple[str, ...]) -> str:
        """Why a failure that rests on these rules is one of design; "" if it is not."""
        return next(
            (why for pattern, why in dict(self.excuses).items() if any(fnmatchcase(r, pattern) for r in rules)), ""
        )


STRICT = Profile("none", "The tables as they are.")

PROFILES: Mapping[str, Profile] = {p.name: p for p in (STRICT,)}
"""All of them, by name."""
