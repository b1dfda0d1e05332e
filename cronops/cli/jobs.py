"""``cronops jobs``: the declared jobs, and the contract of each."""

from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cronops.cli.names import check_job
from cronops.cli.output import Column, note, show_record, show_table, span
from cronops.cli.session import Json, word
from cronops.cli.tree import examples, operator_app
from cronops.errors import CronopsError

if TYPE_CHECKING:
    from cronops.contract.job import Job

app = operator_app()

_COLUMNS = (
    Column("command"),
    Column("cr", "CR"),
    Column("lock"),
    Column("timeout_seconds", "timeout", show=lambda seconds: span(timedelta(seconds=seconds))),
    Column("accountable", shrinks=True),
    Column("summary", shrinks=True),
)


@app.command("list", epilog=examples("cronops jobs list", "cronops jobs list --json | jq '.[].cr'"))
def list_(as_json: Json = False) -> None:
    """List every job, with what it declares.

    Jobs of installed packages (entry-point group cronops.jobs) are among them; one that cannot
    be imported is named in a warning.
    """
    from cronops.jobs.registry import list_jobs, load_job

    records = []
    for listed in list_jobs():
        try:
            records.append(job_record(load_job(listed.path)))
        except (CronopsError, ImportError) as error:
            note(f"warning: {listed.path}: {error}")
    show_table(records, _COLUMNS, as_json=as_json, empty="No job is declared.")


@app.command(
    epilog=examples("cronops jobs show queue process", "cronops jobs show queue clean --json")
)
def show(
    name: Annotated[list[str], typer.Argument(metavar="NAME", help="Such as: queue process.")],
    as_json: Json = False,
) -> None:
    """Show one job with its whole contract."""
    from cronops.cli.contract import contract_lines
    from cronops.jobs.registry import load_job

    path = word(name) or ""
    check_job(path)
    job = load_job(path)
    if as_json:
        show_record(job_record(job), as_json=True)
    else:
        lines = {"job": job.name, "does": job.summary, **dict(contract_lines(job))}
        lines["metrics"] = "\n".join(job_record(job)["metrics"])
        show_record(lines, as_json=False)


def job_record(job: "Job") -> dict[str, Any]:
    """A job as ``--json`` shows it; scripts rely on these names."""
    from cronops.cli.contract import lock_template
    from cronops.contract.job import Wait
    from cronops.contract.metrics import metric_names

    waits = job.when_locked if isinstance(job.when_locked, Wait) else None
    return {
        "cr": job.cr,
        "name": job.name,
        "command": f"cronops {job.name}",
        "summary": job.summary,
        "lock": lock_template(job),
        "when_locked": "skip" if waits is None else f"wait {span(waits.longest)}, then skip",
        "timeout_seconds": job.timeout.total_seconds(),
        "retry": job.retry.describe(),
        "retry_safe": job.retry_safe,
        "idempotency": job.idempotency,
        "counts": job.counts,
        "metrics": metric_names(job),
        "accountable": job.accountable,
        "responsible": job.responsible,
        "consulted": job.consulted,
        "needs": [asdict(need) for need in job.needs],
    }
