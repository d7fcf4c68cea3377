"""``tunnelspec replay``: a trace, by the second interpreter; and by the reference, over real sockets."""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tunnelcheck.explain import draw, why
from tunnelcheck.files import Trace, TraceError, read
from tunnelcheck.replay import Moment, Unfaithful, breaks
from tunnelcheck.replay import replay as interpret
from tunnelcheck.scenarios import PROPERTIES_OF, WORLDS
from tunneldraw.sequence_svg import to_svg
from tunneldraw.sequence_text import to_text
from tunnelreplay.run import Divergence, Replayed
from tunnelreplay.run import replay as perform
from tunnelspec.deviations import Deviation, apply, named
from tunnelspec.properties import Property
from tunnelspec.system import System

BY_ID: dict[str, Property] = {p.id: p for properties in PROPERTIES_OF.values() for p in properties}


def add_parsers(subparsers: Any) -> None:
    """The command."""
    parser = subparsers.add_parser(
        "replay",
        help="show a trace, step by step, and decide its property again",
        description="Replays a trace file with the second interpreter, and draws it. With --sockets the reference gateway and "
        "runners do it too, over real sockets, action by action: each is compared with the prediction, and the property is "
        "decided of what the reference did.",
        epilog="examples: tunnelspec check --deviation ack-unchecked --traces out; tunnelspec replay out/P-DURABLE.json; "
        "tunnelspec replay spec/findings/f02.json --sockets. Exit codes: 0 the property holds at the end, 1 it is violated, "
        "2 wrong use, 4 the reference does not do what the model says.",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="a trace that 'tunnelspec check --traces' wrote")
    parser.add_argument("--sockets", action="store_true", help="by the reference, over real sockets on loopback")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw it there too")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 if the property holds at the trace's end, 1 if it is violated there, 2 if the file is none or does not fit, 4 if the
    reference does something else."""
    try:
        trace = read(args.file)
        deviations = [named(name) for name in trace.deviations]
        done = on_sockets(trace, deviations) if args.sockets else by_tables(trace, deviations)
    except (ValueError, Unfaithful, OSError) as error:
        print(f"tunnelspec replay: {error}", file=sys.stderr)
        return 2
    except Divergence as error:
        print(f"tunnelspec replay: the reference does not do what the model says: {error}", file=sys.stderr)
        return 4
    prop = BY_ID.get(trace.property)
    values = breaks(done.system, done.moments, prop) if prop is not None else None
    title = f"{prop.id}: {prop.says}" if prop is not None else str(args.file)
    drawing = draw(done.system, done.moments, title)
    if args.svg is not None:
        args.svg.write_text(to_svg(drawing), encoding="utf-8")
    if args.json:
        steps = [step(place, done) for place in range(len(done.moments))]
        print(json.dumps({"property": trace.property, "violated": values is not None, "trace": steps}))
    else:
        print(to_text(drawing, sys.stdout.isatty(), max(110, shutil.get_terminal_size().columns)))
        where = " on the reference, over real sockets" if args.sockets else " here"
        if prop is not None:
            print(f"\n{prop.id} {'holds' if values is None else 'is violated'}{where}{'.' if values is None else ':'}")
            for reason in why(prop, values) if values is not None else ():
                print(f"  {reason}")
        if args.sockets:
            print(f"\n{compared(done.moments)}")
    return 1 if values is not None else 0


def by_tables(trace: Trace, deviations: Sequence[Deviation]) -> Replayed:
    """The trace by the second interpreter. Raises ``Unfaithful``."""
    system = apply(WORLDS[trace.world](trace.bounds), deviations)
    return Replayed(system, interpret(system, trace.actions), ())


def on_sockets(trace: Trace, deviations: Sequence[Deviation]) -> Replayed:
    """The trace by the reference. Raises ``Unfaithful`` and ``Divergence``; ``TraceError`` if it is not of a client's socket."""
    if trace.world != System.kind:
        raise TraceError(f"--sockets: the reference replays what happens to a client's socket, not to a {trace.world}")
    return asyncio.run(perform(trace.bounds, deviations, trace.actions))


def step(place: int, done: Replayed) -> dict[str, Any]:
    """One action as data; on sockets with each tunnel message that was sent, in hex."""
    moment = done.moments[place]
    row: dict[str, Any] = {"action": moment.action.id, "transitions": moment.took}
    if done.sent:
        row["sent"] = [{"link": s.side, "way": s.way, "hex": s.data.hex()} for s in done.sent[place]]
    return row


def compared(moments: Sequence[Moment]) -> str:
    """What was compared, in a sentence."""
    took = {id_ for moment in moments for id_ in moment.took}
    return (
        f"{len(moments)} actions. After each, what is on the links, what the client saw, what is durable, where each machine\n"
        f"stands and which lines it took ({len(took)} in all) are as the tables say."
    )
