"""One HTML page that needs no other file: what all pages here share, and the small parts they are made of."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from tunnelconform.marks import SHAPES
from tunneldraw.sequence import Sequence as Drawing
from tunneldraw.sequence import fold, says
from tunneldraw.sequence import rules_of as rules_of_step
from tunneldraw.sequence_svg import to_svg
from tunneldraw.sequence_text import visible
from tunneldraw.svg import style as picture_style

WEB = Path(__file__).with_name("web")
HEAD = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{css}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the results</a>
<main id="main">
<h1>{title}</h1>
"""


def page(title: str, parts: Iterable[str], script: str = "") -> str:
    """The whole. ``script``: the name of a file in ``web/``."""
    css = (WEB / "report.css").read_text(encoding="utf-8") + picture_style()
    code = f"<script type=module>\n{(WEB / script).read_text(encoding='utf-8')}</script>\n" if script else ""
    return "".join(
        [HEAD.format(title=text(title), css=css), *parts, "</main>\n", code, "</body>\n</html>\n"],
    )


def text(words: str) -> str:
    """Words as HTML; control characters are written out."""
    return escape("\n".join(visible(line) for line in words.split("\n")))


def verdict(outcome: str) -> str:
    """An outcome: its shape and its word, which tell it even without colour."""
    return f'<span class="verdict {outcome or "none"}">{SHAPES[outcome]} {outcome or "not run"}</span>'


def anchor(id_: str) -> str:
    """A case's or transition's name in the page's address."""
    return "".join(c if c.isalnum() or c in "-_." else "-" for c in id_.lower())


def tally(counts: Counter[str]) -> str:
    """Counts in words: ``3 pass, 1 fail``."""
    return ", ".join(f"{counts[outcome]} {outcome}" for outcome in SHAPES if counts[outcome])


def facts(rows: Iterable[tuple[str, str]]) -> str:
    """Names and what they stand for, as HTML; a row without a value is left out."""
    return "<dl>" + "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows if value) + "</dl>\n"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose first column names the rows; on a narrow screen each row is a list. Cells are HTML."""
    parts = ['<table class="cells"><thead><tr>']
    parts += [f'<th scope="col">{head}</th>' for head in heads]
    names = [re.sub(r"<[^>]*>", "", head) for head in heads]
    parts.append("</tr></thead><tbody>\n")
    for first, *rest in rows:
        cells = "".join(f'<td data-head="{h}">{cell}</td>' for h, cell in zip(names[1:], rest, strict=True))
        parts.append(f'<tr><th scope="row">{first}</th>{cells}</tr>\n')
    return "".join([*parts, "</tbody></table>\n"])


def conversation(drawing: Drawing) -> str:
    """A sequence diagram; on a narrow screen, its steps as a list."""
    labels = {lane.id: lane.label for lane in drawing.lanes}
    steps = "".join(f"<li>{text(says(step, labels))}</li>" for step in fold(drawing.steps))
    return f'<figure class="talk">{_alone(drawing)}</figure>\n<ol class="said">{steps}</ol>\n'


def _alone(drawing: Drawing) -> str:
    """The SVG; its rules lead to the page's own list."""
    drawn = to_svg(drawing, "")
    for step in drawing.steps:
        for rule in rules_of_step(step):
            drawn = drawn.replace(f'href="#{rule.lower()}"', f'href="#t-{rule.lower()}"')
    return drawn.replace("\n", "")
