"""Conversations whose bytes were worked out from the protocol's text: what is allowed, and what is not, and from which frame on.

``R`` is the request id, ``G1``, ``G2`` … the gateway's message ids, ``A1``, ``A2`` … the runner's. ``>`` goes to the runner, ``<``
to the gateway; a number before it is the time in ms, otherwise one more than before. White space is for the reader.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from tunnelexport.vectors.frames_by_hand import R


class Wrong(NamedTuple):
    """Who breaks the protocol, with which frame of the conversation (from 0), and how."""

    side: str
    frame: int
    why: str


class Talk(NamedTuple):
    """A conversation on one link."""

    name: str
    comment: str
    lines: str
    wrong: Wrong | None = None
    version: int = 2


def message_id(token: str) -> bytes:
    """The id that ``G3`` or ``A1`` stands for."""
    return token[0].encode() * 8 + int(token[1:]).to_bytes(8, "big")


def entries(talk: Talk) -> list[dict[str, Any]]:
    """The conversation as the lines of a recording, in hex."""
    opened = {"event": "open", "protocol_version": talk.version, "namespace": "default", "runner_key": "r1"}
    made: list[dict[str, Any]] = [{"time_ms": 0, "link": 1, **opened}]
    now = 0
    for line in filter(str.strip, talk.lines.splitlines()):
        time, way, text = re.fullmatch(r"\s*(\d*)\s*([<>])\s*([^#]*?)\s*(?:#.*)?", line).groups()  # type: ignore[union-attr]
        now = int(time) if time else now + 1
        hex_ = "".join(
            R.hex() if t == "R" else message_id(t).hex() if re.fullmatch(r"[GA]\d+", t) else t for t in text.split()
        )
        made.append({"time_ms": now, "link": 1, "way": "to-client" if way == ">" else "to-server", "hex": hex_})
    return made


OPENED = """
> 05 R G1 04 01 61 01 2f 00 00       # 1: ToClientWebSocketOpen: actor a, path /
< 06 R G1 00                         # 2: its TunnelAck, with the same id
< 06 R A1 04 01 ff ff ff ff ff ff ff ff  # ToServerWebSocketOpen: can hibernate, lastMsgIndex -1
> 05 R A1 00 00
"""

TWO_SENT = (
    OPENED
    + """
> 05 R G2 05 01 00 03 6f 6e 65 00 00 # 3: index 1, "one"
< 06 R G2 00
> 05 R G3 05 02 00 03 74 77 6f 00 00 # index 2, "two"
< 06 R G3 00
"""
)

ASLEEP = (
    TWO_SENT
    + """
< 06 R A2 07 00 00 01                # 6: ToServerWebSocketClose, no code, no reason, retry
> 05 R A2 00 00
> 05 R G4 04 01 61 01 2f 00 00       # opens again, under the same request id
< 06 R G4 00
"""
)

TALKS: tuple[Talk, ...] = (
    Talk("echo", "An open, a message and its answer, a message ack, the client's close (1 to 4, 7).", OPENED + """
> 05 R G2 05 01 00 02 68 69 00 00    # index 1, "hi", text
< 06 R G2 00
< 06 R A2 05 02 68 69 00             # the answer; it has no index
> 05 R A2 00 00
< 06 R A3 06 01 00                   # 4: everything up to 1 is durable
> 05 R A3 00 00
> 05 R G3 06 01 e8 03 01 00 00       # 7: code 1000, an empty reason
< 06 R G3 00
"""),
    Talk("replay-all", "The actor has seen nothing: all of it is sent again, in order, with the same indices (6).", ASLEEP + """
< 06 R A3 04 01 ff ff ff ff ff ff ff ff
> 05 R A3 00 00
> 05 R G5 05 01 00 03 6f 6e 65 00 00
< 06 R G5 00
> 05 R G6 05 02 00 03 74 77 6f 00 00
< 06 R G6 00
< 06 R A4 06 02 00                   # cumulative: 1 and 2
> 05 R A4 00 00
"""),
    Talk("replay-rest", "The actor has seen 1: what is greater is sent again, and then what is new (6).", ASLEEP + """
< 06 R A3 04 01 01 00 00 00 00 00 00 00
> 05 R A3 00 00
> 05 R G5 05 02 00 03 74 77 6f 00 00
< 06 R G5 00
> 05 R G6 05 03 00 03 73 69 78 00 00 # numbering survives the wake
< 06 R G6 00
"""),
    Talk("plain", "Without hibernation every message carries 0; the actor closes with 4001 (3, 7).", """
> 05 R G1 04 01 61 01 2f 00 00
< 06 R G1 00
< 06 R A1 04 00 ff ff ff ff ff ff ff ff  # cannot hibernate
> 05 R A1 00 00
> 05 R G2 05 00 00 01 78 01 00       # index 0, binary
< 06 R G2 00
> 05 R G3 05 00 00 01 79 01 00
< 06 R G3 00
< 06 R A2 07 01 a1 0f 01 04 64 6f 6e 65 00  # 4001 "done", not to retry
> 05 R A2 00 00
"""),
    Talk("not-found", "An unknown actor: a final close; retries after 100, 200 and 400 ms, then no more (8, 12).", """
> 05 R G1 04 01 61 01 2f 00 00
< 06 R G1 00
10 < 06 R A1 07 01 f3 03 01 0f 41 63 74 6f 72 20 6e 6f 74 20 66 6f 75 6e 64 00  # 1011 "Actor not found"
110 > 05 R G2 04 01 61 01 2f 00 00
< 06 R G2 00
120 < 06 R A2 07 01 f3 03 01 0f 41 63 74 6f 72 20 6e 6f 74 20 66 6f 75 6e 64 00
320 > 05 R G3 04 01 61 01 2f 00 00
< 06 R G3 00
330 < 06 R A3 07 01 f3 03 01 0f 41 63 74 6f 72 20 6e 6f 74 20 66 6f 75 6e 64 00
730 > 05 R G4 04 01 61 01 2f 00 00
< 06 R G4 00
740 < 06 R A4 07 01 f3 03 01 0f 41 63 74 6f 72 20 6e 6f 74 20 66 6f 75 6e 64 00
> 05 R G5 06 01 f303 01 23 67756172642e776562736f636b65745f 736572766963655f 756e617661696c61626c65 00
"""),
    Talk("version-1", "A version 1 runner: no index, no lastMsgIndex, no retry; the close has tag 6.", """
> 05 R G1 04 01 61 01 2f 00 00
< 06 R G1 00
< 06 R A1 04                         # void
> 05 R A1 00 00
> 05 R G2 05 02 68 69 00 00          # data, binary
< 06 R G2 00
< 06 R A2 06 00 00                   # ToServerWebSocketClose: no code, no reason
> 05 R A2 00 00
""", version=1),
    Talk("fresh-ack-id", "A TunnelAck with an id of its own: it must be that of the message (2).", """
> 05 R G1 04 01 61 01 2f 00 00
< 06 R G1 00
< 06 R A1 04 01 ff ff ff ff ff ff ff ff
> 05 R G2 00 00                      # as the merged gateway does
""", Wrong("gateway", 3, "a TunnelAck carries the id of the message that it acks")),
    Talk("ack-never-sent", "A message ack of an index that was never sent (4).", TWO_SENT + """
< 06 R A2 06 03 00
> 05 R A2 00 00
""", Wrong("runner", 8, "an ack counts only for indices that were sent")),
    Talk("replay-reversed", "A replay in another order (6).", ASLEEP + """
< 06 R A3 04 01 ff ff ff ff ff ff ff ff
> 05 R A3 00 00
> 05 R G5 05 02 00 03 74 77 6f 00 00
""", Wrong("gateway", 14, "what is pending is sent again in order")),
    Talk("replay-lost", "A replay without its first message (6).", ASLEEP + """
< 06 R A3 04 01 01 00 00 00 00 00 00 00
> 05 R A3 00 00
> 05 R G5 05 03 00 03 73 69 78 00 00
""", Wrong("gateway", 14, "index 2 was not seen by the actor, and must come before 3")),
    Talk("replay-renumbered", "A replay that numbers anew (6).", ASLEEP + """
< 06 R A3 04 01 01 00 00 00 00 00 00 00
> 05 R A3 00 00
> 05 R G5 05 01 00 03 74 77 6f 00 00
""", Wrong("gateway", 14, "what is sent again keeps its index")),
    Talk("index-skipped", "An index that is left out (3).", OPENED + """
> 05 R G2 05 01 00 03 6f 6e 65 00 00
< 06 R G2 00
> 05 R G3 05 03 00 03 74 77 6f 00 00
""", Wrong("gateway", 6, "indices have no gaps")),
    Talk("index-from-zero", "A first index of 0 on a socket that hibernates (3).", OPENED + """
> 05 R G2 05 00 00 03 6f 6e 65 00 00
""", Wrong("gateway", 4, "the first message has index 1")),
    Talk("numbered-without-hibernation", "An index on a socket that cannot hibernate (3).", """
> 05 R G1 04 01 61 01 2f 00 00
< 06 R G1 00
< 06 R A1 04 00 ff ff ff ff ff ff ff ff
> 05 R A1 00 00
> 05 R G2 05 01 00 01 78 01 00
""", Wrong("gateway", 4, "without hibernation every message carries 0")),
    Talk("message-before-open", "A message before the tunnel is open (1).", """
> 05 R G1 04 01 61 01 2f 00 00
< 06 R G1 00
> 05 R G2 05 01 00 01 78 01 00
""", Wrong("gateway", 2, "the client is not read until the tunnel is open")),
    Talk("message-after-close", "A message from an actor that has closed its socket (7).", OPENED + """
< 06 R A2 07 01 a1 0f 01 04 64 6f 6e 65 00
> 05 R A2 00 00
< 06 R A3 05 02 68 69 00
""", Wrong("runner", 6, "nothing follows a final close")),
    Talk("trailing-byte", "A frame with a byte too many.", OPENED + """
> 05 R G2 05 01 00 02 68 69 00 00 00
""", Wrong("gateway", 4, "each WebSocket frame is exactly one value")),
)  # fmt: skip
