"""What is decided over all values, or read off the tables, instead of by exploring a world."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from tunneldraw.effects import outputs
from tunnelproofs.serials import Result, prove
from tunnelref.wire import WireError, codec
from tunnelspec.ack import ACK_G, Queue, last_sent
from tunnelspec.connection import CONN_R
from tunnelspec.events import ClientMessage, Happens, LimitReached, TunnelUp
from tunnelspec.fifo import Fifo
from tunnelspec.frames import (
    ToServerTunnelMessage,
    ToServerWebSocketClose,
    ToServerWebSocketMessage,
    ToServerWebSocketMessageAck,
    ToServerWebSocketOpen,
)
from tunnelspec.limits import DEFAULT
from tunnelspec.machine import Machine, Verdict, step
from tunnelspec.serial import U16, greater, merged_wrapping_gt
from tunnelspec.tunnel import TUN_G, Tunnel, Unacked

MIB = 1 << 20


@cache
def serials() -> Result:
    """All 2^32 pairs, once."""
    return prove()


def _line(machine: Machine, id_: str) -> Any:
    return next(t for t in machine.transitions if t.id == id_)


# -- the comparison --------------------------------------------------------------------------------------------------


def comparison_is_ambiguous() -> tuple[bool, str]:
    """F05: at 32 767 apart, the merged comparison says of neither that it is the greater."""
    proof = serials()
    neither = [d for d in range(1, U16) if not merged_wrapping_gt(d, 0) and not merged_wrapping_gt(U16 - d, 0)]
    mended = [d for d in range(U16) if (d != 0 and d < U16 // 2) != bool(greater(d, 0))]
    asserted = bool(merged_wrapping_gt(U16 // 2 - 1, 0))
    return bool(proof.distance_alone and neither), (
        f"Over all {proof.pairs:,} pairs: `wrapping_gt` depends on the distance alone, says of neither index that it is the "
        f"greater at distance {_spans(neither)}, and takes the older for the newer beyond it. RFC 1982 leaves only 32768 open. "
        f"The suggested test `wrapping_gt(u16::MAX / 2, 0)` {'passes' if asserted else 'fails'} on the merged code. "
        f"With `< u16::MAX / 2 + 1` it differs from RFC 1982 at {len(mended)} distances."
    )


def wrapping_is_right() -> tuple[bool, str]:
    """P4: right everywhere would mean: as RFC 1982 has it, at every distance."""
    proof = serials()
    return proof.merged_differs == 0, (
        f"The increment wraps rightly from 65535 to 0 (a < a + 1 for every a: {proof.successor}), but of {proof.pairs:,} pairs "
        f"{proof.merged_differs:,} are judged otherwise than RFC 1982 has it, all at distance "
        f"{', '.join(map(str, proof.merged_differs_at))}; and the merged limit of 65 535 pending messages lets that happen."
    )


def _spans(numbers: list[int]) -> str:
    """``[3, 4, 5, 9]`` as ``3 to 5, 9``."""
    spans: list[list[int]] = []
    for n in numbers:
        if spans and spans[-1][1] == n - 1:
            spans[-1][1] = n
        else:
            spans.append([n, n])
    return ", ".join(f"{a}" if a == b else f"{a} to {b}" for a, b in spans)


# -- what the tables share with the claims ---------------------------------------------------------------------------


def first_index_is_1() -> bool:
    """F04."""
    return (last_sent(Queue(), DEFAULT) + 1) % DEFAULT.index_modulus == 1


def reopening_clears_the_tunnel() -> bool:
    """F06: what the tunnel had not acked is forgotten, what the client sent is not."""
    before = Tunnel(1, 2, Fifo((Unacked(1, ToServerWebSocketMessage, 0),)))
    return len(step(TUN_G, "up", before, TunnelUp(2), DEFAULT).context.pending) == 0


def reopening_keeps_the_queue() -> bool:
    """F07."""
    kept = step(ACK_G, "live", Queue(link=1), ClientMessage(b"x", False, 1), DEFAULT).context
    return bool(step(ACK_G, "held", kept, TunnelUp(2), DEFAULT).context.pending == kept.pending)


def timeouts_differ() -> bool:
    """F08."""
    return DEFAULT.runner_ack_timeout_ms * 6 == DEFAULT.ack_timeout_ms


def late_acks_are_ignored() -> bool:
    """F19."""
    return bool(_line(TUN_G, "TUN-G-05").verdict is Verdict.IGNORED)


def closing_comes_before_the_callback() -> bool:
    """F20: every line of the adapter by which an open socket tells its listener something has left OPEN by then; an effect's
    outputs, and with them the callback, come after the new state."""
    telling = [t for t in CONN_R.transitions if any(o.kind is Happens for o in outputs(t.then)) and "OPEN" in t.sources]
    return bool(telling) and all(t.target in ("CLOSING", "CLOSED") for t in telling)


# -- memory over all connections -------------------------------------------------------------------------------------


def memory_grows_with_connections() -> tuple[bool, str]:
    """F31: connections that each keep their 1 MiB, with and without a limit over all of them."""
    connections = 2 * DEFAULT.max_total_pending_bytes // MIB
    unbounded = sum(_kept(connections, counted=False))
    bounded = sum(_kept(connections, counted=True))
    return unbounded == connections * MIB > bounded, (
        f"{connections} connections that send 1 MiB each to sleeping actors make a gateway without a limit over all of them keep "
        f"{unbounded // MIB} MiB; by the tables (ACK-G-06, ACK-G-16: max_total_pending_bytes) it keeps {bounded // MIB} MiB "
        f"and tells the others."
    )


def _kept(connections: int, counted: bool) -> Iterator[int]:
    """What each connection's queue takes in; the gateway tells each how much all of them keep."""
    total = 0
    for _ in range(connections):
        message = ClientMessage(b"", True, MIB, total if counted else 0)
        done = step(ACK_G, "held", Queue(), message, DEFAULT)
        if not any(isinstance(output, LimitReached) for output in done.outputs):
            total += MIB
            yield done.context.bytes


# -- versions --------------------------------------------------------------------------------------------------------


def v1_is_understood() -> tuple[bool, str]:
    """P6: what a v1 runner says is read as the v2 frame it stands for, and what v1 cannot say is refused."""
    read = [
        (ToServerWebSocketOpen(True, 7), ToServerWebSocketOpen(False, -1)),
        (ToServerWebSocketClose(4000, "x", True), ToServerWebSocketClose(4000, "x", False)),
        (ToServerWebSocketMessage(b"x", False), ToServerWebSocketMessage(b"x", False)),
    ]
    one = codec(1)
    same = all(_over(one, said) == heard for said, heard in read)
    return same and not _can_say(one, ToServerWebSocketMessageAck(1)), (
        "A v1 open is read as canHibernate false and lastMsgIndex -1, a v1 close as retry false, a message as itself; a message "
        "ack cannot be said in v1. With such a runner nothing is kept and nothing is replayed: the world `plain`, which holds."
    )


def _over(one: Any, kind: Any) -> Any:
    return one.decode_to_server(one.encode_to_server(ToServerTunnelMessage(bytes(16), bytes(16), kind))).messageKind


def _can_say(one: Any, kind: Any) -> bool:
    try:
        one.encode_to_server(ToServerTunnelMessage(bytes(16), bytes(16), kind))
    except WireError:
        return False
    return True
