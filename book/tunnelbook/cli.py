"""``tunnelspec book``: the specification's pages, with the tables in them."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from tunnelbook.page import PageError, check_citations, link_citations, missing, render, stale

PAGE = Path("spec/README.md")


def add_parsers(subparsers: Any) -> None:
    """The command."""
    book = subparsers.add_parser(
        "book",
        help="write the tables into the specification's pages",
        description="Writes the generated blocks of spec/README.md anew, and links the rules that its prose cites.",
        epilog="example: tunnelspec book --check",
    )
    book.add_argument("--page", type=Path, default=PAGE, metavar="FILE", help="another page (default %(default)s)")
    book.add_argument("--check", action="store_true", help="write nothing; fail if a block is stale")
    book.add_argument("--json", action="store_true", help="print the result as one JSON object")
    book.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 if the page is current, 1 if its prose cites what does not exist, 2 without a page, 5 if a block is stale."""
    try:
        page = args.page.read_text(encoding="utf-8")
    except OSError as error:
        print(f"tunnelspec book: {args.page}: {error.strerror}", file=sys.stderr)
        return 2
    try:
        fresh = link_citations(render(page))
        check_citations(fresh)  # the prose's; what is generated cites what there is
        old = stale(page)
    except PageError as error:
        print(f"tunnelspec book: {args.page}: {error}", file=sys.stderr)
        return 1
    absent = missing(page)
    current = page == fresh and not absent
    if not args.check:
        args.page.write_text(fresh, encoding="utf-8")
    if args.json:
        print(json.dumps({"page": str(args.page), "current": current, "stale": old, "missing": absent}))
    elif args.check:
        for name in old:
            print(f"{args.page}: block {name} is stale: run 'tunnelspec book'", file=sys.stderr)
        for name in absent:
            print(f"{args.page}: machine {name} is not on the page", file=sys.stderr)
        if not current and not old and not absent:
            print(f"{args.page}: a cited rule is not linked: run 'tunnelspec book'", file=sys.stderr)
    if absent or (args.check and not current):
        return 5
    return 0
