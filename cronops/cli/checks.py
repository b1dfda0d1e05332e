"""What the doctor looks at. Each check yields its findings and knows what to do about them."""

import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cronops.cli.output import as_text, span
from cronops.errors import CronopsError

if TYPE_CHECKING:
    from cronops.config import Loaded, Settings

OLDEST_SERVER = 14
_SKEW_TOLERATED = timedelta(seconds=2)
_ANSWER_WITHIN = 5.0


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's."""

    check: str
    state: Literal["ok", "warn", "fail"]
    detail: str
    advice: str = ""
    """What to do about it."""


def settings(loaded: "Loaded") -> Iterator[Finding]:
    """Variables that mean nothing, and values that contradict each other."""
    from cronops.cli.config import unknown_variables

    problems = [
        Finding("settings", "warn", problem, "correct or remove it")
        for problem in unknown_variables(loaded)
    ]
    problems += _unsound(loaded.settings)
    yield from problems
    if not problems:
        yield Finding("settings", "ok", f"environment {loaded.settings.environment!r}")


def _unsound(settings: "Settings") -> Iterator[Finding]:
    queue = settings.queue
    if queue.stale_after <= settings.lock.ttl:
        yield Finding(
            "settings",
            "fail",
            f"CRONOPS_QUEUE__STALE_AFTER ({span(queue.stale_after)}) is not longer than "
            f"CRONOPS_LOCK__TTL ({span(settings.lock.ttl)})",
            "messages at work would be taken for stale: make it several times as long",
        )
    if queue.backoff > queue.backoff_max:
        yield Finding(
            "settings",
            "warn",
            "CRONOPS_QUEUE__BACKOFF is longer than CRONOPS_QUEUE__BACKOFF_MAX",
            "every wait is cut to the latter",
        )
    if not settings.cron_running:
        yield Finding(
            "settings",
            "warn",
            "CRONOPS_CRON_RUNNING is false",
            "every run is skipped until it is true",
        )


def secret_files(loaded: "Loaded") -> Iterator[Finding]:
    """Files that hold secrets and may be read by strangers."""
    names = [
        source for source in loaded.sources.values() if source.startswith(("secret file ", "file "))
    ]
    paths = sorted({source.partition("file ")[2] for source in names})
    for path in paths:
        # That it can be read is certain: the settings were read from it.
        if Path(path).stat().st_mode & stat.S_IROTH:
            yield Finding("secret files", "warn", f"everybody may read {path}", f"chmod o= {path}")
        else:
            yield Finding("secret files", "ok", path)


def database(settings: "Settings") -> Iterator[Finding]:
    """Whether it can be reached, and is new enough."""
    from cronops.db.connect import connect

    with connect(settings, "doctor") as connection:
        version = connection.info.server_version // 10000
        where = _place(connection.info.dsn, settings)
        if version < OLDEST_SERVER:
            yield Finding(
                "database",
                "fail",
                f"PostgreSQL {version} at {where}",
                f"upgrade the server to {OLDEST_SERVER} or newer",
            )
        else:
            yield Finding("database", "ok", f"PostgreSQL {version} at {where}")


def _place(dsn: str, settings: "Settings") -> str:
    from psycopg.conninfo import conninfo_to_dict

    if settings.database_url is None:
        return f"{settings.data_dir} (embedded)"
    parts = conninfo_to_dict(dsn)
    return f"{parts.get('host') or 'localhost'}:{parts.get('port') or 5432}/{parts.get('dbname')}"


def schema(settings: "Settings") -> Iterator[Finding]:
    """Whether our tables are there, of this program's revision."""
    from cronops.db.connect import SCHEMA_REVISION, check_schema, connect

    with connect(settings, "doctor", statement_timeout=timedelta(seconds=_ANSWER_WITHIN)) as at:
        check_schema(at, settings)
    yield Finding("schema", "ok", f"{settings.db.schema_name} at revision {SCHEMA_REVISION}")


def clock(settings: "Settings") -> Iterator[Finding]:
    """How far this machine's clock is from the database's, which decides."""
    from cronops.db.connect import connect

    with connect(settings, "doctor") as connection:
        sent = datetime.now(UTC)
        row = connection.execute("SELECT clock_timestamp()").fetchone()
        received = datetime.now(UTC)
    assert row is not None  # noqa: S101 - SELECT of one row
    skew = abs(row[0] - (sent + (received - sent) / 2))
    detail = f"{span(skew)} from the database's"
    if skew > _SKEW_TOLERATED + (received - sent):
        yield Finding(
            "clock", "warn", detail, "set up NTP on both: ages shown here are off by that"
        )
    else:
        yield Finding("clock", "ok", detail)


def pooling(settings: "Settings") -> Iterator[Finding]:
    """Whether a pooler in transaction mode is in between."""
    from cronops.db.pooling import uses_transaction_pooling

    if uses_transaction_pooling(settings):
        yield Finding(
            "pooling",
            "warn",
            "a pooler in transaction mode is in between",
            "point CRONOPS_DATABASE_URL at the server or at a pooler in session mode: time limits "
            "of a session do not hold otherwise",
        )
    else:
        yield Finding(
            "pooling", "ok", "connections reach the server itself, or a session of its own"
        )


def pauses(settings: "Settings") -> Iterator[Finding]:
    """What is held back at the moment: easily forgotten."""
    from cronops.contract.switch import EVERY_JOB, list_pauses
    from cronops.db.connect import connect

    with connect(settings, "doctor") as connection:
        held = [row for row in list_pauses(connection) if not row["over"]]
    for row in held:
        everything = row["job"] == EVERY_JOB
        yield Finding(
            "pauses",
            "warn",
            f"{'all jobs are' if everything else row['job'] + ' is'} paused by {row['paused_by']}: "
            f"{row['reason']}",
            f"end it with: cronops resume {'--all' if everything else row['job']}",
        )
    if not held:
        yield Finding("pauses", "ok", "no job is paused")


def declarations(settings: "Settings") -> Iterator[Finding]:
    """Whether every job and handler can be imported, and names owners that are known."""
    from cronops.jobs.registry import list_handlers, list_jobs

    for noun, names, owners_of in (
        ("jobs", [listed.path for listed in list_jobs()], _owners_of_job),
        ("handlers", list(list_handlers()), _owners_of_handler),
    ):
        sound = True
        for name in names:
            for problem in _declaration_problems(name, owners_of, settings):
                sound = False
                yield Finding(noun, "fail", problem, "correct its declaration")
        if sound:
            yield Finding(noun, "ok", f"{len(names)} declared, all sound")


def _declaration_problems(
    name: str, owners_of: Callable[[str], Iterable[str]], settings: "Settings"
) -> Iterator[str]:
    from cronops.owners import check_owners

    try:
        check_owners(owners_of(name), of=name, configured=settings.owners)
    except CronopsError as error:
        yield str(error)


def _owners_of_job(name: str) -> Iterable[str]:
    from cronops.cli.job_command import job_command
    from cronops.jobs.registry import load_job

    job = load_job(name)
    job_command(job)  # its options must be possible, too
    return (*job.accountable, job.responsible, *job.consulted)


def _owners_of_handler(name: str) -> Iterable[str]:
    from cronops.jobs.registry import load_handler

    return load_handler(name).accountable


def alert_routes(settings: "Settings") -> Iterator[Finding]:
    """Whether a failure of any job, or of any handler's message, finds its owners."""
    from cronops.contract.alerts.routes import check_routes, is_configured

    problems = check_routes(settings, _owners_in_use())
    for problem in problems:
        yield Finding("alert routes", "fail", problem)
    if problems:
        return
    if is_configured(settings):
        yield Finding(
            "alert routes", "ok", "every owner is reached", "try: cronops alerts test JOB"
        )
    else:
        advice = "set CRONOPS_ALERTS__ROUTES_FILE or CRONOPS_ALERTMANAGER_URL"
        yield Finding("alert routes", "warn", "none configured: failures are only logged", advice)


def _owners_in_use() -> set[str]:
    from cronops.jobs.registry import list_handlers, list_jobs, load_handler, load_job

    owners: set[str] = set()
    for name in [listed.path for listed in list_jobs()]:
        with suppress(CronopsError):  # told by the declarations' check
            job = load_job(name)
            owners |= {*job.accountable, job.responsible}
    for name in list_handlers():
        with suppress(CronopsError):
            owners |= set(load_handler(name).accountable)
    return owners


def gateways(settings: "Settings") -> Iterator[Finding]:
    """Whether the Pushgateway and the Alertmanager answer, where they are configured."""
    targets = {
        "pushgateway": (settings.pushgateway_url, "/-/ready"),
        "alertmanager": (settings.alertmanager_url, "/-/ready"),
    }
    for name, (url, path) in targets.items():
        if url is None:
            yield Finding(name, "ok", "not configured")
        else:
            yield _answering(name, url.get_secret_value(), path)


def _answering(name: str, url: str, path: str) -> Finding:
    import httpx

    from cronops.telemetry.redact import mask_url

    base = url if "://" in url else f"http://{url}"
    shown = mask_url(base)
    try:
        answer = httpx.get(base.rstrip("/") + path, timeout=_ANSWER_WITHIN)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Finding(
            name,
            "fail",
            f"{shown} does not answer: {as_text(str(error) or type(error).__name__)}",
            "runs still count, but what they report is late: check the address and the network",
        )
    if answer.is_success:
        return Finding(name, "ok", f"{shown} is ready")
    return Finding(
        name, "warn", f"{shown} answers {answer.status_code} to {path}", "is it the right address?"
    )


def metrics_file(settings: "Settings") -> Iterator[Finding]:
    """Whether the textfile can be written."""
    import os

    path = settings.metrics_textfile
    if path is None:
        return
    if path.parent.is_dir() and os.access(path.parent, os.W_OK):
        yield Finding("metrics file", "ok", str(path))
    else:
        yield Finding(
            "metrics file", "fail", f"cannot write in {path.parent}", "create it, or chmod"
        )


DATABASE_CHECKS: Mapping[str, Callable[["Settings"], Iterable[Finding]]] = {
    "schema": schema,
    "clock": clock,
    "pooling": pooling,
    "pauses": pauses,
}
OTHER_CHECKS: Mapping[str, Callable[["Settings"], Iterable[Finding]]] = {
    "declarations": declarations,
    "alert routes": alert_routes,
    "gateways": gateways,
    "metrics file": metrics_file,
}
