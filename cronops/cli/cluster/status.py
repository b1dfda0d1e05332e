"""``cronops cluster status``."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from cronops.cli.cluster.where import (
    Context,
    Kubeconfig,
    Namespace,
    at_cluster,
    schedule_named,
    schedules_in,
)
from cronops.cli.output import Column, show_record, show_table
from cronops.cli.session import Json
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

    By what the cluster knows, which keeps few Jobs: failing since is when the oldest of those
    began that have failed since the last success. What ran before tells: cronops runs list
    """
    from cronops.cluster.status import status_of

    now = datetime.now(UTC)
    with at_cluster(kubeconfig, context, namespace) as cluster:
        found = schedules_in(cluster) if name is None else [schedule_named(cluster, name)]
        rows = status_of(cluster, found, now)
    if name is not None:
        show_record(rows[0], as_json=as_json)
        return
    empty = f"Namespace {cluster.namespace} has no schedule of ours; see --namespace."
    show_table(rows, _COLUMNS, as_json=as_json, empty=empty)
