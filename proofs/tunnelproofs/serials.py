"""The comparison of indices, tried on all 2^32 pairs of u16.

``tunnelspec.serial``'s own functions are called with numpy arrays, a row at a time. What is claimed:

- *distance*: what ``less`` and the merged ``wrapping_gt`` say of a pair depends on the pair's distance alone;
- *antisymmetry*: never both a < b and b < a;
- *trichotomy*: one of a < b, a = b, b < a, except at distance 32 768, where RFC 1982 leaves the order open;
- *successor*: a < a + 1, across the wrap;
- *transitivity*: a < b and b < c give a < c whenever c is within the window of a. By *distance* it is enough to try all pairs
  of steps (d, e), which is again 2^32 cases;
- *merged*: how many pairs the merged ``wrapping_gt`` judges otherwise, and at which distances.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

import numpy as np

from tunnelspec.serial import U16, distance, greater, less, merged_wrapping_gt, window

COLUMNS = 1 << 14  # a piece of a row that the processor's cache and the heap both like
EDGES = (1, 32_766, 32_767, 32_768, 32_769, 65_535)
Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Result:
    """What was tried, and what was found."""

    pairs: int
    distance_alone: bool
    antisymmetric: bool
    trichotomous_but_at_half: bool
    successor: bool
    transitive_in_window: bool
    open_pairs: int  # neither before nor after, and not equal
    merged_differs: int  # pairs that the merged comparison judges otherwise
    merged_differs_at: tuple[int, ...]  # the distances from b to a of those
    seconds: float

    @property
    def holds(self) -> bool:
        return (
            self.distance_alone
            and self.antisymmetric
            and self.trichotomous_but_at_half
            and self.successor
            and self.transitive_in_window
        )


def prove(progress: Progress = lambda share: None) -> Result:
    """Try all pairs, and all pairs of steps."""
    began = time.monotonic()
    every: Any = np.arange(U16, dtype=np.uint16)
    zero: Any = np.uint16(0)
    by_distance = np.asarray(less(zero, every))  # what less says of (0, d)
    merged_by_distance = np.asarray(merged_wrapping_gt(zero, every))  # what wrapping_gt says of (0, d)
    half = every == U16 // 2
    twice, merged_twice, half_twice = (np.concatenate((row, row)) for row in (by_distance, merged_by_distance, half))
    alone = antisymmetric = trichotomous = transitive = True
    open_pairs = differs = 0
    at = np.zeros(U16, dtype=bool)
    for a, column in product(range(U16), range(0, U16, COLUMNS)):
        row: Any = np.uint16(a)
        others = every[column : column + COLUMNS]
        start = U16 - a + column
        turned = slice(start, start + COLUMNS)  # row 0, turned by a: what row a must be, if distance alone counts
        before, after = np.asarray(less(row, others)), np.asarray(greater(row, others))
        merged = np.asarray(merged_wrapping_gt(row, others))
        alone &= bool((before == twice[turned]).all() and (merged == merged_twice[turned]).all())
        antisymmetric &= not (before & after).any()
        neither = ~(before | after) & (others != row)
        trichotomous &= bool((neither == half_twice[turned]).all())
        open_pairs += int(np.count_nonzero(neither))
        wrong = merged != after
        if wrong.any():
            differs += int(np.count_nonzero(wrong))
            at[np.asarray(distance(others[wrong], row))] = True  # from b to a
        if column == 0 and by_distance[a]:
            # a is a first step and every a second: if 0 < a and a < a + step, then 0 < a + step, within the window
            steps = window() - a + 1
            transitive &= bool(by_distance[a : a + steps][by_distance[:steps]].all())
        if column == 0 and a % 1024 == 0:
            progress(a / U16)
    progress(1.0)
    return Result(
        pairs=U16 * U16,
        distance_alone=alone,
        antisymmetric=antisymmetric,
        trichotomous_but_at_half=trichotomous,
        successor=bool(np.asarray(less(every, every + np.uint16(1))).all()),
        transitive_in_window=transitive,
        open_pairs=open_pairs,
        merged_differs=differs,
        merged_differs_at=tuple(np.flatnonzero(at).tolist()),
        seconds=round(time.monotonic() - began, 1),
    )


def edges() -> tuple[tuple[int, bool, bool, bool], ...]:
    """(distance from b to a, a after b, b after a, merged says a after b), at the distances where it matters."""
    return tuple((d, bool(greater(d, 0)), bool(greater(0, d)), bool(merged_wrapping_gt(d, 0))) for d in EDGES)


def report(result: Result) -> str:
    """Two aligned tables, for a person."""
    words = {
        "distance_alone": "depends on the distance alone",
        "antisymmetric": "never a < b and b < a",
        "trichotomous_but_at_half": "one of <, =, > but at distance 32 768",
        "successor": "a < a + 1, across the wrap",
        "transitive_in_window": "transitive inside the window",
    }
    lines = [f"all {result.pairs:,} pairs of u16, {result.seconds} s", ""]
    lines += [f"  {says:<40}{'holds' if getattr(result, name) else 'VIOLATED'}" for name, says in words.items()]
    lines += ["", f"  {'a - b':>7}  {'RFC: a > b':<11}{'RFC: b > a':<11}{'merged: a > b':<14}"]
    for d, after, before, merged in edges():
        note = "left open by RFC 1982" if not (after or before) else "merged differs" if after != merged else ""
        lines.append(f"  {d:>7}  {_yes(after):<11}{_yes(before):<11}{_yes(merged):<14}{note}".rstrip())
    lines += [
        "",
        f"  merged judges {result.merged_differs:,} pairs otherwise, all at a - b = {result.merged_differs_at}",
    ]
    return "\n".join(lines)


def add_parsers(subparsers: Any) -> None:
    """The command."""
    serial = subparsers.add_parser(
        "serial",
        help="prove what the comparison of indices does, over all pairs",
        description="Tries tunnelspec.serial on all 2^32 pairs of u16, and shows where the merged comparison differs.",
        epilog="example: tunnelspec serial --json",
    )
    serial.add_argument("--json", action="store_true", help="print the result as one JSON object")
    serial.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 if all holds, 1 if not."""
    result = prove(_show if sys.stderr.isatty() else lambda share: None)
    if args.json:
        verdict = "holds" if result.holds else "violated"
        print(json.dumps({"verdict": verdict, **asdict(result), "edges": edges()}))
    else:
        print(report(result))
    return 0 if result.holds else 1


def _show(share: float) -> None:
    sys.stderr.write(f"\r{share:4.0%}" if share < 1 else "\r    \r")


def _yes(value: bool) -> str:
    return "yes" if value else "no"
