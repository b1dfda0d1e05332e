"""Rules about schedules that stand still: not yet confirmed, or suspended."""

from collections.abc import Iterator

from cronops.schedules.findings import Severity
from cronops.schedules.model import Suspension
from cronops.schedules.resolve import PRODUCTION, ResolvedSchedule
from cronops.schedules.rules.rule import Problem, schedule_rule


@schedule_rule(
    "provisional",
    severity=Severity.NOTE,
    title="Every cadence in production was confirmed by somebody",
    why="A proposal stands still in production until somebody who knows has agreed to it.",
    instead="once it is agreed: confirmed: {by: NAME, on: DATE}",
)
def _provisional(schedule: ResolvedSchedule) -> Iterator[Problem]:
    if _is_proposal(schedule) and schedule.standstill and schedule.cron:
        yield Problem(
            f"nobody has confirmed that {schedule.name} runs {schedule.cron.describe()}; "
            "it is suspended in production",
            field=("provisional",),
        )


@schedule_rule(
    "provisional-active",
    title="A cadence that nobody confirmed stands still in production",
    why="It is a proposal: what production wants is not known.",
    instead="take suspend: false out, or add confirmed: {by: NAME, on: DATE}",
)
def _provisional_active(schedule: ResolvedSchedule) -> Iterator[Problem]:
    if _is_proposal(schedule) and not schedule.standstill:
        message = f"{schedule.name} is provisional, and yet would run in production"
        yield Problem(message, field=("suspend",))


@schedule_rule(
    "confirmed-in-future",
    title="Confirmations were given on a day that has passed",
    why="Nobody can have agreed tomorrow: the date is a slip, or the confirmation is a plan.",
    instead="write the day on which it was agreed",
)
def _confirmed_in_future(schedule: ResolvedSchedule) -> Iterator[Problem]:
    confirmed = schedule.entry.confirmed
    if confirmed is not None and confirmed.on > schedule.today:
        yield Problem(
            f"{confirmed.by} confirms it on {confirmed.on}, which has not come",
            field=("confirmed", "on"),
        )


@schedule_rule(
    "suspension-expired",
    severity=Severity.WARNING,
    title="No suspension has outlived its day",
    why="Nothing resumes by itself: the file has to say so, or to name another day.",
    instead="take suspend out, or name a later day and why",
)
def _expired(schedule: ResolvedSchedule) -> Iterator[Problem]:
    said = schedule.template.suspend
    if isinstance(said, Suspension) and said.until < schedule.today:
        yield Problem(
            f"{said.by} suspended it until {said.until}, which has passed: {said.why}",
            field=("suspend", "until"),
        )


@schedule_rule(
    "suspension-unexplained",
    title="Suspensions say until when, by whom, and why",
    why="What stands still without a reason stands still for ever.",
    instead="write suspend: {until: DATE, by: NAME, why: TEXT}",
)
def _unexplained(schedule: ResolvedSchedule) -> Iterator[Problem]:
    if schedule.template.suspend is True and not schedule.entry.manual:
        yield Problem("it is suspended, and nothing says until when and why", field=("suspend",))


def _is_proposal(schedule: ResolvedSchedule) -> bool:
    production = schedule.environment == PRODUCTION
    return production and schedule.awaits_confirmation and not schedule.entry.manual


RULES = (_provisional, _provisional_active, _confirmed_in_future, _expired, _unexplained)
