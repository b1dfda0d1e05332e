"""The cluster's way from one moment to the next run, its habits at clock changes included.

The CronJob controller asks robfig/cron v3 (``SpecSchedule.Next``): months and days are walked on
the calendar, hours and minutes in real time. So a time that spring skips is not run, one that
autumn repeats is run twice; and where midnight itself is skipped, that day may be passed over,
or a run may fall on a day that was not asked for. What the cluster does is what is told here.
"""

from datetime import date

from cronops.schedules.cron.times import Times
from cronops.schedules.zones import DAY, Offsets

_HOUR, _MINUTE = 3600, 60
_EPOCH = date(1970, 1, 1).toordinal()
YEARS_AHEAD = 5
"""The cluster gives up where a run is not found by the end of this many years after the current."""


class Walk:
    """Where the walk stands: an instant in a zone."""

    def __init__(self, offsets: Offsets, instant: int) -> None:
        self._offsets = offsets
        self._stand_at(instant)
        # Before the first step, what is smaller than the field that moves is reset first.
        self._stepped = False

    def next(self, times: Times) -> int | None:
        """The instant of the first run from here on; None where five years have none."""
        last_year = self._date.year + YEARS_AHEAD
        while self._date.year <= last_year:
            if (
                self._walk_months(times.months)
                and self._walk_days(times)
                and self._walk_clock(times.hours, _HOUR, 24)
                and self._walk_clock(times.minutes, _MINUTE, 60)
                and self._walk_to_the_minute()
            ):
                return self._instant
        return None

    # Each of these tells whether a matching value was reached; False is a larger field that moved
    # on, so that all fields have to be looked at anew.

    def _walk_months(self, months: int) -> bool:
        while not months >> self._date.month & 1:
            if not self._stepped:
                self._stand_on_wall(_days(self._date.replace(day=1)) * DAY)
            here = self._date
            first = date(here.year + here.month // 12, here.month % 12 + 1, 1)
            # A day that the next month lacks runs over into the month after.
            self._stand_on_wall((_days(first) + here.day - 1) * DAY + self._wall % DAY)
            if self._date.month == 1:
                return False
        return True

    def _walk_days(self, times: Times) -> bool:
        while not times.day_matches(self._date):
            if not self._stepped:
                self._stand_on_wall(self._wall - self._wall % DAY)
            days, day = 1, _date(self._wall + DAY)
            while day.day != 1 and not times.day_matches(day):
                days, day = days + 1, date.fromordinal(day.toordinal() + 1)
            reach = max(self._instant, self._wall) + days * DAY
            if not self._wall % DAY and reach < self._until:
                self._stand_at(self._instant + days * DAY)
            else:
                before, wall = self._instant, self._wall
                self._stand_on_wall(wall + DAY)
                if self._instant <= before:
                    # A whole day was skipped (Samoa, 2011); here the cluster's walk never ends.
                    self._stand_on_wall(wall + 2 * DAY)
                hour = self._wall % DAY // _HOUR
                if hour:  # midnight was skipped, or the walk still suffers from one that was
                    self._stand_at(self._instant + (24 - hour if hour > 12 else -hour) * _HOUR)
            if self._date.day == 1:
                return False
        return True

    def _walk_clock(self, values: int, unit: int, count: int) -> bool:
        while not values >> self._wall // unit % count & 1:
            if not self._stepped and unit == _HOUR:
                self._stand_on_wall(self._wall - self._wall % _HOUR)
            elif not self._stepped:
                self._stand_at(self._instant - self._instant % _MINUTE)
            value = self._wall // unit % count
            later = values >> value + 1
            units = (later & -later).bit_length() if later else count - value
            if self._instant + units * unit >= self._until:
                units = 1
            self._stand_at(self._instant + units * unit)
            if not self._wall // unit % count:
                return False
        return True

    def _walk_to_the_minute(self) -> bool:
        if not self._wall % _MINUTE:
            return True
        self._stand_at(self._instant + _MINUTE - self._wall % _MINUTE)
        return False

    def _stand_on_wall(self, wall: int) -> None:
        self._stand_at(self._offsets.of_wall(wall))

    def _stand_at(self, instant: int) -> None:
        self._stepped = True
        offset, _, self._until = self._offsets.at(instant)
        self._instant, self._wall = instant, instant + offset
        self._date = _date(self._wall)


def _days(day: date) -> int:
    return day.toordinal() - _EPOCH


def _date(wall: int) -> date:
    return date.fromordinal(_EPOCH + wall // DAY)
