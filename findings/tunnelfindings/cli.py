"""``tunnelspec findings``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tunnelcheck.meaning import Sources
from tunnelfindings.account import RECORD, Broken, account, faults, recorded, sources, to_json
from tunnelfindings.claims import CLAIMS
from tunnelfindings.experiments import Departures, Verdict
from tunnelfindings.explore import explore_all
from tunnelfindings.page import files
from tunnelfindings.verdicts import Judged, judge_all, undecided

TONES = {"confirmed": "31", "refuted": "33", "harmless": "32", "mended": "32", "no behaviour": "2", "undecided": "35"}


def add_parsers(subparsers: Any) -> None:
    """The command."""
    findings = subparsers.add_parser(
        "findings",
        help="a verdict on every claim of the reviews",
        description="Decides what seven reviews claimed of the merged code, each suggested fix, what they praised, and what "
        "they did not see; writes spec/findings.md and its sequence diagrams.",
        epilog="examples: tunnelspec findings; tunnelspec findings --only F01 G05; tunnelspec findings --check",
    )
    findings.add_argument(
        "--only", nargs="+", metavar="ID", choices=[c.id for c in CLAIMS], help="only these; writes nothing"
    )
    findings.add_argument("--check", action="store_true", help="write nothing; fail if the page is stale")
    findings.add_argument(
        "--root", type=Path, default=Path("spec"), metavar="DIR", help="where the page is (default %(default)s)"
    )
    findings.add_argument("--json", action="store_true", help="print the verdicts as a JSON list")
    findings.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 decided and, with --check, current; 1 something breaks as merged for which no finding stands; 2 wrong use; 3 undecided, or
    interrupted; 5 the page, or the account, is stale."""
    claims = tuple(c for c in CLAIMS if args.only is None or c.id in args.only)
    visible = sys.stderr.isatty() and not args.json

    clear = "\r\x1b[K" if visible else ""
    seen = "0 experiments"

    def progress(done: int, total: int, departures: Departures) -> None:
        nonlocal seen
        seen = f"{done} of {total} experiments"
        if visible:
            print(f"{clear}{seen}: {' '.join(departures)}", end="", file=sys.stderr, flush=True)

    harms = recorded()
    if harms is None and args.check:
        print("findings/tunnelfindings/account.json is stale: run 'tunnelspec findings'", file=sys.stderr)
        return 5
    try:
        if harms is None and args.only is None:
            made_by = Sources.of(sources())
            harms = account(progress)
            RECORD.write_text(to_json(harms, made_by), encoding="utf-8")
        explored = explore_all((need for claim in claims for need in claim.needs), progress)
    except KeyboardInterrupt:
        print(f"{clear}tunnelspec findings: interrupted after {seen}; nothing is written", file=sys.stderr)
        return 3
    judged = judge_all(explored, claims)
    wrong = faults(harms, CLAIMS) if harms is not None and args.only is None else ()
    if visible:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    if args.json:
        print(json.dumps([j.as_json() for j in judged], indent=1))
    else:
        print(report(judged, sys.stdout.isatty()))
    if wrong:
        print("\n".join(f"the account is wrong: {line}" for line in wrong), file=sys.stderr)
        return 1
    if undecided(judged):
        print(f"undecided within the bounds: {', '.join(undecided(judged))}", file=sys.stderr)
        return 3
    return 0 if args.only else settle(judged, harms or (), args.root, args.check)


def settle(judged: tuple[Judged, ...], harms: Sequence[Broken], root: Path, check: bool) -> int:
    """Write what is generated, or say what of it is stale."""
    wanted = dict(files(judged, harms, root))
    extra = [path for path in sorted((root / "findings").glob("*.*")) if path not in wanted]
    stale = [path for path, text in wanted.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    if check:
        for path in (*stale, *extra):
            print(f"{path} is stale: run 'tunnelspec findings'", file=sys.stderr)
        return 5 if stale or extra else 0
    (root / "findings").mkdir(parents=True, exist_ok=True)
    for path in stale:
        path.write_text(wanted[path], encoding="utf-8")
    for path in extra:
        path.unlink()
    return 0


def report(judged: tuple[Judged, ...], colour: bool) -> str:
    """An aligned table."""
    lines = [f"{'id':<4} {'verdict':<13} {'property':<14} {'steps':>5}  claim"]
    for j in judged:
        harm, word = j.decided.harm, j.decided.verdict.value
        told = f"\x1b[{TONES[word]}m{word:<13}\x1b[0m" if colour else f"{word:<13}"
        lines.append(
            f"{j.claim.id:<4} {told} {harm.property if harm else '-':<14} {len(harm.actions) if harm else '-':>5}  "
            f"{shortened(j.claim.says)}"
        )
        lines += [f"{'':<4} {'':<13} {'':<14} {'':>5}  fix: {shortened(f.fix.says)}: {f.remedy.value}" for f in j.fixes]
    confirmed = sum(j.decided.verdict is Verdict.CONFIRMED for j in judged)
    return "\n".join([*lines, "", f"{len(judged)} decided, {confirmed} confirmed"])


def shortened(text: str, width: int = 90) -> str:
    """Text that fits a line."""
    return text if len(text) <= width else f"{text[: width - 3]}..."
