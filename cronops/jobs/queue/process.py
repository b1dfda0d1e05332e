"""CR-006: work the messages of a queue, under the queue's lock."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cronops.contract.context import JobContext
from cronops.contract.job import Lock, Outcome, job
from cronops.contract.retry import Retry
from cronops.errors import DatabaseUnavailable, UsageError
from cronops.owners import PLATFORM_EXPORT, SHARED_OPS, STOCK_IMPORT

if TYPE_CHECKING:
    from cronops.config import Settings
    from cronops.queue.care import MessageCare
    from cronops.queue.failure import OnCrash

_TIMEOUT = timedelta(minutes=15)
_SHARD = re.compile(r"(?P<index>\d{1,4}|auto)/(?P<of>[1-9]\d{0,3})")

_OTHER_HOLDER = """
SELECT holder FROM lease
WHERE key = %(key)s AND NOT token = ANY(%(own)s) AND expires_at > clock_timestamp()
LIMIT 1
"""


def queue_key(queue: str) -> str:
    """The lock of one queue."""
    return f"cron.queue.process.{queue}"


def locks(*, queue: str, shard: str | None = None, **others: Any) -> Sequence[Lock]:
    """cron.queue.process.{queue}; a shard holds that shared, and its own exclusively.

    So an unsharded run is kept out while any shard works, and shards while it does.
    """
    if others.get("concurrency", 1) < 1:
        raise UsageError("--concurrency must be at least 1")
    if shard is None:
        return (Lock(queue_key(queue)),)
    return (
        Lock(f"{queue_key(queue)}.shard.{shard_index(shard)}"),
        Lock(queue_key(queue), shared=True),
    )


def shard_index(shard: str) -> int:
    """The index in ``I/N``; ``auto/N`` takes it from JOB_COMPLETION_INDEX.

    I counts from 1 to N or, as JOB_COMPLETION_INDEX does, from 0: it only tells the shards
    apart. Raises `UsageError` for anything else.
    """
    found = _SHARD.fullmatch(shard)
    if found is None:
        raise UsageError(f"--shard is I/N, as in 1/4, or auto/4 in an Indexed Job; not {shard!r}")
    if found["index"] == "auto":
        from cronops.config import load_settings

        index = load_settings().settings.completion_index
        if index is None:
            raise UsageError("--shard auto/N needs JOB_COMPLETION_INDEX, which is not set")
    else:
        index = int(found["index"])
    if index > int(found["of"]):
        raise UsageError(f"--shard {shard}: there is no shard {index} of {found['of']}")
    return index


def care(arguments: Mapping[str, Any], settings: "Settings") -> "MessageCare":
    """The supervisor's care for the messages this run has claimed."""
    from cronops.jobs.registry import load_handler
    from cronops.queue.care import MessageCare

    return MessageCare(
        arguments["queue"],
        settings.queue,
        settings.lock,
        load_handler,
        crash_alerts(settings, run_id=None),
    )


def crash_alerts(settings: "Settings", *, run_id: str | None) -> "OnCrash":
    """Writes the alert of a message entering CRASH, in the same transaction."""

    def on_crash(
        connection: Any, handler: str, owners: tuple[str, ...], message_id: int, error: str
    ) -> None:
        from cronops.contract.alerts.outbox import write_crashed_messages
        from cronops.errors import DeclarationError
        from cronops.jobs.registry import load_handler

        try:
            impact = load_handler(handler).impact
        except (LookupError, DeclarationError):
            impact = ""
        write_crashed_messages(
            connection,
            settings,
            handler,
            # A message that nobody is accountable for is the queue's owners' affair.
            owners or (SHARED_OPS,),
            message_id,
            error,
            run_id,
            impact=impact,
        )

    return on_crash


@job(
    "queue process",
    cr="CR-006",
    lock=locks,
    timeout=_TIMEOUT,
    retry=Retry(on=DatabaseUnavailable, attempts=3),
    idempotency="message id and claim token: a message's effects in the database are committed "
    "together with its status, or not at all",
    accountable=SHARED_OPS,
    responsible=SHARED_OPS,
    consulted=(PLATFORM_EXPORT, STOCK_IMPORT),
    counts=("processed", "failed", "crashed", "restarted", "given_back", "remaining"),
    impact="messages wait in the queue: orders, stock and images are not brought up to date",
    drains=True,
    endless_when="follow",
    processes="concurrency",
    units=care,
    preload=("cronops.jobs.registry", "cronops.queue.worker"),
)
def process(
    ctx: JobContext,
    *,
    queue: Annotated[str, "The queue to work."] = "general",
    direction: Annotated[
        Literal["incoming", "outgoing", "both"],
        "Only messages from platforms and suppliers, or only those towards them.",
    ] = "both",
    concurrency: Annotated[int, "Worker processes under the one lock."] = 1,  # noqa: ARG001 - the contract reads it
    shard: Annotated[
        str | None,
        "I/N: work beside the other shards of this queue, as in 1/4; auto/N takes I from "
        "JOB_COMPLETION_INDEX.",
    ] = None,
    max_messages: Annotated[int | None, "Stop after so many messages, per process."] = None,
    max_time: Annotated[
        timedelta | None,
        "Stop claiming after so long; default: what the timeout leaves for the last message.",
    ] = None,
    until_empty: Annotated[bool, "Stop when no message is due; this is the default."] = False,
    follow: Annotated[bool, "Wait for more messages until told to stop; no timeout."] = False,
    force_restart: Annotated[
        bool, "First restart every unfinished message of the queue, stale or not."
    ] = False,
) -> Outcome:
    """Work the messages of a queue.

    Messages are claimed in the order of their priority and age. On SIGTERM the message in hand
    is finished and the rest goes back.
    """
    from cronops.jobs.registry import load_handler
    from cronops.queue.worker import WorkOptions, work_queue

    if until_empty and follow:
        raise UsageError("--until-empty and --follow exclude each other")
    if max_messages is not None and max_messages < 1:
        raise UsageError("--max-messages must be at least 1")
    if force_restart and shard is not None:
        _refuse_beside_others(ctx, queue)
    options = WorkOptions(
        queue=queue,
        direction=None if direction == "both" else direction,
        max_messages=max_messages,
        max_time=max_time,
        deadline=None if follow else _TIMEOUT - ctx.settings.supervisor.grace,
        follow=follow,
        force_restart=force_restart,
    )
    tally = work_queue(
        ctx,
        options,
        find_handler=load_handler,
        on_crash=crash_alerts(ctx.settings, run_id=ctx.run_id),
    )
    warnings = []
    if tally.crashed:
        warnings.append(
            f"{tally.crashed} messages entered CRASH; see: "
            f"cronops queue list --queue {queue} --status CRASH"
        )
    return Outcome(warnings=warnings)


def _refuse_beside_others(ctx: JobContext, queue: str) -> None:
    with ctx.connect("check") as connection:
        other = connection.execute(
            _OTHER_HOLDER, {"key": queue_key(queue), "own": list(ctx.tokens)}
        ).fetchone()
    if other is not None:
        raise UsageError(
            f"--force-restart would take messages from another shard of {queue!r}, which "
            f"{other[0]} is working; stop the other shards first, or reset single messages: "
            "cronops queue reset"
        )
