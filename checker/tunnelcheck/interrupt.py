"""Ctrl-C as a question that is asked where one can stop, instead of an exception anywhere; and neither workers nor folders that
outlive us."""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


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
def held() -> Iterator[None]:
    """Within this block no Ctrl-C and no SIGTERM does anything; what came meanwhile does it at its end."""
    heard = list[tuple[int, FrameType | None]]()

    def hear(number: int, frame: FrameType | None) -> None:
        heard.append((number, frame))

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    found = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    handlers = {number: handler for number, handler in found.items() if callable(handler)}
    for number in handlers:
        signal.signal(number, hear)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    for told, frame in heard:
        handlers[signal.Signals(told)](told, frame)


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for a search, that is gone with this block, whatever ends it. An exception between the folder's making and its
    first owner would leave it behind."""
    with held():
        folder = tempfile.TemporaryDirectory(prefix="tunnelspec-spin-")
    with folder as name:
        yield Path(name)


class _Pool(ProcessPoolExecutor):
    """A pool whose workers end when they are told to, also while they work."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        return super().submit(_work, fn, *args, **kwargs)


@contextmanager
def workers(count: int) -> Iterator[ProcessPoolExecutor]:
    """Processes, forked from this one, that end with this block, whatever ends it; and with this process, whatever ends that.
    Ctrl-C is not for them to hear, but for whoever waits for them; a worker that is ended cleans up after itself."""
    context = multiprocessing.get_context("fork")
    with _Pool(count, mp_context=context, initializer=_obey) as pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for worker in multiprocessing.active_children():
                worker.terminate()
            raise


AGAIN_S = 1.0
"""After that time an orphan that has not ended yet is told once more."""


class Told(BaseException):
    """A worker was told to end. Raised in what it works at, so that every ``finally`` is run."""


@dataclass
class _State:
    """What a worker knows of itself."""

    busy: bool = False
    told: bool = False
    orphan: bool = False


_WORKER = _State()


def _obey() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGALRM, _end)
    threading.Thread(target=_follow, daemon=True).start()


def _follow() -> None:
    """When the parent has ended, however it did, this worker is to end too."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    _WORKER.orphan = True
    os.kill(os.getpid(), signal.SIGTERM)


def _end(number: int, frame: FrameType | None) -> None:
    first, _WORKER.told = not _WORKER.told, True
    if _WORKER.orphan:  # this may come between two tasks, or be swallowed: then it is said again
        signal.setitimer(signal.ITIMER_REAL, AGAIN_S)
    if _WORKER.busy and first:
        raise Told
    if _WORKER.orphan and not _WORKER.busy:
        os._exit(1)


def _work(fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """What a worker does. That it was told to end it tells the pool, which then lets it go; without a parent there is no pool, and
    the worker ends here, whoever heard the signal: a loop of ``asyncio`` may have taken it for its own."""
    _WORKER.busy = True
    try:
        if _WORKER.told:
            raise Told
        return fn(*args, **kwargs)
    finally:
        _WORKER.busy = False
        if _WORKER.orphan:
            os._exit(1)
