"""``cronops schedules next``."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from operator import itemgetter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cronops.cli.output import Column, note, show_table, span
from cronops.cli.schedules.file import USUAL, FileOption, Opened, open_environment
from cronops.cli.session import Json, future
from cronops.cli.tree import examples, operator_app
from cronops.errors import BadInput, UsageError

if TYPE_CHECKING:
    from cronops.schedules.resolve import ResolvedSchedule
    from cronops.schedules.upcoming import Skipped

app = operator_app()

_COLUMNS = (
    Column("schedule"),
    Column("local_text", "local time"),
    Column("utc_text", "UTC"),
    Column("away", "in", show=span),
    Column("remark"),
)


@app.command(
    epilog=examples(
        "cronops schedules next",
        "cronops schedules next queue-clean --count 10",
        "cronops schedules next --env staging --at 2027-03-27T00:00:00+01:00 --json",
    )
)
def next(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[NAME]", help="Only this schedule.", show_default=False),
    ] = None,
    environment: Annotated[
        str, typer.Option("--env", metavar="NAME", help="In this environment.")
    ] = "production",
    count: Annotated[
        int | None,
        typer.Option(
            "--count",
            metavar="NUMBER",
            min=1,
            max=10_000,
            show_default="5 of one schedule, 1 of each",
            help="So many runs of each schedule.",
        ),
    ] = None,
    at: Annotated[
        datetime | None,
        typer.Option(
            "--at",
            parser=future,
            metavar="TIME",
            show_default=False,
            help="After this time: 2027-03-27T00:00:00+01:00, or 12h (from now).",
        ),
    ] = None,
    file: FileOption = USUAL,
    as_json: Json = False,
) -> None:
    """Show the coming runs, in the schedule's zone and in UTC.

    As the cluster reckons them: times that spring skips are listed without UTC, those that
    autumn repeats twice. A suspended schedule's runs are listed with why they will not be.
    """
    opened = open_environment(file, environment)
    after = at or datetime.now(UTC)
    alone = name is not None
    chosen = list(opened.environment.schedules) if name is None else [opened.schedule(name)]
    runnable = [schedule for schedule in chosen if _has_runs(opened, schedule, alone=alone)]
    most = count or (5 if alone else 1)
    try:
        rows = [row for schedule in runnable for row in islice(_rows(schedule, after), most)]
    except ValueError as error:
        raise UsageError(f"--at: {error}") from None
    except OverflowError:
        raise UsageError("--at: beyond the end of the calendar no runs are told") from None
    rows.sort(key=itemgetter("order"))
    for row in rows:
        del row["order"]
        if as_json:
            del row["local_text"], row["utc_text"], row["away"]
    show_table(rows, _COLUMNS, as_json=as_json, empty="Nothing is scheduled.")


def _has_runs(opened: Opened, schedule: "ResolvedSchedule", *, alone: bool) -> bool:
    """Whether the schedule goes by the clock; why not is said of the one that was asked for."""
    from cronops.schedules.rules.inline_secrets import secret_in

    place = f"{opened.file.name}:{opened.line(schedule.path_of('schedule'))}"
    if schedule.entry.manual:
        reason = f"{schedule.name} is manual: an operator triggers it"
    elif schedule.cron_error is not None:
        reason = f"{place}: {schedule.name}: {schedule.cron_error.message}"
    elif schedule.cron is None:
        reason = f"{place}: {schedule.name} has no schedule"
    elif schedule.zone is None:
        reason = f"{place}: {schedule.name}: there is no time zone {schedule.template.time_zone!r}"
    else:
        return True
    if secret_in(f"{schedule.expression} {schedule.template.time_zone}"):
        reason = f"{place}: {schedule.name} cannot run: its schedule or timeZone holds a secret"
    if alone and not schedule.entry.manual:
        raise BadInput(f"{reason}; see: cronops schedules validate")
    if alone or not schedule.entry.manual:
        note(f"note: {reason}")
    return False


def _rows(schedule: "ResolvedSchedule", after: datetime) -> Iterator[dict[str, Any]]:
    from cronops.schedules.upcoming import Skipped, slots

    assert schedule.cron is not None  # noqa: S101 - see _has_runs
    assert schedule.zone is not None  # noqa: S101
    suspended = f"suspended: {schedule.standstill}" if schedule.standstill else None
    now = datetime.now(UTC)
    for slot in slots(schedule.cron, schedule.zone, after):
        local = f"{slot.local:%a %Y-%m-%d %H:%M}"
        if isinstance(slot, Skipped):
            surprise: str | None = _skipped_text(slot)
            utc, order = None, slot.local.replace(tzinfo=schedule.zone).astimezone(UTC)
        else:
            surprise, utc, order = slot.surprise, slot.utc, slot.utc
            local = f"{local} {slot.local:%Z}"
        yield {
            "order": order,
            "schedule": schedule.name,
            "local": slot.local.isoformat(),
            "time_zone": schedule.zone.key,
            "utc": utc,
            "skipped": utc is None,
            "surprise": surprise,
            "suspended": schedule.standstill,
            "local_text": local,
            "utc_text": f"{utc:%Y-%m-%d %H:%M}" if utc else "not run",
            "away": utc - now if utc else None,
            "remark": "; ".join(filter(None, (surprise, suspended))),
        }


def _skipped_text(skipped: "Skipped") -> str:
    if skipped.count == 1:
        return f"skipped: {skipped.why}"
    return f"{skipped.count} runs until {skipped.until:%H:%M} are skipped: {skipped.why}"
