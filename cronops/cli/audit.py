"""``cronops audit``: what operators changed, when and why."""

from cronops.cli.output import Column, show_table
from cronops.cli.session import Json, Limit, Since, session
from cronops.cli.tree import examples, operator_app

app = operator_app()

_COLUMNS = (
    Column("at", "when"),
    Column("actor", "who"),
    Column("action", "what"),
    Column("subject", "which"),
    Column("reason", "why", shrinks=True),
    Column("details", shrinks=True),
)


@app.command("list", epilog=examples("cronops audit list --since 7d", "cronops audit list --json"))
def list_(since: Since = None, limit: Limit = 50, as_json: Json = False) -> None:
    """List what operators changed, the newest first."""
    from cronops.db.audit import list_audit

    with session("audit list") as at:
        rows = list_audit(at.connection, since=since, limit=limit)
    show_table(rows, _COLUMNS, as_json=as_json, empty="No operator has changed anything.")
