"""Which runner gets an actor is a gateway's own affair, but for one thing: one that cannot take it gets none of its sockets."""

from __future__ import annotations

from collections.abc import Iterator

from tunnelconform import conversation as talk
from tunnelconform.cases import Case

UNFIT = {"names": "hosts other actors", "slots": "has no slot left", "namespace": "is of another namespace"}
"""Why a runner cannot take an actor."""


def placing() -> Iterator[Case]:
    """The cases."""
    opened = (talk.AckArrival(), talk.Answer(), talk.Say(text="m"), talk.Leave(code=1000, reason="done"))
    for unfit, why in UNFIT.items():
        other = talk.Join(who="b", unfit=unfit)
        says = f"A socket is not opened on a runner that {why}."
        yield Case(f"CONN-G-02/unfit-{unfit}", (other, talk.Join(), talk.Connect(), *opened), frozenset(), says)
        late = (other, talk.Connect(at_once=True), talk.Join(), *opened)
        yield Case(f"CONN-G-03/unfit-{unfit}-then-fit", late, frozenset(), says, lenient=True)
        waits = (talk.Wait(limit="backoff_ms"), talk.Wait(limit="backoff_ms"))
        yield Case(f"CONN-G-04/unfit-{unfit}-only", (other, talk.Connect(), *waits), frozenset(), says, lenient=True)
