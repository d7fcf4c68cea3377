"""The hand-outs: current, complete, on one sheet each, and without a promise that the checker does not keep."""

from __future__ import annotations

import argparse
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunnelhandouts import card, cli
from tunnelhandouts.packing import Shape, pack
from tunnelhandouts.pdf import PAGES, Unprintable, is_of, printed
from tunnelhandouts.poster import HIGH, WIDE
from tunnelhandouts.promises import Promise, promises, verdicts
from tunnelhandouts.relatives import ASPECTS, RELATIVES
from tunnelref.wire.schema import SCHEMAS, Record, Union
from tunnelspec.endpoint import GATEWAY, MACHINES, RUNNER
from tunnelspec.limits import DEFAULT
from tunnelspec.machine import Verdict
from tunnelspec.properties import PROPERTIES

FOLDER = Path(__file__).parents[2] / "handouts"
SVG = "{http://www.w3.org/2000/svg}"


def read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    cli.add_parsers(parser.add_subparsers())
    args = parser.parse_args(["handouts", *words])
    return int(args.run(args))


def test_what_is_committed_is_current() -> None:
    assert list(cli.stale(FOLDER, cli.sources())) == []


def test_a_stale_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A changed source makes its PDF stale too: the PDF's mark is its source's hash."""
    for path in FOLDER.glob("*.*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    assert run("--out", str(tmp_path), "--check") == 0
    (tmp_path / "cheat-sheet.html").write_text("old", encoding="utf-8")
    (tmp_path / "poster.pdf").write_bytes((FOLDER / "cheat-sheet.pdf").read_bytes())
    assert run("--out", str(tmp_path), "--check") == 5
    told = capsys.readouterr().err
    assert "cheat-sheet.html is stale" in told
    assert "poster.pdf is stale" in told
    assert "guarantees" not in told


# -- the poster ------------------------------------------------------------------------------------------------------

shapes = st.lists(
    st.lists(st.tuples(st.floats(5, 300), st.floats(5, 300)), min_size=1, max_size=2), min_size=1, max_size=8
)


@settings(deadline=None, max_examples=50)
@given(shapes)
def test_packed_rectangles_lie_on_the_sheet_and_not_on_one_another(choices: list[list[Shape]]) -> None:
    wide, high, head, gap = 1_000.0, 700.0, 10.0, 5.0
    packing = pack(choices, wide, high, head, gap, tries=20)
    boxes = []
    for options, place in zip(choices, packing.places, strict=True):
        w, h = (side * packing.scale for side in options[place.shape])
        boxes.append((place.x, place.y, place.x + w, place.y + h + head))
    for left, top, right, bottom in boxes:
        assert 0 <= left < right <= wide + 0.01
        assert 0 <= top < bottom <= high + 0.01
    for place, (left, top, right, bottom) in enumerate(boxes):
        for other in boxes[:place]:
            assert (
                right + gap <= other[0] + 0.01 or other[2] + gap <= left + 0.01
                or bottom + gap <= other[1] + 0.01 or other[3] + gap <= top + 0.01
            )  # fmt: skip
    assert pack(choices, wide, high, head, gap, tries=20) == packing


def test_a_sheet_that_is_too_small_is_told() -> None:
    with pytest.raises(ValueError, match="too small"):
        pack([[(1_000.0, 1_000.0)]], 10.0, 10.0, 0.0, 0.0)


def test_the_poster_shows_every_machine_state_and_taken_rule() -> None:
    root = ET.fromstring(read("poster.svg"))
    texts = [element.text or "" for element in root.iter(f"{SVG}text")]
    starts = [texts.index(machine.id) for machine in MACHINES]
    for machine, start, end in zip(MACHINES, starts, (*starts[1:], len(texts)), strict=True):
        shown = texts[start:end]
        assert all(state.name in shown for state in machine.states)
        taken = {t.id.rpartition("-")[2] for t in machine.transitions if t.verdict is Verdict.TAKEN}
        assert {text for text in shown if re.fullmatch(r"\d\d", text)} == taken


def test_the_poster_is_a3_and_readable_in_print() -> None:
    root = ET.fromstring(read("poster.svg"))
    assert (root.get("width"), root.get("height")) == ("420mm", "297mm")
    assert root.get("viewBox") == f"0 0 {WIDE:g} {HIGH:g}"
    scales = [float(s) for s in re.findall(r"scale\(([\d.]+)\)", read("poster.svg"))]
    assert len(scales) == len(MACHINES)
    assert min(scales) * 10 >= 6, "a rule is set smaller than 6 points"


# -- the cheat sheet -------------------------------------------------------------------------------------------------


def test_the_cheat_sheet_has_every_frame_state_limit_and_error() -> None:
    text = read("cheat-sheet.html")
    unions: list[Union] = [SCHEMAS[2].to_server, SCHEMAS[2].to_client]
    for union in unions:
        for record in union.members:
            assert isinstance(record, Record)
            assert f"<b>{record.cls.__name__}</b>" in text
            assert all(field.name in text for field in record.fields)
            unions += [field.type for field in record.fields if isinstance(field.type, Union)]
    for machine in (*GATEWAY.machines, *RUNNER.machines):
        assert all(f"<b>{state.name}</b>" in text for state in machine.states)
    assert all(f">{name}<" in text for name, *_ in DEFAULT.describe())
    assert len(re.findall(r"guard\.websocket_\w+", text)) == 3


# -- the guarantee card ----------------------------------------------------------------------------------------------


def test_every_promise_holds() -> None:
    """And what is not promised is said, with what holds instead: P-ASYM."""
    found = verdicts(id_ for row in promises().values() for promise in row for id_ in promise.properties)
    assert set(found.values()) == {"holds"}
    assert any(promise.properties == ("P-ASYM",) and not promise.kept for promise in promises()["covers"])
    assert set(promises()) == set(ASPECTS)


def test_a_promise_of_a_property_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no property P-ALWAYS"):
        Promise("all is well", ("P-ALWAYS",))


def test_a_property_that_fails_would_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """A promise whose property is broken is marked so on the card."""
    monkeypatch.setattr(
        card, "verdicts", lambda ids: {id_: "violated" if id_ == "P-WINDOW" else "holds" for id_ in ids}
    )
    page, markdown = card.card()
    assert "P-WINDOW</a>\u00a0✗" in page
    assert "[P-WINDOW](../spec/README.md#p-window)\u00a0✗" in markdown
    assert page.count("✗") == 2  # there, and where the signs are explained


def test_every_promise_names_a_property_and_every_relative_its_source() -> None:
    known = {p.id for p in PROPERTIES}
    assert all(set(promise.properties) <= known for row in promises().values() for promise in row)
    assert all(promise.properties for row in promises().values() for promise in row if promise.kept)
    for relative in RELATIVES:
        assert relative.sources
        assert set(relative.cells) <= set(ASPECTS)
        assert all(url.startswith("https://") and url in read("guarantees.md") for url in relative.sources)


# -- print -----------------------------------------------------------------------------------------------------------


def test_each_pdf_is_one_page_and_has_no_date_of_its_own() -> None:
    for name in cli.PRINTS:
        pdf = (FOLDER / name).read_bytes()
        assert len(PAGES.findall(pdf)) == 1
        dates = re.findall(rb"Date \(D:(\d{14})", pdf)
        assert dates
        assert set(dates) == {b"20260101000000"}


def test_printing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    source = "<!doctype html><title>One</title><p>One page."
    first = printed(source, source)
    assert first == printed(source, source)
    (tmp_path / "one.pdf").write_bytes(first)
    assert is_of(tmp_path / "one.pdf", source)
    assert not is_of(tmp_path / "one.pdf", source + "!")


def test_what_does_not_fit_on_a_page_is_told() -> None:
    long = "<!doctype html><p>" + "<br>line" * 200
    with pytest.raises(Unprintable, match="not fit on one page"):
        printed(long, long)
