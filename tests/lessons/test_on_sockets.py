"""Every lesson's trace, done by the reference over real sockets: step by step it does what the tables say."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tunnelcheck.files import read
from tunnelcheck.replay import breaks
from tunnelreplay.run import replay
from tunnelspec.deviations import named
from tunnelspec.properties import PROPERTIES

TRACES = sorted((Path(__file__).parents[2] / "spec" / "lessons" / "traces").glob("*.json"))


@pytest.mark.parametrize("path", TRACES, ids=lambda path: path.stem)
def test_the_reference_does_what_the_lesson_shows(path: Path) -> None:
    """A deviation is given to the reference too: what the merged code got wrong happens on sockets as well."""
    trace = read(path)
    done = asyncio.run(replay(trace.bounds, [named(name) for name in trace.deviations], trace.actions))
    assert tuple(moment.action.id for moment in done.moments) == trace.actions


def test_there_are_traces() -> None:
    assert len(TRACES) >= 11


def test_the_merged_code_applies_a_message_twice_on_sockets_too() -> None:
    """Lesson 11 ends with P-NO-DUP broken; so it does where the reference runs the merged code's tables."""
    trace = read(TRACES[-1])
    done = asyncio.run(replay(trace.bounds, [named(name) for name in trace.deviations], trace.actions))
    (prop,) = (p for p in PROPERTIES if p.id == "P-NO-DUP")
    assert breaks(done.system, done.moments, prop) is not None
