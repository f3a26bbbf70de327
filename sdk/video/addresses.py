"""Addresses of network sources, and their passwords, which no message, log, file or page shows."""

from __future__ import annotations

import re

_HIDDEN = "***"
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_LOGIN_WITHOUT_SCHEME = re.compile(r"^[^/\\\s]*:\S*@")
_VALUE = re.compile(r"=[^&;]*")
_SECRET = re.compile(r"((?:pass(?:word|wd)?|pwd|token|secret|auth|key|user(?:name)?|login)=)[^/_&;]*", re.IGNORECASE)


def is_address(source: str) -> bool:
    """Whether a source is an address such as rtsp://..., not a file."""
    return _SCHEME.match(source) is not None


def masked(source: str) -> str:
    """An address as it may be shown: no user, no password, no value of its query, no fragment.

    Which parameter of a query is a key can't be known, so none is shown. Some cameras take a password in the path
    (`/user=admin_password=...`). A file's name stays as it is, unless it reads like an address without its scheme.
    """
    scheme = _SCHEME.match(source)
    if scheme is None:
        rest = _LOGIN_WITHOUT_SCHEME.sub(f"{_HIDDEN}@", source)
        return rest if rest == source else _without_values(rest)
    return scheme[0] + _without_values(_without_login(source[scheme.end() :]))


def _without_login(rest: str) -> str:
    """Passwords may hold / and ?, unescaped: then a colon stands where no port follows."""
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in authority:
        return _HIDDEN + rest[rest.partition("?")[0].rindex("@") :]
    port = authority.rpartition("]")[2].partition(":")[2]  # after the brackets of IPv6
    if port and not port.isdecimal() and "@" in rest:
        return _HIDDEN + "@" + rest.rpartition("@")[2]
    return rest


def _without_values(rest: str) -> str:
    path, mark, query = rest.partition("#")[0].partition("?")
    hidden = _VALUE.sub(f"={_HIDDEN}", query) if "=" in query else _HIDDEN if query else ""
    return _SECRET.sub(rf"\1{_HIDDEN}", path) + mark + hidden
