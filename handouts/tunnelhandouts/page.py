"""A page of HTML for print."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from tunneldraw.metrics import FAMILY
from tunnelhandouts.poster import MARK

CSS = f"""
*{{box-sizing:border-box}}body{{margin:0;font-family:{FAMILY};color:#1b2430;line-height:1.28;-webkit-print-color-adjust:exact}}
h1{{font-size:13pt;margin:0}}h1 small{{font-size:7pt;font-weight:normal;color:#55606e;margin-left:6pt}}
h2{{font-size:8pt;margin:5pt 0 2pt;color:#0b57a4;border-bottom:.8pt solid #0b57a4}}
h3{{font-size:6.8pt;margin:0 0 1pt;padding-top:4pt}}
table{{border-collapse:collapse;width:100%}}
td,th{{text-align:left;vertical-align:top;padding:.7pt 3pt .7pt 0;border-bottom:.3pt solid #d5dbe2}}
th{{color:#55606e;font-weight:normal}}code,.code{{font-family:'DejaVu Sans Mono',monospace;font-size:.86em}}
a{{color:#0b57a4;text-decoration:none}}p{{margin:2pt 0}}.soft{{color:#55606e}}
"""


def html(title: str, size: str, margin: str, more: str, body: str) -> str:
    """The page, whole. ``size`` is CSS's, such as ``A4 landscape``."""
    return (
        f'<!doctype html>\n<!-- {MARK} -->\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        f"<style>@page{{size:{size};margin:{margin}}}{CSS}{more}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]], kind: str = "") -> str:
    """A table; its cells are HTML already."""
    top = f"<tr>{''.join(f'<th>{cell}</th>' for cell in head)}</tr>\n" if head else ""
    body = "\n".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f'<table class="{kind}">\n{top}{body}\n</table>' if kind else f"<table>\n{top}{body}\n</table>"


def rule(id_: str) -> str:
    """A rule's id as a link."""
    return f'<a href="../spec/README.md#{id_.lower()}">{id_}</a>'


def prop(id_: str) -> str:
    """A property's id as a link."""
    return f'<a href="../spec/README.md#{id_.lower()}">{id_}</a>'
