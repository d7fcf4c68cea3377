"""The machines' pictures, as ``tunnelspec draw`` draws them, made ready to stand together on one page."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tunneldraw.picture import Picture
from tunneldraw.render import pictures
from tunneldraw.svg import machine_svg
from tunnelspec.endpoint import GATEWAY, RUNNER


def shown() -> tuple[Picture, ...]:
    """The machines of both ends of a socket."""
    return pictures((*GATEWAY.machines, *RUNNER.machines))


def drawn(wanted: Iterable[Picture]) -> dict[str, str]:
    """Machine id -> its picture. Raises ``tunneldraw.svg.Undrawable``."""
    return {picture.machine.id: ready(machine_svg(picture)[0]) for picture in wanted}


def ready(svg: str) -> str:
    """The picture without what the page has once for all: its style, and links to pages that are elsewhere."""
    svg = re.sub(r"<!--.*?-->\s*|<style>.*?</style>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r' xlink:href="[^"]*"', "", svg)
    return re.sub(r">\s+<", "><", svg).strip()
