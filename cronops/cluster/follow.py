"""Following a Job to its end: the lines of its pods as they come, and how each pod ended."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Event, Thread
from time import monotonic

from cronops.cluster.api import Cluster, Silence
from cronops.cluster.kinds import JOB, POD, Object, by_age, labels_of, name_of
from cronops.cluster.pods import Ended, container_of, ended, finished, has_begun, has_ended, held_up
from cronops.errors import ClusterRefused, ClusterUnavailable, ExitCode

JOB_NAME = "batch.kubernetes.io/job-name"
_INDEX = "batch.kubernetes.io/job-completion-index"
_LOOK_SECONDS = 1.0
_PATIENCE_SECONDS = 120.0
"""How long the cluster may be out of reach before following is given up."""


@dataclass(frozen=True)
class Line:
    """One line of a pod's log."""

    pod: str
    shard: str | None
    """Its completion index, where the work is shared out."""
    text: str


@dataclass(frozen=True)
class Outcome:
    """How a Job ended."""

    succeeded: bool
    told: str
    """The Job's own words; empty where it succeeded."""
    pods: dict[str, Ended]
    """How each pod's container ended, those first that began first."""

    @property
    def exit_code(self) -> int:
        """0 where the Job succeeded; else the code of the last pod that failed, or 1."""
        if self.succeeded:
            return 0
        codes = [one.exit_code for one in self.pods.values() if one.exit_code]
        return codes[-1] if codes else int(ExitCode.FAILED)


def pods_of(cluster: Cluster, job: str) -> list[Object]:
    """A Job's pods that are still there, in the order in which they were made."""
    pods = cluster.list(POD, labels=f"{JOB_NAME}={job}")
    return sorted(pods, key=by_age)


def shard_of(pod: Object) -> str | None:
    """Its completion index; None where the work is not shared out."""
    return labels_of(pod).get(_INDEX)


def follow(
    cluster: Cluster, job: str, *, waiting: Callable[[str], None], every: float = _LOOK_SECONDS
) -> Iterator[Line | Outcome]:
    """The lines of all pods of the Job as they come, and at the end how it ended.

    `waiting` is told, once for each reason, why a pod does not begin. Raises `ClusterRefused`
    where the Job is deleted meanwhile.
    """
    lines: SimpleQueue[Line] = SimpleQueue()
    stop = Event()
    readers: dict[str, Thread] = {}
    told: set[str] = set()
    pods: dict[str, Ended] = {}
    lost_at: float | None = None
    try:
        while True:
            try:
                now, seen = cluster.get(JOB, job), pods_of(cluster, job)
            except ClusterUnavailable:
                lost_at = lost_at or monotonic()
                if monotonic() - lost_at > _PATIENCE_SECONDS:
                    raise
                now, seen = None, []
            else:
                lost_at = None
                if now is None:
                    raise ClusterRefused(f"job {job} was deleted while it was followed")
            for pod in seen:
                name = name_of(pod)
                if name not in readers and has_begun(pod):
                    readers[name] = _read(cluster, pod, lines, stop)
                held = held_up(pod)
                if held and held.why not in told:
                    told.add(held.why)
                    waiting(f"{name}: {held.cause}: {held.why}")
                ending = ended(pod)
                if ending:
                    pods[name] = ending
            end = finished(now) if now else None
            if end is not None and all(has_ended(pod) or held_up(pod) for pod in seen):
                for reader in readers.values():
                    reader.join(timeout=10)
                yield from _taken(lines)
                yield Outcome(end[0], "" if end[0] else end[1], pods)
                return
            yield from _taken(lines, wait=every)
    finally:
        stop.set()


def _taken(lines: "SimpleQueue[Line]", wait: float = 0.0) -> Iterator[Line]:
    """The lines that are there; with `wait`, those of so many seconds."""
    until = monotonic() + wait
    while True:
        left = until - monotonic()
        try:
            yield lines.get(timeout=left) if left > 0 else lines.get_nowait()
        except Empty:
            return
        if wait and left <= 0:
            return


def _read(cluster: Cluster, pod: Object, lines: "SimpleQueue[Line]", stop: Event) -> Thread:
    reader = Thread(target=_copy, args=(cluster, pod, lines, stop), daemon=True)
    reader.start()
    return reader


def _copy(cluster: Cluster, pod: Object, lines: "SimpleQueue[Line]", stop: Event) -> None:
    """A pod's log into the queue; where it broke off it is taken up again, no line said twice."""
    name, shard, container = name_of(pod), shard_of(pod), container_of(pod)
    last: str | None = None
    while not stop.is_set():
        before = _order(last)
        try:
            for time, text in cluster.logs(name, container=container, follow=True, since=last):
                if _order(time) <= before:
                    continue
                last = time
                lines.put(Line(name, shard, text))
                if stop.is_set():
                    return
        except Silence:
            stop.wait(_LOOK_SECONDS)
            continue
        except (ClusterRefused, ClusterUnavailable):
            return
        return


def _order(time: str | None) -> str:
    """A line's time so that texts compare as times do: nodes leave out trailing zeros."""
    whole, _, fraction = (time or "").removesuffix("Z").partition(".")
    return f"{whole}.{fraction:0<9}"
