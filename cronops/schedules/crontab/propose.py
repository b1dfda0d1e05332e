"""A crontab turned into schedules, line by line: none is lost, and what is not sure is said."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from cronops.schedules.crontab.legacy import Call, call_of, call_of_url, find_script
from cronops.schedules.crontab.lines import Blank, Entry, Line, Unread, Variable
from cronops.schedules.crontab.secrets import masked
from cronops.schedules.crontab.shell import Fetch, Program, Run, Unclear, programs
from cronops.schedules.crontab.times import Timing, timing
from cronops.schedules.zones import zone_of

Fate = Literal["schedule", "variable", "comment", "kept"]
_LISTED = 8


@dataclass(frozen=True)
class Proposed:
    """What becomes of one line."""

    file: str
    line: int
    text: str
    """Without what looks secret."""
    fate: Fate
    remarks: tuple[str, ...] = ()
    """What was made of it, for people."""
    look: tuple[str, ...] = ()
    """What a person has to look at."""
    name: str | None = None
    cr: str | None = None
    command: str | None = None
    description: str | None = None
    schedule: str | None = None
    time_zone: str | None = None
    """Where it is not the file's usual one."""
    timing: Timing | None = field(default=None, compare=False)


def propose(file: str, lines: Sequence[Line], *, zone: ZoneInfo, now: datetime) -> list[Proposed]:
    """What becomes of each line of a crontab, in order."""
    return [_line(file, line, zone, now) for line in lines]


def named_apart(proposals: Sequence[Proposed]) -> list[Proposed]:
    """The same, each schedule with a name of its own: the second is called ``…-2``."""
    from dataclasses import replace

    used: set[str] = set()
    named = []
    for one in proposals:
        if one.name is None:
            named.append(one)
            continue
        name, count = one.name, 1
        while name in used:
            count += 1
            name = f"{one.name}-{count}"
        used.add(name)
        named.append(replace(one, name=name))
    return named


def _line(file: str, line: Line, zone: ZoneInfo, now: datetime) -> Proposed:
    text = masked(line.text.strip())
    if isinstance(line, Blank):
        return Proposed(file, line.number, text, "comment")
    if isinstance(line, Variable):
        return Proposed(file, line.number, text, "variable", remarks=tuple(_of_variable(line)))
    if isinstance(line, Unread):
        return Proposed(file, line.number, text, "kept", look=(line.reason,))
    assert isinstance(line, Entry)  # noqa: S101 - there is no other
    return _entry(file, line, text, zone, now)


def _of_variable(line: Variable) -> Iterator[str]:
    if line.name == "MAILTO":
        yield "who is told of failures stands in CRONOPS_ALERTS__ROUTES, by owner"
    elif line.name == "CRON_TZ":
        yield "becomes the timeZone of the schedules below it"
    elif line.name == "TZ":
        yield "cron does not go by it: only the commands saw it"
    elif line.name in ("PATH", "SHELL", "HOME", "LOGNAME"):
        yield "a pod runs cronops itself, in no shell: it needs none of it"
    else:
        yield "no command of cronops reads it; see docs/configuration.md"


def _entry(file: str, entry: Entry, text: str, zone: ZoneInfo, now: datetime) -> Proposed:
    look: list[str] = []
    remarks: list[str] = []
    runs = programs(entry.command)
    calls = [(run, call) for run in runs if (call := _call(run)) is not None]
    own = entry.variables.get("CRON_TZ")
    if own:
        told = zone_of(own)
        if told is None:
            look.append(f"no time zone is called {own!r} (CRON_TZ)")
            own = None
        else:
            zone = told
    time: Timing | None = None
    try:
        time = timing(entry.when, zone, now)
    except ValueError as error:
        look.append(str(error))
    if time is not None:
        remarks += time.remarks if time.expression else ()
        look += time.remarks if not time.expression else ()
        look += _of_differences(time)
    if len(calls) != 1 or time is None or time.expression is None:
        if not calls:
            look.append("it runs nothing that cronops knows; it stays where it is")
        elif len(calls) > 1:
            look.append("it runs several jobs one after the other: write a schedule for each")
        return Proposed(file, entry.number, text, "kept", tuple(remarks), tuple(look), timing=time)
    ((run, call),) = calls
    if isinstance(run, Fetch):
        look.append("it is triggered over HTTP: remove what answers there (schedules scan-http)")
    look += [f"what is {masked(word)!r} of {call.script.cr}?" for word in call.unclear]
    look += [f"it also runs: {_told(other)}" for other in runs if other is not run]
    if entry.stdin is not None:
        look.append("it is given input behind a %, which cronops does not read")
    if entry.user is not None:
        remarks.append(f"ran as {entry.user}; the pods have a user of their own")
    return Proposed(
        file,
        entry.number,
        text,
        "schedule",
        tuple(remarks),
        tuple(look),
        name=_name(call),
        cr=call.script.cr,
        command=call.command,
        description=call.script.description,
        schedule=time.expression,
        time_zone=own,
        timing=time,
    )


def _call(run: Run) -> Call | None:
    if isinstance(run, Fetch):
        return call_of_url(run.url)
    if isinstance(run, Program):
        script = find_script(run.path)
        return call_of(script, run.arguments) if script else None
    return None


def _told(run: Run) -> str:
    if isinstance(run, Fetch):
        return masked(run.url)
    if isinstance(run, Unclear):
        return masked(run.words)
    return masked(" ".join((run.path, *run.arguments)))


def _name(call: Call) -> str:
    """The schedule's name; of a call with a value, with the value in it."""
    value = next((one.partition("=")[2] for one in call.options if "=" in one), "")
    if not value:
        return call.script.name
    tidy = "".join(one if one.isalnum() else "-" for one in value.lower()).strip("-")
    return f"{call.script.name.removesuffix('-one')}-{tidy}"[:50].rstrip("-")


def _of_differences(time: Timing) -> Iterator[str]:
    if not time.differences:
        return
    cron = sum(one.by_cron for one in time.differences)
    cluster = len(time.differences) - cron
    first = ", ".join(
        f"{one.at:%Y-%m-%d %H:%M %Z} only {'cron' if one.by_cron else 'the cluster'}"
        for one in time.differences[:_LISTED]
    )
    yield (
        f"in two years cron runs it {cron} times where the cluster does not, and the cluster "
        f"{cluster} times where cron does not: {first}"
    )
