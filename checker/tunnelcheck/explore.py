"""Breadth-first exploration of a world, a level at a time.

A state is one 64-bit word. The components that stand together (the centre; each side) are packed into a word and interned, so
that the state itself is the numbers of its groups. A level is expanded action by action: each stage is a look-up
(``tabulate``), and an action's successors are the states whose groups it changed. The visited states are an exact set in the
order of their discovery, which *is* the list of levels; nothing else is kept of a state but, if liveness is asked
for, the numbers of its successors.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunnelcheck.index import I64, U64, Index
from tunnelcheck.tabulate import I32, Column, Domain, Table, Watcher
from tunnelspec.system import Action, Stage, System

CENTRE = ("client", "gateway", "store", "budget")
PARTS = ("line", "down", "up", "runner", "host")
BATCH = 1 << 18
"""States expanded at once: enough to drown Python's own cost, and little enough to stay in the cache."""


class Group:
    """Components that are interned together."""

    def __init__(self, names: Sequence[str], domains: dict[str, Domain], shift: int, width: int) -> None:
        self.names = tuple(names)
        self.shift, self.mask = np.uint64(shift), np.uint64((1 << width) - 1)
        self.width = width
        offsets = np.cumsum([0, *(domains[name].width for name in names)])
        assert offsets[-1] <= 64, "a group's components must fit into a word"
        self._fields = {
            name: (np.uint64(offset), np.uint64((1 << domains[name].width) - 1))
            for name, offset in zip(names, offsets, strict=False)
        }
        self.index = Index()
        self._columns = {name: Column() for name in names}
        self._known = 0

    def number(self, parts: dict[str, NDArray[Any]]) -> I64:
        """The group's number for each combination of its components' numbers."""
        word = np.zeros(len(next(iter(parts.values()))), np.uint64)
        for name, (offset, _) in self._fields.items():
            word |= parts[name].astype(np.uint64) << offset
        return self._intern(word)

    def changed(self, numbers: I64, parts: dict[str, NDArray[Any]]) -> I64:
        """The group's number where some components have changed."""
        word = self.index.keys[numbers]
        for name, part in parts.items():
            offset, mask = self._fields[name]
            word = (word & ~(mask << offset)) | (part.astype(np.uint64) << offset)
        return self._intern(word)

    def _intern(self, words: U64) -> I64:
        numbers = self.index.add(words)
        if self.index.count >> self.width:
            raise MemoryError(f"more than {1 << self.width} combinations of {', '.join(self.names)}")
        if self.index.count > self._known:
            fresh = self.index.keys[self._known :]
            for name, (offset, mask) in self._fields.items():
                self._columns[name].extend(((fresh >> offset) & mask).astype(np.int32))  # type: ignore[arg-type]
            self._known = self.index.count
        return numbers

    def part(self, name: str, numbers: I64) -> I32:
        """The number of one component."""
        return self._columns[name][numbers]


@dataclass
class Found:
    """Steps that a watcher raised an alarm about: from which states of a level, by which action, and which row of which table."""

    states: I64  # numbers, in the order of discovery
    action: str
    row: tuple[Table, int]


@dataclass
class Progress:
    """How far an exploration is."""

    states: int
    transitions: int
    depth: int
    frontier: int
    seconds: float


@dataclass
class Edges:
    """Who follows whom, without self-loops, by number."""

    counts: list[NDArray[np.uint8]] = field(default_factory=list)
    targets: list[NDArray[np.uint32]] = field(default_factory=list)

    @property
    def bytes(self) -> int:
        return sum(a.nbytes for a in self.counts) + sum(a.nbytes for a in self.targets)


class Exploration:
    """One world, explored. ``step`` expands a level; states, tables and levels stay for whoever asks for traces."""

    def __init__(self, system: System, watch: Watcher | None = None, edges: bool = True) -> None:
        self.system = system
        self.registers = {name for a in system.actions for s in a.stages for name in (*s.reads, *s.writes)} - set(
            system.components
        )
        self.domains = {name: Domain(name) for name in (*system.components, *self.registers)}
        self._groups = self._layout()
        self._group_of = {name: group for group in self._groups for name in group.names}
        self._tables: dict[Stage, Table] = {}
        self.compiled = [(a, [self._table(s, watch) for s in a.stages]) for a in system.actions]
        self._empty = {
            name: self.domains[name].number(()) for name in self.registers if name.startswith(("said", "took"))
        }
        self.visited = Index(1 << 12)
        self.levels = [0]  # the number of each level's first state
        self.transitions = 0
        self.found: list[Found] = []
        self._alarmed: dict[tuple[Table, int], int] = {}  # the level in which each alarm first rang
        self.edges = Edges() if edges else None
        self.terminal: list[I64] = []
        self.began = time.monotonic()
        start = system.start()
        parts = {name: np.array([self.domains[name].number(value)]) for name, value in start.items()}
        self.visited.add(self._pack([group.number({n: parts[n] for n in group.names}) for group in self._groups]))

    # -- size ---------------------------------------------------------------------------------------------------------

    @property
    def states(self) -> int:
        return self.visited.count

    @property
    def depth(self) -> int:
        return len(self.levels) - 1

    @property
    def done(self) -> bool:
        return self.levels[-1] == self.states

    @property
    def bytes(self) -> int:
        """What the states take in memory; tables are beside it."""
        return self.visited.bytes + (self.edges.bytes if self.edges is not None else 0)

    def progress(self) -> Progress:
        frontier = self.states - self.levels[-1]
        return Progress(self.states, self.transitions, self.depth, frontier, time.monotonic() - self.began)

    @property
    def tables(self) -> tuple[Table, ...]:
        return tuple(self._tables.values())

    # -- a level ------------------------------------------------------------------------------------------------------

    def step(self, interrupted: Callable[[], bool] = lambda: False) -> None:
        """Expand the newest level, or what of it comes before an interrupt. Raises ``MemoryError`` and ``TooMany``."""
        first, last = self.levels[-1], self.states
        for start in range(first, last, BATCH):
            self._expand(start, min(start + BATCH, last))
            if interrupted():
                break
        self.levels.append(last)

    def _expand(self, start: int, stop: int) -> None:
        words = self.visited.keys[start:stop].copy()
        sources: list[I64] = []
        targets: list[I64] = []
        for action, tables in self.compiled:
            at, successors = self.successors(words, action, tables, start)
            if len(at):
                self.transitions += len(at)
                sources.append(at)
                targets.append(self.visited.add(successors))
        self._note_edges(start, stop, sources, targets)

    def _note_edges(self, start: int, stop: int, sources: list[I64], targets: list[I64]) -> None:
        source = np.concatenate(sources) if sources else np.empty(0, np.int64)
        target = np.concatenate(targets) if targets else np.empty(0, np.int64)
        moving = target != source + start
        source, target = source[moving], target[moving]
        counts = np.bincount(source, minlength=stop - start)
        self.terminal.append(np.flatnonzero(counts == 0) + start)
        if self.edges is not None:
            order = np.argsort(source.astype(np.uint32), kind="stable")
            self.edges.counts.append(counts.astype(np.uint8))
            self.edges.targets.append(target[order].astype(np.uint32))

    def successors(self, words: U64, action: Action, tables: list[Table], base: int) -> tuple[I64, U64]:
        """Where an action is possible, and what comes of it."""
        at = np.arange(len(words))
        numbers: dict[int, I64] = {}
        values: dict[str, NDArray[Any]] = {}
        changed: set[str] = set()

        def read(name: str) -> NDArray[Any]:
            if name not in values:
                group = self._group_of[name]
                place = id(group)
                if place not in numbers:
                    numbers[place] = ((words[at] >> group.shift) & group.mask).astype(np.int64)
                values[name] = group.part(name, numbers[place])
            return values[name]

        for table in tables:
            stage = table.stage
            if stage.idle and stage.idle in self._empty:
                busy = np.flatnonzero(values[stage.idle] != self._empty[stage.idle])
                if not len(busy):
                    continue
                if 4 * len(busy) < 3 * len(at):
                    rows = table.rows([read(name)[busy] for name in stage.reads], len(busy))
                    if table.alarms:
                        self._alarm(table, rows, at[busy], action, base)
                    for name, column in zip(stage.writes, table.columns, strict=True):
                        whole = read(name).copy()
                        whole[busy] = column[rows]
                        values[name] = whole
                        changed.add(name)
                    continue
            rows = table.rows([read(name) for name in stage.reads], len(at))
            enabled = table.enabled[rows] != 0
            if not enabled.all():
                keep = np.flatnonzero(enabled)
                if not len(keep):
                    return keep, np.empty(0, np.uint64)
                at, rows = at[keep], rows[keep]
                values = {name: value[keep] for name, value in values.items()}
                numbers = {place: value[keep] for place, value in numbers.items()}
            if table.alarms:
                self._alarm(table, rows, at, action, base)
            for name, column in zip(stage.writes, table.columns, strict=True):
                values[name] = column[rows]
                if name not in self.registers:
                    changed.add(name)
        after = words[at]
        for group in self._groups:
            parts = {name: values[name] for name in group.names if name in changed}
            if parts:
                before = ((after >> group.shift) & group.mask).astype(np.int64)
                number = group.changed(before, parts).astype(np.uint64)
                after = (after & ~(group.mask << group.shift)) | (number << group.shift)
        return at, after

    def _alarm(self, table: Table, rows: I64, at: I64, action: Action, base: int) -> None:
        """Of each row note only the level in which it first comes: what comes later is on no shortest way."""
        hits = np.flatnonzero(np.isin(rows, np.fromiter(table.alarms, np.int64)))
        for row in np.unique(rows[hits]).tolist():
            if self._alarmed.setdefault((table, row), self.depth) == self.depth:
                self.found.append(Found(base + at[hits[rows[hits] == row]], action.id, (table, row)))

    # -- what a state is ----------------------------------------------------------------------------------------------

    def parts(self, name: str, states: I64) -> I32:
        """The numbers of one component in these states."""
        group = self._group_of[name]
        numbers = ((self.visited.keys[states] >> group.shift) & group.mask).astype(np.int64)
        return group.part(name, numbers)

    def world(self, state: int) -> dict[str, Any]:
        """A state's components."""
        one = np.array([state])
        return {name: self.domains[name].values[int(self.parts(name, one)[0])] for name in self.system.components}

    def combinations(self, names: Sequence[str]) -> tuple[NDArray[Any], I64]:
        """All combinations of values of components of one group, by number; and which of them each value of the group has."""
        group = self._group_of[names[0]]
        every = np.arange(group.index.count)
        columns, which = np.unique(np.stack([group.part(name, every) for name in names]), axis=1, return_inverse=True)
        return columns, which.reshape(-1)

    def first_with(self, name: str, wrong: NDArray[np.bool_]) -> I64:
        """The states of the first level with any of these values of a component's group, given for each of its values."""
        group = self._group_of[name]
        match = wrong[((self.visited.keys >> group.shift) & group.mask).astype(np.int64)]
        return self.earliest(np.flatnonzero(match))

    def earliest(self, states: I64) -> I64:
        """Those of the first level, of states in the order of their discovery."""
        after = self.level_of(int(states[0])) + 1
        return states[: np.searchsorted(states, self.levels[after])] if after < len(self.levels) else states

    def level_of(self, state: int) -> int:
        return int(np.searchsorted(self.levels, state, side="right")) - 1

    # -- layout -------------------------------------------------------------------------------------------------------

    def _table(self, stage: Stage, watch: Watcher | None) -> Table:
        if stage not in self._tables:
            self._tables[stage] = Table(stage, self.domains, watch)
        return self._tables[stage]

    def _layout(self) -> list[Group]:
        sides = self.system.sides
        widths = [64 - 20 * len(sides), *(20 for _ in sides)] if len(sides) > 1 else [32, 32]
        names = [CENTRE, *(tuple(f"{part}_{x}" for part in PARTS) for x in sides)]
        shifts = np.cumsum([0, *widths])
        return [
            Group(group, self.domains, int(shift), width)
            for group, shift, width in zip(names, shifts, widths, strict=False)
        ]

    def _pack(self, numbers: list[I64]) -> U64:
        word = np.zeros(len(numbers[0]), np.uint64)
        for group, number in zip(self._groups, numbers, strict=True):
            word |= number.astype(np.uint64) << group.shift
        return word
