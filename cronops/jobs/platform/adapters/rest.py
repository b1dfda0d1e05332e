"""REST/JSON: what has changed since a time, page by page, each order acknowledged.

The cursor that is kept is the time of the last change that is stored, by the platform's clock.
A platform's page cursors live for one run only: they may expire.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from cronops.errors import BadInput
from cronops.jobs.platform.adapters.over_http import Clients
from cronops.jobs.platform.adapters.protocol import Cursor, Fetched, Place
from cronops.jobs.platform.formats.json_orders import read_json
from cronops.jobs.platform.formats.order import Page, moment_of

if TYPE_CHECKING:
    from cronops.jobs.platform.adapters.configuration import RestConfiguration
    from cronops.jobs.platform.adapters.table import Caller
    from cronops.jobs.platform.platforms import Platform

_LARGEST_SKEW = timedelta(days=1)


class RestAdapter:
    """See `Adapter`."""

    marks_as_read = False
    files_away = False
    reads_ahead = True

    def __init__(
        self, configuration: "RestConfiguration", platform: "Platform", caller: "Caller"
    ) -> None:
        self._configuration = configuration
        self._clients = Clients(configuration, platform, caller)
        self.where = configuration.url
        told = configuration.acknowledge
        self.acknowledges_at_once = told.parallel if told is not None else 0
        self.acknowledgements_tried = told.attempts if told is not None else 0
        self._cutoff = datetime.now(UTC)
        self._cutoff_is_theirs = False
        self._began: Cursor = {}
        self._previous: datetime | None = None
        self._latest: datetime | None = None
        self._came = 0
        self._in_order = configuration.ordered
        self._seen: set[str] = set()
        self._came_before_cutoff = False
        self._ended = False
        self._left: list[str] = []

    def open(self, cursor: Cursor) -> Place | None:
        """Begin a little before the last change that is stored."""
        since = moment_of(cursor.get("since"))
        if since is None:
            return Place(since=self._cutoff - self._configuration.first_look_back)
        self._began = cursor
        return Place(since=since - self._configuration.overlap)

    def fetch(self, place: Place) -> Fetched | None:
        """Ask for one page."""
        answer = self._clients.mine().get(
            self._configuration.url,
            params=self._parameters(place),
            headers=self._clients.headers or None,
            limit=self._configuration.max_bytes,
        )
        return Fetched(answer.content, self.where, _clock(answer.headers.get("date")))

    def read(self, fetched: Fetched) -> Page:
        """The page's orders."""
        clock = fetched.clock
        if clock is not None and not self._cutoff_is_theirs:
            # Fixed by the first answer, and by the clock that dates the orders; but for one that
            # is out of all reason.
            if abs(clock - self._cutoff) < _LARGEST_SKEW:
                self._cutoff = clock
            self._cutoff_is_theirs = True
        return read_json(fetched.content, self._configuration, fetched.source)

    def after(self, place: Place, page: Page) -> Place | None:
        """The next page: by the platform's cursor, however few orders, or none, came."""
        token = page.next_cursor
        if token is None or self._is_past_cutoff(page):
            self._ended = True
            return None
        if token in self._seen or token == place.token:
            raise BadInput(
                f"{self.where} gave the cursor of page {place.number} once more, which would never "
                "end; its orders so far are stored, the rest is asked for in the next run"
            )
        self._seen.add(token)
        if place.number >= self._configuration.max_pages:
            self._left.append(f"pages beyond the first {place.number:,} are left for the next run")
            return None
        return Place(place.number + 1, token, place.since)

    def cursor_after(self, page: Page | None) -> Cursor | None:
        """The time of the latest change, as far as no earlier one can still come."""
        for order in page.orders if page is not None else ():
            self._came += 1
            time = order.updated_at
            if time is None:
                continue
            if self._previous is not None and time < self._previous:
                self._in_order = False
            self._previous = time
            self._latest = max(time, self._latest or time)
        if page is not None and not self._in_order:
            # Earlier ones may still come, so only the end counts; what was kept page by page is
            # taken back.
            return self._began
        if (page is None and not self._ended) or self._latest is None:
            return None
        # A change dated after the cutoff must not hide those that come before it.
        reached = min(self._latest, self._cutoff)
        began = moment_of(self._began.get("since"))
        return {"since": max(reached, began or reached).isoformat()}

    def acknowledge(self, external_id: str) -> str | None:
        """Tell the platform that we have the order."""
        told = self._configuration.acknowledge
        if told is None:
            return None
        answer = self._clients.mine().post(
            told.url.replace("{id}", quote(external_id, safe="")),
            json=None if told.body is None else _filled(told.body, external_id),
            headers=self._clients.headers or None,
            limit=self._configuration.max_bytes,
            repeatable=True,
            answers=told.already,
        )
        return None if answer.status not in told.already else f"it answered {answer.status}"

    def file_away(self, source: str, *, rejected: bool) -> None:
        """There are no files."""

    def sources(self) -> Sequence[str]:
        """There are no files."""
        return ()

    def waiting(self) -> Sequence[str]:
        """Pages that were too many; all of it, where nothing tells how far it was read."""
        if self._came and self._latest is None:
            name = self._configuration.fields.updated_at
            return [
                *self._left,
                f"all of it once more, for no order has a time of its change that can be read "
                f"(fields.updated_at is {name!r})",
            ]
        return self._left

    def close(self) -> None:
        """Disconnect."""
        self._clients.close()

    def _parameters(self, place: Place) -> dict[str, str]:
        told = self._configuration
        parameters = dict(told.params)
        if told.limit_param is not None:
            parameters[told.limit_param] = str(told.page_size)
        if place.since is not None:
            parameters[told.since_param] = (
                str(int(place.since.timestamp()))
                if told.since_format == "seconds"
                else place.since.isoformat(timespec="seconds").replace("+00:00", "Z")
            )
        if place.token is not None:
            parameters[told.cursor_param] = place.token
        return parameters

    def _is_past_cutoff(self, page: Page) -> bool:
        """Whether all of it changed while we were asking: the next run's, or this would not end."""
        times = [order.updated_at for order in page.orders]
        is_past = bool(times) and all(time is not None and time > self._cutoff for time in times)
        # Where every page is, its times are in a zone that nobody told us of.
        self._came_before_cutoff |= bool(times) and not is_past
        return is_past and self._cutoff_is_theirs and self._came_before_cutoff


def _clock(date: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(date).astimezone(UTC) if date else None
    except (ValueError, TypeError, OverflowError):
        return None


def _filled(value: Any, external_id: str) -> Any:
    if isinstance(value, Mapping):
        return {key: _filled(item, external_id) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, external_id) for item in value]
    return value.replace("{id}", external_id) if isinstance(value, str) else value
