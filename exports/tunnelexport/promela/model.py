"""The whole model: the world's actions around the tables, the properties they are asked about, and the Promela that drives them.

To SPIN the world is one process that chooses one action after another. Each action is one ``d_step``, so that SPIN's states are
the world's; the state vector is the world, written as bytes and combined (exclusive or) with its beginning, so that the state in
which SPIN begins, all zero, is the world's beginning.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tunnelexport.promela.intrinsics import install
from tunnelexport.promela.layout import PRELUDE, literal, stored
from tunnelexport.promela.shapes import BOOL, NEVER, Known, Refused, Shapes
from tunnelexport.promela.tables import Tables, plain
from tunnelexport.promela.terms import Constant, Term, rowish
from tunnelexport.promela.translate import Translator, maybe
from tunnelexport.promela.writing import flat
from tunnelspec.properties import PROPERTIES, Property, Scope
from tunnelspec.system import Action, Stage, System

PASSES = 40
"""Types grow a handful of times; more often than this, something is wrong."""

BLOCK = 60_000
"""Characters of C that SPIN takes in one block."""


@dataclass(frozen=True)
class Model:
    """A model in Promela, and what its numbers mean."""

    text: str
    actions: tuple[str, ...]  # by the number of the option
    properties: tuple[str, ...]  # by their number in the model


def export(system: System, properties: Iterable[Property] = PROPERTIES) -> Model:
    """The model of a world. Raises ``Refused`` for what cannot be translated: the message has file and line."""
    judged = tuple(p for p in properties if p.scope is not Scope.RUN and (not system.bounds.lies or not p.honest))
    shapes = Shapes()
    for name, value in system.start().items():
        shapes.component(name, Known(value))
    for _ in range(PASSES):
        shapes.grew = False
        text = _Writer(system, judged, shapes).text()
        if not shapes.grew:
            return Model(text, tuple(action.id for action in system.actions), tuple(p.id for p in judged))
    raise Refused(f"types still grow after {PASSES} passes")


class _Writer:
    """One pass of the translation."""

    def __init__(self, system: System, properties: Sequence[Property], shapes: Shapes) -> None:
        self.system, self.properties, self.shapes = system, properties, shapes
        self.t = Translator(shapes)
        install(self.t)
        self.tables = Tables(self.t, system.limits)

    def text(self) -> str:
        actions = [self._action(place, action) for place, action in enumerate(self.system.actions)]
        looks = [self._look("look_at_state", Scope.STATE), self._look("look_at_end", Scope.END)]
        start, tables = self._start(), self.tables.functions()
        structs = self.t.layout.declare()
        world = self._world()
        pieces = [self.t.layout.names(), *structs, world, *tables, start, *actions, *looks, self._glue()]
        return "\n".join((self._head(), *_blocks(pieces), self._process()))

    # -- components ---------------------------------------------------------------------------------------------------

    def _component(self, name: str) -> Term:
        return self.t.read(self.shapes.components[name], f"W.{name}")

    def _kept(self) -> list[str]:
        return [name for name in self.system.components if stored(self.shapes.components[name])]

    def _world(self) -> str:
        layout, types = self.t.layout, self.shapes.components
        slots = " ".join(f"{layout.c(types[name])} {name};" for name in self._kept())
        pointers = " ".join(f"const {layout.c(types[name])} *{name};" for name in self._kept())
        write = " ".join(layout.write(types[name], f"(*P.{name})") for name in self._kept())
        read = " ".join(layout.read(types[name], f"W.{name}") for name in self._kept())
        point = " ".join(f"P.{name} = &W.{name};" for name in self._kept())
        return (
            f"static struct {{ {slots} }} W, N;\nstatic struct {{ {pointers} }} P;\n"
            f"static void put_world(uchar **to) {{ {write} }}\n"
            f"static void take_world(const uchar **from) {{ {read} }}\n"
            f"static void point_at_now(void) {{ {point} }}\n"
        )

    def _start(self) -> str:
        t = self.t
        with t.into([]) as body:
            for name, value in self.system.start().items():
                if stored(self.shapes.components[name]):
                    t.write(f"W.{name} = {t.store(Constant(value), self.shapes.components[name])};")
        return "static void begin(void) {\n" + "\n".join(flat(body)) + "\n}\n"

    # -- actions ------------------------------------------------------------------------------------------------------

    def _action(self, place: int, action: Action) -> str:
        t = self.t
        values: dict[str, Term] = {name: self._component(name) for name in self.system.components}
        changed: dict[str, None] = {}
        with t.into([]) as body:
            possible = True
            for stage in action.stages:
                reads = [values[name] for name in stage.reads]
                if any(not rowish(read) and t.type_of(read) == NEVER for read in reads):
                    possible = False
                    break
                result = t.call(Constant(stage.do), [*map(Constant, stage.given), *reads], {})
                found = maybe(result)
                if found is None:
                    possible = False
                    break
                flag, writes = found
                if flag != "1":
                    t.write(f"if (!{flag}) return 0;")
                values |= zip(stage.writes, writes, strict=True)
                changed |= dict.fromkeys(name for name in stage.writes if name in self.system.components)
                self._judge_step(stage, reads, writes)
            for name in changed if possible else ():
                self.shapes.component(name, t.type_of(values[name]))
                type_ = self.shapes.components[name]
                if stored(type_):
                    t.write(f"N.{name} = {t.store(values[name], type_)}; P.{name} = &N.{name};")
            t.write(f"return {int(possible)};")
        return (
            f"/* {action.id}: {plain(action.says)} */\nstatic int act_{place}(void) {{\n"
            + "\n".join(flat(body))
            + "\n}\n"
        )

    # -- properties ---------------------------------------------------------------------------------------------------

    def _judge_step(self, stage: Stage, reads: Sequence[Term], writes: Sequence[Term]) -> None:
        for number, prop in enumerate(self.properties):
            if prop.scope is Scope.STEP and stage in self._stages(prop.reads[0]):
                self._judge(number, prop, [*reads, *writes])

    def _stages(self, name: str) -> tuple[Stage, ...]:
        """The stages that a property of steps is about."""
        system = self.system
        return {
            "gateway": (system.gateway_stage,),
            "client": (system.client_stage,),
            "runner": tuple(system.runner_stages.values()),
            "process": tuple(system.process_stages.values()),
        }[name]

    def _judge(self, number: int, prop: Property, values: Sequence[Term]) -> None:
        t, args = self.t, [Constant(self.system.bounds), *values]
        for predicate, test, then in ((prop.could, "{}", "could[{}]++;"), (prop.holds, "!{}", "broken[{}] = 1;")):
            truth = t.truth(t.call(Constant(predicate), args, {}))
            if t.type_of(truth) != NEVER:
                t.write(f"if ({test.format(t.store(truth, BOOL))}) {then.format(number)}")

    def _look(self, name: str, scope: Scope) -> str:
        t = self.t
        with t.into([]) as body:
            for number, prop in enumerate(self.properties):
                if prop.scope is scope:
                    for x in self.system.sides if any(r.endswith("_") for r in prop.reads) else ("",):
                        t.write("{")
                        reads = [self._component(read + x if read.endswith("_") else read) for read in prop.reads]
                        self._judge(number, prop, reads)
                        t.write("}")
        return f"static void {name}(void) {{\n" + "\n".join(flat(body)) + "\n}\n"

    # -- around them --------------------------------------------------------------------------------------------------

    def _head(self) -> str:
        return HEAD.replace("@COUNT@", str(max(1, len(self.properties))))

    def _glue(self) -> str:
        cases = " ".join(f"case {place}: return act_{place}();" for place in range(len(self.system.actions)))
        names = ", ".join(literal(p.id) for p in self.properties) or '""'
        return (
            GLUE.replace("@CASES@", cases).replace("@NAMES@", names).replace("@ACTIONS@", str(len(self.system.actions)))
        )

    def _process(self) -> str:
        options = "\n".join(
            f":: d_step {{ c_expr {{ possible ({place}) }}; c_code {{ take_place({place}); }} }} /* {plain(action.id)} */"
            for place, action in enumerate(self.system.actions)
        )
        return PROCESS.replace("@OPTIONS@", options)


def _blocks(pieces: Sequence[str]) -> Iterable[str]:
    """The pieces of C in blocks that SPIN can take."""
    block, size = [PRELUDE], len(PRELUDE)
    for piece in pieces:
        if size + len(piece) > BLOCK:
            yield "c_code {\n" + "".join(block) + "\n}"
            block, size = [], 0
        block.append(piece)
        size += len(piece)
    yield "c_code {\n" + "".join(block) + "\n}"


HEAD = """\
/* The closed world, translated from its Python source: tunnelspec export promela. Never edited. */
c_decl {
\\#ifndef VECTOR
\\#define VECTOR 160
\\#endif
\\#ifndef MOVES
\\#define MOVES 0
\\#endif
\\#ifndef ENOUGH
\\#define ENOUGH 0
\\#endif
extern int possible(int action);
extern void take_place(int action);
extern int look(void);
}
c_state "uchar v[VECTOR]" "Global"
c_code {
extern void (*uerror)(char *);
extern void wrapup(void);
static long could[@COUNT@];
static char told[@COUNT@], *broken;
static void failed(const char *where) { fprintf(stderr, "tunnelspec failed: %s", where); fputc(10, stderr); exit(97); }
static void undecided(const char *machine) { printf("tunnelspec undecided: %s", machine); putchar(10); fflush(stdout); exit(98); }
}
"""

GLUE = """
static const char *const names[] = { @NAMES@ };
static uchar start[VECTOR], current[VECTOR], after[@ACTIONS@][VECTOR];
static signed char outcome[@ACTIONS@];
static char broken_by[@ACTIONS@ + 1][sizeof names / sizeof *names];
static int loaded = 0, longest = 0, findings = 0;

static void tell_witnesses(void) {
    int i;
    for (i = 0; i < (int) (sizeof names / sizeof *names); i++)
        if (could[i]) { printf("tunnelspec witness: %s %ld", names[i], could[i]); putchar(10); }
    for (i = 0; i < (int) (sizeof object_id / sizeof *object_id); i++)
        if (taken[i]) { printf("tunnelspec took: %s", object_name[i]); putchar(10); }
    printf("tunnelspec vector: %d", longest); putchar(10);
}

static void pack(uchar *to) {
    static uchar wide[65536];
    uchar *end = wide;
    int i, n;
    put_world(&end);
    n = (int) (end - wide);
    if (n > longest) longest = n;
    need(n <= VECTOR, "the state needs a longer vector: compile with a larger -DVECTOR");
    for (i = 0; i < n; i++) to[i] = (uchar) (wide[i] ^ start[i]);
    memcpy(to + n, start + n, (size_t) (VECTOR - n));
}

static void load(void) {
    uchar raw[VECTOR];
    const uchar *from = raw;
    int i;
    if (loaded && memcmp(current, now.v, VECTOR) == 0) return;
    if (!loaded) {
        begin();
        point_at_now();
        pack(current);
        memcpy(start, current, VECTOR);
        loaded = 1;
        atexit(tell_witnesses);
    }
    memcpy(current, now.v, VECTOR);
    for (i = 0; i < VECTOR; i++) raw[i] = (uchar) (current[i] ^ start[i]);
    take_world(&from);
    memset(outcome, -1, sizeof outcome);
}

static int act(int action) { switch (action) { @CASES@ default: return 0; } }

/* Whether an action is possible now. It is computed once: SPIN asks for it, and asks again when it takes it. */
static int attempt(int action) {
    load();
    if (outcome[action] < 0) {
        point_at_now();
        broken = broken_by[action];
        memset(broken, 0, sizeof *broken_by);
        outcome[action] = (signed char) act(action);
        if (outcome[action]) pack(after[action]);
    }
    return outcome[action];
}

static void tell(int by) {
    int i;
    broken = broken_by[by];
    for (i = 0; i < (int) (sizeof names / sizeof *names); i++)
        if (broken[i] && !told[i]) {
            told[i] = 1;
            printf("tunnelspec violated: %s", names[i]); putchar(10);
            uerror((char *) names[i]);
            if (++findings == ENOUGH) wrapup();
        }
}

int possible(int action) { return attempt(action) && (!MOVES || memcmp(after[action], current, VECTOR) != 0); }

void take_place(int action) {
    attempt(action);
    memcpy(now.v, after[action], VECTOR);
    tell(action);
}

int look(void) {
    int action, moves = 0;
    load();
    broken = broken_by[@ACTIONS@];
    memset(broken, 0, sizeof *broken_by);
    look_at_state();
    for (action = 0; action < @ACTIONS@ && !moves; action++) moves = attempt(action) && memcmp(after[action], current, VECTOR) != 0;
    broken = broken_by[@ACTIONS@];
    if (!moves) look_at_end();
    tell(@ACTIONS@);
    return 0;
}
"""

PROCESS = """
active proctype world() {
end: do
:: d_step { c_expr { look () }; skip }
@OPTIONS@
od
}
"""
