"""The last look at a function that was written: what nobody needs goes, and what is needed once is worked out there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

_WORD = re.compile(r"[A-Za-z_]\w*")
_WRITES = re.compile(r" *(\w+)(\.\w+)? = ")
_LOCAL = re.compile(r" *(\w+_\d+) = (.*)$")
_FIELD = re.compile(r"( *)(\w+) = (c\d+)\.(\w+)$")
_BRANCH = re.compile(r" *(if|for|return|break|continue)\b")
BY_NAME, APART, EACH = 9.0, 2.0, 5.5
"""What it costs, in ns, to ask a NamedTuple for a field, and to take it apart, for it and for each field."""


def tidied(lines: Sequence[str], fields: Mapping[str, Sequence[str]]) -> list[str]:
    """The same function in fewer steps. ``fields`` are the fields of each context, by the local that has it."""
    return _put_in_place(_taken_apart(_used(list(lines)), fields))


def _uses(lines: Sequence[str]) -> Counter[str]:
    """How often each name is read."""
    uses = Counter(word for line in lines for word in _WORD.findall(line))
    uses.subtract(match[1] for match in map(_WRITES.match, lines) if match)
    return uses


def _used(lines: list[str]) -> list[str]:
    """Without what is never read: guards and effects are pure, so it need not be worked out."""
    while True:
        uses = _uses(lines)
        left = [line for line in lines if not ((match := _WRITES.match(line)) and uses[match[1]] == 0)]
        if len(left) == len(lines):
            return lines
        lines = left


def _taken_apart(lines: list[str], fields: Mapping[str, Sequence[str]]) -> list[str]:
    """Fields that are wanted together are taken together, where that is cheaper."""
    done: list[str] = []
    straight: list[str] = []
    for line in [*lines, ""]:
        if not line or _BRANCH.match(line) or (straight and _depth(line) != _depth(straight[0])):
            done += _apart(straight, fields)
            straight = []
        (done if _BRANCH.match(line) else straight).append(line)
    return done


def _apart(lines: list[str], fields: Mapping[str, Sequence[str]]) -> list[str]:
    for context, names in fields.items():
        asked = {match[4]: match for match in map(_FIELD.match, lines) if match and match[3] == context}
        if len(asked) * BY_NAME > len(names) * EACH + APART:
            into = ", ".join(asked[name][2] if name in asked else "_" for name in names)
            taken = [match[0] for match in asked.values()]
            first = min(map(lines.index, taken))
            whole = f"{' ' * _depth(lines[first])}{into}, = {context}"
            lines = [*lines[:first], whole, *(line for line in lines[first:] if line not in taken)]
    return lines


def _put_in_place(lines: list[str]) -> list[str]:
    """A local that is read once is a detour: its expression goes where it is read, unless that is in a loop that it is not."""
    uses, written = _uses(lines), Counter(match[1] for match in map(_WRITES.match, lines) if match)
    done = list(lines)
    for at, line in enumerate(lines):
        match = _LOCAL.match(line)
        if match and uses[match[1]] == written[match[1]] == 1:
            name, text = match[1], _LOCAL.match(done[at])[2]  # type: ignore[index]  # it is still one
            word = re.compile(rf"\b{name}\b")
            there = next(
                place for place in range(at + 1, len(done)) if name in done[place] and word.search(done[place])
            )
            if not _is_in_loop(lines, at, there):
                expression = text if _is_whole(text) else f"({text})"
                done[there], done[at] = expression.join(word.split(done[there])), ""
    return [line for line in done if line]


def _is_whole(text: str) -> bool:
    """Whether an expression needs no brackets: a name, a field, an item, a call, or what has brackets already."""
    depth = 0
    for sign, after in zip(text, f"{text[1:]}.", strict=True):
        depth += (sign in "([") - (sign in ")]")
        if depth == 0 and ((sign in ")]" and after != ".") or not (sign.isalnum() or sign in "_.)]")):
            return False
    return True


def _is_in_loop(lines: list[str], outside: int, inside: int) -> bool:
    """Whether a line is in a loop that another, before it, is not in."""
    depth = _depth(lines[inside])
    for line in reversed(lines[outside:inside]):
        if _depth(line) < depth:
            depth = _depth(line)
            if line.lstrip().startswith("for "):
                return True
    return False


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())
