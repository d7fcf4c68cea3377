"""Derived cases are kept: found once, and found again where what was kept is of no use."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunnelconform import conversation as talk
from tunnelconform.cache import Derived, home, remembered
from tunnelconform.cases import Case

CASES: Derived = (
    (Case("ACK-G-06/live", (talk.Join(), talk.Say(text="m", at_once=True)), frozenset({"ACK-G-06"}), "A message."),),
    {"CONN-G-24": "No conversation."},
)


def test_what_was_derived_is_kept_and_what_is_spoilt_is_derived_anew(tmp_path: Path) -> None:
    derived: list[Derived] = []

    def derive() -> Derived:
        derived.append(CASES)
        return CASES

    for _ in range(2):
        assert remembered("gateway", "limits", derive, tmp_path) == CASES
    assert len(derived) == 1
    assert remembered("gateway", "other limits", derive, tmp_path) == CASES
    assert len(derived) == 2
    for path in tmp_path.iterdir():
        path.write_text('{"cases": [{"id": "ACK')
    assert remembered("gateway", "limits", derive, tmp_path) == CASES
    assert len(derived) == 3


def test_where_nothing_can_be_kept_nothing_is_lost(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert remembered("gateway", "limits", lambda: CASES, tmp_path / "file") == CASES


def test_the_folder_is_where_the_user_wants_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert home() == tmp_path / "tunnelspec"
