"""Somebody else's package: jobs and handlers that do what real ones should not.

Copied to a directory of its own by `tests.probe.install`; nothing of tests/ may be imported here.
"""

import ctypes
import os
import resource
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

from pydantic import BaseModel
from sqlalchemy import text

from cronops import (
    JobContext,
    Message,
    Outcome,
    PermanentError,
    Retry,
    TransientError,
    errors,
    handler,
    job,
)

OWNED = {"accountable": "Vehicle Data", "responsible": "Shared Ops"}
NEVER = Retry.never()


@job(
    "probe hang",
    cr="X-001",
    lock="probe.hang",
    timeout=timedelta(seconds=2),
    retry=Retry(on=TransientError, attempts=3, initial=timedelta(milliseconds=100)),
    idempotency="sleeps only",
    accountable="Vehicle Data",
    responsible="Shared Ops",
)
def hang(ctx: JobContext, *, seconds: int = 60) -> Outcome:
    """Sleep, for longer than the timeout unless told otherwise."""
    time.sleep(seconds)
    return Outcome(counts={"seconds": seconds})


@job(
    "probe ok",
    cr="X-002",
    lock="probe.ok",
    timeout=timedelta(minutes=1),
    retry=NEVER,
    idempotency="counts only",
    counts=("things",),
    consulted="Webshop",
    **OWNED,
)
def ok(ctx: JobContext, *, things: int = 3, seconds: float = 0.0, warn: bool = False) -> Outcome:
    """Succeed, after some seconds, with a count."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not ctx.stopping:
        time.sleep(0.02)
    return Outcome(counts={"things": things}, warnings=["look at this"] if warn else [])


@job(
    "probe fail",
    cr="X-003",
    lock="probe.fail",
    timeout=timedelta(minutes=1),
    retry=Retry(on=TransientError, attempts=3, initial=timedelta(milliseconds=50)),
    idempotency="does nothing",
    **OWNED,
)
def fail(ctx: JobContext, *, times: int = 99, kind: str = "transient") -> Outcome:
    """Fail in the first attempts: transient, permanent, or with an error nobody declared."""
    if ctx.attempt <= times:
        known = {"transient": TransientError, "permanent": PermanentError}
        raise known.get(kind, ZeroDivisionError)(f"attempt {ctx.attempt} fails as {kind}")
    return Outcome(counts={"attempts": ctx.attempt})


@job(
    "probe kill",
    cr="X-004",
    lock="probe.kill",
    timeout=timedelta(minutes=1),
    retry=NEVER,
    idempotency="does nothing",
    **OWNED,
)
def kill(ctx: JobContext, *, signum: int = int(signal.SIGKILL), target: str = "self") -> Outcome:
    """Send a signal to this process, to its parent, or to both."""
    if target in ("parent", "both"):
        os.kill(os.getppid(), signum)
    if target in ("self", "both"):
        os.kill(os.getpid(), signum)
    time.sleep(30)
    return Outcome()


@job(
    "probe exit-zero",
    cr="X-005",
    lock="probe.exit-zero",
    timeout=timedelta(minutes=1),
    retry=NEVER,
    idempotency="does nothing",
    **OWNED,
)
def exit_zero(ctx: JobContext) -> Outcome:
    """End the process with code 0 without a word: no success."""
    os._exit(0)


@job(
    "probe orphan",
    cr="X-006",
    lock="probe.orphan",
    timeout=timedelta(minutes=1),
    retry=NEVER,
    idempotency="does nothing",
    **OWNED,
)
def orphan(ctx: JobContext, *, pid_file: Path, seconds: float = 0.0) -> Outcome:
    """Leave a grandchild behind in a session of its own, its process id in `pid_file`."""
    sleeper = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(300)"
    between = (
        "import subprocess, sys; from pathlib import Path;"
        f"process = subprocess.Popen([sys.executable, '-c', {sleeper!r}], start_new_session=True);"
        f"Path({str(pid_file)!r}).write_text(str(process.pid))"
    )
    subprocess.run([sys.executable, "-c", between], check=True)
    time.sleep(seconds)
    return Outcome()


@job(
    "probe ignore-term",
    cr="X-007",
    lock="probe.ignore-term",
    timeout=timedelta(minutes=1),
    retry=NEVER,
    idempotency="sleeps only",
    **OWNED,
)
def ignore_term(ctx: JobContext, *, started_file: Path) -> Outcome:
    """Ignore SIGTERM and sleep for ever; `started_file` appears once it does."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    started_file.touch()
    while True:
        time.sleep(60)


@job(
    "probe c-hang",
    cr="X-008",
    lock="probe.c-hang",
    timeout=timedelta(seconds=2),
    retry=NEVER,
    idempotency="sleeps only",
    **OWNED,
)
def c_hang(ctx: JobContext, *, started_file: Path | None = None) -> Outcome:
    """Hang inside C, holding the interpreter's lock, every signal blocked."""
    _block_and_announce(started_file)
    ctypes.PyDLL(None).sleep(300)
    return Outcome()


@job(
    "probe write",
    cr="X-009",
    lock="probe.write",
    timeout=timedelta(minutes=1),
    retry=NEVER,
    idempotency="adds rows",
    counts=("rows",),
    **OWNED,
)
def write(
    ctx: JobContext, *, rows: int = 3, note: str = "", seconds: float = 0.0, fail: bool = False
) -> Outcome:
    """Insert rows in one transaction each, `seconds` between insert and commit."""
    for _ in range(rows):
        with ctx.transaction():
            ctx.db.execute(
                text("INSERT INTO public.probe_effect (note, pid) VALUES (:note, :pid)"),
                {"note": note, "pid": os.getpid()},
            )
            time.sleep(seconds)
    if fail:
        raise PermanentError("failed after writing")
    return Outcome(counts={"rows": rows})


@job(
    "probe memory",
    cr="X-010",
    lock="probe.memory",
    timeout=timedelta(minutes=1),
    retry=NEVER,
    idempotency="does nothing",
    **OWNED,
)
def memory(ctx: JobContext, *, spare_megabytes: int = 64) -> Outcome:
    """Allocate until the address space, limited to a little more than now, is used up."""
    used_pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = used_pages * os.sysconf("SC_PAGE_SIZE") + (spare_megabytes << 20)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    hoard = []
    while True:
        hoard.append(bytearray(4 << 20))


@job(
    "probe files",
    cr="X-011",
    lock="probe.files",
    timeout=timedelta(minutes=1),
    retry=NEVER,
    idempotency="overwrites one file",
    **OWNED,
)
def files(ctx: JobContext, *, path: Path, limit: int = 10) -> Outcome:
    """Write a file that is larger than this process may write."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    path.write_bytes(b"x" * (limit + 1))
    return Outcome()


@job(
    "probe nested-lock",
    cr="X-012",
    lock="probe.nested.{name}",
    timeout=timedelta(minutes=1),
    retry=NEVER,
    idempotency="sleeps only",
    **OWNED,
)
def nested_lock(ctx: JobContext, *, name: str, other: str, seconds: float = 0.0) -> Outcome:
    """Take a second lock, which may be held by somebody else."""
    with ctx.lock(f"probe.nested.{other}"):
        time.sleep(seconds)
    return Outcome(counts={"locked": 1})


@job(
    "probe not-safe",
    cr="X-013",
    lock="probe.not-safe",
    timeout=timedelta(minutes=1),
    retry=NEVER,
    idempotency="none: a person must look",
    retry_safe=False,
    **OWNED,
)
def not_safe(ctx: JobContext, *, die: bool = False) -> Outcome:
    """Die, if told so, in a job that must not simply be started again."""
    if die:
        os.kill(os.getpid(), signal.SIGKILL)
    return Outcome()


@job(
    "probe gate",
    cr="X-014",
    lock="probe.gate.{name}",
    timeout=timedelta(minutes=2),
    retry=Retry(on=TransientError, attempts=3, initial=timedelta(milliseconds=50)),
    idempotency="adds a row",
    **OWNED,
)
def gate(
    ctx: JobContext,
    *,
    started: Path,
    until: Path,
    name: str = "",
    heeds: bool = False,
    write: str = "",
    then: str = "",
) -> Outcome:
    """Wait for a file, with a row written before and committed after."""
    return _pass_gate(ctx, started, until, heeds=heeds, write=write, then=then)


@job(
    "probe gate-unsafe",
    cr="X-015",
    lock="probe.gate-unsafe",
    timeout=timedelta(minutes=2),
    retry=NEVER,
    idempotency="none: a person must look",
    retry_safe=False,
    **OWNED,
)
def gate_unsafe(ctx: JobContext, *, started: Path, until: Path, heeds: bool = False) -> Outcome:
    """The same in a job that must not simply be started again."""
    return _pass_gate(ctx, started, until, heeds=heeds, write="", then="")


@job(
    "probe raise",
    cr="X-016",
    lock="probe.raise",
    timeout=timedelta(minutes=1),
    retry=NEVER,
    idempotency="does nothing",
    **OWNED,
)
def raise_error(ctx: JobContext, *, kind: str, text: str = "on purpose") -> Outcome:
    """Raise one of cronops's errors, or of Python's, that the job does not retry."""
    known: dict[str, type[BaseException]] = {**vars(errors), "SystemExit": SystemExit}
    secrets = {
        "{database}": ctx.settings.database_url,
        "{alertmanager}": ctx.settings.alertmanager_url,
    }
    for name, secret in secrets.items():
        text = text.replace(name, secret.get_secret_value() if secret else "")
    raise known.get(kind, ZeroDivisionError)(text)


@job(
    "probe swallow",
    cr="X-017",
    lock="probe.swallow",
    timeout=timedelta(seconds=1),
    retry=Retry(on=TransientError, attempts=1000, initial=timedelta(0), maximum=timedelta(0)),
    idempotency="sleeps only",
    **OWNED,
)
def swallow(ctx: JobContext, *, retries: bool = False) -> Outcome:
    """Swallow every exception, or have every one retried, for ever."""
    while True:
        try:
            time.sleep(0.05)
            if retries:
                raise TransientError("again, and again")
        except Exception:
            if retries:
                raise


@job(
    "probe copy",
    cr="X-018",
    lock="probe.copy",
    timeout=timedelta(minutes=1),
    retry=NEVER,
    idempotency="does nothing",
    **OWNED,
)
def copy(ctx: JobContext) -> Outcome:
    """Fork, have the copy return as if the work were done, and fail."""
    pid = os.fork()
    if pid == 0:
        return Outcome()
    os.waitpid(pid, 0)
    raise PermanentError("the copy had no business to report")


@job(
    "probe verbose",
    cr="X-019",
    lock="probe.verbose",
    timeout=timedelta(minutes=1),
    retry=NEVER,
    idempotency="counts only",
    **OWNED,
)
def verbose(ctx: JobContext, *, counts: int, warnings: int = 0) -> Outcome:
    """Report more than anybody wants to know."""
    return Outcome(
        counts={f"count_number_{number}": number for number in range(counts)},
        warnings=["x" * 100_000] * warnings,
    )


@handler(
    "probe.echo",
    max_attempts=3,
    timeout=timedelta(seconds=30),
    settle="batch",
    accountable="Vehicle Data",
)
def echo(ctx: JobContext, message: Message) -> None:
    """Nothing at all."""


@handler("probe.echo-each", timeout=timedelta(seconds=30), accountable="Vehicle Data")
def echo_each(ctx: JobContext, message: Message) -> None:
    """Nothing at all, settled one by one."""


@handler("probe.write", timeout=timedelta(seconds=30), settle="batch", accountable="Vehicle Data")
def write_message(ctx: JobContext, message: Message) -> None:
    """Insert the message's id."""
    _record(ctx, message)


@handler("probe.write-each", timeout=timedelta(seconds=30), accountable="Vehicle Data")
def write_message_each(ctx: JobContext, message: Message) -> None:
    """Insert the message's id, settled one by one."""
    _record(ctx, message)


@handler(
    "probe.fail",
    timeout=timedelta(seconds=30),
    settle="batch",
    accountable="Vehicle Data",
    impact="probes are not probed",
)
def fail_message(ctx: JobContext, message: Message) -> None:
    """Write, then fail in the first ``times`` attempts, as ``kind`` says."""
    _fail(ctx, message)


@handler(
    "probe.fail-each",
    timeout=timedelta(seconds=30),
    accountable="Vehicle Data",
    impact="probes are not probed",
)
def fail_message_each(ctx: JobContext, message: Message) -> None:
    """The same, settled one by one."""
    _fail(ctx, message)


@handler("probe.kill", timeout=timedelta(seconds=30), settle="batch", accountable="Vehicle Data")
def kill_message(ctx: JobContext, message: Message) -> None:
    """Write, then kill the process, while ``crashes`` is below ``times`` (default: always)."""
    _record(ctx, message)
    if message.crashes < message.payload.get("times", 99):
        os.kill(os.getpid(), message.payload.get("signal", int(signal.SIGKILL)))


@handler(
    "probe.exit-zero", timeout=timedelta(seconds=30), settle="batch", accountable="Vehicle Data"
)
def exit_message(ctx: JobContext, message: Message) -> None:
    """End the process with code 0 without a word."""
    os._exit(0)


@handler("probe.hang", timeout=timedelta(seconds=2), settle="batch", accountable="Vehicle Data")
def hang_message(ctx: JobContext, message: Message) -> None:
    """Hang inside C, every signal blocked, for longer than the timeout."""
    _record(ctx, message)
    _block_and_announce(None)
    ctypes.PyDLL(None).sleep(300)


@handler("probe.sleep", timeout=timedelta(minutes=2), settle="batch", accountable="Vehicle Data")
def sleep_message(ctx: JobContext, message: Message) -> None:
    """Write, then sleep for ``seconds``."""
    _record(ctx, message)
    time.sleep(message.payload.get("seconds", 1))


@handler("probe.sleep-each", timeout=timedelta(minutes=2), accountable="Vehicle Data")
def sleep_message_each(ctx: JobContext, message: Message) -> None:
    """The same, settled one by one."""
    _record(ctx, message)
    time.sleep(message.payload.get("seconds", 1))


@handler("probe.hot", timeout=timedelta(seconds=30), settle="batch", accountable="Vehicle Data")
def hot_rows(ctx: JobContext, message: Message) -> None:
    """Add one to the rows named in ``rows``, in that order: two workers deadlock on it."""
    for row in message.payload["rows"]:
        ctx.db.execute(text("UPDATE public.probe_hot SET n = n + 1 WHERE id = :id"), {"id": row})
        time.sleep(message.payload.get("seconds", 0))


@handler(
    "probe.sql-error", timeout=timedelta(seconds=30), settle="batch", accountable="Vehicle Data"
)
def sql_error(ctx: JobContext, message: Message) -> None:
    """Write, then break the transaction with a statement that is wrong."""
    _record(ctx, message)
    ctx.db.execute(text("SELECT 1 / 0"))


class Order(BaseModel):
    """What ``probe.model`` expects."""

    number: int


@handler(
    "probe.model",
    timeout=timedelta(seconds=30),
    settle="batch",
    payload=Order,
    accountable="Vehicle Data",
)
def model_message(ctx: JobContext, message: Message) -> None:
    """Write the number of a checked payload."""
    _record(ctx, message, note=str(message.payload.number))


def _record(ctx: JobContext, message: Message, note: str | None = None) -> None:
    ctx.db.execute(
        text("INSERT INTO public.probe_effect (message_id, note, pid) VALUES (:id, :note, :pid)"),
        {"id": message.id, "note": note, "pid": os.getpid()},
    )


def _fail(ctx: JobContext, message: Message) -> None:
    _record(ctx, message)
    if message.attempts < message.payload.get("times", 99):
        kind = message.payload.get("kind", "transient")
        known = {"transient": TransientError, "permanent": PermanentError}
        raise known.get(kind, ZeroDivisionError)(f"message {message.id} fails as {kind}")


def _block_and_announce(started_file: Path | None) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    if started_file is not None:
        started_file.touch()


def _pass_gate(
    ctx: JobContext, started: Path, until: Path, *, heeds: bool, write: str, then: str
) -> Outcome:
    if write:
        ctx.db.begin()
        ctx.db.execute(
            text("INSERT INTO public.probe_effect (note, pid) VALUES (:note, :pid)"),
            {"note": ctx.run_id, "pid": os.getpid()},
        )
    # Renamed, so that whoever sees the file sees all of it.
    unfinished = started.with_suffix(".tmp")
    unfinished.write_text(str(os.getpid()))
    unfinished.rename(started)
    while not until.exists() and not (heeds and ctx.stopping):
        time.sleep(0.02)
    if then:
        raise TransientError(then)
    if write == "commit":
        ctx.db.commit()
    elif write:
        with ctx.transaction():
            pass
    return Outcome(counts={"passed": 1})
