"""Recordings: what passed between runners and a gateway, as JSON Lines.

The first line says what the file is. Each further line is a link that opens or closes, or one frame, with the time since the
recording began, the link's number, which way it went, its bytes in hex, and, for who reads it, the frame as JSON. The hex is what
counts; a line that was written by hand may have the frame alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

from tunnelref.wire import SUPPORTED, Codec, JsonError, WireError, codec, from_json, to_json

FORMAT, VERSION = "tunnelspec-recording", 1
TO_SERVER, TO_CLIENT = "to-server", "to-client"


def _line() -> Any:
    """The line of the file that an entry was read from, 1 for the first; 0 if it was not read from one."""
    return field(default=0, compare=False, kw_only=True)


class RecordingError(ValueError):
    """A file that is not a recording: the message names the file, the line and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class LinkOpened:
    """A runner connected."""

    time_ms: int
    link: int
    protocol_version: int
    namespace: str = "default"
    runner_key: str = ""
    line: int = _line()


@dataclass(frozen=True, slots=True)
class LinkClosed:
    """A link is gone, by whomever; ``code`` and ``reason`` if there was a close frame."""

    time_ms: int
    link: int
    code: int | None = None
    reason: str = ""
    line: int = _line()


@dataclass(frozen=True, slots=True)
class Frame:
    """A WebSocket message on a link. ``text``: it was a text frame, and ``data`` is its UTF-8."""

    time_ms: int
    link: int
    way: str
    data: bytes
    text: bool = False
    line: int = _line()


Entry: TypeAlias = LinkOpened | LinkClosed | Frame


def decoded(entry: Frame, version: int) -> Any:
    """The frame's value. Raises ``WireError``; None where the version is one that is only counted."""
    if version not in SUPPORTED:
        return None
    if entry.text:
        raise WireError(
            "ToServer" if entry.way == TO_SERVER else "ToClient", "<frame>", 0, "a text frame where binary is due"
        )
    one = codec(version)
    return one.decode_to_server(entry.data) if entry.way == TO_SERVER else one.decode_to_client(entry.data)


def to_line(entry: Entry, version: int) -> str:
    """An entry as one line, without its end. ``version``: of the link's protocol."""
    line: dict[str, Any] = {"time_ms": entry.time_ms, "link": entry.link}
    if isinstance(entry, LinkOpened):
        line |= {
            "event": "open",
            "protocol_version": entry.protocol_version,
            "namespace": entry.namespace,
            "runner_key": entry.runner_key,
        }
    elif isinstance(entry, LinkClosed):
        line |= {"event": "close", "code": entry.code, "reason": entry.reason}
    else:
        line |= {"way": entry.way, "hex": entry.data.hex()}
        if entry.text:
            line["text"] = True
        try:
            value = decoded(entry, version)
            if value is not None:
                line["frame"] = to_json(value)
        except WireError as error:
            line["error"] = str(error)
    return json.dumps(line)


def header() -> str:
    """The first line."""
    return json.dumps({"format": FORMAT, "version": VERSION})


def dump(entries: Iterable[Entry]) -> str:
    """A recording as text."""
    versions: dict[int, int] = {}
    lines = [header()]
    for entry in entries:
        if isinstance(entry, LinkOpened):
            versions[entry.link] = entry.protocol_version
        lines.append(to_line(entry, versions.get(entry.link, 0)))
    return "\n".join(lines) + "\n"


def read(path: Path) -> tuple[Entry, ...]:
    """A recording from its file. Raises ``RecordingError``, and ``OSError``."""
    return tuple(parse(path.read_text(encoding="utf-8"), str(path)))


def parse(text: str, name: str = "recording") -> Iterator[Entry]:
    """The entries of a recording. Raises ``RecordingError``."""
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not lines:
        raise RecordingError(f"{name}: empty")
    first = _object(name, *lines[0])
    if first.get("format") != FORMAT:
        raise RecordingError(f'{name}, line {lines[0][0]}: not a recording: its "format" is not {FORMAT!r}')
    if first.get("version") != VERSION:
        raise RecordingError(
            f"{name}, line {lines[0][0]}: version {first.get('version')!r}; this program reads {VERSION}"
        )
    versions: dict[int, int] = {}
    time = 0
    for number, line in lines[1:]:
        where = f"{name}, line {number}"
        try:
            entry = _entry(_object(name, number, line), versions)
        except (KeyError, TypeError, ValueError, JsonError, WireError) as error:
            what = f"there is no {error}" if isinstance(error, KeyError) else error
            raise RecordingError(f"{where}: {what}") from error
        if entry.time_ms < time:
            raise RecordingError(f"{where}: time_ms goes back from {time} to {entry.time_ms}")
        time = entry.time_ms
        if isinstance(entry, LinkOpened):
            if entry.link in versions:
                raise RecordingError(f"{where}: link {entry.link} opens a second time; links are never reused")
            versions[entry.link] = entry.protocol_version
        elif entry.link not in versions:
            raise RecordingError(f"{where}: link {entry.link} is not open")
        yield replace(entry, line=number)


def _object(name: str, number: int, line: str) -> Mapping[str, Any]:
    try:
        value = json.loads(line)
    except ValueError as error:
        raise RecordingError(f"{name}, line {number}: not JSON: {error}") from error
    if not isinstance(value, dict):
        raise RecordingError(f"{name}, line {number}: not an object")
    return value


def _entry(line: Mapping[str, Any], versions: Mapping[int, int]) -> Entry:
    time, link = _number(line, "time_ms"), _number(line, "link")
    event = line.get("event")
    if event == "open":
        keys: dict[str, Any] = {key: str(line[key]) for key in ("namespace", "runner_key") if key in line}
        return LinkOpened(time, link, _number(line, "protocol_version"), **keys)
    if event == "close":
        code = None if line.get("code") is None else _number(line, "code")
        return LinkClosed(time, link, code, str(line.get("reason") or ""))
    if event is not None:
        raise ValueError(f'"event" is {event!r}, not open or close')
    way = line["way"]
    if way not in (TO_SERVER, TO_CLIENT):
        raise ValueError(f'"way" is {way!r}, not {TO_SERVER} or {TO_CLIENT}')
    if "hex" in line:
        return Frame(time, link, way, bytes.fromhex(str(line["hex"])), line.get("text") is True)
    return Frame(time, link, way, _encoded(line["frame"], way, codec(versions.get(link, 2))))


def _encoded(frame: Any, way: str, one: Codec) -> bytes:
    value: Any = from_json(frame)
    return one.encode_to_server(value) if way == TO_SERVER else one.encode_to_client(value)


def _number(line: Mapping[str, Any], name: str) -> int:
    value = line[name]
    if type(value) is not int or value < 0:
        raise ValueError(f"{name} is {value!r}, not a number from 0 up")
    return value
