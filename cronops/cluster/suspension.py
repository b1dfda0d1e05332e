"""Suspended schedules: who, why, until when; kept in the CronJob's own annotations.

Written by a field manager of its own, so that applying manifests neither takes it away nor is in
conflict with it.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cronops.cluster.api import Cluster
from cronops.cluster.kinds import CRON_JOB, Object, annotations_of, name_of

MANAGER = "cronops-suspension"
_BY = "cronops/suspended-by"
_AT = "cronops/suspended-at"
_UNTIL = "cronops/suspended-until"
_WHY = "cronops/suspended-why"
# The manifest's own: what schedules.yaml says.
_BY_FILE = "cronops/suspended"
_PAST = "cronops/suspensions"
_MOST_PAST = 20


@dataclass(frozen=True)
class Suspension:
    """Why a CronJob stands still."""

    by: str | None
    """None where it was suspended past us, as with kubectl."""
    why: str
    since: datetime | None = None
    until: datetime | None = None
    is_of_file: bool = False
    """Said by schedules.yaml: it goes when the file says otherwise."""

    def is_over(self, now: datetime) -> bool:
        """Whether its time has passed; it stands all the same until somebody resumes."""
        return self.until is not None and self.until <= now

    @property
    def told(self) -> str:
        """In a line."""
        if self.is_of_file:
            return self.why
        until = f" until {_short(self.until)}" if self.until else ""
        since = f" since {_short(self.since)}" if self.since else ""
        return f"by {self.by or 'somebody'}{since}{until}: {self.why}"


def is_suspended(cron_job: Object) -> bool:
    """Whether it stands still."""
    return bool((cron_job.get("spec") or {}).get("suspend"))


def suspension_of(cron_job: Object) -> Suspension | None:
    """Why it stands still; None for one that runs."""
    if not is_suspended(cron_job):
        return None
    said = annotations_of(cron_job)
    if _BY in said:
        return Suspension(
            said[_BY],
            said.get(_WHY, "no reason given"),
            _time(said.get(_AT)),
            _time(said.get(_UNTIL)),
        )
    if _BY_FILE in said:
        return Suspension(None, said[_BY_FILE], is_of_file=True)
    return Suspension(None, "suspended past cronops, without a reason")


def live_suspension(cron_job: Object | None) -> Suspension | None:
    """A suspension that somebody made in the cluster, and that applying must keep."""
    found = suspension_of(cron_job) if cron_job else None
    return None if found is None or found.is_of_file else found


def suspended_spans(cron_job: Object) -> list[tuple[datetime, datetime | None, str]]:
    """When it was suspended, as its annotations tell: from, until (None: still), and what was said.

    The latest twenty; the present one only where it says since when.
    """
    spans: list[tuple[datetime, datetime | None, str]] = []
    for one in _past(cron_job):
        start, end = _time(one.get("from")), _time(one.get("to"))
        if start and end:
            spans.append((start, end, f"by {one.get('by') or 'somebody'}: {one.get('why')}"))
    now = suspension_of(cron_job)
    if now and now.since:
        spans.append((now.since, None, f"by {now.by or 'somebody'}: {now.why}"))
    return spans


def suspend(
    cluster: Cluster,
    cron_job: Object,
    *,
    by: str,
    why: str,
    until: datetime | None,
    now: datetime,
    dry_run: bool = False,
) -> Object:
    """Suspend it, or say anew who, why and until when."""
    earlier = live_suspension(cron_job)
    since = earlier.since if earlier and earlier.since else now
    said = {_BY: by, _AT: _long(since), _WHY: why}
    if until:
        said[_UNTIL] = _long(until)
    past = annotations_of(cron_job).get(_PAST)
    if past:
        said[_PAST] = past
    return _write(cluster, cron_job, said, {"suspend": True}, dry_run=dry_run)


def resume(
    cluster: Cluster, cron_job: Object, *, by: str, now: datetime, dry_run: bool = False
) -> Object:
    """Let it run again, and keep in its annotations that it stood still from then until now."""
    found = suspension_of(cron_job)
    past = _past(cron_job)
    if found and found.since:
        past.append(
            {"from": _long(found.since), "to": _long(now), "by": found.by, "why": found.why}
            | {"resumed-by": by}
        )
    said = {_PAST: json.dumps(past[-_MOST_PAST:])} if past else {}
    # First the value, which takes it from whoever had set it; then without it, so that it is
    # nobody's and the next manifest may say what it likes.
    done = _write(cluster, cron_job, said, {"suspend": False}, dry_run=dry_run)
    return done if dry_run else _write(cluster, cron_job, said, {})


def _write(
    cluster: Cluster,
    cron_job: Object,
    annotations: dict[str, str],
    spec: dict[str, Any],
    *,
    dry_run: bool = False,
) -> Object:
    body: dict[str, Any] = {
        "apiVersion": CRON_JOB.api_version,
        "kind": CRON_JOB.name,
        "metadata": {
            "name": name_of(cron_job),
            "namespace": cron_job["metadata"]["namespace"],
            "annotations": annotations,
        },
    }
    if spec:
        body["spec"] = spec
    return cluster.apply(body, manager=MANAGER, dry_run=dry_run, force=True)


def _past(cron_job: Object) -> list[dict[str, Any]]:
    try:
        past = json.loads(annotations_of(cron_job).get(_PAST, "[]"))
    except ValueError:
        return []
    return [one for one in past if isinstance(one, dict)] if isinstance(past, list) else []


def _time(text: object) -> datetime | None:
    """A time as we write it; one that a person wrote without its zone is taken for UTC."""
    try:
        moment = datetime.fromisoformat(str(text)) if text else None
    except ValueError:
        return None
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)


def _long(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def _short(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
