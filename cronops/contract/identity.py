"""Who a run is: its id, what caused it, and which slot of which schedule it works."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from json import dumps
from typing import Any

from cronops.config import Settings
from cronops.errors import UsageError

_MINUTES = re.compile(r"(?P<prefix>.+)-(?P<minutes>\d{8,9})")
# The CronJob controller never starts a Job before its time; a week covers a long outage.
_OLDEST = timedelta(days=7)
_EARLIEST = timedelta(minutes=2)


@dataclass(frozen=True)
class RunOptions:
    """What a caller may say about a run; all of it also comes from the environment."""

    scheduled_at: datetime | None = None
    run_id: str | None = None
    correlation_id: str | None = None
    wait: timedelta | None = None
    fail_if_locked: bool = False


@dataclass(frozen=True)
class Identity:
    """A run's names. `scheduled_at` is None for a run by hand: such a run has no slot."""

    run_id: str
    correlation_id: str
    schedule: str | None
    scheduled_at: datetime | None
    arguments_hash: str
    shard: str
    holder: str


def canonical(arguments: Mapping[str, Any]) -> str:
    """The business arguments as one text, the same whatever their order."""
    return dumps(dict(arguments), sort_keys=True, separators=(",", ":"), default=str)


def identify(
    job_name: str, arguments: Mapping[str, Any], options: RunOptions, settings: Settings
) -> Identity:
    """The run's identity as far as it is known without the database's clock.

    Raises `UsageError` where the scheduled time carries no zone.
    """
    scheduled_at = options.scheduled_at or settings.scheduled_at
    if scheduled_at is not None and scheduled_at.tzinfo is None:
        raise UsageError("--scheduled-at needs a zone, as in 2026-11-23T04:00:00Z")
    index = settings.completion_index
    run_id = options.run_id or settings.run_id
    if run_id is None:
        # By hand: readable, sortable, and never of the form <schedule>-<minutes>.
        now = datetime.now(UTC)
        run_id = f"{job_name.replace(' ', '-')}-{now:%Y%m%dT%H%M%S}-{os.urandom(3).hex()}"
    elif index is not None and options.run_id is None:
        run_id = f"{run_id}-{index}"
    return Identity(
        run_id=run_id,
        correlation_id=options.correlation_id or settings.correlation_id or run_id,
        schedule=settings.schedule,
        scheduled_at=scheduled_at.astimezone(UTC) if scheduled_at else None,
        arguments_hash=sha256(canonical(arguments).encode()).hexdigest()[:32],
        shard="" if index is None else str(index),
        holder=f"{settings.pod.name or os.uname().nodename} pid {os.getpid()}",
    )


def scheduled_time_of(job_name: str | None, cronjob: str | None, now: datetime) -> datetime | None:
    """The time in a Kubernetes Job's name, ``<cronjob>-<minutes since 1970>``, or None.

    A name made by hand, such as ``x-20261123``, looks alike: so the prefix must be the name of
    the pod's own CronJob, and the time near `now`, the database's clock.
    """
    match = _MINUTES.fullmatch(job_name or "")
    if match is None or match["prefix"] != cronjob:
        return None
    decoded = datetime.fromtimestamp(int(match["minutes"]) * 60, UTC)
    return decoded if now - _OLDEST <= decoded <= now + _EARLIEST else None
