"""Claims are decided by machine: a changed table can change a verdict, and a stale page is noticed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunnelcheck.files import read
from tunnelcheck.replay import breaks, replay
from tunnelcli.main import main
from tunnelfindings import proofs
from tunnelfindings.claims import CLAIMS
from tunnelfindings.cli import settle
from tunnelfindings.experiments import Claim, Fix, Found, Harm, Merged, Praised, Remedy, Shared, Unlike, Verdict, Word
from tunnelfindings.explore import BY_ID, WORLDS, explore
from tunnelfindings.page import page
from tunnelfindings.verdicts import judge, judge_all
from tunnelspec.deviations import DEVIATIONS, MERGED, apply
from tunnelspec.properties import PROPERTIES
from tunnelspec.system import System

ROOT = Path(__file__).parents[2]
ids = st.sampled_from([p.id for p in PROPERTIES])
harms = st.builds(Harm, ids, st.sampled_from(sorted(WORLDS)), st.lists(st.text(), max_size=3).map(tuple))


def found(name: str, complete: bool, violated: list[Harm]) -> dict[tuple[str, ...], Found]:
    tables = Found((), 10, 1, True, ())
    return {(): tables, (name,): Found((name,), 7, 1, complete, tuple(violated))}


def test_every_claim_is_there_once() -> None:
    listed = [c.id for c in CLAIMS]
    assert len(set(listed)) == len(listed)
    wanted = [f"F{n:02}" for n in range(1, 43)] + [f"P{n}" for n in range(1, 9)]
    assert listed[: len(wanted)] == wanted


def test_every_departure_of_the_merged_code_is_claimed_or_shown_to_be_unseen() -> None:
    claimed = {name for c in CLAIMS for need in c.needs for name in need}
    assert {d.id for d in MERGED} <= claimed
    for deviation in DEVIATIONS.values():
        for id_ in deviation.about:
            assert id_ in {c.id for c in CLAIMS}, deviation.id


@given(st.lists(harms, max_size=2), st.booleans())
def test_a_verdict_follows_what_was_found(violated: list[Harm], complete: bool) -> None:
    explored = found("no-age", complete, violated)
    merged = Merged(("no-age",)).decide(explored).verdict
    unlike = Unlike(("no-age",)).decide(explored).verdict
    if violated:
        assert (merged, unlike) == (Verdict.CONFIRMED, Verdict.REFUTED)
    else:
        assert merged == unlike == (Verdict.HARMLESS if complete else Verdict.UNDECIDED)


@given(st.lists(harms, max_size=3), ids)
def test_praise_is_refuted_by_the_properties_it_is_about(violated: list[Harm], about: str) -> None:
    decided = Praised(("no-age",), (about,)).decide(found("no-age", True, violated))
    broken = [h for h in violated if h.property == about]
    assert decided.harm == (broken[0] if broken else None)
    assert decided.verdict is (Verdict.REFUTED if broken else Verdict.CONFIRMED)


@given(st.sampled_from(sorted(DEVIATIONS)), st.lists(harms, max_size=1), st.booleans(), st.sampled_from(Verdict))
def test_a_fix_is_judged_by_what_it_leaves(name: str, violated: list[Harm], complete: bool, word: Verdict) -> None:
    claim = replace(Word("").decide({}), verdict=word)
    remedy, harm = Fix("", (name,)).decide(claim, found(name, complete, violated))
    if violated:
        assert remedy is (Remedy.NOT_ENOUGH if DEVIATIONS[name].merged else Remedy.HARMFUL)
        assert harm == violated[0]
    elif complete:
        assert remedy is (Remedy.MENDS if word is Verdict.CONFIRMED else Remedy.NEEDLESS)
    else:
        assert remedy is Remedy.UNDECIDED


def test_what_the_tables_no_longer_share_is_refuted() -> None:
    assert Shared(lambda: False, "").decide(found("no-age", True, [])).verdict is Verdict.REFUTED


def test_a_departure_without_effect_is_harmless(monkeypatch: pytest.MonkeyPatch) -> None:
    """F15 is confirmed because of what ``no-age`` changes, and for no other reason."""
    claim = Claim("F15", "", Merged(("no-age",)))
    assert judge(claim, {("no-age",): explore(("no-age",))}).decided.verdict is Verdict.CONFIRMED
    monkeypatch.setattr("tunnelfindings.explore.MEDIUM", tuple(WORLDS[name] for name in ("old", "sleep")))
    monkeypatch.setitem(DEVIATIONS, "no-age", replace(DEVIATIONS["no-age"], lines=()))  # type: ignore[arg-type]
    assert judge(claim, {("no-age",): explore(("no-age",))}).decided.verdict is Verdict.HARMLESS


def test_proofs_of_the_comparison() -> None:
    """F05, P4: the merged comparison errs at one distance, and leaves three open."""
    true, says = proofs.comparison_is_ambiguous()
    assert true
    assert "32767 to 32769" in says
    assert "fails on the merged code" in says
    assert "differs from RFC 1982 at 0 distances" in says
    right, says = proofs.wrapping_is_right()
    assert not right
    assert "all at distance 32767" in says


@pytest.mark.parametrize("proof", [proofs.memory_grows_with_connections, proofs.v1_is_understood])
def test_other_proofs(proof: object) -> None:
    """F31, P6."""
    assert callable(proof)
    true, says = proof()
    assert true
    assert says


def test_the_command_decides_what_it_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    """F10 by a departure, F18 by a word."""
    assert main(["findings", "--only", "F10", "F18", "--json"]) == 0
    first, second = json.loads(capsys.readouterr().out)
    assert (first["id"], first["verdict"], first["fix"], first["property"]) == (
        "F10",
        "confirmed",
        "mends",
        "P-ACK-BOUND",
    )
    assert first["steps"] == len(first["trace"]) == 8
    assert first["transitions"] == ["ACK-G-08", "ACK-G-09", "ACK-G-10"]
    assert (second["verdict"], second["fix"], second["steps"]) == ("no behaviour", None, None)


def test_a_stale_page_is_noticed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = tuple(replace(c, experiment=Word("a word"), fixes=(), because="") for c in CLAIMS)
    judged = judge_all({}, words)
    assert all(f"| {claim.id} |" in page(judged) for claim in words)
    assert settle(judged, (), tmp_path, check=True) == 5
    assert settle(judged, (), tmp_path, check=False) == 0
    assert settle(judged, (), tmp_path, check=True) == 0
    (tmp_path / "findings" / "f99.svg").write_text("left over", encoding="utf-8")
    assert settle(judged, (), tmp_path, check=True) == 5
    assert "f99.svg is stale" in capsys.readouterr().err
    assert settle(judged, (), tmp_path, check=False) == 0
    assert not list((tmp_path / "findings").iterdir())


@pytest.mark.parametrize("path", sorted((ROOT / "spec" / "findings").glob("*.json")), ids=lambda path: path.stem)
def test_each_committed_trace_does_its_harm(path: Path) -> None:
    """Replayed by the second interpreter, with its departures."""
    trace = read(path)
    prop = BY_ID[trace.property]
    system = apply(System(trace.bounds), [DEVIATIONS[name] for name in trace.deviations])
    assert breaks(system, replay(system, trace.actions), prop) is not None
