"""``cronops schedules simulate``."""

import shutil
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cronops.cli.output import Column, note, paint, print_line, show_json, show_table, span
from cronops.cli.schedules.file import USUAL, FileOption, Opened, open_environment
from cronops.cli.session import Json, future
from cronops.cli.tree import examples, operator_app
from cronops.durations import parse_duration
from cronops.errors import UsageError

if TYPE_CHECKING:
    from cronops.schedules.simulation import Simulation
    from cronops.schedules.spread import Move

app = operator_app()

_LONGEST = timedelta(days=400)
_SHADES = " .:-=+*#%@"
_BLOCKS = " ▁▂▃▄▅▆▇█"
_MEETINGS = (
    Column("name", "schedule"),
    Column("times", show=lambda number: f"{number:,}"),
    Column("lock"),
    Column("others", "held by", shrinks=True),
    Column("first"),
    Column("then"),
)
_BUSY = (Column("at"), Column("pods"), Column("names", "schedules", shrinks=True))


@app.command(
    epilog=examples(
        "cronops schedules simulate",
        "cronops schedules simulate --from 2027-03-27T00:00:00Z --for 3d --env staging",
        "cronops schedules simulate --for 90d --durations history --svg load.svg",
        "cronops schedules simulate --most 2 --write  # move them apart in the file",
    )
)
def simulate(
    environment: Annotated[
        str, typer.Option("--env", metavar="NAME", help="Of this environment.")
    ] = "production",
    start: Annotated[
        datetime | None,
        typer.Option(
            "--from",
            parser=future,
            metavar="TIME",
            show_default="now",
            help="Begin then: 2027-03-27T00:00:00Z, or 12h (from now).",
        ),
    ] = None,
    length: Annotated[
        timedelta,
        typer.Option(
            "--for", parser=parse_duration, metavar="DURATION", help="For so long: 7d, 12h."
        ),
    ] = "7d",  # type: ignore[assignment]
    durations: Annotated[
        Literal["declared", "history"],
        typer.Option(
            "--durations",
            help="declared: each run takes its timeout; history: as long as nineteen of twenty of "
            "its runs took at most, by the database.",
        ),
    ] = "declared",
    most: Annotated[
        int,
        typer.Option(
            "--most", metavar="NUMBER", min=1, help="More pods that start at once are a stampede."
        ),
    ] = 10,
    write: Annotated[
        bool,
        typer.Option("--write", help="Write the proposed minutes into the file, where it says so."),
    ] = False,
    svg: Annotated[
        Path | None,
        typer.Option("--svg", metavar="FILE", show_default=False, help="Draw the load there, too."),
    ] = None,
    file: FileOption = USUAL,
    as_json: Json = False,
) -> None:
    """Run the schedules of an environment in the mind: collisions at locks, and load.

    What is suspended runs, too: it will be resumed. Shown are the starts that would find their
    lock held, the fullest minutes, a timetable that is calmer, and the load by day and hour.
    """
    if not timedelta(minutes=1) <= length <= _LONGEST:
        raise UsageError(f"--for must be from 1m to {span(_LONGEST)}")
    from cronops.schedules.simulation import Simulation

    opened = open_environment(file, environment)
    begin = (start or datetime.now(UTC)).astimezone(UTC).replace(second=0, microsecond=0)
    known = _history() if durations == "history" else {}
    made = Simulation(opened.environment, begin, length, known)
    moves, highest = made.spread(most)
    if svg is not None:
        _draw_svg(svg, made)
    if as_json:
        show_json(_as_json(made, moves, highest, most))
    else:
        _show(made, moves, highest, most)
    if write and moves:
        _write(opened, moves)


def _history() -> Mapping[str, int]:
    from cronops.cli.session import session
    from cronops.db.run_durations import longest_by_schedule

    with session("schedules simulate") as at:
        return longest_by_schedule(at.connection)


def _as_json(
    made: "Simulation", moves: "Sequence[Move]", highest: int, most: int
) -> dict[str, Any]:
    at_work, at = made.most_at_work()
    return {
        "from": made.start,
        "to": made.end,
        "schedules": len(made.schedules),
        "meetings": [vars(one) for one in made.meetings()],
        "busiest": [vars(one) for one in made.busiest()],
        "crowded_minutes": made.crowded(most),
        "most_at_work": {"pods": at_work, "at": at},
        "moves": [{"name": one.name, "minute": one.minute} for one in moves],
        "most_starts_after_moves": highest,
        "by_hour": [{"day": day.date(), "starts": counts} for day, counts in made.by_hour()],
    }


def _show(made: "Simulation", moves: "Sequence[Move]", highest: int, most: int) -> None:
    meetings = made.meetings()
    if meetings:
        print_line("Starts that find their lock held:")
    show_table(
        [{**vars(one), "then": _then(one.waits)} for one in meetings],
        _MEETINGS,
        as_json=False,
        empty="No start finds its lock held.",
    )
    at_work, at = made.most_at_work()
    if at is not None:
        print_line(
            f"\nAt most {at_work:,} pods are at work at once, first at {at:%Y-%m-%d %H:%M}Z."
        )
    print_line("The fullest minutes:")
    show_table([vars(one) for one in made.busiest()], _BUSY, as_json=False, empty="Nothing starts.")
    crowded = made.crowded(most)
    if crowded:
        print_line(f"\nMore than {most:,} pods start in {crowded:,} minutes.")
    if moves:
        told = ", ".join(f"{one.name} to minute {one.minute}" for one in moves)
        print_line(f"Calmer, with {highest:,} at most: {told}. --write does it.")
    print_line(f"\nStarts by day and hour, in UTC, {made.start:%Y-%m-%d %H:%M}Z and on:")
    for line in _heat(made):
        print_line(line)


def _then(waits: int) -> str:
    return f"waits up to {span(timedelta(seconds=waits))}" if waits else "skips"


def _heat(made: "Simulation") -> list[str]:
    rows = made.by_hour()
    every = [count for _, counts in rows for count in counts if count]
    lowest, highest = min(every, default=0), max(every, default=0)
    signs = _BLOCKS if _is_unicode() else _SHADES
    lines = ["           " + "".join(f"{hour:<3d}" for hour in range(24))]
    for day, counts in rows:
        cells = "".join(_cell(count, lowest, highest, signs) for count in counts)
        lines.append(f"{day:%a %m-%d}  {cells}")
    lines.append(f"{signs[1] * 2} is {lowest:,} starts in an hour, {signs[-1] * 2} is {highest:,}")
    return lines


def _cell(count: int, lowest: int, highest: int, signs: str) -> str:
    steps = len(signs) - 2
    level = 1 + (count - lowest) * steps // max(highest - lowest, 1) if count else 0
    colour = "red" if level > 6 else "yellow" if level > 3 else "blue"
    sign = signs[level] * 2
    return (paint(sign, colour) if count else sign) + " "


def _is_unicode() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"


def _draw_svg(path: Path, made: "Simulation") -> None:
    from cronops.schedules.heat_map import heat_map

    try:
        path.write_text(heat_map(made.by_hour()), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from None


def _write(opened: Opened, moves: "Sequence[Move]") -> None:
    """Write other minutes into the file, where each schedule says its own."""
    from cronops.schedules.moved import moved

    if opened.file.name.startswith("<"):
        raise UsageError("--write wants a file, not standard input")
    text, left = moved(opened.file.text.decode(), opened.source, opened.environment, moves)
    # Behind a link, what it leads to is the file.
    path = Path(opened.file.name).resolve()
    new = path.with_name(f".{path.name}.cronops-new")
    new.write_text(text, encoding="utf-8")
    shutil.copymode(path, new)
    new.replace(path)
    for name in left:
        note(f"note: {name} was left: its time is not said in an entry of its own")
    note(f"{len(moves) - len(left)} schedules were moved in {path}; see: git diff {path}")
