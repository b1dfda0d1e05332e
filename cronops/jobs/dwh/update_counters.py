"""CR-004: count the shop's page hits by day."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, Any

from cronops.contract.context import JobContext
from cronops.contract.job import Outcome, job
from cronops.contract.retry import Retry
from cronops.errors import ConfigurationError, NeedsAPerson, TransientError
from cronops.owners import ALL_ISLANDS, SHARED_OPS

if TYPE_CHECKING:
    import psycopg

_LISTED = 10
_DRY_RUN = "dry run: no counter was replaced"
_SPAN = "SELECT min(period) - 1, max(period) + 1 FROM counter"
_TODAY = "SELECT (clock_timestamp() AT TIME ZONE %(zone)s)::date"


def _check(
    *, rebuild: bool, from_: date | None, to: date | None, accept_loss: bool, **_: Any
) -> None:
    if rebuild and from_ is None:
        raise ValueError("--rebuild wants --from, and --to where the last day is not today")
    if not rebuild and (from_ or to or accept_loss):
        raise ValueError("--from, --to and --accept-loss go with --rebuild")
    if from_ and to and to < from_:
        raise ValueError(f"--to {to} is before --from {from_}")


@job(
    "dwh update-counters",
    cr="CR-004",
    lock="cron.dwh.counters",
    timeout=timedelta(minutes=30),
    retry=Retry(on=TransientError, attempts=3),
    idempotency="a day's counters are counted anew from its hits and replaced; nothing is added up",
    accountable=SHARED_OPS,
    responsible=SHARED_OPS,
    consulted=(ALL_ISLANDS,),
    counts=("days", "written", "removed", "held_back"),
    impact="figures of visits and of articles seen are those of the last good run",
    check=_check,
)
def update_counters(
    ctx: JobContext,
    *,
    rebuild: Annotated[bool, "Count a range of days anew, new hits or not."] = False,
    from_: Annotated[date | None, "With --rebuild: the first day."] = None,
    to: Annotated[date | None, "With --rebuild: the last day, itself included."] = None,
    accept_loss: Annotated[
        bool, "With --rebuild: also days of which the shop has fewer hits than were counted."
    ] = False,
    dry_run: Annotated[bool, "Say which days would be counted; count nothing."] = False,
) -> Outcome:
    """Count the shop's page hits by day.

    Of every day with a new hit, however late it came, all counters are counted anew and replaced.
    """
    from cronops.db.shop import check_shop
    from cronops.jobs.dwh.counting import check_hits

    with ctx.connect("counters") as connection:
        check_shop(connection, ctx.settings, "pagehit")
        check_hits(connection)
        counting = _Counting(ctx, connection, accept_loss=accept_loss, dry_run=dry_run)
        if rebuild:
            assert from_ is not None  # noqa: S101 - `_check` has seen to it
            return counting.rebuild(from_, to)
        return counting.go_on()


class _Counting:
    """One run's counting."""

    def __init__(
        self,
        ctx: JobContext,
        connection: "psycopg.Connection[Any]",
        *,
        accept_loss: bool,
        dry_run: bool,
    ) -> None:
        self._ctx = ctx
        self._connection = connection
        self._accept_loss = accept_loss
        self._dry_run = dry_run
        self._zone = ctx.settings.dwh.zone
        self._held_back: list[date] = []

    def go_on(self) -> Outcome:
        """Count the days that have hits the last run did not see, and move the watermark."""
        from cronops.jobs.dwh.counting import all_days, touched_days
        from cronops.jobs.dwh.watermark import load_watermark, look, save_watermark

        before = load_watermark(self._connection)
        if before is not None and before.zone != self._zone:
            way_out = "count" if before.is_between_zones else "set it back, or count"
            raise ConfigurationError(
                f"the counters are of days in {before.zone}, and CRONOPS_DWH__ZONE is "
                f"{self._zone}; {way_out} all days anew: "
                "cronops dwh update-counters --rebuild --from"
            )
        # Looked at before hits are: what is committed in between is seen now, and once more.
        horizon = look(self._connection)
        if before is not None and before.holds(horizon):
            # From the last look on: what came while no run did is not late.
            seen_until = min(before.read_at, horizon.read_at)
            since = seen_until - self._ctx.settings.dwh.late_for
            days = touched_days(self._connection, self._zone, xid=before.xid, since=since)
        else:
            days = all_days(self._connection, self._zone)
        if not self._replace(days):
            return Outcome()
        if not self._dry_run:
            with self._ctx.fenced(self._connection):
                save_watermark(self._connection, horizon, zone=self._zone, run_id=self._ctx.run_id)
            self._ctx.step("watermark", xid=horizon.xid)
        return Outcome(warnings=tuple(self._warnings()))

    def rebuild(self, first: date, last: date | None) -> Outcome:
        """Count a range of days anew."""
        from cronops.jobs.dwh.counting import days_between
        from cronops.jobs.dwh.watermark import load_watermark, move_to_zone, partly

        today = self._one(_TODAY, {"zone": self._zone})[0]
        before = load_watermark(self._connection)
        moves = before is not None and before.zone != self._zone
        if before is not None and moves:
            # A hit may be of the day before, or of the next one, there.
            lowest, highest = self._one(_SPAN)
            today = max(today, highest or today)
            if lowest is not None and not (first <= lowest and highest <= (last or today)):
                raise ConfigurationError(
                    f"the counters are of days in {before.zone}; to have them in {self._zone}, "
                    f"count all of them anew: --from {lowest} --to {highest}, or more"
                )
        last = last or today
        days = days_between(self._connection, self._zone, first, last)
        if before is not None and moves and not self._dry_run:
            # First: who is stopped half-way has days of both, and no setting fits them.
            with self._ctx.fenced(self._connection):
                move_to_zone(self._connection, partly(before.zone, self._zone))
            self._ctx.step("between zones")
        if not self._replace(days):
            return Outcome()
        if self._held_back:
            raise NeedsAPerson(
                f"the shop has fewer hits than were counted of {_these(self._held_back)}: those "
                "were left as they are. If the hits were not deleted by mistake: --accept-loss"
            )
        if moves and not self._dry_run:
            with self._ctx.fenced(self._connection):
                move_to_zone(self._connection, self._zone)
        return Outcome(warnings=tuple(self._warnings()))

    def _replace(self, days: Sequence[date]) -> bool:
        """Replace the counters of these days; False where the run was told to stop before."""
        from cronops.jobs.dwh.counting import batches, replace_days

        self._ctx.log.info("days to count", days=len(days), **_ends(days))
        done = 0
        for group in batches(days):
            if self._ctx.stopping:
                return False
            if not self._dry_run:
                with self._ctx.fenced(self._connection):
                    replaced = replace_days(
                        self._connection, self._zone, group, accept_loss=self._accept_loss
                    )
                self._held_back += replaced.shrunk
                self._ctx.count("written", replaced.written)
                self._ctx.count("removed", replaced.removed)
                self._ctx.count("held_back", len(replaced.shrunk))
                self._ctx.step("replaced", days=len(group), **_ends(group))
            self._ctx.count("days", len(group))
            done += len(group)
            self._ctx.progress(done, len(days))
        return True

    def _warnings(self) -> list[str]:
        found = [_DRY_RUN] if self._dry_run else []
        if self._held_back:
            found.append(
                f"the shop has fewer hits than were counted of {_these(self._held_back)}: new ones "
                "are not counted there. See: cronops dwh update-counters --help, --accept-loss"
            )
        return found

    def _one(self, statement: str, values: Any = None) -> Any:
        return self._connection.execute(statement, values).fetchone()


def _ends(days: Sequence[date]) -> dict[str, str]:
    return {"first": days[0].isoformat(), "last": days[-1].isoformat()} if days else {}


def _these(days: Sequence[date]) -> str:
    named = ", ".join(day.isoformat() for day in days[:_LISTED])
    more = f" and {len(days) - _LISTED:,} more" if len(days) > _LISTED else ""
    return f"{len(days):,} {'day' if len(days) == 1 else 'days'} ({named}{more})"
