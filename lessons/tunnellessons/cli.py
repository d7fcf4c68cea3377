"""``tunnelspec lessons``: the lessons' pages, pictures, traces and tours."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunnelcheck.replay import Unfaithful
from tunnellessons.course import files
from tunnellessons.lesson import LessonError

FOLDER = Path("spec/lessons")
STALE = 5
MADE = ("*.json", "pictures/*.svg", "traces/*.json", "wire/*.jsonl")
"""What is made here, and goes when nothing asks for it any more."""


def add_parsers(subparsers: Any) -> None:
    """The command."""
    lessons = subparsers.add_parser(
        "lessons",
        help="write the lessons anew from the tables",
        description="Writes what stands between the markers of spec/lessons/*.md anew, with the pictures, traces, tours and "
        "recordings that belong to them. Every trace is replayed, and every exercise is run.",
        epilog="example: tunnelspec lessons --check\n\n"
        "exit codes: 0 written, or current; 1 a page asks for what does not exist, or says what is not so; 2 wrong use; 5 stale",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    lessons.add_argument("--check", action="store_true", help="write nothing; fail if a file is stale")
    lessons.add_argument("--folder", type=Path, default=FOLDER, metavar="DIR", help="where (default %(default)s)")
    lessons.add_argument("--json", action="store_true", help="print the result as one JSON object")
    lessons.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 if all is current or written, 1 if a page is wrong, 2 without pages, 5 if a file is stale."""
    if not sorted(args.folder.glob("[0-9][0-9]-*.md")):
        print(f"tunnelspec lessons: {args.folder}: there are no lessons", file=sys.stderr)
        return 2
    try:
        wanted = files(args.folder)
    except (LessonError, Unfaithful) as error:
        print(f"tunnelspec lessons: {error}", file=sys.stderr)
        return 1
    stale, extra = compare(args.folder, wanted)
    if not args.check:
        write(args.folder, wanted, stale, extra)
    if args.json:
        print(json.dumps({"folder": str(args.folder), "files": len(wanted), "stale": [*stale, *extra]}))
    elif args.check:
        for name in (*stale, *extra):
            print(f"{args.folder / name} is stale: run 'tunnelspec lessons'", file=sys.stderr)
    else:
        print(f"{len(wanted)} files, {len(stale) + len(extra)} of them anew")
    return STALE if args.check and (stale or extra) else 0


def compare(folder: Path, wanted: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Which files differ from what they must be, and which are too many."""
    stale = [name for name, text in wanted.items() if not _is(folder / name, text)]
    there = (path.relative_to(folder).as_posix() for pattern in MADE for path in folder.glob(pattern))
    return stale, sorted(name for name in there if name not in wanted)


def _is(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


def write(folder: Path, wanted: Mapping[str, str], stale: list[str], extra: list[str]) -> None:
    """Bring the folder up to date."""
    for name in stale:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(wanted[name], encoding="utf-8")
    for name in extra:
        (folder / name).unlink()
