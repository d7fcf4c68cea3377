"""Pictures as Mermaid, for pages that draw it themselves (GitHub does).

Mermaid places labels by guess, so they are short: id, event, guard, and the names of what is put out. Between two states
there is one arrow with a line for each transition. Ignored and refused events are comments.
"""

from __future__ import annotations

from collections.abc import Iterable

from tunneldraw.effects import outputs
from tunneldraw.picture import Picture, Wiring, guard, until
from tunneldraw.svg import MARK
from tunnelspec.machine import Kind, Transition

CLASSES = {
    Kind.START: "fill:#eceff3,stroke:#6b7685,color:#1b2430",
    Kind.WAITING: "fill:#fff3d1,stroke:#a06a00,stroke-dasharray:6 3,color:#1b2430",
    Kind.STEADY: "fill:#dff3e4,stroke:#1f7a3d,stroke-width:3px,color:#1b2430",
    Kind.RESTING: "fill:#e3ecfb,stroke:#2c5aa8,stroke-width:2px,stroke-dasharray:2 3,color:#1b2430",
    Kind.END: "fill:#f6e2e2,stroke:#a13a3a,stroke-width:4px,color:#1b2430",
}
ENTITIES = {"#": "#35;", ";": "#59;", ":": "#58;", "<": "#lt;", ">": "#gt;", '"': "#quot;", "`": "'"}
HEADER = f"%% {MARK}"


def machine_mermaid(picture: Picture) -> str:
    """A machine as a ``stateDiagram-v2``."""
    machine = picture.machine
    lines = ["stateDiagram-v2", f"    {HEADER}", f"    accTitle: {machine.id}", f"    accDescr: {plain(machine.says)}"]
    lines += [f"    classDef {kind.value}Kind {look}" for kind, look in CLASSES.items()]
    for state in machine.states:
        said = [f"{state.name} ({state.kind.value})", state.says]
        said += [f"waits for {state.waits_for}"] if state.waits_for else []
        said += [f"until {until(state)}"] if state.until else []
        for t in picture.taken:
            if state.name in t.sources and t.target in (None, state.name):
                said.append(label(t))
        lines.append(f"    {node(state.name)} : {'<br/>'.join(plain(line) for line in said)}")
        lines.append(f"    class {node(state.name)} {state.kind.value}Kind")
    lines.append(f"    [*] --> {node(machine.initial)}")
    arrows: dict[tuple[str, str], list[Transition]] = {}
    for t in picture.taken:
        for source in t.sources:
            if t.target and source != t.target:
                arrows.setdefault((source, t.target), []).append(t)
    for (source, target), rows in arrows.items():
        lines.append(f"    {node(source)} --> {node(target)} : {'<br/>'.join(plain(label(t)) for t in rows)}")
    for word, silent in (("refused", picture.refused), ("ignored", picture.ignored)):
        lines += [f"    %% {word} {t.id} {t.on.__name__} in {', '.join(t.sources)}" for t in silent]
    return "\n".join(lines) + "\n"


def wiring_mermaid(wiring: Wiring) -> str:
    """An endpoint as a flowchart of its machines."""
    lines = [
        "flowchart TB",
        f"    {HEADER}",
        f"    accTitle: {wiring.name}",
        f"    accDescr: {plain(wiring.endpoint.says)}",
    ]
    for machine in wiring.endpoint.machines:
        lines.append(f'    {node(machine.id)}["{machine.id}<br/>{plain(machine.says)}"]')
    for wire in wiring.wires:
        names = "<br/>".join(signal.__name__ for signal in wire.signals)
        lines.append(f'    {node(wire.sender.id)} -->|"{names}"| {node(wire.hearer.id)}')
    return "\n".join(lines) + "\n"


def label(t: Transition) -> str:
    """Id, event, guard, and the names of the outputs."""
    names: Iterable[str] = dict.fromkeys(output.kind.__name__ for output in outputs(t.then))
    said = ", ".join(names)
    return " ".join(part for part in (t.id, t.on.__name__, guard(t), f"/ {said}" if said else "") if part)


def node(name: str) -> str:
    """A name that Mermaid does not take for a keyword."""
    return "s_" + name.replace("-", "_")


def plain(text: str) -> str:
    """Text without the characters that Mermaid reads as its own; they become entities, without their semicolons' meaning."""
    return "".join(ENTITIES.get(character, character) for character in text)
