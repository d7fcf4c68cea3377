"""Ctrl-C ends the work that is under way, and not the session: what was found by then is reported, and the subject is stopped.

So does SIGTERM, which ``timeout`` and CI send: whoever ends the suite must not leave its subject behind.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupt:
    """Hears the signals. ``asked``: one has come. While no work is under way, or when another comes, the whole session ends."""

    def __init__(self, session: asyncio.Task[Any]) -> None:
        self.asked = False
        self._session = session
        self._work: asyncio.Task[Any] | None = None

    def ask(self) -> None:
        """A signal has come."""
        work = self._session if self.asked or self._work is None else self._work
        self.asked = True
        work.cancel()

    async def may_end(self, work: Coroutine[Any, Any, Any]) -> bool:
        """Do that work; whether it was done, and not ended by a signal. Once one has come, no further work is begun."""
        if self.asked:
            work.close()
            return False
        self._work = asyncio.ensure_future(work)
        try:
            await self._work
        except asyncio.CancelledError:
            if not self._work.done():  # the session is to end, and with it what it waits for
                self._work.cancel()
                await asyncio.wait([self._work])
                raise
            return False
        finally:
            self._work = None
        return True


@contextmanager
def heard() -> Iterator[Interrupt]:
    """Within, signals are heard so; only a main thread can."""
    session = asyncio.current_task()
    assert session is not None
    interrupt = Interrupt(session)
    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return
    loop, before = asyncio.get_running_loop(), {number: signal.getsignal(number) for number in SIGNALS}
    for number in SIGNALS:
        loop.add_signal_handler(number, interrupt.ask)
    try:
        yield interrupt
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)
