"""``make interop``: run it, say what was found, and write it to the README beside this file."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from reference.interop.run import Report, converse
from tunnelconform.subject import SubjectError
from tunnelspec.endpoint import MACHINES

PAGE = Path(__file__).parent / "README.md"
RULES = {t.id: t.says for machine in MACHINES for t in machine.transitions}

HEAD = """\
# Our v2 runner and the production engine

`make interop` installs `@rivetkit/engine-cli` 2.3.19 from npm, starts it (telemetry off, loopback only, in a temporary folder),
lets the reference runner join over protocol version 2, creates an actor through the engine's HTTP API, and lets a client talk
to it: messages, sleep, a wake by the next message, a sleep with a message unacked, a close. The engine speaks later versions
and *translates* v2; where it differs, it mostly does so by the design of those versions. What follows was written by the last run.
These are results, not failures.

## What of v2's tables the engine was seen to follow
"""


def page(report: Report) -> str:
    """The results, as Markdown."""
    lines = [HEAD, "| rules | | seen |", "| --- | --- | --- |"]
    lines += [f"| {o.rules} | {o.says} | {'yes' if o.followed else '**no**'} |" for o in report.observations]
    lines += ["", "## Frames that the tables did not allow where they came", ""]
    if report.outside:
        lines += ["| frame | met us in | transition | what the transition says |", "| --- | --- | --- | --- |"]
        for frame, states, rules, _ in report.outside:
            says = " ".join(RULES[rule] for rule in rules.split(", "))
            lines.append(f"| {frame} | {states} | {rules} | {says} |")
    else:
        lines.append("None.")
    return "\n".join(lines) + "\n"


def text(report: Report) -> str:
    """The results, for a terminal."""
    lines = [f"{report.frames} frames came from the engine", ""]
    lines += [f"  {'yes' if o.followed else 'NO ':<4}{o.says}  ({o.rules})" for o in report.observations]
    lines += ["", "not allowed by the tables where they came:" if report.outside else "all were allowed by the tables"]
    lines += [f"  {count:>3} x {frame} in {states} ({rules})" for frame, states, rules, count in report.outside]
    return "\n".join(lines)


def main() -> int:
    """0 if the conversation could be held, 4 if not."""
    try:
        report = asyncio.run(converse())
    except (SubjectError, OSError, TimeoutError) as error:
        print(f"interop: the conversation could not be held: {error!r}", file=sys.stderr)
        return 4
    print(text(report))
    PAGE.write_text(page(report), encoding="utf-8")
    print(f"\nwritten to {PAGE.relative_to(Path.cwd()) if PAGE.is_relative_to(Path.cwd()) else PAGE.name}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
