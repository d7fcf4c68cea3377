"""What cases of stress have in common, whichever side is under test: faults at every place, and how much is much."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tunnelconform.cases import Case
from tunnelconform.conversation import Conversation

WRAP = 65_536 + 600
"""So many messages have used up every index, and some twice."""

VOLUME = 50_000
"""So many messages are many;"""

PLAIN = 25_000
"""so many are enough where no index counts: they are more bytes than may be pending by default;"""

MANY = 200
"""and so many sockets."""


@dataclass(frozen=True)
class Fault:
    """The transition that a fault is about, its name, what the peers do, and after how many steps of a conversation they first
    can."""

    transition: str
    name: str
    steps: Conversation
    after: int = 0


def anywhere(
    faults: Iterable[Fault], conversation: Conversation, first: int, word: str = "", last: int | None = None
) -> Iterator[Case]:
    """Each fault at each place of a conversation, from the first to the last (before its last step, if none is given); ``word``
    tells the conversation from others."""
    end = len(conversation) if last is None else last + 1
    for fault in faults:
        for place in range(max(first, fault.after), end):
            says = f"{fault.name.replace('-', ' ').capitalize()} before step {place + 1} of a conversation."
            whole = (*conversation[:place], *fault.steps, *conversation[place:])
            id_ = f"{fault.transition}/{fault.name}{word}-at-{place + 1:02}"
            yield Case(id_, whole, frozenset(), says, lenient=True)
