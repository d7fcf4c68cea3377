"""The account of what breaks as merged: each violation is real, and a finding stands for it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunnelcheck.replay import breaks, replay
from tunnelcheck.scenarios import PROPERTIES_OF
from tunnelfindings.account import (
    ALL,
    WORLDS,
    Broken,
    about,
    broken_by,
    faults,
    recorded,
    stands_for,
    traced,
    unaccounted,
)
from tunnelfindings.claims import CLAIMS
from tunnelfindings.experiments import Claim
from tunnelspec.deviations import DEVIATIONS, apply

HARMS = recorded() or ()
PROPERTIES = {prop.id: prop for properties in PROPERTIES_OF.values() for prop in properties}


def test_the_record_is_current_and_a_finding_stands_for_every_violation() -> None:
    assert HARMS, "tunnelspec findings makes it anew"
    assert faults(HARMS, CLAIMS) == ()
    assert {name for harm in HARMS for name in harm.departures} == set(ALL)


@pytest.mark.parametrize(
    "harm", HARMS, ids=lambda h: f"{h.property} {h.departures[0] if len(h.departures) < 9 else 'all'}"
)
def test_each_violation_is_real(harm: Broken) -> None:
    """Replayed by the second interpreter, with its departures."""
    prop = PROPERTIES[harm.property]
    system = apply(WORLDS[harm.world].system(), [DEVIATIONS[name] for name in harm.departures])
    assert breaks(system, replay(system, harm.actions), prop) is not None


@given(st.sampled_from([c for c in CLAIMS if c.stands_for]), st.data())
def test_a_violation_for_which_no_finding_stands_is_noticed(claim: Claim, data: st.DataObject) -> None:
    """A finding that no longer names a property that it breaks, or names one that it does not break, is an error."""
    left_out = data.draw(st.sampled_from(claim.stands_for))
    fewer = replace(claim, stands_for=tuple(id_ for id_ in claim.stands_for if id_ != left_out))
    others = [c for c in CLAIMS if c is not claim]
    harm = Broken(tuple(data.draw(st.sampled_from(about(claim)))), left_out, "", ())
    assert stands_for(claim, harm)
    assert bool(unaccounted([harm], [*others, fewer])) == (not any(stands_for(c, harm) for c in others))
    more = replace(claim, stands_for=(*claim.stands_for, "P-ASYM"))
    assert f"{claim.id} stands for P-ASYM, which it does not break" in faults(HARMS, [*others, more])


def test_what_needs_no_other_departure_is_traced_to_its_own() -> None:
    """F02: of three departures the byte count needs one."""
    together = ("fresh-ack-ids", "size-not-released", "no-age")
    harm = next(h for h in broken_by(together, ["window"]) if h.property == "P-ACCOUNT")
    assert traced(harm).departures == ("size-not-released",)
