"""Ctrl-C as a question that is asked where one can stop, instead of an exception anywhere; and workers that do not outlive us."""

from __future__ import annotations

import multiprocessing
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from types import FrameType


@contextmanager
def noted() -> Iterator[Callable[[], bool]]:
    """Within this block the first Ctrl-C is only noted: what it gives says whether there was one. A second one raises
    ``KeyboardInterrupt`` at once. In other threads than the main one, which no signal reaches, there never is one."""
    asked = False

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    before = signal.signal(signal.SIGINT, note)
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def workers(count: int) -> Iterator[ProcessPoolExecutor]:
    """Processes, forked from this one, that end with this block, whatever ends it. Ctrl-C is not for them to hear, but for whoever
    waits for them; a worker that is ended cleans up after itself."""
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(count, mp_context=context, initializer=_obey) as pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for worker in multiprocessing.active_children():
                worker.terminate()
            raise


def _obey() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))  # so that every ``finally`` is run
