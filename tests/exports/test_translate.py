"""The translation from Python to C: functions of the subset say the same in both; what is outside it is refused with its line."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tunnelexport.promela.intrinsics import install
from tunnelexport.promela.layout import PRELUDE
from tunnelexport.promela.shapes import BOOL, INT, Refused, Shapes
from tunnelexport.promela.spin import tool
from tunnelexport.promela.terms import Constant, Value
from tunnelexport.promela.translate import Translator
from tunnelexport.promela.writing import flat
from tunnelspec.fifo import Fifo
from tunnelspec.serial import distance, greater


class Point(NamedTuple):
    """A record to build and to change."""

    x: int
    y: int | None = None


# -- functions of the subset: (a, b, c) -> number ----------------------------------------------------------------------


def remainders(a: int, b: int, c: int) -> int:
    return (a % 7) * 100 + (b // 4) + ((b - a) & 15)


def serials(a: int, b: int, c: int) -> int:
    return distance(a, b, 8) * 2 + greater(a & 7, b & 7, 8)


def chained(a: int, b: int, c: int) -> bool:
    return 0 <= a < b <= c or not (a == b != c)


def chosen(a: int, b: int, c: int) -> int:
    best = a if a > b else b
    if best < c:
        best = c
    elif best == c:
        return -1
    return best


def fallen_back(a: int, b: int, c: int) -> int:
    first = a % 3 or b % 3 or 99
    code = None if c > 0 else c
    both = (a and b) + bool(a % 2 and c)
    return first * 1000 + (7 if code is None else code) + 50_000 * both


def counted(a: int, b: int, c: int) -> int:
    items = (a, b, c, a + b)
    return sum(item for item in items if item > 0) + 1000 * len(tuple(item for item in items if item != c))


def looked_for(a: int, b: int, c: int) -> int:
    items = tuple(item for item in (a, b, c) if item >= 0)
    place = next((place for place, item in enumerate(items) if item > 3), -1)
    return place * 4 + any(item == 2 for item in items) * 2 + all(item < 9 for item in items)


def queued(a: int, b: int, c: int) -> int:
    queue = Fifo(item for item in (a, b, c) if item != 0).append(5)
    rest = queue.drop(1 if a > 0 else 0).remove(0)
    return sum(item * (place + 1) for place, item in enumerate(rest)) + 10_000 * len(queue.oldest(2))


def replaced(a: int, b: int, c: int) -> int:
    point = Point(a, None if b > 0 else b)
    for step in (1, 2):
        point = point._replace(x=point.x + step * c)
    same = point == Point(a + 3 * c, point.y)
    return point.x * 4 + (point.y is None) * 2 + same


def joined(a: int, b: int, c: int) -> int:
    left = tuple(Point(n) for n in (a, b) if n > 0)
    both = (*left, Point(c), *(Point(n, n) for n in (c, a) if n < 2))
    last = both[-1]
    tail = both[1 if a > b else 0 :]
    return len(both) * 1000 + last.x + 10 * len(tail) + (both == tail) + (last in left)


FUNCTIONS: tuple[Callable[[int, int, int], Any], ...] = (
    remainders, serials, chained, chosen, fallen_back, counted, looked_for, queued, replaced, joined,
)  # fmt: skip


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A C program that reads numbers, three by three, and writes what each function makes of them."""
    shapes = Shapes()
    for _ in range(20):
        shapes.grew = False
        translator = Translator(shapes)
        install(translator)
        bodies = []
        for place, function in enumerate(FUNCTIONS):
            with translator.into([]) as body:
                result = translator.call(Constant(function), [Value(INT, name) for name in "abc"], {})
                kind = BOOL if translator.type_of(result) == BOOL else INT
                translator.write(f"return {translator.store(result, kind)};")
            bodies.append(f"static int f{place}(int a, int b, int c) {{\n" + "\n".join(flat(body)) + "\n}\n")
        if not shapes.grew:
            break
    assert not shapes.grew
    calls = " ".join(f'printf("%d ", f{place}(a, b, c));' for place in range(len(FUNCTIONS)))
    head = "#include <stdio.h>\n#include <stdlib.h>\ntypedef unsigned char uchar;\n"
    failed = "static void failed(const char *where) { puts(where); exit(9); }\n"
    main = f'int main(void) {{ int a, b, c; while (scanf("%d %d %d", &a, &b, &c) == 3) {{ {calls} puts(""); }} return 0; }}\n'
    layout = translator.layout
    structs = layout.declare()
    folder = tmp_path_factory.mktemp("subset")
    (folder / "subset.c").write_text("".join((head, failed, PRELUDE, layout.names(), *structs, *bodies, main)))
    subprocess.run([tool("gcc"), "-w", "-o", "subset", "subset.c"], cwd=folder, check=True)
    return folder / "subset"


NUMBERS = st.integers(-20, 20)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=1, max_size=60))
def test_both_languages_say_the_same(program: Path, rows: list[tuple[int, int, int]]) -> None:
    told = subprocess.run(
        [program], input="\n".join(f"{a} {b} {c}" for a, b, c in rows), capture_output=True, text=True, check=True
    )
    expected = [[int(function(*row)) for function in FUNCTIONS] for row in rows]
    assert [[int(word) for word in line.split()] for line in told.stdout.splitlines()] == expected


# -- outside the subset ------------------------------------------------------------------------------------------------


def loops_for_ever(a: int) -> int:
    while a:
        a -= 1
    return a


def measures(a: int) -> int:
    return len({a, 1})


def divides(a: int) -> int:
    return 10 // a


def calls_out(a: int) -> str:
    return hex(a)


def takes_apart(a: int) -> int:
    first, second = a  # type: ignore[misc]
    return first + second


@pytest.mark.parametrize(
    ("function", "line", "why"),
    [
        (loops_for_ever, 1, "While is outside the subset"),
        (measures, 1, "Set is outside the subset"),
        (divides, 1, "not a known positive number"),
        (calls_out, 1, "hex"),
        (takes_apart, 1, "cannot be taken apart"),
    ],
)
def test_what_cannot_be_translated_is_refused_with_its_line(function: Callable[..., Any], line: int, why: str) -> None:
    translator = Translator(Shapes())
    install(translator)
    with pytest.raises(Refused) as refused:
        translator.call(Constant(function), [Value(INT, "a")], {})
    place = f"exports/test_translate.py:{function.__code__.co_firstlineno + line}: "
    assert str(refused.value).startswith(place)
    assert why in str(refused.value)
