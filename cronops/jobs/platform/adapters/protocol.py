"""What every adapter promises."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from cronops.jobs.platform.formats.order import Page

Cursor = Mapping[str, Any]
"""How far a platform was read, as its row keeps it."""


@dataclass(frozen=True)
class Place:
    """What is asked for next: a page, a file, whatever is unread."""

    number: int = 1
    token: str | None = None
    """A platform's own cursor, or a file's name."""
    since: datetime | None = None


@dataclass(frozen=True)
class Fetched:
    """One response or file, unread."""

    content: bytes
    source: str
    """Where it came from, for people and without secrets; a file's name."""
    clock: datetime | None = None
    """What time it was there."""


class Adapter(Protocol):
    """One platform's orders, open.

    `open`, `fetch`, `acknowledge` and `file_away` talk to the platform: they may be called from
    other threads than the one that calls the rest, never two at once but for `acknowledge`. They
    raise as `cronops.clients` does, and no message of theirs holds a secret or an order's content.
    """

    where: str
    """The place for people."""
    marks_as_read: bool
    """Whether an answer is given once only: what is lost on the way is lost."""
    acknowledges_at_once: int
    """How many orders are acknowledged at a time, once they are stored; 0: none ever is."""
    acknowledgements_tried: int
    """How often an order may be refused before it is given up."""
    files_away: bool
    """Whether what was read is moved out of the way, once it is stored."""
    reads_ahead: bool
    """Whether the next place may be fetched before the last one's orders are stored."""

    def open(self, cursor: Cursor) -> Place | None:
        """Connect; where to begin, or None where there is nothing to fetch."""

    def fetch(self, place: Place) -> Fetched | None:
        """One response or file; None for a file that is still being written, or gone."""

    def read(self, fetched: Fetched) -> Page:
        """Its orders. Raises `BadInput` where it cannot be read at all."""

    def after(self, place: Place, page: Page) -> Place | None:
        """Where to go on; None at the end. Raises `BadInput` where that would never end."""

    def cursor_after(self, page: Page | None) -> Cursor | None:
        """How far everything is read once `page` is stored, or at the end (None).

        None leaves the cursor where it is.
        """

    def acknowledge(self, external_id: str) -> str | None:
        """Tell the platform that we have an order; once more does no harm.

        What it says where it knew that already, or does not care any more. Raises `BadInput` or
        `PermanentError` where it refuses this order.
        """

    def file_away(self, source: str, *, rejected: bool) -> None:
        """Move a file to where those go that are done with, or those that cannot be read."""

    def sources(self) -> Sequence[str]:
        """The files that were there when it was opened."""

    def waiting(self) -> Sequence[str]:
        """What was left for the next run, for people."""

    def close(self) -> None:
        """Disconnect; never raises."""
