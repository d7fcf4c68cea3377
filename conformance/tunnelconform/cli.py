"""``tunnelspec conform`` and ``tunnelspec record``."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from tunnelconform import html_matrix, matrix
from tunnelconform.active import run_gateway, run_runner
from tunnelconform.arguments import add_gateway, add_runner
from tunnelconform.deviants_cli import add_deviations
from tunnelconform.explain import conversation, explain, label
from tunnelconform.passive import Judgement, judge
from tunnelconform.record import serve
from tunnelconform.recording import Entry, RecordingError, read
from tunnelconform.report import ReportError, named
from tunnelconform.report import read as read_report
from tunneldraw.sequence_text import to_text

CODES = {"pass": 0, "fail": 1, "inconclusive": 3}


def add_parsers(subparsers: Any) -> None:
    """The commands."""
    conform = subparsers.add_parser(
        "conform",
        help="compare an implementation with the tables",
        description="Compares what an implementation was seen to do with what the tables allow.",
        epilog="example: tunnelspec record --listen 127.0.0.1:7000 --to ws://127.0.0.1:6420 -o talk.jsonl; "
        "tunnelspec conform trace talk.jsonl",
    )
    kinds = conform.add_subparsers(
        dest="kind", metavar="KIND", required=True, help="gateway, runner, trace, matrix, deviations"
    )
    trace = kinds.add_parser(
        "trace",
        help="judge a recording",
        description="Is what each side said, in each request of a recording, something that the tables allow? Names the first "
        "frame that is not, by the file's line, the states that were possible before it, and what would have been allowed.",
        epilog="example: tunnelspec conform trace talk.jsonl --json\n\n"
        "exit codes: 0 all is allowed; 1 something is not; 2 the file is no recording; 3 nothing could be judged",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    trace.add_argument("file", type=Path, metavar="FILE", help="what 'tunnelspec record' wrote")
    trace.add_argument("--json", action="store_true", help="print the judgement as one JSON object")
    trace.set_defaults(run=run_trace)
    add_gateway(kinds, run_gateway)
    add_runner(kinds, run_runner)
    add_deviations(kinds)
    side_by_side = kinds.add_parser(
        "matrix",
        help="several results side by side",
        description="Puts the results of several runs side by side: a row a transition, a column a subject.",
        epilog="examples:\n  tunnelspec conform gateway --adapter ./mine --json >mine.json\n"
        "  tunnelspec conform gateway --json >reference.json\n"
        "  tunnelspec conform matrix reference.json mine.json --html matrix.html\n\n"
        "exit codes: 0 done, whatever the results say; 2 a file is no report",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    side_by_side.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="what 'conform gateway' or 'runner' printed with --json"
    )
    side_by_side.add_argument("--cases", action="store_true", help="a row a case, not a transition")
    side_by_side.add_argument("--differing", action="store_true", help="only the rows in which the subjects differ")
    side_by_side.add_argument("--html", type=Path, metavar="FILE", help="write it as one HTML page, too")
    side_by_side.add_argument("--json", action="store_true", help="print it as one JSON object")
    side_by_side.set_defaults(run=run_matrix)
    record = subparsers.add_parser(
        "record",
        help="record what passes between runners and a gateway",
        description="A proxy: runners connect to it instead of to the gateway, and it writes down every frame as a line of "
        "JSON. Tokens, cookies and authorization headers are not written.",
        epilog="example: tunnelspec record --listen 127.0.0.1:7000 --to ws://127.0.0.1:6420 -o talk.jsonl",
    )
    record.add_argument(
        "--listen", required=True, metavar="HOST:PORT", help="where runners connect; port 0 picks a free one"
    )
    record.add_argument("--to", required=True, metavar="URL", help="the gateway, such as ws://127.0.0.1:6420")
    record.add_argument("-o", "--output", type=Path, metavar="FILE", help="where to (default: standard output)")
    record.add_argument("--quiet", action="store_true", help="do not show frames as they pass")
    record.set_defaults(run=serve)


def run_trace(args: argparse.Namespace) -> int:
    """0 pass, 1 fail, 2 wrong use, 3 inconclusive."""
    try:
        entries = read(args.file)
    except (RecordingError, OSError, UnicodeDecodeError) as error:
        print(f"tunnelspec conform trace: {error}", file=sys.stderr)
        return 2
    judgement = judge(entries)
    print(json.dumps(as_json(judgement)) if args.json else report(entries, judgement, str(args.file)))
    return CODES[judgement.verdict]


def run_matrix(args: argparse.Namespace) -> int:
    """0 done, 2 wrong use."""
    try:
        table = matrix.matrix(
            named([(file.stem, read_report(file)) for file in args.files]), args.cases, args.differing
        )
        if args.html:
            args.html.write_text(html_matrix.to_html(table), encoding="utf-8")
    except (ReportError, OSError) as error:
        print(f"tunnelspec conform matrix: {error}", file=sys.stderr)
        return 2
    width = max(100, shutil.get_terminal_size().columns)
    print(json.dumps(matrix.as_json(table)) if args.json else matrix.to_text(table, width))
    return 0


def as_json(judgement: Judgement) -> dict[str, Any]:
    """The judgement as data."""
    return {
        "verdict": judgement.verdict,
        "frames": judgement.frames,
        "judged": judgement.judged,
        "requests": judgement.requests,
        "breaches": [
            {
                "side": b.side,
                "line": b.line,
                "number": b.frame,
                "time_ms": b.time_ms,
                "request": b.request.hex(),
                "frame": None if b.what is None else label(b.what),
                "states": len(b.refusal.before) if b.refusal else 0,
                "allowed": [
                    {"frame": label(said.what), "rules": said.rules}
                    for said in (b.refusal.allowed if b.refusal else b.due)
                ],
            }
            for b in judgement.breaches
        ],
        "undecided": [{"side": side, "request": id_.hex(), "why": why} for side, id_, why in judgement.undecided],
        "opaque": dict(judgement.opaque),
    }


def report(entries: tuple[Entry, ...], judgement: Judgement, name: str) -> str:
    """The judgement for a reader; ``name`` is the recording's."""
    lines: list[str] = []
    colour, width = sys.stdout.isatty(), max(100, shutil.get_terminal_size().columns)
    for breach in judgement.breaches:
        if breach.request:
            lines += [to_text(conversation(entries, breach, judgement), colour, width)]
        lines += [*explain(breach, name), ""]
    for side, id_, why in judgement.undecided:
        lines.append(f"{side}, request {id_.hex()}: not judged to its end: {why}")
    opaque = ", ".join(f"{count} {why}" for why, count in judgement.opaque.most_common())
    lines.append(f"{judgement.frames} frames, {judgement.requests} requests, {judgement.judged} frames judged")
    if opaque:
        lines.append(f"not judged: {opaque}")
    lines.append(f"verdict: {judgement.verdict}")
    return "\n".join(lines)
