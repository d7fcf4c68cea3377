"""The five broken gateways: the oracle finds each bug where the solution says, and nothing where the same happens without it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunnelcheck.replay import Unfaithful, act
from tunnelcli.main import main
from tunnelconform.passive import judge
from tunnelconform.recording import dump, parse, read
from tunnellessons.broken import GATEWAYS
from tunnellessons.course import written
from tunnellessons.lesson import Lesson, LessonError
from tunnellessons.wire import Broken
from tunnellessons.wirepage import departs
from tunnelspec.limits import DEFAULT
from tunnelspec.system import Bounds, System

FOLDER = Path(__file__).parents[2] / "spec" / "lessons"
PAGE = (FOLDER / "wire.md").read_text(encoding="utf-8")
each = pytest.mark.parametrize("broken", GATEWAYS.values(), ids=lambda broken: broken.deviation)


@each
def test_the_solution_names_deviation_transition_and_line(broken: Broken, capsys: pytest.CaptureFixture[str]) -> None:
    """As the learner sees it: the command on the committed file fails, at the line that the page names."""
    path = FOLDER / "wire" / f"gateway-{broken.name}.jsonl"
    assert main(["conform", "trace", str(path)]) == 1
    told = capsys.readouterr().out
    found = re.search(rf"<!-- generated: bug {broken.name} (\S+) (\S+) (\d+) -->", PAGE)
    assert found is not None
    deviation, rule, line = found.groups()
    assert (deviation, rule) == (broken.deviation, departs(broken))
    assert f"{path}:{line}: frame " in told
    assert f"gateway, request {judge(read(path)).breaches[0].request.hex()}" in told


@each
def test_only_the_gateway_is_to_blame(broken: Broken) -> None:
    judgement = judge(broken.recording())
    assert [breach.side for breach in judgement.breaches] == ["gateway"]
    assert not judgement.undecided


@each
def test_without_the_bug_the_same_conforms(broken: Broken) -> None:
    """For as long as the same can happen to a gateway without it."""
    actions = broken.actions.split()
    for length in range(len(actions), 0, -1):
        try:
            recording = replace(broken, deviation="", actions=" ".join(actions[:length])).recording()
        except Unfaithful:
            continue
        assert judge(recording).verdict == "pass"
        assert length > len(actions) / 2
        return
    pytest.fail("nothing of it can happen to a gateway without the bug")


@each
def test_the_page_does_not_give_the_bug_away(broken: Broken) -> None:
    """Neither a file's name nor what stands before the solution says which bug it is."""
    before, _, _ = PAGE.partition(f"<!-- generated: bug {broken.name} ")
    section = before.rpartition("## Gateway")[2]
    assert broken.deviation not in section
    assert broken.deviation not in (FOLDER / "wire" / f"gateway-{broken.name}.jsonl").read_text(encoding="utf-8")


BOUNDS = (
    Bounds(limits=DEFAULT, says=3, sleeps=1, leaves=1, sends=1, closes=1),
    Bounds(limits=DEFAULT, says=2, breaks=1, leaves=1),
    Bounds(limits=DEFAULT, says=2, crashes=1, runners=2, moves=1),
)


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(BOUNDS), st.lists(st.integers(0, 1_000), min_size=1, max_size=40))
def test_what_the_tables_do_is_recorded_as_something_that_they_allow(bounds: Bounds, choices: list[int]) -> None:
    """Any run of the tables makes a recording that can be read, and in which no frame is out of place. (A link that is slow in
    the closed world looks silent here; that is no frame.)"""
    system = System(bounds)
    world, actions = system.start(), []
    for choice in choices:
        possible = [
            m for action in system.actions if (m := act(system, world, action)) is not None and m.after != world
        ]
        if not possible:
            break
        moment = possible[choice % len(possible)]
        actions.append(moment.action.id)
        world = moment.after
    recording = Broken("any", "", " ".join(actions), bounds).recording()
    assert tuple(parse(dump(recording))) == recording
    judgement = judge(recording)
    assert [breach for breach in judgement.breaches if breach.refusal is not None] == []
    assert not judgement.undecided


@pytest.mark.parametrize(
    ("mark", "told"),
    [
        ("recording 9", "there is no gateway 9; there are 1, 2, 3, 4, 5"),
        ("bug 1 fresh-ack-ids CONN-G-11 9", "the recording shows fresh-ack-ids CONN-G-11 8"),
    ],
)  # fmt: skip
def test_a_wrong_page_is_told(mark: str, told: str) -> None:
    with pytest.raises(LessonError, match=re.escape(told)):
        written(Lesson("wire", f"# Exercises\n\n<!-- generated: {mark} -->\n<!-- end -->\n"))
