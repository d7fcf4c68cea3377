"""Model and reference in lockstep, over real sockets: every committed trace does its harm, and random walks agree."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from tunnelcheck.files import Trace, read
from tunnelcheck.replay import Unfaithful, breaks
from tunnelcheck.replay import replay as interpret
from tunnelcheck.scenarios import MEDIUM, Scenario
from tunnelcli.main import main
from tunnelreplay.clock import ScriptedClock
from tunnelreplay.run import Divergence, replay
from tunnelreplay.walk import walk
from tunnelspec.deviations import named
from tunnelspec.endpoint import GATEWAY, RUNNER
from tunnelspec.machine import Verdict
from tunnelspec.properties import PROPERTIES
from tunnelspec.system import Bounds, System

FINDINGS = Path(__file__).parents[2] / "spec" / "findings"
BY_ID = {p.id: p for p in PROPERTIES}


@pytest.mark.parametrize("path", sorted(FINDINGS.glob("*.json")), ids=lambda path: path.stem)
def test_the_same_harm_shows_on_the_reference(path: Path) -> None:
    """Each committed trace, done by the reference with the trace's departures, breaks its property on what the reference did."""
    trace = read(path)
    done = asyncio.run(replay(trace.bounds, [named(name) for name in trace.deviations], trace.actions))
    assert breaks(done.system, done.moments, BY_ID[trace.property]) is not None


@pytest.mark.parametrize("path", sorted(FINDINGS.glob("*.json")), ids=lambda path: path.stem)
def test_a_reference_that_does_otherwise_is_noticed(path: Path) -> None:
    """The comparison can fail: where the reference departs and the model does not, some step of the trace tells them apart, or
    the trace cannot be done by the tables at all."""
    trace = read(path)
    departures = [named(name) for name in trace.deviations]
    with pytest.raises((Divergence, Unfaithful)):
        asyncio.run(replay(trace.bounds, [], trace.actions, runs=departures))


SEEDS, STEPS = range(3), 40


@pytest.mark.parametrize("scenario", MEDIUM, ids=lambda scenario: scenario.name)
def test_random_walks_agree(scenario: Scenario) -> None:
    """In every world of the checker the reference does, state by state and frame by frame, what the tables and the world say."""
    for seed in SEEDS:
        actions = walk(System(scenario.bounds), seed, STEPS)
        done = asyncio.run(replay(scenario.bounds, (), actions))
        assert tuple(moment.action.id for moment in done.moments) == actions


def test_the_walks_see_the_tables_at_work() -> None:
    """Between them those walks take four lines of five."""
    taken: set[str] = set()
    for scenario in MEDIUM:
        system = System(scenario.bounds)
        for seed in SEEDS:
            taken |= {id_ for moment in interpret(system, walk(system, seed, STEPS)) for id_ in moment.took}
    lines = {t.id for endpoint in (GATEWAY, RUNNER) for m in endpoint.machines for t in m.transitions
             if t.verdict is Verdict.TAKEN}  # fmt: skip
    assert len(taken & lines) > 0.8 * len(lines)


def test_an_action_that_is_not_possible_is_told() -> None:
    with pytest.raises(Unfaithful, match="step 2: say is not possible here"):
        asyncio.run(replay(Bounds(), (), ("connect", "say")))
    with pytest.raises(Unfaithful, match="step 1: there is no action 'jump'"):
        asyncio.run(replay(Bounds(), (), ("jump",)))


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``tunnelspec replay FILE --sockets``: 1 and the frames where harm is done, 0 where none is, 2 for what is no trace."""
    assert main(["replay", str(FINDINGS / "f16.json"), "--sockets", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["property"], told["violated"]) == ("L-DRAIN", True)
    assert [s["way"] for row in told["trace"] for s in row["sent"]][:2] == ["down", "up"]
    assert all(bytes.fromhex(s["hex"]) for row in told["trace"] for s in row["sent"])
    clean = tmp_path / "clean.json"
    trace = read(FINDINGS / "f16.json")
    clean.write_text(replace(trace, deviations=()).to_json(), encoding="utf-8")
    assert main(["replay", str(clean), "--sockets"]) == 0
    assert "L-DRAIN holds on the reference, over real sockets" in capsys.readouterr().out
    clean.write_text(Trace(Bounds(), ("nonsense",), "", ()).to_json(), encoding="utf-8")
    assert main(["replay", str(clean), "--sockets"]) == 2
    assert "no deviation 'nonsense'" in capsys.readouterr().err


def test_a_divergence_is_an_error_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 4, and the step, what the model says and what the reference did."""
    monkeypatch.setattr("tunnelreplay.perform.LEAVE_CODE", 1001)
    assert main(["replay", str(FINDINGS / "h01.json"), "--sockets"]) == 4
    assert "step 1, leave: gateway\n  model:" in capsys.readouterr().err


def test_a_scripted_timer_fires_once() -> None:
    clock, fired = ScriptedClock(), []
    timer = clock.call_later(5, lambda: fired.append(1))
    timer.fire()
    timer.fire()
    cancelled = clock.call_later(5, lambda: fired.append(2))
    cancelled.cancel()
    cancelled.fire()
    assert fired == [1]
    with pytest.raises(LookupError):
        clock.fire(cancelled.call)
