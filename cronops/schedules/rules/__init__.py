"""Every rule a schedules file must keep, by what it is about.

::

    cadence    when a schedule runs
    fleet      all schedules of an environment together
    names      names, labels and other text that the API checks
    pods       what a pod is given
    access     what a job reads, writes and authenticates with
    structural what is found before any rule can be asked
"""

from typing import Any

from cronops.schedules.rules.rule import Rule
from cronops.schedules.rules.structural import STRUCTURAL

RULES: tuple[Rule[Any], ...] = ()
"""In the order in which they are listed."""
UNWAIVABLE = frozenset(explained.id for explained in STRUCTURAL)
"""Ids that no rule has: what cannot be read, cannot be waived."""
