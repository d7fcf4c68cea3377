"""The command itself: plays the story, shows it live, and leaves the sequence diagram as a file."""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from tunnelcli.demo.cast import CastError, Record
from tunnelcli.demo.script import LANES, Scribe
from tunnelcli.demo.story import Outcome, play
from tunneldraw.sequence import Note, Sequence
from tunneldraw.sequence_svg import to_svg
from tunneldraw.sequence_text import LiveText

MIN_WIDTH = 148  # the longest frame's name fits between two lanes


def add_parsers(subparsers: Any) -> None:
    """The command."""
    demo = subparsers.add_parser(
        "demo",
        help="see the protocol work over real sockets",
        description="Gateway, two runners and clients, each in its own process: messages, sleep, wake on the other runner, "
        "a runner killed with unacked messages, a client that goes away. Shows every frame as it passes.",
        epilog="example: tunnelspec demo --svg demo.svg",
    )
    demo.add_argument(
        "--svg", default="demo.svg", metavar="FILE", help="where the sequence diagram goes (default %(default)s)"
    )
    demo.add_argument("--quiet", action="store_true", help="only the summary")
    demo.add_argument("--json", action="store_true", help="print, last, the result as one JSON object")
    demo.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 if nothing was lost, doubled or swapped; 1 if something was; 4 if the demo could not be played."""
    live = LiveText(LANES, colour=sys.stdout.isatty(), width=max(MIN_WIDTH, shutil.get_terminal_size().columns))
    scribe = Scribe()

    def show(step: Any) -> None:
        if not args.quiet and not args.json:
            print(live.line(step), flush=True)

    def narrate(title: str) -> None:
        show(scribe.add(Note(None, title)))

    def hear(party: str, record: Record) -> None:
        for step in scribe.hear(party, record):
            show(step)

    began = time.monotonic()
    if not args.quiet and not args.json:
        print(live.header(), flush=True)
    try:
        outcome = asyncio.run(play(narrate, hear))
    except CastError as error:
        print(f"tunnelspec demo: {error}", file=sys.stderr)
        return 4
    seconds = time.monotonic() - began
    sequence = Sequence("tunnelspec demo", LANES, tuple(scribe.steps))
    Path(args.svg).write_text(to_svg(sequence), encoding="utf-8")
    if args.json:
        print(json.dumps({**_fields(outcome), "seconds": round(seconds, 2), "diagram": args.svg}))
    else:
        print(summary(outcome, seconds, args.svg))
    return 0 if outcome.holds else 1


def summary(outcome: Outcome, seconds: float, svg: str) -> str:
    """The result, for a person."""
    verdict = "Nothing was lost, applied twice, or out of order." if outcome.holds else "THE PROTOCOL WAS BROKEN."
    rows = [f"  {name:<11}{value:>4}" for name, value in _fields(outcome).items()]
    return "\n".join(["", verdict, *rows, f"  {'seconds':<11}{seconds:>4.1f}", f"The sequence diagram is in {svg}."])


def _fields(outcome: Outcome) -> dict[str, int]:
    names = ("sent", "delivered", "lost", "duplicated", "reordered", "wakes")
    return {name: getattr(outcome, name) for name in names}
