"""``tunnelspec handouts``: the poster, the cheat sheet and the guarantee card, made anew or compared with what is committed."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tunneldraw.svg import Undrawable
from tunnelhandouts.card import card
from tunnelhandouts.pdf import Unprintable, is_of, printed
from tunnelhandouts.poster import MARK, poster
from tunnelhandouts.sheet import sheet

FOLDER = Path(__file__).resolve().parent.parent
FAILED, STALE = 4, 5

FRAME = (
    '<!doctype html><meta charset="utf-8"><style>@page{size:420mm 297mm;margin:0}body{margin:0}'
    "svg{display:block;width:420mm;height:297mm}</style>"
)
"""Around the poster, to print it."""

README = f"""\
<!-- {MARK} -->

# Hand-outs

Made from the tables by `tunnelspec handouts`, committed, and never edited; `make check` fails while one is stale.

| what | for | files |
| --- | --- | --- |
| poster | the wall: all machines of both sides, A3 | [PDF](poster.pdf), [SVG](poster.svg) |
| cheat sheet | the desk: frames, states, timers and errors, A4 | [PDF](cheat-sheet.pdf), [HTML](cheat-sheet.html) |
| guarantee card | the design review: what is promised and checked, beside six other designs, A4 | [PDF](guarantees.pdf), \
[here](guarantees.md), [HTML](guarantees.html) |

A PDF is printed by Chromium, whose output varies with its version; so what is compared is the SVG or HTML that it was printed from,
whose hash stands behind the PDF's end.
"""


@cache
def sources() -> Mapping[str, str]:
    """File name -> text. Raises ``Undrawable``."""
    page, markdown = card()
    return {
        "poster.svg": poster(),
        "cheat-sheet.html": sheet(),
        "guarantees.html": page,
        "guarantees.md": markdown,
        "README.md": README,
    }


PRINTS: Mapping[str, str] = {
    "poster.pdf": "poster.svg",
    "cheat-sheet.pdf": "cheat-sheet.html",
    "guarantees.pdf": "guarantees.html",
}
"""PDF -> what it is printed from."""


def stale(folder: Path, wanted: Mapping[str, str]) -> Iterator[str]:
    """The names of the files that are missing, or not what they must be."""
    for name, text in wanted.items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            yield name
    for name, source in PRINTS.items():
        if not is_of(folder / name, wanted[source]):
            yield name


def write(folder: Path, wanted: Mapping[str, str], names: list[str]) -> None:
    """Write these files. Raises ``Unprintable``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        if name in PRINTS:
            source = wanted[PRINTS[name]]
            page = FRAME + source.partition("-->")[2] if PRINTS[name].endswith(".svg") else source
            (folder / name).write_bytes(printed(page, source))
        else:
            (folder / name).write_text(wanted[name], encoding="utf-8")


def add_parsers(subparsers: Any) -> None:
    """The command."""
    handouts = subparsers.add_parser(
        "handouts",
        help="make the poster, the cheat sheet and the guarantee card",
        description="Makes the hand-outs anew from the tables, and prints them with Chromium. The guarantee card's own column is "
        "decided by the model checker.",
        epilog="example: tunnelspec handouts --check\n\n"
        "exit codes: 0 made, or current; 2 wrong use; 4 they cannot be drawn or printed; 5 a file is stale",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    handouts.add_argument("--out", type=Path, default=FOLDER, metavar="DIR", help="where (default: handouts/)")
    handouts.add_argument("--check", action="store_true", help="write nothing; name each file that is stale")
    handouts.add_argument("--json", action="store_true", help="print the result as one JSON object")
    handouts.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 if made or current, 4 if nothing can be drawn or printed, 5 if ``--check`` found a difference."""
    try:
        wanted = sources()
        old = list(stale(args.out, wanted))
        if not args.check:
            write(args.out, wanted, old)
    except (Undrawable, Unprintable) as error:
        print(f"tunnelspec handouts: {error}", file=sys.stderr)
        return FAILED
    if args.json:
        print(json.dumps({"folder": str(args.out), "files": [*wanted, *PRINTS], "stale": old}))
    elif args.check:
        for name in old:
            print(f"{args.out / name} is stale: run 'tunnelspec handouts'", file=sys.stderr)
    else:
        print(f"{len(wanted) + len(PRINTS)} files, {len(old)} of them anew")
    return STALE if args.check and old else 0
