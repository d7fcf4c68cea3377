"""Which mutants are not for the suite to notice, and why: as narrowly as it can be said, and one by one where reasons differ."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

from tools.mutants.places import Mutant

EVENTS = "no table speaks of what a runner reports of its actors, nor of the acks of commands"
LIVES = "two lives of one actor at once take two runners with one store, which the suite is not"
ENDS = "that a process ends once its link is gone is nobody's rule"
ACTOR = "the test actor does not do that: its handlers neither raise nor wait, and it speaks only when it is spoken to"
API = "what an actor can ask of its socket is the reference's own affair"
SURPLUS = "what a client sends after its request is nobody's rule"
LINGERS = "how long who still sends is read, once it is answered, is HTTP's affair (RFC 9112, section 9.6)"
OUT_OF_SCOPE: Mapping[str, str] = {
    "* drop *.log(*": "a line in the log",
    "* drop self.logger.error(*": "a line in the log",
    "* drop *.trace(*": "a line in the trace",
    "* drop *.trace_frame(*": "a line in the trace",
    "* drop self._trace_states(*": "a line in the trace",
    "* negate *on_trace is not None": "whether there is a trace",
    "gateway/core.py Gateway.trace*": "what a line in the trace says",
    "gateway/core.py Gateway._trace_states*": "what a line in the trace says",
    "gateway/core.py Gateway.observe*": "metrics and traces",
    "gateway/core.py Gateway.metrics_text*": "the metrics' page",
    "gateway/server.py GatewayServer._plain: negate path == '/metrics'": "the metrics' page",
    "driver.py Driver.post: drop self.observe(*": "metrics and traces look through it, nothing else does",
    "outbox.py Outbox._send: compare transport.get_write_buffer_size() > *": "how much a peer may leave unread is nobody's rule",
    "outbox.py Outbox._send: drop transport.abort()": "a peer that reads nothing at all may be cut off, and need not",
    "connection.py HeardServer._failed*": "only a defect of the reference's own leads there",
    "connection.py HeardServer.process_event: drop self._failed(error)": "only a defect of the reference's own leads there",
    "connection.py HeardServer._message: drop self._failed(error)": "only a defect of the reference's own leads there",
    "gateway/directory.py Actor.key: *": "how an actor's id is made of a name and a key is the reference's own affair",
    "gateway/directory.py Directory._start: compare able.number == actor.was_on": "which of several runners is nobody's rule",
    "gateway/server.py actor_of: either path.startswith('/ws/') and len(path) > len('/ws/')":
        "which paths name no actor is nobody's rule",
    "gateway/server.py actor_of: compare len(path) > len('/ws/')": "which paths name no actor is nobody's rule",
    "gateway/server.py GatewayServer._serve: drop await connection.close(1008*": "how that is refused is nobody's rule",
    "gateway/server.py GatewayServer.stop*": "the process ends: its sockets close either way",
    "gateway/http.py Exchange.serve: drop self.respond(404, *": "how a request is refused that names no actor is nobody's rule",
    "gateway/http.py Exchange.serve: negate self.http.our_state in (h11.IDLE, h11.SEND_RESPONSE)":
        "how a request is refused that is not HTTP is nobody's rule",
    "gateway/http.py Exchange.serve: drop self.respond(error.error_status_hint, *":
        "how a request is refused that is not HTTP is nobody's rule",
    "gateway/http.py Exchange._linger: *": LINGERS,
    "gateway/http.py Exchange.serve: drop await self._linger()": LINGERS,
    "gateway/http.py Exchange._carry: drop await asyncio.wait((done, body))": LINGERS,
    "gateway/http.py Exchange._carry: either body.done() and body.result()": SURPLUS,
    "gateway/http.py Exchange._carry: drop await done": SURPLUS,
    "gateway/http.py Exchange._leaves_early: drop ahead += len(data)": "how much is read ahead of its turn is nobody's rule",
    "gateway/http.py Exchange._leaves_early: compare ahead < READ_BYTES": "how much is read ahead of its turn is nobody's rule",
    "gateway/http.py Exchange.respond: drop self.finished.set()": "that a connection ends with its response is HTTP's affair",
    "gateway/http.py HttpServer.stop*": "the process ends: its sockets close either way",
    "runner/core.py Runner.tell: *": EVENTS,
    "runner/core.py Runner.actor_running: *": EVENTS,
    "runner/hosted.py Hosted._started: drop self.runner.actor_running(self)": EVENTS,
    "runner/core.py Runner.intend_to_sleep: *": EVENTS,
    "runner/core.py Runner._forget_events: *": EVENTS,
    "runner/core.py Runner.on_PassOn: *_events*": EVENTS,
    "runner/core.py Runner.actor_stopped: drop self.tell(*": EVENTS,
    "runner/core.py Runner.command: drop self.tell(*": EVENTS,
    "runner/core.py Runner.on_PassOn: drop self.send(ToServerAckCommands(*": EVENTS,
    "runner/core.py Runner.on_PassOn: negate frame.commands": EVENTS,
    "runner/core.py Runner.on_PassOn: drop self._last_command = *": EVENTS,
    "runner/hosted.py Hosted.* self._intent_sent*": EVENTS,
    "runner/hosted.py Hosted._run: * self.host.sleeping and (not self._intent_sent)": EVENTS,
    "runner/hosted.py Hosted._run: drop self.runner.intend_to_sleep(self)": EVENTS,
    "runner/actor.py Actor.sleep: *": EVENTS,
    "runner/core.py Runner.command: * hosted.generation >= command.generation": LIVES,
    "runner/core.py Runner.command: drop hosted.stop() (2)": LIVES,
    "runner/core.py Runner.command: * hosted.generation == command.generation": LIVES,
    "runner/core.py Runner.fenced: drop hosted.stop()": LIVES,
    "runner/core.py SocketEntry._store: drop self.runner.fenced(hosted, error)": LIVES,
    "runner/hosted.py Hosted.close: drop self.stopping = True": LIVES,
    "runner/hosted.py Hosted.close: drop self._finish(StopCode.ERROR, str(error))": LIVES,
    "runner/hosted.py Hosted._run: drop self.stopping, code, message = (True, StopCode.ERROR, str(error))": LIVES,
    "runner/store.py Store.begin: compare row[[]0] > generation": LIVES,
    "runner/store.py Store.* drop self._write(actor, generation)": LIVES,
    "runner/store.py Store.begin: drop self._db.execute('UPDATE sockets SET since = *":
        "what a runner that was killed leaves; the test actor's state need not outlive the process",
    "runner/store.py Store.begin: drop self._db.execute('DELETE FROM sockets WHERE *":
        "how long an actor that sleeps remembers a socket that nobody opens again is nobody's rule",
    "runner/store.py Store.__init__: drop self._db.execute('PRAGMA *": "what a power failure leaves; the suite cuts links",
    "runner/store.py Store.close*": "the process ends",
    "runner/core.py Runner.on_Free: drop self.gone = True": ENDS,
    "runner/core.py Runner.on_HangUp: drop self.post(LinkDown(*": ENDS,
    "runner/client.py RunnerClient.stop: * self.runner.gone*": ENDS,
    "runner/client.py RunnerClient.*: drop self.gone.set()": ENDS,
    "runner/client.py RunnerClient.__init__: drop self.protocols.append(*": "the suite's gateway asks for no token",
    "runner/hosted.py Hosted._run: drop self.stopping, code, message = (True, StopCode.ERROR, repr(error))": ACTOR,
    "runner/hosted.py Hosted.later: drop effect()": ACTOR,
    "runner/hosted.py Hosted.close: drop self._commit()": ACTOR,
    "runner/hosted.py Hosted.put: drop self._running = True": ACTOR,
    "runner/core.py HttpEntry._send: drop self.post(ActorFails(*": ACTOR,
    "runner/hosted.py Hosted._handle: negate event.resumed": API,
    "runner/hosted.py Hosted._handle: negate known is None": API,
    "runner/hosted.py Hosted._conclude: drop self.host.sockets.pop(*": API,
    "runner/client.py RunnerClient.__init__: negate token is not None": "the suite's gateway asks for no token",
    "runner/client.py RunnerClient.__init__: drop self.log = log": "a line in the log",
    "runner/hosted.py Hosted.later: negate self._running":
        "what is told before it is durable shows in a crash, which the test actor's state need not outlive",
    "runner/hosted.py Hosted._handle: either known or self._socket(entry)": API,
    "runner/core.py SocketEntry.answer: compare record is not None (2)": API,
    "runner/actor.py Socket.__init__: drop self.id = id_": API,
    "runner/actor.py Socket.__init__: drop self.path = path": API,
    "runner/actor.py Socket.__init__: drop self.headers = headers": API,
    "runner/actor.py Actor.__init__: drop self.id = id_": API,
    "runner/actor.py Actor.__init__: drop self.key = key": API,
    "* negate TYPE_CHECKING": "what only a type checker imports",
}  # fmt: skip
"""Patterns of mutants whose effect is not on the wire, by design."""

ONE_CALL = "how much leaves in one call: the same bytes, in the same order"
FREED = "what is freed ignores everything, as the tables say, and so does a request that is not known"
LATER = "nobody looks at it any more"
UNHEARD = "nobody waits for the rest of the body, and REQ-R ignores it"
IN_ONE_TURN = "a close is durable within a turn of the loop, before the next frame is read: nobody can ask in between"
WRITTEN_TWICE = (
    "an actor's close is written with its handler's transaction, and by Conclude: either is enough, short of a crash"
)
EQUIVALENT: Mapping[str, str] = {
    "connection.py HeardServer.process_event: negate type(event.data) is bytes":
        "what is not copied is bytes already, and the other way",
    "connection.py Joined.send_data: compare len(chunks) > 1": ONE_CALL,
    "connection.py Joined.send_data: drop self.protocol.writes = [b''.join(chunks)]": ONE_CALL,
    "driver.py Driver._fire: drop self.timers.pop(event, None)": "a timer that has fired can be cancelled, and nothing happens",
    "driver.py Driver._fire: negate self.timers is not None": "a timer that has fired can be cancelled, and nothing happens",
    "driver.py Driver.stop_timers: drop timer.cancel()": FREED,
    "driver.py Driver.stop_timers: drop self.timers = None": LATER,
    "driver.py Handlers.__init__: drop super().__init__()": "a dict is empty either way",
    "driver.py Handlers.__missing__: drop self[output] = handler": "it is looked up each time",
    "gateway/core.py Entry.on_Free: drop self.gateway.entries.pop(self.request_id, None)": FREED,
    "gateway/core.py Entry.on_Free: drop self.stop_timers()": FREED,
    "gateway/http.py Exchange.serve: drop self.writer.close()": "a stream that nobody holds any longer closes itself",
    "gateway/http.py Exchange._leaves_early: drop turn.cancel()": LATER,
    "gateway/http.py Exchange.respond: drop self._write(h11.EndOfMessage())":
        "with its length told, nothing is written at a message's end",
    "gateway/http.py Exchange.abort: drop self.finished.set()": "its reader sees the connection's end, and ignores it",
    "gateway/http.py Exchange.abort: drop self.writer.transport.abort()":
        "it is closed right after: a response that is not whole tells the client the same",
    "gateway/links.py Link._watch: compare type(output) is Free": FREED,
    "gateway/links.py Link._watch: drop self.watched.pop(request_id, None)": FREED,
    "gateway/links.py Link.on_Free: drop self.gateway.links.pop(self.number, None)": FREED,
    "gateway/links.py Link.on_Free: drop self.stop_timers()": FREED,
    "gateway/links.py Link.receive: drop self.post(BadFrame(str(error), now))":
        "LINK-G-12 refuses it and changes nothing: only the log tells",
    "gateway/links.py Link.receive_tunnel: drop self.post(BadFrame('ToServerTunnelMessage before ToServerInit', now))":
        "LINK-G-12 refuses it and changes nothing: only the log tells",
    "gateway/links.py Link.receive_tunnel: drop self._watch(message.requestId, message.messageKind)":
        "what the relay says of a socket that its runner has closed is ignored",
    "gateway/server.py GatewayServer._serve_client: either received is None or code is None":
        "a close frame cannot tell an empty reason from none",
    "gateway/server.py GatewayServer._serve_runner: drop connection.transport.set_write_buffer_limits(high=LINK_BACKLOG_BYTES)":
        "clients wait sooner, and lose nothing",
    "gateway/server.py Peer.shut: drop self.wake()": "the end of the closing handshake wakes it, too",
    "gateway/server.py Peer.wait_ready: drop closed.cancel()": LATER,
    "gateway/server.py Peer.wait_ready: drop self.ready = None": LATER,
    "gateway/server.py _keep: drop _kept.add(task)": "the loop holds the closing handshake's timeout, and that holds the task",
    "gateway/server.py _keep: drop task.add_done_callback(_kept.discard)": LATER,
    "messageid.py number_of: negate id_.startswith(prefix[:_HOUSE])":
        "an ack of what nobody sent and of another entry's changes nothing",
    "outbox.py Outbox._send: drop self.size = 0": ONE_CALL,
    "runner/client.py GatewayPeer.close: drop self.tasks.add(task)":
        "the loop holds the closing handshake's timeout, and that the task",
    "runner/client.py GatewayPeer.close: drop task.add_done_callback(self.tasks.discard)": LATER,
    "runner/client.py RunnerClient._spawn: drop self.tasks.add(task)": "whatever it waits for holds the task",
    "runner/client.py RunnerClient._spawn: drop task.add_done_callback(self.tasks.discard)": LATER,
    "runner/core.py Runner.down: drop self.socket = None": "what is sent over a link that is gone is lost either way",
    "runner/core.py Runner.on_Free: drop self.stop_timers()": FREED,
    "runner/core.py Runner.receive: drop self.post(BadFrame(str(error), now))":
        "LINK-R-13 refuses it and changes nothing: only the log tells",
    "runner/core.py RunnerEntry.on_Free: drop self.stop_timers()": FREED,
    "runner/core.py Runner.listen: either entry.local('connection').state != 'CLOSED' and entry.local('listener').state"
    " == 'unheard'": "the tables ignore a listener that is there already, or comes too late",
    "runner/hosted.py Hosted._commit: drop self._committed_state = copy.deepcopy(state)": "the same is written again",
    "runner/hosted.py Hosted._start: drop self._committed_state = copy.deepcopy(self.actor.state)": "the same is written again",
    "runner/hosted.py Hosted.conclude: drop self.put(partial(self._note_end, entry, code, reason))": WRITTEN_TWICE,
    "runner/client.py GatewayPeer.__init__: drop self.tasks = tasks": "the closing handshake has begun by then",
    "runner/core.py HttpEntry._call: drop self._called = True": "REQ-R ignores a second answer, and the test actor counts none",
    "runner/core.py HttpEntry._send: drop self._sending = asyncio.current_task()": UNHEARD,
    "runner/core.py HttpEntry.on_CancelCall: drop self._sending.cancel()": UNHEARD,
    "runner/hosted.py Hosted.ask: drop self.put(lambda: self._effects.append(answer))": IN_ONE_TURN,
    "runner/hosted.py Hosted.ask: negate request_id in self._concluding": IN_ONE_TURN,
    "runner/hosted.py Hosted.close: drop self._closing.setdefault(entry.request_id, (code, reason))": WRITTEN_TWICE,
    "runner/hosted.py Hosted.conclude: drop self._concluding.add(entry.request_id)": IN_ONE_TURN,
    "runner/hosted.py Hosted.socket_event: drop self._concluding.add(entry.request_id)": IN_ONE_TURN,
    "runner/hosted.py Hosted.socket_event: negate isinstance(event, SocketClosed) and event.final": IN_ONE_TURN,
    "runner/hosted.py Hosted._conclude: drop self._concluding.discard(entry.request_id)": IN_ONE_TURN,
    "runner/hosted.py Hosted._finish: drop self._effects.clear()": LATER,
    "runner/hosted.py Hosted._finish: drop self._mailbox.clear()": LATER,
    "runner/hosted.py Hosted.close: negate not self._running":
        "what a handler did is committed at its close and not at its end, and nothing comes between",
    "runner/store.py Store.commit: drop self._conclude(actor, request, code, reason, now_ms)": WRITTEN_TWICE,
    "runner/core.py SocketEntry.on_Conclude: drop hosted.conclude(self, output.code, output.reason)": WRITTEN_TWICE,
    "outbox.py Outbox.write: compare self.size > FLUSH_BYTES": ONE_CALL,
    "outbox.py Outbox.write: drop protocol.send_text(data)": "only a runner writes so, and all its frames are binary",
    "outbox.py Outbox.write: drop self.size += len(data)": ONE_CALL,
    "outbox.py Outbox.write: drop self.waiting = True": ONE_CALL,
    "outbox.py Outbox.write: negate self.size > FLUSH_BYTES": ONE_CALL,
}  # fmt: skip
"""Mutants that do the same on the wire, by their ids, one by one."""


def equivalent(mutant: Mutant) -> str:
    """Why it does the same as the code without the fault; "" if it does not."""
    return EQUIVALENT.get(mutant.id, "")


def outside(mutant: Mutant) -> str:
    """Why it is not for the suite to notice; "" if it is."""
    return _first(OUT_OF_SCOPE, mutant)


def _first(patterns: Mapping[str, str], mutant: Mutant) -> str:
    return next((why for pattern, why in patterns.items() if fnmatchcase(mutant.id, pattern)), "")
