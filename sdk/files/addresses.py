"""Addresses of network sources. Their passwords are hidden in messages, logs, files and pages."""

from __future__ import annotations

import re

_HIDDEN = "***"
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_LOGIN_WITHOUT_SCHEME = re.compile(r"^[^/\\\s]*:\S*@")
_WITHIN_TEXT = re.compile(r"[a-z][a-z0-9+.-]+:/+[^\s'\"<>]+", re.IGNORECASE)
_VALUE = re.compile(r"=[^&;]*")
_RUN = re.compile(r"[A-Za-z0-9_~-]{16,}")
_SECRET = re.compile(r"((?:pass(?:word|wd)?|pwd|token|secret|auth|key|user(?:name)?|login)=)[^/_&;]*", re.IGNORECASE)


def is_address(source: str) -> bool:
    """Whether a source is an address such as rtsp://..., not a file."""
    return _SCHEME.match(source) is not None


def masked(source: str) -> str:
    """An address without user, password, query values, fragment and tokens, so that it can be shown.

    Any query value may be a key, so none is shown. Some cameras have a password in the path
    (`/user=admin_password=...`); it is hidden too. A file's name is not changed, unless it looks like an address
    without its scheme.

    Parts of the path that look like a token (long, letters and digits mixed) are hidden. A short one, or one of letters
    only, looks like a name and is shown.
    """
    scheme = _SCHEME.match(source)
    if scheme is None:
        rest = _LOGIN_WITHOUT_SCHEME.sub(f"{_HIDDEN}@", source)
        return rest if rest == source else _without_values(rest)
    return scheme[0] + _without_values(_without_login(source[scheme.end() :]))


def masked_text(text: str) -> str:
    """A sentence or path with the addresses in it masked, also those that became a path (`folder/http:/host`)."""
    return _WITHIN_TEXT.sub(lambda found: masked(found[0].replace(":/", "://", 1).replace(":///", "://")), text)


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
    host, slash, place = _SECRET.sub(rf"\1{_HIDDEN}", path).partition("/")
    return host + slash + _RUN.sub(lambda run: _HIDDEN if _is_token(run[0]) else run[0], place) + mark + hidden


def _is_token(run: str) -> bool:
    """Whether letters, digits and the signs of base64url read like a random token: UUIDs, hashes, JWTs, base64."""
    core = re.sub("[_~-]", "", run)
    if core.isalpha() or core.isdecimal():
        return False
    hexadecimal = re.fullmatch("[0-9a-fA-F]{16,}", core) is not None
    mixed = len(run) >= 24 and all(re.search(kind, core) for kind in ("[a-z]", "[A-Z]", "[0-9]"))
    return hexadecimal or mixed or (len(run) >= 20 and core == run)
