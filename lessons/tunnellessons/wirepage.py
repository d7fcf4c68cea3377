"""What stands between the markers of the page of exercises on the wire::

    <!-- generated: recording 1 -->                        how to have the recording judged
    <!-- generated: bug 1 fresh-ack-ids CONN-G-11 8 -->    the deviation, the rule that it departs from, the line that shows it

each up to ``<!-- end -->``.
"""

from __future__ import annotations

from tunnelcheck.explain import RULES
from tunnelconform.explain import conversation
from tunnelconform.passive import judge
from tunneldraw.sequence_svg import to_svg
from tunnellessons.broken import GATEWAYS
from tunnellessons.lesson import Lesson, Mark
from tunnellessons.links import cite
from tunnellessons.wire import Broken
from tunnelspec.deviations import DEVIATIONS


def recording(lesson: Lesson, mark: Mark) -> str:
    """Where it is, and how to have it judged."""
    name = _gateway(lesson, mark).name
    command = f"tunnelspec conform trace spec/lessons/wire/gateway-{name}.jsonl"
    return f"[The recording](wire/gateway-{name}.jsonl); to have it judged:\n\n```\n{command}\n```"


def bug(lesson: Lesson, mark: Mark) -> str:
    """The solution, which must be what the recording shows. Raises ``LessonError``."""
    broken = _gateway(lesson, mark)
    deviation, breach = DEVIATIONS[broken.deviation], broken.breach()
    shown = (deviation.id, departs(broken), str(breach.line))
    if mark.given[1:] != shown:
        raise lesson.problem(
            mark.line, f"the page says {' '.join(mark.given[1:])}, and the recording shows {' '.join(shown)}"
        )
    _, rule, line = shown
    return (
        f"Line {line} of the file is the first frame that the tables do not allow. "
        f"The gateway departs by `{deviation.id}`: {deviation.says}\n\n"
        f"> **{cite(rule)}** {RULES[rule].says}\n\n"
        f"![what passed, up to the frame that is not allowed](pictures/wire-{broken.name}.svg)"
    )


def departs(broken: Broken) -> str:
    """The first transition that the trace took and the deviation changed."""
    lines = {line.id for line in DEVIATIONS[broken.deviation].lines}
    return next(id_ for moment in broken.moments() for id_ in moment.took if id_ in lines)


def files() -> dict[str, str]:
    """The recordings, and the pictures of their breaches."""
    made: dict[str, str] = {}
    for name, broken in GATEWAYS.items():
        entries = broken.recording()
        drawing = conversation(entries, broken.breach(), judge(entries))
        made[f"wire/gateway-{name}.jsonl"] = broken.text()
        made[f"pictures/wire-{name}.svg"] = to_svg(drawing, "../../README.md")
    return made


def _gateway(lesson: Lesson, mark: Mark) -> Broken:
    if not mark.given or mark.given[0] not in GATEWAYS:
        raise lesson.problem(mark.line, f"there is no gateway {' '.join(mark.given)}; there are {', '.join(GATEWAYS)}")
    return GATEWAYS[mark.given[0]]
