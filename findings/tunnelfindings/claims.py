"""The claims: what seven reviews said of the merged code, what they praised, and what none of them saw.

A claim is data: its words, the experiment that decides it, the fixes that were suggested, and a remark on what hides the harm
or what the claim overlooks. Verdicts are not here; they are computed.
"""

from __future__ import annotations

from tunnelfindings import proofs
from tunnelfindings.account import harm_of
from tunnelfindings.experiments import Claim, Fix, Merged, Met, Praised, Proof, Shared, Unlike, Verdict, Word
from tunnelspec.deviations import MERGED

AS_MERGED = tuple(d.id for d in MERGED)
"""All that the merged code departs by, at once."""

DOCUMENT = Fix("document it")

REVIEWED: tuple[Claim, ...] = (
    Claim("F01", "Garbage collection's keep-condition is inverted: `keep = age > MESSAGE_ACK_TIMEOUT`, for tunnel messages and for "
          "client messages. One review says that it kills valid connections, another that it never cleans, a third praises it.",
          Merged(("collect-inverted",)),
          (Fix("`<=`", because="But nobody is told what has ended: see G02."),
           Fix("`<`", ("collect-at-boundary",), "An ack that is just in time comes too late."),
           Fix("keep = false and send a timeout", because="This mends G02 too.")),
          "Both directions are true: what is in time ends, and what is overdue stays.",
          stands_for=("P-TIMER", "H-COLLECT")),
    Claim("F02", "The pending size (`total_pending_ws_msgs_size`) never goes down when messages are acked.",
          Merged(("size-not-released",)), (Fix("subtract what is dropped; saturating or not"),),
          "Since the count equals the queue's contents, subtracting never goes below nothing: saturating changes nothing.",
          stands_for=("P-ACCOUNT",)),
    Claim("F03", "The same on the replay path.", Merged(("size-not-replayed",)), (Fix("the same"),),
          stands_for=("P-ACCOUNT",)),
    Claim("F04", 'The first message has index 1: index 0 is skipped at the start. "High", "medium" and "low" by different reviews.',
          Shared(proofs.first_index_is_1, "The tables begin with 1 too; numbering is a circle, and both ends begin at the same place."),
          (Fix("start `last` at 65 535", ("first-index-0-gateway",),
               "Changed at the gateway alone, as suggested, the runner takes the first message for a duplicate."),
           DOCUMENT)),
    Claim("F05", "`wrapping_gt` is ambiguous at 32 767 apart; fails beyond about 32 K.", Proof(proofs.comparison_is_ambiguous),
          (Fix("`< u16::MAX / 2 + 1`", ("window-full-circle",),
               "The comparison is then that of RFC 1982; but 65 535 messages may be pending, and no comparison can tell those apart."),
           Fix("or document the window", ("window-full-circle",), "What is documented is not kept to.")),
          stands_for=("P-WINDOW",)),
    Claim("F06", "Re-opening an in-flight entry clears its pending messages and replaces its channel: messages in flight are lost.",
          Shared(proofs.reopening_clears_the_tunnel,
                 "What a tunnel had not acked is forgotten with it (TUN-G-01); the client's messages are kept elsewhere (ACK-G)."),
          (Fix("drain first"),), "What is cleared is who waits for which tunnel ack. What the client sent is kept until it is acked."),
    Claim("F07", "Re-opening an in-flight entry keeps its hibernation state: stale data survives a reconnect.",
          Shared(proofs.reopening_keeps_the_queue, "That is what hibernation is for: the queue outlives the tunnel (ACK-G-01)."),
          (Fix("clear it", ("reopen-clears",), "What the actor has not seen is lost, and nobody told."),)),
    Claim("F08", "The ack timeouts differ: gateway 30 s, runner 5 s: spurious closes, six times earlier.",
          Shared(proofs.timeouts_differ,
                 "They differ in the tables too. The runner's close says retry: the gateway opens again and replays."),
          (Fix("align (28 s)", ("runner-as-patient",)), DOCUMENT),
          "Each side's timeout is about what it sent itself, in its own direction. An earlier close with retry loses nothing."),
    Claim("F09", "The runner passes the message's index on unvalidated, before its ack bounds check.", Merged(("index-unvalidated",)),
          (Fix("validate on receipt"),), "The harm is not a bad ack but a replayed message that is applied twice.",
          stands_for=("P-NO-DUP", "P-HONEST-G")),
    Claim("F10", "The gateway does not check the ack index.", Merged(("ack-unchecked",)), (Fix("bounds check"),),
          stands_for=("P-ACK-BOUND",)),
    Claim("F11", "A malicious runner can ask for a replay of very old messages through lastMsgIndex.",
          Merged(("last-index-trusted",), ("L-TOLD",)), (Fix("validate"),),
          "Old messages are gone once they are acked. The harm is the other way round: an index that cannot be right is "
          "believed, and what the actor lost is not sent again.",
          stands_for=("L-TOLD",)),
    Claim("F12", "The channel to a connection holds 128 messages: with a slow consumer messages are dropped silently.",
          Unlike(("drops-silently",), ("P-LOSS-KNOWN",)), (Fix("metrics, back-pressure signal"),),
          "Who sends to a full bounded channel waits; nothing is dropped. If it were, it would show as here. A client that "
          "sends too much is told (ACK-G-07)."),
    Claim("F13", "Two concurrent sends may take the same index.", Unlike(("same-index",)), (Fix("atomics, or document"),),
          "A connection's messages are numbered one after the other, under its entry's lock, or by one step of the tables."),
    Claim("F14", "If publishing fails during a replay, the rest is not marked for retry: loss.", Unlike(("replay-stops",)),
          (Fix("retry loop, log"),), "What was not acked stays pending: the next open replays it. No mark is needed."),
    Claim("F15", "A hibernated connection that never reconnects leaks; new messages keep it alive.", Merged(("no-age",)),
          (Fix("maximum age"),),
          stands_for=("P-TIMER",)),
    Claim("F16", "No code removes acked tunnel messages from the pending list (R7's first must-fix).", Unlike(("acks-not-removed",)),
          (Fix("remove on ack"),), "It is removed: another review quotes the code. But see G01: the other side's list never empties."),
    Claim("F17", 'The count check `>= u16::MAX` should be `>`, "since 65 535 is a valid count".', Unlike(("count-one-more",), ("P-BOUND",)),
          (Fix("`>`", ("count-one-more",), "Asked before the message is counted, `>=` keeps exactly the limit, `>` one more."),),
          "The number is the fault, not the sign: 65 535 is beyond the window (F05)."),
    Claim("F18", "A deserialization whose result is unused.", Word("Removed: there is none here; unused names fail the lint.")),
    Claim("F19", 'The warning "pending message does not exist or ack received after message body" hides a race.',
          Shared(proofs.late_acks_are_ignored, "There is a race, and it is benign: an ack of an earlier tunnel comes late (TUN-G-05)."),
          (Fix("an error", ("unknown-ack-refused",), "A runner that does nothing wrong would be blamed."), DOCUMENT)),
    Claim("F20", "The adapter's close does not guard its callback: an exception leaves it between states.",
          Shared(proofs.closing_comes_before_the_callback,
                 "The adapter leaves OPEN before its listener is told (CONN-R-10, CONN-R-17, CONN-R-20): there is no state between. "
                 "An actor that throws ends its own life, and no other."),
          (Fix("try/catch, or forbid"),)),
    Claim("F21", "The boolean that the adapter's message handler returns is unused.", Word("Removed: handlers return nothing.")),
    Claim("F22", "`canHibernate` is hard-coded.", Word("The actor decides for each socket; both answers are explored (`plain`, `waver`).")),
    Claim("F23", "Debug prints.", Word("None: structured logs only, and the lint forbids what is unused.")),
    Claim("F24", "A commented-out `wrapping_lt`.", Word("Removed. `serial.py` has `less`, proved over all pairs.")),
    Claim("F25", "The integer conversions cannot fail.", Word("The codec checks every range once, and says field and offset.")),
    Claim("F26", "Limits and timeouts are hard-coded.", Word("Every one is a parameter of the tables, a flag and an environment variable.")),
    Claim("F27", "No tests: wrap-around, replay, collection boundaries, limits, reconnection, concurrency, partition, volume, "
          "property tests.", Word("All of them are tests here, most of them properties over every reachable state.")),
    Claim("F28", "An ack is linear in the pending list; collection scans every entry.",
          Word("`bench/` measures it. Here an ack is constant in the list's length; collection asks each connection's oldest.")),
    Claim("F29", "Each payload is stored twice.", Word("Once: the queue keeps the frame that was sent.")),
    Claim("F30", "Lock contention on the map of entries.", Word("One event loop, no lock; `bench/` measures many connections.")),
    Claim("F31", "No limit over all connections, and no rate limits.", Proof(proofs.memory_grows_with_connections),
          (Fix("global cap"),), "A rate limit is a matter of what is in front of the gateway."),
    Claim("F32", "Acks are not authenticated beyond their ids.", Merged(("any-runner",), ("P-LOSS-KNOWN",)),
          (Fix("document", ("any-runner",), "An old runner that is still alive does not read documents."),),
          stands_for=("P-LOSS-KNOWN", "L-TOLD", "P-HONEST-R", "L-DRAIN", "P-AGAIN")),
    Claim("F33", "Errors lack the limit's value and the request's id.", Word("Errors name the request, the rule and the value.")),
    Claim("F34", "Typos in comments.", Word("Ids that prose cites are checked; the rest is read.")),
    Claim("F35", "Dependencies from git.", Word("Pinned versions from the package index, no git.")),
    Claim("F36", "Version numbers.", Word("Semantic versions; transition ids are never reused.")),
    Claim("F37", "Dashboards.", Word("None here.")),
    Claim("F38", '"Missing null safety" in a metrics label.', Word("Labels are an enumeration.")),
    Claim("F39", "Logs lack structured fields.", Word("Logs are JSON, with request, connection and transition.")),
    Claim("F40", "The interplay of acks and hibernation is hard to follow and undocumented.",
          Word("They are two machines with a table and a diagram each; `spec/README.md` explains how they talk.")),
    Claim("F41", "Collecting every 15 s is too often; or reasonable.",
          Word("It bounds how late a timeout is seen: 30 s becomes at most 45 s. `bench/` has its cost.")),
    Claim("F42", "No metrics: pending size, ack latency, timeouts, limits hit, hibernation duration.",
          Word("All of these are at `/metrics` of the reference gateway.")),
)  # fmt: skip

PRAISED: tuple[Claim, ...] = (
    Claim("P1", "Collection cleans up properly.", Praised(("collect-inverted", "collect-silent"), ("P-TIMER", "P-KEEPALIVE"))),
    Claim("P2", "Timeouts guard every operation.", Praised(("no-age",), ("P-TIMER",)), because="Sleep has none."),
    Claim("P3", "The 1 MiB bound prevents exhaustion and does no harm.", Praised(("size-not-released",), ("P-ACCOUNT",)),
          because="It counts what is long gone: a client that sent 1 MiB in all its life is cut off."),
    Claim("P4", "Wrapping arithmetic is right up to and across 65 535.", Proof(proofs.wrapping_is_right)),
    Claim("P5", "A connection resumes from the last acked message.",
          Praised(AS_MERGED, ("P-REPLAY-EXACT", "P-RESUME-CONT", "P-ZERO")),
          because="Up to the window it does. With more pending than the comparison can tell apart (F05, F17), the unseen is taken for "
          "seen and never sent again."),
    Claim("P6", "v2 is backward compatible with v1.", Proof(proofs.v1_is_understood)),
    Claim("P7", "Retryable and final errors are kept apart.", Praised(("retry-unspaced",), ("L-END",)),
          because="They are, but a service retry sets the attempts back to 0: an actor that keeps failing is retried for ever."),
    Claim("P8", "Event buffering removes the races.", Praised(AS_MERGED, ("P-EARLY",))),
)  # fmt: skip

UNSEEN: tuple[Claim, ...] = (
    Claim("G01", "The gateway answers a tunnel message with a fresh message id, so the runner's pending table never empties.",
          Merged(("fresh-ack-ids",)),
          stands_for=("P-HONEST-G",)),
    Claim("G02", "The notice that a connection has timed out is never sent: its future is not awaited.", Merged(("collect-silent",)),
          stands_for=("P-TIMER", "P-KEEPALIVE", "H-COLLECT")),
    Claim("G03", "The runner acks a message before it looks at it, and acks what it then drops.", Merged(("acks-what-it-drops",)),
          stands_for=("P-ACK-KEPT",)),
    Claim("G04", "A connection that falls asleep wakes its actor at once, for nothing.", Merged(("wakes-for-nothing",)),
          stands_for=("L-WAKE-CAUSE",)),
    Claim("G05", "A service retry sets the attempts back: an actor that fails on what it is sent is opened again for ever, without a pause.",
          Merged(("retry-unspaced",), ("L-END",)),
          stands_for=("L-END",)),
    Claim("G06", "The answer to an earlier attempt opens a later one.", Merged(("any-answer-opens",)),
          stands_for=("P-HONEST-R",)),
    Claim("G07", "What a re-open sends again is as old as when it was first sent: it may be collected as soon as it was sent.",
          Merged(("replay-keeps-age",)),
          stands_for=("P-SENT-AGAIN",)),
    Claim("G08", "A message that is refused for the limit stays in the byte count.", Merged(("refusal-counts",)),
          stands_for=("P-ACCOUNT",)),
    Claim("G09", "An answer to an earlier attempt opens a later one after the client left: its close is sent twice, and the runner takes the second "
          "for one that crossed its own: it acks a close that the actor's state does not have.",
          Met(("any-answer-opens",), ("P-CLOSE-CLIENT",), harm_of), stands_for=("P-CLOSE-CLIENT",)),
    Claim("G10", "The close that is sent a second time finds the socket closed, and nobody acks it: nothing but a timeout frees the entry.",
          Met(("any-answer-opens",), ("L-FREE",), harm_of), stands_for=("L-FREE", "L-REST")),
    Claim("G11", "A message that comes again is applied over those that came after it: the durable state falls back behind what was acked.",
          Met(("index-unvalidated",), ("P-DURABLE",), harm_of), stands_for=("P-DURABLE",)),
    Claim("G12", "An actor that goes to sleep whenever it is woken is woken again for ever: nothing bounds what has no cause.",
          Met(("wakes-for-nothing",), ("L-END",), harm_of), stands_for=("L-END",)),
    Claim("G13", "With lastMsgIndex unchecked, an open that shows nothing new counts as progress: an actor that keeps failing is opened for ever.",
          Met(("last-index-trusted",), ("L-END",), harm_of), stands_for=("L-END",)),
    Claim("G14", "With more pending than the comparison can tell apart, a re-open releases what the actor has not seen.",
          Met(("last-index-trusted", "window-full-circle"), ("P-REPLAY-EXACT",), harm_of), stands_for=("P-REPLAY-EXACT",)),
    Claim("G15", "What was released so is missing, and the runner gives the actor what comes after it: a gap, passed over silently.",
          Met(("last-index-trusted", "index-unvalidated", "window-full-circle"), ("P-GAP-LOUD",), harm_of), stands_for=("P-GAP-LOUD",)),
)  # fmt: skip

OURS: tuple[Claim, ...] = (
    Claim("H01", "An actor stops while its client's close waits to be acked: the gateway waited for an ack that could not come.",
          Unlike(("stop-forgets-close",), verdict=Verdict.MENDED)),
    Claim("H02", "After a message was refused for the limit, a smaller one was accepted: a gap.", Unlike(("accepts-after-limit",), verdict=Verdict.MENDED)),
    Claim("H03", "A message that crossed the runner's close was an error of the gateway's.", Unlike(("late-message-refused",), verdict=Verdict.MENDED)),
    Claim("H04", "The answer of an earlier runner was an error of the present one's.", Unlike(("late-answer-refused",), verdict=Verdict.MENDED)),
    Claim("H05", "What a broken gateway said after its client's close was acked, and given to the actor.", Unlike(("heeds-after-close",), verdict=Verdict.MENDED)),
)  # fmt: skip

CLAIMS: tuple[Claim, ...] = (*REVIEWED, *PRAISED, *UNSEEN, *OURS)
