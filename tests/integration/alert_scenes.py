"""Stories that every schedule that is watched must be told of, or not told of; when, and how.

All times are worked out here from what the schedule and its job declare, not from the rules.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice, pairwise
from typing import Any

from cronops.schedules.resolve import ResolvedEnvironment, ResolvedSchedule
from tests.integration.cluster_story import Pod, Run, Story

NAMES = (
    "CronopsRunMissed",
    "CronopsRunNotStarted",
    "CronopsRunOverlong",
    "CronopsRunPending",
    "CronopsRunUnrecorded",
)
MISSED, UNSTARTED, OVERLONG, PENDING, UNRECORDED = NAMES
HOLD = {MISSED: 300, UNSTARTED: 600, OVERLONG: 0, PENDING: 0, UNRECORDED: 300}
# About so many; not more than one a minute, and not so few that a day goes by between two.
_EVALUATIONS = 150
_SHORTEST, _LONGEST = 60, 18 * 3600


@dataclass(frozen=True)
class Told:
    """An alert that holds from some time on, and is told with the seconds since `since`."""

    name: str
    since: int
    after: int = 0
    """The query holds when more than so many seconds have gone by."""
    until: int | None = None


@dataclass(frozen=True)
class Scene:
    """A story, and all that is told of it; of alerts not in `names` nothing is said."""

    title: str
    story: Story
    told: tuple[Told, ...] = ()
    names: tuple[str, ...] = NAMES
    at: tuple[int, ...] = ()
    """Times to look at besides those at which something changes."""

    def begins(self, told: Told) -> int:
        """The first evaluation at which it is told."""
        step = self.story.step
        holds = (told.since + told.after) // step * step + step
        return holds + -(-HOLD[told.name] // step) * step

    def ends(self, told: Told) -> int:
        """The first evaluation at which it is not told any more."""
        step = self.story.step
        end = self.story.lasts + step if told.until is None else told.until
        return -(-end // step) * step

    def checks(self) -> Iterator[tuple[int, str, int | None]]:
        """At which time which alert is told with which value; None: it is not told."""
        grid = self.story.grid
        times = {*grid[:: max(len(grid) // 12, 1)], grid[-1]}
        times |= {time // self.story.step * self.story.step for time in self.at}
        for told in self.told:
            for edge in (self.begins(told), self.ends(told)):
                times |= {edge - self.story.step, edge}
        for time in sorted(times & set(grid)):
            told_then = {
                told.name: time - told.since
                for told in self.told
                if self.begins(told) <= time < self.ends(told)
            }
            yield from ((time, name, told_then.get(name)) for name in self.names)


class Scenes:
    """The stories of one schedule in one environment; what it may take, in seconds."""

    def __init__(
        self, environment: ResolvedEnvironment, schedule: ResolvedSchedule, **said: Any
    ) -> None:
        self._environment = environment
        self._schedule = schedule
        self._said = said
        declared = schedule.declaration
        assert schedule.cron is not None
        assert declared is not None
        gap = int(schedule.cron.longest_gap().total_seconds())
        changes_clock = schedule.template.time_zone != "UTC" and gap > 3600
        self.silence = gap + 3600 * changes_clock
        self.late = schedule.starting_deadline + 60
        self.missed = self.silence + schedule.starting_deadline + schedule.active_deadline
        self.patience = 300
        self.pod: int | None = None
        if declared.timeout is not None:
            work = declared.lock_wait + declared.timeout
            before_deadline = schedule.active_deadline - 120
            self.pod = max(min(work + schedule.grace + 60, before_deadline), work)
        variable = "CRONOPS_PUSHGATEWAY_URL"
        self.is_reported = schedule.template.env.get(variable) is not None

    def main(self) -> Iterator[Scene]:
        """Each alert told: whether a schedule's own numbers and names are right."""
        yield self.all_is_well()
        yield self.controller_stops()
        if self.pod is not None:
            yield from self.hanging(self.pod)
        # Of these no number is the schedule's own.
        yield next(self.waiting())
        yield from islice(self.failing(), 1)

    def all(self) -> Iterator[Scene]:
        """Every story."""
        yield self.all_is_well()
        yield self.controller_stops()
        if self.pod is not None:
            yield from self.hanging(self.pod)
        yield from self.waiting()
        yield from self.failing()
        yield self.as_late_as_may_be()
        yield from self.partly_seen()
        yield from self.outcomes()
        yield from self.suspended()
        yield self.not_there()

    def titled(self, title: str) -> Scene:
        """The story of that title."""
        return next(scene for scene in self.all() if scene.title == title)

    def story(self, lasts: int, **said: Any) -> Story:
        step = min(max(_SHORTEST, -(-lasts // _EVALUATIONS // 60) * 60), _LONGEST)
        schedule, environment = self._schedule, self._environment
        return Story(
            namespace=environment.namespace,
            environment=environment.name,
            cronjob=schedule.cronjob,
            schedule=schedule.name,
            expression=schedule.expression or "",
            zone=schedule.template.time_zone or "",
            lasts=-(-lasts // step) * step,
            step=step,
            **{**self._said, **said},
        )

    def all_is_well(self) -> Scene:
        story = self.story(2 * self.missed)
        return Scene("all is well", story.with_(runs=runs(story.slots())))

    def as_late_as_may_be(self) -> Scene:
        """The first run comes at once, the next as late and slowly as it may."""
        story = self.story(self.missed + 2 * self.silence)
        slots = list(story.slots())
        first, second = max(pairwise(slots), key=lambda pair: pair[1] - pair[0])
        begins = second + self._schedule.starting_deadline
        ends = begins + self._schedule.active_deadline
        late = Run(begins, ends, slot=second)
        story = story.with_(runs=(*runs(slots[: slots.index(first) + 1]), late))
        story = story.with_(lasts=-(-ends // story.step) * story.step)
        return Scene("as late as may be", story, (), (MISSED,), at=(ends - story.step, ends - 1))

    def controller_stops(self) -> Scene:
        sure = self.silence + self.late
        story = self.story(2 * (sure + self.missed) + self.silence + 3600)
        last = next(story.slots(sure))
        lost = next(story.slots(last))
        good = runs(slot for slot in story.slots() if slot <= last)
        unstarted, missed = Told(UNSTARTED, lost, self.late), Told(MISSED, last + 1, self.missed)
        enough = max(Scene("", story).begins(told) for told in (unstarted, missed))
        back = next(story.slots(enough + 2 * story.step))
        story = story.with_(runs=(*good, *runs(story.slots(back - 1))))
        told = (replace(unstarted, until=back), replace(missed, until=back + 1))
        return Scene("the controller stops", story, told)

    def partly_seen(self) -> Iterator[Scene]:
        stops = self.controller_stops()
        story, told = stops.story, stops.told
        unzoned = story.with_(has_zones=False)
        yield Scene("the schedule is read in no zone", unzoned, told[1:])
        lost = told[0].since
        good = tuple(run for run in story.runs if run.started < lost)
        busy = story.with_(runs=(*good, Run(lost, None, slot=lost)))
        yield Scene("a run holds up the next", busy, names=(UNSTARTED,))
        if self.is_reported:
            blind = story.with_(unseen=("kube_",))
            yield Scene("only pushes are seen", blind, told[1:], (MISSED,))
        deaf = story.with_(unseen=("cronops_", "pushgateway_"))
        yield Scene("no pushes are seen", deaf, told, (MISSED, UNSTARTED))

    def outcomes(self) -> Iterator[Scene]:
        story = self.story(self.missed + 2 * self.silence + 3600)
        slots = list(story.slots())
        skipped = story.with_(runs=(*runs(slots[:1]), *runs(slots[1:], "skipped")))
        yield Scene("skipped for good", skipped)
        missed = Told(MISSED, 0, self.missed)
        enough = Scene("", story).begins(missed) + story.step
        recovers = next(slot for slot in slots if slot > enough)
        failed = runs((slot for slot in slots if slot < recovers), "failed")
        told = replace(missed, until=recovers + 1)
        names = (MISSED, UNRECORDED) if self.is_reported else (MISSED,)
        story = story.with_(runs=(*failed, *runs([recovers])), lasts=recovers + story.step)
        story = story.with_(lasts=-(-story.lasts // story.step) * story.step)
        yield Scene("never a success", story, (told,), names)

    def suspended(self) -> Iterator[Scene]:
        story = self.story(3 * self.missed, suspended=((0, 2 * self.missed),))
        yield Scene("resumed after long", story.with_(runs=runs(story.slots(2 * self.missed))))
        story = self.story(self.missed + self.silence + 7200)
        halt = next(story.slots()) + 1
        missed = Told(MISSED, halt, self.missed)
        resumed = Scene("", story).begins(missed) + story.step
        story = story.with_(runs=runs([halt - 1]), suspended=((halt, resumed),))
        story = story.with_(lasts=resumed + story.step)
        told = (replace(missed, until=resumed),)
        yield Scene("suspended against the file", story, told)

    def not_there(self) -> Scene:
        # The value is that of `absent`, always 1; nobody is told it.
        story = self.story(1800, is_deployed=False)
        return Scene("no such CronJob", story, (Told(UNSTARTED, -60),))

    def hanging(self, pod: int) -> Iterator[Scene]:
        names = (OVERLONG, UNRECORDED) if self.is_reported else (OVERLONG,)
        story = self.story(2 * pod + 3600)
        told = Told(OVERLONG, 600, pod)
        ends = Scene("", story).begins(told) + 5 * story.step
        # The oldest counts, also beside one that was started by hand.
        story = story.with_(runs=(Run(600, ends), Run(900, ends)))
        yield Scene("a run does not end", story, (replace(told, until=ends),), names)
        short = story.with_(runs=(Run(600, 600 + pod),))
        yield Scene("a run ends in time", short, (), names, at=(600 + pod,))

    def waiting(self) -> Iterator[Scene]:
        names = (PENDING,)
        story = self.story(self.patience + 3600)
        told = Told(PENDING, 720, self.patience)
        starts = Scene("", story).begins(told) + 5 * story.step
        # The oldest that waits counts: not the one before it, nor the one after.
        ends = starts + 60
        first, second, third = (Pod(at, ends, pending=starts - at) for at in (720, 780, 840))
        run = Run(600, ends, tries=(Pod(600, 700, "failed"), first, second))
        held_up = story.with_(runs=(run, Run(840, ends, tries=(third,))))
        yield Scene("a pod waits", held_up, (replace(told, until=starts),), names)
        in_time = Pod(600, 2400, pending=self.patience + 1)
        begun = story.with_(runs=(Run(600, 2400, tries=(in_time,)),))
        yield Scene("a pod starts in time", begun, (), names, at=(600 + self.patience,))
        gone = Pod(720, starts, pending=story.lasts)
        given_up = story.with_(runs=(Run(600, starts, "died", tries=(gone,)),))
        yield Scene("a pod waits for good", given_up, (replace(told, until=starts),), names)

    def failing(self) -> Iterator[Scene]:
        if not self.is_reported:
            return
        names = (UNRECORDED,)
        story = self.story(4800)
        earlier, last = Run(600, 660, "failed"), Run(1140, 1190, "died")
        died = story.with_(runs=(earlier, last, Run(3000, 3060)))
        # The time is counted from the Job's start, but it has yet to fail.
        told = (Told(UNRECORDED, 1140, 50, until=3060),)
        yield Scene("it dies without a word", died, told, names)
        podless = died.with_(unseen=("kube_pod_",))
        yield Scene("its pods are not seen", podless, told, names)
        spoke = story.with_(runs=(Run(600, 660, "died"), Run(720, 780, "failed")))
        yield Scene("it fails and says so", spoke, (), names)
        retried = Run(
            1140, 1490, "died", tries=(Pod(1140, 1200, "failed"), Pod(1260, 1490, "died"))
        )
        silent = died.with_(runs=(retried, Run(3000, 3060)))
        last = (Told(UNRECORDED, 1260, 230, until=3060),)
        yield Scene("only its last pod dies without a word", silent, last, names)
        tries = (Pod(600, 700, "died"), Pod(720, 890, "failed"))
        spoke = story.with_(runs=(Run(600, 890, "failed", tries=tries),))
        yield Scene("only its last pod says so", spoke, (), names)
        tries = (Pod(600, 700, "failed"), Pod(720, 1200, pending=story.lasts))
        stuck = story.with_(runs=(Run(600, 1200, "died", tries=tries),))
        yield Scene("its last pod never starts", stuck, (), names)
        sharded = died.with_(runs=died.runs[1:], other_pushes=(1180,))
        yield Scene("another shard succeeds", sharded, told, names)


def runs(slots: Iterable[int], outcome: str = "succeeded") -> tuple[Run, ...]:
    """A run in each slot, of a second."""
    return tuple(Run(slot, slot + 1, outcome, slot) for slot in slots)
