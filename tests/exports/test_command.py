"""``tunnelspec export``: where its files go, and what it says when they cannot."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tunnelcli.main import main
from tunnelspec.endpoint import MACHINES

ROOT = Path(__file__).parents[2]


def test_one_machine_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "json", "--machine", "HIB-G"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert [m["id"] for m in data["machines"]] == ["HIB-G"]
    assert main(["export", "json", "--schema"]) == 0
    assert json.loads(capsys.readouterr().out)["$id"] == "urn:tunnelspec:tables:1"


def test_what_is_committed_is_current(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "json", "--check"]) == 0


def test_a_stale_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "json", "-o", str(tmp_path)]) == 0
    assert main(["export", "json", "--check", "-o", str(tmp_path)]) == 0
    path = tmp_path / "tables.json"
    path.write_text(path.read_text().replace("CONN-G-07", "CONN-G-77"))
    capsys.readouterr()
    assert main(["export", "json", "--check", "-o", str(tmp_path)]) == 5
    assert f"stale: {path}" in capsys.readouterr().out


@pytest.mark.parametrize(("kind", "each"), [("scxml", 1), ("xstate", 2), ("mermaid", 1)])
def test_all_machines_need_a_folder(kind: str, each: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", kind]) == 2
    assert "need -o DIR" in capsys.readouterr().err
    assert main(["export", kind, "-o", str(tmp_path / "one.txt")]) == 2
    assert "need a folder" in capsys.readouterr().err
    assert main(["export", kind, "-o", str(tmp_path / "new")]) == 0
    assert len(list((tmp_path / "new").iterdir())) == each * len(MACHINES)


def test_one_file_under_the_name_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chart = tmp_path / "hib.scxml"
    assert main(["export", "scxml", "--machine", "HIB-G", "-o", str(chart)]) == 0
    assert main(["export", "scxml", "--machine", "HIB-G"]) == 0
    assert capsys.readouterr().out == chart.read_text()


def test_mermaid_is_what_the_diagrams_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "mermaid", "--machine", "ACK-R"]) == 0
    assert capsys.readouterr().out == (ROOT / "diagrams" / "ack-r.mmd").read_text()


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert main(["export", "xstate", "-o", str(blocked / "x")]) == 2
    assert str(blocked / "x") in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["json", "scxml", "xstate", "mermaid"])
def test_every_kind_has_an_example(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["export", kind, "--help"])
    assert ended.value.code == 0
    assert f"example: tunnelspec export {kind}" in capsys.readouterr().out


def test_stale_vectors_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (ROOT / "conformance" / "vectors").glob("*.json"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    serials = tmp_path / "serials.json"
    serials.write_text(serials.read_text().replace('"less": true', '"less": false', 1))
    (tmp_path / "steps.json").unlink()
    assert main(["export", "vectors", "--check", "--json", "-o", str(tmp_path)]) == 5
    result = json.loads(capsys.readouterr().out)
    assert result["verdict"] == "stale"
    assert {f["name"]: f["status"] for f in result["files"]} == {
        "frames.json": "current", "serials.json": "stale", "steps.json": "missing", "runs.json": "current",
        "conversations.json": "current", "vectors.schema.json": "current",
    }  # fmt: skip


def test_vectors_outside_a_checkout_need_a_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tunnelexport.cli.VECTORS", tmp_path / "nowhere")
    assert main(["export", "vectors"]) == 2
    assert "-o DIR says where to" in capsys.readouterr().err
    assert not (tmp_path / "nowhere").exists()
