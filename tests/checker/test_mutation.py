"""``tunnelspec mutate``: faults are what they say, the judgement of them is right, and the record is held against both."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunnelcheck.meaning import Sources, meaning
from tunnelcheck.mutation import record as records
from tunnelcheck.mutation.cli import all_mutants
from tunnelcheck.mutation.fate import EQUIVALENT, KILLED, SURVIVED, Court, Fate, Ground, Notes, compared
from tunnelcheck.mutation.mutants import OPERATORS, Mutant, mutants
from tunnelcheck.mutation.record import Record, RecordError
from tunnelcheck.mutation.source import bounds_moved, conjuncts_changed, helpers, with_helper
from tunnelcheck.scenarios import BESIDE, SMALL, Scenario
from tunnelcli.main import main
from tunnelspec.ack import ACK_G, Queue, covered, has_room, opens_kept
from tunnelspec.endpoint import MACHINES
from tunnelspec.events import ClientMessage, Opened
from tunnelspec.limits import Limits
from tunnelspec.link import RELAY_G
from tunnelspec.machine import TableError
from tunnelspec.totality import SMALL as LIMITS
from tunnelspec.totality import prove

WORLDS = {s.name: s for s in (*SMALL, *BESIDE)}


def court(*names: str) -> Court:
    notes: Notes = defaultdict(dict)
    return Court(sorted((Ground.of(WORLDS[name], notes) for name in names), key=lambda ground: ground.states), notes)


@pytest.fixture(scope="module")
def sockets() -> Court:
    """A few of the socket's worlds."""
    return court("wrap", "limit", "plain")


def mutant(id_: str) -> Mutant:
    return next(m for m in all_mutants() if m.id == id_)


# -- faults ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: m.id)
def test_every_line_has_its_mutants(machine: Any) -> None:
    """Each line is dropped; each that does something is silenced and led elsewhere; each guard is turned round."""
    found = mutants(machine)
    assert len({m.id for m in found}) == len(found)
    by_line = {t.id: {m.operator for m in found if m.id.startswith(f"{t.id} ")} for t in machine.transitions}
    for line in machine.transitions:
        assert "drop" in by_line[line.id]
        assert ("negate" in by_line[line.id]) == (line.when is not None)
        assert ("retarget" in by_line[line.id]) == (line.verdict == "taken")
    assert {m.operator for m in found} <= set(OPERATORS)


@given(st.integers(0, 4), st.integers(0, 4), st.integers(1, 3), st.booleans())
def test_a_bound_is_moved_by_one(count: int, size: int, most: int, refusing: bool) -> None:
    """ACK-G-06: the guard with a bound moved is the guard under a limit that is one higher or lower."""
    lim = replace(LIMITS, max_pending_messages=most)
    queue = Queue(bytes=0, refusing=refusing)
    for _ in range(count):
        queue = queue._replace(pending=queue.pending.append(None))  # type: ignore[arg-type]
    event = ClientMessage(b"", False, size, 0)
    changed = dict(bounds_moved(has_room))
    for by in (1, -1):
        what = f"len(c.pending) < lim.max_pending_messages -> len(c.pending) < lim.max_pending_messages {by:+d}"
        moved = changed[what.replace("+1", "+ 1").replace("-1", "- 1")]
        assert moved(queue, event, lim) == has_room(queue, event, replace(lim, max_pending_messages=most + by))


def test_conjuncts_are_dropped_and_turned_round() -> None:
    c, e = Queue(refusing=True), ClientMessage(b"", False, 1, 0)
    changed = {(operator, what): guard for operator, what, guard in conjuncts_changed(has_room)}
    assert len(changed) == 8
    assert not has_room(c, e, LIMITS)
    assert changed["drop-part", "not c.refusing"](c, e, LIMITS)
    assert changed["negate-part", "not c.refusing"](c, e, LIMITS)


def test_a_helper_is_changed_wherever_it_is_called() -> None:
    assert covered in tuple(helpers(opens_kept))

    def wrong(c: Any, last: int, lim: Limits) -> int:
        return -1

    changed = with_helper(opens_kept, "covered", wrong)
    event = Opened(True, -1, 0)
    assert opens_kept(Queue(), event, LIMITS)
    assert not changed(Queue(), event, LIMITS)
    assert opens_kept(Queue(), event, LIMITS)  # the table itself is as it was


@pytest.mark.parametrize("m", [m for m in mutants(ACK_G) if m.fitted], ids=lambda m: m.id)
def test_a_fitted_table_is_total(m: Mutant) -> None:
    """The lines beside a faulty guard give up what it takes, and take what it leaves."""
    heard = {ACK_G.transition(id_).on for id_ in m.lines}
    machine = m.build()
    from tunnelspec.machine import key

    narrow = replace(machine, departs=True, events=lambda lim: [e for e in machine.events(lim) if key(e) in heard])
    assert not prove(narrow, LIMITS).wrong


# -- fates -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("id_", "state", "by"),
    [
        ("ACK-G-06 drop", KILLED, "totality"),
        ("ACK-G-06 negate has_room(c, e, lim)", KILLED, "totality"),
        ("CONN-G-34 drop", KILLED, "malformed"),
        ("CONN-G-02 move-bound SetTimer(OpenTimeout, lim.open_timeout_ms) -> SetTimer(OpenTimeout, lim.open_timeout_ms + 1)",
         KILLED, "T-WAIT"),
        ("ACK-G-08 keep-field bytes", KILLED, "P-ACCOUNT"),
        ("CONN-G-03 drop-output TunnelDown", EQUIVALENT, ""),
    ],
)  # fmt: skip
def test_fates(id_: str, state: str, by: str, sockets: Court) -> None:
    if id_.startswith("ACK-G-06 negate"):
        id_ = next(m.id for m in all_mutants() if m.id.startswith("ACK-G-06 negate "))
    fate = sockets.judge(mutant(id_))
    assert (fate.state, fate.by) == (state, by), fate


def test_what_is_equivalent_is_so_in_every_state() -> None:
    """The walk of the endpoint alone and the exact comparison in the world agree."""
    found = court("relay-socket", "relay-request")
    for m in mutants(RELAY_G):
        fate = found.judge(m)
        if fate.state == EQUIVALENT and "says the same" in fate.because:
            assert compared(m, m.build(), found.grounds).state == EQUIVALENT
        if fate.state == KILLED and fate.by.startswith("R-"):
            assert compared(m, m.build(), found.grounds).state == SURVIVED  # that is: it differs


def test_worlds_in_which_the_tables_do_not_hold_try_nothing() -> None:
    from tunnelspec.deviations import DEVIATIONS, apply
    from tunnelspec.system import Bounds, System

    class Wrong(System):
        def __new__(cls, bounds: Bounds) -> Any:
            return apply(System(bounds), [DEVIATIONS["size-not-released"]])

    notes: Notes = defaultdict(dict)
    with pytest.raises(TableError, match="the tables do not hold"):
        Ground.of(Scenario("wrong", "", WORLDS["wrap"].bounds, Wrong), notes)


# -- the record ------------------------------------------------------------------------------------------------------


def test_the_committed_record_is_complete_current_and_strong() -> None:
    """B3: at least 95 % of the mutants that differ are killed, and what makes no difference has a reason."""
    found = records.read()
    assert not found.stale
    assert list(found.fates) == [m.id for m in all_mutants()]
    assert found.share() >= 0.95
    assert all(fate.because for fate in found.fates.values() if fate.state != KILLED)


def test_a_sample_comes_out_as_recorded(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mutate", "--check", "--sample", "3", "--only", "RELAY-G", "--jobs", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["mutants"] == len(records.read().fates)


def test_a_machines_mutants_are_killed_or_make_no_difference(capsys: pytest.CaptureFixture[str]) -> None:
    """B3: at least 95 % of the mutants that differ are killed, and what makes no difference has a reason."""
    before = records.PATH.read_text(encoding="utf-8")
    assert main(["mutate", "--only", "RELAY-G*", "--jobs", "1", "--json"]) == 0
    assert records.PATH.read_text(encoding="utf-8") == before  # what is not all of them is not recorded
    result = json.loads(capsys.readouterr().out)
    assert result["mutants"] == result["killed"] + len(result["equivalent"]) + len(result["survived"])
    assert result["killed"] >= 0.95 * (result["killed"] + len(result["survived"]))
    assert all(result["equivalent"].values())


def test_a_record_goes_round(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    fates = {"A": Fate(KILLED, "P-ACCOUNT", "wrap"), "B": Fate(EQUIVALENT, because="so it is"), "C": Fate(SURVIVED)}
    key = Sources("k", "t")
    path.write_text(Record(key, fates, 3.0).to_json(), encoding="utf-8")
    read = records.read(path)
    assert (read.key, dict(read.fates), read.seconds) == (key, fates, 3.0)
    assert read.stale
    assert read.share() == 0.5
    assert main(["mutate", "--check", "--record", str(path)]) == 5


@pytest.mark.parametrize("text", ["{", "[]", '{"format": "other"}', '{"format": "tunnelspec-mutants", "version": 1}',
                                  '{"format": "tunnelspec-mutants", "version": 2, "key": {"meaning": "", "text": ""}, '
                                  '"seconds": 0, "mutants": {"A": {"state": "lost"}}}'])  # fmt: skip
def test_a_file_that_is_no_record_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RecordError, match="record"):
        records.read(path)


def test_a_record_is_of_what_its_sources_mean(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text("A = 1  # one\n", encoding="utf-8")
    made = Sources.of([module])
    assert made.are([module])
    module.write_text("A = 1  # the first\n", encoding="utf-8")
    assert made.text != Sources.of([module]).text
    assert made.are([module])
    module.write_text("A = 2  # one\n", encoding="utf-8")
    assert not made.are([module])


def test_prose_decides_nothing_and_code_does() -> None:
    line = 'moves("A-01", "up", Send, None, when={}, says="{}", ref="{}")  # {}'
    assert meaning(line.format("f", "a", "b", "c")) == meaning(line.format("f", "x", "y", "z"))
    assert meaning(line.format("f", "a", "b", "c")) != meaning(line.format("g", "a", "b", "c"))
    assert meaning('def f():\n    "says"\n    return 1') == meaning("def f():\n    return 1")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [(["--only", "NONE-G-01"], "no mutant is called so"), (["--sample", "3"], "--sample goes with --check")],
)
def test_wrong_use_names_what_is_wrong(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mutate", *arguments]) == 2
    assert says in capsys.readouterr().err
