"""All files of ``diagrams/``, from the tables alone: the same tables give the same bytes."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tunneldraw.mermaid import machine_mermaid, wiring_mermaid
from tunneldraw.pages import index_html, readme
from tunneldraw.picture import Picture, Wiring
from tunneldraw.svg import MARK, machine_svg, wiring_svg
from tunnelspec.endpoint import ENDPOINTS, MACHINES, Endpoint
from tunnelspec.machine import Machine

SUFFIXES = (".dot", ".svg", ".mmd", ".html", ".md")


class Status(StrEnum):
    """What a file in the folder is, against what it must be."""

    CURRENT = "current"
    STALE = "stale"
    MISSING = "missing"
    SUPERFLUOUS = "superfluous"


@dataclass(frozen=True, slots=True)
class Checked:
    """One file's status."""

    name: str
    status: Status


def pictures(machines: Sequence[Machine] = MACHINES) -> tuple[Picture, ...]:
    """One for each machine."""
    return tuple(Picture(machine) for machine in machines)


def wirings(endpoints: Sequence[Endpoint] = ENDPOINTS) -> tuple[Wiring, ...]:
    """One for each endpoint that has more than one machine."""
    return tuple(Wiring(endpoint) for endpoint in endpoints if len(endpoint.machines) > 1)


def names(machines: Sequence[Machine] = MACHINES, endpoints: Sequence[Endpoint] = ENDPOINTS) -> tuple[str, ...]:
    """What ``--only`` may be."""
    return tuple(w.name for w in wirings(endpoints)) + tuple(p.name for p in pictures(machines))


def files(
    machines: Sequence[Machine] = MACHINES, endpoints: Sequence[Endpoint] = ENDPOINTS, only: str | None = None
) -> dict[str, str]:
    """File name -> content. With ``only``, the three files of one picture. Raises ``svg.Undrawable``."""
    made: dict[str, str] = {}
    for wiring in wirings(endpoints):
        if only in (None, wiring.name):
            drawn, source = wiring_svg(wiring)
            made |= {f"{wiring.name}.dot": f"// {MARK}\n{source}", f"{wiring.name}.svg": drawn}
            made[f"{wiring.name}.mmd"] = wiring_mermaid(wiring)
    for picture in pictures(machines):
        if only in (None, picture.name):
            drawn, source = machine_svg(picture)
            made |= {f"{picture.name}.dot": f"// {MARK}\n{source}", f"{picture.name}.svg": drawn}
            made[f"{picture.name}.mmd"] = machine_mermaid(picture)
    if only is None:
        made["index.html"] = index_html(wirings(endpoints), pictures(machines), made)
        made["README.md"] = readme(wirings(endpoints), pictures(machines))
    return made


def write(folder: pathlib.Path, wanted: Mapping[str, str], *, whole: bool) -> tuple[Checked, ...]:
    """Bring the folder up to date; what each file was before.

    With ``whole``, generated files that should not be there are removed; what somebody else made stays.
    """
    found = check(folder, wanted, whole=whole)
    folder.mkdir(parents=True, exist_ok=True)
    for file in found:
        if file.status is Status.SUPERFLUOUS:
            if "tunnelspec draw" in (folder / file.name).read_text(errors="replace")[:300]:
                (folder / file.name).unlink()
        elif file.status is not Status.CURRENT:
            (folder / file.name).write_bytes(wanted[file.name].encode())
    return found


def check(folder: pathlib.Path, wanted: Mapping[str, str], *, whole: bool) -> tuple[Checked, ...]:
    """Compare the folder with what it must hold, byte for byte."""
    found = []
    for name, content in wanted.items():
        path = folder / name
        present = path.read_bytes() if path.exists() else None
        same = Status.CURRENT if present == content.encode() else Status.STALE
        status = Status.MISSING if present is None else same
        found.append(Checked(name, status))
    if whole and folder.is_dir():
        there = sorted(p.name for p in folder.iterdir() if p.is_file() and p.suffix in SUFFIXES)
        found += [Checked(name, Status.SUPERFLUOUS) for name in there if name not in wanted]
    return tuple(found)
