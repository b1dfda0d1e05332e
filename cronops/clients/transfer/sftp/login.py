"""An SSH connection to a server that has proved itself, logged in."""

import socket
from contextlib import suppress

import paramiko

from cronops.clients.credentials import plain
from cronops.clients.transfer.location import Location
from cronops.clients.transfer.sftp.keys import HostKeys, private_key
from cronops.config.outside import ClientSettings, Credential
from cronops.durations import format_duration
from cronops.errors import ConfigurationError, TransientError

_KEEPALIVE_SECONDS = 15


def logged_in(
    location: Location, credential: Credential, limits: ClientSettings
) -> paramiko.Transport:
    """A connection, authenticated. Raises our errors, and paramiko's."""
    known = HostKeys(credential.host_key, location.host, location.port)
    key = (
        private_key(plain(credential.private_key), plain(credential.passphrase))
        if credential.private_key is not None
        else None
    )
    if not credential.username or (key is None and credential.password is None):
        raise ConfigurationError("the credential needs a username, and a password or a private_key")
    transport = _shaken_hands(location, known, limits)
    try:
        _authenticate(transport, credential, key)
    except BaseException:
        with suppress(Exception):
            transport.close()
        raise
    transport.set_keepalive(_KEEPALIVE_SECONDS)
    return transport


def _shaken_hands(
    location: Location, known: HostKeys, limits: ClientSettings
) -> paramiko.Transport:
    silence = limits.read_timeout.total_seconds()
    try:
        connection = socket.create_connection(
            (location.host, location.port), timeout=limits.connect_timeout.total_seconds()
        )
    except TimeoutError:
        raise TransientError(
            f"no connection within {format_duration(limits.connect_timeout)} "
            "(clients.connect_timeout)"
        ) from None
    except OSError as error:
        raise TransientError(f"no connection: {error.strerror or error}") from None
    try:
        transport = paramiko.Transport(connection)
    except BaseException:
        connection.close()
        raise
    try:
        transport.banner_timeout = transport.handshake_timeout = silence
        transport.auth_timeout = transport.channel_timeout = silence
        transport.get_security_options().key_types = known.algorithms
        transport.start_client(timeout=silence)
        known.check(transport.get_remote_server_key(), location.host)
    except BaseException:
        with suppress(Exception):
            transport.close()
        raise
    return transport


def _authenticate(
    transport: paramiko.Transport, credential: Credential, key: paramiko.PKey | None
) -> None:
    still_wanted: list[str] = []
    if key is not None:
        still_wanted = transport.auth_publickey(credential.username, key)
    if credential.password is not None and (key is None or still_wanted):
        still_wanted = transport.auth_password(credential.username, plain(credential.password))
    if still_wanted:
        raise ConfigurationError(
            f"the server asks for more than the credential has: {', '.join(still_wanted)}"
        )
