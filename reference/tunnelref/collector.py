"""Python's cyclic garbage collector, set for a process that keeps many values and makes few cycles.

Contexts, events and frames are values and have no cycles, but each counts as an allocation: by default every few hundred messages
set off a collection, which finds nothing in them. The reference counts free them as ever; what has cycles waits a little longer.
"""

from __future__ import annotations

import gc

ALLOCATIONS = 50_000
"""Net allocations between two collections of the youngest: some ten megabytes at most wait for it."""


def relax() -> None:
    """Collect more rarely, in the whole process."""
    gc.set_threshold(ALLOCATIONS, 20, 50)
