"""What the page shows of a world is what the tables say: it is walked beside the second interpreter."""

from __future__ import annotations

import subprocess
import sys
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.explorer.unpacked import Unpacked
from tunnelcheck.replay import act, breaks, plain, replay
from tunnelexplore import world as packing
from tunnelexplore.atlas import AS_MERGED, HARMLESS, SCENARIOS, SHOWS, Place, by_name, places
from tunnelexplore.columns import parts
from tunnelexplore.refusal import refusal
from tunnelexplore.world import BEYOND, Unplayable, build
from tunnelspec.deviations import DEVIATIONS
from tunnelspec.properties import PROPERTIES, Scope

PLACES = (Place("window"), Place("wake"), Place("end"), Place("wrap", "replay-stops"), Place("limit", "early-by-kind"))
BY_ID = {p.id: p for p in PROPERTIES}


@cache
def unpacked(place: Place) -> Unpacked:
    return Unpacked(build(place).packed())


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.key)
@settings(max_examples=25, deadline=None)
@given(choices=st.lists(st.integers(0, 1000), max_size=40))
def test_a_walk_shows_what_the_second_interpreter_does(place: Place, choices: list[int]) -> None:
    """Values, rules taken, properties broken, what is possible and what is not: all as ``replay`` has it."""
    packed, system = unpacked(place), plain(place.system())
    world, state = system.start(), 0
    for choice in [*choices, 0]:
        assert packed.values(state) == {
            f"{name} {component}": value
            for component, inner in world.items()
            for name, value in parts(system, component, inner).items()
        }
        moments = {action.id: act(system, world, action) for action in system.actions}
        steps = packed.steps(state)
        assert [id_ for id_, _, _ in steps] == [id_ for id_, moment in moments.items() if moment is not None]
        assert all(packed.refused(state).values())
        _, broke = packed.stand(state)
        end = all(moment is None or moment.after == world for moment in moments.values())
        assert broke == [p.id for p in PROPERTIES if p.id in packed.head["judged"] and _fails(place, world, p.id, end)]
        if not steps:
            break
        id_, state, story = steps[choice % len(steps)]
        moment = moments[id_]
        assert moment is not None
        assert tuple(story["took"]) == moment.took
        for prop in (BY_ID[name] for name in packed.head["judged"] if BY_ID[name].scope is Scope.STEP):
            assert (prop.id in story["broke"]) == (breaks(system, (moment,), prop) is not None)
        world = moment.after


def _fails(place: Place, world: dict[str, object], id_: str, end: bool) -> bool:
    prop, system = BY_ID[id_], place.system()
    if prop.scope is not Scope.STATE and not (prop.scope is Scope.END and end):
        return False
    sides = [[world[name + side if name.endswith("_") else name] for name in prop.reads] for side in system.sides]
    return any(not prop.holds(system.bounds, *values) for values in sides)


def test_a_counterexample_is_one() -> None:
    """Its way leads, in the packed world, to where its property fails."""
    packed = unpacked(Place("wrap", "replay-stops"))
    assert packed.head["violated"][0]["id"] == "P-REPLAY-EXACT"
    for violation in packed.head["violated"]:
        state, story = 0, {"broke": []}
        for number in violation["way"]:
            state, story = next((t, s) for id_, t, s in packed.steps(state) if id_ == packed.actions[number])
        assert violation["id"] in (*packed.stand(state)[1], *story["broke"])
        assert violation["why"]


def test_why_a_step_is_not_possible_is_said_in_the_code_s_words() -> None:
    refused = unpacked(Place("window")).refused(0)
    assert refused["connect"] == ["client.phase != 'new' (client.phase = 'open')"]
    assert refused["open-timeout"] == ["not gateway.opening"]
    assert refused["answer-a"] == ["not host.asked"]


def test_several_reasons_are_all_told() -> None:
    """A disjunction is taken apart; machines go by their ids."""
    system = Place("sleep").system()
    world = system.start()
    action = next(a for a in system.actions if a.id == "say")
    assert refusal(action, world) == ("client.phase not in ('open', 'told') (client.phase = 'new')",)
    said = {**world, "client": world["client"]._replace(said=1)}
    assert len(refusal(action, said)) == 2
    assert refusal(next(a for a in system.actions if a.id == "connect"), world) == ()
    reasons = {part for parts in unpacked(Place("end")).head["reasons"] for part in parts}
    assert "EVT-R.state == 'heard' (EVT-R.state = 'heard')" in reasons
    assert not any("machines[" in part for part in reasons)


def test_the_other_lines_are_told_with_what_failed() -> None:
    """ACK-G-07 is not taken where ACK-G-16 is: there is room."""
    (story,) = [story for id_, _, story in unpacked(Place("window")).steps(0) if id_ == "say"]
    assert "ACK-G-16" in story["took"]
    assert ["ACK-G-07", "ClientMessage", ["not has_room(c, e, lim)"]] in story["else"]


def test_a_large_world_is_cropped_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ways that must be there are, with what can be done beside them; what leads elsewhere is marked."""
    monkeypatch.setattr(packing, "ENOUGH", 20)
    place = Place("wrap", "replay-stops")
    way = tuple(unpacked(place).actions[number] for number in unpacked(place).head["violated"][-1]["way"])
    packed = Unpacked(build(place, [way]).packed())
    assert 20 < len(packed.counts) < packed.head["states"] == unpacked(place).head["states"]
    state = 0
    for id_ in way:
        assert all(target != BEYOND for _, target, _ in packed.steps(state))
        state = next(target for action, target, _ in packed.steps(state) if action == id_)
    assert any(target == BEYOND for number in range(len(packed.counts)) for _, target, _ in packed.steps(number))
    assert replay(place.system(), way)


def test_a_way_that_cannot_be_is_refused() -> None:
    with pytest.raises(Unplayable, match=r"step 2: backoff is not possible"):
        build(Place("window"), [("say", "backoff")])
    with pytest.raises(Unplayable, match=r"step 1: there is no action 'fly'"):
        build(Place("window"), [("fly",)])


def test_every_deviation_has_its_world() -> None:
    """A new deviation needs a line in the atlas; the full export checks that it shows harm there, or is known to do none."""
    assert set(SHOWS) == {AS_MERGED, *DEVIATIONS}
    assert set(SHOWS.values()) <= set(SCENARIOS)
    assert set(HARMLESS) <= set(DEVIATIONS)
    assert len(places()) == len({place.key for place in places()})
    assert places([Place("full")])[-1] == Place("full")


def test_a_wrong_atlas_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(packing.SHOWS, "gap-warned", "window")  # type: ignore[index]
    monkeypatch.setattr(packing, "HARMLESS", ())
    with pytest.raises(Unplayable, match="breaks no property"):
        build(Place("window", "gap-warned"))


def test_worlds_by_name() -> None:
    assert by_name(["sleep", "wrap~replay-stops"]) == (Place("sleep"), Place("wrap", "replay-stops"))
    assert by_name(["sleep~without-ACK-G-05"])[0].departures[0].id == "without-ACK-G-05"
    for name, says in (
        ("nowhere", "'nowhere'"),
        ("sleep~nothing", "'nothing'"),
        ("sleep~without-ACK-G-99", "'ACK-G-99'"),
    ):
        with pytest.raises(ValueError, match=says):
            by_name([name])


def test_the_same_tables_give_the_same_bytes() -> None:
    """Whatever the seed of Python's hashes."""
    code = """
from tunnelexplore.atlas import Place
from tunnelexplore.page import pack
print(pack(Place("limit", "drops-silently"), [])[0])
"""
    digests = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1
