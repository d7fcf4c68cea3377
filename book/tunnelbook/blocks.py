"""What is generated: state tables, transition tables, limits, counts. Pure functions from the tables to Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from tunneldraw.effects import outputs
from tunnelspec.duties import DUTIES
from tunnelspec.endpoint import ENDPOINTS, MACHINES
from tunnelspec.limits import DEFAULT
from tunnelspec.link_properties import LINK_PROPERTIES
from tunnelspec.machine import Machine, Transition, Verdict
from tunnelspec.properties import PROPERTIES
from tunnelspec.relay_properties import RELAY_PROPERTIES
from tunnelspec.request_properties import REQUEST_PROPERTIES
from tunnelspec.source import text
from tunnelspec.totality import prove_all

Block = Callable[[], str]


def anchor(id_: str) -> str:
    """Where a transition's rule is found on the page."""
    return id_.lower()


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    head = tuple(head)
    lines = [head, tuple("---" for _ in head), *(tuple(row) for row in rows)]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def states(machine: Machine) -> str:
    """The states of a machine."""
    rows = ((f"`{s.name}`", s.kind.value, s.says, s.waits_for or "-", _until(s.until)) for s in machine.states)
    return table(("state", "kind", "means", "waits for", "until"), rows)


def taken(machine: Machine) -> str:
    """The transitions that are taken."""
    rows = (
        (
            _cite(t),
            ", ".join(f"`{s}`" for s in t.sources),
            t.on.__name__,
            _code(t),
            f"`{t.target}`" if t.target else "stays",
            ", ".join(dict.fromkeys(o.kind.__name__ for o in outputs(t.then))) or "-",
            t.says,
            t.ref,
        )
        for t in machine.transitions
        if t.verdict is Verdict.TAKEN
    )
    return table(("id", "in", "on", "when", "goes to", "puts out", "rule", "source"), rows)


def not_taken(machine: Machine) -> str:
    """The events that are ignored or refused."""
    rows = (
        (_cite(t), t.verdict.value, ", ".join(f"`{s}`" for s in t.sources), t.on.__name__, _code(t), t.says)
        for t in machine.transitions
        if t.verdict is not Verdict.TAKEN
    )
    return table(("id", "verdict", "in", "on", "when", "because"), rows)


def machine_block(machine: Machine) -> str:
    """All of a machine."""
    picture = f"[diagram](../diagrams/{machine.id.lower()}.svg)"
    return "\n\n".join(
        (
            f"**{machine.id}** - {machine.says} ({picture})",
            states(machine),
            taken(machine),
            f"<details><summary>ignored and refused by {machine.id}</summary>\n\n{not_taken(machine)}\n\n</details>",
        )
    )


def limits_block() -> str:
    """Every number, with its reason."""
    rows = (
        (f"`{name}`", f"{value:,}".replace(",", " "), unit, why, source)
        for name, value, unit, source, why in DEFAULT.describe()
    )
    return table(("limit", "value", "unit", "why", "source"), rows)


def counts_block() -> str:
    """How large the tables are, and what the proof of totality tried."""
    proofs = prove_all(MACHINES)
    rows = [
        (p.machine.id, str(len(p.machine.states)), str(len(p.machine.transitions)), str(p.pairs), str(p.tried))
        for p in proofs
    ]
    sums = [str(sum(int(row[i]) for row in rows)) for i in range(1, 5)]
    return table(("machine", "states", "transitions", "decided pairs", "tried"), [*rows, ("all", *sums)])


def endpoints_block() -> str:
    """Which machines make up which endpoint."""
    rows = ((e.role.value, e.name, e.says, ", ".join(m.id for m in e.machines)) for e in ENDPOINTS)
    return table(("side", "endpoint", "is", "machines"), rows)


def properties_block() -> str:
    """What the tables are judged by: first the sockets' promises and duties, then what is asked of the worlds beside."""
    worlds = {
        "socket": (*PROPERTIES, *DUTIES),
        "request": REQUEST_PROPERTIES,
        "link": LINK_PROPERTIES,
        "relay": RELAY_PROPERTIES,
    }
    cite = '<a id="{}"></a>{}'.format
    rows = (
        (cite(anchor(p.id), p.id), world, p.scope.value, p.says)
        for world, properties in worlds.items()
        for p in properties
    )
    return table(("name", "world", "of a", "says"), rows)


BLOCKS: Mapping[str, Block] = {
    "limits": limits_block,
    "counts": counts_block,
    "endpoints": endpoints_block,
    "properties": properties_block,
    **{machine.id: partial(machine_block, machine) for machine in MACHINES},
}
"""What a page may ask for: ``<!-- generated: NAME -->`` … ``<!-- end -->``."""


def _cite(transition: Transition) -> str:
    return f'<a id="{anchor(transition.id)}"></a>{transition.id}'


def _code(transition: Transition) -> str:
    return "-" if transition.when is None else f"`{text(transition.when)}`"


def _until(until: str) -> str:
    value = getattr(DEFAULT, until, None) if until.isidentifier() else None
    return until or "-" if value is None else f"`{until}`"
