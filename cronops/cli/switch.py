"""``cronops pause`` and ``cronops resume``: hold back the runs of a job, or of all jobs."""

from datetime import datetime
from typing import Annotated

import typer

from cronops.cli.names import check_job
from cronops.cli.output import Column, note, print_line, show_json, show_table
from cronops.cli.session import Json, MaybeReason, future, session, word
from cronops.cli.tree import examples, operator_app
from cronops.errors import UsageError

app = operator_app()

JobName = Annotated[
    list[str] | None,
    typer.Argument(metavar="JOB", help="A job, such as: queue process.", show_default=False),
]
All = Annotated[bool, typer.Option("--all", help="Every job.")]

_COLUMNS = (
    Column("job"),
    Column("paused_by", "by"),
    Column("paused_at", "since"),
    Column("until", show=None),
    Column("reason", shrinks=True),
)


@app.command(
    epilog=examples(
        'cronops pause queue process --reason "stock migration" --until 2h',
        'cronops pause --all --reason "database upgrade"',
        "cronops pause                  # what is paused",
    )
)
def pause(
    job: JobName = None,
    everything: All = False,
    until: Annotated[
        datetime | None,
        typer.Option(
            "--until",
            parser=future,
            metavar="TIME",
            show_default=False,
            help="Ends by itself: 2h (from now), or 2026-11-23T04:00:00Z. Else it needs a resume.",
        ),
    ] = None,
    reason: MaybeReason = None,
    as_json: Json = False,
) -> None:
    """Hold back the runs of a job, or of all jobs.

    Runs that start meanwhile are skipped and exit 0; one under way is left alone. Without a job,
    list what is paused.
    """
    from cronops.contract import switch

    name = _job_or_all(job, everything)
    if name is None and not everything:
        if reason or until:
            raise UsageError("name the job to pause, or give --all")
        with session("pause list") as at:
            pauses = switch.list_pauses(at.connection)
        shown = [
            row | {"job": "all jobs"} if row["job"] == switch.EVERY_JOB else row for row in pauses
        ]
        show_table(
            pauses if as_json else shown, _COLUMNS, as_json=as_json, empty="Nothing is paused."
        )
        return
    if name:
        check_job(name)
    if not reason:
        raise UsageError("say why with --reason: whoever finds the job paused will want to know")
    with session("pause") as at:
        switch.pause(at.connection, name, actor=at.actor, reason=reason, until=until)
    if as_json:
        show_json({"job": name or switch.EVERY_JOB, "paused": True, "until": until})
    else:
        again = "--all" if name is None else name
        end = f"until {until:%Y-%m-%d %H:%M} UTC" if until else f"until: cronops resume {again}"
        print_line(f"Paused {name or 'all jobs'} {end}")


@app.command(epilog=examples("cronops resume queue process", "cronops resume --all"))
def resume(
    job: JobName = None,
    everything: All = False,
    reason: MaybeReason = None,
    as_json: Json = False,
) -> None:
    """End the pause of a job, or the one of all jobs.

    A pause of all jobs and pauses of single ones are kept apart: each is ended by itself.
    """
    from cronops.contract import switch

    name = _job_or_all(job, everything)
    if name is None and not everything:
        raise UsageError("name the job to resume, or give --all")
    with session("resume") as at:
        ended = switch.resume(at.connection, name, actor=at.actor, reason=reason)
        left = [] if name is None else switch.list_pauses(at.connection)
    if name and not ended:
        check_job(name)  # a job that is no longer installed may still be paused
    if as_json:
        show_json({"job": name or switch.EVERY_JOB, "paused": False, "was_paused": ended})
    else:
        subject = name or "all jobs"
        print_line(f"Resumed {subject}." if ended else f"There was no pause of {subject}.")
    if any(row["job"] == switch.EVERY_JOB and not row["over"] for row in left):
        note("note: all jobs are still paused; end that with: cronops resume --all")


def _job_or_all(job: list[str] | None, everything: bool) -> str | None:
    name = word(job)
    if name and everything:
        raise UsageError("give a job or --all, not both")
    return name
