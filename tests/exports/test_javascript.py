"""The translator: the same numbers in both languages, and a refusal with the line for what is not the same."""

from __future__ import annotations

import inspect
import json
import random
import subprocess
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from tunnelexport.javascript import RUNTIME, Untranslatable, functions, translated
from tunnelexport.values import plain
from tunnelspec import ack, serial
from tunnelspec.deviations import Then, size_stays
from tunnelspec.fifo import Fifo
from tunnelspec.machine import TableError


class Numbers(NamedTuple):
    a: int
    b: int
    flag: bool = False
    items: tuple[int, ...] = ()
    queue: Fifo[int] = Fifo()
    text: str | None = None


def remainder(c: Numbers) -> int:
    return c.a % c.b


def quotient(c: Numbers) -> int:
    return c.a // c.b


def masked(c: Numbers) -> int:
    return c.a & c.b


def mixed(c: Numbers) -> tuple[int, ...]:
    first = c.a - c.b * 2 if c.flag and not c.a < 1 else -c.a
    return (first, *(n + 1 for n in c.items if n > c.b), len(c.items), sum(n for n in c.items))


def found(c: Numbers) -> int:
    return next((place for place, n in enumerate(c.items) if n == c.a), -1)


def bounds(c: Numbers) -> bool:
    return 0 <= c.a < c.b or c.a in c.items


FUNCTIONS = (remainder, quotient, masked, mixed, found, bounds)


def test_numbers_are_the_same_in_both_languages() -> None:
    rng = random.Random(7)
    inputs = [
        Numbers(rng.randint(-99, 99), rng.choice([n for n in range(-9, 10) if n]), rng.random() < 0.5,
                tuple(rng.randint(-9, 9) for _ in range(rng.randrange(5))))
        for _ in range(400)
    ]  # fmt: skip
    names = ", ".join(f.__name__ for f in FUNCTIONS)
    script = f"{RUNTIME}\n{functions(FUNCTIONS)}\nconst inputs = JSON.parse(require('fs').readFileSync(0, 'utf8'))\n"
    script += f"console.log(JSON.stringify(inputs.map((c) => [{names}].map((f) => f(c)))))"
    given = json.dumps([{"a": c.a, "b": c.b, "flag": c.flag, "items": list(c.items)} for c in inputs])
    done = subprocess.run(["node", "-e", script], input=given, capture_output=True, text=True, check=True, timeout=30)
    assert json.loads(done.stdout) == [json.loads(json.dumps([f(c) for f in FUNCTIONS])) for c in inputs]


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("py.mod(2 ** 53 + 3, 7)", "is not exact"),
        ("py.and(2147483648, 1)", "beyond 32 bits"),
        ("py.pow(3, 40)", "is not exact"),
        ("py.at([1, 2], 2)", "no item 2"),
    ],
)
def test_the_runtime_raises_where_a_number_would_not_be_exact(expression: str, why: str) -> None:
    done = subprocess.run(
        ["node", "-e", f"{RUNTIME}\n{expression}"], capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode != 0
    assert why in done.stderr


def test_a_value_that_json_would_change_is_refused() -> None:
    assert plain((2**64, 2**53, b"\x00\xff", None, Numbers)) == [2**64, 2**53, "00ff", None, "Numbers"]
    with pytest.raises(OverflowError, match="not exact"):
        plain(2**63 - 1)
    with pytest.raises(TypeError, match="float has no form"):
        plain(0.5)


def sliced(c: Numbers) -> Any:
    return c.items[1:]


def loops(c: Numbers) -> int:
    for n in c.items:
        return n
    return 0


def truth_of_an_array(c: Numbers) -> bool:
    return not c.items


def arrays_compared(c: Numbers) -> bool:
    return c.items == ()


def half(c: Numbers) -> Any:
    return c.a * 0.5


def true_is_one(c: Numbers) -> bool:
    return c.flag == c.a


def text_ordered(c: Numbers) -> bool:
    return "a" < "b"


def length_of_text(c: Numbers) -> int:
    return len(c.text or "")


def unknown_field(c: Numbers) -> Any:
    return c.c  # type: ignore[attr-defined]


def unknown_type(c: Any) -> bool:
    return c.a == 1


def twice(c: Numbers) -> int:
    n = c.a
    n = c.b
    return n


def word(c: Numbers) -> int:
    new = c.a
    return new


REFUSED = [
    (sliced, "1:", "such an expression"),
    (loops, "for n in c.items", "such a statement"),
    (truth_of_an_array, "c.items", "the truth of tuple[int, ...] differs"),
    (arrays_compared, "c.items", "do not compare alike"),
    (half, "0.5", "such a constant"),
    (true_is_one, "c.flag", "do not compare alike"),
    (text_ordered, "'a'", "a whole number is due"),
    (length_of_text, "len(c.text or '')", "such a call"),
    (unknown_field, "c.c", "not known to have it"),
    (unknown_type, "c.a", "do not compare alike"),
    (twice, "n = c.b", "assigned twice"),
    (word, "new = c.a", "a word of JavaScript's own"),
]


@pytest.mark.parametrize(("function", "text", "why"), REFUSED, ids=lambda value: getattr(value, "__name__", ""))
def test_what_differs_is_refused_with_its_line(function: Callable[..., Any], text: str, why: str) -> None:
    lines, first = inspect.getsourcelines(function)
    with pytest.raises(Untranslatable) as caught:
        translated(function)
    said = str(caught.value)
    assert said.startswith("test_javascript.py, line ")
    line = int(said.removeprefix("test_javascript.py, line ").partition(":")[0])
    assert first < line <= first + len(lines)
    assert text in said
    assert why in said


def test_two_helpers_of_one_name_are_refused() -> None:
    def distance(a: int, b: int) -> int:
        return b - a

    with pytest.raises(Untranslatable, match="one of that name"):
        functions([serial.distance, distance])


def test_a_wrapper_is_refused_by_name() -> None:
    wrapped = Then(ack.release, size_stays)
    with pytest.raises(TableError, match="is not a plain function"):
        functions([wrapped])


def test_a_guard_reads_like_its_source() -> None:
    assert translated(ack.commits_first) == (
        "function commits_first(c, e, lim) {\n  return (commits(c, e.index, lim) && c.acked === c.committed)\n}"
    )
