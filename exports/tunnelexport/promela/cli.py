"""``tunnelspec export promela``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from tunnelexport.promela.model import export
from tunnelexport.promela.shapes import Refused
from tunnelspec.deviations import DEVIATIONS, apply
from tunnelspec.system import System
from tunnelspec.worlds import LARGE, Scenario

WORLDS: dict[str, Scenario] = {scenario.name: scenario for scenario in LARGE}


def add_promela(kinds: Any) -> None:
    """The kind ``promela``."""
    parser = kinds.add_parser(
        "promela",
        help="a closed world as a model for SPIN",
        description="Writes a world of 'tunnelspec check --list', with the tables translated from their Python source, as a model "
        "for SPIN 6.5: complete in itself, with a flag for each property. 'tunnelspec check --engine spin' does the rest alone.",
        epilog="example: tunnelspec export promela --scenario wrap -o wrap.pml && spin -a wrap.pml && "
        "gcc -O2 -DSAFETY -DBFS -DNOREDUCE -o pan pan.c && ./pan -E -c0 -e\n\n"
        "exit codes: 0 written; 2 wrong use; 3 something cannot be translated: file and line are named",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--scenario", metavar="NAME", choices=WORLDS, default="sleep", help="the world (default %(default)s)"
    )
    parser.add_argument(
        "--deviation", nargs="+", metavar="NAME", choices=DEVIATIONS, default=[], help="depart from the tables"
    )
    parser.add_argument("-o", "--out", metavar="FILE", type=Path, help="write it there (default: to standard output)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 written, 3 not translated."""
    system = apply(System(WORLDS[args.scenario].bounds), [DEVIATIONS[name] for name in args.deviation])
    try:
        text = export(system).text
    except Refused as error:
        print(f"tunnelspec export promela: not translated: {error}", file=sys.stderr)
        return 3
    if args.out is None:
        print(text, end="")
    else:
        args.out.write_text(text, encoding="ascii")
    return 0
