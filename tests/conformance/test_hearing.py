"""The suite's connections: what comes before a close is heard first, and the close with its frame, not at the end of the stream."""

from __future__ import annotations

import asyncio
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.frames import CloseCode
from websockets.http11 import Request
from websockets.server import ServerProtocol

from tunnelconform.cases import Case
from tunnelconform.conversation import Connect, Wait
from tunnelconform.hearing import messages
from tunnelconform.peers import dial
from tunnelconform.play_gateway import GatewayPlay
from tunnelconform.played import Verdict
from tunnelconform.subject import Nature
from tunnelconform.subject_reference import ReferenceGateway
from tunnelconform.suite import Result, run
from tunnelspec.limits import DEFAULT


async def heard(said: list[str | bytes], parts: int, spoilt: bool) -> tuple[list[str | bytes], CloseCode | int]:
    """What is heard of a server that says this, in fragments, closes with 4000 (or is no longer understood), and never ends the
    stream; and with which code it ended."""
    held = list[asyncio.StreamWriter]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)
        protocol = ServerProtocol()
        while not (events := protocol.events_received()):
            protocol.receive_data(await reader.read(4096))
        assert isinstance(events[0], Request)
        protocol.send_response(protocol.accept(events[0]))
        for message in said:
            send = protocol.send_text if isinstance(message, str) else protocol.send_binary
            data = message.encode() if isinstance(message, str) else message
            size = -(-len(data) // parts)
            pieces = [data[at * size : (at + 1) * size] for at in range(parts)]
            send(pieces[0], fin=parts == 1)
            for place, piece in enumerate(pieces[1:], 2):
                protocol.send_continuation(piece, fin=place == parts)
        if spoilt:
            protocol.send_text(b"\xc3\x28")
        else:
            protocol.send_close(4000, "done")
        writer.writelines(protocol.data_to_send())

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    connection = await dial(f"ws://127.0.0.1:{port}", (), 10)
    try:
        found = [message async for message in messages(connection)]
        assert not connection.connection_lost_waiter.done()
        ended = connection.protocol.close_sent if spoilt else connection.protocol.close_rcvd
        return found, 0 if ended is None else ended.code
    finally:
        connection.transport.abort()
        for writer in held:
            writer.close()
        server.close()


said = st.lists(st.one_of(st.text(st.characters(max_codepoint=127)), st.binary()), max_size=6)


@settings(max_examples=30, deadline=None)
@given(said, st.integers(1, 3))
def test_a_close_is_heard_with_its_frame_and_after_all_before_it(words: list[str | bytes], parts: int) -> None:
    assert asyncio.run(heard(words, parts, spoilt=False)) == (words, 4000)


def test_text_that_is_not_utf_8_ends_it() -> None:
    assert asyncio.run(heard(["before"], 1, spoilt=True)) == (["before"], CloseCode.INVALID_DATA)


def test_a_clock_that_ticks_between_two_looks_doubts_no_link() -> None:
    """A link whose silence is not waited for cannot be lost for it, however often the time is asked."""
    play = GatewayPlay(ReferenceGateway(), Nature(DEFAULT), ())
    side = play.link_sides[1] = play.side
    ticks = count()
    play.now = lambda: next(ticks)  # type: ignore[method-assign]
    play._may_be_lost(1)
    assert not play.links.doubted
    assert not any(h.told for h in side.hypotheses)


def test_a_defect_of_the_suite_is_no_failure_of_the_subject() -> None:
    """Whoever was to hear the gateway has failed: the case is an error, and what was not heard is held against nobody."""

    class Defective(GatewayPlay):
        def _hears_close(self, code: int, reason: str) -> None:
            raise ZeroDivisionError

    async def played() -> tuple[Result, ...]:
        subject = ReferenceGateway()
        nature = await subject.start()
        try:
            case = Case("CONN-G-04/routing", (Connect(), Wait(limit="backoff_ms")), frozenset(), "")
            play = lambda case, goal: Defective(subject, nature, case.conversation, goal).run()  # noqa: E731
            return await run((case,), nature, play, subject.alive, lambda result: None, 1)
        finally:
            await subject.stop()

    (result,) = asyncio.run(played())
    assert result.verdict is Verdict.ERROR
    assert "ZeroDivisionError" in result.why
