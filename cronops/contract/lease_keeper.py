"""Renews a run's leases from a thread of its own, on a connection of its own."""

import threading
from collections.abc import Callable
from typing import Any

import psycopg

from cronops.config import Settings
from cronops.contract import lock
from cronops.contract.channel import now
from cronops.contract.units import UnitSupervisor
from cronops.db.connect import connect


class LeaseKeeper:
    """Renews every third of the time to live, and knows until when the leases are sure.

    That moment is counted from before the last good renewal was sent, on a clock of this
    machine: neither a slow answer nor a wrong clock can stretch it. The supervisor compares it
    by a timer of its own, so a renewal that hangs does not hide that time is up.
    """

    def __init__(
        self,
        settings: Settings,
        tokens: tuple[int, ...],
        *,
        acquired_at: float,
        units: Callable[[], UnitSupervisor] | None,
        log: Any,
        wake: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._tokens = tokens
        self._ttl = settings.lock.ttl
        self._units = units
        self._log = log
        self._wake = wake
        self._ended = threading.Event()
        self._connection: psycopg.Connection[Any] | None = None
        self.until = acquired_at + self._ttl.total_seconds()
        self.lost = False
        self._thread = threading.Thread(target=self._run, name="lease keeper", daemon=True)

    def start(self) -> None:
        """Begin renewing."""
        self._thread.start()

    def stop(self) -> None:
        """Stop renewing; the leases are left as they are."""
        self._ended.set()
        self._thread.join(timeout=1)

    def _run(self) -> None:
        period = self._ttl.total_seconds() / 3
        wait = period
        while not self._ended.wait(wait) and not self.lost:
            try:
                self._renew()
                wait = period
            except psycopg.Error as error:
                self._drop_connection()
                wait = period / 4
                self._log.warning("could not renew the lease, trying again", error=str(error))
            except Exception as error:
                # A connection that cannot be made; its message is made for people.
                wait = period / 4
                self._log.warning("could not renew the lease, trying again", error=str(error))
            self._wake()
        self._drop_connection()

    def _renew(self) -> None:
        if self._connection is None:
            # Opened only now: most runs are over before the first renewal is due.
            self._connection = connect(
                self._settings,
                "heartbeat",
                statement_timeout=self._ttl / 4,
                lock_timeout=self._ttl / 4,
            )
        sent = now()
        held = lock.renew(self._connection, self._tokens[0], self._ttl)
        if not held.issuperset(self._tokens):
            self.lost = True
            return
        self.until = sent + self._ttl.total_seconds()
        if self._units is not None:
            self._units().heartbeat(self._connection, self._tokens[0])

    def _drop_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
