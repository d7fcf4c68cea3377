"""Several subjects side by side, as one HTML page."""

from __future__ import annotations

from tunnelconform.cases import TRANSITIONS
from tunnelconform.marks import SHAPES
from tunnelconform.matrix import Matrix, cell, sums
from tunnelconform.page import page, table, text
from tunnelconform.report import worst


def to_html(table_: Matrix) -> str:
    """The whole page."""
    heads = ["rule", *(text(name) for name in table_.subjects)]
    rows = [
        (
            f"<span class=rule>{text(row.id)}</span> <span class=soft>{text(_says(row.id))}</span>",
            *(_cell(worst(c), cell(c)) for c in row.cells),
        )
        for row in table_.rows
    ]
    rows.append(("all", *(text(sums(total)) for total in table_.totals)))
    differing = sum(row.differs for row in table_.rows)
    lead = (
        f"<p>{len(table_.subjects)} subjects; {differing} of {len(table_.rows)} rows differ. "
        "Of a row's cases the worst is told.</p>\n"
    )
    return page("Conformance, side by side", [lead, table(heads, rows)])


def _says(id_: str) -> str:
    transition = TRANSITIONS.get(id_.partition("/")[0])
    return transition.says if transition else ""


def _cell(outcome: str, words: str) -> str:
    return f'<span class="verdict {outcome or "none"}">{text(words)}</span>' if outcome in SHAPES else text(words)
