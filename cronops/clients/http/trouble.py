"""Tells failures of the network in this program's errors."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from cronops.clients.http.status import Unanswered
from cronops.clients.patience import Deadline
from cronops.clients.tls import untrusted
from cronops.config.outside import ClientSettings
from cronops.durations import format_duration
from cronops.errors import BadInput, PermanentError


@contextmanager
def told(where: str, limits: ClientSettings, deadline: Deadline) -> Iterator[None]:
    """Raises `CronopsError`s that name `where` for what httpx raises."""
    try:
        yield
    except httpx.ConnectTimeout:
        deadline.check()
        raise Unanswered(
            f"{where}: no connection within {format_duration(limits.connect_timeout)} "
            "(clients.connect_timeout)",
            not_processed=True,
        ) from None
    except httpx.TimeoutException:
        deadline.check()
        raise Unanswered(
            f"{where}: silent for {format_duration(limits.read_timeout)} (clients.read_timeout)"
        ) from None
    except httpx.ConnectError as error:
        wrong = untrusted(error, where)
        if wrong is not None:
            raise wrong from None
        raise Unanswered(f"{where}: no connection: {error}", not_processed=True) from None
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError) as error:
        # The last is what a host's name may be that no name server could know.
        raise BadInput(f"{where} is no URL: {error}") from None
    except httpx.LocalProtocolError as error:
        raise PermanentError(f"{where}: this cannot be sent: {error}") from None
    except httpx.HTTPError as error:
        reason = str(error) or type(error).__name__
        raise Unanswered(f"{where}: the connection was cut: {reason}") from None
