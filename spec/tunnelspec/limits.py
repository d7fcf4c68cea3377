"""Every number of the protocol: its value, its unit, where it comes from, and why it is what it is.

The tables take a ``Limits`` as a parameter and name no number themselves, so that an operator can set them and a checker
can shrink them (an index modulus of 8, a window of 2 messages). The defaults are the protocol's.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from tunnelspec.serial import window


def _limit(default: int, unit: str, source: str, why: str) -> Any:
    return field(default=default, metadata={"unit": unit, "source": source, "why": why})


@dataclass(frozen=True, slots=True)
class Limits:
    """The parameters of the tables. Times are whole milliseconds (``_ms``), sizes are bytes (``_bytes``)."""

    index_modulus: int = _limit(
        1 << 16, "values", "wire: index u16", "The index of a message is a u16 and wraps; RFC 1982 with SERIAL_BITS 16."
    )
    number_modulus: int = _limit(
        1 << 64,
        "values",
        "wire: messageId data[16]",
        "Half a message id counts an endpoint's messages; it never wraps.",
    )
    max_pending_messages: int = _limit(
        window(1 << 16),
        "messages",
        "RFC 1982, section 3.2",
        "Beyond 2^15 - 1 the comparison of two indices is ambiguous. As merged: 65 535.",
    )
    max_pending_bytes: int = _limit(
        1 << 20, "bytes", "MAX_PENDING_MSGS_SIZE_PER_REQ", "Frames kept for one client until its actor acks them."
    )
    max_total_pending_bytes: int = _limit(
        256 << 20,
        "bytes",
        "F31",
        "Frames kept for all clients together: many small queues must not exhaust the gateway.",
    )
    open_timeout_ms: int = _limit(2_000, "ms", "TUNNEL_ACK_TIMEOUT", "A runner that hosts the actor answers at once.")
    response_timeout_ms: int = _limit(
        2_000, "ms", "TUNNEL_ACK_TIMEOUT", "The same wait, for the head of an HTTP response."
    )
    max_retries: int = _limit(3, "retries", "guard", "After the first try; then the client is told.")
    backoff_ms: int = _limit(100, "ms", "guard", "Doubles with each failure: 100, 200, 400 ms.")
    gc_interval_ms: int = _limit(
        15_000, "ms", "GC_INTERVAL", "Half the ack timeout: an expired entry is seen at most 15 s late."
    )
    ack_timeout_ms: int = _limit(
        30_000,
        "ms",
        "MESSAGE_ACK_TIMEOUT",
        "A message older than this, unacked, has timed out; one just as old has not.",
    )
    max_hibernation_ms: int = _limit(
        24 * 3_600_000, "ms", "F15", "A client whose actor never comes back is told within a day. As merged: unbounded."
    )
    runner_gc_interval_ms: int = _limit(
        60_000, "ms", "runner", "As merged; the runner looks for unacked messages of its own this often."
    )
    runner_ack_timeout_ms: int = _limit(
        5_000, "ms", "runner", "The runner gives up on an unacked message of its own after this."
    )
    ack_delay_ms: int = _limit(
        50, "ms", "runner: acks are batched", "One cumulative ack for all that was processed meanwhile."
    )
    max_buffered_events: int = _limit(
        1_024, "events", "P-EARLY", "Events kept for an actor that has not attached a listener yet."
    )
    init_timeout_ms: int = _limit(
        5_000, "ms", "engine: ToServerInit within 5 s", "A socket that says nothing is not a runner."
    )
    ping_interval_ms: int = _limit(1_000, "ms", "wire: ToServerPing", "The runner shows once a second that it lives.")
    lost_threshold_ms: int = _limit(
        15_000, "ms", "wire: runnerLostThreshold", "A runner silent for this long is lost, and its requests are closed."
    )
    reconnect_ms: int = _limit(200, "ms", "runner", "Pause before a runner dials again after its link broke.")

    def describe(self) -> tuple[tuple[str, int, str, str, str], ...]:
        """Rows of (name, value, unit, source, why), for the specification's page and for ``--help``."""
        return tuple(
            (f.name, getattr(self, f.name), f.metadata["unit"], f.metadata["source"], f.metadata["why"])
            for f in fields(self)
        )


DEFAULT = Limits()
