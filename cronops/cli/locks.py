"""``cronops locks``: who holds which lock, and how to take one away."""

import sys
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cronops.cli.names import nearest
from cronops.cli.output import Column, note, print_line, show_json, show_table, span
from cronops.cli.session import Json, Reason, session
from cronops.cli.tree import examples, operator_app
from cronops.errors import ExitCode, UsageError

app = operator_app()

_COLUMNS = (
    Column("key", "lock"),
    Column("mode"),
    Column("state"),
    Column("run_id", "run"),
    Column("holder"),
    Column("acquired_at", "since"),
    Column("renewed_at", "last sign of life"),
)


@app.command("list", epilog=examples("cronops locks list", "cronops locks list --json"))
def list_(as_json: Json = False) -> None:
    """List the locks that are held.

    A lock is a lease: it ends by itself once its holder has shown no sign of life for
    CRONOPS_LOCK__TTL. "expired" ones are taken over by whoever comes next.
    """
    from cronops.contract.lock import list_leases

    with session("locks list") as at:
        leases = list_leases(at.connection)
    show_table(
        leases if as_json else [_readable(lease) for lease in leases],
        _COLUMNS,
        as_json=as_json,
        empty="No lock is held.",
    )


@app.command(
    epilog=examples(
        'cronops locks release cron.queue.process.general --reason "node lost, host is gone"',
    )
)
def release(
    key: Annotated[str, typer.Argument(metavar="KEY", help="The lock, as locks list shows it.")],
    reason: Reason,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Take a lock from its holder, so that another run may start now.

    Seldom needed: a dead holder's lock ends by itself. The holder can commit nothing more, and
    ends at its next sign of life; what it did outside the database stays done, and its
    successor may do it again.
    """
    from cronops.contract.lock import list_leases, release_by_operator

    with session("locks release") as at:
        leases = list_leases(at.connection)
        held = [lease for lease in leases if lease["key"] == key]
        if not held:
            known = sorted({lease["key"] for lease in leases})
            hint = nearest(key, known) or "; see: cronops locks list"
            raise UsageError(f"nobody holds a lock called {key!r}{hint}")
        if not yes and not _confirmed(held):
            note("Nothing was changed.")
            raise typer.Exit(ExitCode.FAILED)
        released = release_by_operator(at.connection, key, actor=at.actor, reason=reason)
    if as_json:
        show_json({"key": key, "released": released})
    else:
        print_line(f"Released {key} ({released} {'lease' if released == 1 else 'leases'}).")


def _confirmed(held: list[dict[str, Any]]) -> bool:
    if not sys.stdin.isatty():
        raise UsageError("releasing a lock asks first, and there is no terminal; give --yes")
    for lease in held:
        silent = span(datetime.now(UTC) - lease["renewed_at"])
        who = f"Run {lease['run_id']} of {lease['job']} on {lease['holder']}"
        note(f"{who}, last heard of {silent} ago.")
    if any(lease["alive"] for lease in held):
        note(
            "It may still be at work. It will be able to commit nothing more, but what it does\n"
            "outside the database (files, mails, calls) cannot be stopped before it notices, and\n"
            "a second run beside it may do the same again."
        )
    return typer.confirm("Release the lock?", err=True)


def _readable(lease: dict[str, Any]) -> dict[str, Any]:
    return lease | {
        "mode": "shared" if lease["shared"] else "exclusive",
        "state": "held" if lease["alive"] else "expired",
    }
