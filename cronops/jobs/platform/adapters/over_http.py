"""What adapters over HTTPS share: clients, one a thread, with the platform's credential."""

import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from cronops.clients.patience import Pace
from cronops.errors import ConfigurationError

if TYPE_CHECKING:
    from cronops.clients.http import HttpClient
    from cronops.jobs.platform.adapters.configuration import OverHttp
    from cronops.jobs.platform.adapters.table import Caller
    from cronops.jobs.platform.platforms import Platform


class Clients:
    """An `HttpClient` for each thread that asks: one is for one request at a time."""

    def __init__(self, configuration: "OverHttp", platform: "Platform", caller: "Caller") -> None:
        self._configuration = configuration
        self._platform = platform
        self._caller = caller
        self._pace = Pace(configuration.per_second)
        self._own = threading.local()
        self._all: list[HttpClient] = []
        self._lock = threading.Lock()
        self.headers = self._token_header()

    def mine(self) -> "HttpClient":
        """This thread's client."""
        client: HttpClient | None = getattr(self._own, "client", None)
        if client is None:
            client = self._own.client = self._new()
            with self._lock:
                self._all.append(client)
        return client

    def close(self) -> None:
        """Close them all."""
        with self._lock:
            opened, self._all = self._all, []
        for client in opened:
            with suppress(Exception):
                client.__exit__(None, None, None)
        self._own = threading.local()

    def _new(self) -> "HttpClient":
        from cronops.clients.http import HttpClient

        sends_header = self._configuration.token_header is not None
        client = HttpClient(
            self._caller.settings,
            correlation_id=self._caller.correlation_id,
            credential=None if sends_header else self._platform.credential,
            allow_http=self._configuration.allow_http,
            pause=self._caller.pause,
            pace=self._pace,
        )
        client.__enter__()
        return client

    def _token_header(self) -> dict[str, str]:
        header = self._configuration.token_header
        if header is None:
            return {}
        name = self._platform.credential
        credential = self._caller.settings.clients.credentials.get(name or "")
        if credential is None or credential.token is None:
            raise ConfigurationError(
                f"platform {self._platform.code!r} sends a token as {header}, but there is no "
                f"credential {name!r} with a token in CRONOPS_CLIENTS__CREDENTIALS_FILE"
            )
        return {header: credential.token.get_secret_value()}
