"""``cronops cluster diff``."""

import typer

from cronops.cli.cluster.compared import (
    Force,
    Resume,
    compared,
    record,
    show_difference,
    tell_firings,
    tell_suspensions,
)
from cronops.cli.cluster.where import Context, Environment, Kubeconfig, at_cluster
from cronops.cli.output import note, show_json
from cronops.cli.schedules.file import USUAL, FileName
from cronops.cli.session import Json
from cronops.cli.tree import examples, operator_app
from cronops.errors import ExitCode

app = operator_app()


@app.command(
    epilog=examples(
        "cronops cluster diff",
        "cronops cluster diff --env staging --context staging",
        "cronops cluster diff --json | jq -r '.[].name'",
    )
)
def diff(
    file: FileName = USUAL,
    environment: Environment = "production",
    resume: Resume = False,
    force: Force = False,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    as_json: Json = False,
) -> None:
    """Show what applying schedules.yaml would change in the cluster.

    The server is asked by a dry run, so that its defaults and what others have set do not count
    as differences. Exit 1 where something differs, 0 where nothing does.
    """
    with at_cluster(kubeconfig, context) as cluster:
        found = compared(cluster, file, environment, resume=resume, force=force)
    differing = found.differing
    if as_json:
        show_json([record(change) for change in differing])
    else:
        for change in differing:
            show_difference(change)
        tell_suspensions(found.changes)
        tell_firings(found.changes)
        note(f"{len(found.changes):,} objects: {len(differing):,} differ")
    if differing:
        raise typer.Exit(ExitCode.FAILED)
