"""Somebody else's message handlers, and what they should not do: the payload says which.

Copied next to ``probe_pkg.py`` by `tests.probe.install`; nothing of tests/ may be imported here.
"""

import contextlib
import ctypes
import faulthandler
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text

from cronops import JobContext, Message, TransientError, handler


@handler(
    "probe.misdeed",
    timeout=timedelta(seconds=60),
    settle="batch",
    accountable="Vehicle Data",
    impact="misdeeds are not done",
)
def misdeed(ctx: JobContext, message: Message) -> None:
    """Write, then do what the payload says, in a batch."""
    _do(ctx, message)


@handler(
    "probe.misdeed-each",
    timeout=timedelta(seconds=60),
    accountable="Vehicle Data",
    impact="misdeeds are not done",
)
def misdeed_each(ctx: JobContext, message: Message) -> None:
    """The same, settled one by one."""
    _do(ctx, message)


@handler("probe.late", timeout=timedelta(seconds=1), settle="batch", accountable="Vehicle Data")
def late(ctx: JobContext, message: Message) -> None:
    """The same under a timeout of a second."""
    _do(ctx, message)


@handler("probe.late-each", timeout=timedelta(seconds=1), accountable="Vehicle Data")
def late_each(ctx: JobContext, message: Message) -> None:
    """The same, settled one by one."""
    _do(ctx, message)


def _do(ctx: JobContext, message: Message) -> None:
    _write(ctx, message)
    _MISDEEDS[message.payload["do"]](ctx, message)


def _write(ctx: JobContext, message: Message, note: str = "") -> None:
    ctx.db.execute(
        text("INSERT INTO public.probe_effect (message_id, note, pid) VALUES (:id, :note, :pid)"),
        {"id": message.id, "note": note, "pid": os.getpid()},
    )


def _signal_self(number: signal.Signals) -> Callable[[JobContext, Message], None]:
    def send(ctx: JobContext, message: Message) -> None:
        os.kill(os.getpid(), number)
        time.sleep(300)

    return send


def _exit_zero(ctx: JobContext, message: Message) -> None:
    os._exit(0)


def _sys_exit(ctx: JobContext, message: Message) -> None:
    sys.exit(3)


def _interrupt(ctx: JobContext, message: Message) -> None:
    raise KeyboardInterrupt


def _abort(ctx: JobContext, message: Message) -> None:
    os.abort()


def _overflow(ctx: JobContext, message: Message) -> None:
    """Use up the C stack."""
    overflow = faulthandler._stack_overflow  # type: ignore[attr-defined]
    overflow()


def _exhaust_memory(ctx: JobContext, message: Message) -> None:
    """Allocate until the address space, limited from now on, is used up."""
    used_pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = used_pages * os.sysconf("SC_PAGE_SIZE") + (96 << 20)
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
    hoard = []
    size = 16 << 20
    while True:
        try:
            hoard.append(bytearray(size))
        except MemoryError:
            if size == 1 << 10:
                raise
            size //= 2


def _kill_both(ctx: JobContext, message: Message) -> None:
    os.kill(os.getppid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


def _die_at_commit(ctx: JobContext, message: Message) -> None:
    """Damage that shows only once the handler is through."""
    driver: Any = ctx.db.connection.driver_connection
    driver.commit = lambda: os._exit(3)


def _hang_in_c(ctx: JobContext, message: Message) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    ctypes.PyDLL(None).sleep(300)


def _ignore_term(ctx: JobContext, message: Message) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        with contextlib.suppress(BaseException):
            time.sleep(300)


def _sleep(ctx: JobContext, message: Message) -> None:
    time.sleep(message.payload.get("seconds", 300))


def _announce(message: Message) -> None:
    if "started" in message.payload:
        with Path(message.payload["started"]).open("a") as started:
            started.write(f"{message.id}\n")


def _gate(ctx: JobContext, message: Message) -> None:
    """Say that it is here, and wait until it is let through."""
    _announce(message)
    while not Path(message.payload["until"]).exists():
        time.sleep(0.02)


_GRANDCHILD = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(300)"


def _grandchild(ctx: JobContext, message: Message) -> None:
    """Leave a process behind in a session of its own."""
    process = subprocess.Popen([sys.executable, "-c", _GRANDCHILD], start_new_session=True)
    Path(message.payload["pid_file"]).write_text(str(process.pid))


def _forked_grandchild(ctx: JobContext, message: Message) -> None:
    """Leave a copy behind that keeps every descriptor, the database's among them; then die."""
    pid = os.fork()
    if pid == 0:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(300)
        os._exit(0)
    Path(message.payload["pid_file"]).write_text(str(pid))
    os.kill(os.getpid(), signal.SIGKILL)


def _copy(ctx: JobContext, message: Message) -> None:
    """Fork, and let the copy come back as well."""
    if os.fork() == 0 and message.payload.get("raises"):
        raise TransientError("raised in the copy")


def _threads(ctx: JobContext, message: Message) -> None:
    """Start threads that never end."""
    for daemon in (True, False):
        for _ in range(3):
            threading.Thread(target=time.sleep, args=(300,), daemon=daemon).start()


def _close_files(ctx: JobContext, message: Message) -> None:
    os.closerange(3, 4096)


def _mask(ctx: JobContext, message: Message) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())


def _until_stopping(ctx: JobContext, message: Message) -> None:
    _announce(message)
    while not ctx.stopping:
        time.sleep(0.02)


def _commit(ctx: JobContext, message: Message) -> None:
    ctx.db.commit()


def _rollback(ctx: JobContext, message: Message) -> None:
    ctx.db.rollback()


def _commit_quietly(ctx: JobContext, message: Message) -> None:
    with contextlib.suppress(Exception):
        ctx.db.commit()
    _write(ctx, message, "after")
    raise TransientError("failed after it tried to commit")


def _swallow(ctx: JobContext, message: Message) -> None:
    """Go on after a database error as if nothing had happened."""
    with contextlib.suppress(Exception):
        ctx.db.execute(text("SELECT 1 / 0"))
    with contextlib.suppress(Exception):
        _write(ctx, message, "after")


def _raise(ctx: JobContext, message: Message) -> None:
    raise TransientError("failed after writing")


def _partly(ctx: JobContext, message: Message) -> None:
    """Write three times, the second undone."""
    with contextlib.suppress(ValueError), ctx.transaction():
        _write(ctx, message, "undone")
        raise ValueError
    with contextlib.suppress(Exception), ctx.transaction() as db:
        db.execute(text("SELECT 1 / 0"))
    with ctx.transaction():
        _write(ctx, message, "kept")


_MISDEEDS: dict[str, Callable[[JobContext, Message], None]] = {
    "nothing": lambda ctx, message: None,
    "kill": _signal_self(signal.SIGKILL),
    "segv": _signal_self(signal.SIGSEGV),
    "exit-zero": _exit_zero,
    "sys-exit": _sys_exit,
    "interrupt": _interrupt,
    "abort": _abort,
    "overflow": _overflow,
    "memory": _exhaust_memory,
    "kill-both": _kill_both,
    "die-at-commit": _die_at_commit,
    "hang-in-c": _hang_in_c,
    "ignore-term": _ignore_term,
    "sleep": _sleep,
    "gate": _gate,
    "grandchild": _grandchild,
    "forked-grandchild": _forked_grandchild,
    "copy": _copy,
    "threads": _threads,
    "close-files": _close_files,
    "mask": _mask,
    "until-stopping": _until_stopping,
    "commit": _commit,
    "rollback": _rollback,
    "commit-quietly": _commit_quietly,
    "swallow": _swallow,
    "raise": _raise,
    "partly": _partly,
}
