"""A series of runs that was interrupted is gone on with: nothing of it is lost, and nothing of another is taken for it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.repeat import ResumeError, Series, Told, code_hash

CODE = code_hash()

verdicts = st.dictionaries(st.sampled_from(["pass", "inconclusive"]), st.integers(0, 2_000)).map(Counter)
tolds = st.builds(Told, st.just(0), verdicts, st.lists(st.sampled_from(["walk/1-1", "HIB-G-11/ended"])).map(tuple))


@given(st.lists(st.tuples(tolds, tolds, st.floats(0, 200)), max_size=4), st.integers(0, 4))
def test_an_interrupted_series_comes_to_the_same(
    tmp_path_factory: pytest.TempPathFactory, runs: list[tuple[Told, Told, float]], interrupted: int
) -> None:
    """Whenever it was interrupted."""
    path = tmp_path_factory.mktemp("series") / "record.json"
    whole, part = Series(CODE, 1, 10), Series(CODE, 1, 10)
    for number, (gateway, runner, seconds) in enumerate(runs):
        if number == interrupted:
            path.write_text(part.text(), encoding="utf-8")
            part = Series(CODE, 1, 10).resumed(path)
        for series in (whole, part):
            series.add({"gateway": gateway, "runner": runner}, seconds)
            series.load = ()
    assert part == whole
    assert part.passed == len(runs)


@pytest.mark.parametrize("other", [Series("0", 1, 10), Series(CODE, 2, 10), Series(CODE, 1, 0)])
def test_a_series_of_something_else_is_not_gone_on_with(tmp_path: Path, other: Series) -> None:
    """Of other code, other seeds, or with volume at other times."""
    path = tmp_path / "record.json"
    path.write_text(other.text(), encoding="utf-8")
    with pytest.raises(ResumeError, match=r" was .*, and is "):
        Series(CODE, 1, 10).resumed(path)


def test_nor_is_one_that_did_not_pass(tmp_path: Path) -> None:
    """It has ended."""
    series = Series(CODE, 1, 10)
    series.add({"gateway": Told(1, Counter(fail=1), ())}, 1.0)
    path = tmp_path / "record.json"
    path.write_text(series.text(), encoding="utf-8")
    with pytest.raises(ResumeError, match="did not pass"):
        Series(CODE, 1, 10).resumed(path)
