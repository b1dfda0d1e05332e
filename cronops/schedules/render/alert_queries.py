"""The PromQL of the alerts. What is measured where, and why so: docs/alerts.md.

Every query ends without labels of its own, whatever scrapes the metrics and however many replicas
it has; the alert's labels say whose it is. Jobs are joined to their CronJobs once for an
environment, by the recording rules; a schedule's own queries find their series by equality, so
that a thousand of them cost little.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

# As cronops.contract.metrics names them, which this package must not import; a test compares.
LAST_SUCCESS = "cronops_last_success_timestamp_seconds"
LAST_FAILURE = "cronops_last_failure_timestamp_seconds"

WATCHED_SINCE = "cronops:cronjob_watched_since:seconds"
UNFINISHED_SINCE = "cronops:cronjob_unfinished_since:seconds"
FAILED_START = "cronops:cronjob_failed_start:seconds"
PENDING_SINCE = "cronops:cronjob_pending_since:seconds"
CRONJOBS = "cronops:cronjobs:count"

_UNSAFE = re.compile(r'["\\]|[^ -~]')


@lru_cache(maxsize=16384)
def text(value: str) -> str:
    """A PromQL string, in ASCII."""
    return f'"{_UNSAFE.sub(_escaped, value)}"'


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    return f"\\{character}" if character in '"\\' else f"\\U{ord(character):08x}"


@dataclass(frozen=True)
class InEnvironment:
    """The queries about one environment as a whole."""

    environment: str
    namespace: str

    def recordings(self) -> dict[str, str]:
        """What is worked out once for all schedules: the series' names and their queries."""
        namespace = f"namespace={text(self.namespace)}"
        same = "on (cronjob, schedule, timezone)"
        info = f"kube_cronjob_info{{{namespace}}}"
        suspended = f"{info} and on (cronjob) (kube_cronjob_spec_suspend{{{namespace}}} == 1)"
        remembered = f"last_over_time({WATCHED_SINCE}{{environment={text(self.environment)}}}[1d])"
        now = "group by (cronjob, schedule, timezone)"
        complete = f'kube_job_complete{{{namespace},condition="true"}} == 1'
        failed = f'kube_job_failed{{{namespace},condition="true"}} == 1'
        return {
            CRONJOBS: f"count({info})",
            # Kubernetes does not tell since when a CronJob is not suspended, or has its present
            # schedule. So the time at which it was first seen so is carried along, a day without
            # metrics at most.
            WATCHED_SINCE: (
                f"{now} ({suspended}) * time()\n"
                f"or {same} {remembered} and {same} {info}\n"
                f"or {same} {now} ({info}) * time()"
            ),
            UNFINISHED_SINCE: _by_cronjob(
                namespace,
                "min",
                f"kube_job_status_start_time{{{namespace}}}\n"
                f"    unless on (job_name) ({complete} or {failed})",
            ),
            # Each pod that fails tells so after it was made: only the last one's word counts.
            FAILED_START: _by_cronjob(
                namespace,
                "max",
                f"(kube_job_status_start_time{{{namespace}}}\n"
                f"    or {_pods(namespace, 'max', 'Failed')})\n"
                f"    and on (job_name) ({failed})",
            ),
            PENDING_SINCE: _by_cronjob(namespace, "min", _pods(namespace, "min", "Pending")),
        }

    def unseen(self) -> str:
        """Not one CronJob is seen here: kube-state-metrics is gone, or all of them are."""
        return f"absent(kube_cronjob_info{{namespace={text(self.namespace)}}})"

    def migration_failed(self, name: str, hashed: str) -> str:
        """Seconds since a migration's Job began that failed, where no later one is complete.

        Its name is `name`, or `hashed` and a hash.
        """
        names = f"{name}|{hashed}-h[0-9a-f]{{10}}".replace(".", "[.]")
        jobs = f"namespace={text(self.namespace)},job_name=~{text(names)}"
        began = f"kube_job_status_start_time{{{jobs}}}\n  and on (job_name)"
        return (
            f"time() - (max(\n"
            f'  {began} (kube_job_failed{{{jobs},condition="true"}} == 1)\n'
            f") > max(\n"
            f'  {began} (kube_job_complete{{{jobs},condition="true"}} == 1)\n'
            f"  or vector(0)\n"
            f"))"
        )


NO_PUSHGATEWAY = "absent(pushgateway_build_info)"
"""Pushed metrics and the gateway's own are scraped together: without the one no other."""


@dataclass(frozen=True)
class OfSchedule:
    """The queries about one schedule."""

    environment: str
    namespace: str
    schedule: str
    cronjob: str
    is_reported: bool
    """Whether its runs report metrics."""

    def missed(self, limit: int) -> str:
        """Seconds since the last good run, where more than `limit`.

        Good is also a Job that completed because its run was skipped. What is suspended against
        the file is not excused by being watched.
        """
        suspended = f"(kube_cronjob_spec_suspend{self._in_cluster} == 1)"
        seen = [
            f"kube_cronjob_status_last_successful_time{self._in_cluster}",
            f"{WATCHED_SINCE}{self._recorded} unless on (cronjob) {suspended}",
        ]
        if self.is_reported:
            seen.insert(0, f"{LAST_SUCCESS}{self._reported}")
        return f"time() - max(\n  {_either(seen)}\n) > {limit}"

    def unstarted(self, late: int, silence: int, zone: str) -> str:
        """A slot went by `late` seconds ago without a Job, or there is no CronJob.

        Not while a Job is active, which may keep the next from starting; and not before a slot
        has come for certain since the CronJob is as it is, nor where kube-state-metrics reads
        schedules in no zone.
        """
        zoned = f"{WATCHED_SINCE}{self._recorded[:-1]},timezone={text(zone)}}}"
        return (
            f"time() - max(kube_cronjob_next_schedule_time{self._in_cluster}) > {late}\n"
            f"  unless max(kube_cronjob_status_active{self._in_cluster}) > 0\n"
            f"  and time() - max({zoned}) > {silence + late}\n"
            f"or max(absent(kube_cronjob_info{self._in_cluster})\n"
            f"  and on () {CRONJOBS}{{environment={text(self.environment)}}})"
        )

    def overlong(self, limit: int) -> str:
        """Seconds since the oldest unfinished Job began, where more than `limit`."""
        return f"time() - max({UNFINISHED_SINCE}{self._recorded}) > {limit}"

    def pending(self, limit: int) -> str:
        """Seconds since the oldest pod that waits was made, where more than `limit`."""
        return f"time() - max({PENDING_SINCE}{self._recorded}) > {limit}"

    def unrecorded(self) -> str:
        """Seconds since a failed Job's last failed pod was made, of which no run has told since.

        Where its pods are not seen any more, since the Job began.

        A reported success does not count: it may be another shard's.
        """
        heard = [
            f"{LAST_FAILURE}{self._reported}",
            f"kube_cronjob_status_last_successful_time{self._in_cluster}",
            "vector(0)",
        ]
        return f"time() - (max({FAILED_START}{self._recorded}) > max(\n  {_either(heard)}\n))"

    @property
    def _reported(self) -> str:
        return f"{{environment={text(self.environment)},schedule={text(self.schedule)}}}"

    @property
    def _in_cluster(self) -> str:
        return f"{{namespace={text(self.namespace)},cronjob={text(self.cronjob)}}}"

    @property
    def _recorded(self) -> str:
        return f"{{environment={text(self.environment)},cronjob={text(self.cronjob)}}}"


def _by_cronjob(namespace: str, which: str, times: str) -> str:
    """The least or the greatest of each CronJob's times; these are by the Job's name."""
    return (
        f"{which} by (cronjob) (label_replace(\n"
        f"  max by (job_name, owner_name) "
        f'(kube_job_owner{{{namespace},owner_kind="CronJob"}})\n'
        f"  * on (job_name) group_left ()\n"
        f"  {which} by (job_name) (\n"
        f"    {times}\n"
        f"  ),\n"
        f'  "cronjob", "$1", "owner_name", "(.*)"\n'
        f"))"
    )


def _pods(namespace: str, which: str, phase: str) -> str:
    """When pods that are in that phase were made, by the name of their Job."""
    return (
        f"label_replace(\n"
        f"      max by (pod, owner_name) "
        f'(kube_pod_owner{{{namespace},owner_kind="Job"}})\n'
        f"      * on (pod) group_left ()\n"
        f"      {which} by (pod) (\n"
        f"        kube_pod_created{{{namespace}}}\n"
        f'        and on (pod) (kube_pod_status_phase{{{namespace},phase="{phase}"}} == 1)\n'
        f"      ),\n"
        f'      "job_name", "$1", "owner_name", "(.*)"\n'
        f"    )"
    )


def _either(selectors: list[str]) -> str:
    return "\n  or ".join(selectors)
