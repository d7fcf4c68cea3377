"""Sequence diagrams: nothing is lost, nothing stands outside its lane, and nothing in a trace steers a terminal."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunneldraw.sequence import (
    Again,
    Lane,
    Message,
    Note,
    Sequence,
    StateChange,
    Step,
    fold,
    from_json,
    rules_of,
    to_json,
)
from tunneldraw.sequence_svg import to_svg
from tunneldraw.sequence_text import LiveText, columns, to_text, visible

ANSI = re.compile(r"\x1b\[\d+m")
LANES = (Lane("c", "client"), Lane("g", "gateway"), Lane("r", "runner 1"), Lane("a", "actor"))
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
rules = st.lists(st.sampled_from(["CONN-G-05", "ACK-R-17", "TUN-G-02"]), max_size=4, unique=True).map(tuple)
lanes = st.sampled_from([lane.id for lane in LANES])
times = st.none() | st.integers(0, 10**9)
steps = st.one_of(
    st.builds(Message, lanes, lanes, words, rules, st.booleans(), times, words),
    st.builds(Note, st.none() | lanes, words, rules, times),
    st.builds(Again),
    st.builds(StateChange, lanes, st.just("CONN-G"), words, words, st.sampled_from(["", "CONN-G-05"]), times),
)
sequences = st.builds(Sequence, words, st.just(LANES), st.lists(steps, max_size=8).map(tuple))


@given(sequences)
def test_json_keeps_everything(sequence: Sequence) -> None:
    assert from_json(to_json(sequence)) == sequence


@given(steps, st.integers(0, 200), st.booleans())
def test_every_line_fits_and_lanes_stay_where_they_are(step: Step, width: int, colour: bool) -> None:
    live = LiveText(LANES, colour=colour, width=width)
    bare = LiveText(LANES, width=width)
    for shown, plain in zip(live.lines(step), bare.lines(step), strict=True):
        line = ANSI.sub("", shown)
        assert line == plain
        assert columns(line) <= live.width
        assert line.isprintable()
        ends = {live.centres[lane] for lane in ("c", "g", "r", "a")}
        for place in ends:
            at = ""
            for character in line:
                if columns(at) == place:
                    break
                at += character
        if isinstance(step, Message) and step.source != step.target:
            left, right = sorted((live.centres[step.source], live.centres[step.target]))
            cells = [c for c in line for _ in range(columns(c))]
            for place in ends - set(range(left + 1, right)):
                if "│" in line and not step.note:
                    assert cells[place] == "│"


@given(steps.filter(lambda step: not isinstance(step, Message) or not step.lost))
def test_no_word_is_lost(step: Step) -> None:
    shown = "".join(LiveText(LANES, width=100).line(step).split()).replace("│", "")
    for rule in rules_of(step):
        assert rule in shown
    if isinstance(step, Note) and "│" not in step.text:
        assert "".join(visible(step.text).split()) in shown


def test_a_lost_message_ends_in_an_x_before_its_target() -> None:
    live = LiveText(LANES, width=100)
    there, back = (live.line(Message(*ends, "TunnelAck", lost=True)) for ends in (("g", "r"), ("r", "g")))
    assert there[live.centres["r"] - 1] == "x"
    assert back[live.centres["g"] + 1] == "x"
    assert "▶" not in there
    assert "◀" not in back
    assert live.line(Message("g", "r", "hi"))[live.centres["r"] - 1] == "▶"
    drawing = to_svg(Sequence("t", LANES, (Message("g", "r", "TunnelAck", lost=True),)))
    assert 'class="x"' in drawing
    assert "lost on the way" in drawing


def test_long_runs_are_folded() -> None:
    alike = [Message("c", "g", "ClientMessage", ("ACK-G-06",), time_ms=n) for n in range(20)]
    assert [s.times for s in fold(alike) if isinstance(s, Message)] == [20]
    assert len(fold(alike[:2])) == 2
    assert "×20" in to_text(Sequence("t", LANES, tuple(alike)))
    assert "ClientMessage x 20" in to_svg(Sequence("t", LANES, tuple(alike)))


def test_text_as_a_reader_sees_it() -> None:
    sequence = Sequence(
        "Two", LANES[:2], (Message("c", "g", "hello", ("R-1",), time_ms=5), StateChange("g", "M", "a", "b", "R-2"))
    )
    shown = to_text(sequence, width=50).splitlines()
    assert shown[0] == "Two"
    assert shown[3].startswith("5 ms")
    assert shown[3].index("│") == shown[4].index("│") == LiveText(LANES[:2], width=50).centres["c"]
    assert "M: a → b R-2" in shown[5]


@given(sequences)
def test_svg_is_well_formed_and_says_each_step(sequence: Sequence) -> None:
    root = ET.fromstring(to_svg(sequence))
    (items,) = [g for g in root.iter("{http://www.w3.org/2000/svg}g") if g.get("role") == "list"]
    found = list(items)
    assert all(g.get("class") == "step" and g.get("role") == "listitem" for g in found)
    assert len(found) == len(fold(sequence.steps))
    for group, step in zip(found, fold(sequence.steps), strict=True):
        assert [child.tag.rpartition("}")[2] for child in group][:2] == ["title", "desc"]
        linked = {a.get("href", "").rpartition("#")[2] for a in group.iter("{http://www.w3.org/2000/svg}a")}
        assert linked == {rule.lower() for rule in rules_of(step)}


def test_a_lasso_is_marked_where_it_begins_and_leads_back_there() -> None:
    """L-END: the words stand before the first step that is done again; the way back ends above the last remark."""
    around = (
        Message("c", "g", "first"),
        Again(),
        Message("g", "r", "round"),
        Note(None, "12 ms pass"),
        Message("r", "g", "back"),
    )
    sequence = Sequence("t", LANES, (*around, Note(None, "it fails")))
    text = to_text(sequence).splitlines()
    (place,) = [number for number, line in enumerate(text) if "↻ from here on, again and again" in line]
    assert "first" in text[place - 1]
    assert "round" in text[place + 1]
    drawn = ET.fromstring(to_svg(sequence))
    (ring,) = [path for path in drawn.iter("{http://www.w3.org/2000/svg}path") if path.get("class") == "again"]
    begins, ends = (
        float(line.get("y1", ""))
        for line in drawn.iter("{http://www.w3.org/2000/svg}line")
        if line.get("class") == "again"
    )
    down = {t.text: float(t.get("y", "")) for t in drawn.iter("{http://www.w3.org/2000/svg}text")}
    assert down["first"] < begins < down["round"] < down["back"] < ends < down["it fails"]
    assert ring.get("d", "").startswith(f"M30,{ends:g}")


def test_unknown_lanes_and_foreign_json_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown lane 'z'"):
        Sequence("t", LANES, (Message("c", "z", "hi"),))
    for text in ("{}", "[]", '{"title": "t", "lanes": [], "steps": [{"kind": "x"}]}', "no"):
        with pytest.raises(ValueError):  # noqa: PT011
            from_json(text)
