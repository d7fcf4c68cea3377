"""What became of the mutants: a file a role, and a page for readers, both committed.

What is known of a mutant holds as long as the code of its function is what it was; other changes leave it alone. What is out of
scope or equivalent is said in ``scope``, and applied when the record is read.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.mutants.places import Mutant, mutants
from tools.mutants.scope import equivalent, outside
from tools.mutants.trial import Outcome

REPORTS = Path(__file__).resolve().parents[2] / "conformance" / "reports"
FORMAT, VERSION = "tunnelspec-code-mutants", 1
KILLED, SURVIVED, EQUIVALENT, OUTSIDE, UNKNOWN = (
    "killed",
    "survived",
    "equivalent",
    "outside",
    "unknown",
)
ENOUGH = 0.9
"""The share that must be killed, of those in scope that are not equivalent."""

FRESH = 0.75
"""The share of the mutants in scope that must have been tried with the code as it is now."""


class RecordError(ValueError):
    """A file that is no record: the message names the file and what is wrong with it."""


@dataclass(frozen=True)
class Known:
    """What came of one mutant, with the code of its function at that time."""

    code: str
    outcome: Outcome


@dataclass
class Record:
    """A role's mutants, by their ids."""

    role: str
    seed: int = 0  # of the sample that was tried
    cases: int = 0  # so many were held against each that survived
    known: dict[str, Known] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        return path_of(self.role)

    def fate(self, mutant: Mutant) -> tuple[str, str]:
        """What is known of it, and why or by which case."""
        if why := outside(mutant):
            return OUTSIDE, why
        known = self.known.get(mutant.id)
        if known is None or known.code != mutant.code:
            return UNKNOWN, "its function's code has changed since" if known else "not tried"
        if known.outcome.by:
            return KILLED, known.outcome.by
        return (EQUIVALENT, why) if (why := equivalent(mutant)) else (SURVIVED, "")

    def fates(self) -> dict[str, tuple[str, str]]:
        """Of every mutant that there is now."""
        return {mutant.id: self.fate(mutant) for mutant in mutants(self.role)}

    def counts(self) -> Counter[str]:
        return Counter(state for state, _ in self.fates().values())

    @property
    def share(self) -> float:
        """Killed, of those that were tried and that somebody could notice."""
        counts = self.counts()
        return counts[KILLED] / max(1, counts[KILLED] + counts[SURVIVED])

    @property
    def fresh(self) -> float:
        """The share that is known, of those in scope."""
        counts = self.counts()
        return 1 - counts[UNKNOWN] / max(1, sum(counts.values()) - counts[OUTSIDE])

    def contradictions(self) -> list[str]:
        """Mutants that are said to be equivalent, and that a case notices."""
        return [m.id for m in mutants(self.role) if equivalent(m) and self.fate(m)[0] == KILLED]

    def to_json(self) -> str:
        """A line a mutant, in the order of the code."""
        head = {"format": FORMAT, "version": VERSION, "role": self.role, "seed": self.seed, "cases": self.cases}
        order = {mutant.id: place for place, mutant in enumerate(mutants(self.role))}
        kept = sorted((id_ for id_ in self.known if id_ in order), key=order.__getitem__)
        lines = [f" {json.dumps(id_)}: {json.dumps(_told(self.known[id_]))}" for id_ in kept]
        return json.dumps(head)[:-1] + ', "mutants": {\n' + ",\n".join(lines) + "\n}}\n"

    def write(self) -> None:
        self.path.write_text(self.to_json(), encoding="utf-8")


def _told(known: Known) -> Mapping[str, Any]:
    return {"code": known.code, "by": known.outcome.by, "seconds": known.outcome.seconds}


def path_of(role: str) -> Path:
    """Where a role's record is."""
    return REPORTS / f"mutants-{role}.json"


def read(role: str, path: Path | None = None) -> Record:
    """A role's record; an empty one if there is none yet. Raises ``RecordError``, and ``OSError``."""
    path = path or path_of(role)
    if not path.exists():
        return Record(role)
    try:
        raw: Any = json.loads(path.read_text(encoding="utf-8"))
        if (raw["format"], raw["version"], raw["role"]) != (FORMAT, VERSION, role):
            raise RecordError(f"{path}: not a record of a {role}'s mutants, version {VERSION}")
        known = {
            id_: Known(str(told["code"]), Outcome(str(told["by"]), float(told["seconds"])))
            for id_, told in raw["mutants"].items()
        }
        return Record(role, int(raw["seed"]), int(raw["cases"]), known)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, RecordError):
            raise
        raise RecordError(f"{path}: not a record of mutants: {error}") from error
