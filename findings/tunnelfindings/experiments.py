"""How a claim can be decided: by a departure from the tables, by what the tables share with the claim, or by a proof.

An experiment is data. ``needs`` says which departures have to be explored for it; ``decide`` reads the verdict off what was
found. Nothing here knows a verdict beforehand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from tunnelcheck.report import Outcome
from tunnelspec.deviations import DEVIATIONS
from tunnelspec.properties import PROPERTIES

Departures = tuple[str, ...]  # names of deviations; none: the tables themselves


class Verdict(StrEnum):
    """What a claim comes to."""

    CONFIRMED = "confirmed"
    HARMLESS = "harmless"
    REFUTED = "refuted"
    MENDED = "mended"
    NO_BEHAVIOUR = "no behaviour"
    UNDECIDED = "undecided"


class Remedy(StrEnum):
    """What a suggested fix comes to. ``NEEDLESS``: it does no harm, and there is nothing to mend."""

    MENDS = "mends"
    NOT_ENOUGH = "not enough"
    HARMFUL = "harmful"
    NEEDLESS = "needless"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Harm:
    """A property that is broken, and the shortest way to that: the world by name, and the ids of the actions."""

    property: str
    world: str
    actions: tuple[str, ...]
    loop: int = 0  # how many of the last actions go round


@dataclass(frozen=True)
class Found:
    """What an exploration of departures found."""

    departures: Departures
    states: int
    worlds: int
    complete: bool
    violated: tuple[Harm, ...]  # the shortest first

    @classmethod
    def of(cls, departures: Departures, outcome: Outcome) -> Found:
        order = {p.id: place for place, p in enumerate(PROPERTIES)}
        harms = [
            Harm(id_, found.scenario.name, found.actions, found.loop) for id_, found in outcome.counterexamples.items()
        ]
        harms.sort(key=lambda harm: (len(harm.actions), order[harm.property]))
        complete = outcome.complete and not any(summary.broken for summary in outcome.summaries)
        return cls(departures, outcome.states, len(outcome.summaries), complete, tuple(harms))

    def of_properties(self, ids: tuple[str, ...]) -> tuple[Harm, ...]:
        """The violations of these properties; of all, if none are named."""
        return tuple(c for c in self.violated if not ids or c.property in ids)


Explored = Mapping[Departures, Found]


@dataclass(frozen=True)
class Decided:
    """A verdict with what it rests on: a trace, or a sentence about a proof."""

    verdict: Verdict
    harm: Harm | None = None
    proof: str = ""
    states: int = 0


@dataclass(frozen=True)
class Merged:
    """The merged code departs from the tables in this way, says the claim. Confirmed if that breaks a property."""

    departures: Departures
    properties: tuple[str, ...] = ()

    @property
    def needs(self) -> tuple[Departures, ...]:
        return (self.departures,)

    def decide(self, explored: Explored) -> Decided:
        found = explored[self.departures]
        violated = found.of_properties(self.properties)
        if violated:
            return Decided(Verdict.CONFIRMED, violated[0], states=found.states)
        return Decided(Verdict.HARMLESS if found.complete else Verdict.UNDECIDED, states=found.states)


@dataclass(frozen=True)
class Met:
    """As ``Merged``, but what breaks needs larger worlds, or departures that meet: it is read off the account (``account``)."""

    departures: Departures
    properties: tuple[str, ...]
    find: Callable[[Departures, str], Harm | None]
    needs: tuple[Departures, ...] = ()

    def decide(self, explored: Explored) -> Decided:
        harm = self.find(self.departures, self.properties[0])
        return Decided(Verdict.UNDECIDED if harm is None else Verdict.CONFIRMED, harm)


@dataclass(frozen=True)
class Unlike:
    """What is claimed is not what happens. Refuted (or mended, if it once did) if the tables hold, while they would not if it
    happened; the trace shows what that would look like. If nothing would come of it, it is harmless either way."""

    departures: Departures
    properties: tuple[str, ...] = ()
    verdict: Verdict = Verdict.REFUTED

    @property
    def needs(self) -> tuple[Departures, ...]:
        return (), self.departures

    def decide(self, explored: Explored) -> Decided:
        tables, other = explored[()], explored[self.departures]
        if not tables.complete or tables.violated:
            return Decided(Verdict.UNDECIDED, states=tables.states)
        violated = other.of_properties(self.properties)
        if violated:
            return Decided(self.verdict, violated[0], states=tables.states + other.states)
        return Decided(Verdict.HARMLESS if other.complete else Verdict.UNDECIDED, states=other.states)


@dataclass(frozen=True)
class Shared:
    """The tables do what is claimed: ``so`` looks that up in them. Harmless if they hold all the same."""

    so: Callable[[], bool]
    says: str

    @property
    def needs(self) -> tuple[Departures, ...]:
        return ((),)

    def decide(self, explored: Explored) -> Decided:
        tables = explored[()]
        if not self.so():
            return Decided(Verdict.REFUTED, proof=f"Not so any more: {self.says}", states=tables.states)
        if tables.violated:
            return Decided(Verdict.CONFIRMED, tables.violated[0], states=tables.states)
        verdict = Verdict.HARMLESS if tables.complete else Verdict.UNDECIDED
        return Decided(verdict, proof=self.says, states=tables.states)


@dataclass(frozen=True)
class Proof:
    """A proof over all values: it gives whether the claim is true, and a sentence with what it found."""

    by: Callable[[], tuple[bool, str]]
    needs: tuple[Departures, ...] = ()

    def decide(self, explored: Explored) -> Decided:
        true, says = self.by()
        return Decided(Verdict.CONFIRMED if true else Verdict.REFUTED, proof=says)


@dataclass(frozen=True)
class Praised:
    """Praise. Refuted if the merged code, departing so, breaks one of these properties; else confirmed."""

    departures: Departures
    properties: tuple[str, ...]

    @property
    def needs(self) -> tuple[Departures, ...]:
        return (self.departures,)

    def decide(self, explored: Explored) -> Decided:
        found = explored[self.departures]
        violated = found.of_properties(self.properties)
        if violated:
            return Decided(Verdict.REFUTED, violated[0], states=found.states)
        return Decided(Verdict.CONFIRMED, proof=f"{', '.join(self.properties)} hold.", states=found.states)


@dataclass(frozen=True)
class Word:
    """A matter of style, cost or documentation: how the project treats it."""

    says: str
    needs: tuple[Departures, ...] = ()

    def decide(self, explored: Explored) -> Decided:
        return Decided(Verdict.NO_BEHAVIOUR, proof=self.says)


Experiment = Merged | Met | Unlike | Shared | Proof | Praised | Word


@dataclass(frozen=True)
class Fix:
    """A suggested fix, and the departures from the tables that are left once it is made."""

    says: str
    leaves: Departures = ()
    because: str = ""

    def decide(self, claim: Decided, explored: Explored) -> tuple[Remedy, Harm | None]:
        """Judged by what is left: nothing that harms, harm that was there before, or harm of its own."""
        found = explored[self.leaves]
        if found.violated:
            new = any(not DEVIATIONS[name].merged for name in self.leaves)
            return Remedy.HARMFUL if new else Remedy.NOT_ENOUGH, found.violated[0]
        if not found.complete:
            return Remedy.UNDECIDED, None
        return Remedy.MENDS if claim.verdict is Verdict.CONFIRMED else Remedy.NEEDLESS, None


@dataclass(frozen=True)
class Claim:
    """A claim in the words of the list of reviews, how it is decided, and what was suggested."""

    id: str
    says: str
    experiment: Experiment
    fixes: tuple[Fix, ...] = ()
    because: str = ""  # what hides or limits the harm, or what the claim overlooks
    stands_for: tuple[str, ...] = ()  # of what the merged code departs by: the properties that this breaks

    @property
    def needs(self) -> tuple[Departures, ...]:
        """The departures that must be explored for it."""
        return (*self.experiment.needs, *(fix.leaves for fix in self.fixes))
