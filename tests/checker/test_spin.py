"""SPIN, on the tables translated from their source: the same states to the unit, the same verdicts, and confirmed traces."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tunnelcheck.agreement import compare, engines_that_agree, recorded, sources, stale
from tunnelcheck.decide import decide
from tunnelcheck.meaning import meaning
from tunnelcheck.replay import breaks, replay
from tunnelcheck.report import Outcome
from tunnelcheck.spin import SEARCHES, check_with_spin, circles, counterexample
from tunnelcli.main import main
from tunnelexport.promela.model import export
from tunnelexport.promela.shapes import Refused
from tunnelexport.promela.spin import Failed, Mode, run
from tunnelspec.deviations import DEVIATIONS, Deviation, Line, apply
from tunnelspec.properties import PROPERTIES
from tunnelspec.system import Bounds, System
from tunnelspec.worlds import LARGE

WORLDS = {scenario.name: scenario for scenario in LARGE}


@pytest.mark.parametrize(
    ("world", "deviation"),
    [
        ("limit", ""),
        ("zombie", "any-runner"),  # a guard around another
        ("stall", "collect-inverted"),  # other guards; and time
    ],
)
def test_both_engines_say_the_same(world: str, deviation: str) -> None:
    """States, transitions, depth, lines taken, idle properties, violations."""
    found = compare(WORLDS[world], [DEVIATIONS[deviation]] if deviation else [], world == "limit", duties=False)
    assert found is not None
    assert found.explorer == found.spin
    assert found.same_lines
    assert not found.explorer.undecided


def never(c: Any, e: Any, lim: Any) -> bool:
    return False


def test_a_silent_table_is_told(tmp_path: Path) -> None:
    """A table that decides nothing for an event is undecided for both engines."""
    silent = Deviation("silent", "A line that never applies.", (), False, (Line("ACK-R-05", when=never),))
    system = apply(System(WORLDS["limit"].bounds), [silent])
    assert run(export(system), Mode(optimise=0), tmp_path).undecided == "ACK-R"
    assert "ACK-R" in decide(WORLDS["limit"], system).broken


def searched(search: str, cores: int = 1) -> Outcome:
    departs = [DEVIATIONS["drops-silently"]]
    properties = [p for p in PROPERTIES if p.id in ("P-SEND-FAIL", "P-DURABLE", "P-LOSS-KNOWN", "P-BOUND")]
    return check_with_spin(
        [WORLDS["limit"]], lambda s: apply(System(s.bounds), departs), properties, search, cores, 1.0
    )


@pytest.mark.parametrize(("search", "cores"), [("depth", 2), ("swarm", 1)])
def test_every_search_finds_it_and_shows_how(search: str, cores: int) -> None:
    """A STATE, a STEP and an END property: each broken, each with a trace that the second interpreter confirms."""
    assert search in SEARCHES
    outcome = searched(search, cores)
    assert set(outcome.counterexamples) == {"P-SEND-FAIL", "P-DURABLE", "P-LOSS-KNOWN"}
    for id_, found in outcome.counterexamples.items():
        assert breaks(found.system, replay(found.system, found.actions), found.property) is not None, id_
    assert len(outcome.counterexamples["P-LOSS-KNOWN"].actions) >= 15  # breadth first: see KNOWN_FALSE
    assert outcome.verdict_of("P-BOUND") == ("undecided" if search == "swarm" else "holds")


def test_a_run_without_end_is_found() -> None:
    """L-END: a re-open that counts as progress lets a restless actor go round for ever, in a world that no explorer exhausts."""
    system = apply(System(WORLDS["restless"].bounds), [DEVIATIONS["retry-unspaced"]])
    ran = circles(system, optimise=0)
    assert ran.circle
    (ends,) = (p for p in PROPERTIES if p.id == "L-END")
    found = counterexample(ends, WORLDS["restless"], system, ran, shorten=False)
    assert 0 < found.loop <= len(found.actions)
    assert found.moments[-found.loop].before == found.moments[-1].after


def test_what_cannot_be_translated_is_refused_with_its_line() -> None:
    """A guard that is outside the subset: the file, the line, and what it is."""

    def odd(c: Any, e: Any, lim: Any) -> bool:
        return len({c, e}) == 2

    system = apply(System(Bounds()), [Deviation("odd", "", (), False, (Line("CONN-G-01", when=odd),))])
    with pytest.raises(Refused, match=rf"test_spin.py:{odd.__code__.co_firstlineno + 1}: Set is outside the subset"):
        export(system)


def test_more_than_has_room_stops_the_run(tmp_path: Path) -> None:
    """A state that does not fit its vector is an error, not another state."""
    model = export(System(Bounds()), ())
    with pytest.raises(Failed, match="the state needs a longer vector"):
        run(model, Mode(optimise=0, vector=16), tmp_path)


def test_the_command(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """``check --engine spin`` reports as the explorer does."""
    asked = [
        "check",
        "--size",
        "small",
        "--scenario",
        "wake",
        "--property",
        "P-DURABLE",
        "P-HONEST-R",
        "L-FREE",
        "--json",
    ]
    reports = []
    for engine in ("explorer", "spin"):
        assert main([*asked, "--engine", engine]) == 0
        reports.append(json.loads(capsys.readouterr().out))
    for key in ("verdict", "states", "transitions", "properties", "trace"):
        assert reports[0][key] == reports[1][key]
    path = tmp_path / "wake.pml"
    assert main(["export", "promela", "--scenario", "wake", "-o", str(path)]) == 0
    assert path.read_text().count(":: d_step") == 1 + len(System(WORLDS["wake"].bounds).actions)
    assert main(["check", "--search", "depth"]) == 2
    assert "--search is for --engine spin" in capsys.readouterr().err


def test_without_spin_the_environment_is_at_fault(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["check", "--engine", "spin", "--size", "small", "--scenario", "wake"]) == 4
    assert "spin is not installed: SPIN needs the packages 'spin' and 'gcc'" in capsys.readouterr().err


def test_the_record_is_of_these_sources() -> None:
    """What ``check`` may cite: all worlds, all deviations, and no difference."""
    assert not stale(), "tunnelspec agree makes it anew"
    found = recorded()
    assert found is not None
    rows = found["comparisons"]
    assert all(row["agrees"] and row["explorer"] == row["spin"] for row in rows)
    assert {name for row in rows for name in row["deviations"]} == set(DEVIATIONS)
    assert len(engines_that_agree()) == 2


def test_the_record_is_about_the_tables_and_their_translation() -> None:
    assert {"ack.py", "system.py", "properties.py", "duties.py", "deviations.py", "model.py"} <= {
        p.name for p in sources()
    }


def test_words_do_not_make_a_record_stale() -> None:
    """The sources' code counts; docstrings and what a line says do not."""
    text = 'def f(a):\n    """Says."""\n    return g(a, says="x", ref="y")\n'
    assert meaning(text) == meaning(text.replace("Says.", "Other.").replace('"x"', '"z"'))
    assert meaning(text) != meaning(text.replace("g(a", "g(-a"))
