"""The guarantee card: what version 2 promises and does not, beside what relatives say of themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape

from tunnelbook.blocks import table as markdown_table
from tunnelhandouts.page import html, prop, table
from tunnelhandouts.poster import MARK
from tunnelhandouts.promises import Promise, promises, verdicts
from tunnelhandouts.relatives import ASPECTS, LOOKED_UP, NOT_STATED, RELATIVES

SIGNS = {"holds": "✓", "violated": "✗", "undecided": "?"}
TITLE = "Guarantee card"
SAYS = (
    "Version 2's column: each promise names the properties that were checked, in every reachable state of the small worlds "
    "(tunnelspec check --size small): ✓ holds, ✗ violated, ? undecided; what is not promised is set in italics. "
    f"The other columns say what their documentation says, looked up on {LOOKED_UP}."
)
MORE = """
body{font-size:7pt}h1 small{display:block;margin:1pt 0 3pt;line-height:1.3}td,th{width:12.2%;padding-right:5pt}
td:first-child,th:first-child{width:7%;color:#55606e}td:nth-child(2),th:nth-child(2){width:20%;background:#f1f6fc;padding-left:3pt}
th{font-weight:bold;color:#1b2430}ol{margin:3pt 0 0;padding-left:10pt;columns:2;font-size:6pt}
a{white-space:nowrap}.not{font-style:italic}
"""


def card() -> tuple[str, str]:
    """The card, as HTML for print and as Markdown."""
    ours = promises()
    found = verdicts(id_ for row in ours.values() for promise in row for id_ in promise.properties)
    return _html(ours, found), _markdown(ours, found)


def _html(ours: Mapping[str, tuple[Promise, ...]], found: Mapping[str, str]) -> str:
    head = ["", "the runner protocol, version 2"]
    head += [f"{escape(relative.name)} <sup>{_numbers(place)}</sup>" for place, relative in enumerate(RELATIVES)]
    rows = (
        (
            escape(name),
            "<br>".join(_promise(promise, found, prop) for promise in ours[aspect]),
            *(escape(relative.cells.get(aspect, NOT_STATED)) for relative in RELATIVES),
        )
        for aspect, name in ASPECTS.items()
    )
    sources = "".join(f'<li><a href="{url}">{url}</a></li>' for url in _sources())
    body = f"<h1>{TITLE}<small>{SAYS}</small></h1>\n{table(head, rows)}\n<ol>{sources}</ol>"
    return html(f"{TITLE}: the runner protocol, version 2", "A4 landscape", "8mm", MORE, body)


def _markdown(ours: Mapping[str, tuple[Promise, ...]], found: Mapping[str, str]) -> str:
    head = ["", "the runner protocol, version 2"]
    head += [f"{relative.name} ({_numbers(place)})" for place, relative in enumerate(RELATIVES)]
    rows = (
        (
            f"**{name}**",
            "<br>".join(_promise(promise, found, _linked, "*") for promise in ours[aspect]),
            *(relative.cells.get(aspect, NOT_STATED) for relative in RELATIVES),
        )
        for aspect, name in ASPECTS.items()
    )
    sources = "\n".join(f"{place}. <{url}>" for place, url in enumerate(_sources(), 1))
    return f"<!-- {MARK} -->\n\n# {TITLE}\n\n{SAYS}\n\n{markdown_table(head, rows)}\n\n## Sources\n\n{sources}\n"


def _promise(promise: Promise, found: Mapping[str, str], link: object, italic: str = "") -> str:
    assert callable(link)
    ids = ", ".join(f"{link(id_)}\u00a0{SIGNS[found[id_]]}" for id_ in promise.properties)
    says = promise.says if italic else escape(promise.says)
    if not promise.kept:
        says = f"{italic}{says}{italic}" if italic else f'<span class="not">{says}</span>'
    return f"{says} ({ids})" if ids else says


def _linked(id_: str) -> str:
    return f"[{id_}](../spec/README.md#{id_.lower()})"


def _sources() -> Iterator[str]:
    return (url for relative in RELATIVES for url in relative.sources)


def _numbers(place: int) -> str:
    before = sum(len(relative.sources) for relative in RELATIVES[:place])
    return ", ".join(str(before + number) for number in range(1, len(RELATIVES[place].sources) + 1))
