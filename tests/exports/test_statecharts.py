"""The exported charts, run by XState and by SCION (an interpreter of SCXML), do what the tables do."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.exports.charts import NODE, Case, Engine, cases, expected, expected_walk
from tunnelexport import scxml, xstate
from tunnelspec.ack import ACK_G, Queue
from tunnelspec.deviations import ALL
from tunnelspec.endpoint import MACHINES
from tunnelspec.events import ClientMessage, Collect
from tunnelspec.frames import ToServerWebSocketMessageAck
from tunnelspec.limits import DEFAULT
from tunnelspec.machine import Machine, Received
from tunnelspec.totality import SMALL

EACH = {"xstate": 20, "scxml": 2}
"""Cases of each transition: SCION needs some 2 ms for one."""


def exported(folder: Path, machine: Machine) -> None:
    for name, text in (xstate.files(machine) | scxml.files(machine)).items():
        (folder / name).write_text(text, encoding="utf-8")


@pytest.fixture(scope="module", params=EACH)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    with tempfile.TemporaryDirectory(dir=NODE, prefix=".charts-") as folder:  # below node_modules' parent
        for machine in MACHINES:
            exported(Path(folder), machine)
        running = Engine(request.param, Path(folder))
        yield running
        running.close()


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.id)
def test_every_transition(engine: Engine, machine: Machine, request: pytest.FixtureRequest) -> None:
    chosen = cases(machine, SMALL, EACH[request.node.callspec.params["engine"]])
    answers = engine.steps(machine, chosen, SMALL)
    for case, answer in zip(chosen, answers, strict=True):
        assert answer == expected(machine, case, SMALL)[0], case


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.id)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_the_same_states_for_the_same_random_events(engine: Engine, machine: Machine, data: st.DataObject) -> None:
    events = data.draw(st.lists(st.sampled_from(tuple(machine.events(SMALL))), max_size=30))
    assert engine.walk(machine, events, SMALL) == expected_walk(machine, events, SMALL)


def test_indices_wrap_with_the_protocols_own_limits(engine: Engine) -> None:
    """ACK-G at 65 535: the next index is 0, and an ack of it is no ack of the past."""
    before = Queue(link=1, acked=65_534, confirmed=True)
    two = [Case("live", before, ClientMessage(b"x", False, 40, 0, 5))]
    for _ in range(3):
        _, state, context = expected(ACK_G, two[-1], DEFAULT)
        two.append(Case(state, context, ClientMessage(b"y", True, 41, 0, 6)))
    acks = [
        Case("live", two[-1].context, Received(ToServerWebSocketMessageAck(i), 1)) for i in (65_534, 65_535, 0, 1, 2, 3)
    ]
    asked = [*two, *acks]
    answers = engine.steps(ACK_G, asked, DEFAULT)
    assert answers == [expected(ACK_G, case, DEFAULT)[0] for case in asked]
    assert [answer[0] for answer in answers[-6:]] == ["ACK-G-09", *["ACK-G-08"] * 3, "ACK-G-10", "ACK-G-10"]


def test_what_is_exported_is_the_table_that_was_given() -> None:
    """The merged code's inverted collection, exported, does what that table does, and not what the right one does."""
    patches = {line.id: line for d in ALL if d.id == "collect-inverted" for line in d.lines}
    rows = tuple(patches[t.id].apply(t) if t.id in patches else t for t in ACK_G.transitions)
    wrong = replace(ACK_G, transitions=rows, departs=True)
    context = expected(ACK_G, Case("live", Queue(link=1), ClientMessage(b"", False, 1, 0, 0)), DEFAULT)[2]
    late = Case("live", context, Collect(DEFAULT.ack_timeout_ms + 1))
    with tempfile.TemporaryDirectory(dir=NODE, prefix=".charts-") as folder:
        exported(Path(folder), wrong)
        for name in EACH:
            running = Engine(name, Path(folder))
            (answer,) = running.steps(wrong, [late], DEFAULT)
            running.close()
            assert answer == expected(wrong, late, DEFAULT)[0]
            assert answer != expected(ACK_G, late, DEFAULT)[0]


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.id)
def test_scxml_has_the_whole_table(machine: Machine) -> None:
    root = ElementTree.fromstring(scxml.document(machine))
    ns, ours = f"{{{scxml.NAMESPACE}}}", f"{{{scxml.OURS}}}"
    states = root.findall(f"{ns}state")
    assert [s.get("id") for s in states] == [s.name for s in machine.states]
    assert root.get("initial") == machine.initial
    ids = [id_ for element in root.iter() if (id_ := element.get("id")) is not None]
    assert len(set(ids)) == len(ids)  # the W3C's schema has states' and data's ids as xsd:ID
    assert all(re.fullmatch(r"[A-Za-z_][\w.-]*", id_) for id_ in ids)
    for state in states:
        rows = [t for t in machine.transitions if state.get("id") in t.sources]
        found = [(t.get(f"{ours}id"), t.get("event"), t.get("target")) for t in state.findall(f"{ns}transition")]
        assert found == [(t.id, t.on.__name__, t.target) for t in rows]
