"""Where vehicles come from, page by page: an adapter, and DriveRight's own behind it."""

import json
from collections.abc import Sequence
from decimal import Decimal
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self

from cronops.clients.credentials import plain
from cronops.errors import BadInput, ConfigurationError

if TYPE_CHECKING:
    from cronops.contract.context import JobContext

_LARGEST_PAGE = 64 << 20
_LONGEST_CURSOR = 2_000
# What a service says of a cursor that is too old for it, or that another server of it gave.
_NOT_FROM_THERE = frozenset({400, 404, 410, 422})
# What the column takes; there are not so many kinds of vehicles.
_MOST_VEHICLES = 2**31 - 1


class Page(NamedTuple):
    """Some vehicles as the provider says them, unread."""

    total: int
    """How many there are on all pages together."""
    vehicles: Sequence[Any]
    next: str | None
    """The next page's cursor; None on the last."""


class CursorRefused(BadInput):
    """It does not go on from there any more: only the first page is left to ask for."""


class Provider(Protocol):
    """Who knows about vehicles. Raises as `HttpClient` does, and `BadInput` for what is no page."""

    def __enter__(self) -> Self:
        """Open it."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""

    def page(self, cursor: str | None) -> Page:
        """The page behind `cursor`; the first one for None. May raise `CursorRefused`."""


class DriveRight:
    """DriveRight's web service.

    ``GET {base_url}/vehicles?limit=500&cursor=…`` answers
    ``{"total": 20000, "vehicles": [{"id": …, "make": …, "fitments": […]}, …], "next": "…"}``.
    """

    def __init__(self, ctx: "JobContext") -> None:
        """Raises `ConfigurationError` where URL or key are not set."""
        from cronops.clients.http import HttpClient

        of = ctx.settings.driveright
        if of.base_url is None or of.api_key is None:
            raise ConfigurationError(
                "DriveRight is not set up: CRONOPS_DRIVERIGHT__BASE_URL and "
                "CRONOPS_DRIVERIGHT__API_KEY_FILE are needed"
            )
        self._url = f"{of.base_url.rstrip('/')}/vehicles"
        self._limit = of.page_size
        key = plain(of.api_key)
        if not key.isascii() or not key.isprintable() or not key:
            raise ConfigurationError("CRONOPS_DRIVERIGHT__API_KEY is no key: check it")
        self._headers = {of.api_key_header: key, "Accept": "application/json"}
        self._http = HttpClient(
            ctx.settings, correlation_id=ctx.correlation_id, pause=ctx.pause, secrets=(key,)
        )

    def __enter__(self) -> Self:
        self._http.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.__exit__(kind, error, trace)

    def page(self, cursor: str | None) -> Page:
        """See `Provider.page`."""
        asked: dict[str, Any] = {"limit": self._limit}
        refusals: frozenset[int] = frozenset()
        if cursor is not None:
            asked["cursor"], refusals = cursor, _NOT_FROM_THERE
        answer = self._http.get(
            self._url,
            params=asked,
            headers=self._headers,
            limit=_LARGEST_PAGE,
            answers=refusals,
        )
        if answer.status in refusals:
            raise CursorRefused(f"it answered {answer.status} to the cursor that it had given")
        return read_page(answer.content, self._url)


def read_page(content: bytes, where: str) -> Page:
    """Read a page. Raises `BadInput` where it is none."""
    try:
        found = json.loads(content, parse_float=Decimal)
    except (ValueError, RecursionError):
        raise BadInput(f"{where} did not answer with JSON, or with only a part of it") from None
    if not isinstance(found, dict) or not isinstance(found.get("vehicles"), list):
        raise BadInput(f"{where} answered without a list of vehicles")
    total, cursor = found.get("total"), found.get("next")
    if type(total) is not int or not 0 <= total <= _MOST_VEHICLES:
        raise BadInput(f"{where} does not say how many vehicles there are: a part would look whole")
    if cursor is not None and not _is_cursor(cursor):
        raise BadInput(f"{where} gave a next page that is no cursor")
    return Page(total, found["vehicles"], cursor)


def _is_cursor(given: object) -> bool:
    """Whether it can be kept and sent: PostgreSQL takes no NUL, and no URL half a character."""
    return isinstance(given, str) and 0 < len(given) < _LONGEST_CURSOR and given.isprintable()
