"""``cronops cluster apply``."""

from typing import TYPE_CHECKING, Annotated

import typer

from cronops.cli.cluster.compared import (
    Compared,
    Force,
    Resume,
    compared,
    record,
    tell_firings,
    tell_suspensions,
)
from cronops.cli.cluster.where import Context, Environment, Kubeconfig, at_cluster, confirm
from cronops.cli.output import note, paint, print_line, printable, show_json
from cronops.cli.schedules.file import USUAL, FileName
from cronops.cli.session import Json
from cronops.cli.tree import examples, operator_app
from cronops.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from cronops.cluster.api import Cluster
    from cronops.cluster.apply import Applied

app = operator_app()

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask before something starts at once.")]


@app.command(
    epilog=examples(
        "cronops cluster apply --dry-run",
        "cronops cluster apply --env staging --context staging",
        "cronops cluster apply --migrate-first    # the first installation",
        "cronops cluster apply --resume --yes     # suspensions made in the cluster end",
    )
)
def apply(
    file: FileName = USUAL,
    environment: Environment = "production",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be done.")
    ] = False,
    resume: Resume = False,
    force: Force = False,
    migrate_first: Annotated[
        bool,
        typer.Option(
            "--migrate-first",
            help="Wait for the migration before a schedule is made or changed.",
        ),
    ] = False,
    yes: Yes = False,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    as_json: Json = False,
) -> None:
    """Make the cluster what schedules.yaml says, and remove what it says no longer.

    Applied by the server, under the name cronops. Only what an earlier apply recorded in the
    inventory, and what carries our labels, is removed. What somebody suspended in the cluster
    stays so, unless --resume. Before something would start at once, you are asked. Exit 1 where
    an object was refused; the others are applied, and nothing is removed then.

    The migration's Job is made, and not waited for: runs that start meanwhile fail, since the
    tables are not theirs yet. With --migrate-first no schedule changes until it has succeeded.
    """
    from cronops.cluster.apply import apply as carry_out
    from cronops.config import load_settings
    from cronops.telemetry.progress import ProgressBar

    with at_cluster(kubeconfig, context) as cluster:
        found = compared(cluster, file, environment, resume=resume, force=force)
        if not as_json:
            tell_suspensions(found.changes)
        starting = tell_firings(found.changes)
        if dry_run:
            _show_plan(found, as_json=as_json)
            return
        if starting:
            confirm(f"{len(starting)} would start at once. Go on?", yes=yes)
        done = carry_out(
            cluster,
            found.environment,
            found.changes,
            found.live,
            actor=load_settings().settings.actor,
            source=found.source,
            force=force,
            migrate=_migration(cluster, found.environment.namespace) if migrate_first else None,
            progress=ProgressBar("applying").show,
        )
    _show(done, as_json=as_json)
    if done.refused:
        raise typer.Exit(ExitCode.FAILED)


def _migration(cluster: "Cluster", namespace: str) -> "Callable[[str], str | None]":
    """Waits for a migration's Job, and says how it failed."""
    from dataclasses import replace

    from cronops.cli.cluster.trigger import followed
    from cronops.cluster.kinds import JOB
    from cronops.cluster.pods import finished

    there = replace(cluster, namespace=namespace)

    def wait(job: str) -> str | None:
        now = there.get(JOB, job)
        end = finished(now) if now else None
        if end is None:
            note(f"the schedules wait for the migration, job {job}")
            try:
                outcome = followed(there, job, to_stderr=True)
            except KeyboardInterrupt:
                note("the migration goes on; no schedule was changed. Apply again to go on")
                raise typer.Exit(ExitCode.INTERRUPTED) from None
            end = outcome.succeeded, outcome.told
        if end[0]:
            return None
        return (
            f"the migration failed, and no schedule was made or changed ({end[1]}); see its log: "
            f"kubectl -n {namespace} logs job/{job}; then delete that Job, and apply again"
        )

    return wait


def _show_plan(found: Compared, *, as_json: bool) -> None:
    if as_json:
        show_json([record(change) for change in found.differing])
    else:
        for change in found.differing:
            kind, name = change.key
            why = f": {printable(change.problem)}" if change.problem else ""
            print_line(f"would {change.action} {kind}/{name}{why}")
        note(f"nothing was changed; {len(found.differing):,} of {len(found.changes):,} differ")
    if any(change.problem for change in found.differing):
        raise typer.Exit(ExitCode.FAILED)


def _show(done: "Applied", *, as_json: bool) -> None:
    if as_json:
        names = {
            key: [f"{kind}/{name}" for kind, name in getattr(done, key)]
            for key in ("created", "changed", "unchanged", "pruned")
        }
        refused = [{"object": f"{k}/{n}", "problem": problem} for (k, n), problem in done.refused]
        show_json(names | {"refused": refused})
        return
    for word in ("created", "changed", "pruned"):
        for kind, name in getattr(done, word):
            print_line(f"{word} {kind}/{name}")
    for (kind, name), problem in done.refused:
        note(paint(f"refused {kind}/{name}: {printable(problem)}", "red", errors=True))
    if done.refused:
        note("nothing was removed, since something was refused")
    note(
        f"{len(done.created):,} created, {len(done.changed):,} changed, "
        f"{len(done.unchanged):,} unchanged, {len(done.pruned):,} pruned, "
        f"{len(done.refused):,} refused"
    )
