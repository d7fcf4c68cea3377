"""What stands between a page's markers. Pure functions from a lesson to Markdown, and to the pictures that it shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields
from itertools import groupby

from tunnelbook.blocks import table
from tunnelcheck.cli import picture
from tunnelcheck.explain import RULES, draw
from tunneldraw.sequence import Note, Sequence, StateChange, Step, fold, rules_of, says
from tunneldraw.sequence_svg import to_svg
from tunnellessons import exercise, wirepage
from tunnellessons.lesson import Lesson, Mark
from tunnellessons.links import BOOK, cite
from tunnelspec.endpoint import GATEWAY, RUNNER
from tunnelspec.limits import DEFAULT, Limits
from tunnelspec.properties import PROPERTIES
from tunnelspec.system import Bounds

WORDS: Mapping[str, str] = {
    "says": "at most {} messages of the client",
    "hibernates": "the socket can hibernate",
    "runners": "{} runners",
    "acked": "the connection begins asleep, and the last index acked is {}",
    "leaves": "the client may close",
    "passes": "time passes, in ticks",
    "sends": "at most {} messages of the actor",
    "closes": "the actor may close",
    "sleeps": "the actor may sleep, or crash",
    "wakes": "the actor may start for a cause of its own",
    "moves": "the actor may be taken for lost, and moved",
    "breaks": "the link may break",
    "crashes": "the runner's process may die",
    "stalls": "the link may stall",
    "lies": "somebody may slip a frame into the link",
    "wavers": "the actor may change its mind about hibernating",
    "restless": "it may do so as often as it likes",
}
"""What a bound of a world that is not as by default means, to a reader."""

Block = Callable[[Lesson, Mark], str]


def world(lesson: Lesson, mark: Mark) -> str:
    """What may happen, and how to see it happen."""
    here, by_default = lesson.world.scenario.bounds, Bounds()
    lim = here.limits
    said = [
        words.format(getattr(here, name)).replace("at most 1 messages", "one message")
        for name, words in WORDS.items()
        if name == "says" or getattr(here, name) != getattr(by_default, name)
    ]
    lines = [
        f"The lesson's world is `{lesson.world.scenario.name}`: {'; '.join(said)}. An index has {lim.index_modulus} values, and at "
        f"most {lim.max_pending_messages} messages may be pending; a second try is the last."
    ]
    if lesson.world.deviation:
        lines.append(f"Its tables depart from the specification: `{lesson.world.deviation}`.")
    lines.append(
        f"All {len(lesson.actions)} steps in a terminal: `tunnelspec replay spec/lessons/traces/{lesson.slug}.json`; in a browser, "
        f"with every other step that one might take: `tunnelspec explore`, tour `{lesson.slug}`."
    )
    return " ".join(lines)


def steps(lesson: Lesson, mark: Mark) -> str:
    """The picture of some steps, and the same in words."""
    drawing, name = drawn(lesson, mark), picture_name(lesson, mark)
    labels = {lane.id: lane.label for lane in drawing.lanes}
    told = (_linked(says(step, labels), rules_of(step)) for step in fold(drawing.steps))
    words = "\n".join(f"{place}. {sentence}" for place, sentence in enumerate(told, 1))
    return f"![{drawing.title}](pictures/{name}.svg)\n\n<details><summary>the same in words</summary>\n\n{words}\n\n</details>"


def _linked(sentence: str, rules: Iterable[str]) -> str:
    for rule in dict.fromkeys(rules):
        if rule in RULES:
            sentence = sentence.replace(rule, cite(rule))
    return sentence


def rules(lesson: Lesson, mark: Mark) -> str:
    """Rules, with their sentences."""
    return "\n".join(f"> **{cite(id_)}** {RULES[id_].says}\n>" for id_ in mark.given).removesuffix("\n>")


def properties(lesson: Lesson, mark: Mark) -> str:
    """Properties, with their sentences."""
    known = {p.id: p for p in PROPERTIES}
    return "\n".join(f"> **[{id_}]({BOOK}#{id_.lower()})** {known[id_].says}\n>" for id_ in mark.given).removesuffix(
        "\n>"
    )


def machines(lesson: Lesson, mark: Mark) -> str:
    """The machines of one side of a socket, and what each does."""
    (endpoint,) = (e for e in (GATEWAY, RUNNER) if mark.given == (e.role.value,))
    return table(
        (f"of the {endpoint.role.value}", "is about", "does"),
        ((f"[{m.id}](../../diagrams/{m.id.lower()}.svg)", m.name, m.says) for m in endpoint.machines),
    )


def limits(lesson: Lesson, mark: Mark) -> str:
    """Limits, with their values and reasons; and what they are in the lesson's world, where that differs."""
    described = {row[0]: row for row in DEFAULT.describe()}
    small = lesson.world.scenario.bounds.limits
    return table(
        ("limit", "value", "unit", "in this lesson", "why"),
        (
            (f"`{name}`", f"{value:,}".replace(",", " "), unit, _here(small, name), why)
            for name, value, unit, _, why in (described[name] for name in mark.given)
        ),
    )


def _here(small: Limits, name: str) -> str:
    value = getattr(small, name)
    return str(value) if value != getattr(DEFAULT, name) else "-"


def assigned(lesson: Lesson, mark: Mark) -> str:
    """What the learner is to run."""
    return f"```\n{exercise.command(mark.given)}\n```"


def solution(lesson: Lesson, mark: Mark) -> str:
    """What that run finds, which must be what the page says. Raises ``LessonError``."""
    found, _ = solved(lesson, mark)
    name, prop = picture_name(lesson, mark), found.counterexample.property
    others = [id_ for id_ in found.violated if id_ != prop.id]
    also = f" Longer traces violate {', '.join(others)} too." if others else ""
    return (
        f"**{prop.id}** is violated in {found.steps} steps (world `{found.counterexample.scenario.name}`): "
        f"{prop.says}{also}\n\n![the shortest trace: {prop.id} is violated in {found.steps} steps](pictures/{name}.svg)"
    )


def solved(lesson: Lesson, mark: Mark) -> tuple[exercise.Found, tuple[str, ...]]:
    """What the exercise before a ``solution`` finds, and its arguments. Raises ``LessonError``."""
    before = [m for m in lesson.marks if m.kind == "exercise" and m.start < mark.start]
    if not before:
        raise lesson.problem(mark.line, "a solution without an exercise before it")
    try:
        found = exercise.run(before[-1].given)
    except ValueError as error:
        raise lesson.problem(before[-1].line, str(error)) from error
    told = f"{found.breaks} in {found.steps} steps" if found else "nothing"
    if found is None or mark.given != (found.breaks, str(found.steps)):
        raise lesson.problem(mark.line, f"the page says {' '.join(mark.given)}, and the checker finds {told}")
    return found, before[-1].given


BLOCKS: Mapping[str, Block] = {
    "world": world,
    "steps": steps,
    "rules": rules,
    "properties": properties,
    "machines": machines,
    "limits": limits,
    "exercise": assigned,
    "solution": solution,
    "recording": wirepage.recording,
    "bug": wirepage.bug,
}
"""What a page may ask for."""


def fill(lesson: Lesson, mark: Mark) -> str:
    """One block anew. Raises ``LessonError`` for a block, or an id, that does not exist."""
    if mark.kind not in BLOCKS:
        raise lesson.problem(mark.line, f"there is no block {mark.kind!r}; there are {', '.join(BLOCKS)}")
    known = {
        "rules": set(RULES),
        "properties": {p.id for p in PROPERTIES},
        "machines": {endpoint.role.value for endpoint in (GATEWAY, RUNNER)},
        "limits": {f.name for f in fields(Limits)},
    }.get(mark.kind)
    for word in mark.given if known is not None else ():
        if known is not None and word not in known:
            raise lesson.problem(mark.line, f"there is no such thing among the {mark.kind}: {word}")
    return BLOCKS[mark.kind](lesson, mark)


# -- pictures --------------------------------------------------------------------------------------------------------


def picture_name(lesson: Lesson, mark: Mark) -> str:
    """The name of the picture of a ``steps`` or a ``solution``."""
    alike = [m for m in lesson.marks if m.kind == mark.kind]
    place = alike.index(mark) + 1
    word = str(place) if mark.kind == "steps" else "solution" if len(alike) == 1 else f"solution-{place}"
    return f"{lesson.slug}-{word}"


def drawn(lesson: Lesson, mark: Mark) -> Sequence:
    """The sequence diagram of a ``steps``."""
    before, moments = lesson.part(mark)
    span = f"steps {before + 1} to {before + len(moments)}" if len(moments) > 1 else f"step {before + 1}"
    title = f"{lesson.title}: {span}"
    drawing = draw(lesson.system, moments, title)
    return Sequence(title, drawing.lanes, tuple(gathered(drawing.steps)))


def gathered(steps: Iterable[Step]) -> Iterator[Step]:
    """Changes of state that follow one another at one lane, as one remark: their rules stand at what caused them."""

    def place(step: Step) -> str | None:
        return step.lane if isinstance(step, StateChange) else None

    for lane, run in groupby(steps, place):
        if lane is not None:
            told = (f"{step.machine}: {step.before} to {step.after}" for step in run if isinstance(step, StateChange))
            yield Note(lane, "; ".join(told))
        else:
            yield from run


def pictures(lesson: Lesson) -> dict[str, str]:
    """File name -> SVG, of all that the page shows."""
    made: dict[str, str] = {}
    for mark in lesson.marks:
        if mark.kind == "steps":
            made[f"{picture_name(lesson, mark)}.svg"] = to_svg(drawn(lesson, mark), "../../README.md")
        elif mark.kind == "solution":
            found, _ = solved(lesson, mark)
            made[f"{picture_name(lesson, mark)}.svg"] = to_svg(picture(found.counterexample), "../../README.md")
    return made
