"""Rules about when a schedule runs: its expression, its zone, and how long a run may take."""

import re
from collections.abc import Iterator
from datetime import timedelta
from functools import lru_cache
from zoneinfo import available_timezones

from cronops.durations import format_duration
from cronops.schedules.findings import Severity
from cronops.schedules.nearest import did_you_mean
from cronops.schedules.resolve import ResolvedSchedule
from cronops.schedules.rules.rule import Problem, schedule_rule

# The controller looks every ten seconds; what may start no later than that may never start.
_SHORTEST_DEADLINE = 11
_PLACEHOLDER = re.compile(r"\{[A-Za-z_][\w-]*\}")
# Zones of a machine, not of a place; the API refuses them or nodes lack them.
_NO_PLACE = re.compile(r"local(?:time)?|posixrules|factory|(?:posix|right)/.*", re.IGNORECASE)


@schedule_rule(
    "cron-syntax",
    waivable=False,
    title="Every schedule is an expression that the cluster's cron dialect knows",
    why="The API refuses the CronJob; other crons' extensions are not known there.",
    instead="write five fields, as docs/schedules.md explains them",
)
def _syntax(schedule: ResolvedSchedule) -> Iterator[Problem]:
    error = schedule.cron_error
    if error is not None and error.by_cluster and not _has_zone(schedule):
        yield _misread(schedule)


@schedule_rule(
    "cron-zone-prefix",
    waivable=False,
    title="The time zone stands in timeZone, not in the expression",
    why="The API refuses TZ= and CRON_TZ= in a schedule.",
    instead="take the prefix out, and write its zone into timeZone",
)
def _zone_prefix(schedule: ResolvedSchedule) -> Iterator[Problem]:
    if schedule.cron_error is not None and _has_zone(schedule):
        yield _misread(schedule)


@schedule_rule(
    "cron-refused",
    waivable=False,
    title="No schedule does something else than it says",
    why="The cluster takes it, and runs it at other times than anybody would read in it.",
    instead="write the times that are meant",
)
def _refused(schedule: ResolvedSchedule) -> Iterator[Problem]:
    if schedule.cron_error is not None and not schedule.cron_error.by_cluster:
        yield _misread(schedule)


@schedule_rule(
    "cron-never",
    waivable=False,
    title="Every schedule has a day that comes",
    why="The cluster takes 30 February without a word and never runs it.",
    instead="name a day that the month has",
)
def _never(schedule: ResolvedSchedule) -> Iterator[Problem]:
    if schedule.cron is not None and schedule.cron.never:
        yield Problem(f"{_shown(schedule)} names a date that never comes", field=("schedule",))


@schedule_rule(
    "time-zone",
    waivable=False,
    title="Every schedule names the IANA zone it is read in",
    why="Without one, the zone is that of a controller nobody sees; the API refuses unknown ones.",
    instead="write timeZone: Europe/Brussels, or another name of the IANA database",
)
def _time_zone(schedule: ResolvedSchedule) -> Iterator[Problem]:
    name = schedule.template.time_zone
    if name is None:
        yield Problem("no timeZone is given")
    elif _NO_PLACE.fullmatch(name):
        yield Problem(
            f"{name[:60]!r} is the zone of a machine, not of a place", field=("timeZone",)
        )
    elif schedule.zone is None:
        yield Problem(
            f"no time zone is called {name[:60]!r}", _meant_zone(name), field=("timeZone",)
        )


@schedule_rule(
    "schedule-missing",
    waivable=False,
    title="Every schedule says when it runs, or that an operator triggers it",
    why="A CronJob without a schedule is refused by the API.",
    instead="add schedule: with five fields, or manual: true",
)
def _schedule_missing(schedule: ResolvedSchedule) -> Iterator[Problem]:
    if schedule.expression is None and not schedule.entry.manual:
        yield Problem("it has neither a schedule nor manual: true")


@schedule_rule(
    "manual-with-schedule",
    waivable=False,
    title="What an operator triggers has no schedule",
    why="One of the two would be passed over without a word.",
    instead="take out either the schedule or manual: true",
)
def _manual_with_schedule(schedule: ResolvedSchedule) -> Iterator[Problem]:
    if schedule.entry.manual and schedule.expression is not None:
        yield Problem(f"it is manual, and has the schedule {_shown(schedule)}", field=("manual",))


@schedule_rule(
    "placeholder",
    waivable=False,
    title="What runs by the clock has no placeholders in its command",
    why="Only an operator who triggers it could fill them in.",
    instead="write a value, or manual: true and no schedule",
)
def _placeholder(schedule: ResolvedSchedule) -> Iterator[Problem]:
    found = _PLACEHOLDER.search(schedule.entry.command)
    if found and not schedule.entry.manual:
        yield Problem(
            f"{found[0][:60]} in the command is filled in by nobody",
            field=("command",),
            offset=found.start(),
        )


@schedule_rule(
    "starting-deadline",
    title="A run may start more than ten seconds late, and less than a period",
    why="The controller looks every ten seconds: a shorter deadline may miss every run, and one "
    "as long as the period starts a late run when the next is due.",
    instead="leave startingDeadlineSeconds out: half the period is taken",
)
def _starting_deadline(schedule: ResolvedSchedule) -> Iterator[Problem]:
    if schedule.period is None or schedule.entry.manual:
        return
    deadline = schedule.starting_deadline
    if deadline < _SHORTEST_DEADLINE:
        message = f"startingDeadlineSeconds is {deadline}; the least that works is 11"
        yield Problem(message, field=("startingDeadlineSeconds",))
    elif deadline >= schedule.period:
        message = f"startingDeadlineSeconds is {deadline}, and a run is due every {schedule.period}"
        instead = f"write less than {schedule.period}, or leave it out: half the period is taken"
        yield Problem(message, instead, field=("startingDeadlineSeconds",))


@schedule_rule(
    "timeout-over-period",
    title="A run ends before the next is due",
    why="Kubernetes passes over a slot while the run before it is still going (Forbid). A job that "
    "skips when its lock is held takes that well; another misses work.",
    instead="let it run less often, or give the job a shorter timeout where it is declared",
)
def _timeout_over_period(schedule: ResolvedSchedule) -> Iterator[Problem]:
    declared, period = schedule.declaration, schedule.period
    if declared is None or declared.timeout is None or period is None or schedule.entry.manual:
        return
    if declared.timeout > period:
        message = f"{declared.job} may take {_told(declared.timeout)}, and is due every "
        message += _told(period)
        if declared.skips_when_locked:
            advice = "nothing, if slots may go by while a run works: they are skipped"
            yield Problem(message, advice, field=("schedule",), severity=Severity.NOTE)
        else:
            yield Problem(message, field=("schedule",))


@lru_cache(maxsize=64)
def _meant_zone(name: str) -> str:
    return did_you_mean(name, available_timezones() - {"localtime"})


def _shown(schedule: ResolvedSchedule) -> str:
    return repr((schedule.expression or "")[:60])


def _has_zone(schedule: ResolvedSchedule) -> bool:
    return "TZ=" in (schedule.expression or "")


def _told(seconds: int) -> str:
    return format_duration(timedelta(seconds=seconds))


def _misread(schedule: ResolvedSchedule) -> Problem:
    error = schedule.cron_error
    assert error is not None  # noqa: S101 (its callers looked)
    instead = f'write "{error.instead}"' if error.instead else ""
    return Problem(error.message, instead, field=("schedule",), offset=error.column)


RULES = (
    _syntax,
    _zone_prefix,
    _refused,
    _never,
    _time_zone,
    _schedule_missing,
    _manual_with_schedule,
    _placeholder,
    _starting_deadline,
    _timeout_over_period,
)
