"""``cronops cluster suspend`` and ``resume``."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cronops.cli.cluster.where import (
    Context,
    Kubeconfig,
    Name,
    Namespace,
    at_cluster,
    confirm,
    schedule_named,
    schedules_in,
)
from cronops.cli.output import note, paint, print_line, printable, show_json
from cronops.cli.session import Json, Reason, future
from cronops.cli.tree import examples, operator_app
from cronops.errors import UsageError

if TYPE_CHECKING:
    from cronops.cluster.kinds import Object

app = operator_app()

DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")]


@app.command(
    epilog=examples(
        'cronops cluster suspend stock-export --reason "migration" --until 4h',
        'cronops cluster suspend queue-clean --reason "looking at dead letters"',
    )
)
def suspend(
    name: Name,
    reason: Reason,
    until: Annotated[
        datetime | None,
        typer.Option(
            "--until",
            parser=future,
            metavar="TIME",
            show_default=False,
            help="When to resume: 4h (from now), or 2026-11-23T04:00:00Z.",
        ),
    ] = None,
    dry_run: DryRun = False,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    namespace: Namespace = None,
    as_json: Json = False,
) -> None:
    """Start nothing more of a schedule; what runs is left alone.

    Who, why and until when stand in the CronJob's annotations, and applying manifests keeps it
    so. Nothing resumes by itself: when the time is over, status says so, and resume --due lets
    those go whose time is over.
    """
    from cronops.cluster import suspension
    from cronops.cluster.kinds import name_of
    from cronops.config import load_settings

    now = datetime.now(UTC)
    if until is not None and until <= now:
        raise UsageError("--until: this time is past")
    actor = load_settings().settings.actor
    with at_cluster(kubeconfig, context, namespace) as cluster:
        found = schedule_named(cluster, name)
        after = suspension.suspend(
            cluster, found, by=actor, why=reason, until=until, now=now, dry_run=dry_run
        )
    said = suspension.suspension_of(after)
    told = said.told if said else ""
    if as_json:
        show_json(
            {"cronjob": name_of(found), "suspended": True, "by": actor, "reason": reason}
            | {"until": until, "dry_run": dry_run}
        )
        return
    print_line(f"{'would suspend' if dry_run else 'suspended'} {name_of(found)} {printable(told)}")
    running = [one["name"] for one in (found.get("status") or {}).get("active") or ()]
    if running:
        note(f"still at work: {', '.join(running)}")


@app.command(
    epilog=examples(
        "cronops cluster resume stock-export --dry-run",
        "cronops cluster resume stock-export",
        "cronops cluster resume --due --yes",
    )
)
def resume(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[NAME]", help="A schedule, or its CronJob.", show_default=False),
    ] = None,
    due: Annotated[
        bool, typer.Option("--due", help="All whose suspension has come to its end.")
    ] = False,
    dry_run: DryRun = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    namespace: Namespace = None,
    as_json: Json = False,
) -> None:
    """Let a suspended schedule run again.

    First it is said what would start at once, by the cluster's own rule, and when the next run
    is; before something starts at once, you are asked.
    """
    from cronops.cluster import suspension
    from cronops.cluster.firing import firing, next_slot
    from cronops.cluster.kinds import name_of
    from cronops.config import load_settings

    if (name is None) != due:
        raise UsageError("name a schedule, or give --due; not both")
    now = datetime.now(UTC)
    actor = load_settings().settings.actor
    rows = []
    with at_cluster(kubeconfig, context, namespace) as cluster:
        for one in [schedule_named(cluster, name)] if name else _due(schedules_in(cluster), now):
            cronjob = name_of(one)
            said = suspension.suspension_of(one)
            if said is None:
                note(f"{cronjob} is not suspended")
                continue
            let_go = {**one, "spec": {**one["spec"], "suspend": False}}
            starts, coming = firing(one, let_go, now), next_slot(one["spec"], now)
            if starts is not None:
                note(paint(f"warning: {cronjob}: {starts.told}", "yellow", errors=True))
                if not dry_run:
                    confirm(f"{cronjob} would start a run at once. Go on?", yes=yes)
            if not dry_run:
                suspension.resume(cluster, one, by=actor, now=now)
            rows.append(
                {
                    "cronjob": cronjob,
                    "was": said.told,
                    "starts_at_once": starts.slot if starts else None,
                    "next": coming,
                    "of_file": said.is_of_file,
                    "dry_run": dry_run,
                }
            )
    if as_json:
        show_json(rows)
        return
    for row in rows:
        word = "would resume" if dry_run else "resumed"
        following = row["next"]
        when = f"{following:%Y-%m-%d %H:%M} UTC" if isinstance(following, datetime) else "never"
        print_line(f"{word} {row['cronjob']}; next run {when}")
        if row["of_file"]:
            note("schedules.yaml suspends it too: the next apply does so again")
    if due and not rows:
        note("no suspension is over")


def _due(found: "list[Object]", now: datetime) -> "list[Object]":
    from cronops.cluster.suspension import live_suspension

    said = [(one, live_suspension(one)) for one in found]
    return [one for one, suspension in said if suspension and suspension.is_over(now)]
