"""What the kernel has to be asked for: death signals, reaping orphans, and finding descendants."""

import contextlib
import ctypes
import os
import signal
import time
from collections.abc import Collection
from pathlib import Path

STUCK_SECONDS = 10
"""How long a killed process is waited for; one stuck in the kernel nobody can kill."""

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent dies; end now if it is dead already."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(128 + signal.SIGKILL)


def adopt_orphans() -> None:
    """Have the kernel hand orphaned descendants to this process, so that none gets away."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"prctl({option}): {os.strerror(code)}")


def descendants(root: int, *, spare: Collection[int] = ()) -> list[int]:
    """All living processes below `root`, except those below one of `spare`. Zombies do not count.

    Read from /proc: a process group misses whoever called ``setsid``.
    """
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            # After the command's closing bracket: state, parent, …
            state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
        except (OSError, ValueError):
            continue
        if state not in ("Z", "X"):
            children.setdefault(int(parent), []).append(int(entry.name))
    found: list[int] = []
    waiting = [root]
    while waiting:
        for child in children.get(waiting.pop(), ()):
            if child not in spare:
                found.append(child)
                waiting.append(child)
    return found


def signal_all(pids: Collection[int], number: signal.Signals) -> None:
    """Send the signal to each; those that are gone are no matter."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def reap() -> dict[int, int]:
    """Collect every child that has ended: process id to wait status."""
    ended: dict[int, int] = {}
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid == 0:
            return ended
        ended[pid] = status


def _has_children() -> bool:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def end_descendants(grace: float, *, spare: Collection[int] = ()) -> tuple[int, dict[int, int]]:
    """TERM, grace, then KILL until nothing below this process is left.

    How many there were, and what was reaped on the way. Looks again after each round: a process
    may fork between being seen and being killed.
    """
    reaped = reap()
    if not _has_children():
        return 0, reaped  # orphans are handed to us, so without children there is nobody
    left = descendants(os.getpid(), spare=spare)
    if not left:
        return 0, reaped
    seen = set(left)
    signal_all(left, signal.SIGTERM)
    signal_all(left, signal.SIGCONT)
    patience = time.monotonic() + grace
    give_up = patience + STUCK_SECONDS
    while left and time.monotonic() < give_up:
        if time.monotonic() >= patience:
            signal_all(left, signal.SIGKILL)
        time.sleep(0.02)
        reaped |= reap()
        left = descendants(os.getpid(), spare=spare)
        seen.update(left)
    return len(seen), reaped


def describe_end(status: int) -> tuple[str, int | None]:
    """A wait status in words, and the signal if one ended the process."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        try:
            name = signal.Signals(number).name
        except ValueError:
            name = "?"
        return f"killed by signal {number} ({name})", number
    return f"exited with code {os.waitstatus_to_exitcode(status)} without reporting a result", None
