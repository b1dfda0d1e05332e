"""Connections to PostgreSQL that give up instead of hanging.

Every connection has a connect timeout, TCP keepalives and user timeout, and server-side limits
on statements, locks and idle transactions: a frozen holder must not block its successor.
"""

from datetime import timedelta

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from cronops.config import Settings
from cronops.db.embedded import embedded_url
from cronops.db.revision import SCHEMA_REVISION
from cronops.errors import ConfigurationError, DatabaseUnavailable, SchemaMismatch

_CONNECTION_LOST_STATES = ("08", "57P01", "57P02", "57P03", "25P03", "25P04")


def database_url(settings: Settings) -> str:
    """The URL of the database in use, starting the embedded server where none is set.

    Raises `ConfigurationError` in a cluster or in production, where an embedded database
    would lose its data with the pod and nobody would notice.
    """
    if settings.database_url is not None:
        url = settings.database_url.get_secret_value()
        # SQLAlchemy's way of writing it is as good.
        return url.replace("postgresql+psycopg://", "postgresql://", 1)
    if settings.is_production:
        where = "in a cluster" if settings.in_cluster else "in production"
        raise ConfigurationError(
            f"CRONOPS_DATABASE_URL is not set, and {where} the embedded database is never used; "
            "set CRONOPS_DATABASE_URL or CRONOPS_DATABASE_URL_FILE"
        )
    return embedded_url(settings.data_dir)


def connect(
    settings: Settings,
    purpose: str,
    *,
    autocommit: bool = True,
    statement_timeout: timedelta | None = None,
    lock_timeout: timedelta | None = None,
    idle_in_transaction_timeout: timedelta = timedelta(minutes=1),
) -> psycopg.Connection:
    """A new connection whose search path is our schema, then the shop's.

    `purpose` names it in ``pg_stat_activity``. Raises `DatabaseUnavailable` where no
    connection can be made, `ConfigurationError` where the URL is malformed.
    """
    options = {
        "search_path": f"{settings.db.schema_name},{settings.db.shop_schema},public",
        "timezone": "UTC",
        "idle_in_transaction_session_timeout": _milliseconds(idle_in_transaction_timeout),
        "statement_timeout": _milliseconds(statement_timeout) if statement_timeout else "0",
        "lock_timeout": _milliseconds(lock_timeout) if lock_timeout else "0",
    }
    url = database_url(settings)
    try:
        given = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        # The parser's own message quotes the URL, password and all.
        raise ConfigurationError(
            "CRONOPS_DATABASE_URL is not a PostgreSQL URL; write "
            "postgresql://user:password@host:5432/database"
        ) from None
    ours = " ".join(f"-c {name}={value}" for name, value in options.items())
    try:
        return psycopg.connect(
            make_conninfo(
                url,
                application_name=f"cronops {purpose}"[:63],
                connect_timeout=max(1, round(settings.db.connect_timeout.total_seconds())),
                tcp_user_timeout=_milliseconds(settings.db.tcp_user_timeout),
                keepalives=1,
                keepalives_idle=10,
                keepalives_interval=5,
                keepalives_count=3,
                options=f"{given.get('options') or ''} {ours}".strip(),
            ),
            autocommit=autocommit,
        )
    except psycopg.OperationalError as error:
        raise DatabaseUnavailable(f"cannot connect to the database: {first_line(error)}") from None


def is_connection_lost(error: BaseException, connection: psycopg.Connection | None = None) -> bool:
    """Whether `error` means that the connection is gone, rather than that a statement was wrong."""
    if isinstance(error, DatabaseUnavailable):
        return True
    if connection is not None and (connection.closed or connection.broken):
        return True
    if isinstance(error, psycopg.Error):
        state = error.sqlstate
        if state is None:
            return isinstance(error, psycopg.OperationalError)
        return state.startswith(_CONNECTION_LOST_STATES)
    return False


def check_schema(connection: psycopg.Connection, settings: Settings) -> None:
    """Raise `SchemaMismatch` unless the tables are of exactly this program's revision."""
    schema = settings.db.schema_name
    try:
        row = connection.execute(
            f'SELECT version_num FROM "{schema}".alembic_version'  # noqa: S608 - schema is checked by its pattern
        ).fetchone()
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        row = None
    if row is None:
        raise SchemaMismatch(
            f"schema {schema!r} has no cronops tables yet; run: cronops db upgrade"
        )
    found = row[0]
    if found == SCHEMA_REVISION:
        return
    age = "older" if found < SCHEMA_REVISION else "newer"
    todo = (
        "run: cronops db upgrade"
        if age == "older"
        else "deploy the version of cronops that made it"
    )
    raise SchemaMismatch(
        f"schema {schema!r} is at revision {found}, {age} than the {SCHEMA_REVISION} "
        f"this program needs; {todo}"
    )


def first_line(error: BaseException) -> str:
    """The first line of an error's text; PostgreSQL's details may quote data."""
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__


def _milliseconds(duration: timedelta) -> str:
    return str(max(1, round(duration.total_seconds() * 1000)))
