"""``cronops queue enqueue``: one message, or a stream of JSON lines."""

import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cronops.cli.names import nearest
from cronops.cli.output import note, print_line, show_json
from cronops.cli.queue.json_lines import Check, message_of, messages_of, parse_json
from cronops.cli.readers import instant
from cronops.cli.session import Json, session
from cronops.cli.tree import examples, operator_app
from cronops.durations import parse_duration
from cronops.errors import BadInput, UsageError
from cronops.queue.message import Direction, NewMessage

if TYPE_CHECKING:
    from cronops.cli.session import Session

app = operator_app()

_PROGRESS_EVERY = 1_000
# While a slow producer thinks, the transaction is idle.
_LONGEST_SILENCE = timedelta(minutes=30)


@app.command(
    epilog=examples(
        "cronops queue enqueue --handler orders.process --payload '{\"order\": 7}'",
        "cronops queue enqueue --handler sample.echo --payload @order.json --delay 10m",
        "cronops queue enqueue --handler sample.echo --payload - < payloads.jsonl",
        "cronops queue enqueue --messages --payload - < messages.jsonl",
    )
)
def enqueue(
    payload: Annotated[
        str,
        typer.Option(
            "--payload",
            metavar="JSON|@FILE|-",
            help="The payload, a file with it, or - for JSON lines on stdin: a message each.",
        ),
    ],
    handler: Annotated[
        str | None,
        typer.Option(
            "--handler", metavar="HANDLER", help="Which handler works them.", show_default=False
        ),
    ] = None,
    queue: Annotated[
        str, typer.Option("--queue", metavar="QUEUE", help="Into which queue.")
    ] = "general",
    messages: Annotated[
        bool,
        typer.Option(
            "--messages",
            help="With -: each line is an object with handler, payload, queue, direction, "
            "priority, available_at, max_attempts, dedupe_key, correlation_id; options are the "
            "defaults.",
        ),
    ] = False,
    direction: Annotated[
        Direction, typer.Option("--direction", help="From others, or towards them.")
    ] = Direction.INCOMING,
    priority: Annotated[
        int,
        typer.Option(
            "--priority",
            metavar="NUMBER",
            min=-1000,
            max=1000,
            help="Each point is a minute of waiting.",
        ),
    ] = 0,
    delay: Annotated[
        timedelta | None,
        typer.Option(
            "--delay",
            parser=parse_duration,
            metavar="DURATION",
            help="Not before so long from now.",
            show_default=False,
        ),
    ] = None,
    available_at: Annotated[
        datetime | None,
        typer.Option(
            "--available-at",
            parser=instant,
            metavar="TIME",
            help="Not before then.",
            show_default=False,
        ),
    ] = None,
    dedupe_key: Annotated[
        str | None,
        typer.Option(
            "--dedupe-key",
            metavar="KEY",
            help="Left out where an unfinished message of the queue has the same key.",
            show_default=False,
        ),
    ] = None,
    max_attempts: Annotated[
        int | None,
        typer.Option(
            "--max-attempts",
            min=1,
            metavar="NUMBER",
            help="Instead of the handler's.",
            show_default=False,
        ),
    ] = None,
    correlation_id: Annotated[
        str | None,
        typer.Option(
            "--correlation-id",
            metavar="ID",
            help="Ties them to what caused them.",
            show_default=False,
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also for a handler that is not known here.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Put messages into a queue.

    All of them or, where one is wrong, none (exit 65).
    """
    if delay is not None and available_at is not None:
        raise UsageError("give --delay or --available-at, not both")
    if messages and payload != "-":
        raise UsageError("--messages is for JSON lines: give --payload -")
    if handler is None and not messages:
        raise UsageError("say which handler works them, with --handler")
    if dedupe_key is not None and payload == "-":
        raise UsageError("one --dedupe-key for many messages leaves one: use --messages")
    check = _handler_check(force)
    if handler is not None:
        check(handler)
    single = None if payload == "-" else parse_json(_text_of(payload), "--payload")
    fields = {
        "handler": handler,
        "queue": queue,
        "direction": direction,
        "priority": priority,
        "available_at": available_at,
        "max_attempts": max_attempts,
        "dedupe_key": dedupe_key,
        "correlation_id": correlation_id,
    }
    with session("queue enqueue", longest_silence=_LONGEST_SILENCE) as at:
        if delay is not None:
            fields["available_at"] = _from_now(at, delay)
        if payload == "-":
            lines = messages_of(sys.stdin.buffer, fields, check, whole=messages)
            _enqueue_many(at, lines, fields, as_json)
        else:
            _enqueue_one(at, message_of({**fields, "payload": single}, "the message"), as_json)


def _enqueue_one(at: "Session", message: NewMessage, as_json: bool) -> None:
    from cronops.db.audit import write_audit
    from cronops.queue.enqueue import enqueue

    with at.connection.transaction():
        made = enqueue(at.connection, message)
        if made is not None:
            write_audit(
                at.connection,
                actor=at.actor,
                action="queue enqueue",
                subject=f"message {made}",
                details={"queue": message.queue, "handler": message.handler},
            )
    if as_json:
        show_json({"id": made, "enqueued": int(made is not None), "queue": message.queue})
    elif made is None:
        key = message.dedupe_key
        print_line(f"Not enqueued: an unfinished message has the dedupe key {key!r} already.")
    else:
        print_line(f"Enqueued message {made} in {message.queue} for {message.handler}.")


def _enqueue_many(
    at: "Session", lines: Iterator[NewMessage], fields: dict[str, Any], as_json: bool
) -> None:
    from cronops.db.audit import write_audit
    from cronops.queue.enqueue import enqueue_many

    if sys.stdin.isatty():
        note("Reading JSON lines from the terminal; end with Ctrl-D.")
    read = _Counter(lines)
    with at.connection.transaction():
        made = enqueue_many(at.connection, read)
        if made:
            write_audit(
                at.connection,
                actor=at.actor,
                action="queue enqueue",
                subject=f"{made} messages",
                details={"queue": fields["queue"], "handler": fields["handler"]},
            )
    left_out = read.count - made
    if as_json:
        show_json({"enqueued": made, "left_out": left_out})
        return
    print_line(f"Enqueued {made} {'message' if made == 1 else 'messages'}.")
    if left_out:
        print_line(f"Left out {left_out}: unfinished messages have the same dedupe keys.")


class _Counter:
    """Passes messages on, counts them, and shows it at a terminal."""

    def __init__(self, messages: Iterator[NewMessage]) -> None:
        self._messages = messages
        self.count = 0

    def __iter__(self) -> Iterator[NewMessage]:
        bar = None
        if sys.stderr.isatty():
            from cronops.telemetry.progress import ProgressBar

            bar = ProgressBar("enqueue")
        for message in self._messages:
            self.count += 1
            if bar is not None and self.count % _PROGRESS_EVERY == 0:
                bar.show(self.count)
            yield message
        if bar is not None:
            bar.show(self.count, self.count)


def _text_of(payload: str) -> str:
    if not payload.startswith("@"):
        return payload
    path = Path(payload[1:])
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise BadInput(f"{path} is not UTF-8 text") from None
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror}") from None


def _handler_check(force: bool) -> Check:
    from cronops.jobs.registry import list_handlers

    known = set(list_handlers())

    def check(name: str) -> None:
        if name in known:
            return
        if not force:
            hint = nearest(name, sorted(known))
            raise BadInput(
                f"no handler is called {name!r} here{hint}; if it belongs to another deployment, "
                "give --force; nothing was enqueued"
            )
        known.add(name)
        note(f"warning: no handler is called {name!r} here; where it is not deployed it crashes")

    return check


def _from_now(at: "Session", delay: timedelta) -> datetime:
    try:
        row = at.connection.execute("SELECT clock_timestamp() + %s", (delay,)).fetchone()
    except Exception as error:
        raise UsageError(f"--delay is further than the calendar goes: {delay}") from error
    assert row is not None  # noqa: S101 - SELECT of one row
    due: datetime = row[0]
    return due
