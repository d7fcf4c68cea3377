"""``tunnelspec draw``: the diagrams, drawn anew or compared with what is committed."""

from __future__ import annotations

import argparse
import json
import pathlib
import sys
from typing import Any

from tunneldraw.render import Status, check, files, names, write
from tunneldraw.svg import Undrawable

STALE, FAILED = 5, 4
FOLDER = pathlib.Path(__file__).resolve().parent.parent


def add_parsers(subparsers: Any) -> None:
    """The command."""
    draw = subparsers.add_parser(
        "draw",
        help="draw the tables as diagrams",
        description="Draws each machine, and each endpoint with the signals between its machines, as DOT, SVG and Mermaid, "
        "with a page that shows them all.",
        epilog="example: tunnelspec draw --only conn-g --out /tmp/pictures\n\n"
        "exit codes: 0 drawn, or current; 2 wrong use; 4 graphviz-pure is missing or failed; 5 a file is stale",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    draw.add_argument("--out", metavar="DIR", type=pathlib.Path, default=FOLDER, help="the folder (default: diagrams/)")
    draw.add_argument(
        "--check", action="store_true", help="write nothing; name each file that is stale, missing or too many"
    )
    draw.add_argument("--only", metavar="NAME", choices=names(), help="one picture: " + ", ".join(names()))
    draw.add_argument("--json", action="store_true", help="print the files and their status as one JSON object")
    draw.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 if drawn or current, 5 if ``--check`` found a difference, 4 if nothing could be drawn."""
    try:
        wanted = files(only=args.only)
    except Undrawable as error:
        print(f"tunnelspec draw: {error}", file=sys.stderr)
        return FAILED
    whole = args.only is None
    found = (check if args.check else write)(args.out, wanted, whole=whole)
    changed = [file for file in found if file.status is not Status.CURRENT]
    code = STALE if args.check and changed else 0
    if args.json:
        verdict = "stale" if code else "current" if args.check else "drawn"
        listed = [{"name": file.name, "status": file.status.value} for file in found]
        print(json.dumps({"verdict": verdict, "folder": str(args.out), "files": listed}))
        return code
    done = {Status.STALE: "drawn anew", Status.MISSING: "drawn", Status.SUPERFLUOUS: "removed if generated"}
    for file in changed:
        print(f"{file.status.value if args.check else done[file.status]}: {args.out / file.name}")
    if code:
        print(f"{len(changed)} of {len(found)} files differ from the tables; run: tunnelspec draw")
    else:
        print(f"{len(found)} files are current" if args.check else f"{len(found)} files in {args.out}")
    return code
