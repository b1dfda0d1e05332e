"""Every check of kube-linter, kube-score and Polaris, and what keeps it here.

Those tools are not needed to run ours: a check is kept by one of our rules, by the way manifests
are made, or declined with a reason. `Check.holds` proves it for what no rule keeps.
"""

from collections.abc import Mapping

from cronops.schedules.rules.borrowed import kube_linter, kube_score, polaris
from cronops.schedules.rules.borrowed.checks import (
    DECLINED,
    MANIFEST,
    NOT_APPLICABLE,
    Check,
    Object,
)

TOOLS: Mapping[str, tuple[Check, ...]] = {
    "kube-linter": kube_linter.CHECKS,
    "kube-score": kube_score.CHECKS,
    "polaris": polaris.CHECKS,
}


def kept_by(rule: str) -> tuple[str, ...]:
    """The checks that a rule of ours keeps: ``kube-linter: latest-tag``."""
    return tuple(
        f"{tool}: {check.name}"
        for tool, checks in TOOLS.items()
        for check in checks
        if check.kept_by == rule
    )


__all__ = ["DECLINED", "MANIFEST", "NOT_APPLICABLE", "TOOLS", "Check", "Object", "kept_by"]
