"""What a Job does about a pod that failed, made from our exit codes.

Rules are tried in order and the first that fits decides; a pod that none fits is counted towards
the Job's backoffLimit and started again.

- A code after which trying again cannot help fails the Job, whatever became of the node.
- Else a disruption (a drained node, a preemption) costs no try: the pod is started again as long
  as the Job's deadline allows.
- Where a pod that died must not be started again, every code but 0 fails the Job, and so does a
  disruption: a lost node leaves no code.
"""

from dataclasses import dataclass
from functools import cache
from typing import Literal

from cronops.errors import ExitCode

CONTAINER = "job"
_UNKNOWN = next(code for code in range(256) if code not in frozenset(ExitCode))


@dataclass(frozen=True, slots=True)
class FailurePolicy:
    """The two rules of one ``podFailurePolicy``, in their order."""

    action: Literal["FailJob", "FailIndex"]
    """For an exit code that `operator` and `codes` find."""
    operator: Literal["In", "NotIn"]
    codes: tuple[int, ...]
    """Sorted."""
    on_disruption: Literal["Ignore", "FailJob", "FailIndex"]
    container: str = CONTAINER


@cache
def failure_policy(*, retry_safe: bool, indexed: bool) -> FailurePolicy:
    """The policy of a job; an `indexed` Job gives up one shard, not all of them."""
    fail: Literal["FailJob", "FailIndex"] = "FailIndex" if indexed else "FailJob"
    on_disruption: Literal["Ignore", "FailJob", "FailIndex"] = "Ignore" if retry_safe else fail
    again = {int(code) for code in ExitCode if code.retried_by_pod(retry_safe=retry_safe)}
    # A code that is no member, such as a shell's 127, follows the member it stands for.
    if ExitCode.of(_UNKNOWN).retried_by_pod(retry_safe=retry_safe):
        ends = {int(code) for code in ExitCode} - again - {int(ExitCode.OK)}
        return FailurePolicy(fail, "In", tuple(sorted(ends)), on_disruption)
    return FailurePolicy(fail, "NotIn", tuple(sorted(again | {int(ExitCode.OK)})), on_disruption)
