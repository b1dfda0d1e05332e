"""What starts at once after a change, by the CronJob controller's own rule for missed times."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cronops.cluster.firing import firing, missed, next_slot

NOW = datetime(2026, 11, 26, 10, 7, tzinfo=UTC)


def cron_job(
    schedule: str = "0 * * * *",
    *,
    suspend: bool = False,
    deadline: int | None = 900,
    last: str | None = "2026-11-26T09:00:00Z",
    active: bool = False,
    **spec: Any,
) -> dict[str, Any]:
    status = {"lastScheduleTime": last} | ({"active": [{"name": "a"}]} if active else {})
    said = {"schedule": schedule, "suspend": suspend, "concurrencyPolicy": "Forbid", **spec}
    if deadline is not None:
        said["startingDeadlineSeconds"] = deadline
    meta = {"name": "x", "creationTimestamp": "2026-11-20T00:00:00Z"}
    return {"metadata": meta, "spec": said, "status": status}


@pytest.mark.parametrize(
    ("live", "wanted", "slot"),
    [
        (cron_job(suspend=True), cron_job(), 10),
        (cron_job(suspend=True), cron_job(suspend=True), None),
        (cron_job(), cron_job(), None),
        (cron_job("0 5 * * *"), cron_job(), 10),
        (cron_job("0 5 * * *"), cron_job("0 6 * * *"), None),
        # Further back than the deadline nothing is made up for, nor what was started already.
        (cron_job(suspend=True, deadline=300), cron_job(deadline=300), None),
        (cron_job(suspend=True, last="2026-11-26T10:00:00Z"), cron_job(), None),
        (cron_job(suspend=True, last=None), cron_job(), 10),
        (cron_job(suspend=True), cron_job(timeZone="Asia/Kolkata"), None),
        (cron_job(suspend=True), cron_job(timeZone="No/Where"), None),
        (cron_job(suspend=True), cron_job("61 * * * *"), None),
        (cron_job(suspend=True, deadline=None), cron_job("0 4 * * *", deadline=None), None),
        (None, cron_job(), None),
    ],
)
def test_what_fires(live: Any, wanted: Any, slot: int | None) -> None:
    found = firing(live, wanted, NOW)
    assert (found and found.slot.hour) == slot
    if found:
        assert not found.waits_for_active


def test_an_active_run_comes_first_where_two_are_forbidden() -> None:
    found = firing(cron_job(suspend=True, active=True), cron_job(), NOW)
    assert found
    assert found.waits_for_active
    allowed = cron_job(concurrencyPolicy="Allow")
    at_once = firing(cron_job(suspend=True, active=True), allowed, NOW)
    assert at_once
    assert not at_once.waits_for_active


def test_the_latest_missed_time_however_long_ago() -> None:
    spec = {"schedule": "0 4 1 1 *"}
    assert missed(spec, datetime(2020, 1, 1, tzinfo=UTC), NOW) == datetime(
        2026, 1, 1, 4, tzinfo=UTC
    )
    assert missed(spec, NOW - timedelta(days=3), NOW) is None


def test_the_next_time_is_in_utc() -> None:
    spec = {"schedule": "0 4 * * *", "timeZone": "Europe/Berlin"}
    assert next_slot(spec, NOW) == datetime(2026, 11, 27, 3, tzinfo=UTC)
    assert next_slot({"schedule": "0 0 31 2 *"}, NOW) is None
