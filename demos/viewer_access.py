"""Limits who may open the viewer's page: only this machine by default, and never the page of another site.

A browser lets any page on the web open a websocket to a server on the user's own machine. But it sends an `Origin`,
which must be the address of the page itself (`Host`). An attacker whose domain name points here (DNS rebinding) passes
that test, so `Host` must also be one of this machine's names.
"""

from __future__ import annotations

import http
import ipaddress
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import viser
import websockets.asyncio.server
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

THIS_MACHINE_ALONE = "127.0.0.1"
_EVERY_NETWORK = ("0.0.0.0", "::", "")


class GuardedServer(viser.ViserServer):
    """viser's server with the checks above. It is never shared through viser's public tunnel."""

    def __init__(self, host: str, port: int) -> None:
        with _refusing(lambda request: refusal(request, host)):
            super().__init__(host=host, port=port, verbose=False)

    @property
    def address(self) -> str:
        """The address for a browser on this machine, or on another if the server is open to the network."""
        host = self.get_host()
        name = "localhost" if host == THIS_MACHINE_ALONE else socket.gethostname() if host in _EVERY_NETWORK else host
        return f"http://{f'[{name}]' if ':' in name else name}:{self.get_port()}"

    def request_share_url(self, verbose: bool = True) -> None:
        """Do nothing. A client can send this request even though the page has no button for it."""


def is_local(host: str) -> bool:
    """Whether only this machine can reach a server at this address or name."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check_host(host: str) -> None:
    """Check that this machine can listen at this address; viser would try for ever.

    Raises:
        OSError: it can't listen there.
    """
    found = socket.getaddrinfo(host or None, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, _, _, address = found[0]
    with socket.socket(family, kind) as trial:
        trial.bind(address)


def refusal(request: Request, host: str) -> str | None:
    """The reason why a request is refused, or None.

    Args:
        request: Request for a file of the page, or for the websocket that carries images and poses.
        host: Address at which the server listens.
    """
    asked, origins = request.headers.get_all("Host"), request.headers.get_all("Origin")
    if len(asked) != 1 or not _is_ours(asked[0], host):
        return f"This is not {', '.join(asked) or 'a server without a name'}. Open the address that the viewer printed."
    if "Upgrade" in request.headers and not origins:
        return "A websocket needs an Origin."
    if any(origin.lower() not in (f"http://{asked[0]}".lower(), f"https://{asked[0]}".lower()) for origin in origins):
        return f"Pages of {', '.join(origins)} may not look at this one."
    return None


def _is_ours(asked: str, host: str) -> bool:
    """Whether a `Host` (`name:port`, `[address]:port`) is this machine. The port may be that of a tunnel."""
    name = (asked.partition("]")[0][1:] if asked.startswith("[") else asked.partition(":")[0]).lower()
    try:
        ipaddress.ip_address(name)
        return True  # a number can't be made to point elsewhere
    except ValueError:
        here = socket.gethostname().lower()
        return name in {"localhost", host.lower(), here, f"{here}.local"}


@contextmanager
def _refusing(reason: Callable[[Request], str | None]) -> Iterator[None]:
    """Make servers that start in this block answer refused requests with 403. viser has no setting for this."""
    serve = websockets.asyncio.server.serve
    guarded = False

    def guarded_serve(*arguments: Any, process_request: Any, **named: Any) -> Any:
        def process(connection: ServerConnection, request: Request) -> Response | None:
            why = reason(request)
            return (
                process_request(connection, request)
                if why is None
                else connection.respond(http.HTTPStatus.FORBIDDEN, f"{why}\n")
            )

        nonlocal guarded
        guarded = True
        return serve(*arguments, process_request=process, **named)

    websockets.asyncio.server.serve = guarded_serve  # type: ignore[assignment, misc]
    try:
        yield
    finally:
        websockets.asyncio.server.serve = serve  # type: ignore[misc]
    if not guarded:
        raise RuntimeError(f"viser {viser.__version__} starts its server in another way, unguarded: use viser 1.1.")
