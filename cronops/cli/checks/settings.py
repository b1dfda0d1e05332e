"""Whether the settings make sense, and who may read the secret ones."""

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cronops.cli.checks.finding import Finding
from cronops.cli.output import span

if TYPE_CHECKING:
    from cronops.config import Loaded, Settings


def sound_settings(loaded: "Loaded") -> Iterator[Finding]:
    """Variables that mean nothing, and values that contradict each other."""
    from cronops.cli.config import unknown_variables

    problems = [
        Finding("settings", "warn", problem, "correct or remove it")
        for problem in unknown_variables(loaded)
    ]
    problems += _unsound(loaded.settings)
    yield from problems
    if not problems:
        yield Finding("settings", "ok", f"environment {loaded.settings.environment!r}")


def _unsound(settings: "Settings") -> Iterator[Finding]:
    queue = settings.queue
    if queue.stale_after <= settings.lock.ttl:
        yield Finding(
            "settings",
            "fail",
            f"CRONOPS_QUEUE__STALE_AFTER ({span(queue.stale_after)}) is not longer than "
            f"CRONOPS_LOCK__TTL ({span(settings.lock.ttl)})",
            "messages at work would be taken for stale: make it several times as long",
        )
    if queue.backoff > queue.backoff_max:
        yield Finding(
            "settings",
            "warn",
            "CRONOPS_QUEUE__BACKOFF is longer than CRONOPS_QUEUE__BACKOFF_MAX",
            "every wait is cut to the latter",
        )
    if not settings.cron_running:
        yield Finding(
            "settings",
            "warn",
            "CRONOPS_CRON_RUNNING is false",
            "every run is skipped until it is true",
        )


def secret_files(loaded: "Loaded") -> Iterator[Finding]:
    """Files that hold secrets and may be read by strangers."""
    names = [
        source for source in loaded.sources.values() if source.startswith(("secret file ", "file "))
    ]
    paths = sorted({source.partition("file ")[2] for source in names})
    for path in paths:
        # That it can be read is certain: the settings were read from it.
        if Path(path).stat().st_mode & stat.S_IROTH:
            yield Finding("secret files", "warn", f"everybody may read {path}", f"chmod o= {path}")
        else:
            yield Finding("secret files", "ok", path)
