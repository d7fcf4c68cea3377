"""One life of an actor on this runner: its mailbox, its commits, its end.

Handlers run one at a time. All that waits in the mailbox is handled in one go and committed in one transaction; what the
handlers sent or closed is released after it. An actor that fails, or that may no longer write, stops.
"""

from __future__ import annotations

import copy
import inspect
from collections import deque
from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any

from tunnelref.runner.actor import Actor, ActorHost, Request, Response, Socket
from tunnelref.runner.store import Fenced
from tunnelspec.events import SocketClosed, SocketMessage, SocketOpened
from tunnelspec.frames import StopCode

if TYPE_CHECKING:
    from tunnelref.runner.core import HttpEntry, Runner, SocketEntry

Spawn = Callable[[Coroutine[Any, Any, None]], None]
BATCH = 256  # messages in one transaction
Ending = tuple[int | None, str | None]  # code and reason


class Hosted:
    """An actor at work."""

    def __init__(
        self, runner: Runner, actor_class: type[Actor], actor_id: str, key: str | None, generation: int
    ) -> None:
        self.runner = runner
        self.id = actor_id
        self.generation = generation
        self.hibernates = actor_class.hibernates
        self.host = ActorHost()
        self.started = False
        self.stopping = False
        self.asking: list[Callable[[], None]] = []  # opens that wait for the start
        self._concluding: set[bytes] = set()  # request ids whose end is not durable yet
        self._closing: dict[bytes, Ending] = {}  # what the handlers of an open transaction closed
        self._class = actor_class
        self._key = key
        self._mailbox: deque[Callable[[], Any]] = deque()
        self._effects: list[Callable[[], None]] = []  # of handlers whose transaction is still open
        self._seen: dict[SocketEntry, int] = {}  # the last message handled for each socket, uncommitted
        self._committed_state: Any = None
        self._running = False
        self._intent_sent = False
        self.actor: Actor | None = None

    # -- what comes in -----------------------------------------------------------------------------------------------

    def start(self) -> None:
        self.put(self._start)

    def socket_event(self, entry: SocketEntry, event: Any) -> None:
        """The listener's turn: an event of one socket."""
        if isinstance(event, SocketClosed) and event.final:
            self._concluding.add(entry.request_id)
        self.put(partial(self._handle, entry, event))

    def conclude(self, entry: SocketEntry, code: int | None, reason: str | None) -> None:
        """Note a socket's end, after all that came before it."""
        self._concluding.add(entry.request_id)
        self.put(partial(self._note_end, entry, code, reason))

    def close(self, entry: SocketEntry, code: int, reason: str) -> None:
        """The actor closes a socket: durable together with what else its handler changed, and told after that."""
        if self.hibernates:
            self._closing.setdefault(entry.request_id, (code, reason))
        self._effects.append(lambda: entry.closes(code, reason))
        if not self._running:
            try:
                self._commit()
            except Fenced as error:
                self.stopping = True
                self._finish(StopCode.ERROR, str(error))

    def ask(self, request_id: bytes, answer: Callable[[], None]) -> None:
        """Answer for a socket, once the actor has started and a close of the socket that waits is durable."""
        if not self.started:
            self.asking.append(answer)
        elif request_id in self._concluding:
            self.put(lambda: self._effects.append(answer))
        else:
            answer()

    def request(self, entry: HttpEntry, request: Request) -> None:
        """A plain HTTP request."""
        self.put(partial(self._respond, entry, request))

    def stop(self) -> None:
        """Stop once the handler that runs now is done; what still waits is left to the next life."""
        if not self.stopping:
            self.stopping = True
            if not self._running:
                self._finish(StopCode.OK, None)

    def later(self, effect: Callable[[], None]) -> None:
        """Do this once the handler that runs now is committed; at once if none runs."""
        if self._running:
            self._effects.append(effect)
        else:
            effect()

    # -- the mailbox -------------------------------------------------------------------------------------------------

    def put(self, work: Callable[[], Any]) -> None:
        """Do this when its turn comes."""
        if self.stopping:
            return
        self._mailbox.append(work)
        if not self._running:
            self._running = True
            self.runner.spawn(self._run())

    async def _run(self) -> None:
        code, message = StopCode.OK, None
        try:
            while self._mailbox and not self.stopping:
                for _ in range(min(BATCH, len(self._mailbox))):
                    outcome = self._mailbox.popleft()()
                    if inspect.isawaitable(outcome):
                        await outcome
                    if self.stopping:
                        break
                self._commit()
        except Fenced as error:
            self.stopping, code, message = True, StopCode.ERROR, str(error)
        except Exception as error:  # an actor's own bug ends this life, not the runner
            self.runner.log("actor_failed", actor=self.id, generation=self.generation, error=repr(error))
            self.stopping, code, message = True, StopCode.ERROR, repr(error)
        finally:
            self._running = False
        if self.stopping:
            self._finish(code, message)
        elif self.host.sleeping and not self._intent_sent:
            self._intent_sent = True
            self.runner.intend_to_sleep(self)

    def _commit(self) -> None:
        seen, self._seen = self._seen, {}
        closed, self._closing = self._closing, {}
        assert self.actor is not None
        indices = {entry.request_id: index for entry, index in seen.items() if index >= 0}
        if indices or closed or self.actor.state != self._committed_state:
            state, now = self.actor.state, self.runner.clock.unix_ms()
            self.runner.store.commit(self.id, self.generation, state, indices, closed, now)
            self._committed_state = copy.deepcopy(state)
        effects, self._effects = self._effects, []
        for effect in effects:
            effect()
        for entry, index in seen.items():
            if index >= 0:
                entry.committed(index)

    def _finish(self, code: StopCode, message: str | None) -> None:
        self._mailbox.clear()
        self._effects.clear()
        self.runner.actor_stopped(self, code, message)

    # -- handlers ----------------------------------------------------------------------------------------------------

    def _start(self) -> Any:
        now = self.runner.clock.unix_ms()
        forget_before = now - self.runner.limits.max_hibernation_ms
        state = self.runner.store.begin(self.id, self.generation, now, forget_before)
        self.actor = self._class(self.id, self._key, state, self.host)
        self._committed_state = copy.deepcopy(self.actor.state)
        self._effects.append(self._started)
        return self.actor.on_start()

    def _started(self) -> None:
        self.started = True
        self.runner.actor_running(self)
        asking, self.asking = self.asking, []
        for ask in asking:
            ask()

    def _handle(self, entry: SocketEntry, event: Any) -> Any:
        assert self.actor is not None
        if isinstance(event, SocketClosed) and event.final:
            self._effects.append(lambda: self._conclude(entry, event.code, event.reason))
        if isinstance(event, SocketOpened):
            socket = self._socket(entry)
            self.host.sockets[entry.request_id] = socket
            return self.actor.on_resume(socket) if event.resumed else self.actor.on_open(socket)
        known = self.host.sockets.get(entry.request_id)
        if isinstance(event, SocketMessage):
            self._seen[entry] = event.index
            socket = known or self._socket(entry)  # it was acked, though the socket is closed meanwhile
            return self.actor.on_message(socket, event.data if event.binary else event.data.decode())
        assert isinstance(event, SocketClosed)
        if known is None:
            return None
        del self.host.sockets[entry.request_id]
        return self.actor.on_close(known, event.code, event.reason)

    def _socket(self, entry: SocketEntry) -> Socket:
        return Socket(entry, entry.request_id.hex(), entry.path, entry.headers)

    def _note_end(self, entry: SocketEntry, code: int | None, reason: str | None) -> None:
        self._effects.append(lambda: self._conclude(entry, code, reason))

    def _conclude(self, entry: SocketEntry, code: int | None, reason: str | None) -> None:
        self.host.sockets.pop(entry.request_id, None)
        if self.hibernates or self.runner.store.socket(self.id, entry.request_id) is not None:
            now = self.runner.clock.unix_ms()
            self.runner.store.conclude(self.id, self.generation, entry.request_id, code, reason, now)
        self._concluding.discard(entry.request_id)
        entry.concluded()

    async def _respond(self, entry: HttpEntry, request: Request) -> None:
        assert self.actor is not None
        outcome = self.actor.on_request(request)
        response = outcome if isinstance(outcome, Response) else await outcome
        self._effects.append(lambda: entry.respond(response))
