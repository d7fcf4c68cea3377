"""The sizes of ``check``: which of the worlds it explores."""

from __future__ import annotations

from collections.abc import Mapping

from tunnelspec.worlds import LARGE, MEDIUM, MEETINGS, SMALL, Scenario

__all__ = ["DEFAULT_SIZE", "LARGE", "MEDIUM", "MEETINGS", "SIZES", "SMALL", "Scenario"]

SIZES: Mapping[str, tuple[Scenario, ...]] = {"small": SMALL, "medium": MEDIUM, "large": LARGE}
DEFAULT_SIZE = "medium"
