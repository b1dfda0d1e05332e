"""Connections that keep to a deadline, and where asked to public addresses only.

The one place that knows httpcore, the layer below httpx.
"""

import ipaddress
import socket
import ssl
from collections.abc import Callable, Iterable
from typing import Any

import httpcore
import httpx

from cronops.errors import BadInput

Bound = Callable[[float], float]
"""Cuts a wait in seconds to what is left of the time."""
_UNBOUNDED = 3600.0
# Embed an IPv4 address that is reached through a translator, so the outer one proves nothing.
_TRANSLATED = tuple(
    ipaddress.IPv6Network(text)
    for text in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96")
)
_NEVER_PUBLIC = (ipaddress.IPv4Network("192.0.0.0/24"), ipaddress.IPv4Network("192.88.99.0/24"))


def transport(context: ssl.SSLContext, bound: Bound, *, public_only: bool) -> httpx.HTTPTransport:
    """The transport for an httpx client; reads no proxy from the environment."""
    made = httpx.HTTPTransport(verify=context, trust_env=False)
    # httpx offers no way to give it a network backend; httpcore, which it drives, does.
    made._pool = httpcore.ConnectionPool(
        ssl_context=context,
        network_backend=_Network(bound, public_only=public_only),
        max_connections=4,
        keepalive_expiry=15,
    )
    return made


def is_public(address: str) -> bool:
    """Whether anybody on the Internet would reach the same machine at this address."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return is_public(str(parsed.ipv4_mapped))
        if any(parsed in network for network in _TRANSLATED) or parsed.is_site_local:
            return False
    elif any(parsed in network for network in _NEVER_PUBLIC):
        return False
    return parsed.is_global and not (
        parsed.is_multicast or parsed.is_reserved or parsed.is_unspecified
    )


class _Network(httpcore.NetworkBackend):
    """Connects; every wait on what it connected to is bounded."""

    def __init__(self, bound: Bound, *, public_only: bool) -> None:
        self._sockets = httpcore.SyncBackend()
        self._bound = bound
        self._public_only = public_only

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        # The address that was looked at is the one that is connected to: a name that resolves
        # to another the second time gains nothing.
        addresses = _public_addresses(host, port) if self._public_only else [host]
        for address in addresses:
            try:
                stream = self._sockets.connect_tcp(
                    address,
                    port,
                    timeout=self._bound(timeout or _UNBOUNDED),
                    local_address=local_address,
                    socket_options=socket_options,
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if address == addresses[-1]:
                    raise
            else:
                return _Stream(stream, self._bound)
        raise httpcore.ConnectError(f"{host} has no address")

    def sleep(self, seconds: float) -> None:
        self._sockets.sleep(seconds)


class _Stream(httpcore.NetworkStream):
    """A connection whose waits end with the deadline, however steadily the other end drips."""

    def __init__(self, stream: httpcore.NetworkStream, bound: Bound) -> None:
        self._stream = stream
        self._bound = bound

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._bound(timeout or _UNBOUNDED))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._bound(timeout or _UNBOUNDED))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        secured = self._stream.start_tls(
            ssl_context, server_hostname, self._bound(timeout or _UNBOUNDED)
        )
        return _Stream(secured, self._bound)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _public_addresses(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(str(error)) from error
    addresses = [str(entry[4][0]) for entry in found]
    # One private address among public ones is a trap as well.
    private = next((address for address in addresses if not is_public(address)), None)
    if private is not None:
        raise BadInput(
            f"{host} is at {private}, which is not a public address; only public servers are asked"
        )
    return addresses
