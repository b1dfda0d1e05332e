"""XML over HTTPS that is marked as read when it is fetched: what is lost then is lost.

So nothing is fetched ahead, that we ask is on record before we ask, and what came is stored
before anybody looks at it.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cronops.jobs.platform.adapters.over_http import Clients
from cronops.jobs.platform.adapters.protocol import Cursor, Fetched, Place
from cronops.jobs.platform.formats.order import Page
from cronops.jobs.platform.formats.read import read_document

if TYPE_CHECKING:
    from cronops.jobs.platform.adapters.configuration import XmlFeedConfiguration
    from cronops.jobs.platform.adapters.table import Caller
    from cronops.jobs.platform.platforms import Platform


class XmlFeedAdapter:
    """See `Adapter`."""

    marks_as_read = True
    acknowledges_at_once = 0
    acknowledgements_tried = 0
    files_away = False
    reads_ahead = False

    def __init__(
        self, configuration: "XmlFeedConfiguration", platform: "Platform", caller: "Caller"
    ) -> None:
        self._configuration = configuration
        self._clients = Clients(configuration, platform, caller)
        self.where = configuration.url
        self._last: bytes | None = None
        self._is_repeating = False
        self._left: list[str] = []

    def open(self, cursor: Cursor) -> Place | None:  # noqa: ARG002 - the platform keeps count
        """Begin with what is unread."""
        return Place()

    def fetch(self, place: Place) -> Fetched | None:  # noqa: ARG002 - the platform keeps count
        """Ask for what is unread."""
        answer = self._clients.mine().get(
            self._configuration.url,
            params=self._configuration.params or None,
            headers=self._clients.headers or None,
            limit=self._configuration.max_bytes,
            # What a second try brings is not what the first one lost.
            repeatable=False,
        )
        self._is_repeating = answer.content == self._last
        self._last = answer.content
        return Fetched(answer.content, self.where)

    def read(self, fetched: Fetched) -> Page:
        """The answer's orders."""
        told = self._configuration
        return read_document(
            fetched.content, told.format, told, fetched.source, limit=told.max_bytes
        )

    def after(self, place: Place, page: Page) -> Place | None:
        """Ask on until nothing is unread, or the same comes twice: then it is not marked."""
        if not page.whole or self._is_repeating:
            return None
        if place.number >= self._configuration.max_fetches:
            self._left.append(f"what is unread after {place.number:,} answers is the next run's")
            return None
        return Place(place.number + 1)

    def cursor_after(self, page: Page | None) -> Cursor | None:  # noqa: ARG002
        """The platform keeps it."""
        return None

    def acknowledge(self, external_id: str) -> str | None:
        """Fetching was acknowledging."""

    def file_away(self, source: str, *, rejected: bool) -> None:
        """There are no files."""

    def sources(self) -> Sequence[str]:
        """There are no files."""
        return ()

    def waiting(self) -> Sequence[str]:
        """Answers that were too many."""
        return self._left

    def close(self) -> None:
        """Disconnect."""
        self._clients.close()
