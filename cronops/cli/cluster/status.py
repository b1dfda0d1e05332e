"""``cronops cluster status``."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cronops.cli.cluster.where import (
    Context,
    Kubeconfig,
    Namespace,
    at_cluster,
    schedule_named,
    schedules_in,
)
from cronops.cli.output import Column, note, show_record, show_table
from cronops.cli.session import Json, session
from cronops.cli.tree import examples, operator_app

app = operator_app()

_COLUMNS = (
    Column("schedule"),
    Column("last_run"),
    Column("last_outcome", "ended"),
    Column("last_success"),
    Column("next_run"),
    Column("active"),
    Column("failing_since"),
    Column("suspended", shrinks=True),
    Column("version"),
)


@app.command(
    epilog=examples(
        "cronops cluster status",
        "cronops cluster status queue-clean",
        "cronops cluster status -n cronops --json | jq '.[] | select(.failing_since)'",
    )
)
def status(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]", help="Only this schedule, with everything.", show_default=False
        ),
    ] = None,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    namespace: Namespace = None,
    as_json: Json = False,
) -> None:
    """Show the schedules of a namespace: last and next run, what fails, what stands still.

    Where a database is configured, last success and failing since are its history's; else they
    are the cluster's, which keeps few Jobs, and takes a run that was skipped for a success.
    """
    from cronops.cluster.status import status_of

    now = datetime.now(UTC)
    with at_cluster(kubeconfig, context, namespace) as cluster:
        found = schedules_in(cluster) if name is None else [schedule_named(cluster, name)]
        rows = status_of(cluster, found, now)
    _take_from_history(rows)
    if name is not None:
        show_record(rows[0], as_json=as_json)
        return
    empty = f"Namespace {cluster.namespace} has no schedule of ours; see --namespace."
    show_table(rows, _COLUMNS, as_json=as_json, empty=empty)


def _take_from_history(rows: list[dict[str, Any]]) -> None:
    """Put in what the history of runs knows better than the cluster, where there is one."""
    from cronops.config import load_settings
    from cronops.contract.run_history import standing
    from cronops.errors import DatabaseUnavailable, SchemaMismatch

    if load_settings().settings.database_url is None:
        return
    try:
        with session("cluster status") as at:
            known = standing(at.connection, [row["schedule"] for row in rows])
    except (DatabaseUnavailable, SchemaMismatch) as error:
        note(f"note: without the history of runs: {error}")
        return
    for row in rows:
        succeeded, failing = known[row["schedule"]]
        if succeeded or failing:
            row |= {"last_success": succeeded, "failing_since": failing}
