"""``cronops cluster trigger``."""

import sys
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cronops.cli.cluster.where import (
    Context,
    Kubeconfig,
    Name,
    Namespace,
    at_cluster,
    schedule_named,
)
from cronops.cli.output import note, print_line, printable, show_json
from cronops.cli.readers import instant
from cronops.cli.session import Json, MaybeReason
from cronops.cli.tree import examples, operator_app
from cronops.errors import BadInput, ExitCode

if TYPE_CHECKING:
    from cronops.cluster.api import Cluster
    from cronops.cluster.follow import Line, Outcome
    from cronops.cluster.kinds import Object

app = operator_app()


@app.command(
    epilog=examples(
        "cronops cluster trigger queue-clean",
        "cronops cluster trigger dwh-update-counters -- --rebuild --from 2026-11-01",
        "cronops cluster trigger stock-export --scheduled-at 2026-11-23T04:00:00Z",
        "cronops cluster trigger sessions-purge --detach --json",
    )
)
def trigger(
    name: Name,
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[-- ARGS]",
            help="The job's arguments, instead of the deployed ones.",
            show_default=False,
        ),
    ] = None,
    scheduled_at: Annotated[
        datetime | None,
        typer.Option(
            "--scheduled-at",
            parser=instant,
            metavar="TIME",
            show_default=False,
            help="Work the slot of this time, as 2026-11-23T04:00:00Z: once, whoever else does.",
        ),
    ] = None,
    reason: MaybeReason = None,
    detach: Annotated[
        bool, typer.Option("--detach", help="Do not follow it; print the Job's name.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only let the server check the Job.")
    ] = False,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    namespace: Namespace = None,
    as_json: Json = False,
) -> None:
    """Start a run by hand, as the deployed schedule would, with other arguments where wanted.

    Its log is followed, its receipt is printed, and its exit code is this command's. Ctrl-C ends
    the following, not the run. A suspended schedule can be triggered all the same.
    """
    from cronops.cluster.kinds import JOB, name_of
    from cronops.cluster.trigger import job_by_hand
    from cronops.config import load_settings

    actor = load_settings().settings.actor
    with at_cluster(kubeconfig, context, namespace) as cluster:
        found = schedule_named(cluster, name)
        words = _words(found, arguments) if arguments else None
        job = job_by_hand(found, words=words, scheduled_at=scheduled_at, actor=actor, why=reason)
        made = cluster.create(JOB, job, dry_run=dry_run)
        if dry_run or detach:
            _show_made(made, as_json=as_json, dry_run=dry_run)
            return
        note(f"created job {name_of(made)}")
        try:
            outcome = followed(cluster, name_of(made), to_stderr=as_json)
        except KeyboardInterrupt:
            note(
                f"the run goes on; follow it with: cronops cluster logs {name} "
                f"--job {name_of(made)} --follow"
            )
            raise typer.Exit(ExitCode.INTERRUPTED) from None
    _show_outcome(name_of(made), outcome, as_json=as_json)
    if outcome.exit_code:
        raise typer.Exit(outcome.exit_code)


def _words(cron_job: "Object", arguments: list[str]) -> list[str]:
    """The whole command line, read by the job's own parser as the pod will read it."""
    import shlex

    from cronops.cli.declared import InstalledJobs
    from cronops.cluster.trigger import deployed_words, words_with
    from cronops.jobs.registry import list_jobs
    from cronops.schedules.declarations import CommandProblem

    deployed = deployed_words(cron_job)
    paths = [one.path.split() for one in list_jobs()]
    length = max((len(path) for path in paths if deployed[: len(path)] == path), default=0)
    if not length:
        raise BadInput(
            f"the deployed command line {shlex.join(deployed)!r} is no job of this version, "
            "which therefore cannot say where its arguments begin"
        )
    words = words_with(deployed, length, arguments)
    try:
        InstalledJobs().read(shlex.join(words))
    except CommandProblem as problem:
        raise BadInput(f"cronops {shlex.join(words)}: {problem}") from None
    return words


def followed(cluster: "Cluster", job: str, *, to_stderr: bool = False) -> "Outcome":
    """Print the lines of a Job as they come, and how it ended."""
    from cronops.cluster.follow import Line, follow

    stream = sys.stderr if to_stderr else sys.stdout
    for one in follow(cluster, job, waiting=lambda told: note(f"waiting: {printable(told)}")):
        if not isinstance(one, Line):
            return one
        stream.write(f"{line_text(one)}\n")
        stream.flush()
    raise AssertionError("following a job ends with its outcome")


def line_text(line: "Line") -> str:
    """A line of a log, its shard in front where the work is shared out."""
    text = printable(line.text.replace("\t", "    "))
    return text if line.shard is None else f"[{line.shard}] {text}"


def _show_made(made: "Object", *, as_json: bool, dry_run: bool) -> None:
    from cronops.cluster.kinds import name_of
    from cronops.cluster.trigger import deployed_words

    container = {"spec": {"jobTemplate": {"spec": made["spec"]}}}
    words = deployed_words(container)
    if as_json:
        show_json({"job": name_of(made), "arguments": words, "dry_run": dry_run})
    else:
        word = "would create" if dry_run else "created"
        print_line(f"{word} job {name_of(made)}: cronops {' '.join(words)}")


def _show_outcome(job: str, outcome: "Outcome", *, as_json: bool) -> None:
    from cronops.cluster.kinds import Object

    receipts: list[Object] = [one.receipt for one in outcome.pods.values() if one.receipt]
    if as_json:
        show_json(
            {
                "job": job,
                "succeeded": outcome.succeeded,
                "exit_code": outcome.exit_code,
                "told": outcome.told,
                "pods": {
                    pod: {"exit_code": one.exit_code, "reason": one.reason, "receipt": one.receipt}
                    for pod, one in outcome.pods.items()
                },
            }
        )
        return
    for receipt in receipts:
        print_line(printable(_receipt_line(receipt)))
    for pod, one in outcome.pods.items():
        if one.receipt is None:
            note(f"{pod} ended without a word: {one.reason}, exit code {one.exit_code}")
    if outcome.told:
        note(f"job {job}: {printable(outcome.told)}")


def _receipt_line(receipt: "Object") -> str:
    counts: Any = receipt.get("counts") or {}
    told = ", ".join(f"{number} {str(name).replace('_', ' ')}" for name, number in counts.items())
    reason = f": {receipt['reason']}" if receipt.get("reason") else ""
    outcome = str(receipt.get("outcome")).replace("_", " ")
    return f"receipt of {receipt.get('run_id')}: {outcome}{reason}{f' ({told})' if told else ''}"
