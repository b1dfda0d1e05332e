"""``cronops queue pause``, ``resume``, ``prioritize``, ``retry``, ``reset`` and ``cancel``."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cronops.cli.output import note, print_line, show_json
from cronops.cli.queue.selection import (
    Handler,
    Ids,
    MaybeIds,
    Queue,
    refuse_unknown_handler,
    refuse_unknown_queue,
)
from cronops.cli.session import Json, MaybeReason, Reason, future, session
from cronops.cli.tree import examples, operator_app
from cronops.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from cronops.cli.session import Session
    from cronops.queue.control import Act, Changed

app = operator_app()


@app.command(
    epilog=examples(
        'cronops queue pause --queue general --reason "ERP is down" --until 2h',
        'cronops queue pause 4711 4712 --reason "wrong price list"',
    )
)
def pause(
    ids: MaybeIds = None,
    queue: Queue = None,
    until: Annotated[
        datetime | None,
        typer.Option(
            "--until",
            parser=future,
            metavar="TIME",
            help="For a queue: ends by itself, 2h from now or at 2026-11-23T04:00:00Z.",
            show_default=False,
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also a queue that has no message yet.")
    ] = False,
    reason: MaybeReason = None,
    as_json: Json = False,
) -> None:
    """Stop working a queue, or single messages; what is in a handler is finished first."""
    from cronops.queue import control

    _one_of(ids, queue)
    if not reason:
        raise UsageError("say why with --reason: whoever finds it paused will want to know")
    if ids and until:
        raise UsageError("--until is for a queue; a message waits until it is resumed")
    with session("queue pause") as at:
        if ids:
            _report("Paused", control.pause_messages(at.connection, ids, _act(at, reason)), as_json)
            return
        assert queue is not None  # noqa: S101 - one of the two was given
        if not force:
            refuse_unknown_queue(at, queue)
        control.pause_queue(at.connection, queue, _act(at, reason), until=until)
    if as_json:
        show_json({"queue": queue, "paused": True, "until": until})
    else:
        end = f"until {until:%Y-%m-%d %H:%M} UTC" if until else "until it is resumed"
        print_line(f"Paused queue {queue} {end}.")


@app.command(epilog=examples("cronops queue resume --queue general", "cronops queue resume 4711"))
def resume(
    ids: MaybeIds = None, queue: Queue = None, reason: MaybeReason = None, as_json: Json = False
) -> None:
    """Go on with a paused queue, or with paused messages."""
    from cronops.queue import control

    _one_of(ids, queue)
    with session("queue resume") as at:
        if ids:
            changed = control.resume_messages(at.connection, ids, _act(at, reason))
            _report("Resumed", changed, as_json)
            return
        assert queue is not None  # noqa: S101 - one of the two was given
        was_paused = control.resume_queue(at.connection, queue, _act(at, reason))
    if as_json:
        show_json({"queue": queue, "paused": False, "was_paused": was_paused})
    else:
        print_line(f"Resumed queue {queue}." if was_paused else f"Queue {queue} was not paused.")


@app.command(epilog=examples("cronops queue prioritize 4711 --priority 60"))
def prioritize(
    ids: Ids,
    priority: Annotated[
        int,
        typer.Option(
            "--priority", metavar="NUMBER", help="-1000 to 1000; each point is a minute of waiting."
        ),
    ],
    reason: MaybeReason = None,
    as_json: Json = False,
) -> None:
    """Move unfinished messages forward or back in the order of work.

    A message of priority 60 goes before one of priority 0 that has waited up to an hour longer;
    so even the least urgent one is worked in the end.
    """
    from cronops.queue import control

    with session("queue prioritize") as at:
        changed = control.prioritize(at.connection, ids, priority, _act(at, reason))
        _report("Prioritized", changed, as_json)


@app.command(
    epilog=examples(
        "cronops queue retry 4711",
        'cronops queue retry --handler orders.process --reason "bug 123 is fixed"',
    )
)
def retry(
    ids: MaybeIds = None,
    queue: Queue = None,
    handler: Handler = None,
    reason: MaybeReason = None,
    as_json: Json = False,
) -> None:
    """Put messages from CRASH back to NEW, with all their attempts before them.

    Those that match everything given. The alert about the handler's crashed messages is resolved.
    """
    from cronops.contract.alerts.outbox import write_handler_recovered
    from cronops.queue import control

    with session("queue retry") as at:

        def recovered(connection: Any, of_handler: str) -> None:
            write_handler_recovered(connection, at.settings, of_handler, actor=at.actor)

        changed = control.retry(
            at.connection,
            _act(at, reason),
            ids=ids or None,
            queue=queue,
            handler=handler,
            on_retry=recovered,
        )
        if not changed.ids and not ids:
            if queue:
                refuse_unknown_queue(at, queue)
            if handler:
                refuse_unknown_handler(handler)
        _report("Retried", changed, as_json, none="No message in CRASH matches.")


@app.command(
    epilog=examples(
        "cronops queue reset 4711",
        'cronops queue reset --queue general --reason "its node is gone"',
    )
)
def reset(
    ids: MaybeIds = None, queue: Queue = None, reason: MaybeReason = None, as_json: Json = False
) -> None:
    """Take IN_QUEUE and PROCESSING messages from whoever holds them, back to NEW.

    Seldom needed: what a dead worker held is restarted by itself. A worker that is still at one
    can commit nothing of it any more; what it did outside the database may be done twice.
    """
    from cronops.queue import control

    _one_of(ids, queue)
    with session("queue reset") as at:
        changed = control.reset(at.connection, _act(at, reason), ids=ids or None, queue=queue)
        if not changed.ids and queue:
            refuse_unknown_queue(at, queue)
        _report("Reset", changed, as_json, none="No message of it is in anybody's hands.")


@app.command(epilog=examples('cronops queue cancel 4711 --reason "sent twice by the ERP"'))
def cancel(ids: Ids, reason: Reason, as_json: Json = False) -> None:
    """Put NEW messages to CRASH: they do not run, but stay to be seen, or retried."""
    from cronops.queue import control

    with session("queue cancel") as at:
        _report("Cancelled", control.cancel(at.connection, ids, _act(at, reason)), as_json)


def _act(at: "Session", reason: str | None) -> "Act":
    from cronops.queue.control import Act

    return Act(at.actor, reason)


def _one_of(ids: list[int] | None, queue: str | None) -> None:
    if bool(ids) == bool(queue):
        raise UsageError("name messages by their ids, or a queue by --queue")


def _report(verb: str, changed: "Changed", as_json: bool, *, none: str = "") -> None:
    """Say what was done, and on stderr what was not; exit 1 where a named one was refused."""
    if as_json:
        show_json({"changed": changed.ids, "refused": changed.refused})
    elif changed.ids:
        shown = ", ".join(map(str, changed.ids[:10])) + (" …" if len(changed.ids) > 10 else "")
        noun = "message" if len(changed.ids) == 1 else f"{len(changed.ids)} messages:"
        print_line(f"{verb} {noun} {shown}")
    elif none and not changed.refused:
        print_line(none)
    for message, why in changed.refused.items():
        note(f"error: message {message} was left alone: {why}")
    if changed.refused:
        raise typer.Exit(ExitCode.FAILED)
