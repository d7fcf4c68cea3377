"""The command ``tunnelspec``: one sub-command for each thing one does with the specification.

A sub-command's module is imported when it is called, and not before: a gateway has no use for the drawing room.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

COMMANDS = {
    "demo": ("tunnelcli.demo.command", "see the protocol work over real sockets"),
    "gateway": ("tunnelcli.serve", "run the reference gateway"),
    "runner": ("tunnelcli.serve", "run the reference runner"),
    "decode": ("tunnelref.wire.commands", "bytes of a frame, to JSON"),
    "encode": ("tunnelref.wire.commands", "JSON, to the bytes of a frame"),
    "prove": ("tunnelcli.prove", "prove that the tables are total and deterministic"),
    "check": ("tunnelcheck.cli", "explore the closed world, and decide every property"),
    "replay": ("tunnelreplay.cli", "show a trace, step by step; also on the reference, over real sockets"),
    "agree": ("tunnelcheck.agree", "hold the explorer against SPIN"),
    "export": ("tunnelexport.cli", "write the tables in other tools' languages"),
    "mutate": ("tunnelcheck.mutation.cli", "put faults into the tables, and see who notices"),
    "findings": ("tunnelfindings.cli", "a verdict on every claim of the reviews"),
    "conform": ("tunnelconform.cli", "compare an implementation with the tables"),
    "record": ("tunnelconform.cli", "record what passes between runners and a gateway"),
    "serial": ("tunnelproofs.serials", "prove what the comparison of indices does, over all pairs"),
    "explore": ("tunnelexplore.cli", "explore the protocol in a browser"),
    "draw": ("tunneldraw.cli", "draw the tables as diagrams"),
    "lessons": ("tunnellessons.cli", "write the lessons anew from the tables"),
    "handouts": ("tunnelhandouts.cli", "make the poster, the cheat sheet and the guarantee card"),
    "book": ("tunnelbook.cli", "write the tables into the specification's pages"),
}
"""Sub-command -> the module that adds its parser, and what it does."""

DESCRIPTION = """\
The protocol that keeps WebSocket clients connected to actors that sleep, move and crash:
its tables, a gateway and a runner that run them, and what checks and shows them.
"""
EXIT_CODES = """\
exit codes: 0 holds, conforms, done; 1 violated; 2 wrong use; 3 undecided; 4 subject or environment failed;
5 a committed file is stale

example: tunnelspec demo
"""


def overview() -> argparse.ArgumentParser:
    """The parser without any sub-command's own."""
    lines = "\n".join(f"  {name:<9} {says}" for name, (_, says) in COMMANDS.items())
    top = argparse.ArgumentParser(
        prog="tunnelspec",
        usage="tunnelspec COMMAND [OPTIONS]",
        description=f"{DESCRIPTION}\ncommands (each has its own --help):\n{lines}",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("command", metavar="COMMAND", choices=COMMANDS, help="one of the above")
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one sub-command; its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] not in COMMANDS:
        overview().parse_args(words)  # prints the help, or what is wrong, and exits
    parser = argparse.ArgumentParser(prog="tunnelspec")
    importlib.import_module(COMMANDS[words[0]][0]).add_parsers(parser.add_subparsers(required=True))
    args = parser.parse_args(words)
    try:
        code: int = args.run(args)
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:  # the reader of our output has seen enough
        sys.stderr.close()
        code = 0
    return code


if __name__ == "__main__":
    raise SystemExit(main())
