"""What a Job's pods say of themselves: whether they began, how they ended, and what holds them up.

Pure; of pods as the API has them. https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cronops.cluster.kinds import Object

_NO_IMAGE = (
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "ImageInspectError",
    "RegistryUnavailable",
    "SignatureValidationFailed",
)
_CONTAINER = "job"


@dataclass(frozen=True)
class Ended:
    """How a container ended."""

    exit_code: int
    reason: str
    """Kubernetes' own: Completed, Error, OOMKilled."""
    receipt: Mapping[str, Any] | None
    """What the run said of itself at its end; None for one that died without a word."""


@dataclass(frozen=True)
class HeldUp:
    """Why a container has not begun."""

    cause: str
    """``image pull`` or ``pod never started``."""
    why: str


def has_begun(pod: Object) -> bool:
    """Whether the container runs, or has run: only then it has a log."""
    state = _state(pod)
    return "running" in state or "terminated" in state


def has_ended(pod: Object) -> bool:
    """Whether no container of the pod will run any more."""
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def ended(pod: Object) -> Ended | None:
    """How the container ended; None while it has not."""
    terminated = _state(pod).get("terminated")
    if not terminated:
        return None
    return Ended(
        int(terminated.get("exitCode", 0)),
        str(terminated.get("reason") or "Error"),
        receipt_of(terminated.get("message")),
    )


def receipt_of(message: object) -> Mapping[str, Any] | None:
    """A run's receipt from a container's termination message, where it is one."""
    try:
        receipt = json.loads(str(message)) if message else None
    except ValueError:
        return None
    return receipt if isinstance(receipt, dict) and "outcome" in receipt else None


def held_up(pod: Object) -> HeldUp | None:
    """What keeps the container from beginning; None where nothing is known to."""
    if has_begun(pod):
        return None
    waiting = _state(pod).get("waiting") or {}
    reason, message = waiting.get("reason"), str(waiting.get("message") or "")
    if reason in _NO_IMAGE:
        return HeldUp("image pull", f"{reason}: {message}" if message else str(reason))
    status = pod.get("status") or {}
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return HeldUp("pod never started", f"no node takes it: {condition.get('message', '')}")
    if reason and reason not in ("ContainerCreating", "PodInitializing"):
        return HeldUp("pod never started", f"{reason}: {message}" if message else str(reason))
    if status.get("phase") == "Failed":
        why = status.get("message") or status.get("reason") or "it failed before it began"
        return HeldUp("pod never started", str(why))
    return None


def end_of(job: Object) -> Mapping[str, Any] | None:
    """The condition by which a Job has come to its end; None while it is at work."""
    for condition in (job.get("status") or {}).get("conditions") or ():
        if condition.get("type") in ("Complete", "Failed") and condition.get("status") == "True":
            found: Mapping[str, Any] = condition
            return found
    return None


def finished(job: Object) -> tuple[bool, str] | None:
    """Whether a Job succeeded, and what it says; None while it is at work."""
    end = end_of(job)
    if end is None:
        return None
    return end["type"] == "Complete", str(end.get("message") or end.get("reason") or "")


def container_of(pod: Object) -> str:
    """The name of the container that works."""
    names = [str(one["name"]) for one in pod["spec"]["containers"]]
    return _CONTAINER if _CONTAINER in names else names[0]


def _state(pod: Object) -> Mapping[str, Any]:
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    for one in statuses:
        if one.get("name") == container_of(pod):
            return one.get("state") or {}
    return {}
