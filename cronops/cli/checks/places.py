"""Whether the shop's tables and the directories that jobs work in are there."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cronops.cli.checks.finding import Finding
from cronops.errors import CronopsError

if TYPE_CHECKING:
    from cronops.config import Settings

_RIGHTS = {"read": os.R_OK | os.X_OK, "write": os.R_OK | os.W_OK | os.X_OK}


def shop(settings: "Settings") -> Iterator[Finding]:
    """Whether the shop's articles can be read."""
    from cronops.db.connect import connect
    from cronops.db.shop import check_shop

    with connect(settings, "doctor") as connection:
        try:
            check_shop(connection, settings)
        except CronopsError as error:
            # An installation for the queue alone does without.
            yield Finding("shop", "warn", str(error), "jobs that need articles will refuse to run")
        else:
            yield Finding("shop", "ok", f"{settings.db.shop_schema}.article has what jobs read")


def directories(settings: "Settings") -> Iterator[Finding]:
    """Whether this account may use the directories that jobs say they need."""
    wanted = _wanted()
    sound = True
    for key, access in wanted.items():
        variable = "CRONOPS_" + key.upper().replace(".", "__")
        place = _value(settings, key)
        problem = _problem(place, access) if isinstance(place, Path) else None
        if problem:
            sound = False
            yield Finding(
                "directories", "warn", f"{place} {problem}", f"make it so, or set {variable}"
            )
    if sound:
        yield Finding("directories", "ok", f"{len(wanted)} that jobs need can be used")


def _wanted() -> dict[str, str]:
    """Setting to access, of every job that can be loaded."""
    from cronops.jobs.registry import list_jobs, load_job

    wanted: dict[str, str] = {}
    for listed in list_jobs():
        with suppress(CronopsError):  # told by the declarations' check
            for need in load_job(listed.path).needs:
                if need.access in _RIGHTS and wanted.get(need.setting) != "write":
                    wanted[need.setting] = need.access
    return wanted


def _value(settings: "Settings", key: str) -> Any:
    found: Any = settings
    for name in key.split("."):
        found = dict(found).get(name) if found is not None else None
    return found


def _problem(place: Path, access: str) -> str | None:
    if not place.exists():
        return "is not there"
    if not place.is_dir():
        return "is no directory"
    if not os.access(place, _RIGHTS[access]):
        return f"cannot be used: no right to {access}"
    return None
