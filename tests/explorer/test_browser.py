"""The page in headless Chromium, from disk: steps, back, links, deviations, tours, the keyboard alone, and axe-core's rules.

``tests/node/explore.mjs`` does what a person would do, and tells what it saw; what it must have seen stands here.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

Seen = dict[str, Any]


def test_it_needs_nothing_but_itself(seen: Seen) -> None:
    """No request but for the file, and no error on the console."""
    assert seen["requests"] == []
    assert seen["errors"] == []


def test_it_starts_where_the_world_does(seen: Seen) -> None:
    start = seen["start"]
    assert start["possible"] == ["say"]
    assert start["standing"]["CONN-G"] == "asleep"
    assert start["standing"]["CONN-R"] == "CLOSED"
    assert start["live"] == "The start. 1 step is possible."
    assert re.search(r"all \d+ properties hold in all 502 states", start["summary"])
    assert "because client.phase != 'new' (client.phase = 'open')" in seen["refused"]


def test_a_step_is_told_with_its_rules(seen: Seen) -> None:
    """ACK-G-16, with its sentence, and ACK-G-07, which did not apply, with the part of its guard that failed."""
    assert "ACK-G-16 A message to a sleeping actor is numbered and kept" in seen["rules"]
    assert "ACK-G-07 on ClientMessage does not apply: not has_room(c, e, lim) is false" in seen["rules"]
    said = seen["said"]
    assert said["live"].startswith("Step 1, client: The client sends a message. By ACK-G-16, HIB-G-06, CONN-G-22.")
    assert said["standing"]["CONN-G"] == "routing"
    assert said["groups"] == ["client", "router"]


def test_the_pictures_follow(seen: Seen) -> None:
    """Each end has a state that is marked as now; what the last step took is marked where it was taken."""
    assert seen["start"]["now"] == ["● now", "● now"]
    assert seen["start"]["last"] == []
    assert seen["routed"]["last"] == ["▸ last"]
    assert seen["routed"]["tabs"] == ["▸ CONN-G offered", "CONN-R CLOSED"]


def test_back_forward_and_jumping(seen: Seen) -> None:
    for name in ("back", "jumped"):
        assert {**seen[name], "focus": ""} == {**seen["said"], "count": "step 1 of 2", "focus": ""}
    assert {**seen["forward"], "focus": ""} == {**seen["routed"], "focus": ""}
    assert {**seen["reset"], "focus": ""} == {**seen["start"], "count": "step 0 of 2", "focus": ""}
    assert seen["random"]["possible"] != []
    assert len(seen["random"]["moments"]) == 1


def test_a_link_leads_to_the_same_place(seen: Seen) -> None:
    assert seen["link"] == {**seen["routed"], "focus": "BODY"}
    assert seen["hashed"]["moments"] == ["connect"]
    assert seen["zombie"]["possible"] == ["route-a", "route-b"]


def test_a_wrong_link_says_what_is_wrong_and_shows_what_it_can(seen: Seen) -> None:
    assert "Step 2 of the link" in seen["wrongStep"]["trouble"]
    assert seen["wrongStep"]["moments"] == ["say"]
    assert "atlantis" in seen["wrongWorld"]["trouble"]
    assert "nowhere" in seen["tour"]["unknown"]["trouble"]


def test_a_deviation_starts_at_its_shortest_counterexample(seen: Seen) -> None:
    """P-REPLAY-EXACT, in seven steps: as ``tests/checker`` has it."""
    departed = seen["departed"]
    assert departed["broken"] == ["P-REPLAY-EXACT"]
    assert len(departed["moments"]) == 7
    assert "depart from the specification" in departed["about"]
    assert "Broken: P-REPLAY-EXACT." in departed["live"]
    assert seen["start2"]["moments"] == []
    assert seen["broken"]["hash"] == departed["hash"]
    assert seen["returned"]["tables"] == ""


def test_a_lasso_is_marked_where_it_begins(seen: Seen) -> None:
    """L-END: at the end of the counterexample, before the first step that is done again; a step back, it is none yet."""
    assert seen["round"] == [["↻ from here on, again and again", "3"]]
    assert seen["notRound"] == 0


def test_take_me_there(seen: Seen) -> None:
    """Two conditions at once, by the shortest way."""
    reached = seen["reached"]
    assert reached["standing"]["ACK-G"] == "held"
    assert len(reached["moments"]) == 9
    assert "9 steps from there: ACK-G is held and client: said is 1." in reached["live"]


def test_the_keyboard_does_it_all(seen: Seen) -> None:
    keys = seen["keys"]
    assert keys["one"]["hash"] == seen["said"]["hash"]
    assert keys["left"]["count"] == "step 1 of 2"
    assert keys["right"]["hash"] == keys["two"]["hash"]
    assert keys["b"]["hash"] == keys["one"]["hash"]
    assert keys["home"]["moments"] == []
    assert len(keys["r"]["moments"]) == 2
    assert keys["help"]
    assert keys["closed"]


def test_keys_mean_nothing_in_a_field_or_when_they_are_off(seen: Seen) -> None:
    field = seen["keys"]["field"]
    assert field["focus"] == "goal-what"
    assert field["before"] == field["after"]
    assert seen["keys"]["off"] == field["after"]


def test_tab_reaches_the_steps_and_keeps_its_place(seen: Seen) -> None:
    """The step that was taken is drawn anew; the focus stays where it was."""
    assert seen["keys"]["stops"][-1] == "say"
    assert {"tables", "world", "tours", "theme", "back", "keys"} <= set(seen["keys"]["stops"])
    assert seen["keys"]["entered"]["focus"] == "say"


def test_a_tour_asks_before_it_tells(seen: Seen) -> None:
    tour = seen["tour"]
    assert "A message that was acked is in the actor's durable state." in tour["text"]
    assert "Predict: The actor sleeps." in tour["question"]
    assert "P-DURABLE" not in tour["question"]
    assert not tour["spoiled"]
    assert tour["before"]["moments"] == []
    assert "It is refused. ✗ your guess" in tour["answer"]
    assert "It is kept. ✓ this is what happens" in tour["answer"]
    assert tour["after"]["moments"] == ["say"]
    assert tour["after"]["focus"] == "tour-text"
    assert tour["after"]["tabs"][0].endswith("ACK-G held")
    assert tour["looked"] == "P-DURABLE"


def test_a_tour_may_be_left_and_returned_to(seen: Seen) -> None:
    tour = seen["tour"]
    assert tour["end"]["hash"] == "#tour=promise&step=2"
    assert tour["end"]["focus"] == "tour-text"  # the last step: there is no next
    assert "tunnelspec check --without ACK-G-16" in tour["exercise"]
    assert tour["own"]["hash"] == "#world=wrap&deviation=replay-stops&path=1"
    assert tour["returned"]["hash"] == tour["end"]["hash"]
    assert tour["left"]["focus"] == "tours"


LIGHT, DARK = ["rgb(255, 255, 255)", "light"], ["rgb(17, 22, 28)", "dark"]


def test_the_theme_is_the_systems_or_the_readers(seen: Seen) -> None:
    """Chosen by keyboard alone, it holds against the system's and for the next visit; paper stays light."""
    theme = seen["theme"]
    assert theme["system"] == ["system", *LIGHT]
    assert theme["light"] == theme["stays"] == ["light", *LIGHT]
    assert theme["dark"] == theme["kept"] == ["dark", *DARK]
    assert theme["printed"] == ["dark", *LIGHT]
    assert theme["again"] == ["system", *LIGHT]


@pytest.mark.parametrize("where", ["light", "dark", "chosen dark", "narrow"])
def test_axe_finds_nothing(where: str, seen: Seen) -> None:
    """axe-core's rules, with everything unfolded, by daylight, in the dark, and on a narrow screen; nothing is wider than that."""
    assert seen["axe"][where] == []
    assert seen["wide"][where] <= 0
