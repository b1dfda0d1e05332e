"""The kinds of setting there are: what may be written, and what is made of it."""

import re
from collections.abc import Mapping
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any, TypeVar

from cronops.config.setting import Setting
from cronops.durations import format_duration, parse_duration
from cronops.secret import SecretStr

T = TypeVar("T")


def text(
    default: T,
    description: str,
    *,
    key: str | None = None,
    pattern: str = r"(?s).{1,1000}",
    must: str = "must be text of 1 to 1,000 characters",
) -> "Setting[str | T]":
    """Text that fits `pattern`; `must` says so to people."""

    def parse(value: Any) -> str:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise ValueError(must)
        return value

    return Setting[Any](default, description, kind="text", parse=parse, key=key)


def identifier(default: str, description: str, *, key: str | None = None) -> Setting[str]:
    """A name that PostgreSQL takes without quotes."""
    must = "must be a lower-case PostgreSQL name: letters, digits and _, 63 at most"
    return text(default, description, key=key, pattern=r"[a-z_][a-z0-9_]{0,62}", must=must)


def secret(description: str) -> Setting[SecretStr | None]:
    """Text that must not be shown."""

    def parse(value: Any) -> SecretStr:
        if isinstance(value, SecretStr):
            return value
        if not isinstance(value, str):
            raise ValueError("must be text")
        return SecretStr(value)

    return Setting(None, description, kind="secret text", parse=parse)


def duration(
    default: T, description: str, *, at_least: timedelta | None = None, why: str = ""
) -> "Setting[timedelta | T]":
    """A length of time; `why` says what a shorter one would do."""

    def parse(value: Any) -> timedelta:
        parsed = parse_duration(value)
        if at_least is not None and parsed < at_least:
            because = f": {why}" if why else ""
            raise ValueError(f"must be at least {format_duration(at_least)}{because}")
        return parsed

    return Setting[Any](default, description, kind="duration", parse=parse)


def integer(
    default: T, description: str, *, at_least: int, at_most: int | None = None
) -> "Setting[int | T]":
    """A whole number within bounds."""

    def parse(value: Any) -> int:
        try:
            parsed = int(value) if isinstance(value, str) else value
        except ValueError:
            parsed = None
        if not isinstance(parsed, int) or isinstance(parsed, bool):
            raise ValueError("must be a whole number")
        if parsed < at_least or (at_most is not None and parsed > at_most):
            upper = f" and at most {at_most:,}" if at_most is not None else ""
            raise ValueError(f"must be at least {at_least}{upper}")
        return parsed

    return Setting[Any](default, description, kind="whole number", parse=parse)


_TRUTH = {"true": True, "1": True, "yes": True, "on": True}
_TRUTH |= {"false": False, "0": False, "no": False, "off": False}


def boolean(default: bool, description: str) -> Setting[bool]:
    """True or false."""

    def parse(value: Any) -> bool:
        parsed = value if isinstance(value, bool) else _TRUTH.get(str(value).strip().lower())
        if parsed is None:
            raise ValueError("must be true or false")
        return parsed

    return Setting(default, description, kind="true or false", parse=parse)


def choice(description: str, default: T, *names: str) -> "Setting[str | T]":
    """One of some names."""

    def parse(value: Any) -> str:
        if value not in names:
            raise ValueError(f"must be {', '.join(names[:-1])} or {names[-1]}")
        return str(value)

    return Setting[Any](default, description, kind=" or ".join(names), parse=parse)


def path(default: T, description: str) -> "Setting[Path | T]":
    """A path; ``~`` is the home directory."""

    def parse(value: Any) -> Path:
        if not isinstance(value, str | Path) or not str(value):
            raise ValueError("must be a path")
        return Path(value).expanduser()

    return Setting[Any](
        parse(default) if default else None,
        description,
        kind="path",
        parse=parse,
        shown_default=str(default) if default else None,
    )


def moment(description: str) -> Setting[datetime | None]:
    """A time with its zone."""

    def parse(value: Any) -> datetime:
        parsed = datetime.fromisoformat(value) if isinstance(value, str) else value
        if not isinstance(parsed, datetime) or parsed.tzinfo is None:
            raise ValueError("give the time with its zone, as in 2026-11-23T04:00:00Z")
        return parsed

    return Setting(None, description, kind="time with zone", parse=parse)


def clock_time(description: str) -> Setting[time | None]:
    """A time of day."""

    def parse(value: Any) -> time:
        parsed = time.fromisoformat(value) if isinstance(value, str) else value
        if not isinstance(parsed, time) or parsed.tzinfo is not None:
            raise ValueError("must be a time of day, as in 01:30")
        return parsed

    return Setting(None, description, kind="time of day", parse=parse)


def time_zone(default: str, description: str) -> Setting[str]:
    """The name of a time zone."""

    def parse(value: Any) -> str:
        from zoneinfo import ZoneInfo

        try:
            return ZoneInfo(value).key
        except Exception:
            raise ValueError(f"no time zone is called {value!r}") from None

    return Setting(default, description, kind="time zone", parse=parse)


def names(description: str) -> Setting[list[str]]:
    """A list of names."""

    def parse(value: Any) -> list[str]:
        if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
            raise ValueError("must be a list of names")
        return value

    return Setting([], description, kind="JSON list of names", parse=parse, is_json=True)


def whole_numbers(
    default: list[int], description: str, *, at_least: int, at_most: int
) -> Setting[list[int]]:
    """Different whole numbers within bounds, at least one of them."""

    def parse(value: Any) -> list[int]:
        wrong = f"must be a JSON list of different whole numbers from {at_least} to {at_most}"
        if not isinstance(value, list) or not value:
            raise ValueError(wrong)
        for one in value:
            if type(one) is not int or not at_least <= one <= at_most:
                raise ValueError(wrong)
        if len(set(value)) != len(value):
            raise ValueError(wrong)
        return value

    return Setting(
        default,
        description,
        kind="JSON list of whole numbers",
        parse=parse,
        is_json=True,
        shown_default=", ".join(map(str, default)),
    )


def directories(default: list[Path], description: str) -> Setting[list[Path]]:
    """A list of directories, each absolute and below the root of all."""

    def parse(value: Any) -> list[Path]:
        shape = 'must be a JSON list of directories, as in ["/var/lib/cronops/sessions"]'
        if not isinstance(value, list) or not all(isinstance(one, str | Path) for one in value):
            raise ValueError(shape)
        parsed = [Path(one) for one in value]
        for one in parsed:
            if not one.is_absolute() or one == Path("/") or ".." in one.parts:
                raise ValueError(f"{one} must be absolute, without '..', and not / itself")
        return parsed

    return Setting(
        default,
        description,
        kind="JSON list of directories",
        parse=parse,
        is_json=True,
        shown_default=", ".join(map(str, default)),
    )


def secrets_by_name(description: str) -> Setting[dict[str, list[SecretStr]]]:
    """Lists of secrets, each list under a name."""

    def parse(value: Any) -> dict[str, list[SecretStr]]:
        shape = 'must be {"name": ["secret", …], …}'
        if not isinstance(value, Mapping):
            raise ValueError(shape)
        parsed: dict[str, list[SecretStr]] = {}
        for name, secrets in value.items():
            if not isinstance(secrets, list):
                raise ValueError(f"{name}: {shape}")
            if not all(isinstance(one, str | SecretStr) for one in secrets):
                raise ValueError(f"{name}: {shape}")
            parsed[name] = [
                one if isinstance(one, SecretStr) else SecretStr(one) for one in secrets
            ]
        return parsed

    return Setting({}, description, kind="JSON object of lists", parse=parse, is_json=True)
