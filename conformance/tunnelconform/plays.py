"""Which play a conversation is: what it is about, its steps tell."""

from __future__ import annotations

from tunnelconform import conversation as talk
from tunnelconform.conversation import Conversation
from tunnelconform.play import GRACE_MS
from tunnelconform.play_gateway import GatewayPlay
from tunnelconform.play_request import RequestPlay
from tunnelconform.profiles import STRICT, Profile
from tunnelconform.subject import GatewaySubject, Nature


def gateway_play(
    subject: GatewaySubject, nature: Nature, conversation: Conversation, goal: frozenset[str] = frozenset(),
    lenient: bool = False, profile: Profile = STRICT, grace_ms: int = GRACE_MS,
) -> GatewayPlay:  # fmt: skip
    """A conversation with a gateway: about a request, or about a socket."""
    kind = RequestPlay if any(isinstance(step, talk.Request) for step in conversation) else GatewayPlay
    return kind(subject, nature, conversation, goal, lenient, profile, grace_ms)
