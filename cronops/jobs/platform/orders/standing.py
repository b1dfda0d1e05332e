"""What holds of an order, whatever came in whatever sequence; no I/O.

Of the revisions of an order the highest holds, and so of its cancellations: what arrives late
changes nothing, and the end is the same in every sequence.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from cronops.jobs.platform.formats.order import Kind

Status = Literal["ready", "needs_review", "cancelled"]


@dataclass(frozen=True)
class Standing:
    """Which of the payloads that came hold. A source is the payload's id in `platform_order`."""

    order_source: int | None = None
    order_revision: int | None = None
    cancelled_source: int | None = None
    cancelled_revision: int | None = None
    cancelled_pieces: int | None = None
    """None: all of them."""
    accepted_source: int | None = None
    """What an operator has looked at, and accepted."""

    @property
    def newest_source(self) -> int:
        """What an acceptance is worth for: the order and its cancellation as they stand."""
        return max(self.order_source or 0, self.cancelled_source or 0)

    def heard(self, kind: Kind, revision: int, source: int, pieces: int | None) -> "Standing":
        """The standing after a payload more; the same where it came too late."""
        if kind == "order":
            if _is_late((revision, source), (self.order_revision, self.order_source)):
                return self
            return replace(self, order_source=source, order_revision=revision)
        if _is_late((revision, source), (self.cancelled_revision, self.cancelled_source)):
            return self
        return replace(
            self, cancelled_source=source, cancelled_revision=revision, cancelled_pieces=pieces
        )

    def cancellation(self, pieces: int) -> str | None:
        """What a person must know of its cancellation, where it does not simply hold.

        `pieces` is how many the order is for.
        """
        if self.cancelled_source is None or self.order_source is None:
            return None
        if (self.order_revision or 0) > (self.cancelled_revision or 0):
            return "it was cancelled, and ordered again afterwards"
        if self.cancelled_pieces is not None and self.cancelled_pieces < pieces:
            return f"{self.cancelled_pieces} of its {pieces} pieces were cancelled"
        return None

    def status(self, doubts: Sequence[str], note: str | None) -> Status:
        """Whether the ERP may have it."""
        if self.cancelled_source is not None and note is None:
            return "cancelled"
        if (doubts or note) and self.accepted_source != self.newest_source:
            return "needs_review"
        return "ready"


def _is_late(came: tuple[int, int], holds: tuple[int | None, int | None]) -> bool:
    """Whether what holds is as new, each by revision and source."""
    revision, source = holds
    return revision is not None and source is not None and came <= (revision, source)
