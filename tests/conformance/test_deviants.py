"""The suite against known wrongs: each deviation is noticed by a case that names what it patches, or cannot be."""

from __future__ import annotations

import asyncio

import pytest

from tunnelconform.deviants import PAGE, Noticed, Unseen, Wrong, noticed, read, recorded, to_page, wrongs
from tunnelconform.deviants_cli import AGAIN, SIDE_BY_SIDE
from tunnelconform.inclusion import inclusion
from tunnelspec.deviations import ALL, DEVIATIONS

NEVER_SEEN = {"collect-at-boundary", "early-by-kind", "late-answer-refused", "late-message-refused", "refusal-counts",
              "unknown-ack-refused"}  # fmt: skip


def test_every_deviation_has_a_fate_and_names_what_it_patches() -> None:
    fates = read()
    assert {wrong.id for wrong in wrongs()} == set(fates)
    assert {wrong.name for wrong in wrongs()} == {*(d.id for d in ALL), "as-merged"}
    for wrong in wrongs():
        fate = fates[wrong.id]
        if isinstance(fate, Noticed):
            assert fate.case.partition("/")[0] in wrong.about
        else:
            assert wrong.name in NEVER_SEEN
    assert PAGE.read_text(encoding="utf-8") == to_page(fates)


def test_every_deviation_that_can_be_noticed_is_over_real_sockets() -> None:
    """F01 to F17, G01 to G08, H01, H02: one case each, against the reference that departs so."""
    fates = read()
    some = [wrong for wrong in wrongs() if isinstance(fates[wrong.id], Noticed)]

    async def all_of_them() -> list[str]:
        room = asyncio.Semaphore(SIDE_BY_SIDE)

        async def one(wrong: Wrong) -> bool:
            async with room:
                return await noticed(wrong, recorded(fates[wrong.id]) * AGAIN) is not None

        found = await asyncio.gather(*map(one, some))
        return [wrong.id for wrong, there in zip(some, found, strict=True) if not there]

    assert asyncio.run(all_of_them()) == []


def test_the_reference_passes_the_cases_that_notice_departures() -> None:
    """None of them fails for another reason."""
    fates = read()
    for wrong in wrongs():
        if wrong.name in ("same-index", "window-full-circle", "gap-warned", "size-not-replayed"):
            right = Wrong(wrong.name, wrong.says, wrong.role, ())
            assert asyncio.run(noticed(right, recorded(fates[wrong.id]))) is None


@pytest.mark.parametrize(("name", "role"), [("late-answer-refused", "gateway"), ("late-message-refused", "runner")])
def test_what_only_a_record_tells_is_seen_by_nobody(name: str, role: str) -> None:
    """H03, H04: a refusal puts out what an ignored event does, and a Violation, which stays inside."""
    held = inclusion((DEVIATIONS[name],), role)
    assert (held.included, held.complete) == (True, True)


@pytest.mark.parametrize("name", ["collect-inverted", "size-not-released", "replay-stops", "any-runner"])
def test_what_the_tables_do_not_allow_is_told_apart(name: str) -> None:
    assert not inclusion((DEVIATIONS[name],), "gateway").included


def test_what_cannot_be_noticed_has_a_reason() -> None:
    assert all(fate.because for fate in read().values() if isinstance(fate, Unseen))
