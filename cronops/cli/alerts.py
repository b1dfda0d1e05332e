"""``cronops alerts``: what was told to whom, what still waits, and whether the routes work."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

import typer

from cronops.cli.names import check_job
from cronops.cli.output import Column, note, print_line, show_json, show_table
from cronops.cli.session import Json, Limit, Since, session, word
from cronops.cli.tree import examples, operator_app
from cronops.durations import parse_duration
from cronops.errors import ExitCode

app = operator_app()

State = Literal["waiting", "delivered", "cancelled"]

_STATE = """
CASE WHEN cancelled_at IS NOT NULL THEN 'cancelled'
     WHEN delivered_at IS NOT NULL THEN 'delivered' ELSE 'waiting' END
"""
_LIST = f"""
SELECT id, {_STATE} AS delivery, state, kind, owner, role, severity, title, body, run_id,
       dedup_key, created_at, available_at, attempts, delivered_channels, delivered_at, last_error
FROM alert
WHERE (%(delivery)s::text IS NULL OR {_STATE} = %(delivery)s)
  AND (%(since)s::timestamptz IS NULL OR created_at >= %(since)s)
  AND (%(ids)s::bigint[] IS NULL OR id = ANY(%(ids)s))
ORDER BY id DESC LIMIT %(limit)s
"""  # noqa: S608 - made of constants

_COLUMNS = (
    Column("id"),
    Column("delivery"),
    Column("kind"),
    Column("owner"),
    Column("created_at", "written"),
    Column("title", shrinks=True),
    Column("last_error", "error", shrinks=True),
)
_TRIAL_COLUMNS = (
    Column("owner"),
    Column("role"),
    Column("delivery"),
    Column("delivered_channels", "by"),
    Column("last_error", "error", shrinks=True),
)


@app.command("list", epilog=examples("cronops alerts list --state waiting", "cronops alerts list"))
def list_(
    state: Annotated[
        State | None, typer.Option("--state", help="Only in this state.", show_default=False)
    ] = None,
    since: Since = None,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """List alerts, the newest first.

    One is cancelled where a later attempt of its run succeeded before it was sent.
    """
    with session("alerts list") as at:
        rows = _alerts(at.connection, delivery=state, since=since, limit=limit)
    empty = "No alert matches." if state or since else "There has been no alert."
    show_table(rows, _COLUMNS, as_json=as_json, empty=empty)


@app.command("test", epilog=examples("cronops alerts test queue process"))
def try_routes(
    job: Annotated[list[str], typer.Argument(metavar="JOB", help="Such as: queue process.")],
    as_json: Json = False,
) -> None:
    """Send a test alert to every owner of a job, and say whether it got through.

    It is marked as a test, and has a key of its own: it neither opens nor resolves a real one.
    Exit 1 where an owner was not reached.
    """
    from cronops.contract.alerts.outbox import write_trial
    from cronops.jobs.registry import load_job

    name = word(job) or ""
    check_job(name)
    declared = load_job(name)
    with session("alerts test") as at:
        ids = write_trial(
            at.connection,
            at.settings,
            job=declared.name,
            cr=declared.cr,
            accountable=declared.accountable,
            responsible=declared.responsible,
        )
        deliver_now(at.settings, at.settings.alerts.delivery_timeout)
        rows = _alerts(at.connection, ids=ids, limit=len(ids))
    show_table(rows, _TRIAL_COLUMNS, as_json=as_json, empty="The job has no owner.")
    if any(row["delivered_channels"] == ["log"] for row in rows):
        note(
            "note: no route is configured, so they only went to the log; set "
            "CRONOPS_ALERTS__ROUTES_FILE or CRONOPS_ALERTMANAGER_URL"
        )
    if any(row["delivery"] != "delivered" for row in rows):
        raise typer.Exit(ExitCode.FAILED)


@app.command(epilog=examples("cronops alerts flush", "cronops alerts flush --within 2m"))
def flush(
    within: Annotated[
        timedelta,
        typer.Option(
            "--within",
            parser=parse_duration,
            metavar="DURATION",
            show_default="1m",
            help="Give up after so long; the rest stays waiting.",
        ),
    ] = timedelta(minutes=1),
    as_json: Json = False,
) -> None:
    """Deliver every alert that waits, now; also those waiting for their next attempt.

    Runs do this themselves when they end. Exit 1 where an alert could not be delivered.
    """
    with session("alerts flush") as at:
        result = deliver_now(at.settings, within)
    if as_json:
        show_json(asdict(result))
    elif result.delivered or result.failed or result.pending:
        print_line(
            f"{result.delivered} delivered, {result.failed} failed, {result.pending} still waiting."
        )
    else:
        print_line("No alert is waiting.")
    if result.failed:
        raise typer.Exit(ExitCode.FAILED)


def deliver_now(settings: Any, within: timedelta) -> Any:
    """Deliver every alert that waits; how many were, and were not."""
    from cronops.contract.alerts.deliver import deliver_due
    from cronops.db.connect import connect
    from cronops.telemetry import configure_logging, get_logger

    configure_logging(settings)
    return deliver_due(
        settings,
        lambda: connect(settings, "alerts", statement_timeout=within),
        get_logger(),
        within,
        eager=True,
    )


def _alerts(
    connection: Any,
    *,
    limit: int,
    delivery: str | None = None,
    since: datetime | None = None,
    ids: list[int] | None = None,
) -> list[dict[str, Any]]:
    from psycopg.rows import dict_row

    values = {"delivery": delivery, "since": since, "ids": ids, "limit": limit}
    with connection.cursor(row_factory=dict_row) as cursor:
        rows: list[dict[str, Any]] = cursor.execute(_LIST, values).fetchall()
    return rows
