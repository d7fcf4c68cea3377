"""The conformance suite: cases a second with the reference in this process and in its own, oracle steps a second, and a flood.

    python bench/conform.py [--json] [--cases N] [--messages N]

Both references are on real sockets. Of a flood it is said how much of the time went into judging it: the oracle keeps up with the
reference as long as that is less than all.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from dataclasses import dataclass
from typing import Any

from tunnelconform import conversation as talk
from tunnelconform.cases import Case
from tunnelconform.deviants_cli import LIMITS
from tunnelconform.oracle import Oracle
from tunnelconform.play_gateway import GatewayPlay
from tunnelconform.played import Played, Verdict
from tunnelconform.plays import gateway_play
from tunnelconform.session import cases_of
from tunnelconform.side import Side
from tunnelconform.subject import GatewaySubject
from tunnelconform.subject_reference import ReferenceGateway
from tunnelconform.subject_within import GatewayWithin
from tunnelconform.suite import run

SIDE_BY_SIDE = 24


@dataclass
class Clock:
    """Time spent in some methods, and how often the oracle took a step."""

    judging: float = 0.0
    steps: int = 0

    def watch(self) -> None:
        """Wrap what judges."""
        for name in ("says", "hears", "told", "silent_until"):
            setattr(Side, name, self._timed(getattr(Side, name)))
        stepped = Oracle._stepped

        def counted(oracle: Any, *args: Any) -> Any:
            self.steps += 1
            return stepped(oracle, *args)

        Oracle._stepped = counted  # type: ignore[method-assign]

    def _timed(self, method: Any) -> Any:
        depth = [0]

        def timed(side: Any, *args: Any, **more: Any) -> Any:
            began, outer = time.perf_counter(), not depth[0]
            depth[0] += 1
            try:
                return method(side, *args, **more)
            finally:
                depth[0] -= 1
                if outer:
                    self.judging += time.perf_counter() - began

        return timed


async def cases_a_second(subject: GatewaySubject, cases: list[Case]) -> tuple[float, int]:
    """How many cases a second, and how many passed."""
    nature = await subject.start()
    try:

        async def play(case: Case, goal: frozenset[str]) -> Played:
            return await gateway_play(subject, nature, case.conversation, goal).run()

        began = time.perf_counter()
        results = await run(cases, nature, play, subject.alive, lambda result: None, SIDE_BY_SIDE)
        return len(cases) / (time.perf_counter() - began), sum(r.verdict is Verdict.PASS for r in results)
    finally:
        await subject.stop()


async def flood(messages: int) -> tuple[float, float, float]:
    """Messages a second of a flood, oracle steps a second of judging, and the share of the time that judging took."""
    subject, clock = ReferenceGateway(), Clock()
    clock.watch()
    nature = await subject.start()
    conversation = (talk.Join(), talk.Connect(), talk.AckArrival(), talk.Answer(), talk.Flood(count=messages))
    try:
        play = GatewayPlay(subject, nature, conversation)
        began = time.perf_counter()
        played = await play.run()
        took = time.perf_counter() - began
        assert played.problem is None, played.problem
        return messages / took, clock.steps / clock.judging, clock.judging / took
    finally:
        await subject.stop()


def main() -> int:
    """0 when measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--cases", type=int, default=200, metavar="N", help="so many cases (default %(default)s)")
    parser.add_argument("--messages", type=int, default=20_000, metavar="N", help="of the flood (default %(default)s)")
    args = parser.parse_args()
    every, _ = cases_of("gateway", LIMITS["gateway"])
    quick = [c for c in every if not any(isinstance(s, talk.Wait) for s in c.conversation)][: args.cases]
    within, passed = asyncio.run(cases_a_second(GatewayWithin(), quick))
    apart, also = asyncio.run(cases_a_second(ReferenceGateway(), quick))
    rate, steps, share = asyncio.run(flood(args.messages))
    measured = {
        "cases": len(quick), "passed_within": passed, "passed_apart": also, "cases_s_within": round(within, 1),
        "cases_s_apart": round(apart, 1), "apart_to_within": round(apart / within, 2), "flood_messages_s": round(rate),
        "oracle_steps_s": round(steps), "judging_share": round(share, 2),
    }  # fmt: skip
    if args.json:
        print(json.dumps(measured))
        return 0
    print(f"{len(quick)} cases, {SIDE_BY_SIDE} side by side")
    print(f"{'in one process':<28} {within:>9.1f} cases/s   {passed} passed")
    print(f"{'in two':<28} {apart:>9.1f} cases/s   {also} passed, {apart / within:.2f} times as many")
    print(
        f"{'a flood of ' + format(args.messages, ','):<28} {rate:>9,.0f} messages/s, judging takes {share:.0%} of the time"
    )
    print(f"{'the oracle':<28} {steps:>9,.0f} steps/s")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
