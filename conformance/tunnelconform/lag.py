"""How much of the time this process could not run: on a busy machine a silence is not the subject's alone.

While the suite's own loop is held up it reads nothing, and a subject on the same machine is likely to be held up as well. So that
time is no part of what a subject is allowed to take.
"""

from __future__ import annotations

import asyncio
from collections import deque

BEAT_S = 0.02
"""So often the loop is felt."""

NOTICED_MS = 10
"""A beat that is less late than this is in time."""

WINDOW_MS = 6_000
"""What was longer ago than this no longer counts."""


class Lag:
    """Feels the loop that it is started in, and knows how late it was lately."""

    def __init__(self) -> None:
        self._late: deque[tuple[float, float]] = deque()  # when, and how late, in ms
        self._sum = 0.0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, in the running loop; once is enough."""
        if self._task is None or self._task.done():
            self._task = asyncio.ensure_future(self._feel())

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _feel(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            before = loop.time()
            await asyncio.sleep(BEAT_S)
            self.beat(loop.time() * 1000, (loop.time() - before - BEAT_S) * 1000)

    def beat(self, now_ms: float, late_ms: float) -> None:
        """A beat came so late."""
        if late_ms > NOTICED_MS:
            self._late.append((now_ms, late_ms))
            self._sum += late_ms
        while self._late and self._late[0][0] < now_ms - WINDOW_MS:
            self._sum -= self._late.popleft()[1]

    @property
    def ms(self) -> int:
        """How late all beats of the window were together, in ms."""
        return int(self._sum)
