"""Faults in the reference's code: what is recorded of them still holds, and what is said of those that none can notice."""

from __future__ import annotations

import ast
from fnmatch import fnmatchcase

import pytest

from tools.mutants.page import PAGE
from tools.mutants.places import FILES, HOME, Mutant, mutants
from tools.mutants.record import ENOUGH, FRESH, KILLED, Record, read
from tools.mutants.scope import EQUIVALENT, FREED, OUT_OF_SCOPE
from tools.mutants.trial import again
from tunnelspec.endpoint import GATEWAY, LINK_GATEWAY
from tunnelspec.events import BadFrame
from tunnelspec.machine import Verdict

QUICK_S = 4.0
"""A mutant that was killed so fast is killed as fast again."""

ROLES = tuple(FILES)
TRIED = ("gateway", "runner")
"""Those whose mutants have been tried."""


def every() -> list[Mutant]:
    return [mutant for role in ROLES for mutant in mutants(role)]


def test_each_mutant_is_another_program_with_a_name_of_its_own() -> None:
    some = every()
    assert len({mutant.id for mutant in some}) == len(some)
    for mutant in some[::29]:
        before = ast.unparse(ast.parse((HOME / mutant.file).read_text(encoding="utf-8")))
        assert mutant.source() != before
        compile(mutant.source(), mutant.file, "exec")


@pytest.mark.parametrize("role", TRIED)
def test_enough_are_killed_and_known_with_the_code_as_it_is(role: str) -> None:
    record = read(role)
    assert record.share >= ENOUGH
    assert record.fresh >= FRESH
    assert record.contradictions() == []
    assert f"## The {role}" in PAGE.read_text(encoding="utf-8")


def test_a_change_makes_its_own_function_unknown_and_no_other() -> None:
    record = read("gateway")
    killed = [mutant for mutant in mutants("gateway") if record.fate(mutant)[0] == KILLED]
    one = killed[0]
    changed = Mutant(one.role, one.file, one.where, one.fault, one.text, one.number, "changed")
    assert record.fate(changed)[0] == "unknown"
    assert record.fate(one)[0] == KILLED


def test_what_is_said_of_mutants_is_said_of_some() -> None:
    ids = [mutant.id for mutant in every()]
    assert [id_ for id_ in EQUIVALENT if id_ not in ids] == []
    assert [p for p in OUT_OF_SCOPE if not any(fnmatchcase(id_, p) for id_ in ids)] == []


def test_what_is_freed_ignores_everything() -> None:
    """The reason of those that are equivalent because they keep what is freed."""
    assert FREED in EQUIVALENT.values()
    for endpoint, last in ((GATEWAY, "closed"), (LINK_GATEWAY, "gone")):
        machine = endpoint.machines[0]
        rows = [row for row in machine.transitions if last in row.sources and not row.excluded]
        assert rows
        assert {row.verdict for row in rows} == {Verdict.IGNORED}


def test_a_bad_frame_changes_nothing() -> None:
    """LINK-G-12: only the log tells."""
    for row in LINK_GATEWAY.machines[0].transitions:
        if row.on is BadFrame and not row.excluded:
            assert row.verdict in (Verdict.REFUSED, Verdict.IGNORED)


@pytest.mark.parametrize("role", TRIED)
def test_mutants_are_killed_again(role: str) -> None:
    """The first that was killed fast in each file, by the case that is recorded."""
    record = read(role)
    for mutant in _one_a_file(record):
        assert again(mutant, record.known[mutant.id].outcome.by), mutant.id


def _one_a_file(record: Record) -> list[Mutant]:
    some: dict[str, Mutant] = {}
    for mutant in mutants(record.role):
        if record.fate(mutant)[0] == KILLED and 0 < record.known[mutant.id].outcome.seconds < QUICK_S:
            some.setdefault(mutant.file, mutant)
    return list(some.values())[:3]
