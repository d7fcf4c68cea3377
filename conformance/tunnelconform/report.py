"""What a run of the suite found, as data: every report is made from this, and JSON carries all of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunnelconform.conversation import to_json as steps_to_json
from tunnelconform.played import Verdict
from tunnelconform.shrink import signature
from tunnelconform.suite import Result
from tunnelconform.terminal import Finding, drawing_of, told
from tunneldraw.sequence import Sequence as Drawing
from tunneldraw.sequence import from_json as drawing_from_json
from tunneldraw.sequence import to_json as drawing_to_json

EXCUSED = "excused"
OUTCOMES: tuple[str, ...] = (*(verdict.value for verdict in Verdict), EXCUSED)
"""What a case can come to, for a reader: an excused failure is neither a failure nor a pass."""

WORST_FIRST: tuple[str, ...] = ("error", "fail", EXCUSED, "inconclusive", "unsupported", "pass")


class ReportError(ValueError):
    """A file that is no report of ours: the message names the file and what is wrong with it."""


TRIED_FIRST: tuple[str, ...] = ("error", "fail", EXCUSED, "pass", "inconclusive", "unsupported")
"""The same for what was tried at all: one pass is enough."""


@dataclass(frozen=True)
class Entry:
    """One case, and what came of it. ``rules``: those that a failure rests on. ``told``: why it failed, line by line."""

    id: str
    verdict: Verdict
    says: str = ""
    aspect: str = ""
    why: str = ""
    excused: str = ""
    seconds: float = 0.0
    rules: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    drawing: Drawing | None = None

    @property
    def outcome(self) -> str:
        """The verdict, or that a failure is excused."""
        return EXCUSED if self.excused else self.verdict.value

    @property
    def transition(self) -> str:
        """The transition that it is about."""
        return self.id.partition("/")[0]

    @property
    def machine(self) -> str:
        """That transition's machine."""
        return machine_of(self.id)


@dataclass(frozen=True)
class Failure:
    """Failures that are alike: the shortest conversation that shows them, and how often it failed when played again."""

    case: str
    cases: tuple[str, ...]
    seen: str | None
    due: tuple[Mapping[str, Any], ...]
    conversation: tuple[Mapping[str, Any], ...]
    failed_again: int
    of: int
    told: tuple[str, ...]
    drawing: Drawing | None
    promise: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Report:
    """One run. ``limits``: those that differ from the defaults. ``again``: the command, but for the cases it is to run.
    ``missing``: so many cases were not played, for it was interrupted."""

    subject: str
    seconds: float
    entries: tuple[Entry, ...]
    failures: tuple[Failure, ...] = ()
    stale: Mapping[str, str] | None = None
    seed: int = 0
    limits: Mapping[str, int] | None = None
    profile: str = "none"
    differs: tuple[str, ...] = ()
    out_of_reach: Mapping[str, str] | None = None
    again: str = ""
    missing: int = 0

    def counts(self) -> Counter[str]:
        """How many cases came to what."""
        return Counter(entry.outcome for entry in self.entries)

    def by_machine(self) -> dict[str, Counter[str]]:
        """The same, by machine, in the order of the cases."""
        found: dict[str, Counter[str]] = {}
        for entry in self.entries:
            found.setdefault(entry.machine, Counter())[entry.outcome] += 1
        return found

    def by_transition(self) -> dict[str, Counter[str]]:
        """The same, by transition."""
        found: dict[str, Counter[str]] = {}
        for entry in self.entries:
            found.setdefault(entry.transition, Counter())[entry.outcome] += 1
        return found


def machine_of(id_: str) -> str:
    """The machine that a case or a transition is about: ``ACK-G`` of ``ACK-G-07/live``."""
    return id_.partition("/")[0].rpartition("-")[0] or id_


def worst(outcomes: Iterable[str], order: Sequence[str] = WORST_FIRST) -> str:
    """Of several outcomes, the one that a reader must see; "" of none."""
    found = set(outcomes)
    return next((outcome for outcome in order if outcome in found), "")


def entry_of(result: Result, drawn: bool) -> Entry:
    """A result, with its conversation if it failed or is to be drawn."""
    played = result.played
    way = signature(played) if played is not None else None
    return Entry(
        result.case.id,
        result.verdict,
        result.case.says,
        result.aspect,
        result.why,
        result.excused,
        round(result.seconds, 3),
        way.rules if way else (),
        tuple(told(played)) if played is not None else (),
        drawing_of(result.case.id, played) if played is not None and (drawn or played.failed) else None,
    )


def failure_of(finding: Finding) -> Failure:
    """Failures that are alike, as the report has them."""
    known, played = finding.as_json(), finding.shrunk.played
    return Failure(
        finding.case.id,
        finding.cases,
        known["seen"],
        tuple(known["due"]),
        tuple(steps_to_json(played.conversation)),
        finding.shrunk.failed,
        finding.shrunk.tried,
        tuple(told(played)),
        drawing_of(finding.case.id, played),
        known["promise"],
    )


# -- JSON ------------------------------------------------------------------------------------------------------------


def to_json(report: Report) -> dict[str, Any]:
    """The report as data."""
    return {
        "subject": report.subject,
        "seconds": round(report.seconds, 3),
        "seed": report.seed,
        "limits": dict(report.limits or {}),
        "profile": report.profile,
        "differs": list(report.differs),
        "again": report.again,
        "missing": report.missing,
        "counts": dict(report.counts()),
        "results": [_plain(entry) for entry in report.entries],
        "findings": [_plain(failure) for failure in report.failures],
        "stale": dict(report.stale or {}),
        "out_of_reach": dict(report.out_of_reach or {}),
    }


def _plain(thing: Entry | Failure) -> dict[str, Any]:
    found = {name: list(v) if isinstance(v, tuple) else v for name, v in vars(thing).items()}
    found["drawing"] = None if thing.drawing is None else json.loads(drawing_to_json(thing.drawing))
    return found


def from_json(read: Any) -> Report:
    """What ``to_json`` gave. Raises ``ReportError``."""
    try:
        return Report(
            read["subject"],
            read["seconds"],
            tuple(_entry(one) for one in read["results"]),
            tuple(_failure(one) for one in read["findings"]),
            read["stale"],
            read["seed"],
            read["limits"],
            read["profile"],
            tuple(read["differs"]),
            read["out_of_reach"],
            read["again"],
            read.get("missing", 0),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ReportError(f"not a report of 'tunnelspec conform gateway' or 'runner' --json: {error!r}") from error


def _entry(read: Mapping[str, Any]) -> Entry:
    given = {**read, "verdict": Verdict(read["verdict"])}
    return Entry(**_tuples(given, "rules", "told"), drawing=_drawing(read))


def _failure(read: Mapping[str, Any]) -> Failure:
    return Failure(**_tuples(read, "cases", "due", "conversation", "told"), drawing=_drawing(read))


def _tuples(read: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: tuple(v) if name in names else v for name, v in read.items() if name != "drawing"}


def _drawing(read: Mapping[str, Any]) -> Drawing | None:
    return None if read["drawing"] is None else drawing_from_json(json.dumps(read["drawing"]))


def read(path: Path) -> Report:
    """A file that ``--json`` wrote. Raises ``ReportError``, which names it, and ``OSError``."""
    try:
        return from_json(json.loads(path.read_text(encoding="utf-8")))
    except (UnicodeDecodeError, ValueError) as error:
        raise ReportError(f"{path}: {error}") from error


def named(reports: Sequence[tuple[str, Report]]) -> list[tuple[str, Report]]:
    """The reports under their subjects' names; where two are alike, the file's name tells them apart."""
    times = Counter(report.subject for _, report in reports)
    return [
        (report.subject if times[report.subject] == 1 else f"{report.subject} ({file})", report)
        for file, report in reports
    ]
