"""``cronops queue status``, ``list`` and ``show``."""

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Any

import typer

from cronops.cli.output import Column, show_record, show_table, span
from cronops.cli.queue.selection import (
    Handler,
    Queue,
    message_id,
    refuse_unknown_handler,
    refuse_unknown_queue,
)
from cronops.cli.session import Json, Limit, session
from cronops.cli.tree import examples, operator_app
from cronops.errors import UsageError
from cronops.queue.message import Direction, Status

app = operator_app()

_STATUS_COLUMNS = (
    Column("queue"),
    *(Column(status.value, status.value) for status in Status),
    Column("delayed"),
    Column("oldest", "oldest NEW"),
    Column("per_minute_5", "per min (5 m)"),
    Column("paused", shrinks=True),
)
_COLUMNS = (
    Column("id"),
    Column("queue"),
    Column("handler"),
    Column("status"),
    Column("priority", "prio"),
    Column("tries"),
    Column("created_at", "created"),
    Column("remark", shrinks=True),
)


@app.command(epilog=examples("cronops queue status", "cronops queue status --queue general --json"))
def status(queue: Queue = None, as_json: Json = False) -> None:
    """Show how many messages each queue has, how old the oldest is, and how fast they go."""
    from cronops.queue.view import status

    with session("queue status") as at:
        states = status(at.connection, queue)
        if queue and states and not any(states[0].counts.values()) and not states[0].paused:
            refuse_unknown_queue(at, queue)
    rows = [asdict(state) for state in states]
    show_table(
        rows if as_json else [_readable_state(row) for row in rows],
        _STATUS_COLUMNS,
        as_json=as_json,
        empty="No queue has messages.",
    )


@app.command(
    "list",
    epilog=examples(
        "cronops queue list --status CRASH",
        "cronops queue list --queue general --handler orders.process --limit 5",
    ),
)
def list_(
    queue: Queue = None,
    status: Annotated[
        Status | None,
        typer.Option("--status", case_sensitive=False, help="In this state.", show_default=False),
    ] = None,
    handler: Handler = None,
    direction: Annotated[
        Direction | None, typer.Option("--direction", help="This direction.", show_default=False)
    ] = None,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """List messages without their payload: NEW ones in the order of work, others newest first."""
    from cronops.queue.view import list_messages

    with session("queue list") as at:
        rows = list_messages(
            at.connection,
            queue=queue,
            status=status,
            handler=handler,
            direction=direction,
            limit=limit,
        )
        if not rows and queue:
            refuse_unknown_queue(at, queue)
        if not rows and handler:
            refuse_unknown_handler(handler)
    filtered = queue or status or handler or direction
    show_table(
        rows if as_json else [_readable(row) for row in rows],
        _COLUMNS,
        as_json=as_json,
        empty="No message matches." if filtered else "There is no message.",
    )


@app.command(epilog=examples("cronops queue show 4711", "cronops queue show 4711 --json"))
def show(
    message: Annotated[
        int, typer.Argument(metavar="ID", parser=message_id, help="A message, by its id.")
    ],
    as_json: Json = False,
) -> None:
    """Show everything of one message: its payload, its error, the run that holds it."""
    import json

    from cronops.queue.view import show_message

    with session("queue show") as at:
        found = show_message(at.connection, message)
    if found is None:
        raise UsageError(f"there is no message {message}; see: cronops queue list")
    if not as_json:
        found["payload"] = json.dumps(found["payload"], indent=2, ensure_ascii=False)
    show_record(found, as_json=as_json)


def _readable_state(row: dict[str, Any]) -> dict[str, Any]:
    seconds = row["oldest_new_seconds"]
    counts: dict[str, int] = row["counts"]
    by = f"by {row['paused_by']}: {row['pause_reason']}" if row["paused"] else ""
    oldest = None if seconds is None else span(timedelta(seconds=max(0.0, seconds)))
    return {**row, **counts, "oldest": oldest, "paused": by}


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    limit = row["max_attempts"]
    waiting = row["status"] == Status.NEW and row["available_at"] > row["created_at"]
    remarks = [
        "paused" if row["paused"] else None,
        f"due {row['available_at']:%m-%d %H:%M}Z" if waiting else None,
        row["error"],
    ]
    return {
        **row,
        "tries": f"{row['attempts']}/{limit}" if limit else str(row["attempts"]),
        "remark": "; ".join(filter(None, remarks)),
    }
