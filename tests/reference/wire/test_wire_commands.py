"""``tunnelspec decode`` and ``tunnelspec encode``."""

from __future__ import annotations

import argparse
import io
import json
import shlex

import pytest

from tunnelexport.vectors.frames_by_hand import VECTORS, M, R
from tunnelref.wire.commands import add_parsers

ACK = f"06{R.hex()}{M.hex()}060700"


def _run(*arguments: str) -> int:
    parser = argparse.ArgumentParser(prog="tunnelspec")
    add_parsers(parser.add_subparsers(required=True))
    args = parser.parse_args(arguments)
    status = args.run(args)
    assert isinstance(status, int)
    return status


def test_decode(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("decode", "to-server", ACK) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["ToServerTunnelMessage"]["messageKind"] == {"ToServerWebSocketMessageAck": {"index": 7}}


def test_both_ways(capsys: pytest.CaptureFixture[str]) -> None:
    for vector in VECTORS:
        for version in vector.versions:
            way = vector.direction.replace("_", "-")
            assert _run("decode", "--version", str(version), way, vector.data.hex()) == 0
            text = capsys.readouterr().out
            assert _run("encode", "--version", str(version), way, text) == 0
            assert capsys.readouterr().out == vector.data.hex() + "\n"


def test_standard_input(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(" 04 05 00\n00 00 00 00 00 00\n"))
    assert _run("decode", "to-server", "-") == 0
    text = capsys.readouterr().out
    assert json.loads(text) == {"ToServerPing": {"ts": 5}}
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    assert _run("encode", "to-server", "-") == 0
    assert capsys.readouterr().out == "040500000000000000\n"


@pytest.mark.parametrize(
    ("arguments", "status", "reason"),
    [
        (["decode", "to-server", "0400"], 1, "ToServerPing: ts at byte 1: 8 bytes are due, 1 are there"),
        (["decode", "to-client", ACK], 1, "ToClient: <tag> at byte 0: ToClient has no member 6"),
        (
            ["decode", "--version", "1", "to-server", ACK],
            1,
            "ToServerTunnelMessage: messageKind.ToServerWebSocketClose.code",
        ),
        (["decode", "to-server", "zz"], 2, "not hex digits"),
        (["decode", "to-server", "0"], 2, "not hex digits"),
        (["encode", "to-server", "{"], 2, "JSON is not JSON"),
        (["encode", "to-server", '{"ToServerPing": {"ts": 1, "ts": 2}}'], 2, "key comes twice"),
        (["encode", "to-server", "[" * 100_000], 2, "JSON is not JSON"),
        (["encode", "to-server", "9" * 5000], 2, "JSON is not JSON"),
        (["encode", "to-server", "{}"], 1, "frame: one key is due"),
        (["encode", "to-server", '{"ToServerPing": {"ts": NaN}}'], 1, "frame.ToServerPing.ts: a whole number"),
        (["encode", "to-client", '{"ToServerPing": {"ts": 1}}'], 1, "ToServerPing is not in ToClient of version 2"),
        (
            ["encode", "to-server", '{"ToServerKvRequest": {"actorId": "\\ud800", "requestId": 0, "data": ""}}'],
            1,
            "surrogate",
        ),
    ],
)
def test_failures(arguments: list[str], status: int, reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(*arguments) == status
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"tunnelspec {arguments[0]}: ")
    assert reason in captured.err
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["decode"],
        ["decode", "sideways", "00"],
        ["decode", "--version", "3", "to-server", "00"],
        ["encode", "to-server"],
    ],
)
def test_wrong_use(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        _run(*arguments)
    assert caught.value.code == 2


@pytest.mark.parametrize("command", ["decode", "encode"])
def test_the_example_in_the_help_is_true(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        _run(command, "--help")
    assert caught.value.code == 0
    lines = capsys.readouterr().out.split("example:\n")[1].split("\n\nexit status:")[0].splitlines()
    assert lines[0].startswith(f"  $ tunnelspec {command} ")
    assert _run(*shlex.split(lines[0])[2:]) == 0
    assert capsys.readouterr().out.splitlines() == [line[2:] for line in lines[1:]]
