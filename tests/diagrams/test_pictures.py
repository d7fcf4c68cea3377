"""The pictures show each table, the whole table, and nothing but the table."""

from __future__ import annotations

import argparse
import json
import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import combinations, product
from typing import NamedTuple

import pytest

from tunneldraw import cli
from tunneldraw.effects import outputs
from tunneldraw.mermaid import machine_mermaid
from tunneldraw.metrics import width, wrap
from tunneldraw.picture import MANY, Picture, Wiring, anchor, by, effect, guard, href, said
from tunneldraw.render import Status, check, files, names, pictures, wirings, write
from tunneldraw.svg import DARK, machine_svg
from tunnelspec import source
from tunnelspec.ack import ACK_G
from tunnelspec.connection import CONN_G
from tunnelspec.endpoint import GATEWAY, MACHINES, RUNNER
from tunnelspec.events import Signal, TunnelUp
from tunnelspec.machine import Machine, Verdict, step
from tunnelspec.totality import SMALL

S, HREF = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}href"
DRAWN = files()
SVGS = sorted(name for name in DRAWN if name.endswith(".svg"))
by_machine = pytest.mark.parametrize("machine", MACHINES, ids=lambda m: m.id)


def tree(name: str) -> ET.Element:
    return ET.fromstring(DRAWN[name])


def parents(root: ET.Element) -> dict[ET.Element, ET.Element]:
    return {child: parent for parent in root.iter() for child in parent}


# -- outputs from the source ------------------------------------------------------------------------------------------


@by_machine
def test_labels_have_exactly_what_steps_put_out(machine: Machine) -> None:
    """Run every transition on the bounded contexts: what comes out over all of them is what the syntax tree showed."""
    put_out: dict[str, set[type[object]]] = {}
    for context, event, state in product(machine.contexts(SMALL), list(machine.events(SMALL)), machine.states):
        done = step(machine, state.name, context, event, SMALL)
        put_out.setdefault(done.transition.id, set()).update(type(output) for output in done.outputs)
    for t in machine.transitions:
        if t.verdict is Verdict.TAKEN:
            assert put_out[t.id] == {output.kind for output in outputs(t.then)}, t.id


def test_a_helpers_parameters_are_replaced() -> None:
    gives_up = effect(CONN_G.transition("CONN-G-04"))
    assert "CloseClient(INTERNAL_ERROR, UNAVAILABLE) if not c.client_gone" in gives_up
    assert effect(ACK_G.transition("ACK-G-18")) == effect(ACK_G.transition("ACK-G-17"))


def test_an_effect_without_outputs_has_no_label() -> None:
    assert outputs(None) == ()
    assert effect(CONN_G.transition("CONN-G-13")) == ""


# -- the tables are all there -----------------------------------------------------------------------------------------


@by_machine
def test_every_transition_is_shown_where_it_must_be(machine: Machine) -> None:
    picture, name = Picture(machine), anchor(machine.id)
    root = tree(f"{name}.svg")
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    dot, mermaid = DRAWN[f"{name}.dot"], DRAWN[f"{name}.mmd"]
    rows = {group.get("id") for group in root.iter(f"{S}g") if group.get("class") == "row"}
    for t in machine.transitions:
        inside = [s for s in t.sources if t in picture.inside(s)]
        carded = [card for card in picture.cards if t in card.transitions]
        below = t in (*picture.everywhere, *picture.refused, *picture.ignored)
        assert len(carded) <= 1
        assert bool(inside or carded) != below, t.id
        assert (anchor(t.id) in rows) is below
        covered = set(inside) | {s for card in carded for s in card.sources} | (set(t.sources) if below else set())
        assert covered == set(t.sources), t.id
        assert anchor(t.id) in ids, t.id
        assert t.id in mermaid
        assert (f"// {'stays' if t in picture.everywhere else t.verdict.value} {t.id} " in dot) is below
        assert dot.count(f"<B>{t.id}</B>") == len(inside) + len(carded)
        comments = [line for line in mermaid.splitlines() if line.strip().startswith("%%") and t.id in line.split()]
        assert bool(comments) is (t.verdict is not Verdict.TAKEN)


@by_machine
def test_every_taken_transition_has_title_sentence_and_link(machine: Machine) -> None:
    root = tree(f"{anchor(machine.id)}.svg")
    by_id = {element.get("id"): element for element in root.iter() if element.get("id")}
    for t in machine.transitions:
        element = by_id[anchor(t.id)]
        links = [a for a in element.iter(f"{S}a") if a.get(HREF) == href(t.id)]
        assert links, t.id
        assert any(desc.text and t.says in desc.text for desc in element.iter(f"{S}desc")), t.id
        assert any(title.text and title.text.startswith(t.id) for title in element.iter(f"{S}title")), t.id


@pytest.mark.parametrize("name", SVGS)
def test_every_line_and_state_says_what_it_is(name: str) -> None:
    groups = [g for g in tree(name).iter(f"{S}g") if g.get("class") in ("node", "edge")]
    assert groups
    for group in groups:
        assert group[0].tag == f"{S}title"
        assert group[1].tag == f"{S}desc"
        if group.get("class") == "edge" and "starts in" not in (group[1].text or ""):
            assert group[0].text
            assert group[1].text
            assert any(a.get(HREF) for a in group.iter(f"{S}a")), group[0].text


@by_machine
def test_lines_run_between_the_right_states(machine: Machine) -> None:
    """Each card has one arrow, to its target; and a line from each source, unless there are many."""
    source_text = DRAWN[f"{anchor(machine.id)}.dot"]
    for card in Picture(machine).cards:
        out = re.findall(rf'"?{re.escape(card.name)}"? -> "?state-(\w+)', source_text)
        into = re.findall(rf'"?state-(\w+)"? -> "?{re.escape(card.name)}"? ', source_text)
        assert sorted([*out, *into]) == sorted([card.target, *(() if len(card.sources) >= MANY else card.sources)])


@by_machine
def test_labels_are_the_code(machine: Machine) -> None:
    """The words of a guard, as drawn, are those of its source."""
    root = tree(f"{anchor(machine.id)}.svg")
    by_id = {element.get("id"): element for element in root.iter() if element.get("id")}
    for t in machine.transitions:
        words = "".join("".join(text.text or "" for text in by_id[anchor(t.id)].iter(f"{S}text")).split())
        assert "".join(guard(t).split()) in words, t.id
        assert "".join(effect(t).split()) in words, t.id
        assert t.when is None or "".join(source.text(t.when).split()) in words


def test_states_say_what_they_wait_for_and_until_when() -> None:
    text = " ".join(t.text or "" for t in tree("conn-g.svg").iter(f"{S}text"))
    assert "waits for its TunnelAck until open_timeout_ms = 2 s" in text
    assert "until max_hibernation_ms = 24 h" in text


# -- the endpoints ----------------------------------------------------------------------------------------------------


def test_wires_are_the_signals_of_the_tables() -> None:
    for endpoint in (GATEWAY, RUNNER):
        wiring = Wiring(endpoint)
        assert wiring.unheard == ()
        drawn = {(w.sender.id, w.hearer.id, s) for w in wiring.wires for s in w.signals}
        for sender in endpoint.machines:
            for hearer in endpoint.machines:
                for signal in said(sender):
                    heard = issubclass(signal, Signal) and signal in hearer.alphabet
                    assert ((sender.id, hearer.id, signal) in drawn) is heard
        root = tree(f"{wiring.name}.svg")
        texts = [text.text for text in root.iter(f"{S}text")]
        assert all(signal.__name__ in texts for _, _, signal in drawn)
    assert [t.id for t in by(CONN_G, TunnelUp)] == ["CONN-G-02"]


# -- what it looks like -----------------------------------------------------------------------------------------------


class Box(NamedTuple):
    text: str
    left: float
    right: float
    top: float
    bottom: float


def boxes(root: ET.Element) -> list[Box]:
    """Where the texts are; widths by the font's own metrics."""
    above, found = parents(root), []
    for element in root.iter(f"{S}text"):
        dx = dy = 0.0
        node: ET.Element | None = element
        while node is not None:
            for x, y in re.findall(r"translate\(([-\d.]+)[ ,]+([-\d.]+)\)", node.get("transform", "")):
                dx, dy = dx + float(x), dy + float(y)
            node = above.get(node)
        size = float(element.get("font-size", "14"))
        wide = width(element.text or "", size, element.get("font-weight") == "bold")
        x, y = float(element.get("x", "0")) + dx, float(element.get("y", "0")) + dy
        x -= wide / 2 if element.get("text-anchor") == "middle" else 0
        found.append(Box(element.text or "", x, x + wide, y - 0.7 * size, y + 0.1 * size))
    return found


@pytest.mark.parametrize("name", SVGS)
def test_no_two_texts_overlap_and_none_is_cut_off(name: str) -> None:
    root = tree(name)
    found = boxes(root)
    assert len(found) > 5
    wide, high = float(root.get("width", "0")), float(root.get("height", "0"))
    for box in found:
        assert box.left >= 0, box
        assert box.right <= wide + 0.5, box
        assert box.top >= 0, box
        assert box.bottom <= high, box
    found.sort(key=lambda box: box.top)
    for one, other in combinations(found, 2):
        if other.top >= one.bottom:
            continue
        apart = (
            one.right <= other.left + 1
            or other.right <= one.left + 1
            or one.bottom <= other.top
            or other.bottom <= one.top
        )
        assert apart, (one, other)


@pytest.mark.parametrize("name", SVGS)
def test_pictures_work_on_dark_screens_and_without_arial(name: str) -> None:
    root = tree(name)
    look = root.find(f"{S}style")
    assert look is not None
    assert "prefers-color-scheme:dark" in (look.text or "")
    for element in root.iter():
        for paint in (element.get("fill"), element.get("stroke")):
            assert paint in (None, "none", "transparent", "black") or paint in DARK, (element.tag, paint)
    assert all(text.get("textLength") for text in root.iter(f"{S}text") if (text.text or "").strip())
    assert (root.get("role") or "").startswith("graphics-document"), "as an image its links would be hidden"
    assert all(ord(character) < 128 for character in DRAWN[name])


@by_machine
def test_kinds_differ_by_more_than_colour(machine: Machine) -> None:
    texts = [text.text for text in tree(f"{anchor(machine.id)}.svg").iter(f"{S}text")]
    for state in machine.states:
        assert state.name in texts
        assert any(text and text.strip() == state.kind.value for text in texts)


def test_lines_break_where_they_may() -> None:
    assert wrap("one two", 10, 1) == ["one", "two"]
    assert "".join(wrap("Transmit(ToClientWebSocketClose(INTERNAL_ERROR, UNAVAILABLE))", 10, 120)).count("(") == 2
    assert wrap("", 10, 100) == []


# -- the folder -------------------------------------------------------------------------------------------------------


def test_two_runs_give_the_same_bytes() -> None:
    assert files() == DRAWN


def test_another_process_gives_the_same_bytes(tmp_path: pathlib.Path) -> None:
    """Neither the order of sets nor anything else of a process may show."""
    code = "import sys, pathlib; from tunneldraw.render import *; write(pathlib.Path(sys.argv[1]), files(), whole=True)"
    paths = ":".join(path for path in sys.path if path)
    for seed in ("1", "2"):
        subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / seed)],
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": paths},
        )
    for name, content in DRAWN.items():
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes() == content.encode()


def test_every_picture_has_its_three_files_and_a_place_on_both_pages() -> None:
    assert {f"{name}.{suffix}" for name in names() for suffix in ("dot", "svg", "mmd")} | {
        "index.html",
        "README.md",
    } == set(DRAWN)
    for name in names():
        assert f'<section id="{name}"' in DRAWN["index.html"]
        assert f"({name}.svg)" in DRAWN["README.md"]
    ids = re.findall(r' id="([^"]+)"', DRAWN["index.html"])
    assert len(ids) == len(set(ids))
    for machine in MACHINES:
        for t in machine.transitions:
            assert anchor(t.id) in ids
    assert "http-equiv" not in DRAWN["index.html"]
    assert not re.search(r'(src|<link[^>]* href)="', DRAWN["index.html"])
    assert len(pictures()) + len(wirings()) == len(names())


def drawn(*words: str) -> int:
    parser = argparse.ArgumentParser()
    cli.add_parsers(parser.add_subparsers())
    args = parser.parse_args(["draw", *words])
    code: int = args.run(args)
    return code


def test_check_names_what_is_stale_missing_and_superfluous(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ("--out", str(tmp_path))
    assert drawn(*out) == 0
    assert drawn(*out, "--check") == 0
    (tmp_path / "ack-g.dot").write_text("digraph {}")
    (tmp_path / "hib-g.svg").unlink()
    (tmp_path / "old.mmd").write_text((tmp_path / "hib-g.mmd").read_text())
    (tmp_path / "mine.svg").write_text("<svg/>")
    capsys.readouterr()
    assert drawn(*out, "--check") == 5
    said_ = capsys.readouterr().out
    for line in ("stale: {}/ack-g.dot", "missing: {}/hib-g.svg", "superfluous: {}/old.mmd", "superfluous: {}/mine.svg"):
        assert line.format(tmp_path) in said_
    assert drawn(*out, "--check", "--json") == 5
    told = json.loads(capsys.readouterr().out)
    assert told["verdict"] == "stale"
    assert {"name": "ack-g.dot", "status": "stale"} in told["files"]
    assert drawn(*out) == 0
    assert not (tmp_path / "old.mmd").exists()
    assert (tmp_path / "mine.svg").exists(), "what somebody else made is not ours to remove"


def test_only_one_picture(tmp_path: pathlib.Path) -> None:
    assert drawn("--out", str(tmp_path), "--only", "evt-r") == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["evt-r.dot", "evt-r.mmd", "evt-r.svg"]
    wanted = files(only="evt-r")
    assert {file.status for file in check(tmp_path, wanted, whole=False)} == {Status.CURRENT}
    assert write(tmp_path, wanted, whole=False)
    with pytest.raises(SystemExit):
        drawn("--only", "nothing")


def test_a_changed_table_changes_the_picture() -> None:
    """Whoever changes one line of a table changes its picture."""
    rows = tuple(replace(t, target="asleep") if t.id == "CONN-G-06" else t for t in CONN_G.transitions)
    changed = Picture(replace(CONN_G, transitions=rows))
    assert machine_svg(changed)[0] != DRAWN["conn-g.svg"]
    assert machine_mermaid(changed) != DRAWN["conn-g.mmd"]
