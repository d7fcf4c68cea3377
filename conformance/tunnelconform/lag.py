"""How much time was not the subject's own: on a busy machine a silence may be the suite's fault, or the machine's.

While the suite's loop is held up, what the subject has said lies unread. And while this process wants to run and may not, a subject
on the same machine is likely to be held up as well. Neither is part of what a subject is allowed to take. While the suite works,
though, the subject can, too: unless it is in this process, or there is one processor only. Where the suite works long without a
pause, it tells nobody anything meanwhile, no runner pings, and what lies unread is not read at once: that is nobody's time.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from typing import NamedTuple

BEAT_S = 0.02
"""So often the loop is felt."""

LONG_MS = 200
"""A beat that is so late was not the subject's time, whoever worked."""

UNREAD = 3
"""What has come is read within so many beats."""

KEPT = 3_000
"""So many beats are remembered: a minute, if they are in time."""


class Beat(NamedTuple):
    """When the loop was felt, how late, and how much of that this process was kept from running; in ms."""

    when: float
    late: float
    lost: float


class Lag:
    """Feels the loop that it is started in, and knows how late it was lately."""

    def __init__(self) -> None:
        self._beats: deque[Beat] = deque(maxlen=KEPT)
        self._due = 0.0  # when the next one is, in ms; 0: none is waited for
        self._known: dict[int, float] = {}  # since the last one
        self._shared = False  # whether the subject waits while this process works
        self._task: asyncio.Task[None] | None = None

    def start(self, within: bool = False) -> None:
        """Begin, in the running loop; once is enough. ``within``: the subject is in this process."""
        self._shared = within or os.cpu_count() == 1
        if self._task is None or self._task.done():
            self._task = asyncio.ensure_future(self._feel())

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task, self._due = None, 0.0

    async def _feel(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self.due(loop.time() * 1000)
            worked = time.process_time()
            await asyncio.sleep(BEAT_S)
            self.beat(loop.time() * 1000, (time.process_time() - worked) * 1000)

    def due(self, now_ms: float) -> None:
        """The next beat is waited for from that time."""
        self._due = now_ms + BEAT_S * 1000

    def beat(self, now_ms: float, worked_ms: float) -> None:
        """A beat came at that time, and this process has worked for so long since the one before."""
        late = max(0.0, now_ms - self._due)
        self._beats.append(Beat(now_ms, late, late if self._shared or late >= LONG_MS else max(0.0, late - worked_ms)))
        self._known.clear()
        self._due = 0.0

    def over(self, grace_ms: int, now_ms: float) -> int:
        """How much longer than ``grace_ms``, up to now, is so long of the subject's own time; in ms."""
        if grace_ms not in self._known:
            self._known[grace_ms] = self._over(grace_ms, now_ms)
        pending = now_ms - self._due if self._due else 0.0
        return int(self._known[grace_ms] + max(0.0, pending))

    def _over(self, grace_ms: int, now_ms: float) -> float:
        total = 0.0
        for place, beat in enumerate(reversed(self._beats)):
            if beat.when < now_ms - grace_ms - total:
                break
            total += beat.late if place < UNREAD else beat.lost
        return total
