"""``cronops cluster logs``."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from cronops.cli.cluster.trigger import followed, line_text
from cronops.cli.cluster.where import (
    Context,
    Kubeconfig,
    Name,
    Namespace,
    at_cluster,
    schedule_named,
)
from cronops.cli.output import note, printable, show_json
from cronops.cli.session import Json
from cronops.cli.tree import examples, operator_app
from cronops.errors import ClusterRefused, UsageError

if TYPE_CHECKING:
    from cronops.cluster.api import Cluster
    from cronops.cluster.kinds import Object

app = operator_app()


@app.command(
    epilog=examples(
        "cronops cluster logs queue-clean",
        "cronops cluster logs queue-process-general --follow --tail 20",
        "cronops cluster logs stock-export --job stock-export-29400480",
    )
)
def logs(
    name: Name,
    job: Annotated[
        str | None,
        typer.Option("--job", metavar="NAME", show_default=False, help="Not the newest, this one."),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on until the Job ends; exit with its code.")
    ] = False,
    tail: Annotated[
        int | None,
        typer.Option(
            "--tail", metavar="LINES", min=0, show_default=False, help="Only the last of each pod."
        ),
    ] = None,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    namespace: Namespace = None,
    as_json: Json = False,
) -> None:
    """Print the log of a schedule's newest Job: of all its pods, each attempt after the other."""
    from cronops.cluster.kinds import name_of

    if follow and tail is not None:
        raise UsageError("--follow begins at the beginning; leave out --tail")
    if follow and as_json:
        raise UsageError("--json is printed as a whole; leave out --follow")
    with at_cluster(kubeconfig, context, namespace) as cluster:
        chosen = _job(cluster, schedule_named(cluster, name), job)
        note(f"job {name_of(chosen)}")
        if not follow:
            _print(cluster, name_of(chosen), tail, as_json=as_json)
            return
        outcome = followed(cluster, name_of(chosen))
        if outcome.exit_code:
            note(f"job {name_of(chosen)} failed: {printable(outcome.told)}")
            raise typer.Exit(outcome.exit_code)


def _job(cluster: "Cluster", cron_job: "Object", name: str | None) -> "Object":
    from cronops.cli.names import nearest
    from cronops.cluster.kinds import name_of
    from cronops.cluster.status import jobs_of

    jobs = jobs_of(cluster, cron_job)
    if name is not None:
        for one in jobs:
            if name_of(one) == name:
                return one
        known = [name_of(one) for one in jobs]
        hint = nearest(name, known) or (f"; it has: {', '.join(known)}" if known else "")
        raise UsageError(f"{name_of(cron_job)} has no job {name!r}{hint}")
    if not jobs:
        raise UsageError(
            f"{name_of(cron_job)} has no job in the cluster; what it did before is told by: "
            "cronops runs list"
        )
    return jobs[-1]


def _print(cluster: "Cluster", job: str, tail: int | None, *, as_json: bool) -> None:
    from cronops.cluster.follow import Line, pods_of, shard_of
    from cronops.cluster.kinds import name_of
    from cronops.cluster.pods import container_of, has_begun, held_up

    rows = []
    pods = pods_of(cluster, job)
    if not pods:
        note("its pods are gone, and their logs with them")
    for pod in pods:
        pod_name = name_of(pod)
        note(f"pod {pod_name}")
        held = held_up(pod)
        if held or not has_begun(pod):
            note(f"has not begun{f': {held.cause}: {printable(held.why)}' if held else ''}")
            continue
        try:
            for time, text in cluster.logs(pod_name, container=container_of(pod), tail=tail):
                line = Line(pod_name, shard_of(pod), text)
                if as_json:
                    rows.append({"job": job, **vars(line), "time": time})
                else:
                    sys.stdout.write(f"{line_text(line)}\n")
        except ClusterRefused as refused:
            note(printable(str(refused)))
    if as_json:
        show_json(rows)
