"""Every rule a schedules file must keep, by what it is about.

::

    cadence     when a schedule runs
    clocks      days on which clocks are changed
    standstill  what is provisional or suspended
    fleet       all schedules of an environment together
    crowding    runs that start at once
    names       names, labels and other text that the API checks
    pods        what a pod is given
    access      what a job reads, writes and authenticates with
    structural  what is found before any rule can be asked
"""

from typing import Any

from cronops.schedules.rules import (
    access,
    cadence,
    clocks,
    crowding,
    fleet,
    names,
    pods,
    standstill,
)
from cronops.schedules.rules.rule import Rule

RULES: tuple[Rule[Any], ...] = (
    *cadence.RULES,
    *clocks.RULES,
    *standstill.RULES,
    *fleet.RULES,
    *crowding.RULES,
    *names.RULES,
    *pods.RULES,
    *access.RULES,
)
"""In the order in which they are listed."""
