"""The active suite is checked: the reference passes, departures from the tables do not, and what is reported is so."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunnelconform import baseline
from tunnelconform import conversation as talk
from tunnelconform.active import code
from tunnelconform.cases import Case, gateway_cases, may_begin, runner_cases, selected
from tunnelconform.conditions import conditions, texts
from tunnelconform.conversation import Conversation, from_json, to_json
from tunnelconform.fleet import Fleet
from tunnelconform.lag import Lag
from tunnelconform.play import GRACE_MS
from tunnelconform.played import Played, Verdict
from tunnelconform.plays import gateway_play, runner_played
from tunnelconform.session import blind, grace
from tunnelconform.shrink import Shrunk, shrink, signature
from tunnelconform.standalone import can_write, script
from tunnelconform.stress_gateway import faults
from tunnelconform.subject import GatewaySubject, Nature
from tunnelconform.subject_line import LineGateway
from tunnelconform.subject_reference import SHORT, ReferenceGateway
from tunnelconform.subject_runner import CommandRunner, reference_runner
from tunnelconform.subject_within import GatewayWithin
from tunnelconform.suite import Result, run
from tunnelspec.endpoint import MACHINES
from tunnelspec.limits import DEFAULT, Limits
from tunnelspec.machine import Verdict as Meaning
from tunnelspec.machine import key
from tunnelspec.system import small_limits

ROOT = Path(__file__).parents[2]
FEW = 1_500
"""So many situations are looked at here: enough for what is selected."""

SLEEPS_FOR_NOTHING: Conversation = (
    talk.Join(),
    talk.Connect(),
    talk.AckArrival(),
    talk.Answer(),
    talk.Say(text="m1"),
    talk.Tell(text="r1"),
    talk.AckMessages(index=1),
    talk.AckArrival(of="ToClientWebSocketMessage"),
    talk.Close(retry=True),
)


@cache
def gateway_derived() -> tuple[tuple[Case, ...], dict[str, str]]:
    return gateway_cases(ReferenceGateway().limits, 5_000, FEW)


def cases_for_gateway() -> dict[str, Case]:
    return {case.id: case for case in gateway_derived()[0]}


@cache
def cases_for_runner() -> dict[str, Case]:
    cases, _ = runner_cases(reference_runner().limits, 5_000, FEW)
    return {case.id: case for case in cases}


async def gateway_results(subject: GatewaySubject, cases: Sequence[Case]) -> tuple[Result, ...]:
    nature = await subject.start()
    try:

        async def play(case: Case, goal: frozenset[str]) -> Played:
            return await gateway_play(subject, nature, case.conversation, goal, case.lenient).run()

        return await run(cases, nature, play, subject.alive, lambda result: None, nature.side_by_side)
    finally:
        await subject.stop()


async def runner_results(subject: CommandRunner, cases: Sequence[Case]) -> tuple[Result, ...]:
    hub, fleet = await subject.start(), Fleet(subject.another)
    try:

        async def play(case: Case, goal: frozenset[str]) -> Played:
            return await runner_played(hub, fleet, subject.limits, case.conversation, goal)

        return await run(cases, Nature(subject.limits), play, subject.alive, lambda result: None, 24)
    finally:
        await fleet.stop()
        await subject.stop()


async def with_gateway(subject: GatewaySubject, work: Callable[[Nature], Awaitable[None]]) -> None:
    nature = await subject.start()
    try:
        await work(nature)
    finally:
        await subject.stop()


def failures(results: Sequence[Result]) -> list[str]:
    return [r.case.id for r in results if r.verdict in (Verdict.FAIL, Verdict.ERROR)]


def test_the_reference_gateway_passes() -> None:
    """A few cases of each machine, and faults; none that depends on the machine's speed to be conclusive."""
    cases = [c for c in cases_for_gateway().values() if not any(isinstance(s, talk.Wait) for s in c.conversation)]
    chosen = [*cases[::23], *list(faults())[::17]]
    results = asyncio.run(gateway_results(ReferenceGateway(), chosen))
    assert failures(results) == []
    assert Counter(r.verdict for r in results)[Verdict.PASS] > len(chosen) * 0.8


@pytest.mark.parametrize(
    ("deviation", "case"),
    [
        ("drops-silently", "ACK-G-07/live"),
        ("wakes-for-nothing", "HIB-G-05/awake"),
        ("any-runner", "ACK-G-11/live"),
        ("ack-unchecked", "ACK-G-10/live"),
    ],
)
def test_a_departure_from_the_tables_fails_the_case_that_names_its_line(deviation: str, case: str) -> None:
    subject = ReferenceGateway(options=("--deviation", deviation))
    (result,) = asyncio.run(gateway_results(subject, [cases_for_gateway()[case]]))
    assert result.verdict is Verdict.FAIL


def test_a_runner_that_dials_again_replaces_its_own_link() -> None:
    """LINK-G-11: the gateway once closed the new link with 1011, for the old one left a dictionary that was being gone through."""
    (found,) = asyncio.run(gateway_results(ReferenceGateway(), [cases_for_gateway()["LINK-G-11/ready"]]))
    assert found.verdict is Verdict.PASS


def test_the_reference_runner_passes_and_a_departure_does_not() -> None:
    """CONN-R, ACK-R, HIB-R, TUN-R over a real link; ACK-R-06 as its case."""
    cases = list(cases_for_runner().values())
    light = [c for c in cases if not c.heavy and not any(isinstance(s, talk.Wait) for s in c.conversation)]
    results = asyncio.run(runner_results(reference_runner(), light[::11]))
    assert failures(results) == []
    deviant = reference_runner(options=("--deviation", "acks-what-it-drops"))
    (result,) = asyncio.run(runner_results(deviant, [cases_for_runner()["ACK-R-07/live"]]))
    assert result.verdict is Verdict.FAIL


def test_a_failure_is_shrunk_confirmed_and_written_as_a_script_that_shows_it(tmp_path: Path) -> None:
    """HIB-G-05: falling asleep is no cause to wake."""
    path = tmp_path / "alone.py"

    async def work(nature: Nature) -> None:
        async def replay(conversation: Conversation) -> Played:
            return await gateway_play(deviant, nature, conversation).run()

        played = await replay(SLEEPS_FOR_NOTHING)
        way = signature(played)
        shrunk: Shrunk = await shrink(played, replay)
        assert (shrunk.failed, shrunk.tried) == (3, 3)
        assert signature(shrunk.played) == way
        assert [step.do for step in shrunk.played.conversation] == ["join", "connect", "ack-arrival", "answer", "close"]
        assert can_write("gateway", shrunk.played.conversation)
        place = await deviant.place()
        path.write_text(script("HIB-G-05/awake", shrunk.played, place, await deviant.door(place), nature.limits))
        assert await exit_code() == 1

    async def exit_code(*gateway: str) -> int:
        alone = await asyncio.create_subprocess_exec(sys.executable, str(path), *gateway, stdout=subprocess.DEVNULL)
        return await alone.wait()

    async def against_the_reference(nature: Nature) -> None:
        place = await reference.place()
        assert await exit_code(place.runner_url.split("/")[2]) == 0

    deviant, reference = ReferenceGateway(options=("--deviation", "wakes-for-nothing")), ReferenceGateway()
    asyncio.run(with_gateway(deviant, work))
    assert "tunnel" not in "".join(line for line in path.read_text().splitlines() if "import" in line)
    asyncio.run(with_gateway(reference, against_the_reference))


def test_a_program_that_answers_the_line_protocol_is_an_adapter() -> None:
    subject = LineGateway([sys.executable, str(ROOT / "conformance/examples/adapter.py")])
    cases = [cases_for_gateway()[id_] for id_ in ("CONN-G-15/open", "ACK-G-06/live", "CONN-G-10/awaiting")]
    results = asyncio.run(gateway_results(subject, cases))
    assert [r.verdict for r in results] == [Verdict.PASS, Verdict.PASS, Verdict.UNSUPPORTED]


def test_a_runner_in_another_language_passes() -> None:
    """CONN-R, ACK-R: the one in JavaScript, which shares nothing with ours."""
    shell = f"cd {ROOT / 'tests/node'} && exec node {ROOT / 'conformance/examples/runner.mjs'}"
    subject = CommandRunner(["sh", "-c", shell], DEFAULT)
    light = [
        c
        for c in cases_for_runner().values()
        if not c.heavy and not any(isinstance(s, talk.Wait) for s in c.conversation)
    ]
    assert failures(asyncio.run(runner_results(subject, light[::9]))) == []


def result(id_: str, verdict: Verdict) -> Result:
    return Result(Case(id_, (), frozenset(), ""), verdict)


def test_a_baseline_must_give_reasons_and_must_not_be_stale(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    path.write_text(json.dumps({"A-1/x": "known", "A-2/x": "known", "A-9/x": "gone"}))
    results = (result("A-1/x", Verdict.FAIL), result("A-2/x", Verdict.PASS))
    found = baseline.stale(baseline.read(path), results, ["A-1/x", "A-2/x", "A-3/x"])
    assert found == {"A-2/x": "it passes", "A-9/x": "there is no such case"}
    path.write_text(json.dumps({"A-1/x": " "}))
    with pytest.raises(baseline.BaselineError, match="A-1/x has no reason"):
        baseline.read(path)


def test_exit_codes() -> None:
    good, bad = result("A-1/x", Verdict.PASS), result("A-2/x", Verdict.FAIL)
    assert code((good,), False) == 0
    assert code((good, bad), True) == 1
    assert code((good, bad.with_excuse("known")), False) == 0
    assert code((good, bad.with_excuse("known")), True) == 5
    assert code((good, result("A-3/x", Verdict.INCONCLUSIVE)), False) == 0
    assert code((good, result("A-3/x", Verdict.INCONCLUSIVE).with_counts(True)), False) == 3
    assert code((bad, result("A-4/x", Verdict.ERROR)), False) == 4


def test_a_dead_subject_is_an_error_and_not_a_pass() -> None:
    class Dead(ReferenceGateway):
        async def alive(self) -> bool:
            await self._child.stop()
            return False

    (found,) = asyncio.run(gateway_results(Dead(), [cases_for_gateway()["CONN-G-15/open"]]))
    assert found.verdict is Verdict.ERROR


def test_every_transition_that_a_peer_can_provoke_has_a_case() -> None:
    """Each line of the gateway's tables is reached, or excluded by them, or on this list, which no peer's step can bring about."""
    cases, unreached = gateway_derived()
    ids = {case.id.partition("/")[0] for case in cases}
    moves = {t.id for m in MACHINES for t in m.transitions if t.verdict is Meaning.TAKEN and not t.excluded}
    gateway = {id_ for id_ in moves if id_.startswith(("CONN-G", "ACK-G", "TUN-G", "HIB-G", "LINK-G", "REQ-G"))}
    assert gateway - ids == {"CONN-G-24"}
    assert "CONN-G-24" in unreached


def test_patterns_select_by_id() -> None:
    cases = [Case(id_, (), frozenset(), "") for id_ in ("ACK-G-01/held", "ACK-G-01/shut", "ACK-G-11/live")]
    assert [c.id for c in selected(cases, ["ACK-G-01"])] == ["ACK-G-01/held", "ACK-G-01/shut"]
    assert [c.id for c in selected(cases, ["*/live"])] == ["ACK-G-11/live"]
    assert selected(cases, ["ACK"]) == tuple(cases)
    assert selected(cases, ["NOPE"]) == ()


@given(st.sampled_from(("walk/0-3", "walk/request-7-11")), st.text("walk/-0*?A", max_size=6))
def test_walks_are_drawn_if_a_pattern_may_select_one(id_: str, pattern: str) -> None:
    walk = Case(id_, (), frozenset(), "")
    assert may_begin("walk/", [pattern]) or not selected([walk], [pattern])
    assert may_begin("walk/", [])
    assert not may_begin("walk/", ["ACK-G-*", "ACK-G-01/held"])


def test_a_guard_and_its_conditions_agree() -> None:
    """Each guard of each table: watched, it comes to the same answer for the same conditions, and asks at least one."""
    limits: Limits = small_limits()
    for machine in MACHINES:
        for row in machine.transitions:
            if row.when is None:
                continue
            answers: dict[tuple[bool | None, ...], bool] = {}
            for context in list(machine.contexts(limits))[:20]:
                for event in machine.events(limits):
                    if key(event) is row.on:
                        holds = row.when(context, event, limits)
                        asked = conditions(row.when, context, event, limits)
                        assert answers.setdefault(asked, holds) == holds, row.id
                        assert any(value is not None for value in asked), row.id
            assert len(texts(row.when)) > 0


steps = st.sampled_from([
    talk.Join(who="b"), talk.Connect(), talk.Say(text="ü", size=9), talk.Leave(code=None), talk.Answer(last=3),
    talk.Close(code=4000, reason="x", retry=True), talk.Wait(limit="backoff_ms", short=True), talk.Garble(text=True),
    talk.AckArrival(back=2, at_once=True), talk.Bring(index=7, text="send"), talk.Shut(code=None, reason=None),
])  # fmt: skip


@settings(max_examples=50)
@given(st.lists(steps))
def test_a_conversation_is_data(conversation: list[talk.Step]) -> None:
    text = json.dumps(to_json(conversation))
    assert from_json(json.loads(text)) == tuple(conversation)


@pytest.mark.parametrize(
    "bad", [{}, [{"who": "a"}], [{"do": "fly"}], [{"do": "say", "text": 3}], [{"do": "say", "volume": 3}]]
)
def test_what_is_no_conversation_is_refused(bad: object) -> None:
    with pytest.raises(talk.ConversationError):
        from_json(bad)


def test_limits_that_would_explain_a_silence_are_named() -> None:
    """A gateway that heard nothing of its runner passed, since each open timed out while its answer might still be worked on."""
    gateway, runner = ReferenceGateway().limits, reference_runner().limits
    assert (grace("gateway", gateway), grace("runner", runner)) == (GRACE_MS, GRACE_MS)
    for limits in (gateway, DEFAULT):
        assert blind("gateway", limits, grace("gateway", limits)) == ""
    for limits in (runner, DEFAULT):
        assert blind("runner", limits, grace("runner", limits)) == ""
    short = replace(gateway, open_timeout_ms=400)
    assert blind("gateway", short, grace("gateway", short)).startswith("open_timeout_ms 400: ")


class Deaf(GatewayWithin):
    """It hears nothing of what its runners say of a socket."""

    async def start(self) -> Nature:
        nature = await super().start()
        assert self._server is not None
        self._server.gateway.receive = lambda link, message, now: None  # type: ignore[method-assign]  # the fault
        return nature


@pytest.mark.parametrize("limits", [SHORT, {}], ids=["shortened", "default"])
def test_a_gateway_that_hears_nothing_of_its_runner_fails(
    limits: Mapping[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """CONN-G-11: with the protocol's own limits, too, its silence is noticed before it may say that the open has timed out."""
    # it is about the limits: where a machine holds the suite up for 300 ms, the time-out explains the silence
    monkeypatch.setattr(Lag, "over", lambda self, grace_ms, now_ms: 0)
    subject = Deaf(limits=limits)

    async def work(nature: Nature) -> None:
        patience = grace("gateway", nature.limits)
        for can_hibernate in (True, False):
            opened = (*SLEEPS_FOR_NOTHING[:3], talk.Answer(can_hibernate=can_hibernate), talk.Say(text="m1"))
            played = await gateway_play(subject, nature, opened, grace_ms=patience).run()
            assert played.problem is not None
            assert played.problem.refusal is None
            assert "CONN-G-11" in {rule for said in played.problem.due for rule in said.rules}

    asyncio.run(with_gateway(subject, work))
