"""The verdicts: every claim decided from what was explored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tunnelfindings.claims import CLAIMS
from tunnelfindings.experiments import Claim, Decided, Departures, Explored, Fix, Harm, Met, Remedy, Verdict
from tunnelspec.deviations import DEVIATIONS


@dataclass(frozen=True)
class FixVerdict:
    """A suggested fix, decided."""

    fix: Fix
    remedy: Remedy
    harm: Harm | None


@dataclass(frozen=True)
class Judged:
    """A claim, decided."""

    claim: Claim
    decided: Decided
    fixes: tuple[FixVerdict, ...]

    @property
    def departures(self) -> Departures:
        """What the tables depart by in the trace that decides it."""
        experiment = self.claim.experiment
        if isinstance(experiment, Met):
            return experiment.departures
        return experiment.needs[-1] if experiment.needs else ()

    @property
    def lines(self) -> tuple[str, ...]:
        """The transitions that the departures change: the rules of ours that prevent the harm."""
        names = (line.id for name in self.departures for line in DEVIATIONS[name].lines)
        return tuple(dict.fromkeys(names))

    def as_json(self) -> dict[str, Any]:
        """The verdict as data."""
        harm = self.decided.harm
        return {
            "id": self.claim.id,
            "says": self.claim.says,
            "verdict": self.decided.verdict.value,
            "fix": self.fixes[0].remedy.value if self.fixes else None,
            "fixes": [{"says": f.fix.says, "verdict": f.remedy.value} for f in self.fixes],
            "property": harm.property if harm else None,
            "steps": len(harm.actions) if harm else None,
            "world": harm.world if harm else None,
            "trace": list(harm.actions) if harm else None,
            "departures": list(self.departures),
            "transitions": list(self.lines),
            "states": self.decided.states,
            "proof": self.decided.proof or None,
        }


def judge(claim: Claim, explored: Explored) -> Judged:
    """A claim and the fixes suggested for it, decided."""
    decided = claim.experiment.decide(explored)
    fixes = ((fix, *fix.decide(decided, explored)) for fix in claim.fixes)
    return Judged(claim, decided, tuple(FixVerdict(*each) for each in fixes))


def judge_all(explored: Explored, claims: tuple[Claim, ...] = CLAIMS) -> tuple[Judged, ...]:
    """All of them, in order."""
    return tuple(judge(claim, explored) for claim in claims)


def undecided(judged: tuple[Judged, ...]) -> tuple[str, ...]:
    """What the bounds did not decide."""
    return tuple(
        j.claim.id
        for j in judged
        if j.decided.verdict is Verdict.UNDECIDED or any(f.remedy is Remedy.UNDECIDED for f in j.fixes)
    )
