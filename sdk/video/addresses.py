"""Addresses of network sources. Their passwords are hidden in messages, logs, files and pages."""

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
    """An address without user, password, query values and fragment, so that it can be shown.

    Any query value may be a key, so none is shown. Some cameras have a password in the path
    (`/user=admin_password=...`); it is hidden too. A file's name is not changed, unless it looks like an address
    without its scheme.
    """
    scheme = _SCHEME.match(source)
    if scheme is None:
        rest = _LOGIN_WITHOUT_SCHEME.sub(f"{_HIDDEN}@", source)
        return rest if rest == source else _without_values(rest)
    return scheme[0] + _without_values(_without_login(source[scheme.end() :]))


def _without_login(rest: str) -> str:
    """Hide user and password. A password may contain / or ? unescaped: then no port follows the colon."""
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
