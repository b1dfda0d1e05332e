"""A run's metrics: gauges about the last run, for a Pushgateway and a textfile.

Gauges only: a process that ends has no counter whose increase means anything. They are
grouped by environment, job and schedule, never by run, so that a run replaces the last one's
instead of adding series for ever; a failure leaves the time of the last success as it was.
A skipped run changes nothing: the gauges speak of the last run that did something.
"""

import os
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit, urlunsplit

from cronops.config import Settings
from cronops.contract.bounded import run_bounded
from cronops.contract.job import Job

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

    from cronops.telemetry import Logger

LAST_SUCCESS = "cronops_last_success_timestamp_seconds"
LAST_FAILURE = "cronops_last_failure_timestamp_seconds"
DURATION = "cronops_last_run_duration_seconds"
EXIT_CODE = "cronops_last_run_exit_code"
COUNT = "cronops_last_run_count"

_HELP = {
    LAST_SUCCESS: "When the job last succeeded, in seconds since 1970.",
    LAST_FAILURE: "When the job last failed, in seconds since 1970.",
    DURATION: "How long the last run took.",
    EXIT_CODE: "Exit code of the last run.",
    COUNT: "What the last run counted.",
}

METRIC_NAMES = tuple(_HELP)
"""The names of all metrics of a job."""

LONGEST_SECONDS = 5.0
"""Longest that a run waits for its metrics to be taken."""

Sample = tuple[str, Mapping[str, str], float]
"""Name, labels, value."""


def metric_names(job: Job) -> list[str]:
    """The series of `job`, as ``jobs list --json`` shows them."""
    plain = [name for name in METRIC_NAMES if name != COUNT]
    return [*plain, *(f'{COUNT}{{count="{count}"}}' for count in job.counts)]


def report(
    settings: Settings,
    *,
    job: str,
    cr: str,
    schedule: str | None,
    environment: str,
    succeeded: bool,
    skipped: bool,
    duration_seconds: float,
    exit_code: int,
    counts: Mapping[str, int],
    finished_at: datetime,
    log: "Logger",
) -> None:
    """Report a finished run wherever the settings say; never raises, at most 5 seconds.

    A gateway or a file that takes nothing is a warning in the log: the work still counts.
    """
    if skipped:
        return
    group = {"environment": environment, "job": job, "schedule": schedule or ""}
    labels = {**group, "cr": cr}
    samples: list[Sample] = [
        (LAST_SUCCESS if succeeded else LAST_FAILURE, labels, finished_at.timestamp()),
        (DURATION, labels, duration_seconds),
        (EXIT_CODE, labels, float(exit_code)),
        *((COUNT, {**labels, "count": name}, float(value)) for name, value in counts.items()),
    ]
    targets: dict[str, Callable[[], None]] = {}
    if settings.pushgateway_url is not None:
        url = settings.pushgateway_url.get_secret_value()
        targets["pushgateway"] = lambda: _push(url, group, samples)
    textfile = settings.metrics_textfile
    if textfile is not None:
        targets["textfile"] = lambda: _write_textfile(textfile, group, samples)
    try:
        ended = run_bounded(list(targets.values()), LONGEST_SECONDS)
    except Exception as error:  # no thread to be had: the work still counts
        log.warning("metrics not reported", error=str(error))
        return
    for target, call in zip(targets, ended, strict=True):
        if not call.is_over:
            log.warning(
                "metrics not reported", target=target, error=f"no answer within {LONGEST_SECONDS} s"
            )
        elif call.error is not None:
            reason = str(call.error) or type(call.error).__name__
            log.warning("metrics not reported", target=target, error=reason)


def _push(url: str, group: Mapping[str, str], samples: Iterable[Sample]) -> None:
    from urllib.error import HTTPError

    from prometheus_client.exposition import basic_auth_handler, pushadd_to_gateway

    parts = urlsplit(url if "://" in url else f"http://{url}")
    location = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    user, password = unquote(parts.username or ""), unquote(parts.password or "")

    def handler(*args: Any, **kwargs: Any) -> Callable[[], None]:
        if parts.username:
            kwargs |= {"username": user, "password": password}
        return basic_auth_handler(*args, **kwargs)

    try:
        pushadd_to_gateway(
            location,
            job=group["job"],
            registry=_Families(_as_families(samples)),
            grouping_key={name: value for name, value in group.items() if name != "job"},
            timeout=LONGEST_SECONDS,
            handler=handler,
        )
    except HTTPError as error:
        # The body tells which series the gateway did not like; read, the connection is free.
        with error:
            answer = error.read(200).decode("utf-8", "replace").strip()
        raise OSError(f"it answered {error.code} {error.reason}: {answer}".rstrip(": ")) from None


def _write_textfile(path: Path, group: Mapping[str, str], samples: list[Sample]) -> None:
    from prometheus_client import generate_latest

    # Beside the file and not on it: the file itself is replaced.
    lock = os.open(
        path.with_name(f"{path.name}.lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o644
    )
    try:
        _lock_within(lock, LONGEST_SECONDS)
        kept, problem = _existing_families(path, group, {name for name, _, _ in samples})
        text = generate_latest(_Families([*kept, *_as_families(samples)]))
        # node_exporter reads *.prom only, so it never sees the unfinished file.
        unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            unfinished.write_bytes(text)
            unfinished.chmod(0o644)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    finally:
        os.close(lock)
    if problem:
        raise ValueError(f"{path} could not be read and was started anew: {problem}")


def _lock_within(descriptor: int, seconds: float) -> None:
    until = time.monotonic() + seconds
    while True:
        try:
            flock(descriptor, LOCK_EX | LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= until:
                raise TimeoutError("another process holds the metrics file's lock") from None
            time.sleep(0.02)


def _existing_families(
    path: Path, group: Mapping[str, str], replaced: set[str]
) -> "tuple[list[Metric], str | None]":
    """What the file holds besides this group's series of the `replaced` names; what was wrong."""
    from prometheus_client.metrics_core import Metric
    from prometheus_client.parser import text_string_to_metric_families

    try:
        families = list(text_string_to_metric_families(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return [], None
    except Exception as error:  # the parser raises whatever a broken line leads to
        return [], str(error) or type(error).__name__
    # This group's counts are replaced as a whole, also by a run that counted nothing.
    gone = replaced | {COUNT}
    kept = []
    for family in families:
        copy = Metric(family.name, family.documentation, family.type)
        copy.samples = [
            sample
            for sample in family.samples
            if not (sample.name in gone and group.items() <= sample.labels.items())
        ]
        if copy.samples:
            kept.append(copy)
    return kept, None


def _as_families(samples: Iterable[Sample]) -> "list[Metric]":
    from prometheus_client.metrics_core import Metric

    families: dict[str, Metric] = {}
    for name, labels, value in samples:
        family = families.setdefault(name, Metric(name, _HELP[name], "gauge"))
        family.add_sample(name, dict(labels), value)
    return list(families.values())


class _Families:
    """What prometheus_client writes out: families, those of one name merged into one."""

    def __init__(self, families: "Iterable[Metric]") -> None:
        self._by_name: dict[str, Metric] = {}
        for family in families:
            first = self._by_name.setdefault(family.name, family)
            if first is not family:
                first.samples = [*first.samples, *family.samples]

    def collect(self) -> "Iterable[Metric]":
        return self._by_name.values()
