"""Leases that a run takes while it works, beside the one it began with."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psycopg

from cronops.contract import lock as leases
from cronops.contract.job import Lock
from cronops.errors import Locked

_POLL = 0.25


class FurtherLeases:
    """Takes and gives back leases on a connection of their own, opened with the first of them."""

    def __init__(
        self,
        connect: Callable[[str], psycopg.Connection[Any]],
        claimant: leases.Claimant,
        pause: Callable[[float], bool],
    ) -> None:
        self._connect = connect
        self._claimant = claimant
        self._pause = pause
        self._connection: psycopg.Connection[Any] | None = None

    @contextmanager
    def hold(self, key: str, wait: timedelta) -> Iterator[int]:
        """Hold the lease; its token. Raises `Locked` where it is busy for longer than `wait`."""
        if self._connection is None:
            self._connection = self._connect("leases")
        token = self._acquire(self._connection, Lock(key), wait)
        try:
            yield token
        finally:
            self._give_back(self._connection, token)

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _acquire(self, connection: psycopg.Connection[Any], lock: Lock, wait: timedelta) -> int:
        until = time.monotonic() + wait.total_seconds()
        while True:
            with connection.transaction():
                got = leases.acquire(connection, lock, self._claimant)
            if isinstance(got, leases.Held):
                return got.token
            if time.monotonic() >= until or not self._pause(_POLL):
                raise Locked(f"{lock.key} is held by run {got.run_id} on {got.holder}")

    def _give_back(self, connection: psycopg.Connection[Any], token: int) -> None:
        try:
            leases.release_one(connection, token)
        except psycopg.OperationalError:
            # With its connection lost it would stay, and be in the way of the next attempt.
            with self._connect("leases") as another:
                leases.release_one(another, token)
