"""``cronops customers``: operators' commands. ``customers notify-license-expiration`` is a job."""

from typing import Annotated, Literal

import typer

from cronops.cli.output import Column, show_table
from cronops.cli.session import Json, Limit, Since, session
from cronops.cli.tree import examples, operator_app

app = operator_app()

State = Literal["sending", "sent", "unknown", "refused", "deferred"]
_COLUMNS = (
    Column("at"),
    Column("license_id", "licence"),
    Column("valid_until"),
    Column("days_before", "days"),
    Column("tenant"),
    Column("customer_id", "customer"),
    Column("state"),
    Column("tries"),
    Column("answer", shrinks=True),
)


@app.command(
    epilog=examples(
        "cronops customers reminders",
        "cronops customers reminders --state unknown",
        "cronops customers reminders --license 4711 --json",
    )
)
def reminders(
    state: Annotated[
        State | None,
        typer.Option("--state", help="Only in this state.", show_default=False),
    ] = None,
    license_id: Annotated[
        int | None,
        typer.Option("--license", metavar="NUMBER", show_default=False, help="Only this licence."),
    ] = None,
    since: Since = None,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """List the reminders of licences that end, the latest first.

    "unknown" may have arrived: the server's answer was lost, or the run died. It is sent again only
    by: cronops customers notify-license-expiration --resend-unknown [--license NUMBER].
    "refused" and "deferred" surely were not sent; the next run tries again.
    """
    from cronops.db.reminders import list_reminders

    with session("customers reminders") as at:
        rows = list_reminders(
            at.connection, state=state, license_id=license_id, since=since, limit=limit
        )
    narrowed = state is not None or license_id is not None or since is not None
    show_table(
        rows,
        _COLUMNS,
        as_json=as_json,
        empty="No reminder matches." if narrowed else "No reminder was sent yet.",
    )


@app.callback()
def customers() -> None:
    """Remind customers of licences that end; what became of each reminder."""
