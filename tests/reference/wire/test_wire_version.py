"""Which version is spoken: by number, and by the query of the URL."""

from __future__ import annotations

from typing import Any

import pytest

from tunnelref.wire import SUPPORTED, UnsupportedVersion, codec, decode_to_server, version_from_url


@pytest.mark.parametrize("version", [0, 3, -1, 255, "2", None])
def test_unsupported(version: Any) -> None:
    with pytest.raises(UnsupportedVersion, match="supported: 1, 2") as caught:
        codec(version)
    assert isinstance(caught.value, ValueError)
    with pytest.raises(UnsupportedVersion):
        decode_to_server(b"\x03", version)


def test_supported() -> None:
    assert SUPPORTED == (1, 2)
    assert [codec(version).version for version in SUPPORTED] == [1, 2]


@pytest.mark.parametrize(
    ("url", "version"),
    [
        ("ws://host:6420/runners/connect?protocol_version=2&namespace=default&runner_key=k", 2),
        ("/runners/connect?namespace=default&protocol_version=1", 1),
        ("?protocol_version=2", 2),
        ("/?protocol_version=2#protocol_version=1", 2),
        ("/?protocol%5Fversion=%32", 2),
        ("/?xprotocol_version=1&protocol_version=2&protocol_versionx=1", 2),
        ("http://[/?protocol_version=2", 2),  # the rest of the URL is not ours to judge
    ],
)
def test_from_url(url: str, version: int) -> None:
    assert version_from_url(url) == version


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("/runners/connect", "has no protocol_version"),
        ("/protocol_version=2", "has no protocol_version"),
        ("", "has no protocol_version"),
        ("/#?protocol_version=2", "has no protocol_version"),
        ("/?protocol_version=2&protocol_version=2", "2 times"),
        ("/?protocol_version=1&protocol_version=", "2 times"),
        ("/?protocol_version=", "not a version's number: ''"),
        ("/?protocol_version", "not a version's number"),
        ("/?protocol_version=two", "not a version's number: 'two'"),
        ("/?protocol_version=+2", "not a version's number: ' 2'"),
        ("/?protocol_version=02", "not a version's number: '02'"),
        ("/?protocol_version=2.0", "not a version's number"),
        ("/?protocol_version=-1", "not a version's number"),
        ("/?protocol_version=%D9%A2", "not a version's number"),  # an Arabic-Indic two
        ("/?protocol_version=" + "9" * 5000, "not a version's number"),
        ("/?protocol_version=0", "version 0 is not supported"),
        ("/?protocol_version=7", "version 7 is not supported"),
    ],
)
def test_bad_url(url: str, reason: str) -> None:
    with pytest.raises(UnsupportedVersion, match=reason) as caught:
        version_from_url(url)
    assert "supported: 1, 2" in str(caught.value)
    assert len(str(caught.value)) < 120
