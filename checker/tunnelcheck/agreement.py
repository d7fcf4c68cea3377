"""Two engines, one answer: the explorer, and SPIN on what was translated from the tables' source.

For each world and each deviation both must find the same number of states and transitions, the same depth, the same lines of the
tables taken, the same idle properties and the same violations. The record of that is committed beside this module; it knows from
which sources it was made (their code, not their words), and is stale when they have changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import tunnelexport.promela
import tunnelspec
from tunnelcheck.decide import decide
from tunnelcheck.interrupt import scratch
from tunnelcheck.meaning import Sources
from tunnelcheck.spin import circles
from tunnelexport.promela.model import export
from tunnelexport.promela.spin import Failed, Mode, Ran, run
from tunnelspec.deviations import ALL, DEVIATIONS, MERGED, Deviation, apply
from tunnelspec.duties import DUTIES
from tunnelspec.properties import PROPERTIES, Property
from tunnelspec.system import System
from tunnelspec.worlds import MEDIUM, MEETINGS, SMALL, Scenario

FORMAT, VERSION = "tunnelspec-agreement", 2
RECORD = Path(__file__).with_name("agreement.json")
"""The committed record."""

MOST = 30_000
"""States of a world with a deviation; what has more is left to the worlds in which the same property breaks earlier."""

ROOMS = (tunnelspec, tunnelexport.promela)
OTHERS = ("cli.py", "spin.py", "link.py", "request.py", "source.py", "totality.py", "timing.py",
          "exchange.py", "cable.py", "watch.py", "link_properties.py", "relay_properties.py", "request_properties.py")  # fmt: skip
"""Modules of these rooms on which no exported model depends."""


@dataclass(frozen=True)
class Finding:
    """What one engine says of one world."""

    states: int
    transitions: int
    depth: int
    lines: int  # of the tables, taken
    violated: tuple[str, ...]
    idle: tuple[str, ...]
    undecided: bool = False  # a table was silent or ambiguous: nothing else is said


@dataclass(frozen=True)
class Comparison:
    """Both engines on one world."""

    world: str
    deviations: tuple[str, ...]
    explorer: Finding
    spin: Finding
    same_lines: bool  # not only as many

    @property
    def agrees(self) -> bool:
        return self.explorer == self.spin and self.same_lines


SHARE = 24
"""Duties that one model is asked about: SPIN reads no longer text."""

SHARES = tuple(DUTIES[first : first + SHARE] for first in range(0, len(DUTIES), SHARE))

NOTHING = Finding(0, 0, 0, 0, (), (), True)


def compare(
    scenario: Scenario, deviations: Sequence[Deviation] = (), runs: bool | None = None, duties: bool | None = None
) -> Comparison | None:
    """One world by both engines; None if it is too large. ``runs``: also whether every run ends, ``duties``: also the duties of
    each step, both of which take more searches; by default for small worlds as they are. Raises ``Missing``, ``Failed`` and
    ``Refused``."""
    plain = scenario in SMALL and not deviations
    runs, duties = plain if runs is None else runs, plain if duties is None else duties
    system = apply(System(scenario.bounds), deviations)
    shares = (PROPERTIES, *SHARES) if duties else (PROPERTIES,)
    judged = tuple(prop for share in shares for prop in share)
    decision = decide(scenario, system, judged, lambda e: not deviations or e.states < MOST)
    if not decision.complete and not decision.broken:
        return None
    ran = together([searched(system, share) for share in shares])
    explored, asked = decision.exploration, {p.id for p in decision.judged if runs or p.id != "L-END"}
    ours = Finding(
        *(explored.states, explored.transitions, explored.depth, len(decision.took)),
        violated=tuple(sorted(decision.violations.keys() & asked)),
        idle=tuple(sorted(id_ for id_ in asked if not decision.witnesses[id_])),
    )
    theirs = _finding(ran, asked, system if runs else None)
    names = tuple(d.id for d in deviations)
    if decision.broken:
        return Comparison(scenario.name, names, NOTHING, NOTHING if ran.undecided else theirs, True)
    return Comparison(scenario.name, names, ours, theirs, ran.took == decision.took)


def searched(system: System, properties: Sequence[Property]) -> Ran:
    """What SPIN finds of these properties. Raises ``Missing``, ``Failed`` and ``Refused``."""
    with scratch() as folder:
        return run(export(system, properties), Mode(optimise=0), folder)


def together(searches: Sequence[Ran]) -> Ran:
    """Searches of one world for different properties. Raises ``Failed`` if they do not see the same states."""
    first, *others = searches
    for other in others:
        if (other.states, other.transitions, other.depth) != (first.states, first.transitions, first.depth):
            raise Failed(f"two searches of one world: {other.states} states and {first.states}")
        first.witnesses |= other.witnesses
        first.violated |= other.violated
    return first


def _finding(ran: Ran, asked: set[str], system: System | None) -> Finding:
    if ran.undecided:
        return NOTHING
    if system is not None:
        circle = circles(system, optimise=0)
        ran.witnesses["L-END"] = circle.transitions
        ran.violated |= {"L-END"} if circle.circle else set()
    return Finding(
        *(ran.states, ran.transitions, ran.depth, len(ran.took)),
        violated=tuple(sorted(ran.violated)),
        idle=tuple(sorted(id_ for id_ in asked if not ran.witnesses.get(id_))),
    )


Task = tuple[tuple[str, ...], tuple[str, ...]]
"""Worlds, by name, and deviations, by name. No worlds: those that tell most."""


def tasks() -> list[Task]:
    """All worlds as they are; each deviation; and all together that the merged code has."""
    patched: list[Task] = [((), (deviation.id,)) for deviation in ALL]
    return [*(((scenario.name,), ()) for scenario in MEDIUM), *patched, ((), tuple(d.id for d in MERGED))]


def done(task: Task) -> list[Comparison]:
    """What comes of a task. Raises as ``compare`` does."""
    worlds, names = task
    patches = tuple(DEVIATIONS[name] for name in names)
    scenarios = [s for s in MEDIUM if s.name in worlds] if worlds else telling(patches)
    compared = (compare(scenario, patches) for scenario in scenarios)
    return [comparison for comparison in compared if comparison is not None]


def telling(patches: tuple[Deviation, ...]) -> list[Scenario]:
    """As few worlds as show everything that the patches break in small ones; if that is nothing, in those that are not large. If
    it is nothing there either, a world in which they change something; if nothing, any."""
    changed: list[Scenario] = []
    for worlds in (SMALL, MEETINGS):
        breaks: dict[str, set[str]] = {}
        for scenario in worlds:
            found = decide(scenario, apply(System(scenario.bounds), patches), report=lambda e: e.states < MOST)
            if found.complete or found.broken:
                breaks[scenario.name] = set(found.violations) or ({"table"} if found.broken else set())
                if worlds is SMALL and found.exploration.transitions != decide(scenario).exploration.transitions:
                    changed.append(scenario)
        chosen: list[str] = []
        missing = set().union(*breaks.values())
        while missing:
            best = max(breaks, key=lambda name: len(breaks[name] & missing))
            chosen.append(best)
            missing -= breaks[best]
        if chosen:
            return [scenario for scenario in worlds if scenario.name in chosen]
    return changed[:1] or [SMALL[0]]


# -- the record ------------------------------------------------------------------------------------------------------


def sources() -> tuple[Path, ...]:
    """The code that the record is about: tables, worlds, properties, deviations, and the translation."""
    rooms = (Path(next(iter(room.__path__))) for room in ROOMS)
    return tuple(path for room in rooms for path in sorted(room.glob("*.py")) if path.name not in OTHERS)


def record(comparisons: Iterable[Comparison], version: str, sources: Sources) -> str:
    """The record as JSON: one line for each comparison. ``sources``: those when it was begun."""
    rows = [json.dumps({**asdict(c), "agrees": c.agrees}) for c in comparisons]
    head = {"format": FORMAT, "version": VERSION, "spin": version, "sources": asdict(sources)}
    return json.dumps(head)[:-1] + ', "comparisons": [\n' + ",\n".join(rows) + "\n]}\n"


def recorded() -> dict[str, Any] | None:
    """The committed record; None if there is none."""
    try:
        found: dict[str, Any] = json.loads(RECORD.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if found.get("version") == VERSION else None


def stale() -> bool:
    """Whether the record is missing, or of other sources."""
    found = recorded()
    return found is None or not Sources(**found["sources"]).are(sources())


def engines_that_agree() -> tuple[str, ...]:
    """What the trust section of ``check`` may say: the engines, each with what it agreed on. Of a stale record, only that."""
    found = recorded()
    ours = "the explorer (tables computed once, looked up ever after)"
    if found is None or stale():
        return (ours, "SPIN agreed with earlier tables only: tunnelspec agree decides it again")
    rows = found["comparisons"]
    if not all(row["agrees"] for row in rows):
        return (ours, "SPIN does not agree: tunnelspec agree shows where")
    specified = [row for row in rows if not row["deviations"]]
    patched = [row for row in rows if row["deviations"]]
    names = {name for row in patched for name in row["deviations"]}
    states = sum(row["spin"]["states"] for row in specified)
    return (
        ours,
        f"SPIN {found['spin']}, on the tables translated from source to C: the same {states:,} states of {len(specified)} worlds, "
        f"the same verdict on {len(PROPERTIES) + len(DUTIES)} properties, and for {len(names)} of {len(DEVIATIONS)} deviations",
    )
