"""Which protocol version a runner speaks: it says so in the query of the URL that it connects to."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

from tunnelref.wire.errors import UnsupportedVersion
from tunnelref.wire.schema import SCHEMAS

SUPPORTED = tuple(SCHEMAS)
PARAMETER = "protocol_version"

_NUMBER = re.compile(
    r"0|[1-9][0-9]{0,4}", re.ASCII
)  # a u16, as a number is usually written: no sign, no zeros before it


def supported(version: int) -> int:
    """The version itself. Raises ``UnsupportedVersion`` if there is no codec for it."""
    if version not in SUPPORTED:
        raise UnsupportedVersion(f"protocol version {version!r} is not supported; supported: {_names()}")
    return version


def version_from_url(url_or_path: str) -> int:
    """The ``protocol_version`` of a URL, a path or a request target, e.g. ``/runners/connect?protocol_version=2&...``.

    Raises ``UnsupportedVersion`` if it is missing, comes more than once, is no number, or is a version without a codec.
    """
    query = url_or_path.partition("#")[0].partition("?")[2]
    values = [value for name, value in parse_qsl(query, keep_blank_values=True) if name == PARAMETER]
    if not values:
        raise UnsupportedVersion(f"the query has no {PARAMETER}; supported: {_names()}")
    if len(values) > 1:
        raise UnsupportedVersion(f"the query has {PARAMETER} {len(values)} times; supported: {_names()}")
    if not _NUMBER.fullmatch(values[0]):
        raise UnsupportedVersion(f"{PARAMETER} is not a version's number: {values[0][:20]!r}; supported: {_names()}")
    return supported(int(values[0]))


def _names() -> str:
    return ", ".join(map(str, SUPPORTED))
