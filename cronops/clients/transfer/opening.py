"""Chooses the kind of transfer by the URL."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cronops.clients.credentials import find_credential
from cronops.clients.patience import Pause, sleep
from cronops.clients.transfer.location import Location, read_location
from cronops.clients.transfer.protocol import Transfer
from cronops.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cronops.clients.transfer.remote import Explain, Session
    from cronops.config import Settings


def open_transfer(
    url: str,
    settings: "Settings",
    *,
    root: Path,
    credential: str | None = None,
    correlation_id: str = "",
    pause: Pause = sleep,
) -> Transfer:
    """The place that `url` names, to be used in a ``with`` block, which connects.

    A directory (a path, or ``file://``) lies below `root`, to which a relative one is relative.
    ``sftp://``, ``ftps://``, ``ftp://`` and ``https://`` need a `credential`, the name of one in
    the settings, where the server wants a login. `pause` sleeps between tries, and returns False
    where the run is to stop. Raises `ConfigurationError`.
    """
    try:
        location = read_location(url)
    except ValueError as error:
        raise ConfigurationError(f"{_without_login(url)}: {error}") from None
    if location.scheme == "file":
        from cronops.clients.transfer.directory import DirectoryTransfer

        return DirectoryTransfer(
            location.path, root=root, total_timeout=settings.clients.total_timeout
        )
    if location.scheme == "https":
        from cronops.clients.transfer.web import WebTransfer

        return WebTransfer(
            location, settings, credential=credential, correlation_id=correlation_id, pause=pause
        )
    from cronops.clients.transfer.remote import RemoteTransfer

    connect, explain = _session(location, settings, credential)
    return RemoteTransfer(location.shown, connect, explain, limits=settings.clients, pause=pause)


def _session(
    location: Location, settings: "Settings", credential: str | None
) -> "tuple[Callable[[], Session], Explain]":
    """How to connect, and how to explain what goes wrong then."""
    found = find_credential(settings, credential) if credential else None
    if location.scheme == "sftp":
        if found is None:
            raise ConfigurationError(
                f"{location.shown}: name a credential; SFTP needs one with username and host_key"
            )
        from cronops.clients.transfer import sftp

        connect: Callable[[], Session] = partial(
            sftp.SftpSession, location, found, settings.clients
        )
        return connect, partial(sftp.explain, limits=settings.clients)
    from cronops.clients.transfer import ftp

    connect = partial(ftp.FtpSession, location, found, settings)
    return connect, partial(ftp.explain, limits=settings.clients)


def _without_login(url: str) -> str:
    scheme, _, rest = url.partition("://")
    location = f"{scheme}://{rest.rpartition('@')[2]}" if rest else url
    location = location.partition("?")[0]
    return "".join(c if c.isprintable() else "?" for c in location)
