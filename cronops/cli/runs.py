"""``cronops runs``: what ran, when, and how it ended."""

from datetime import timedelta
from typing import Annotated, Any, Literal

import typer

from cronops.cli.names import check_job, is_job
from cronops.cli.output import Column, print_line, show_json, show_record, show_table, span
from cronops.cli.session import Json, Limit, Reason, Since, session
from cronops.cli.tree import examples, operator_app

app = operator_app()

Outcome = Literal[
    "running", "succeeded", "skipped", "failed", "timed_out", "interrupted", "crashed"
]
RunId = Annotated[str, typer.Argument(metavar="RUN_ID", help="A run's id, or the beginning of it.")]

_COLUMNS = (
    Column("id", "run"),
    Column("job"),
    Column("outcome"),
    Column("started_at", "started"),
    Column("duration_seconds", "took", show=lambda seconds: span(timedelta(seconds=seconds))),
    Column("exit_code", "exit"),
    Column("detail", shrinks=True),
)


@app.command(
    "list",
    epilog=examples(
        "cronops runs list --since 24h --outcome failed",
        'cronops runs list --job "queue process" --limit 5 --json',
    ),
)
def list_(
    job: Annotated[
        str | None,
        typer.Option("--job", metavar="JOB", help="Only of this job.", show_default=False),
    ] = None,
    outcome: Annotated[
        Outcome | None, typer.Option("--outcome", help="Only with this end.", show_default=False)
    ] = None,
    since: Since = None,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """List runs, the newest first."""
    from cronops.contract.run_history import list_runs

    with session("runs list") as at:
        found = list_runs(at.connection, job=job, outcome=outcome, since=since, limit=limit)
    # A job that was removed still has runs; a name that never had any may be misspelt.
    if job and not found and not is_job(job):
        check_job(job)
    rows = [_readable(run) for run in found]
    show_table(
        rows if not as_json else [_with_outcome(run) for run in found],
        _COLUMNS,
        as_json=as_json,
        empty="No run matches." if job or outcome or since else "Nothing has run yet.",
    )


@app.command(
    epilog=examples(
        "cronops runs show nightly-29657520", "cronops runs show queue-process-20261123 --json"
    )
)
def show(run: RunId, as_json: Json = False) -> None:
    """Show everything that is recorded of a run."""
    from cronops.contract.run_history import find_run

    with session("runs show") as at:
        found = find_run(at.connection, run)
    record = _with_outcome(found)
    if as_json:
        show_json(record)
        return
    record["duration"] = timedelta(seconds=record.pop("duration_seconds"))
    show_record(record, as_json=False)


@app.command(
    epilog=examples(
        'cronops runs settle export-29657520 --as failed --reason "the ERP never got the file"',
        'cronops runs settle export-29657520 --as succeeded --reason "the ERP confirmed it"',
    )
)
def settle(
    run: RunId,
    as_: Annotated[
        Literal["failed", "succeeded"],
        typer.Option("--as", help="failed: the slot may run again. succeeded: it is used up."),
    ],
    reason: Reason,
    as_json: Json = False,
) -> None:
    """Say how a run ended that could not say so itself.

    A run of a job that is not retry-safe leaves its slot "unknown" when it is cut off: it may or
    may not have acted on others. The slot is refused until a person has looked and settled it.
    """
    from cronops.contract.run_history import find_run, settle_by_operator

    with session("runs settle") as at:
        run_id = find_run(at.connection, run)["id"]
        settle_by_operator(at.connection, run_id, as_=as_, actor=at.actor, reason=reason)
    if as_json:
        show_json({"id": run_id, "settled": as_})
    else:
        after = "its slot may run again" if as_ == "failed" else "its slot is used up"
        print_line(f"Settled {run_id} as {as_}: {after}.")


def _with_outcome(run: dict[str, Any]) -> dict[str, Any]:
    return run | {"outcome": run["outcome"] or "running"}


def _readable(run: dict[str, Any]) -> dict[str, Any]:
    counts = ", ".join(f"{name}={number}" for name, number in run["counts"].items())
    return _with_outcome(run) | {"detail": run["reason"] or counts}
