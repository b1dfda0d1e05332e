"""The composition root: hands the queue to the contract, and says how a worker is started anew."""

import sys
from collections.abc import Iterable, Sequence
from typing import Any

import psycopg

from cronops.contract.wiring import Wiring


def _enqueue(
    connection: psycopg.Connection[Any], handler: str, payload: Any, **fields: Any
) -> int | None:
    # Imported when first used: most runs enqueue nothing.
    from cronops.queue.enqueue import enqueue
    from cronops.queue.message import NewMessage

    return enqueue(connection, NewMessage(handler=handler, payload=payload, **fields))


def _enqueue_many(
    connection: psycopg.Connection[Any], handler: str, payloads: Iterable[Any], **fields: Any
) -> int:
    from cronops.queue.enqueue import enqueue_many
    from cronops.queue.message import NewMessage

    return enqueue_many(
        connection,
        (
            payload
            if isinstance(payload, NewMessage)
            else NewMessage(handler=handler, payload=payload, **fields)
            for payload in payloads
        ),
    )


def _worker_command(job_name: str) -> Sequence[str]:
    return (sys.executable, "-m", "cronops.jobs.worker", job_name)


WIRING = Wiring(_enqueue, _enqueue_many, _worker_command)
