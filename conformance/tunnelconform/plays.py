"""Which play a conversation is: what it is about, its steps tell."""

from __future__ import annotations

from tunnelconform import conversation as talk
from tunnelconform.conversation import Conversation
from tunnelconform.hub import Hub
from tunnelconform.play import GRACE_MS
from tunnelconform.play_call import CallPlay
from tunnelconform.play_gateway import GatewayPlay
from tunnelconform.play_request import RequestPlay
from tunnelconform.play_runner import RunnerPlay
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


def runner_play(
    hub: Hub, limits: Limits, conversation: Conversation, goal: frozenset[str] = frozenset(), lenient: bool = False,
    tables: Tables = TABLES,
) -> RunnerPlay:  # fmt: skip
    """A conversation with a runner, likewise."""
    if any(isinstance(step, talk.Call | talk.CallMore | talk.CallOff) for step in conversation):
        return CallPlay(hub, limits, conversation, goal, lenient, tables)
    return RunnerPlay(hub, limits, conversation, goal, lenient, tables.runner)
