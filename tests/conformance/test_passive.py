"""A recording of what the tables' own reference did is allowed; of what departs from them, the first frame that does is named."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.conformance.recorded import Recorder, World, recording
from tests.reference.test_world import CLASSES
from tunnelcli.main import main
from tunnelconform.passive import judge
from tunnelconform.recording import (
    TO_CLIENT,
    TO_SERVER,
    Entry,
    Frame,
    LinkClosed,
    LinkOpened,
    decoded,
    dump,
    parse,
)
from tunnelref.wire import codec, to_json
from tunnelspec.connection import INTERNAL_ERROR, UNAVAILABLE
from tunnelspec.frames import (
    ToClientTunnelMessage,
    ToClientWebSocketClose,
    ToClientWebSocketMessage,
    ToClientWebSocketOpen,
    ToServerTunnelMessage,
    ToServerWebSocketMessageAck,
    ToServerWebSocketOpen,
    TunnelAck,
)
from tunnelspec.limits import Limits

Action = tuple[str, int]
actions = st.lists(
    st.tuples(
        st.sampled_from(["says", "says", "sleeps", "leaves", "connects", "breaks", "kills", "joins", "waits", "waits"]),
        st.integers(0, 3),
    ),
    max_size=14,
)


def play(did: Sequence[Action], limits: Limits) -> Recorder:
    """Do these things in a recorded world."""
    with recording() as recorder:
        world = World(limits)
        runners = [world.runner("r0", CLASSES)]
        clients = [world.client("ledger.1")]
        for word, number in did:
            client = clients[number % len(clients)]
            runner = runners[number % len(runners)] if runners else None
            if word == "says" and client.closed is None:
                client.says(*(f"m{n}" for n in range(number + 1)))
            elif word == "sleeps" and client.closed is None:
                client.says("sleep")
            elif word == "leaves" and client.closed is None:
                client.leaves(1000 + number, "bye")
            elif word == "connects":
                clients.append(world.client(("ledger.1", "plain.2", "counter.3")[number % 3]))
            elif word == "breaks" and runner is not None and runner.pipe is not None:
                runner.pipe.break_()
            elif word == "kills" and runner is not None:
                runner.kill()
                runners.remove(runner)
            elif word == "joins":
                runners.append(world.runner(f"r{number}-{len(recorder.entries)}", CLASSES))
            elif word == "waits":
                world.wait(10 ** (number + 1))
            world.settle()
        world.wait(200)
        return recorder


def told(judgement: Any) -> str:
    return "\n".join(map(str, judgement.breaches))


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(actions)
@example(
    [("says", 0), ("says", 3), ("breaks", 0), ("says", 0), ("says", 3), ("says", 3), ("says", 0), ("says", 3)]
    + [("says", 0)] * 3
    + [("says", 3), ("waits", 3)]
)  # much may be under way where a link breaks: more than 6,000 states of the runner
def test_what_the_reference_does_is_allowed(did: list[Action]) -> None:
    """Both sides of every request, whatever happens: no breach, and nothing that the oracle cannot follow."""
    entries = play(did, Limits()).entries
    again = tuple(parse(dump(entries)))
    assert again == tuple(entries)
    judgement = judge(again)
    assert not judgement.breaches, told(judgement)
    assert not judgement.undecided


@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_breach_is_named_by_its_line_and_by_its_frame(
    tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str], data: st.DataObject
) -> None:
    """ACK-G-06: a message with an index that no client's message has, put anywhere behind the open, between empty lines."""
    entries = play([("says", 2), ("sleeps", 0), ("waits", 1), ("says", 1)], Limits()).entries
    first = next(entry for entry in entries if isinstance(entry, Frame) and "Open" in str(decoded(entry, 2)))
    begun = entries.index(first) + 2  # behind the open and its ack
    place = data.draw(st.integers(begun, len(entries)))
    before = entries[place - 1]
    frame = to_json(
        ToClientTunnelMessage(decoded(first, 2).requestId, bytes(16), ToClientWebSocketMessage(9, b"m", False), None)
    )
    line = {"time_ms": before.time_ms, "link": 1, "way": TO_CLIENT, "frame": frame}
    lines = dump(entries).split("\n")
    lines[place + 1 : place + 1] = ["", *data.draw(st.lists(st.just(" "), max_size=2)), json.dumps(line)]
    path = tmp_path_factory.mktemp("trace") / "talk.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    assert main(["conform", "trace", str(path)]) == 1
    number = lines.index(json.dumps(line)) + 1
    count = sum(isinstance(entry, Frame) for entry in entries[:place]) + 1
    assert f"{path}:{number}: frame {count}, at {before.time_ms} ms, gateway, " in capsys.readouterr().out
    assert main(["conform", "trace", str(path), "--json"]) == 1
    breach = json.loads(capsys.readouterr().out)["breaches"][0]
    assert (breach["line"], breach["number"], breach["side"]) == (number, count, "gateway")


def test_what_a_gateway_took_from_a_link_before_it_broke_counts_though_its_answer_is_lost() -> None:
    """ACK-G-08, ACK-G-04: an ack came through, its TunnelAck did not; so the actor that later says it has seen nothing is wrong."""
    request, one, entries, count = bytes(16), codec(2), list[Entry](), 0

    def at(time_ms: int, link: int, way: str, kind: Any, names: int = 0) -> None:
        nonlocal count
        count += not names
        message = (names or count).to_bytes(16)
        if way == TO_CLIENT:
            data = one.encode_to_client(ToClientTunnelMessage(request, message, kind, None))
        else:
            data = one.encode_to_server(ToServerTunnelMessage(request, message, kind))
        entries.append(Frame(time_ms, link, way, data))

    entries.append(LinkOpened(0, 1, 2, "default", "a"))
    at(1, 1, TO_CLIENT, ToClientWebSocketOpen("a", "/", ()))
    at(2, 1, TO_SERVER, TunnelAck(), 1)
    at(3, 1, TO_SERVER, ToServerWebSocketOpen(True, -1))
    at(4, 1, TO_CLIENT, TunnelAck(), 2)
    at(5, 1, TO_CLIENT, ToClientWebSocketMessage(1, b"m1", False))
    at(6, 1, TO_SERVER, ToServerWebSocketMessageAck(1))
    entries.append(LinkClosed(7, 1))
    entries.append(LinkOpened(9_000, 2, 2, "default", "b"))
    at(9_001, 2, TO_CLIENT, ToClientWebSocketOpen("a", "/", ()))
    at(9_002, 2, TO_SERVER, TunnelAck(), 5)
    at(9_003, 2, TO_SERVER, ToServerWebSocketOpen(True, -1))
    at(9_004, 2, TO_CLIENT, TunnelAck(), 6)
    at(9_005, 2, TO_CLIENT, ToClientWebSocketClose(INTERNAL_ERROR, UNAVAILABLE))
    judgement = judge(entries)
    assert not judgement.breaches, told(judgement)
    assert not judgement.undecided
