"""What a gateway counts, and how it says so (Prometheus' text format, version 0.0.4)."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from tunnelspec.compiled import Outcome, Path
from tunnelspec.endpoint import GATEWAY, Endpoint, State
from tunnelspec.events import CloseClient
from tunnelspec.machine import Verdict

_ACK = GATEWAY.place("ack")
_HIBERNATION = GATEWAY.place("hibernation")
ACK_LATENCY_BOUNDS_MS = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 15_000, 30_000)
HIBERNATION_BOUNDS_MS = (100, 1_000, 10_000, 60_000, 600_000, 3_600_000, 86_400_000)


class Histogram:
    """Counts of observations in cumulative buckets, as Prometheus has them. Values are ms."""

    def __init__(self, bounds: tuple[int, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0

    def observe(self, value: int, times: int = 1) -> None:
        self.counts[bisect_left(self.bounds, value)] += times
        self.sum += value * times

    def lines(self, name: str) -> list[str]:
        running, lines = 0, []
        for bound, count in zip((*map(str, self.bounds), "+Inf"), self.counts, strict=True):
            running += count
            lines.append(f'{name}_bucket{{le="{bound}"}} {running}')
        return [*lines, f"{name}_sum {self.sum}", f"{name}_count {running}"]


class GatewayMetrics:
    """Counters of a gateway, kept up to date by looking at each step of each client's entry."""

    def __init__(self, endpoint: Endpoint = GATEWAY) -> None:
        self.violations = tuple(t.id for m in endpoint.machines for t in m.transitions if t.verdict is Verdict.REFUSED)
        self.pending_bytes = 0
        self.by_path: Counter[Path] = Counter()  # a path is many transitions, and one to count
        self.closes: Counter[tuple[int, str]] = Counter()
        self.ack_latency = Histogram(ACK_LATENCY_BOUNDS_MS)
        self.hibernation = Histogram(HIBERNATION_BOUNDS_MS)

    def see(self, before: State, event: Any, outcome: Outcome) -> None:
        """Take note of one step."""
        after, outputs, path = outcome
        self.by_path[path] += 1
        old, new = before[_ACK][1], after[_ACK][1]
        if old is not new:
            self.pending_bytes += new.bytes - old.bytes
            if old.acked != new.acked:
                acked = old.pending.oldest(len(old.pending) - len(new.pending))
                for sent, times in Counter(kept.sent for kept in acked).items():
                    self.ack_latency.observe(event.now - sent, times)
        if path.moves:
            slept, woke = before[_HIBERNATION], after[_HIBERNATION]
            if slept.state == "waking" and woke.state in ("awake", "pinned"):
                self.hibernation.observe(event.now - slept.context.since)
        for output in outputs:
            if type(output) is CloseClient:
                self.closes[output.code, output.reason if output.reason.startswith("guard.") else ""] += 1

    @property
    def by_transition(self) -> Counter[str]:
        """How often each transition was taken."""
        taken: Counter[str] = Counter()
        for path, times in self.by_path.items():
            for id_ in path.ids:
                taken[id_] += times
        return taken

    def text(self, entries: Iterable[tuple[str, State]], links: int) -> str:
        """All of it, in Prometheus' text format. ``entries``: request id in hex, and state, of each client's socket."""
        taken = self.by_transition
        queues = [(request, state[_ACK].context) for request, state in entries]
        pages = [
            _page("connections", "gauge", "client sockets, awake or asleep", {"": len(queues)}),
            _page("runners", "gauge", "links of runners", {"": links}),
            _page(
                "pending_messages",
                "gauge",
                "client messages kept until they are acked",
                {"": sum(len(queue.pending) for _, queue in queues)},
            ),
            _page("pending_bytes", "gauge", "bytes of those, as frames", {"": self.pending_bytes}),
            _page(
                "connection_pending_messages",
                "gauge",
                "the same for each connection that has any",
                {f'{{request="{request}"}}': len(queue.pending) for request, queue in queues if queue.pending},
            ),
            _page(
                "connection_pending_bytes",
                "gauge",
                "the same for each connection that has any",
                {f'{{request="{request}"}}': queue.bytes for request, queue in queues if queue.pending},
            ),
            _page(
                "closes_total",
                "counter",
                "client sockets that the gateway closed, by code and error",
                {f'{{code="{code}",error="{error}"}}': n for (code, error), n in sorted(self.closes.items())},
            ),
            _page(
                "transitions_total",
                "counter",
                "transitions of the tables that were taken",
                {f'{{id="{id_}"}}': n for id_, n in sorted(taken.items())},
            ),
        ]
        for name, says, ids in (*COUNTERS, ("violations_total", "frames that broke the protocol", self.violations)):
            pages.append(_page(name, "counter", says, {"": sum(taken[id_] for id_ in ids)}))
        for name, says, histogram in (
            ("ack_latency_ms", "from sending a client message to its ack", self.ack_latency),
            ("hibernation_ms", "from losing a tunnel to having one again", self.hibernation),
        ):
            head = [f"# HELP tunnel_{name} {says}", f"# TYPE tunnel_{name} histogram"]
            pages.append([*head, *histogram.lines(f"tunnel_{name}")])
        return "\n".join(line for page in pages for line in page) + "\n"


COUNTERS = (
    ("ack_timeouts_total", "connections ended because something went unacked", ("TUN-G-07", "ACK-G-14")),
    ("limits_hit_total", "client messages refused because a limit was reached", ("ACK-G-07",)),
    ("hibernation_expired_total", "connections that slept for too long", ("HIB-G-09",)),
)


def _page(name: str, kind: str, says: str, samples: Mapping[str, int]) -> list[str]:
    head = [f"# HELP tunnel_{name} {says}", f"# TYPE tunnel_{name} {kind}"]
    return head + [f"tunnel_{name}{labels} {value}" for labels, value in samples.items()]
