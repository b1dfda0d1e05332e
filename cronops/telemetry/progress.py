"""A progress bar for people; nobody else sees one."""

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_QUICK = 0.5


class ProgressBar:
    """Draws on standard error once work has taken half a second; until then it stays away."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._since = time.monotonic()
        self._bar: tuple[Progress, TaskID] | None = None

    def show(self, done: int, total: int | None = None) -> None:
        """Show that `done` of `total` are done; the bar ends when they are all."""
        if self._bar is None:
            if time.monotonic() - self._since < _QUICK:
                return
            self._bar = self._start()
        progress, task = self._bar
        progress.update(task, completed=done, total=total, refresh=True)
        if total is not None and done >= total:
            progress.stop()

    def _start(self) -> "tuple[Progress, TaskID]":
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
        )

        progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            auto_refresh=False,
            transient=True,
        )
        progress.start()
        return progress, progress.add_task(self._title, total=None)
