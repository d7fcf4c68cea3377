"""Tours: their form, and that a tour which the tables do not allow is refused with its file, step and rule."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tunnelexplore.atlas import Place
from tunnelexplore.tours import TourError, read, read_all

TOURS = Path(__file__).parent / "tours"
GOOD = json.loads((TOURS / "promise.json").read_text())


def test_a_tour_is_read() -> None:
    """Files of other formats are passed over; a tour's legs are its worlds, each with all that is done there."""
    (tour,) = read_all(TOURS)
    assert (tour.name, tour.title) == ("promise", GOOD["title"])
    assert [(s.place.key, s.way, s.right) for s in tour.steps] == [
        ("window", (), -1), ("window", ("say",), 1), ("wrap~replay-stops", (), -1)
    ]  # fmt: skip
    assert tour.legs == ((Place("window"), ("say",)), (Place("wrap", "replay-stops"), ()))
    assert read_all(TOURS / "nowhere") == ()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"version": 2}, "version 2; this program reads version 1"),
        ({"world": "nowhere"}, "the tour: there is no world or deviation 'nowhere'"),
        ({"deviation": "nothing"}, "the tour: there is no world or deviation 'nothing'"),
        ({"title": ""}, "'title' must be a text"),
        ({"order": "first"}, "'order' must be a number"),
        ({"steps": []}, "'steps' must be a list of steps"),
        ({"colour": 1}, "unknown keys: colour"),
        ({"exercise": {"answer": "x"}}, "'exercise' has text, command, solution"),
        ({"says": "See ACK-G-99."}, "there is no transition or property ACK-G-99"),
        ({"steps": [{"action": "backoff", "text": "x"}]}, "step 0: in window: step 1: backoff is not possible here"),
        ({"steps": [{"text": "x"}, {"action": "fly", "text": "x"}]}, "step 1: in window: step 1: there is no action 'fly'"),
        ({"steps": [{"text": ""}]}, "step 0: 'text' must be a text"),
        ({"steps": [{"text": "x", "hint": "y"}]}, "step 0: a step has"),
        ({"steps": ["x"]}, "step 0: a step has"),
        ({"steps": [{"text": "P-NEVER-HEARD"}]}, "step 0: there is no transition or property P-NEVER-HEARD"),
        ({"steps": [{"text": "x", "look": ["ACK-X"]}]}, "step 0: 'look' names no machine or property 'ACK-X'"),
        ({"steps": [{"text": "x", "choices": ["a", "b"], "right": 1}]}, "step 0: 'choices' need a 'question'"),
        ({"steps": [{"text": "x", "question": "?", "choices": ["a"], "right": 1}]}, "step 0: 'choices' need a 'question'"),
        ({"steps": [{"text": "x", "action": "say", "begin": {"world": "sleep"}}]}, "exclude each other"),
        ({"steps": [{"text": "x", "begin": "sleep"}]}, "step 0: a world and a deviation were expected"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(change: dict[str, Any], says: str, tmp_path: Path) -> None:
    path = tmp_path / "tour.json"
    path.write_text(json.dumps({**GOOD, **change}))
    with pytest.raises(TourError) as refused:
        read(path)
    assert says in str(refused.value)
    assert str(path) in str(refused.value)


def test_a_file_that_is_no_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tour.json").write_text("{")
    with pytest.raises(TourError, match="not JSON"):
        read_all(tmp_path)
    (tmp_path / "tour.json").write_text("[]")
    with pytest.raises(TourError, match="not a tour"):
        read(tmp_path / "tour.json")


def test_a_name_is_for_a_link(tmp_path: Path) -> None:
    (tmp_path / "My Tour.json").write_text(json.dumps(GOOD))
    with pytest.raises(TourError, match="named in a-z"):
        read_all(tmp_path)
