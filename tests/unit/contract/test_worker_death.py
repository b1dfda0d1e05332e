"""Whom a worker process's death is charged to."""

import signal

import pytest

from cronops.contract.channel import SharedPage
from cronops.contract.units import DeathCause
from cronops.contract.worker import Worker


@pytest.mark.parametrize(
    ("killed_for", "in_hand", "overdue", "cause"),
    [
        (None, 7, None, DeathCause.DIED),
        (DeathCause.UNIT_TIMEOUT, 7, 7, DeathCause.UNIT_TIMEOUT),
        # It finished 7, and began the next one, between the look and the kill.
        (DeathCause.UNIT_TIMEOUT, 8, 7, DeathCause.STOPPED),
        (DeathCause.STOPPED, 7, None, DeathCause.STOPPED),
    ],
)
def test_cause(
    killed_for: DeathCause | None, in_hand: int, overdue: int | None, cause: DeathCause
) -> None:
    page = SharedPage.create()
    page.begin_unit(in_hand, 30)
    dead = Worker(
        0, page, pid=1, status=int(signal.SIGKILL), killed_for=killed_for, overdue=overdue
    )

    assert dead.death.unit == in_hand
    assert dead.death.cause is cause
