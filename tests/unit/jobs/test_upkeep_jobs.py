from datetime import date

import pytest

from cronops.contract.job import Lock
from cronops.db import block_delete
from cronops.db.block_delete import _next_size
from cronops.errors import NeedsAPerson
from cronops.jobs.logs.clean import clean
from cronops.jobs.system.clean_data import clean_data
from cronops.jobs.system.targets import Periods, first_day_kept
from cronops.owners import ALL_ISLANDS, SHARED_OPS

WANTED = date(2026, 6, 1)
BEFORE, LONG_BEFORE, AFTER = date(2026, 5, 1), date(2026, 1, 1), date(2026, 7, 1)


def test_owners_and_locks_are_those_of_the_specification() -> None:
    for job in (clean, clean_data):
        assert job.accountable == (SHARED_OPS,)
        assert job.responsible == SHARED_OPS
        assert job.consulted == (ALL_ISLANDS,)
        assert job.honours_clean_window
        assert job.drains
    assert (clean.cr, clean_data.cr) == ("CR-007", "CR-011")
    assert clean.locks_for({}) == (Lock("cron.logs.clean"),)
    assert clean_data.locks_for({}) == (Lock("cron.system.clean-data"),)


@pytest.mark.parametrize(
    ("newest", "oldest", "kept"),
    [
        (AFTER, LONG_BEFORE, WANTED),  # the list is alive
        (WANTED, LONG_BEFORE, WANTED),  # the boundary: that day stays itself
        (None, None, WANTED),  # an empty table
        (None, AFTER, WANTED),  # nothing is old
        (BEFORE, BEFORE, BEFORE),  # one period is left, and stays
    ],
)
def test_which_periods_stay(newest: date | None, oldest: date | None, kept: date) -> None:
    for accept in (False, True):
        assert first_day_kept(WANTED, Periods(newest, oldest), accept_stale=accept) == kept


def test_a_list_that_nobody_fills_stays_until_accepted_and_never_goes_whole() -> None:
    with pytest.raises(NeedsAPerson, match="accept-stale"):
        first_day_kept(WANTED, Periods(BEFORE, LONG_BEFORE), accept_stale=False)
    assert first_day_kept(WANTED, Periods(BEFORE, LONG_BEFORE), accept_stale=True) == BEFORE
    for accept in (False, True):
        with pytest.raises(NeedsAPerson, match="no period"):
            first_day_kept(WANTED, Periods(None, BEFORE), accept_stale=accept)


def test_ranges_grow_and_shrink_towards_the_time_aimed_at() -> None:
    assert _next_size(64, 0.02) == 64
    assert _next_size(64, 0.001) == 128
    assert _next_size(64, 0.2) == 32
    assert _next_size(block_delete.MOST_BLOCKS, 0.001) == block_delete.MOST_BLOCKS
    assert _next_size(8, 9) == 8
