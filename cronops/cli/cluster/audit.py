"""``cronops cluster audit``."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cronops.cli.cluster.where import (
    Context,
    Kubeconfig,
    Namespace,
    at_cluster,
    schedule_named,
    schedules_in,
)
from cronops.cli.output import Column, note, paint, print_line, show_json, show_table, span
from cronops.cli.schedules.file import USUAL, FileOption, open_environment
from cronops.cli.session import Json, Session, past, session
from cronops.cli.tree import examples, operator_app
from cronops.errors import ConfigurationError, ExitCode, UsageError

if TYPE_CHECKING:
    from cronops.cluster.audit import Audit, Missing
    from cronops.cluster.gaps import Planned

app = operator_app()

_USUAL_SPAN = timedelta(days=1)
_LONGEST = timedelta(days=400)
_SLOTS_TOLD = 100
_ALERTING = timedelta(seconds=30)
# A year of a thousand schedules is a minute's work for a slow server, and asked for on purpose.
_LONGEST_STATEMENT = timedelta(minutes=10)
_COLUMNS = (
    Column("schedule"),
    Column("cause"),
    Column("times", show=lambda number: f"{number:,}"),
    Column("when"),
    Column("why", shrinks=True),
)
_CLOSED = (
    Column("id", "run"),
    Column("job"),
    Column("started_at", "started"),
    Column("holder", shrinks=True),
)


@app.command(
    epilog=examples(
        "cronops cluster audit",
        "cronops cluster audit --since 7d -n cronops",
        "cronops cluster audit --env production  # also what was never applied",
        "cronops cluster audit queue-clean --json | jq '.missing[].slots'",
    )
)
def audit(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[NAME]", help="Only this schedule's times.", show_default=False),
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            "--since",
            parser=past,
            metavar="TIME",
            show_default="24h",
            help="From then on: 7d (ago), or 2026-11-23T04:00:00Z.",
        ),
    ] = None,
    environment: Annotated[
        str | None,
        typer.Option(
            "--env",
            metavar="NAME",
            show_default=False,
            help="Also what this environment of the schedules file has and the cluster has not.",
        ),
    ] = None,
    file: FileOption = USUAL,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Close no run and tell nobody, only say which would be closed."
        ),
    ] = False,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    namespace: Namespace = None,
    as_json: Json = False,
) -> None:
    """Compare every time that the schedules had with the runs in the database, and say why.

    Each time without a run gets its cause: suspended, skipped by Forbid, other times then (the
    schedule was edited), deadline passed, pod never started, image pull, died without a word,
    not recorded, not in the cluster, not known. Runs left open by a killed pod, whichever
    schedule's, are closed as crashed, and their owners alerted. Exit 1 where anything but the
    first three was found. JSON lists the first 100 times of each cause as `slots`, and counts
    all as `times`.
    """
    now = datetime.now(UTC)
    start = since or now - _USUAL_SPAN
    if not now - _LONGEST - timedelta(minutes=1) <= start < now:
        raise UsageError(f"--since must lie in the past, and no more than {span(_LONGEST)} back")
    from cronops.cluster.audit import Auditor
    from cronops.cluster.gaps import Window
    from cronops.config import load_settings
    from cronops.db.run_slots import kept_since
    from cronops.telemetry.progress import ProgressBar

    absent: Iterable[Planned] = ()
    if load_settings().settings.database_url is None:
        raise ConfigurationError(
            "an audit needs the database that the pods work with: set CRONOPS_DATABASE_URL or "
            "CRONOPS_DATABASE_URL_FILE"
        )
    opened = open_environment(file, environment).environment if environment else None
    space = namespace or (opened.namespace if opened else None)
    with at_cluster(kubeconfig, context, space) as cluster:
        cron_jobs = [schedule_named(cluster, name)] if name else schedules_in(cluster)
        if opened is not None:
            absent = _absent(opened, cron_jobs, name)
        # Only now: who names no cluster or schedule that there is, closes nothing.
        with session("cluster audit", longest_statement=_LONGEST_STATEMENT) as at:
            closed = _close(at, dry_run=dry_run)
            begin = _begin(start, kept_since(at.connection), cron_jobs)
            if begin > start and since is not None:
                note(f"note: the history of runs begins at {begin:%Y-%m-%d %H:%M}Z")
            window, bar = Window(begin, now), ProgressBar("auditing")
            auditor = Auditor(cluster, at.connection, window, bar.show)
            found = auditor.audit(cron_jobs, only=_schedule_of(cron_jobs, name), absent=absent)
    if as_json:
        show_json(_as_json(found, closed, begin, now))
    else:
        _show(found, closed, begin, cluster.namespace, dry_run=dry_run)
    if found.expected and not found.recorded:
        note("no run of any of them is in the database: is it the one that these pods work with?")
    is_wrong = any(not one.reason.cause.is_meant for one in found.missing)
    if is_wrong or closed or found.unreadable:
        raise typer.Exit(ExitCode.FAILED)


def _close(at: Session, *, dry_run: bool) -> list[dict[str, Any]]:
    """Close the runs whose process has died, and deliver what their owners are to hear."""
    from cronops.cli.alerts import deliver_now
    from cronops.contract.runs import MOST_CLOSED, dead_runs
    from cronops.contract.sweep import close_dead_runs

    if dry_run:
        return dead_runs(at.connection)
    from psycopg.errors import ReadOnlySqlTransaction

    closed: list[dict[str, Any]] = []
    while True:
        try:
            with at.connection.transaction():
                some = close_dead_runs(at.connection, at.settings)
        except ReadOnlySqlTransaction:
            raise ConfigurationError(
                "the database takes no writes, as a standby does: no run can be closed there; "
                "name the primary, or only look, with --dry-run"
            ) from None
        closed += some
        if len(some) < MOST_CLOSED:
            break
    # Also what an earlier audit held back, for a pod that was to be tried again.
    told = deliver_now(at.settings, _ALERTING)
    if told.failed:
        note(f"{told.failed} alerts could not be delivered; see: cronops alerts list")
    return closed


def _begin(start: datetime, kept: datetime | None, cron_jobs: list[Any]) -> datetime:
    """From when to look: earlier runs have been cleared away.

    A history that begins within a day of the first CronJob has lost nothing yet: there the first
    times of all count, which a new installation may well have missed.
    """
    from cronops.cluster.firing import moment_of

    made = [moment_of(one["metadata"].get("creationTimestamp")) for one in cron_jobs]
    if kept is None or not made or kept - min(made) <= timedelta(days=1):
        return start
    return max(start, kept)


def _schedule_of(cron_jobs: list[Any], name: str | None) -> str | None:
    from cronops.cluster.kinds import schedule_of

    return schedule_of(cron_jobs[0]) if name else None


def _absent(environment: Any, cron_jobs: list[Any], name: str | None) -> "list[Planned]":
    """The file's schedules that the cluster has not."""
    from cronops.cluster.gaps import Planned
    from cronops.cluster.kinds import schedule_of

    there = {schedule_of(one) for one in cron_jobs}
    return [
        Planned(one.name, one.cron, one.zone, None)
        for one in environment.schedules
        if name is None and one.cron and one.zone and not one.entry.manual and one.name not in there
    ]


def _as_json(
    found: "Audit", closed: list[dict[str, Any]], start: datetime, now: datetime
) -> dict[str, Any]:
    """What was found; scripts rely on the names."""
    return {
        "from": start,
        "to": now,
        "expected": found.expected,
        "recorded": found.recorded,
        "pending": found.pending,
        "missing": [
            {**_row(one), "shards": one.shards, "slots": list(one.slots(_SLOTS_TOLD))}
            for one in found.missing
        ],
        "unreadable": found.unreadable,
        "closed": [
            {key: run[key] for key in ("id", "job", "schedule", "scheduled_at", "started_at")}
            | {"holder": run["holder"], "reason": run["reason"]}
            for run in closed
        ],
    }


def _row(one: "Missing") -> dict[str, Any]:
    return {
        "schedule": one.schedule,
        "cause": one.reason.cause.value,
        "why": one.reason.why,
        "times": one.times,
        "first": one.first,
        "last": one.last,
    }


def _when(one: "Missing") -> str:
    """``11-26 19:00Z``, or from the first to the last; a day is said once."""
    first, last = f"{one.first:%m-%d %H:%M}Z", f"{one.last:%m-%d %H:%M}Z"
    if one.times == 1:
        return first
    return f"{first} to {last.removeprefix(f'{one.first:%m-%d} ')}"


def _show(
    found: "Audit", closed: list[dict[str, Any]], start: datetime, where: str, *, dry_run: bool
) -> None:
    if closed:
        verb = "would be closed" if dry_run else "were closed"
        print_line(f"Runs that died without a word, and {verb} as crashed:")
        show_table(closed, _CLOSED, as_json=False, empty="")
        print_line("")
    rows = []
    for one in found.missing:
        shards = f"shard {', '.join(one.shards)}: " if one.shards else ""
        rows.append({**_row(one), "when": _when(one), "why": f"{shards}{one.reason.why}"})
    show_table(rows, _COLUMNS, as_json=False, empty="No time is missing.")
    for name, why in found.unreadable.items():
        note(paint(f"cannot tell the times of {name}: {why}", "yellow", errors=True))
    lacking = found.expected - found.recorded - found.pending
    note(
        f"namespace {where}, since {start:%Y-%m-%d %H:%M}Z: {found.expected:,} times, "
        f"{found.recorded:,} have a run, {lacking:,} have none, {found.pending:,} may still come"
    )
