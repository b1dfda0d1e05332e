"""How many messages to claim at once."""

_AIM_SECONDS = 1.0
_STEP = 4


class Pace:
    """Claims about a second of work, so that slow handlers do not hoard what others could do.

    Sizes are taken from a short ladder up to `largest`, since each size is a statement of its
    own to prepare.
    """

    def __init__(self, largest: int) -> None:
        ladder = [1]
        while ladder[-1] * _STEP < largest:
            ladder.append(ladder[-1] * _STEP)
        if largest > 1:
            ladder.append(largest)
        self._ladder = ladder
        self._seconds_each: float | None = None

    def worked(self, messages: int, seconds: float) -> None:
        """Learn from a chunk that took so long, commits included."""
        if messages:
            latest = seconds / messages
            known = self._seconds_each
            self._seconds_each = latest if known is None else (known + latest) / 2

    def next_claim(self, at_most: int | None = None) -> int:
        """The next claim's size; never more than `at_most`, never less than 1."""
        # The first message is claimed by itself: nothing is known yet, and one claim is cheap.
        known = self._seconds_each
        wanted = 1.0 if known is None else _AIM_SECONDS / max(known, 1e-9)
        if at_most is not None:
            wanted = min(wanted, at_most)
        return max([size for size in self._ladder if size <= wanted], default=1)
