"""The tables in C: one function for each machine, and one for each endpoint that lets them hear one another.

Every line of a (state, event) pair asks its guard, and exactly one must hold: a table that is silent or ambiguous stops the run.
"""

from __future__ import annotations

from typing import Any

from tunnelexport.promela.layout import literal
from tunnelexport.promela.shapes import BOOL, NEVER, NONE, STR, List, Pair, Record, Type, Union, members, tag
from tunnelexport.promela.terms import Built, Constant, Term, Value, rowish
from tunnelexport.promela.translate import Translator
from tunnelexport.promela.writing import flat
from tunnelspec.endpoint import Endpoint, Local, Result, Taken
from tunnelspec.events import Signal
from tunnelspec.limits import Limits
from tunnelspec.machine import Machine, Received, Step, Transition, Verdict, Violation

STEPS = List(Record(Taken))


class Tables:
    """The endpoints of one model."""

    def __init__(self, t: Translator, limits: Limits) -> None:
        self.t, self.limits = t, limits
        self.endpoints: dict[str, Endpoint] = {}
        t.intrinsics[Endpoint.step] = self.step

    # -- types --------------------------------------------------------------------------------------------------------

    def heard(self, endpoint: Endpoint) -> Type:
        """What its machines hear."""
        return self.t.shapes.heard.get(endpoint.role, NEVER)

    def put_out(self, endpoint: Endpoint) -> Type:
        """What of that no machine knows, and therefore leaves the endpoint."""
        kinds = [m for m in members(self.heard(endpoint)) if not self._frames(m) and m.cls not in endpoint.listeners]  # type: ignore[attr-defined]
        return self.t.shapes.joined(kinds)

    def _frames(self, type_: Type) -> tuple[Type, ...]:
        """Of a received frame's type, what the frame can be."""
        if isinstance(type_, Record) and type_.cls is Received:
            return members(self.t.shapes.widened(self.t.shapes.field(type_, "frame")))
        return ()

    def places(self, endpoint: Endpoint) -> Pair:
        return Pair(self.t.shapes.places.get(endpoint.role, tuple(NEVER for _ in endpoint.machines)))

    # -- a step, where it is asked for --------------------------------------------------------------------------------

    def step(self, endpoint: Endpoint, state: Term, event: Term, limits: Term) -> Term:
        """``endpoint.step(state, event, limits)``."""
        t = self.t
        self.endpoints[endpoint.role] = endpoint
        if (not rowish(state) and t.type_of(state) == NEVER) or (not rowish(event) and t.type_of(event) == NEVER):
            return Value(NEVER, "0")
        for place, local in enumerate(t.unpacked(state, len(endpoint.machines))):
            t.shapes.stands(endpoint, place, t.type_of(local))
        event = self._not_none(event)
        t.shapes.hears(endpoint, t.type_of(event))
        at = t.variable(self.places(endpoint), t.store(state, self.places(endpoint)))
        heard = t.variable(self.heard(endpoint), t.store(event, self.heard(endpoint)))
        outputs = t.variable(List(self.put_out(endpoint)))
        steps = t.variable(STEPS)
        t.write(f"step_{endpoint.role}(&{at.text}, &{heard.text}, &{outputs.text}, &{steps.text});")
        return Built(Result, {"state": at, "outputs": outputs, "steps": steps})

    def _not_none(self, event: Term) -> Term:
        """An event that may be None by its type alone: it was asked about before."""
        t = self.t
        if not isinstance(event, Value) or not isinstance(event.type, Union) or NONE not in event.type.members:
            return event
        t.need(f"{event.text}.tag != {t.layout.class_('NoneType')}", "is None")
        rest = event.type.members - {NONE}
        if len(rest) == 1:
            return t.member(event, *rest)
        return t.variable(Union(rest), t.store(event, Union(rest)))

    # -- functions ----------------------------------------------------------------------------------------------------

    def functions(self) -> list[str]:
        """The text of all of them."""
        return [text for endpoint in self.endpoints.values() for text in self._functions(endpoint)]

    def _functions(self, endpoint: Endpoint) -> list[str]:
        texts = [text for place in range(len(endpoint.machines)) for text in self._machine(endpoint, place)]
        return [*texts, self._endpoint(endpoint)]

    def _cases(self, endpoint: Endpoint) -> list[tuple[str, type[Any], Type, Type | None]]:
        """What can be heard: the number of its class, the class, the event's type, and the frame's if it is one."""
        cases: list[tuple[str, type[Any], Type, Type | None]] = []
        for member in members(self.heard(endpoint)):
            assert isinstance(member, Record)
            for frame in self._frames(member):
                assert isinstance(frame, Record)
                cases.append((self.t.layout.class_(tag(frame)), frame.cls, member, frame))
            if not self._frames(member):
                cases.append((self.t.layout.class_(tag(member)), member.cls, member, None))
        return cases

    def _event(self, endpoint: Endpoint, member: Type, frame: Type | None) -> Term:
        """The event, known to be of this type."""
        t, whole = self.t, Value(self.heard(endpoint), "(*item)")
        event = t.member(whole, member) if isinstance(whole.type, Union) else whole
        parts = t.parts(event)
        if frame is None or parts is None:
            return event
        inner = parts["frame"]
        if isinstance(inner, Value) and isinstance(inner.type, Union):
            inner = t.member(inner, frame)
        return Built(Received, parts | {"frame": inner})

    def _key(self, endpoint: Endpoint) -> str:
        """The number of what is heard: of a received frame, the frame's."""
        kind = self.heard(endpoint)
        whole = "item->tag" if isinstance(kind, Union) else self.t.layout.class_(tag(kind))
        for member in members(kind):
            if self._frames(member):
                frame = self.t.shapes.widened(self.t.shapes.field(Record(Received), "frame"))
                path = "item->u.as_Received" if isinstance(kind, Union) else "(*item)"
                inner = f"{path}.f_frame.tag" if isinstance(frame, Union) else self.t.layout.class_(tag(frame))
                return f"({whole} == {self.t.layout.class_('Received')} ? {inner} : {whole})"
        return whole

    def _machine(self, endpoint: Endpoint, place: int) -> list[str]:
        """One function for each event that a machine can hear."""
        t, machine, local = self.t, endpoint.machines[place], self.places(endpoint).items[place]
        texts = []
        for _, cls, member, frame in self._cases(endpoint) if local != NEVER else ():
            rows = [row for row in machine.transitions if row.on is cls]
            if rows:
                with t.into([]) as body:
                    t.write(
                        f"static void {_hear(machine, cls)}({t.layout.c(local)} *here, "
                        f"const {t.layout.c(self.heard(endpoint))} *item, "
                        f"{t.layout.c(List(self.heard(endpoint)))} *said, {t.layout.c(STEPS)} *steps) {{"
                    )
                    t.write("int from = here->f_state, line = -1, lines = 0;")
                    self._rows(endpoint, place, rows, self._event(endpoint, member, frame))
                    t.write("}")
                texts.append("\n".join(flat(body)) + "\n")
        return texts

    def _rows(self, endpoint: Endpoint, place: int, rows: list[Transition], event: Term) -> None:
        t, machine, limits = self.t, endpoint.machines[place], Constant(self.limits)
        local = t.parts(Value(self.places(endpoint).items[place], "(*here)"))
        assert local is not None
        context = local["context"]
        for at, row in enumerate(rows):
            sources = " || ".join(f"from == {t.layout.number(source)}" for source in row.sources)
            t.write(f"if ({sources}) {{ /* {row.id} */")
            holds = t.truth(t.call(Constant(row.when), [context, event, limits], {})) if row.when else Constant(True)
            if t.type_of(holds) != NEVER:
                t.write(f"if ({t.store(holds, BOOL)}) {{ lines++; line = {at}; }}")
            t.write("}")
        t.write(f"if (lines != 1) undecided({literal(machine.id)}); switch (line) {{")
        for at, row in enumerate(rows):
            t.write(f"case {at}: {{ /* {row.id}: {plain(row.says)} */")
            self._fire(endpoint, place, row, context, event)
            t.write("break; }")
        t.write("}")

    def _fire(self, endpoint: Endpoint, place: int, row: Transition, context: Term, event: Term) -> None:
        t, machine = self.t, endpoint.machines[place]
        taken = {"transition": Constant(row), "state": Value(STR, "from") if row.target is None else Constant(row.target),
                 "context": Value(NEVER, "0"), "outputs": Value(NEVER, "0")}  # fmt: skip
        step = Built(Taken, {"machine": Constant(machine), "source": Value(STR, "from"), "step": Built(Step, taken)})
        t.type_of(step)
        t.push(Value(STEPS, "(*steps)"), step)
        t.write(f"taken[{t.layout.number(row)}] = 1;")
        if row.verdict is Verdict.REFUSED:
            self._say(endpoint, Constant(Violation(row.id)))
            return
        if row.then is not None:
            result = t.call(Constant(row.then), [context, event, Constant(self.limits)], {})
            if not rowish(result) and t.type_of(result) == NEVER:
                return
            after, outputs = t.unpacked(result, 2)
            known = isinstance(after, Value) and isinstance(context, Value) and after.text == context.text
            if not known:
                t.shapes.stands(
                    endpoint, place, t.type_of(Built(Local, {"state": Value(STR, "from"), "context": after}))
                )
                type_ = t.shapes.widened(t.type_of(after))
                text = t.variable(type_, t.store(after, type_)).text
            t.each(outputs, lambda item: self._say(endpoint, item))
            if not known:
                t.write(f"here->f_context = {text};")
        if row.target is not None:
            t.write(f"here->f_state = {t.layout.number(row.target)};")

    def _say(self, endpoint: Endpoint, item: Term) -> None:
        t = self.t
        if t.type_of(item) == NEVER:
            return
        t.shapes.hears(endpoint, t.type_of(item))
        t.push(Value(List(self.heard(endpoint)), "(*said)"), item)

    def _endpoint(self, endpoint: Endpoint) -> str:
        t, role = self.t, str(endpoint.role)
        heard, out = t.layout.c(self.heard(endpoint)), List(self.put_out(endpoint))
        with t.into([]) as body:
            t.write(
                f"static void step_{role}({t.layout.c(self.places(endpoint))} *at, const {heard} *first, "
                f"{t.layout.c(out)} *outputs, {t.layout.c(STEPS)} *steps) {{"
            )
            t.write(f"{heard} waiting[64]; int n = 1; waiting[0] = *first; outputs->n = 0; steps->n = 0;")
            t.write(f"while (n > 0) {{ {heard} one = waiting[--n], *item = &one; int i;")
            t.write(f"{t.layout.c(List(self.heard(endpoint)))} said; said.n = 0;")
            t.write(f"switch ({self._key(endpoint)}) {{")
            for number, cls, member, frame in self._cases(endpoint):
                t.write(f"case {number}: {{")
                listeners = endpoint.listeners.get(cls, ())
                for place in listeners:
                    t.write(f"{_hear(endpoint.machines[place], cls)}(&at->f_{place}, item, &said, steps);")
                if not listeners and (frame is not None or issubclass(cls, Signal)):
                    t.write(f"undecided({literal(f'no machine of the {role} knows {cls.__name__}')});")
                elif not listeners:
                    t.push(Value(out, "(*outputs)"), self._event(endpoint, member, frame))
                t.write("break; }")
            t.write("}")
            t.need("n + said.n < 64", "needs more room")
            t.write("for (i = said.n - 1; i >= 0; i--) waiting[n++] = said.item[i]; } }")
        return "\n".join(flat(body)) + "\n"


def _hear(machine: Machine, cls: type[Any]) -> str:
    return f"{machine.id.replace('-', '_')}_hears_{cls.__name__}"


def plain(words: str) -> str:
    """Words for a comment: SPIN's lexer wants no quotes in it."""
    return literal(words)[1:-1].replace("*/", "")
