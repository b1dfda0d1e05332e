"""The audit of a thousand schedules over ninety days: calendar, history and cluster."""

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.database import Database
from benchmarks.harness import Goal, Ratio, Section, Unmeasurable, alternate
from benchmarks.memory import peak_of
from benchmarks.workers import command_of
from tests.partners.kube_api import KubeApi, kube_api

_SPACE = "cronops"
_EACH_MINUTE = 10
_FOUND = 1
# Every schedule but those of each minute starts once an hour, at its own minute. One time in five
# hundred has no run.
_HISTORY = """
INSERT INTO run (id, job, cr, schedule, scheduled_at, arguments_hash, correlation_id, lock_key,
    holder, retry_safe, started_at, finished_at, outcome)
SELECT name || '-' || minutes, 'x', 'CR-001', name, at, '', '', 'x', 'pod', true,
    at + interval '3 seconds', at + interval '9 seconds', 'succeeded'
FROM (
    SELECT 's-' || lpad(number::text, 4, '0') AS name, minutes, to_timestamp(minutes * 60) AS at,
        row_number() OVER () AS row
    FROM generate_series(0, %(count)s - 1) AS number
    CROSS JOIN LATERAL generate_series(
        %(now)s / 60 * 60 - %(days)s * 1440 + CASE WHEN number < %(each_minute)s THEN 0
            ELSE number %% 60 END,
        %(now)s, CASE WHEN number < %(each_minute)s THEN 1 ELSE 60 END) AS minutes
) AS slots
WHERE row %% 500 <> 0
ORDER BY at
"""
# What the audit asks the database, read and thrown away.
_BARE = """
SELECT schedule, count(scheduled_at) FROM cronops.run WHERE schedule IS NOT NULL GROUP BY schedule
"""


def run(database: Database, quick: bool) -> Sequence[Section]:
    """Whole processes at two lengths of history; their memory too."""
    count, days, rounds = (100, 7, 1) if quick else (1_000, 90, 3)
    with (
        database.sibling("audits") as own,
        kube_api() as api,
        tempfile.TemporaryDirectory(prefix="cronops-audits-") as directory,
    ):
        rows = _fill(own, count, days)
        for number in range(count):
            _add_schedule(api, number)
        config = api.kubeconfig(Path(directory), _SPACE)
        times = Section(
            f"Audit: {count:,} schedules, {rows:,} runs",
            "s",
            f"`cronops cluster audit --json`, a whole process, against a history of {days} days in "
            "which one time in five hundred has no run, and an API server in this process. Beside "
            "it the history only counted by schedule.",
            digits=2,
        )
        short, long, bare = "1 day", f"{days} days", f"SELECT count(…), {days} days"
        subjects: dict[str, Callable[[], float]] = {
            short: lambda: _timed(own, config, 1),
            long: lambda: _timed(own, config, days),
            bare: lambda: _counted(own),
        }
        times.add(alternate(subjects, rounds))
        memory = Section(f"Audit: {count:,} schedules, memory", "MB", "Its peak.", digits=1)
        peaks: dict[str, Callable[[], float]] = {
            short: lambda: _peak(own, config, 1),
            long: lambda: _peak(own, config, days),
        }
        memory.add(alternate(peaks, 1 if quick else 2))
        low, high = memory.median(short), memory.median(long)
        grown = high - low if low is not None and high is not None else None
        memory.ratios.append(Ratio("growth", grown, Goal(100, at_most=True), unit=" MB"))
    return [times, memory]


def _fill(database: Database, count: int, days: int) -> int:
    now = int(datetime.now(UTC).timestamp()) // 60
    values = {"count": count, "days": days, "now": now, "each_minute": _EACH_MINUTE}
    with database.connect() as connection:
        rows = connection.execute(_HISTORY, values).rowcount
        connection.execute("VACUUM ANALYZE run")
    return rows


def _add_schedule(api: KubeApi, number: int) -> None:
    name = f"s-{number:04}"
    minute = "*" if number < _EACH_MINUTE else str(number % 60)
    api.keep(
        f"/apis/batch/v1/namespaces/{_SPACE}/cronjobs/{name}",
        {
            "metadata": {
                "name": name,
                "uid": name,
                "labels": {"app.kubernetes.io/name": "cronops", "cronops/schedule": name},
            },
            "spec": {
                "schedule": f"{minute} * * * *",
                "concurrencyPolicy": "Forbid",
                "startingDeadlineSeconds": 30,
                "jobTemplate": {"spec": {}},
            },
        },
    )


def _timed(database: Database, config: Path, days: int) -> float:
    began = time.perf_counter()
    with _started(database, config, days) as process:
        _check(process.wait())
    return time.perf_counter() - began


def _peak(database: Database, config: Path, days: int) -> float:
    with _started(database, config, days) as process:
        return peak_of(process, ends_with=_FOUND)


def _counted(database: Database) -> float:
    began = time.perf_counter()
    with database.connect() as connection:
        connection.execute(_BARE).fetchall()
    return time.perf_counter() - began


@contextmanager
def _started(database: Database, config: Path, days: int) -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen(
        [command_of("cronops"), "cluster", "audit", "--json", "--since", f"{days}d"],
        env={**database.env, "KUBECONFIG": os.fspath(config)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        yield process


def _check(code: int) -> None:
    if code != _FOUND:
        raise Unmeasurable(f"exit {code}")
