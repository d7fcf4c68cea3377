"""Steps from the protocol's text: what an ack releases, what a re-open sends again, when a message is too old, what a retry costs.

Expectations were worked out from the text (its sections are named), not by running the tables; only the names of states, fields
and transitions are the tables' own.
"""

from __future__ import annotations

from typing import Any


def _message(index: int, data: str = "61") -> dict[str, Any]:
    return {"type": "ToClientWebSocketMessage", "index": index, "data": data, "binary": False}


def _kept(index: int, sent: int = 0, size: int = 40) -> dict[str, Any]:
    return {"frame": _message(index), "size": size, "sent": sent}


def _queue(acked: int, *indices: int, confirmed: bool = True, link: int = 7, sent: int = 0) -> dict[str, Any]:
    pending = [_kept(index, sent) for index in indices]
    return {
        "link": link,
        "acked": acked,
        "confirmed": confirmed,
        "pending": pending,
        "bytes": 40 * len(indices),
        "refusing": False,
    }


def _inbox(received: int, acked: int, closed: bool = False) -> dict[str, Any]:
    return {"link": 7, "received": received, "committed": acked, "acked": acked, "closed": closed}


def _received(frame: dict[str, Any], link: int = 7, message_id: str = "00", now: int = 0) -> dict[str, Any]:
    return {"type": frame["type"], "frame": frame, "link": link, "message_id": message_id, "number": 0, "now": now}


def _ack(index: int, link: int = 7) -> dict[str, Any]:
    return _received({"type": "ToServerWebSocketMessageAck", "index": index}, link)


def _opened(last: int, can: bool = True, now: int = 5) -> dict[str, Any]:
    return {"type": "Opened", "can_hibernate": can, "last": last, "now": now}


def _connection(failures: int, **changes: Any) -> dict[str, Any]:
    frame = {"type": "ToClientWebSocketOpen", "actorId": "", "path": "", "headers": []}
    before = {"open": frame, "link": 7, "failures": failures, "established": False, "client_gone": False}
    return {**before, "code": None, "reason": None, **changes}


def _case(
    comment: str,
    machine: str,
    state: str,
    context: Any,
    event: Any,
    transition: str,
    to: str,
    after: Any,
    *outputs: Any,
) -> Any:
    then = {"transition": transition, "state": to, "context": after, "outputs": list(outputs)}
    before = {"state": state, "context": context, "event": event}
    return {"comment": comment, "machine": machine, "limits": "default", **before, "then": then}


SEND_ACK, PROGRESS = {"type": "SendAck", "link": 7, "message_id": "00"}, {"type": "Progress"}

STEPS: tuple[dict[str, Any], ...] = (
    # section 4: cumulative and wrapping
    _case("4: an ack covers its index and all before it", "ACK-G", "live", _queue(0, 1, 2, 3, confirmed=False), _ack(2),
          "ACK-G-08", "live", _queue(2, 3), SEND_ACK, PROGRESS),
    _case("4: 65 535 is followed by 0, and an ack of 0 covers it", "ACK-G", "live", _queue(65_534, 65_535, 0, 1), _ack(0),
          "ACK-G-08", "live", _queue(0, 1), SEND_ACK, PROGRESS),
    _case("4: an ack of what is acked changes nothing", "ACK-G", "live", _queue(2, 3), _ack(1),
          "ACK-G-09", "live", _queue(2, 3), SEND_ACK),
    _case("4: an ack of what was never sent", "ACK-G", "live", _queue(2, 3), _ack(4),
          "ACK-G-10", "live", _queue(2, 3), {"type": "Violation", "rule": "ACK-G-10"}),
    _case("an ack from a runner that no longer has the connection", "ACK-G", "live", _queue(2, 3), _ack(3, link=6),
          "ACK-G-11", "live", _queue(2, 3)),
    # section 3: numbers that wrap; the first is 1
    _case("3: the first message has index 1, is kept and is sent", "ACK-G", "live", _queue(0, confirmed=False),
          {"type": "ClientMessage", "data": "61", "binary": False, "size": 40, "total": 0, "now": 9},
          "ACK-G-06", "live", _queue(0, 1, confirmed=False, sent=9), {"type": "Transmit", "frame": _message(1), "now": 9}),
    _case("3: after 65 535 comes 0", "ACK-G", "live", _queue(65_535),
          {"type": "ClientMessage", "data": "61", "binary": False, "size": 40, "total": 0, "now": 9},
          "ACK-G-06", "live", _queue(65_535, 0, sent=9), {"type": "Transmit", "frame": _message(0), "now": 9}),
    _case("3: without hibernation every message carries 0", "ACK-G", "plain", _queue(0, confirmed=False),
          {"type": "ClientMessage", "data": "61", "binary": False, "size": 40, "total": 0, "now": 9},
          "ACK-G-05", "plain", _queue(0, confirmed=False), {"type": "Transmit", "frame": _message(0), "now": 9}),
    # section 5: 1 MiB in all
    _case("5: a message that would make it more than 1 MiB", "ACK-G", "live", _queue(0, confirmed=False),
          {"type": "ClientMessage", "data": "61", "binary": False, "size": 1_048_577, "total": 0, "now": 9},
          "ACK-G-07", "live", {**_queue(0, confirmed=False), "refusing": True}, {"type": "LimitReached", "now": 9}),
    # section 6: what is <= lastMsgIndex is dropped, the rest sent again, in order
    _case("6: lastMsgIndex 2 of 1, 2, 3, 4: 3 and 4 are sent again", "ACK-G", "held", _queue(0, 1, 2, 3, 4, confirmed=False),
          _opened(2), "ACK-G-17", "live", _queue(2, 3, 4, sent=5),
          {"type": "Transmit", "frame": _message(3), "now": 5}, {"type": "Transmit", "frame": _message(4), "now": 5}, PROGRESS),
    _case("6: lastMsgIndex -1: everything is sent again", "ACK-G", "held", _queue(0, 1, 2, confirmed=False),
          _opened(-1), "ACK-G-17", "live", _queue(0, 1, 2, confirmed=False, sent=5),
          {"type": "Transmit", "frame": _message(1), "now": 5}, {"type": "Transmit", "frame": _message(2), "now": 5}),
    _case("6: an actor that has lost what it acked", "ACK-G", "held", _queue(2, 3), _opened(-1),
          "ACK-G-04", "ended", _queue(2, 3), {"type": "Unresumable", "now": 5}),
    # section 9: older than 30 s
    _case("9: a message of exactly 30 s has not timed out", "ACK-G", "live", _queue(0, 1, confirmed=False),
          {"type": "Collect", "now": 30_000}, "ACK-G-15", "live", _queue(0, 1, confirmed=False)),
    _case("9: a message of more than 30 s has timed out", "ACK-G", "live", _queue(0, 1, confirmed=False),
          {"type": "Collect", "now": 30_001}, "ACK-G-14", "live", _queue(0, 1, confirmed=False),
          {"type": "TimedOut", "now": 30_001}),
    # section 8: 100, 200, 400 ms, and then no more
    *(_case(f"8: back-off {wait} ms before retry {failures + 1}", "CONN-G", "offered", _connection(failures),
            {"type": "OpenTimeout", "now": 0}, "CONN-G-06", "backoff", _connection(failures + 1, link=0),
            {"type": "CancelTimer", "event": "OpenTimeout"}, {"type": "TunnelDown"},
            {"type": "SetTimer", "event": "BackoffOver", "delay_ms": wait})
      for failures, wait in enumerate((100, 200, 400))),
    # section 1: 2 s for the answer
    _case("1: the open is sent, and waited for 2 s", "CONN-G", "routing", _connection(0, link=0),
          {"type": "RouteFound", "link": 7, "now": 3}, "CONN-G-02", "offered", _connection(0),
          {"type": "TunnelUp", "link": 7}, {"type": "Transmit", "frame": _connection(0)["open"], "now": 3},
          {"type": "SetTimer", "event": "OpenTimeout", "delay_ms": 2_000}),
    # section 4, the runner: nothing that was not given to the actor
    _case("4: a commit of what the actor was not given", "ACK-R", "live", _inbox(3, 2),
          {"type": "Committed", "index": 4, "now": 0}, "ACK-R-13", "live", _inbox(3, 2),
          {"type": "Violation", "rule": "ACK-R-13"}),
    # section 7, and RFC 6455, section 1.4: who was told of a close discards what comes after it
    _case("7: the next message, but after the client's close", "ACK-R", "live", _inbox(3, 2, closed=True),
          _received(_message(4)), "ACK-R-33", "live", _inbox(3, 2, closed=True)),
    _case("7: the last message again, after the client's close", "ACK-R", "live", _inbox(3, 2, closed=True),
          _received(_message(3)), "ACK-R-33", "live", _inbox(3, 2, closed=True)),
    # section 11: on the runner's behalf
    _case("11: the relay closes with retry for a runner that is lost", "RELAY-G", "websocket", {},
          {"type": "LinkLost", "link": 7, "now": 4}, "RELAY-G-09", "done", {},
          {"type": "OnBehalf", "frame": {"type": "ToServerWebSocketClose", "code": None, "reason": None, "retry": True}, "now": 4},
          {"type": "Free"}),
)  # fmt: skip
