"""A cron expression as a whole: its nicknames, its five fields, and what is not one of them."""

import re

from cronops.schedules.cron.fields import Refused, quoted

# What Go's strings.Fields splits at; Python's str.split() also does so at \x1c to \x1f.
_FIELD = re.compile("[^\t\n\v\f\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")
_COUNT = 5
_ZONE = re.compile(r"\s*(?:CRON_)?TZ=(\S*)\s*(.*)", re.DOTALL)
NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_EVERY = "@every "
_NANOSECONDS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
# The micro sign and the Greek letter are both taken for u.
_LENGTH = re.compile("([0-9]{0,19})(\\.[0-9]{0,19})?(ns|[u\u00b5\u03bc]s|ms|s|m|h)")
_LONGEST = 2**63 - 1


def split(expression: str, doubts: list[Refused]) -> list[tuple[str, int]]:
    """The five fields, each with its offset in the expression.

    Raises `Refused` for what the cluster refuses, and adds to `doubts` what only we do.
    """
    if "TZ" in expression:
        raise _zone(expression)
    if expression.startswith("@"):
        if expression.startswith(_EVERY):
            doubts.append(_every(expression))
            return _fields("* * * * *")
        if expression not in NICKNAMES:
            raise _nickname(expression)
        return _fields(NICKNAMES[expression])
    fields = _fields(expression)
    if len(fields) != _COUNT:
        raise _count(expression, fields)
    return fields


def _fields(expression: str) -> list[tuple[str, int]]:
    return [(match.group(), match.start()) for match in _FIELD.finditer(expression)]


def _count(expression: str, fields: list[tuple[str, int]]) -> Refused:
    end = len(expression)
    if not fields:
        return Refused("the expression is empty; it has five fields", 0, end)
    stripped = expression.strip()
    if stripped.startswith("@"):
        return Refused("nothing may stand before the @", 0, end, stripped)
    if len(fields) == _COUNT + 1:
        message = "has six fields; there is none for seconds"
        if fields[0][0] == "0":
            return Refused(f"{quoted(expression)} {message}", 0, fields[1][1], "")
        return Refused(f"{quoted(expression)} {message}, a minute is the shortest step", 0, end)
    message = f"{quoted(expression)} has {len(fields)} fields, not five: "
    message += "minute, hour, day of the month, month, day of the week"
    return Refused(message, fields[min(len(fields), _COUNT + 1) - 1][1], end)


def _zone(expression: str) -> Refused:
    prefix = _ZONE.fullmatch(expression)
    if prefix is None:
        return Refused("a time zone belongs in timeZone, not into the expression", 0, 0)
    message = f"a time zone belongs in timeZone: write timeZone: {prefix[1]} beside the schedule"
    return Refused(message, 0, prefix.start(2), "")


def _nickname(expression: str) -> Refused:
    end = len(expression)
    tidy = expression.strip().lower()
    if tidy in NICKNAMES:
        return Refused(f"{quoted(expression)} must be written {tidy}", 0, end, tidy)
    if tidy == "@reboot":
        message = "@reboot has no time; what must run when something starts is no CronJob"
        return Refused(message, 0, end)
    return Refused(f"{quoted(expression)} is none of {', '.join(NICKNAMES)}", 0, end)


def _every(expression: str) -> Refused:
    end = len(expression)
    length = _nanoseconds(expression.removeprefix(_EVERY))
    if length is None:
        return Refused(f"{quoted(expression)} names no length of time", 0, end)
    message = "@every counts from when the CronJob was created, not by the clock"
    return Refused(message, 0, end, _steps(length), by_cluster=False)


def _steps(nanoseconds: int) -> str | None:
    """The expression that runs as often; None where it does not go into an hour or a day."""
    minutes, rest = divmod(nanoseconds, _NANOSECONDS["m"])
    if rest or minutes < 1:
        return None
    if 60 % minutes == 0:
        return {1: "* * * * *", 60: "0 * * * *"}.get(minutes, f"*/{minutes} * * * *")
    hours, rest = divmod(minutes, 60)
    if rest or 24 % hours:
        return None
    return "0 0 * * *" if hours == 24 else f"0 */{hours} * * *"


def _nanoseconds(text: str) -> int | None:
    """A length as Go writes it, ``1h30m``; None where it is none, or longer than 292 years."""
    unsigned = text[1:] if text[:1] in ("+", "-") else text
    if unsigned == "0":
        return 0
    total, at = 0, 0
    while at < len(unsigned):
        part = _LENGTH.match(unsigned, at)
        if part is None or not (part[1] or (part[2] or "")[1:]):
            return None
        unit = _NANOSECONDS[part[3].replace("\u00b5", "u").replace("\u03bc", "u")]
        total += int(part[1] or 0) * unit + int(float(f"0{part[2] or ''}") * unit)
        at = part.end()
    if not unsigned or total > _LONGEST:
        return None
    return total if text[:1] != "-" else -total
