"""Time zones: by name, when one changes its clock, and which instant a wall time is.

Instants are whole seconds since 1970 in UTC; wall times are counted the same way, as if UTC.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

DAY = 86400
_FIRST_YEAR, _LAST_YEAR = 1900, 9900
_BLOCK = 10
# The walk to the next run looks five years ahead, and a little past that.
_MARGIN = 8


@dataclass(frozen=True)
class Change:
    """A clock change; offsets from UTC in seconds."""

    at: int
    """The first instant of the new offset."""
    before: int
    after: int


@dataclass(frozen=True)
class Offsets:
    """A zone's offsets from UTC over some years; tuples of equal length, by time."""

    starts: tuple[int, ...]
    ends: tuple[int, ...]
    seconds: tuple[int, ...]

    def at(self, instant: int) -> tuple[int, int, int]:
        """The offset at an instant, and from when (inclusive) until when (exclusive) it holds."""
        index = bisect_right(self.starts, instant) - 1
        return self.seconds[index], self.starts[index], self.ends[index]

    def of_wall(self, wall: int) -> int:
        """The instant that Go's ``time.Date`` takes a wall time for.

        Of a repeated time it is the first where the zone lies west of Greenwich, mostly the
        second where it lies east; a skipped time moves forward in the east, back in the west.
        """
        offset, start, end = self.at(wall)
        if not start <= wall - offset < end:
            offset, _, _ = self.at(wall - offset)
        return wall - offset

    def instants(self, wall: int) -> list[int]:
        """Every instant at which clocks show that wall time: none, one or two, by time."""
        offsets = {self.at(wall - DAY)[0], self.at(wall + DAY)[0], self.at(wall)[0]}
        return sorted(wall - one for one in offsets if self.at(wall - one)[0] == one)

    def changes(self, start: int, end: int) -> Iterator[Change]:
        """The clock changes from `start` until before `end`."""
        for index in range(bisect_right(self.starts, start - 1), len(self.starts)):
            if self.starts[index] >= end:
                return
            if index:
                yield Change(self.starts[index], self.seconds[index - 1], self.seconds[index])


@lru_cache(maxsize=4096)
def zone_of(name: str | None) -> ZoneInfo | None:
    """The IANA zone of that name; None for none or an unknown one."""
    try:
        return ZoneInfo(name) if name is not None else None
    except (OSError, ValueError, LookupError):
        # LookupError: ZoneInfoNotFoundError; OSError: a directory of the zone database.
        return None


def offsets_around(zone: tzinfo, moment: datetime) -> Offsets:
    """The offsets of `zone` from a year before `moment` until seven years after it, or longer.

    Raises `ValueError` outside of the years 1900 to 9900.
    """
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise ValueError(
            f"runs are told for the years {_FIRST_YEAR} to {_LAST_YEAR}, not {moment.year}"
        )
    return _offsets(zone, moment.year // _BLOCK * _BLOCK)


@lru_cache(maxsize=512)
def _offsets(zone: tzinfo, first_year: int) -> Offsets:
    begin = _instant(first_year - 1)
    end = _instant(first_year + _BLOCK + _MARGIN)
    starts, seconds = [begin], [_offset(zone, begin)]
    # Nowhere since 1970 did a clock change twice within a week and come back to where it was.
    for week in range(begin, end, 7 * DAY):
        until = min(week + 7 * DAY, end)
        while _offset(zone, until) != seconds[-1]:
            change = _first_change(zone, starts[-1], until, seconds[-1])
            starts.append(change)
            seconds.append(_offset(zone, change))
    return Offsets(tuple(starts), (*starts[1:], end), tuple(seconds))


def _first_change(zone: tzinfo, start: int, end: int, offset: int) -> int:
    start = max(start, end - 7 * DAY)
    while end - start > 1:
        middle = (start + end) // 2
        if _offset(zone, middle) == offset:
            start = middle
        else:
            end = middle
    return end


def _instant(year: int) -> int:
    return int(datetime(year, 1, 1, tzinfo=UTC).timestamp())


def _offset(zone: tzinfo, instant: int) -> int:
    offset = datetime.fromtimestamp(instant, zone).utcoffset()
    return 0 if offset is None else int(offset.total_seconds())
