"""CR-014: delete the files of sessions that nobody has used for long."""

import re
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

from cronops.contract.context import JobContext
from cronops.contract.job import Need, Outcome, job
from cronops.contract.retry import Retry
from cronops.errors import ConfigurationError, PermanentError, TransientError
from cronops.jobs.sessions.place import check_place, opened
from cronops.jobs.sessions.sweep import Rule, Sweep, Tally
from cronops.owners import ALL_ISLANDS, SHARED_OPS

if TYPE_CHECKING:
    import os

_STEP = 5_000
"""So many files are deleted between two steps in the log."""
_SHOWN = 10
_SHOWN_CHARACTERS = 4
_CLOCKS_APART = timedelta(minutes=1)
_NS = 10**9

_NOW = "SELECT extract(epoch FROM clock_timestamp())"
_DRY_RUN = "dry run: nothing was deleted"


@job(
    "sessions purge",
    cr="CR-014",
    lock="cron.sessions.purge",
    timeout=timedelta(minutes=30),
    retry=Retry(on=TransientError, attempts=3),
    idempotency="deletes by age only: a repeat finds less to delete, and a file that is gone "
    "already is no matter",
    accountable=SHARED_OPS,
    responsible=SHARED_OPS,
    consulted=(ALL_ISLANDS,),
    counts=("deleted", "kept", "future", "other", "vanished", "denied"),
    impact="old sessions pile up: the disk fills, and stolen ones stay valid for longer",
    drains=True,
    needs=(Need("sessions", "sessions.directory", "write"),),
)
def purge(
    ctx: JobContext,
    *,
    dry_run: Annotated[bool, "Count what would be deleted, show some, and delete nothing."] = False,
) -> Outcome:
    """Delete old session files.

    Regular files in CRONOPS_SESSIONS__DIRECTORY that are called like sessions, and were last
    written longer than CRONOPS_SESSIONS__MAX_AGE ago. No symbolic link is followed.
    """
    of = ctx.settings.sessions
    _check(of.max_age)
    check_place(of.directory, of.allowed)
    now = _slower_clock(ctx)
    pulse = _Pulse(ctx, dry_run=dry_run)
    rule = Rule(
        pattern=of.pattern,
        cutoff=now - round(of.max_age.total_seconds() * _NS),
        now=now,
        most=of.max_files - ctx.counts.get("deleted", 0),
        depth=of.depth,
        is_rehearsal=dry_run,
    )
    sweep = Sweep(rule, go_on=pulse, show=_shows(ctx) if dry_run else None)
    with opened(of.directory) as directory:
        if not dry_run:
            ctx.step("purge")
        try:
            sweep.run(directory)
        finally:
            pulse.count(sweep.tally)
    _refuse_denials(sweep)
    return Outcome(warnings=tuple(_warnings(ctx, sweep, dry_run=dry_run)))


def _check(max_age: timedelta) -> None:
    # The settings refuse it too; but what deletes everything is worth two looks.
    if max_age <= timedelta(0):
        raise ConfigurationError("sessions.max_age must be longer than 0: it would delete all")


def _slower_clock(ctx: JobContext) -> int:
    """Now, in nanoseconds, by this machine's clock or the database's: the one that is behind.

    A clock that runs ahead would make every session old.
    """
    with ctx.connect("clock") as connection:
        row = connection.execute(_NOW).fetchone()
        ours = time.time_ns()
    assert row is not None  # noqa: S101 - a SELECT without FROM has one row
    theirs = int(row[0] * _NS)
    if abs(ours - theirs) > _CLOCKS_APART.total_seconds() * _NS:
        ctx.log.warning(
            "this machine's clock and the database's differ; the one that is behind counts",
            seconds=round((ours - theirs) / _NS),
        )
    return min(ours, theirs)


class _Pulse:
    """Counts, shows progress and logs steps while a sweep goes on; says whether it may."""

    def __init__(self, ctx: JobContext, *, dry_run: bool) -> None:
        self._ctx = ctx
        self._told = Tally()
        self._next_step: float = float("inf") if dry_run else _STEP
        # What an earlier attempt deleted is deleted; what it only saw is seen again.
        ctx.keep_counts(*(() if dry_run else ("deleted",)))

    def __call__(self, tally: Tally) -> bool:
        self.count(tally)
        self._ctx.progress(tally.deleted)
        if tally.deleted >= self._next_step:
            self._ctx.step("purged", deleted=tally.deleted)
            self._next_step = tally.deleted + _STEP
        return not self._ctx.stopping

    def count(self, tally: Tally) -> None:
        """Count what came on top of what was counted before."""
        for name, more in tally.since(self._told).items():
            self._ctx.count(name, more)
        self._told = replace(tally)


def _shows(ctx: JobContext) -> "Callable[[str, os.stat_result], None]":
    """Show the first files that would go. A name holds the session's id: only its beginning."""
    shown = 0

    def show(name: str, facts: "os.stat_result") -> None:
        nonlocal shown
        shown += 1
        if shown <= _SHOWN:
            written = datetime.fromtimestamp(facts.st_mtime, UTC).isoformat(timespec="seconds")
            begun = begin_of(name, ctx.settings.sessions.pattern)
            ctx.log.info("would delete", file=begun, written=written, bytes=facts.st_size)

    return show


def begin_of(name: str, pattern: str) -> str:
    """The beginning of a name, fit to be shown: what the pattern says of it, and a little more."""
    literal = re.match(r"[A-Za-z0-9_.-]*", pattern)
    length = (literal.end() if literal else 0) + _SHOWN_CHARACTERS
    shown = name[:length].encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    printable = "".join(one if one.isprintable() else "?" for one in shown)
    return printable + ("..." if len(name) > length else "")


def _refuse_denials(sweep: Sweep) -> None:
    denied = sweep.tally.denied
    if denied:
        raise PermanentError(
            f"{denied:,} session files or directories could not be deleted or read: "
            f"{sweep.first_denial}; the run has to own the directory, or be in its group"
        )


def _warnings(ctx: JobContext, sweep: Sweep, *, dry_run: bool) -> list[str]:
    of, tally = ctx.settings.sessions, sweep.tally
    found = [_DRY_RUN] if dry_run else []
    if sweep.is_capped:
        found.append(
            f"there are more than {of.max_files:,} old session files (sessions.max_files): the "
            "next run goes on"
        )
    if tally.future:
        found.append(
            f"{tally.future:,} session files were written in the future, and are kept; is a clock "
            "wrong?"
        )
    return found
