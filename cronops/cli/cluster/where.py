"""Which cluster and which schedule a command means."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from cronops.errors import UsageError

if TYPE_CHECKING:
    from cronops.cluster.api import Cluster
    from cronops.cluster.kinds import Object

# What every CronJob of ours carries, rendered or installed by the chart.
SCHEDULES = "app.kubernetes.io/name=cronops,cronops/schedule"

Kubeconfig = Annotated[
    str | None,
    typer.Option(
        "--kubeconfig",
        metavar="FILE",
        show_default=False,
        help="Instead of what KUBECONFIG names, ~/.kube/config, or the pod's own account.",
    ),
]
Context = Annotated[
    str | None,
    typer.Option(
        "--context", metavar="NAME", show_default=False, help="Instead of the current context."
    ),
]
Namespace = Annotated[
    str | None,
    typer.Option(
        "--namespace", "-n", metavar="NAME", show_default=False, help="Instead of the context's."
    ),
]
Environment = Annotated[
    str, typer.Option("--env", metavar="NAME", help="The environment of the schedules file.")
]
Name = Annotated[str, typer.Argument(metavar="NAME", help="A schedule, or its CronJob.")]


@contextmanager
def at_cluster(
    kubeconfig: str | None, context: str | None, namespace: str | None = None
) -> "Iterator[Cluster]":
    """The cluster that kubectl would talk to."""
    from cronops.cluster.api import open_cluster

    with open_cluster(kubeconfig=kubeconfig, context=context, namespace=namespace) as cluster:
        yield cluster


def schedules_in(cluster: "Cluster") -> "list[Object]":
    """Every CronJob of ours in the cluster's namespace, by name."""
    from cronops.cluster.kinds import CRON_JOB, name_of

    return sorted(cluster.list(CRON_JOB, labels=SCHEDULES), key=name_of)


def schedule_named(cluster: "Cluster", name: str) -> "Object":
    """The CronJob of that name or of that schedule. Raises `UsageError` naming the nearest."""
    from cronops.cli.names import nearest
    from cronops.cluster.kinds import name_of, schedule_of

    found = schedules_in(cluster)
    for one in found:
        if name in (name_of(one), schedule_of(one)):
            return one
    known = [name_of(one) for one in found]
    hint = nearest(name, known) or (
        f"; it has: {', '.join(known[:20])}" if known else "; nor any of ours: see --namespace"
    )
    raise UsageError(f"namespace {cluster.namespace} has no schedule {name!r}{hint}")


def confirm(question: str, *, yes: bool) -> None:
    """Ask at a terminal. Raises `UsageError` where nobody can be asked, and Abort on a no."""
    import sys

    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(f"{question} Nobody can be asked here: say so with --yes")
    typer.confirm(question, abort=True, err=True)
