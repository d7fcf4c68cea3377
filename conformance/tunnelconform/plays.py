"""Which play a conversation is: what it is about, its steps tell."""

from __future__ import annotations

from tunnelconform import conversation as talk
from tunnelconform.conversation import Conversation
from tunnelconform.fleet import Fleet
from tunnelconform.hub import Hub
from tunnelconform.play import GRACE_MS, TAIL_S, Play
from tunnelconform.play_call import CallPlay
from tunnelconform.play_dialler import DiallerPlay
from tunnelconform.play_gateway import GatewayPlay
from tunnelconform.play_request import RequestPlay
from tunnelconform.play_runner import RunnerPlay
from tunnelconform.played import Played
from tunnelconform.profiles import STRICT, Profile
from tunnelconform.subject import GatewaySubject, Nature
from tunnelspec.endpoint import TABLES, Tables
from tunnelspec.limits import Limits


def gateway_play(
    subject: GatewaySubject, nature: Nature, conversation: Conversation, goal: frozenset[str] = frozenset(),
    lenient: bool = False, profile: Profile = STRICT, grace_ms: int = GRACE_MS,
) -> GatewayPlay:  # fmt: skip
    """A conversation with a gateway: about a request, or about a socket."""
    kind = RequestPlay if any(isinstance(step, talk.Request) for step in conversation) else GatewayPlay
    return kind(subject, nature, conversation, goal, lenient, profile, grace_ms)


def needs_own(conversation: Conversation) -> bool:
    """Whether a conversation is about the runner's link itself, and needs a runner that nobody else uses."""
    return any(isinstance(step, talk.Admit | talk.Refuse | talk.Terminate) for step in conversation)


async def runner_played(
    hub: Hub, fleet: Fleet, limits: Limits, conversation: Conversation, goal: frozenset[str] = frozenset(),
    lenient: bool = False, tables: Tables = TABLES, grace_ms: int = GRACE_MS, tail_s: float = TAIL_S,
) -> Played:  # fmt: skip
    """What came of a conversation with a runner: about its link, about a request, or about a socket. ``tail_s``: so long one
    listens after the last step. Raises ``SubjectError``, ``OSError``."""

    async def run(play: Play) -> Played:
        play.tail_s = tail_s
        return await play.run()

    if needs_own(conversation):
        async with fleet.one() as ship:
            return await run(DiallerPlay(ship, limits, conversation, goal, lenient, tables.link_runner, grace_ms))
    if any(isinstance(step, talk.Call | talk.CallMore | talk.CallOff) for step in conversation):
        return await run(CallPlay(hub, limits, conversation, goal, lenient, tables, grace_ms))
    return await run(RunnerPlay(hub, limits, conversation, goal, lenient, tables.runner, grace_ms))
