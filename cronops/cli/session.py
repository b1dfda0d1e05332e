"""What operators' commands share: settings, a database connection, and common options."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cronops.cli.readers import instant
from cronops.durations import parse_duration

if TYPE_CHECKING:
    import psycopg

    from cronops.config import Settings

# A listing that takes longer than this is not worth the load it makes.
_STATEMENT_TIMEOUT = timedelta(seconds=60)


@dataclass(frozen=True)
class Session:
    """One operator's command at work."""

    settings: "Settings"
    connection: "psycopg.Connection[Any]"

    @property
    def actor(self) -> str:
        """Who is acting, for the audit trail."""
        return self.settings.actor


@contextmanager
def session(
    purpose: str,
    *,
    longest_statement: timedelta = _STATEMENT_TIMEOUT,
    longest_silence: timedelta = timedelta(minutes=1),
) -> Iterator[Session]:
    """Settings and a connection (autocommit) to a database of this program's revision.

    `longest_statement` is how long a statement may take, `longest_silence` how long a transaction
    may be idle, before the server ends it.
    """
    from cronops.config import load_settings
    from cronops.db.connect import check_schema, connect
    from cronops.telemetry.redact import register_secrets

    settings = load_settings().settings
    register_secrets(settings)
    with connect(
        settings,
        purpose,
        statement_timeout=longest_statement,
        lock_timeout=_STATEMENT_TIMEOUT / 2,
        idle_in_transaction_timeout=longest_silence,
    ) as connection:
        check_schema(connection, settings)
        yield Session(settings, connection)


def past(text: str) -> datetime:
    """A time from ISO 8601 with its zone, or so long ago: ``2h``."""
    return _instant_or_offset(text, sign=-1)


def future(text: str) -> datetime:
    """A time from ISO 8601 with its zone, or so long from now: ``2h``."""
    return _instant_or_offset(text, sign=1)


def _instant_or_offset(text: str, *, sign: int) -> datetime:
    try:
        offset = parse_duration(text)
    except ValueError:
        return instant(text)
    try:
        return datetime.now(UTC) + sign * offset
    except OverflowError:
        raise ValueError(f"{text!r} is further than the calendar goes") from None


def said(text: str) -> str:
    """Text that says something."""
    if not text.strip():
        raise ValueError("it is empty")
    return text


def word(parts: list[str] | None) -> str | None:
    """A name of several words, quoted or not: ``queue process``."""
    return " ".join(" ".join(parts).split()) if parts else None


Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Limit = Annotated[
    int, typer.Option("--limit", metavar="NUMBER", min=1, max=1_000_000, help="At most so many.")
]
Since = Annotated[
    datetime | None,
    typer.Option(
        "--since",
        parser=past,
        metavar="TIME",
        show_default=False,
        help="From then on: 2h (ago), or 2026-11-23T04:00:00Z.",
    ),
]
Reason = Annotated[
    str,
    typer.Option("--reason", parser=said, metavar="TEXT", help="Why; for the audit trail."),
]
MaybeReason = Annotated[
    str | None,
    typer.Option(
        "--reason",
        parser=said,
        metavar="TEXT",
        help="Why; for the audit trail.",
        show_default=False,
    ),
]
