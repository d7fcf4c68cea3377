"""Several subjects side by side: a row a transition, or a case, and a column a subject."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tunnelconform.marks import SHAPES
from tunnelconform.report import Report, worst
from tunneldraw.sequence_text import columns, fit, visible


@dataclass(frozen=True)
class Row:
    """A transition or a case, and in each column how many cases came to what."""

    id: str
    cells: tuple[Counter[str], ...]

    @property
    def differs(self) -> bool:
        """Whether the subjects do not all come to the same."""
        return len({worst(cell) for cell in self.cells}) > 1


@dataclass(frozen=True)
class Matrix:
    """The table. ``subjects`` name its columns."""

    subjects: tuple[str, ...]
    rows: tuple[Row, ...]
    totals: tuple[Counter[str], ...]


def matrix(reports: Sequence[tuple[str, Report]], cases: bool = False, differing: bool = False) -> Matrix:
    """The reports side by side, in the order of the ids; with ``differing``, only the rows in which they do."""
    columns_ = [_by_case(report) if cases else report.by_transition() for _, report in reports]
    ids = sorted({id_ for column in columns_ for id_ in column})
    rows = (Row(id_, tuple(column.get(id_, Counter()) for column in columns_)) for id_ in ids)
    return Matrix(
        tuple(name for name, _ in reports),
        tuple(row for row in rows if row.differs or not differing),
        tuple(report.counts() for _, report in reports),
    )


def _by_case(report: Report) -> Mapping[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for entry in report.entries:
        found.setdefault(entry.id, Counter())[entry.outcome] += 1
    return found


def cell(counts: Counter[str]) -> str:
    """What came of a row's cases: the worst, and of how many."""
    outcome, total = worst(counts), sum(counts.values())
    if not outcome:
        return f"{SHAPES['']} not run"
    share = f"{counts[outcome]}/{total}" if counts[outcome] < total else str(total)
    return f"{SHAPES[outcome]} {outcome} {share}"


def to_text(table: Matrix, width: int = 100) -> str:
    """The matrix for a terminal, none of its lines wider than ``width`` unless the ids alone are."""
    head = ("", *table.subjects)
    body = [(row.id, *map(cell, row.cells)) for row in table.rows]
    foot = ("all", *map(sums, table.totals))
    first = max(columns(visible(line[0])) for line in (head, *body, foot))
    rest = [max(columns(visible(line[place])) for line in (head, *body, foot)) for place in range(1, len(head))]
    room = max(10, (width - first) // max(1, len(rest)) - 2)
    sizes = [first, *(min(size, room) for size in rest)]
    return "\n".join(_line(line, sizes) for line in (head, *body, foot))


def sums(counts: Counter[str]) -> str:
    """All of one subject's cases."""
    return ", ".join(f"{counts[outcome]} {outcome}" for outcome in SHAPES if counts[outcome]) or "no case"


def _line(cells: Iterable[str], sizes: Sequence[int]) -> str:
    shown = [(fit(text, size), size) for text, size in zip(cells, sizes, strict=True)]
    return "  ".join(text + " " * (size - columns(text)) for text, size in shown).rstrip()


def as_json(table: Matrix) -> dict[str, object]:
    """The matrix as data."""
    return {
        "subjects": list(table.subjects),
        "rows": [{"id": row.id, "cells": [dict(counts) for counts in row.cells]} for row in table.rows],
        "totals": [dict(counts) for counts in table.totals],
    }
