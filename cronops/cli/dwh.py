"""``cronops dwh``: operators' commands. ``dwh update-counters`` is a job."""

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any

import typer

from cronops.cli.output import Column, note, show_record, show_table
from cronops.cli.readers import day
from cronops.cli.session import Json, Limit, session
from cronops.cli.tree import examples, operator_app
from cronops.db.counters import Metric

app = operator_app()

_COLUMNS = (
    Column("period", "day"),
    Column("tenant"),
    Column("metric"),
    Column("subject"),
    Column("value", show=lambda number: f"{number:,}"),
)


def _of(
    name: str, metavar: str, explanation: str, parser: Callable[[str], Any] | None = None
) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(
        name, metavar=metavar, help=explanation, show_default=False, parser=parser
    )
    return option


@app.command(
    epilog=examples(
        "cronops dwh counters --metric views --limit 7",
        "cronops dwh counters --from 2026-11-01 --to 2026-11-30 --tenant nord --json",
        "cronops dwh counters --metric article_views --limit 10  # the latest day's favourites",
    )
)
def counters(
    first: Annotated[date | None, _of("--from", "DATE", "From this day on.", day)] = None,
    last: Annotated[date | None, _of("--to", "DATE", "To this day, itself included.", day)] = None,
    tenant: Annotated[str | None, _of("--tenant", "CODE", "Only of this tenant.")] = None,
    metric: Annotated[
        Metric | None,
        typer.Option("--metric", help="Only this one.", show_default=False),
    ] = None,
    subject: Annotated[str | None, _of("--article", "NUMBER", "Only of this article.")] = None,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """List counters of page hits, the latest day first."""
    from cronops.db.counters import list_counters

    asked = {"first": first, "last": last, "tenant": tenant, "metric": metric, "subject": subject}
    with session("dwh counters") as at:
        rows = list_counters(at.connection, **asked, limit=limit)  # type: ignore[arg-type]
    show_table(
        rows,
        _COLUMNS,
        as_json=as_json,
        empty="No counter matches." if any(asked.values()) else "Nothing was counted yet.",
    )


@app.command(epilog=examples("cronops dwh status", "cronops dwh status --json"))
def status(as_json: Json = False) -> None:
    """Show how far the counters have come."""
    from cronops.db.counters import counter_status

    with session("dwh status") as at:
        found = counter_status(at.connection)
    if found is None and not as_json:
        note("Nothing was counted yet.")
        return
    show_record(found or {}, as_json=as_json)
