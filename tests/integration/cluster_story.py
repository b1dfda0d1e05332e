"""What happens to one CronJob over some time, as the series that Prometheus scrapes meanwhile.

Time begins at 1970-01-01 UTC, a Thursday, where promtool's tests begin too; so slots fall where
the schedule says. What is told here of Kubernetes and kube-state-metrics is what their
documentation and source say.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, cached_property
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from cronops.schedules.cron import parse_cron

COMPLETING = ("succeeded", "skipped")
PHASES = ("Pending", "Running", "Succeeded", "Failed")
Value = int | None
Series = tuple[str, Sequence[Value]]


@dataclass(frozen=True)
class Pod:
    """One pod of a Job; outcomes are as those of a `Run`."""

    created: int
    ended: int | None
    outcome: str = "succeeded"
    pending: int = 0
    """Seconds that it waits; as long as it does it is gone with its Job."""

    def phase(self, time: int) -> str | None:
        """As Kubernetes tells it; None where the pod is not there."""
        waits_until = self.created + self.pending
        if self.ended is not None and time >= self.ended:
            if waits_until >= self.ended:
                return None
            return "Succeeded" if self.outcome in COMPLETING else "Failed"
        if time < self.created:
            return None
        return "Pending" if time < waits_until else "Running"


@dataclass(frozen=True)
class Run:
    """One Job and its run; seconds since the beginning."""

    started: int
    ended: int | None
    """None: it hangs."""
    outcome: str = "succeeded"
    """succeeded, skipped, failed (and reported), died (without a word)"""
    slot: int | None = None
    """None: started by hand."""
    tries: tuple[Pod, ...] = ()
    """Its pods, where they are not one that runs as long as the Job."""

    @property
    def completes(self) -> bool:
        return self.outcome in COMPLETING

    @property
    def pods(self) -> tuple[Pod, ...]:
        return self.tries or (Pod(self.started, self.ended, self.outcome),)


@dataclass(frozen=True)
class Story:
    """A CronJob's life; `runs` in the order of their starts, none overlapping."""

    namespace: str
    environment: str
    cronjob: str
    schedule: str
    expression: str
    zone: str
    lasts: int
    step: int
    runs: tuple[Run, ...] = ()
    suspended: tuple[tuple[int, int], ...] = ()
    """From when until when."""
    migrations: tuple[tuple[str, Run], ...] = ()
    """Jobs by their names, of no CronJob."""
    other_pushes: tuple[int, ...] = ()
    """Successes that other shards of the same Jobs report."""
    is_deployed: bool = True
    has_zones: bool = True
    """Whether kube-state-metrics is new enough to read the schedule in its zone."""
    unseen: tuple[str, ...] = ()
    """Beginnings of the names of metrics that nobody scrapes."""
    replicas: int = 1
    """Of kube-state-metrics, all scraped."""

    def with_(self, **changes: Any) -> "Story":
        return replace(self, **changes)

    def slots(self, start: int = 0) -> Iterator[int]:
        """The cluster's slots after `start`, to the story's end."""
        slot = next_slot(self.expression, self.zone, start)
        while slot <= self.lasts:
            yield slot
            slot = next_slot(self.expression, self.zone, slot)

    @cached_property
    def grid(self) -> range:
        """When is scraped and evaluated."""
        return range(0, self.lasts + 1, self.step)

    def series(self) -> list[dict[str, str]]:
        """What is scraped, as promtool's tests take it."""
        return [
            {"series": name, "values": _written(values)}
            for name, values in self._all()
            if not (self.unseen and name.startswith(self.unseen))
        ]

    def _all(self) -> Iterator[Series]:
        yield 'pushgateway_build_info{job="pushgateway"}', [1 for _ in self.grid]
        yield from self._pushed()
        in_kubernetes = [*self._cronjobs(), *self._jobs()]
        for replica in range(self.replicas):
            labels = f'job="kube-state-metrics",instance="10.0.0.{replica}"'
            yield from ((name.replace("{", f"{{{labels},"), line) for name, line in in_kubernetes)

    def _pushed(self) -> Iterator[Series]:
        # Labels of a gateway that is scraped without honor_labels.
        shared = 'job="pushgateway",exported_job="some job",cr="CR-1"'
        ours = f'environment="{self.environment}",schedule="{self.schedule}"'
        others = [
            f'environment="elsewhere",schedule="{self.schedule}"',
            f'environment="{self.environment}",schedule="{self.schedule}-too"',
        ]
        successes = [*self._ends("succeeded"), *self.other_pushes]
        for label, times in (("success", successes), ("failure", self._failures())):
            name = f"cronops_last_{label}_timestamp_seconds{{{shared}"
            yield f"{name},{ours}}}", self._latest(times)
            yield from ((f"{name},{other}}}", list(self.grid)) for other in others)

    def _cronjobs(self) -> Iterator[Series]:
        ours = f'namespace="{self.namespace}",cronjob="{self.cronjob}"'
        good = self._latest(self._ends("succeeded", "skipped"))
        if self.is_deployed:
            yield from self._cronjob(ours, self._are_suspended, self._active, self._next, good)
        # What is none of ours is always in the best of health.
        zeros, now = [0 for _ in self.grid], list(self.grid)
        for other in (
            f'namespace="{self.namespace}",cronjob="{self.cronjob}-too"',
            f'namespace="elsewhere",cronjob="{self.cronjob}"',
        ):
            yield from self._cronjob(other, zeros, zeros, [time + 60 for time in now], now)

    def _cronjob(self, labels: str, *lines: Sequence[Value]) -> Iterator[Series]:
        zone = f',timezone="{self.zone}"' if self.has_zones else ""
        policy = f'schedule="{self.expression}",concurrency_policy="Forbid"{zone}'
        yield f"kube_cronjob_info{{{labels},{policy}}}", [1 for _ in self.grid]
        names = (
            "spec_suspend",
            "status_active",
            "next_schedule_time",
            "status_last_successful_time",
        )
        for name, line in zip(names, lines, strict=True):
            yield f"kube_cronjob_{name}{{{labels}}}", line

    def _jobs(self) -> Iterator[Series]:
        kept = {True: 3, False: 1}
        ended = {good: self._ends(*which) for good, which in _OUTCOMES.items()}
        for number, run in enumerate(self.runs):
            gone = None
            if run.ended is not None:
                # The history limits: so many later ones like it, and it is taken away.
                place = bisect_right(ended[run.completes], run.ended) + kept[run.completes] - 1
                gone = dict(enumerate(ended[run.completes])).get(place)
            yield from self._job(
                f"{self.cronjob}-{number}", self.namespace, self.cronjob, run, gone
            )
        for name, run in self.migrations:
            yield from self._job(name, self.namespace, "", run, None)
        # Jobs that are none of ours went wrong in both ways.
        waits = Run(0, None, tries=(Pod(0, None, pending=self.lasts + 1),))
        for number, run in enumerate((Run(0, None), Run(0, 30, "died"), waits)):
            neighbour = f"{self.cronjob}-too"
            yield from self._job(f"{neighbour}-{number}", self.namespace, neighbour, run, None)
            yield from self._job(f"{self.cronjob}-{number}", "elsewhere", self.cronjob, run, None)

    def _job(
        self, job: str, namespace: str, cronjob: str, run: Run, gone: int | None
    ) -> Iterator[Series]:
        end = self.lasts + 1 if gone is None else gone
        seen = [run.started <= time < end for time in self.grid]
        if not any(seen):
            return
        is_over = [run.ended is not None and run.ended <= time for time in self.grid]
        ours = f'namespace="{namespace}",job_name="{job}"'
        kind = "CronJob" if cronjob else ""
        owner = f'owner_kind="{kind}",owner_name="{cronjob}",owner_is_controller="true"'

        def line(value: Callable[[bool], Value]) -> list[Value]:
            return [value(over) if at else None for at, over in zip(seen, is_over, strict=True)]

        yield f"kube_job_owner{{{ours},{owner}}}", line(lambda over: 1)
        yield f"kube_job_status_start_time{{{ours}}}", line(lambda over: run.started)
        condition = "complete" if run.completes else "failed"
        for status, value in (("true", 1), ("false", 0), ("unknown", 0)):
            name = f'kube_job_{condition}{{{ours},condition="{status}"}}'
            yield name, line(lambda over, value=value: value if over else None)
        for number, pod in enumerate(run.pods):
            ours = f'namespace="{namespace}",pod="{job}-{number}"'
            phases = [
                pod.phase(time) if at else None for at, time in zip(seen, self.grid, strict=True)
            ]
            if not any(phases):
                continue
            owner = f'owner_kind="Job",owner_name="{job}",owner_is_controller="true"'
            yield f"kube_pod_owner{{{ours},{owner}}}", [phase and 1 for phase in phases]
            yield f"kube_pod_created{{{ours}}}", [phase and pod.created for phase in phases]
            for name in PHASES:
                are = [None if phase is None else int(phase == name) for phase in phases]
                yield f'kube_pod_status_phase{{{ours},phase="{name}"}}', are

    def _ends(self, *outcomes: str) -> list[int]:
        return [run.ended for run in self.runs if run.ended is not None and run.outcome in outcomes]

    def _failures(self) -> list[int]:
        pods = (pod for run in self.runs for pod in run.pods)
        return [pod.ended for pod in pods if pod.ended is not None and pod.outcome == "failed"]

    def _latest(self, times: Iterable[int]) -> list[Value]:
        known = sorted(times)
        places = (bisect_right(known, time) for time in self.grid)
        return [known[place - 1] if place else None for place in places]

    @property
    def _are_suspended(self) -> list[Value]:
        return [
            int(any(start <= time < end for start, end in self.suspended)) for time in self.grid
        ]

    @property
    def _active(self) -> list[Value]:
        started = [run.started for run in self.runs]
        ended = sorted(run.ended for run in self.runs if run.ended is not None)
        return [bisect_right(started, time) - bisect_right(ended, time) for time in self.grid]

    @property
    def _next(self) -> list[Value]:
        begun = [(run.started, run.slot) for run in self.runs if run.slot is not None]
        places = [bisect_right(begun, (time, self.lasts)) for time in self.grid]
        slots = [begun[place - 1][1] if place else 0 for place in places]
        following = [next_slot(self.expression, self.zone, slot) for slot in slots]
        halted = self._are_suspended
        return [None if no else slot for slot, no in zip(following, halted, strict=True)]


_OUTCOMES = {True: ("succeeded", "skipped"), False: ("failed", "died")}


@cache
def next_slot(expression: str, zone: str, after: int) -> int:
    """The cluster's next slot."""
    slot = parse_cron(expression).next(datetime.fromtimestamp(after, ZoneInfo(zone)))
    assert slot is not None
    return int(slot.timestamp())


def _written(values: Sequence[Value]) -> str:
    """As promtool has it; a series that ends is marked so, as a scrape does."""
    words, was = [], False
    for value, same in groupby(values):
        count = len(list(same))
        if value is not None:
            words.append(f"{value}x{count - 1}")
        elif was:
            words.append("stale" if count == 1 else f"stale _x{count - 1}")
        else:
            words.append(f"_x{count}")
        was = value is not None
    return " ".join(words)
