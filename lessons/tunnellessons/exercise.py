"""Exercises: a run of ``tunnelspec check`` that the learner makes, and what it finds."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from tunnelcheck import cli
from tunnelcheck.report import Counterexample, Outcome, check, first
from tunnelcheck.scenarios import SIZES, Scenario
from tunnelspec.deviations import apply
from tunnelspec.system import System


@dataclass(frozen=True)
class Found:
    """What a run found: the shortest counterexample, and all properties that are violated."""

    counterexample: Counterexample
    violated: tuple[str, ...]

    @property
    def breaks(self) -> str:
        return self.counterexample.property.id

    @property
    def steps(self) -> int:
        return len(self.counterexample.actions)


def command(words: Sequence[str]) -> str:
    """What the learner types."""
    return " ".join(("tunnelspec check", *words))


@cache
def run(words: tuple[str, ...]) -> Found | None:
    """The run of ``tunnelspec check`` with these arguments; None if it finds nothing. Raises ``ValueError`` for wrong ones."""
    outcome = _outcome(words)
    shortest = first(outcome)
    return None if shortest is None else Found(shortest, tuple(sorted(outcome.counterexamples)))


def _outcome(words: tuple[str, ...]) -> Outcome:
    parser = argparse.ArgumentParser(prog="tunnelspec", exit_on_error=False)
    cli.add_parsers(parser.add_subparsers(required=True))
    try:
        args = parser.parse_args(["check", *words])
    except (argparse.ArgumentError, SystemExit) as error:
        raise ValueError(f"{command(words)}: {error}") from error
    departures = cli.departures(args)

    def build(scenario: Scenario) -> System:
        return apply(System(scenario.bounds), departures)

    scenarios = cli.chosen(SIZES[args.size], args.scenario)
    properties = [p for p in cli.ALL if args.property is None or p.id in args.property]
    return check(
        scenarios, build, properties, lambda scenario: lambda exploration: exploration.states < cli.DEVIANT_STATES
    )
