"""The supervisor's connection to the database, made again when it was cut."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

import psycopg

from cronops.config import Settings
from cronops.db.connect import connect, first_line, is_connection_lost
from cronops.errors import DatabaseUnavailable

T = TypeVar("T")

_PAUSE = 0.5


class Link:
    """One connection with short statements; a cut one is replaced at the next use."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._connection: psycopg.Connection[Any] | None = None

    def connection(self) -> psycopg.Connection[Any]:
        """The connection, opened if need be. Raises `DatabaseUnavailable`."""
        if self._connection is None or self._connection.closed or self._connection.broken:
            ttl = self._settings.lock.ttl
            self._connection = connect(
                self._settings, "supervisor", statement_timeout=ttl / 2, lock_timeout=ttl / 4
            )
        return self._connection

    def transact(self, work: Callable[[psycopg.Connection[Any]], T]) -> T:
        """Do `work` in one transaction. Raises `DatabaseUnavailable` where the link is cut."""
        connection = self.connection()
        try:
            with connection.transaction():
                return work(connection)
        except psycopg.Error as error:
            if is_connection_lost(error, connection):
                raise DatabaseUnavailable(
                    f"the connection to the database was lost: {first_line(error)}"
                ) from error
            raise

    def transact_within(self, work: Callable[[psycopg.Connection[Any]], T], seconds: float) -> T:
        """`transact`, again and again while the database is away, for so many seconds.

        `work` must be safe to repeat: an answer may be lost after the commit.
        """
        give_up = time.monotonic() + seconds
        while True:
            try:
                return self.transact(work)
            except (DatabaseUnavailable, psycopg.Error):
                if time.monotonic() + _PAUSE >= give_up:
                    raise
                time.sleep(_PAUSE)

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
