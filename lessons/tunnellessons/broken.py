"""The five gateways of the exercises on the wire: each has one bug, and lives through something that shows it."""

from __future__ import annotations

from collections.abc import Mapping

from tunnellessons.wire import Broken
from tunnelspec.limits import DEFAULT
from tunnelspec.system import Bounds

OPENS = "connect route-a down-a up-a answer-a up-a listen-a down-a"
REOPENS = "route-a down-a up-a answer-a up-a listen-a down-a"
ARRIVES = "down-a up-a"
ACKS = "process-a ack-due-a up-a down-a"


def _broken(name: str, deviation: str, *actions: str, **bounds: int) -> Broken:
    return Broken(name, deviation, " ".join(actions), Bounds(limits=DEFAULT, **bounds))  # type: ignore[arg-type]  # no flag


GATEWAYS: Mapping[str, Broken] = {
    broken.name: broken
    for broken in (
        _broken("1", "fresh-ack-ids", OPENS, "say", ARRIVES, ACKS),
        _broken("2", "first-index-0-gateway", OPENS, "say", ARRIVES, "say", ARRIVES, ACKS, says=2),
        _broken(
            "3", "replay-stops", OPENS, "say say", ARRIVES, "sleep-a up-a down-a down-a", REOPENS, ARRIVES,
            "process-a say", ARRIVES, "up-a down-a",
            says=3, sleeps=1,
        ),
        _broken(
            "4", "reopen-clears", OPENS, "say", ARRIVES, ACKS, "say", ARRIVES, "sleep-a up-a down-a", REOPENS,
            "say", ARRIVES, ACKS,
            says=3, sleeps=1,
        ),
        _broken(
            "5", "any-runner", "connect route-a down-a up-a open-timeout backoff route-b answer-a down-b up-b up-a down-a",
            "say down-b",
            runners=2, moves=1,
        ),
    )
}  # fmt: skip
"""By name. The learner sees the recordings, not this."""
