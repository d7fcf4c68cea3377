"""The specification's page is current, shows every machine, and cites nothing that does not exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tunnelbook.blocks import BLOCKS
from tunnelbook.page import PageError, check_citations, link_citations, missing, render, stale
from tunnelspec.endpoint import MACHINES

PAGE = (Path(__file__).parents[2] / "spec" / "README.md").read_text(encoding="utf-8")


def test_the_page_is_current() -> None:
    assert stale(PAGE) == ()
    assert missing(PAGE) == ()
    assert link_citations(render(PAGE)) == PAGE


def test_every_rule_has_its_anchor_once() -> None:
    for machine in MACHINES:
        for transition in machine.transitions:
            assert PAGE.count(f'<a id="{transition.id.lower()}"></a>') == 1


def test_every_cited_rule_of_the_tables_is_a_section() -> None:
    """A source such as ``protocol 8`` or ``P-BOUND`` is explained on the page."""
    for machine in MACHINES:
        for transition in machine.transitions:
            for name in transition.ref.replace(";", ",").split(","):
                name = name.strip()
                if name.startswith(("P-", "L-")):
                    assert re.search(rf'\| (<a id="{name.lower()}"></a>)?{name} \|', PAGE), (
                        f"{transition.id} cites {name}"
                    )


def test_a_changed_table_makes_the_page_stale() -> None:
    changed = PAGE.replace("The actor closes the socket: the client gets its code and reason.", "Something else.")
    assert "CONN-G" in stale(changed)


@pytest.mark.parametrize(("text", "named"), [
    ("as CONN-G-999 says", "CONN-G-999"),
    ("\n\nsee ACK-R-00", "line 3: ACK-R-00"),
])  # fmt: skip
def test_an_unknown_rule_is_an_error(text: str, named: str) -> None:
    with pytest.raises(PageError, match=named):
        check_citations(text)


def test_an_unknown_block_is_an_error() -> None:
    with pytest.raises(PageError, match="line 1: there is no block 'NONE'"):
        render("<!-- generated: NONE -->\n<!-- end -->")
    assert set(missing("")) == {m.id for m in MACHINES} <= set(BLOCKS)
