"""Whether the database is there, of the right version, and what stands in between."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cronops.cli.checks.finding import Finding
from cronops.cli.output import span

if TYPE_CHECKING:
    from cronops.config import Settings

_OLDEST_SERVER = 14
_SKEW_TOLERATED = timedelta(seconds=2)
_ANSWER_WITHIN = timedelta(seconds=5)


def reachable(settings: "Settings") -> Iterator[Finding]:
    """Whether it can be reached, and is new enough."""
    from cronops.db.connect import connect

    with connect(settings, "doctor") as connection:
        version = connection.info.server_version // 10000
        where = _place(connection.info.dsn, settings)
        if version < _OLDEST_SERVER:
            yield Finding(
                "database",
                "fail",
                f"PostgreSQL {version} at {where}",
                f"upgrade the server to {_OLDEST_SERVER} or newer",
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
    from cronops.db.connect import check_schema, connect
    from cronops.db.revision import SCHEMA_REVISION

    with connect(settings, "doctor", statement_timeout=_ANSWER_WITHIN) as at:
        check_schema(at, settings)
        found = at.execute("SELECT to_regclass('queue_message')").fetchone()
    name = settings.db.schema_name
    if found is None or found[0] is None:
        # PgBouncer with ignore_startup_parameters = options: it lets us in, and drops them.
        yield Finding(
            "schema",
            "fail",
            f"{name} is not on the connection's search path: a pooler in between drops it",
            f"ALTER ROLE … SET search_path = {name}, {settings.db.shop_schema}, public; and "
            "restart the pooler",
        )
    else:
        yield Finding("schema", "ok", f"{name} at revision {SCHEMA_REVISION}")


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
            "fail",
            "a pooler in transaction mode is in between",
            "point CRONOPS_DATABASE_URL at the server or at a pooler in session mode: neither a "
            "session's time limits nor its prepared statements hold otherwise",
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
