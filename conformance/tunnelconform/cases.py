"""Cases: a conversation, and the transitions that it is about."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any, Protocol

from tunnelconform import conversation as talk
from tunnelconform.conversation import Conversation
from tunnelconform.derive import Felt, Found, Pair, Single, Way, explore
from tunnelconform.model_call import CALL_WORLDS, CallModel
from tunnelconform.model_dialler import CODES, DiallerModel
from tunnelconform.model_gateway import MOST_BYTES, WAITS, Bounds, GatewayModel, Spent
from tunnelconform.model_link import LinkModel
from tunnelconform.model_request import REQUEST_WORLDS, RequestModel
from tunnelconform.model_runner import Bounds as RunnerBounds
from tunnelconform.model_runner import RunnerModel
from tunnelconform.model_runner import Spent as RunnerSpent
from tunnelconform.played import Impossible
from tunnelspec.endpoint import GATEWAY, LINK_GATEWAY, LINK_RUNNER, MACHINES, RUNNER
from tunnelspec.events import Collect
from tunnelspec.limits import Limits
from tunnelspec.machine import Machine, Transition, Verdict
from tunnelspec.request import REQ_G, REQ_R

TRANSITIONS: dict[str, Transition] = {t.id: t for machine in MACHINES for t in machine.transitions}

OFTEN = 4
"""So often in a row a link ends, in the same way."""

MOST_MODELS = 6_000
"""So many situations of one world are looked at."""

GATEWAY_WORLDS: tuple[Bounds, ...] = (
    Bounds(Spent(says=2, tells=1, answers=1, acks=2, closes=1, joins=1, strays=1)),
    Bounds(Spent(says=2, answers=2, closes=1, sleeps=1, joins=2, breaks=1, visits=1)),
    Bounds(Spent(says=1, tells=1, answers=2, acks=1, closes=1, joins=2), runners=("a", "b")),
    Bounds(Spent(says=1, answers=2, closes=4, joins=2, waits=4), plain=False),
    Bounds(Spent(says=2, answers=2, acks=1, closes=1, joins=1), large=True, plain=False),
    Bounds(Spent(says=1, answers=2, closes=1, joins=1, waits=3)),
    Bounds(Spent(says=25, answers=1, joins=1), plain=False, settles=False, depth=30),
)
"""Small worlds, which together reach what one large one would, and sooner."""


HEAVY = (talk.Flood, talk.Pour, talk.Press, talk.Heap)
"""Steps that take the whole machine, or the link that all share."""


@dataclass(frozen=True)
class Case:
    """A conversation, and the transitions that the subject takes in it. Its id is the transition's, and a word."""

    id: str
    conversation: Conversation
    goal: frozenset[str]
    says: str
    lenient: bool = False  # a step that has become impossible is left out, and the rest goes on
    times: int = 1  # it is held so many times at once

    def wait_ms(self, limits: Limits) -> int:
        """How long it waits, all in all."""
        return sum(int(getattr(limits, s.limit)) for s in self.conversation if isinstance(s, talk.Wait))

    @property
    def heavy(self) -> bool:
        """Whether no other may run beside it."""
        return self.times > 1 or any(isinstance(step, HEAVY) for step in self.conversation)

    @property
    def alone(self) -> bool:
        """Whether it breaks the link of a runner under test, which all sockets share: no other may use that runner meanwhile."""
        return breaks(self.conversation)


def breaks(conversation: Conversation) -> bool:
    """Whether the link of a runner under test is broken in it."""
    return any(isinstance(step, talk.Cut) for step in conversation)


def gateway_found(limits: Limits, patience_ms: int, most: int) -> Found:
    """What the search finds for a gateway."""
    found = Found({})
    for bounds in GATEWAY_WORLDS:
        model = GatewayModel(limits, replace(bounds, patience_ms=patience_ms))
        found.add(explore(model, most))
    return found


class Peers(Protocol):
    """A model that can also say where a conversation leads, and what shows it."""

    limits: Limits

    def after(self, conversation: Iterable[talk.Step]) -> Any: ...

    def do(self, model: Any, step: talk.Step) -> tuple[Any, tuple[Felt, ...]]: ...

    def epilogue(self, model: Any) -> Iterable[talk.Step]: ...

    def steps(self, model: Any) -> Iterable[talk.Step]: ...


def derived(found: Found, model: Peers) -> tuple[Case, ...]:
    """The cases of what a search found, in the order of their ids."""
    named: dict[str, Case] = {}
    ways = Counter(target[:2] for target in found.conversations if isinstance(target, Way))

    def add(id_: str, conversation: Conversation, *goal: str) -> None:
        whole = (*conversation, *model.epilogue(model.after(conversation)))
        named[id_] = Case(id_, whole, frozenset(goal), TRANSITIONS[id_.partition("/")[0]].says)

    for target, conversation in found.conversations.items():
        t = target.transition
        if isinstance(target, Single):
            add(f"{t}/{target.source}", conversation, t)
            for word, twin in timely(model, conversation, t):
                add(f"{t}/{target.source}-{word}", twin)
        elif isinstance(target, Pair):
            add(f"{t}/after-{target.before}", conversation, t, target.before)
            for twin in brimful(model, conversation) if isinstance(model, GatewayModel) else ():
                add(f"{t}/after-{target.before}-full", twin, t, target.before)
        elif ways[target[:2]] > 1:
            add(f"{t}/{target.source}-{target.way.lstrip('-')}", conversation, t)
    return tuple(sorted(named.values(), key=lambda case: case.id))


def timely(model: Peers, conversation: Conversation, transition: str) -> Iterator[tuple[str, Conversation]]:
    """If a wait made the endpoint take the transition: the same with a shorter one, and with what the endpoint waits for."""
    last = conversation[-1]
    if not isinstance(last, talk.Wait) or TRANSITIONS[transition].verdict is not Verdict.TAKEN:
        return
    before = model.after(conversation[:-1])
    waited = sum(int(getattr(model.limits, s.limit)) for s in conversation[:-1] if isinstance(s, talk.Wait))
    late = before._replace(now=before.now + waited // 2)  # the waits before it may have taken longer
    for shorter in _shorter(model.limits, last):
        after, _ = model.do(late, shorter)
        if after.state == late.state:  # nothing has happened yet
            yield "not-yet", (*conversation[:-1], shorter)
            break
    for step in model.steps(before):
        if isinstance(step, talk.Wait):
            continue
        with suppress(Impossible):  # perhaps there is then nothing to wait for
            after, _ = model.do(before, step)
            _, taken = model.do(after, last)
            if all(felt.transition.id != transition for felt in taken):
                yield f"not-after-{step.do}", (*conversation[:-1], step, last)


def _shorter(limits: Limits, wait: talk.Wait) -> Iterator[talk.Wait]:
    """Waits that are not as long, the longest first: what comes before may have taken its time."""
    yield replace(wait, short=True)
    longest = getattr(limits, wait.limit)
    for limit in sorted(WAITS, key=lambda name: -int(getattr(limits, name))):
        if getattr(limits, limit) < longest:
            yield replace(wait, limit=limit, short=True)


def brimful(model: GatewayModel, conversation: Conversation) -> Iterator[Conversation]:
    """If the endpoint takes the same way with messages that are just as large as is allowed, then such."""
    if sum(isinstance(step, talk.Say) for step in conversation) < 2 or model.limits.max_pending_bytes > MOST_BYTES:
        return
    size = model.limits.max_pending_bytes
    twin = tuple(replace(step, size=size) if isinstance(step, talk.Say) else step for step in conversation)
    with suppress(Impossible):  # what is refused does not arrive, and cannot be acked
        if model.route(twin) == model.route(conversation):
            yield twin


def requests_found(limits: Limits, patience_ms: int, most: int) -> Found:
    """The same about plain requests; their tunnel's transitions are those of sockets."""
    found = Found({})
    for bounds in REQUEST_WORLDS:
        found.add(explore(RequestModel(limits, replace(bounds, patience_ms=patience_ms)), most))
    return found.about(REQ_G.id)


def gateway_cases(limits: Limits, patience_ms: int, most: int = MOST_MODELS) -> tuple[tuple[Case, ...], dict[str, str]]:
    """The cases for a gateway with such limits, and the transitions that none of them takes, with the reason."""
    sockets, link = gateway_found(limits, patience_ms, most), LinkModel(limits)
    links, requests = explore(link, most), requests_found(limits, patience_ms, most)
    cases = (
        *derived(sockets, GatewayModel(limits, GATEWAY_WORLDS[0])),
        *derived(links, link),
        *derived(requests, RequestModel(limits, REQUEST_WORLDS[0])),
    )
    unreached = out_of_reach(sockets, GATEWAY.machines) | out_of_reach(links, LINK_GATEWAY.machines)
    return cases, unreached | out_of_reach(requests, (REQ_G,))


RUNNER_WORLDS: tuple[RunnerBounds, ...] = (
    RunnerBounds(RunnerSpent(opens=2, brings=2, shuts=1, starts=1, strays=1)),
    RunnerBounds(RunnerSpent(opens=2, brings=2, shuts=1, starts=2, stops=1)),
    RunnerBounds(RunnerSpent(opens=2, brings=1, shuts=1, starts=1, waits=1)),
    RunnerBounds(RunnerSpent(opens=2, brings=1, shuts=1, starts=1, cuts=1)),
    RunnerBounds(RunnerSpent(opens=2, brings=1, shuts=1, starts=2, stops=1, cuts=1), hibernates=False),
    RunnerBounds(RunnerSpent(opens=1, brings=1, shuts=1, starts=1, waits=2), hibernates=False),
    RunnerBounds(RunnerSpent(opens=2, shuts=1, starts=2, stops=1), hasty=True),
)


def runner_cases(limits: Limits, patience_ms: int, most: int = MOST_MODELS) -> tuple[tuple[Case, ...], dict[str, str]]:
    """The cases for a runner with such limits, and the transitions that none of them takes, with the reason."""
    sockets, cases = Found({}), dict[str, Case]()
    for bounds in RUNNER_WORLDS:
        model = RunnerModel(limits, replace(bounds, patience_ms=patience_ms))
        world = explore(model, most)
        sockets.add(world)
        for case in derived(world, model):
            known = cases.get(case.id)
            if known is None or len(case.conversation) < len(known.conversation):
                cases[case.id] = case
    calls = Found({})
    for bounds in CALL_WORLDS:
        calls.add(explore(CallModel(limits, replace(bounds, patience_ms=patience_ms)), most))
    calls = calls.about(REQ_R.id)
    cases |= {case.id: case for case in derived(calls, CallModel(limits, CALL_WORLDS[0]))}
    dialler = DiallerModel(limits)
    links = explore(dialler, most)
    cases |= {case.id: case for case in (*derived(links, dialler), *ends(dialler))}
    unreached = out_of_reach(sockets, RUNNER.machines) | out_of_reach(calls, (REQ_R,))
    unreached |= out_of_reach(links, LINK_RUNNER.machines)
    return tuple(sorted(cases.values(), key=lambda case: case.id)), unreached


def ends(model: DiallerModel) -> Iterator[Case]:
    """Whatever ends a runner's link or its dial, and as often as it does, the runner dials again."""
    welcome = talk.Post(who=talk.GATEWAY, frame="ToClientInit")
    kinds: dict[str, Conversation] = {
        **{f"closed-{code}": (talk.Admit(), welcome, talk.Part(who=talk.GATEWAY, code=code)) for code in CODES},
        **{f"closed-{code}-unwelcomed": (talk.Admit(), talk.Part(who=talk.GATEWAY, code=code)) for code in CODES},
        "refused-often": (talk.Refuse(),) * OFTEN,
        "broken-often": (talk.Admit(), welcome, talk.Break(who=talk.GATEWAY)) * OFTEN,
    }
    for name, conversation in kinds.items():
        whole = (*conversation, *model.epilogue(model.after(conversation)))
        yield Case(f"LINK-R-07/{name}", whole, frozenset({"LINK-R-07"}), TRANSITIONS["LINK-R-07"].says)


def observable(goal: Iterable[str]) -> frozenset[str]:
    """Those of the transitions that an oracle can tell: a collection that changes nothing is nobody's to see."""
    return frozenset(
        id_ for id_ in goal if not (TRANSITIONS[id_].on is Collect and TRANSITIONS[id_].verdict is Verdict.IGNORED)
    )


def selected(cases: Iterable[Case], patterns: Iterable[str]) -> tuple[Case, ...]:
    """The cases whose id matches one of the patterns (``ACK-G-*``; one that has no wildcard also matches as a beginning)."""
    wanted = tuple(patterns)
    return tuple(
        case
        for case in cases
        if not wanted
        or any(fnmatchcase(case.id, p) or (not set(p) & set("*?[") and _begins(case.id, p)) for p in wanted)
    )


def may_begin(beginning: str, patterns: Iterable[str]) -> bool:
    """Whether a case whose id begins so may be selected."""
    wanted = [re.split(r"[*?\[]", pattern)[0] for pattern in patterns]
    return not wanted or any(beginning.startswith(words) or words.startswith(beginning) for words in wanted)


def _begins(id_: str, beginning: str) -> bool:
    rest = id_.removeprefix(beginning)
    return rest != id_ and (not rest or rest[0] in "/-")


def out_of_reach(found: Found, machines: Iterable[Machine]) -> dict[str, str]:
    """The transitions that no peer can provoke, and why."""
    reached = {target.transition for target in found.conversations if isinstance(target, Single)}
    return {
        t.id: f"The table excludes it: {t.says}"
        if t.excluded
        else f"No conversation within the bounds brings {t.on.__name__} in {', '.join(t.sources)}: {t.says}"
        for machine in machines
        for t in machine.transitions
        if t.id not in reached
    }
