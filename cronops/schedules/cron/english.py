"""A cron expression in plain English."""

from collections.abc import Callable, Iterable
from itertools import pairwise

from cronops.schedules.cron.fields import DAYS, HOURS, MINUTES, MONTHS, WEEKDAYS, Field
from cronops.schedules.cron.times import Times

_FEW = 4


def describe(times: Times) -> str:
    """``every minute``, ``at 02:30 on Monday``; two schedules that differ read differently."""
    day = _day(times)
    clock = _clock(times)
    if not day and clock.startswith("at "):
        day = "every day"
    month = f"in {_listed(MONTHS, times.months)}" if times.months != MONTHS.everything else ""
    text = " ".join(filter(None, (clock, day, month)))
    return f"{text}, which never comes" if times.never else text


def _clock(times: Times) -> str:
    minute_step, hour_step = _step(MINUTES, times.minutes), _step(HOURS, times.hours)
    on_the_hour = times.minutes == 1
    if hour_step == 1 and minute_step:
        return _every(minute_step, "minute")
    if hour_step == 1 and on_the_hour:
        return "every hour"
    if times.minutes.bit_count() * times.hours.bit_count() <= _FEW:
        return "at " + _joined(f"{hour:02}:{minute:02}" for hour, minute in times.of_day())
    if on_the_hour and hour_step:
        return _every(hour_step, "hour")
    minutes = _every(minute_step, "minute") if minute_step else _counted(MINUTES, times.minutes)
    return f"{minutes} of {_counted(HOURS, times.hours)}"


def _day(times: Times) -> str:
    open_number, open_weekday = times.open_days
    by_number, by_weekday = _counted(DAYS, times.days), _listed(WEEKDAYS, times.weekdays)
    if open_number and open_weekday:
        return ""
    if open_number:
        return f"on {by_weekday}"
    return f"on {by_number}" if open_weekday else f"on {by_number} and also on every {by_weekday}"


def _every(step: int, unit: str) -> str:
    return f"every {unit}" if step == 1 else f"every {step} {unit}s"


def _step(field: Field, mask: int) -> int | None:
    """The step from 0 that makes these values and fits into the whole; None where none does."""
    size = field.high + 1
    step = (mask >> 1 & -(mask >> 1)).bit_length() if mask != 1 else 0
    fits = step and not size % step and mask == sum(1 << value for value in range(0, size, step))
    return step if fits else None


def _counted(field: Field, mask: int) -> str:
    if mask == field.everything:
        return f"every {field.name}"
    singular, _, rest = field.name.partition(" ")
    plural = "s" if mask.bit_count() > 1 else ""
    return " ".join(filter(None, (f"{singular}{plural}", _listed(field, mask), rest)))


def _listed(field: Field, mask: int) -> str:
    """The values, three and more in a row as ``8 to 17``, of equal distance as steps."""
    word: Callable[[int], str] = str
    if field.full_names:
        word = {v: n.title() for v, n in enumerate(field.full_names, field.low)}.__getitem__
    values = [value for value in range(field.low, field.high + 1) if mask >> value & 1]
    steps = {later - sooner for sooner, later in pairwise(values)}
    if len(values) > _FEW and len(steps) == 1 and steps != {1}:
        return f"{word(values[0])} to {word(values[-1])} in steps of {steps.pop()}"
    parts: list[str] = []
    value = field.low
    while value <= field.high:
        run = 0
        while mask >> value + run & 1:
            run += 1
        if run > 2:
            parts.append(f"{word(value)} to {word(value + run - 1)}")
        else:
            parts += [word(value + n) for n in range(run)]
        value += run + 1
    return _joined(parts)


def _joined(parts: Iterable[str]) -> str:
    *rest, last = parts
    return f"{', '.join(rest)} and {last}" if rest else last
