"""``tunnelspec check`` and ``replay``: verdicts, exit codes, counterexamples; and that what is known to be false fails."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunnelcheck.cli import ALL, DEVIANT_STATES
from tunnelcheck.decide import decide
from tunnelcheck.explain import draw, why
from tunnelcheck.files import Trace, TraceError, read
from tunnelcheck.replay import Unfaithful, breaks, replay
from tunnelcheck.report import Outcome, check
from tunnelcheck.scenarios import BESIDE, MEDIUM, SMALL, Scenario
from tunnelcli.main import main
from tunneldraw.sequence import Note
from tunnelspec.deviations import DEVIATIONS, apply, without
from tunnelspec.system import Bounds, System

WORLDS = {s.name: s for s in (*MEDIUM, *BESIDE)}

KNOWN_FALSE = {
    "collect-inverted": ("stall", "P-TIMER", 8),
    "collect-silent": ("stall", "P-KEEPALIVE", 9),
    "size-not-released": ("wrap", "P-ACCOUNT", 13),
    "size-not-replayed": ("crash", "P-ACCOUNT", 18),
    "fresh-ack-ids": ("sleep", "P-HONEST-G", 7),
    "ack-unchecked": ("lie", "P-ACK-BOUND", 8),
    "any-runner": ("zombie", "P-LOSS-KNOWN", 18),
    "index-unvalidated": ("break", "P-NO-DUP", 22),
    "wakes-for-nothing": ("sleep", "L-WAKE-CAUSE", 8),
    "no-age": ("stall", "P-TIMER", 3),
    "any-answer-opens": ("sleep", "P-HONEST-R", 13),
    "collect-at-boundary": ("stall", "P-TIMER", 8),
    "reopen-clears": ("crash", "P-LOSS-KNOWN", 8),
    "replay-stops": ("wrap", "P-REPLAY-EXACT", 7),
    "first-index-0-gateway": ("zombie", "P-LOSS-KNOWN", 11),
    "count-one-more": ("limit", "P-BOUND", 2),
    "drops-silently": ("limit", "P-LOSS-KNOWN", 15),
    "early-by-kind": ("break", "P-EARLY", 11),
    "asleep-close-lost": ("deaf", "L-FREE", 1),
    "stop-forgets-close": ("close", "L-REST", 9),
    "accepts-after-limit": ("full", "P-GAP-LOUD", 28),
    "heeds-after-close": ("lie-down", "P-CLOSE-LAST", 8),
}
"""Deviation: the world, the property that it breaks, and in how many steps."""

QUICK = {"sleep", "wrap", "stall", "again", "restless", "pass", "request-lie"}
"""Small worlds, of sockets and of a request, that end soon also where the tables are departed from."""


def outcome_of(scenario: Scenario, deviation: str) -> Outcome:
    return check([scenario], lambda s: apply(System(s.bounds), [DEVIATIONS[deviation]]),
                 report=lambda s: lambda exploration: exploration.states < DEVIANT_STATES)  # fmt: skip


@pytest.mark.parametrize("deviation", KNOWN_FALSE)
def test_what_is_known_to_be_false_fails_with_its_shortest_trace(deviation: str) -> None:
    world, prop, steps = KNOWN_FALSE[deviation]
    found = outcome_of(WORLDS[world], deviation).counterexamples[prop]
    assert len(found.actions) == steps
    assert breaks(found.system, replay(found.system, found.actions), found.property) is not None
    assert why(found.property, found.values)


def test_what_becomes_durable_is_said_in_words() -> None:
    """Also that the durable state is nobody's yet."""
    system = WORLDS["wrap"].system()
    (note, *_) = draw(system, replay(system, ("say", "route-a"))[1:], "").steps
    assert isinstance(note, Note)
    assert note.text.endswith("Durable: owner nobody -> a.")


def test_a_second_loss_is_a_second_loss() -> None:
    """P-AGAIN is asked where the tunnel was lost twice: in a world with one move a loss is a loss, and not a second one."""
    broken = outcome_of(WORLDS["zombie"], "any-runner").counterexamples
    assert "P-LOSS-KNOWN" in broken
    assert "P-AGAIN" not in broken


def test_the_tables_hold_in_the_small_worlds(capsys: pytest.CaptureFixture[str]) -> None:
    """All properties, in one run, as JSON."""
    assert main(["check", "--size", "small", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["verdict"] == "holds"
    assert set(result["properties"].values()) == {"holds"}
    assert set(result["properties"]) == {p.id for p in ALL}
    assert result["trust"]["mutants"] == sum(result["trust"][fate] for fate in ("killed", "equivalent", "survived"))
    assert not set(result["untaken"]) & {"CONN-G-01", "REQ-G-01", "LINK-G-01", "RELAY-G-01"}
    assert result["trace"] == []
    assert result["states"] == sum(s["states"] for s in result["scenarios"])


@settings(max_examples=8, deadline=None)
@given(st.lists(st.sampled_from([s for s in SMALL if s.name in QUICK]), min_size=2, unique=True),
       st.sampled_from(["size-not-released", "fresh-ack-ids", "collect-silent"]),
       st.integers(2, 3))  # fmt: skip
def test_worlds_side_by_side_are_decided_as_one_by_one(scenarios: list[Scenario], deviation: str, cores: int) -> None:
    """Whichever is done first, and also where a property is violated in several."""

    def told(outcome: Outcome) -> tuple[Any, ...]:
        traces = {id_: (found.scenario, found.actions, found.loop) for id_, found in outcome.counterexamples.items()}
        summaries = [replace(summary, seconds=0.0) for summary in outcome.summaries]
        return summaries, traces, list(outcome.judged), outcome.witnesses, outcome.took, outcome.complete

    def build(scenario: Scenario) -> System:
        return apply(scenario.system(), [DEVIATIONS[deviation]])

    assert told(check(scenarios, build, cores=cores)) == told(check(scenarios, build))


def test_a_violation_is_told_and_can_be_replayed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["check", "--size", "small", "--scenario", "wrap", "--deviation", "size-not-released"]
    assert main([*arguments, "--traces", str(tmp_path)]) == 1
    text = capsys.readouterr().out
    assert "P-ACCOUNT is violated in 13 steps" in text
    assert "to blame:\n  size-not-released: ACK-G-08" in text
    assert main(["replay", str(tmp_path / "P-ACCOUNT.json")]) == 1
    assert "P-ACCOUNT is violated" in capsys.readouterr().out
    assert (tmp_path / "P-ACCOUNT.svg").read_text(encoding="utf-8").startswith("<svg")
    trace = read(tmp_path / "P-ACCOUNT.json")
    assert Trace.to_json(trace) + "\n" == (tmp_path / "P-ACCOUNT.json").read_text(encoding="utf-8")
    clean = tmp_path / "clean.json"
    clean.write_text(Trace(trace.bounds, (), trace.property, trace.actions).to_json(), encoding="utf-8")
    assert main(["replay", str(clean)]) == 0  # by the tables themselves the same steps do no harm


def test_a_bound_leaves_things_undecided(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--size", "small", "--scenario", "sleep", "--states", "50", "--json"]) == 3
    result = json.loads(capsys.readouterr().out)
    assert result["verdict"] == "incomplete"
    assert set(result["properties"].values()) == {"undecided"}


def test_what_nothing_could_have_broken_is_undecided(capsys: pytest.CaptureFixture[str]) -> None:
    """P-WRAP needs a wrap, and this world has none: that is no pass."""
    arguments = ["check", "--size", "small", "--scenario", "waver"]
    assert main([*arguments, "--property", "P-WRAP"]) == 3
    assert "undecided, for nothing in these worlds could have broken them: P-WRAP" in capsys.readouterr().out
    assert main([*arguments, "--property", "P-ACCOUNT"]) == 0


def test_the_worlds_beside_the_sockets_have_traces(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """H-ANSWER: a gateway that does not heed an abort leaves its client waiting; the trace says of which world it is."""
    arguments = ["check", "--size", "small", "--scenario", "request-break", "--without", "REQ-G-18"]
    assert main([*arguments, "--traces", str(tmp_path)]) == 1
    assert "H-ANSWER is violated" in capsys.readouterr().out
    assert read(tmp_path / "H-ANSWER.json").world == "request"
    assert main(["replay", str(tmp_path / "H-ANSWER.json")]) == 1
    assert "H-ANSWER is violated" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--scenario", "nowhere"], "--scenario nowhere: not one of"),
        (["--deviation", "nonsense"], "--deviation nonsense: not one of"),
        (["--without", "ACK-G-99"], "--without ACK-G-99: there is no such transition"),
    ],
)
def test_wrong_use_names_what_is_wrong(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--size", "small", *arguments]) == 2
    assert says in capsys.readouterr().err


def test_without_a_line_something_breaks(capsys: pytest.CaptureFixture[str]) -> None:
    """ACK-R-06 drops duplicates by acking them; without it the gateway waits for that ack for ever."""
    assert main(["check", "--size", "small", "--scenario", "again", "--without", "ACK-G-17", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["trace"]


def test_the_list_names_everything(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--list"]) == 0
    text = capsys.readouterr().out
    for name in (*WORLDS, *DEVIATIONS, *(p.id for p in ALL)):
        assert f" {name} " in text or f"*{name} " in text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "not JSON"),
        ("[]", "not a trace"),
        ('{"format": "tunnelspec-trace", "version": 2}', "version 2"),
        ('{"format": "tunnelspec-trace", "version": 1, "bounds": {"dragons": 1}}', "dragons"),
        ('{"format": "tunnelspec-trace", "version": 1, "bounds": {}, "deviations": "x"}', "a list of words"),
        (
            '{"format": "tunnelspec-trace", "version": 1, "bounds": {}, "deviations": [], "property": "", "actions": [], '
            '"world": "flat"}',
            "no world of the kind 'flat'",
        ),
    ],
)
def test_a_file_that_is_no_trace_is_refused(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TraceError, match=says):
        read(path)


@pytest.mark.parametrize(
    ("actions", "says"), [(["fly"], "step 1: there is no action"), (["connect", "backoff"], "step 2")]
)
def test_a_trace_that_cannot_happen_is_refused(actions: list[str], says: str) -> None:
    with pytest.raises(Unfaithful, match=says):
        replay(System(Bounds()), actions)


def test_a_silent_table_is_told() -> None:
    """A table that decides nothing for an event ends the exploration, and that is a violation, not a pass."""
    system = System(Bounds(says=1))
    machine = system.runner.machines[2]

    def nowhere(c: Any, e: Any, lim: Any) -> bool:
        return False

    from dataclasses import replace

    rows = tuple(replace(t, when=nowhere) if t.id == "ACK-R-05" else t for t in machine.transitions)
    runner = replace(
        system.runner,
        machines=tuple(replace(m, transitions=rows) if m is machine else m for m in system.runner.machines),
    )
    decision = decide(SMALL[0], replace(system, runner=runner))
    assert "ACK-R: nothing applies" in decision.broken
    assert not decision.complete


def test_a_deleted_line_does_nothing() -> None:
    system = apply(System(Bounds()), [without("EVT-R-03")])
    line = system.runner.machines[4].transition("EVT-R-03")
    assert (line.then, line.target) == (None, None)
