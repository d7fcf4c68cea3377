"""Cases about plain requests: the reference passes, a gateway or a runner that leaves a line out does not."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conformance.test_active import cases_for_gateway, cases_for_runner, failures, gateway_results, runner_results
from tunnelconform import conversation as talk
from tunnelconform.around_request import Broken, End, Head, Text, shown
from tunnelconform.cases import Case
from tunnelconform.conversation import Step
from tunnelconform.fleet import Fleet
from tunnelconform.lag import Lag
from tunnelconform.played import Verdict
from tunnelconform.plays import runner_played
from tunnelconform.stress_request import TALK, faults
from tunnelconform.subject import Nature
from tunnelconform.subject_reference import SHORT
from tunnelconform.subject_runner import reference_runner
from tunnelconform.subject_urls import UrlGateway
from tunnelconform.subject_within import GatewayWithin, RunnerWithin
from tunnelconform.suite import judged
from tunnelspec.deviations import without
from tunnelspec.events import Respond, RespondAbort, RespondBody
from tunnelspec.limits import DEFAULT

START = "ToClientRequestStart"


UNHURRIED = {**SHORT, "response_timeout_ms": 60_000, "ack_timeout_ms": 60_000}
"""With these, what is missing is not explained by a wait that may have passed first, however long the machine held the suite up."""


def results(steps: Sequence[Step], *gone: str, limits: Mapping[str, int] = SHORT) -> tuple[Verdict, str]:
    """What a conversation shows of the reference gateway without some lines."""
    subject = GatewayWithin([without(id_) for id_ in gone], limits)
    case = Case("REQ-G-21/test", tuple(steps), frozenset(), "")
    (result,) = asyncio.run(gateway_results(subject, [case]))
    return result.verdict, result.why


@given(st.lists(st.binary(max_size=6)), st.booleans())
def test_what_a_client_sees_of_a_response_is_all_of_it(pieces: list[bytes], whole: bool) -> None:
    """REQ-G-16, REQ-G-17, REQ-G-18."""
    outputs = [Respond(200, (("X-Conform", "m"),), b"", True), *(RespondBody(piece, False) for piece in pieces)]
    outputs.append(RespondBody(b"", True) if whole else RespondAbort())
    seen = [what for output in outputs for what in shown(output)]
    assert seen[0] == Head(200, "m")
    assert seen[-1] == (End() if whole else Broken())
    assert b"".join(what.data for what in seen[1:-1] if isinstance(what, Text)) == b"".join(pieces)


def test_the_reference_passes_cases_about_requests() -> None:
    """REQ-G: a few of each line, and faults at some places of a conversation."""
    mine = [case for id_, case in cases_for_gateway().items() if id_.startswith("REQ-G") and not case.wait_ms(DEFAULT)]
    assert failures(asyncio.run(gateway_results(GatewayWithin(), [*mine[::5], *list(faults())[::7]]))) == []


def test_a_client_that_leaves_before_its_body_was_read_is_noticed() -> None:
    """REQ-G-21: the reference once read nothing before the request had arrived, and saw nobody leave."""
    for said in ((), (talk.Upload(text="b1"),)):
        assert results((*TALK[:2], *said, talk.Vanish())) == (Verdict.PASS, "")


def test_a_response_whose_runner_acks_no_longer_is_broken() -> None:
    """REQ-G-19: the reference once collected the entries of sockets only."""
    start = (*TALK[:2], talk.AckArrival(of=START), talk.Respond(stream=True), talk.Upload(text="b1"))
    assert results((*start, talk.Wait(limit="ack_timeout_ms"))) == (Verdict.PASS, "")


@pytest.mark.parametrize(
    ("line", "steps"),
    [
        ("REQ-G-05", (*TALK[:4],)),
        ("REQ-G-17", (*TALK[:2], talk.AckArrival(of=START), talk.Respond(stream=True), talk.RespondMore(last=True))),
        ("REQ-G-21", (*TALK[:6], talk.Vanish())),
        ("REQ-G-44", (*TALK[:2], talk.AckArrival(of=START), talk.Respond())),
    ],
)
def test_a_gateway_without_a_line_fails(line: str, steps: Sequence[Step], monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine, too: with short waits the gateway without REQ-G-05 once passed, for its abort might have been in time."""
    assert results(steps, limits=UNHURRIED) == (Verdict.PASS, "")
    monkeypatch.setattr(Lag, "over", lambda self, grace_ms, now_ms: 400)
    assert results(steps, line, limits=UNHURRIED)[0] is Verdict.FAIL


def test_without_a_url_for_requests_they_are_unsupported() -> None:
    """Declared by whoever wrote the command, never inferred."""
    cases = [cases_for_gateway()["REQ-G-44/running"], next(c for c in faults() if c.id.startswith("TUN-G-06"))]
    nature = asyncio.run(UrlGateway("ws://127.0.0.1:1", "ws://127.0.0.1:1", DEFAULT).start())
    found = asyncio.run(gateway_results(_Declaring(nature.unsupported), cases))
    assert {result.verdict for result in found} == {Verdict.UNSUPPORTED}


class _Declaring(GatewayWithin):
    """A reference gateway that says what it does not support."""

    def __init__(self, unsupported: Mapping[str, str]) -> None:
        super().__init__()
        self._unsupported = unsupported

    async def start(self) -> Nature:
        return replace(await super().start(), unsupported=self._unsupported)


# -- runners ---------------------------------------------------------------------------------------------------------


def runner_verdict(steps: Sequence[Step], *gone: str) -> Verdict:
    """What a conversation shows of the reference runner without some lines."""

    async def work() -> Verdict:
        subject = RunnerWithin([without(id_) for id_ in gone])
        hub, fleet = await subject.start(), Fleet(subject.another)
        try:
            case = Case("REQ-R-01/test", tuple(steps), frozenset(), "")
            played = await runner_played(hub, fleet, subject.limits, case.conversation)
            return judged(case, played, 0).verdict
        finally:
            await fleet.stop()
            await subject.stop()

    return asyncio.run(work())


def called(path: str, *steps: Step) -> tuple[Step, ...]:
    return (talk.Start(), talk.Call(path=path, stream=True), *steps)


@pytest.mark.parametrize(
    ("line", "steps"),
    [
        ("REQ-R-01", called("/whole")),
        ("REQ-R-02", called("/whole", talk.CallMore(text="b1"))),
        ("REQ-R-03", called("/whole", talk.CallMore())),
        ("REQ-R-04", called("/hold", talk.CallMore())),
        ("REQ-R-05", called("/stream", talk.CallMore())),
        ("REQ-R-06", called("/stream", talk.CallMore())),
        ("REQ-R-07", called("/whole", talk.CallMore())[1:]),
        ("REQ-R-08", called("/hold", talk.CallMore(), talk.Stop())),
        ("REQ-R-09", called("/hold", talk.CallOff())),
        ("REQ-R-10", called("/whole", talk.Cut(), talk.Call())),
        ("REQ-R-26", called("/hold", talk.CallMore(), talk.Wait(limit="runner_ack_timeout_ms"))),
    ],
)
def test_a_runner_without_a_line_fails(line: str, steps: Sequence[Step]) -> None:
    assert runner_verdict(steps) is Verdict.PASS
    assert runner_verdict(steps, line) is Verdict.FAIL


def test_a_body_that_was_complete_does_not_call_the_actor_again() -> None:
    """REQ-R-02: a further last chunk is acked, and nothing else comes of it."""
    assert runner_verdict(called("/hold", talk.CallMore(), talk.CallMore(), talk.CallOff())) is Verdict.PASS


def test_the_reference_runner_passes_cases_about_requests() -> None:
    cases = [c for id_, c in cases_for_runner().items() if id_.startswith("REQ-R") and not c.wait_ms(DEFAULT)]
    assert failures(asyncio.run(runner_results(reference_runner(), cases[::4]))) == []
