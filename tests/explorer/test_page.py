"""The page as a file, and the command that makes it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.explorer.conftest import TOURS
from tunnelcli.main import main
from tunnelexplore import cache, digests
from tunnelexplore import page as pages
from tunnelexplore.atlas import Place
from tunnelexplore.page import EXPORT, IMPORT, SCRIPTS, WEB, TooLarge, script


def export(path: Path, *more: str) -> int:
    return main(["explore", "--export", str(path), "--worlds", "window", "--lessons", str(TOURS / "none"), *more])


def test_the_page_names_no_other_file(page: Path) -> None:
    """Nothing in it is fetched; its own policy forbids it too."""
    text = page.read_text()
    assert not re.search(r'(?:src|href)="(?!#|data:)', text)
    assert not re.search(r"url\(|@import|fetch\(", text)
    assert "default-src 'none'" in text
    assert "{{" not in text.split("<script")[0]


def test_modules_stand_in_the_order_of_their_imports() -> None:
    """Each imports what an earlier one exports."""
    exported: dict[str, set[str]] = {}
    for name in SCRIPTS:
        source = (WEB / name).read_text()
        for names, module in IMPORT.findall(source):
            assert set(names.split(", ")) <= exported[module], (name, module)
        exported[name] = {found[1] for found in EXPORT.findall(source)}
        assert source.count("\nimport ") + source.startswith("import ") == len(IMPORT.findall(source))
    assert {*SCRIPTS, "theme.js"} == {file.name for file in WEB.iterdir() if file.name.endswith(".js")}
    assert "import " not in script().replace("// ", "")


def test_check_tells_current_from_stale(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = tmp_path / "copy.html"
    assert export(copy) == 0
    assert "1 world(s), 0 tour(s)" in capsys.readouterr().out
    assert export(copy, "--check") == 0
    copy.write_bytes(copy.read_bytes() + b"\n")
    assert export(copy, "--check") == 5
    assert "is stale; run: tunnelspec explore --export" in capsys.readouterr().out
    assert export(tmp_path / "none.html", "--check", "--json") == 5
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["verdict"] == "missing"
    assert not (tmp_path / "none.html").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--worlds", "nowhere"], "--worlds nowhere: there is no world or deviation 'nowhere'"),
        (["--worlds", "sleep", "--check"], "digests are of the whole page"),
        (["--worlds", "sleep", "--pin"], "digests are of the whole page"),
    ],
)
def test_wrong_use_names_what_is_wrong(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explore", *arguments]) == 2
    assert says in capsys.readouterr().err


def test_a_wrong_tour_or_place_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "wrong.json").write_text('{"format": "tunnelspec-tour", "version": 9}')
    assert main(["explore", "--export", str(tmp_path / "x.html"), "--lessons", str(tmp_path)]) == 4
    assert "wrong.json: version 9" in capsys.readouterr().err
    assert export(tmp_path / "no folder" / "x.html") == 4
    assert "no folder" in capsys.readouterr().err


def test_a_page_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "MOST_BYTES", 1000)
    with pytest.raises(TooLarge, match="may have 1,000"):
        pages.page({}, ())


def test_digests_name_what_changed(tmp_path: Path) -> None:
    """A world, the rest of the page, and what is new or gone."""
    place = Place("window")
    packed = {place.key: (place, "d1", b"compressed")}
    found = digests.digests(packed, ())
    assert digests.digests({place.key: (place, "d1", b"otherwise compressed")}, ()) == found
    assert digests.digests({place.key: (place, "d2", b"")}, ())["page"] == found["page"]
    path = tmp_path / "digests.json"
    assert digests.stale(path, found) == ("page", "window")
    path.write_text(digests.text(found, 1))
    assert digests.stale(path, found) == ()
    assert digests.stale(path, {**found, "window": "d2", "new": "d3"}) == ("new", "window")
    path.write_text("[]")
    assert digests.stale(path, found) == ("page", "window")


def test_the_committed_digests_name_all_worlds() -> None:
    """Whether they are current is ``make check``'s to say; that none is missing is quick to see."""
    known = json.loads(digests.FILE.read_text())
    assert set(known["sha256"]) >= {"page", *(place.key for place in pages.places())}
    assert known["bytes"] <= pages.MOST_BYTES


def test_it_is_served_and_kept(tmp_path: Path) -> None:
    """On the loopback address; the second time without being made again."""
    arguments = ["explore", "--worlds", "window", "--lessons", str(TOURS / "none")]
    for kept in (False, True):
        process = subprocess.Popen(
            [sys.executable, "-m", "tunnelcli.main", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
            env={"XDG_CACHE_HOME": str(tmp_path)},
        )  # fmt: skip
        try:
            assert process.stdout is not None
            url = process.stdout.readline().split()[0]
            assert url.startswith("http://127.0.0.1:")
            with urllib.request.urlopen(url, timeout=20) as answer:
                assert b"Explore the protocol" in answer.read()
            with pytest.raises(urllib.error.HTTPError, match="404"):
                urllib.request.urlopen(url + "other", timeout=20)
        finally:
            process.terminate()
            _, errors = process.communicate(timeout=20)
        assert ("exploring the worlds" in errors) == (not kept)
    assert len(list((tmp_path / "tunnelspec").iterdir())) == 1


def test_the_cache_forgets_what_is_old(tmp_path: Path) -> None:
    lesson = tmp_path / "a.json"
    lesson.write_text("1")
    first = cache.name([lesson], ["sleep"])
    assert first == cache.name([lesson], ["sleep"]) != cache.name([lesson], [])
    lesson.write_text("2")
    second = cache.name([lesson], ["sleep"])
    assert first != second
    for name in (first, second):
        cache.keep(tmp_path / "kept" / name, name)
    assert [path.name for path in (tmp_path / "kept").iterdir()] == [second]
    cache.keep(lesson / "impossible", "x")  # nothing is kept, and nothing fails
