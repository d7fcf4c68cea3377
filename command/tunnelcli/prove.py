"""``tunnelspec prove``: that the tables decide every (state, event, context), and decide it once."""

from __future__ import annotations

import argparse
import json
from typing import Any

from tunnelspec.endpoint import MACHINES
from tunnelspec.totality import prove_all, report


def add_parsers(subparsers: Any) -> None:
    """The command."""
    prove = subparsers.add_parser(
        "prove",
        help="prove that the tables are total and deterministic",
        description="Tries every (state, event, context) of every machine, over bounded contexts.",
        epilog="example: tunnelspec prove --only ACK-G",
    )
    prove.add_argument("--only", metavar="MACHINE", choices=[m.id for m in MACHINES], help="one machine, e.g. ACK-G")
    prove.add_argument("--json", action="store_true", help="print the result as one JSON object")
    prove.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 if every table holds, 1 if one does not."""
    proofs = prove_all(m for m in MACHINES if args.only in (None, m.id))
    holds = all(proof.holds for proof in proofs)
    if args.json:
        machines = {
            p.machine.id: {"pairs": p.pairs, "tried": p.tried, "never": p.never, "wrong": p.wrong} for p in proofs
        }
        print(json.dumps({"verdict": "holds" if holds else "violated", "machines": machines}))
    else:
        print(report(proofs))
    return 0 if holds else 1
