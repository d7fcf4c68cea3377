"""The lessons: every trace happens, every rule exists, every exercise finds what its solution says, and a wrong page is told."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunnelcheck import files as traces
from tunnelcheck.files import Trace
from tunnelcheck.replay import Unfaithful, act, replay
from tunnelcheck.scenarios import MEDIUM, SMALL, Scenario
from tunnelcli.main import main
from tunnelexplore import tours
from tunnellessons import cli, exercise
from tunnellessons.course import files, lessons, written
from tunnellessons.lesson import Lesson, LessonError
from tunnellessons.tour import tour
from tunnelref.gateway.core import frame_size
from tunnelspec.deviations import apply, named
from tunnelspec.limits import DEFAULT
from tunnelspec.system import System

FOLDER = Path(__file__).parents[2] / "spec" / "lessons"
LESSONS = lessons(FOLDER)
WORLDS = {scenario.name: scenario for scenario in MEDIUM}
SUBJECTS = (
    "the happy path", "what an ack promises", "numbering and wrap-around", "the window", "limits and back-pressure",
    "sleep and wake", "a crash with unacked messages", "two runners at once", "timeouts and collection",
    "errors and retries", "what the merged code got wrong",
)  # fmt: skip


def named_by_slug(lesson: Lesson) -> str:
    return lesson.slug


def test_the_course_has_its_subjects_in_order() -> None:
    assert tuple(lesson.title.lower() for lesson in LESSONS) == SUBJECTS


def test_what_is_committed_is_current() -> None:
    stale, extra = cli.compare(FOLDER, files(FOLDER))
    assert not stale
    assert not extra


@pytest.mark.parametrize("lesson", LESSONS, ids=named_by_slug)
def test_the_trace_happens(lesson: Lesson) -> None:
    """Read from its file, on the tables, by the second interpreter; and by the first: the two agree on every world."""
    trace = traces.read(FOLDER / "traces" / f"{lesson.slug}.json")
    system = apply(System(trace.bounds), map(named, trace.deviations))
    moments = replay(system, trace.actions)
    world, known = system.start(), {action.id: action for action in system.actions}
    for moment in moments:
        first = act(system, world, known[moment.action.id])
        assert first is not None
        assert first.after == moment.after
        world = first.after


@pytest.mark.parametrize("lesson", LESSONS, ids=named_by_slug)
def test_the_tour_walks_the_trace(lesson: Lesson) -> None:
    """What the explorer shows is what the page shows; each question comes before its answer."""
    tour = json.loads((FOLDER / f"{lesson.slug}.json").read_text(encoding="utf-8"))
    assert tuple(step["action"] for step in tour["steps"] if "action" in step) == lesson.actions
    assert WORLDS[tour["world"]].bounds == lesson.trace.bounds
    assert tour["deviation"] == " ".join(lesson.trace.deviations)
    assert all(step["text"].strip() for step in tour["steps"])
    (leg,) = tours.read(FOLDER / f"{lesson.slug}.json").legs  # which also replays it, and looks up all that it names
    assert leg[1] == lesson.actions
    asked = [step for step in tour["steps"] if "question" in step]
    assert lesson.text.count("**Predict.**") == len(asked) >= 1
    for step in asked:  # the letter of the right choice opens the page's answer, and not the tour's
        assert len(set(step["choices"])) == len(step["choices"]) >= 2
        assert f"- **{'abcdefgh'[step['right']]}.** " in lesson.text
        assert not re.match(r"[a-h]\. ", step["text"])
    assert not any(mark in json.dumps(tour) for mark in ("<!--", "<details>", "]("))


@pytest.mark.parametrize("lesson", LESSONS, ids=named_by_slug)
def test_the_solution_is_what_the_command_finds(lesson: Lesson, capsys: pytest.CaptureFixture[str]) -> None:
    """The command itself, as a learner runs it: the property that it breaks, and the number of steps."""
    commands = re.findall(r"^tunnelspec (check .*)$", lesson.text, re.MULTILINE)
    solutions = re.findall(r"^\*\*([PL]-[A-Z-]+)\*\* is violated in (\d+) steps", lesson.text, re.MULTILINE)
    assert len(commands) == len(solutions) >= 1
    for words, (prop, steps) in zip(commands, solutions, strict=True):
        assert main([*words.split(), "--json"]) == 1
        found = json.loads(capsys.readouterr().out)
        assert (found["violated"], len(found["trace"])) == (prop, int(steps))


@pytest.mark.parametrize("lesson", LESSONS, ids=named_by_slug)
def test_every_link_leads_somewhere(lesson: Lesson) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", lesson.text):
        path, _, place = target.partition("#")
        page = FOLDER / path
        assert page.is_file(), target
        if place:
            text = page.read_text(encoding="utf-8")
            assert f'<a id="{place}">' in text or f"# {place.replace('-', ' ')}" in text.lower(), target


PAGE = """\
# 1. A page

What one knows afterwards.

<!-- generated: world sleep -->
<!-- end -->

<!-- generated: steps connect route-a -->
<!-- end -->

"""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (PAGE + "See CONN-G-99.\n", "line 11: CONN-G-99 does not exist"),
        (PAGE + "See P-NEVER.\n", "line 11: P-NEVER does not exist"),
        (PAGE + "<!-- generated: rules ACK-G-99 -->\n<!-- end -->\n", "line 11: there is no such thing among the rules: ACK-G-99"),
        (PAGE + "<!-- generated: limits speed_ms -->\n<!-- end -->\n", "among the limits: speed_ms"),
        (PAGE + "<!-- generated: poem -->\n<!-- end -->\n", "line 11: there is no block 'poem'"),
        (PAGE.replace("world sleep", "world peace"), "line 5: there is no world 'peace'"),
        (PAGE.replace("world sleep", "world sleep no-such"), "line 5: there is no deviation 'no-such'"),
        (PAGE + "<!-- generated: solution L-TOLD 3 -->\n<!-- end -->\n", "line 11: a solution without an exercise"),
        (
            PAGE + "<!-- generated: exercise --size small --scenario window --deviation window-full-circle -->\n<!-- end -->\n"
            "<!-- generated: solution P-WINDOW 3 -->\n<!-- end -->\n",
            "line 13: the page says P-WINDOW 3, and the checker finds P-WINDOW in 2 steps",
        ),
        (
            PAGE + "<!-- generated: exercise --scenario nowhere -->\n<!-- end -->\n"
            "<!-- generated: solution P-WINDOW 3 -->\n<!-- end -->\n",
            "line 11: --scenario nowhere: not one of",
        ),
    ],
)  # fmt: skip
def test_a_page_that_asks_for_what_is_not_there_is_told(text: str, told: str) -> None:
    with pytest.raises(LessonError, match=re.escape(told)):
        written(Lesson("01-page", text))


@settings(deadline=None, max_examples=25)
@given(st.sampled_from(SMALL), st.lists(st.integers(0, 1_000), min_size=1, max_size=14))
def test_what_is_written_is_not_written_otherwise_again(scenario: Scenario, choices: list[int]) -> None:
    """Of any trace: the page is a fixed point, and the tour made from it walks that trace, asked and revealed in order."""
    system = System(scenario.bounds)
    world, actions = system.start(), []
    for choice in choices:
        possible = [m for action in system.actions if (m := act(system, world, action)) is not None]
        if not possible:
            break
        moment = possible[choice % len(possible)]
        actions.append(moment.action.id)
        world = moment.after
    half = len(actions) // 2
    first, second = (
        f"<!-- generated: steps {' '.join(part)} -->\n<!-- end -->\n" if part else ""
        for part in (actions[:half], actions[half:])
    )
    text = (
        f"# 1. Any\n\nWhat one knows.\n\n<!-- generated: world {scenario.name} -->\n<!-- end -->\n\nBefore ACK-G-06.\n\n{first}\n"
        f"**Predict.** What?\n\n{CHOICES}\n<details><summary>Reveal</summary>\n\n**b.** This.\n\n{second}\n</details>\n\n"
        "## Exercise\n\nTry.\n\n"
        f"{EXERCISE.partition('Try:')[2]}"
    )
    page = written(Lesson("01-any", text))
    assert written(page).text == page.text
    assert page.actions == tuple(actions)
    steps = json.loads(tour(page))["steps"]
    assert [step["action"] for step in steps if "action" in step] == actions
    (asked,) = [place for place, step in enumerate(steps) if "question" in step]
    assert (steps[asked]["text"], steps[asked]["choices"], steps[asked]["right"]) == ("This.", ["That.", "This."], 1)
    assert sum("action" in step for step in steps[:asked]) == half


def test_the_course_lists_every_lesson() -> None:
    course = (FOLDER / "README.md").read_text(encoding="utf-8")
    for lesson in LESSONS:
        assert f"[{int(lesson.slug[:2])}. {lesson.title}]({lesson.slug}.md)" in course
    assert 50 <= sum(map(int, re.findall(r"\) \| (\d+) \|", course))) <= 60  # minutes


def test_a_trace_that_cannot_happen_is_told() -> None:
    with pytest.raises(Unfaithful, match="step 2: up-a is not possible here"):
        written(Lesson("01-page", PAGE.replace("route-a", "up-a")))


def test_a_stale_page_fails_the_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 5, and the files are named; what is written is current; what nothing asks for any more goes."""
    (tmp_path / "01-page.md").write_text(PAGE + EXERCISE, encoding="utf-8")
    assert run(tmp_path, "--check") == 5
    assert "01-page.md is stale" in capsys.readouterr().err
    assert run(tmp_path) == 0
    assert run(tmp_path, "--check") == 0
    page = tmp_path / "01-page.md"
    page.write_text(page.read_text().replace("steps connect route-a", "steps connect"), encoding="utf-8")
    assert run(tmp_path, "--check") == 5
    (tmp_path / "traces" / "02-gone.json").write_text("{}")
    assert run(tmp_path) == 0
    assert not (tmp_path / "traces" / "02-gone.json").exists()
    assert traces.read(tmp_path / "traces" / "01-page.json") == Trace(WORLDS["sleep"].bounds, (), "", ("connect",))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("- **a.** That.\n- **b.** This.\n", ""), "a question offers choices"),
        (("- **a.** That.\n", ""), "a question offers choices"),
        (("**b.** An", "An"), "an answer begins with the letter"),
        (("**b.** An", "**c.** An"), "an answer begins with the letter"),
    ],
)
def test_a_question_without_choices_or_a_right_one_is_told(change: tuple[str, str], told: str) -> None:
    assert change[0] in PAGE + EXERCISE
    with pytest.raises(LessonError, match=rf"01-page.md, line \d+: {told}"):
        tour(written(Lesson("01-page", (PAGE + EXERCISE).replace(*change))))


CHOICES = """\
- **a.** That.
- **b.** This.
"""

EXERCISE = f"""\
**Predict.** A question?

{CHOICES}
<details><summary>Reveal</summary>

**b.** An answer.

</details>

## Exercise

Try:

<!-- generated: exercise --size small --scenario window --deviation window-full-circle -->
<!-- end -->

<details><summary>Solution</summary>

<!-- generated: solution P-WINDOW 2 -->
<!-- end -->

</details>
"""


def run(folder: Path, *words: str) -> int:
    parser = argparse.ArgumentParser()
    cli.add_parsers(parser.add_subparsers())
    args = parser.parse_args(["lessons", "--folder", str(folder), *words])
    return int(args.run(args))


def test_a_folder_without_lessons_is_wrong_use(tmp_path: Path) -> None:
    assert run(tmp_path) == 2


def test_wrong_arguments_of_an_exercise_are_told() -> None:
    with pytest.raises(ValueError, match="no such transition"):
        exercise.run(("--without", "ACK-G-99"))


def test_the_byte_limit_comes_before_the_window() -> None:
    """Lesson 4 says so: with the default limits, frames without data reach 1 MiB before the window is full."""
    assert frame_size(b"") == 39
    assert DEFAULT.max_pending_bytes // frame_size(b"") < DEFAULT.max_pending_messages
