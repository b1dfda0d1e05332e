"""What is cleared, by which rule, and what keeps a rule from clearing too much."""

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any, NamedTuple

from cronops.errors import NeedsAPerson

if TYPE_CHECKING:
    import psycopg

    from cronops.contract.context import JobContext

_NOW = "SELECT clock_timestamp()"
_EXPIRED = "expires_at < %(cutoff)s"
_OLD_PERIOD = "NOT pinned AND period < %(day)s"
# A period of nothing but zeros comes of an empty source, one in the future of a mistake.
_PERIODS = """
SELECT
    max(period) FILTER (
        WHERE score > 0 AND period <= (clock_timestamp() AT TIME ZONE 'UTC')::date
    ),
    min(period)
FROM popular_article WHERE NOT pinned
"""


class Periods(NamedTuple):
    """What there is of popular articles, the pinned ones left out."""

    newest: date | None
    """The newest that says anything."""
    oldest: date | None


def clean_search(ctx: "JobContext", connection: "psycopg.Connection[Any]", *, dry_run: bool) -> int:
    """Delete searches that have expired, all of them if need be: the shop makes them anew."""
    from cronops.contract.cleaning import Cleaning
    from cronops.db.block_delete import Old
    from cronops.db.shop import check_shop

    table = "article_search_cache"
    cleaning = Cleaning(ctx, connection, table, count="search", dry_run=dry_run)
    with cleaning.noted():
        check_shop(connection, ctx.settings, table)
        row = connection.execute(_NOW).fetchone()
        assert row is not None  # noqa: S101 - a SELECT without FROM has one row
        cutoff: datetime = row[0] - ctx.settings.system.search_grace
        return cleaning.delete(Old(table, _EXPIRED, {"cutoff": cutoff}), cutoff)


def clean_popular(
    ctx: "JobContext",
    connection: "psycopg.Connection[Any]",
    *,
    dry_run: bool,
    accept_stale: bool,
) -> int:
    """Delete old periods; never a pinned article, never the newest period that says anything."""
    from cronops.contract.cleaning import Cleaning
    from cronops.db.block_delete import Old, cutoff_before
    from cronops.db.shop import check_shop

    table = "popular_article"
    cleaning = Cleaning(ctx, connection, table, count="popular", dry_run=dry_run)
    with cleaning.noted():
        check_shop(connection, ctx.settings, table)
        retention = cutoff_before(connection, ctx.settings.system.popular_retention)
        row = connection.execute(_PERIODS).fetchone()
        day = first_day_kept(
            retention.astimezone(UTC).date(),
            Periods(*row) if row else Periods(None, None),
            accept_stale=accept_stale,
        )
        cutoff = datetime.combine(day, time(), UTC)
        return cleaning.delete(Old(table, _OLD_PERIOD, {"day": day}), cutoff)


def first_day_kept(wanted: date, periods: Periods, *, accept_stale: bool) -> date:
    """The first day that stays, where by the retention `wanted` would be.

    Raises `NeedsAPerson` where nothing newer than that says anything: the list's source is empty,
    and without the old periods the list would be.
    """
    if periods.oldest is None or periods.oldest >= wanted:
        return wanted
    if periods.newest is None:
        raise NeedsAPerson(
            "no period of popular articles has a score: their source seems to be empty. Nothing "
            "was deleted, or the list would be empty, too"
        )
    if periods.newest >= wanted:
        return wanted
    if periods.oldest >= periods.newest:
        # What is left of a list that nobody fills any more; it has been accepted before.
        return periods.newest
    if accept_stale:
        return periods.newest
    raise NeedsAPerson(
        f"no period of popular articles since {wanted} has a score, the newest is "
        f"{periods.newest}: their source seems to be empty. Nothing was deleted, or the list would "
        "be empty, too. If what is older than the newest shall go: "
        "cronops system clean-data --accept-stale"
    )
