"""The reference's runner and its host of actors, paced: what an actor's side does waits for the trace to name it.

The runner, the adapters, the commits and the store are the reference's own; only *when* something has its turn is decided here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from tunnelref.runner.actor import Actor, Socket
from tunnelref.runner.core import Runner, SocketEntry
from tunnelref.runner.hosted import Hosted
from tunnelref.runner.store import Fenced
from tunnelspec.events import SocketClosed, SocketOpened
from tunnelspec.system import LEAVE_CODE

ACTOR = "ledger"
"""The name and id of the actor of every trace."""


class Ledger(Actor):
    """Writes down the last message that it applied, how its socket ended, and how often it was called."""

    def on_message(self, socket: Socket, data: str | bytes) -> None:
        self.state["applied"] = ord(data)
        self._count()

    def on_close(self, socket: Socket, code: int | None, reason: str | None) -> None:
        self._count()

    def note_end(self, code: int | None) -> None:
        """Write down how the socket was closed; the first time counts."""
        self.state.setdefault("concluded", code or LEAVE_CODE)

    def _count(self) -> None:
        self.state["calls"] = self.state.get("calls", 0) + 1


def run_now(work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine that never waits."""
    try:
        work.send(None)
    except StopIteration:
        return
    raise AssertionError("an actor of a trace may not wait")


class PacedHost(Hosted):
    """An actor's life in which each event of its mailbox waits for its turn."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.waiting: deque[Callable[[], Any]] = deque()

    def put(self, work: Callable[[], Any]) -> None:
        """Start at once; of all else, what a trace does not name goes as soon as nothing is before it."""
        if not self.started:
            super().put(work)
        else:
            self.waiting.append(work)
            self._go_on()

    @property
    def ledger(self) -> Ledger:
        """What the user of this library wrote."""
        assert isinstance(self.actor, Ledger)
        return self.actor

    def step(self) -> None:
        """Handle what came first, and commit."""
        work = self.waiting.popleft()
        event = event_of(work)
        if isinstance(event, Ending) or (isinstance(event, SocketClosed) and event.final):
            self.ledger.note_end(event.code)
        super().put(work)
        self._go_on()

    def act(self, handler: Callable[[], None]) -> None:
        """The actor does something of its own accord, and commits."""
        super().put(handler)

    def _go_on(self) -> None:
        while self.waiting and isinstance(event_of(self.waiting[0]), SocketOpened):
            super().put(self.waiting.popleft())


class Ending(tuple[int | None, str | None]):
    """A socket's end, noted after all that came before it."""

    @property
    def code(self) -> int | None:
        return self[0]


def event_of(work: Any) -> Any:
    """What waits in a mailbox: an event of a socket, or its ``Ending``."""
    entry, *rest = work.args
    assert isinstance(entry, SocketEntry)
    return rest[0] if len(rest) == 1 else Ending(rest)


class PacedRunner(Runner):
    """The reference's runner; an actor answers and listens when it is told to."""

    hosting = PacedHost

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.spawn = run_now
        self.asked: SocketEntry | None = None

    def ask(self, entry: SocketEntry) -> None:
        self.asked = entry

    def answer(self) -> None:
        """The actor answers."""
        asked, self.asked = self.asked, None
        assert asked is not None
        super().ask(asked)

    def listen(self, entry: SocketEntry) -> None:
        """That comes when the trace says so."""

    def fenced(self, hosted: Hosted, error: Fenced) -> None:
        """A store may be slow to say so: the actor learns it when it next commits."""

    @property
    def host(self) -> PacedHost | None:
        """The actor's life here."""
        hosted = self.actors.get(ACTOR)
        assert hosted is None or isinstance(hosted, PacedHost)
        return hosted
