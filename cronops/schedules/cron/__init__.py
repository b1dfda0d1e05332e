"""The cluster's cron dialect: what Kubernetes takes for `schedule`, and when it runs it.

``minute hour day-of-month month day-of-week``, or one of `@hourly`, `@daily` (`@midnight`),
`@weekly`, `@monthly`, `@yearly` (`@annually`). `*` and `?` leave a field open; lists (`1,15`),
ranges (`9-17`), steps (`*/15`; `5/15` means from 5 to the end) and English names of months and
weekdays in three letters. Weekdays are 0 (Sunday) to 6. Where both day fields are restricted,
either of them suffices; `*/2` is a restriction, `*/1` is none.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from cronops.schedules.cron.english import describe
from cronops.schedules.cron.expression import split
from cronops.schedules.cron.fields import FIELDS, Refused, parse_field
from cronops.schedules.cron.times import Times
from cronops.schedules.cron.walk import Walk
from cronops.schedules.zones import offsets_around

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CORRECTIONS = 10


class CronSyntaxError(ValueError):
    """An expression that is refused."""

    def __init__(self, message: str, *, column: int, instead: str | None, by_cluster: bool) -> None:
        super().__init__(message)
        self.message = message
        """What is wrong, in one sentence."""
        self.column = column
        """Where in the expression it begins, counted from 0."""
        self.instead = instead
        """The whole expression corrected, one that is not refused; None where none is like it."""
        self.by_cluster = by_cluster
        """Whether the API refuses it too; else only we do: it does not do what it seems to."""


@dataclass(frozen=True)
class Cron(Times):
    """An expression that is understood; made by `parse_cron`."""

    expression: str

    def next(self, after: datetime) -> datetime | None:
        """The cluster's next run strictly after a moment, in that moment's zone.

        None where the cluster finds none by the end of the fifth year to come. Raises
        `ValueError` outside of the years 1900 to 9900, or without a zone.
        """
        zone = after.tzinfo
        if zone is None:
            raise ValueError("the next run can only be told in a time zone")
        if self.never:
            return None
        offsets = offsets_around(zone, after)
        # The walk begins at the next whole second.
        start = (after - _EPOCH) // timedelta(seconds=1) + 1
        found = Walk(offsets, start).next(self)
        return None if found is None else datetime.fromtimestamp(found, zone)

    def upcoming(self, after: datetime) -> Iterator[datetime]:
        """The cluster's runs after a moment, one by one, until there is no next."""
        run = self.next(after)
        while run is not None:
            yield run
            run = self.next(run)

    def describe(self) -> str:
        """The expression in plain English: ``at 02:30 on Monday``."""
        return describe(self)


@lru_cache(maxsize=16384)
def parse_cron(expression: str) -> Cron:
    """Read an expression as the cluster does; raises `CronSyntaxError`."""
    try:
        return _read(expression)
    except Refused as refused:
        error = CronSyntaxError(
            refused.message,
            column=refused.start,
            instead=_corrected(expression, refused),
            by_cluster=refused.by_cluster,
        )
    raise error


def _read(expression: str) -> Cron:
    doubts: list[Refused] = []
    fields = [
        parse_field(field, text, start, doubts)
        for field, (text, start) in zip(FIELDS, split(expression, doubts), strict=True)
    ]
    if doubts:
        raise doubts[0]
    (minutes, _), (hours, _), (days, any_day), (months, _), (weekdays, any_weekday) = fields
    either_day = not (any_day or any_weekday)
    return Cron(minutes, hours, days, months, weekdays, either_day, expression)


def _corrected(expression: str, refused: Refused) -> str | None:
    """The expression with all that is refused replaced, where that can be done."""
    for _ in range(_CORRECTIONS):
        if refused.replacement is None:
            return None
        expression = expression[: refused.start] + refused.replacement + expression[refused.end :]
        try:
            _read(expression)
        except Refused as another:
            refused = another
        else:
            return expression
    return None
