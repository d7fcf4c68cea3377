"""The account: everything that breaks as merged, and which finding stands for it.

Every property is asked of the tables with all the departures of the merged code at once, and with each of them alone, in every
small and medium world and in those beside. What breaks only where several departures meet is traced to as few of them as it takes.
The record of that is committed beside this module, for it takes minutes; it knows from which code it was made. A violation for
which no finding stands, and a finding that stands for one that does not happen, are errors.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import as_completed
from dataclasses import asdict, dataclass
from os import cpu_count
from pathlib import Path
from typing import Any

from tunnelcheck import decide as deciding
from tunnelcheck.interrupt import workers
from tunnelcheck.meaning import Sources
from tunnelcheck.replay import replay
from tunnelcheck.report import check
from tunnelcheck.scenarios import BESIDE, MEDIUM, PROPERTIES_OF, SMALL
from tunnelfindings.experiments import Claim, Departures, Harm, Met
from tunnelspec import machine
from tunnelspec.deviations import DEVIATIONS, MERGED, apply
from tunnelspec.properties import Scope

RECORD = Path(__file__).with_name("account.json")
"""The committed record."""

MOST, FEWER = 200_000, 60_000
"""States of a world that departs, after which it is left: of a small one, and of others. Some go on for ever; harm shows early."""

WORLDS = {scenario.name: scenario for scenario in (*MEDIUM, *BESIDE)}
RUNS = {prop.id for known in PROPERTIES_OF.values() for prop in known if prop.scope is Scope.RUN}
ALL = tuple(d.id for d in MERGED)

Report = Callable[[int, int, Departures], None]


@dataclass(frozen=True)
class Broken:
    """A property that these departures break, and the shortest way to that."""

    departures: Departures
    property: str
    world: str
    actions: tuple[str, ...]


def broken_by(departures: Departures, worlds: Sequence[str] = tuple(WORLDS)) -> tuple[Broken, ...]:
    """All that these departures break in these worlds, each property once, by the shortest trace."""
    patches = [DEVIATIONS[name] for name in departures]
    outcome = check(
        [WORLDS[name] for name in worlds],
        lambda scenario: apply(scenario.system(), patches),
        report=lambda scenario: lambda exploration: exploration.states < (MOST if scenario in SMALL else FEWER),
    )
    found = outcome.counterexamples.items()
    return tuple(Broken(departures, id_, c.scenario.name, c.actions) for id_, c in found)


def traced(harm: Broken) -> Broken:
    """The same harm by as few of the departures as it takes in its world: each one is left out that can be."""
    for name in harm.departures:
        fewer = tuple(other for other in harm.departures if other != name)
        still = [each for each in broken_by(fewer, [harm.world]) if each.property == harm.property]
        harm = still[0] if still else harm
    return harm


def account(report: Report = lambda done, total, departures: None) -> tuple[Broken, ...]:
    """All that breaks as merged: by each departure alone, by all of them, and by the few that must meet."""
    todo: list[Departures] = [ALL, *((name,) for name in ALL)]
    found: dict[Departures, tuple[Broken, ...]] = {}
    with workers(cpu_count() or 1) as pool:
        running = {pool.submit(broken_by, departures): departures for departures in todo}
        for future in as_completed(running):
            found[running[future]] = future.result()
            report(len(found), len(todo), running[future])
        alone = {harm.property for name in ALL for harm in found[name,]}
        met = tuple(pool.map(traced, [harm for harm in found[ALL] if harm.property not in alone]))
    return (*(harm for departures in todo for harm in found[departures]), *met)


# -- the record ------------------------------------------------------------------------------------------------------


VERSION = 2


def sources() -> tuple[Path, ...]:
    """What decides the account."""
    spec = Path(str(machine.__file__)).parent
    asked = (path for path in sorted(spec.glob("*.py")) if not path.name.startswith("duties"))  # duties are not asked
    return (*asked, Path(str(deciding.__file__)))


def to_json(harms: Iterable[Broken], made_by: Sources) -> str:
    """The record: a line a violation. ``made_by``: the sources when it was begun."""
    rows = ",\n".join(f" {json.dumps(asdict(harm))}" for harm in harms)
    head = json.dumps({"format": "tunnelspec-account", "version": VERSION, "key": asdict(made_by)})
    return f'{head[:-1]}, "broken": [\n{rows}\n]}}\n'


def recorded() -> tuple[Broken, ...] | None:
    """The committed record; None if there is none, or it was made by other code."""
    try:
        raw: dict[str, Any] = json.loads(RECORD.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if raw.get("version") != VERSION or not Sources(**raw["key"]).are(sources()):
        return None
    return tuple(
        Broken(tuple(row["departures"]), row["property"], row["world"], tuple(row["actions"])) for row in raw["broken"]
    )


def harm_of(departures: Departures, id_: str) -> Harm | None:
    """The recorded harm that exactly these departures do to a property."""
    for harm in recorded() or ():
        if set(harm.departures) == set(departures) and harm.property == id_:
            return Harm(id_, harm.world, harm.actions, loop_of(harm))
    return None


def loop_of(harm: Broken) -> int:
    """How many of the last actions lead back to where they began, of a run that goes round; else 0."""
    if harm.property not in RUNS:
        return 0
    system = apply(WORLDS[harm.world].system(), [DEVIATIONS[name] for name in harm.departures])
    moments = replay(system, harm.actions)
    return len(moments) - max(n for n, moment in enumerate(moments) if moment.before == moments[-1].after)


# -- who stands for it -----------------------------------------------------------------------------------------------


def stands_for(claim: Claim, harm: Broken) -> bool:
    """Whether the claim is about this harm: it names the property, and its departures alone do it."""
    return harm.property in claim.stands_for and (harm.departures == ALL or set(harm.departures) in about(claim))


def about(claim: Claim) -> tuple[set[str], ...]:
    """The sets of departures that a claim, or a fix that was suggested for it, is about."""
    experiment = claim.experiment
    return (
        (set(experiment.departures),)
        if isinstance(experiment, Met)
        else tuple(set(need) for need in claim.needs if need)
    )


def unaccounted(harms: Iterable[Broken], claims: Iterable[Claim]) -> tuple[Broken, ...]:
    """The violations for which no claim stands."""
    known = tuple(claims)
    return tuple(harm for harm in harms if not any(stands_for(claim, harm) for claim in known))


def unfounded(harms: Iterable[Broken], claims: Iterable[Claim]) -> tuple[tuple[str, str], ...]:
    """Claims and properties for which they stand, though they are not broken so."""
    broken = [(set(harm.departures), harm.property) for harm in harms]
    return tuple(
        (claim.id, id_)
        for claim in claims
        for id_ in claim.stands_for
        if not any((departures, id_) in broken for departures in about(claim))
    )


def faults(harms: Sequence[Broken], claims: Sequence[Claim]) -> tuple[str, ...]:
    """What is wrong with the account, a line each."""
    return (
        *(f"no finding stands for {h.property}, broken by {' '.join(h.departures)} in {h.world} ({len(h.actions)} steps)"
          for h in unaccounted(harms, claims)),
        *(f"{id_} stands for {prop}, which it does not break" for id_, prop in unfounded(harms, claims)),
    )  # fmt: skip
