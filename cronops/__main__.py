"""``cronops`` and ``python -m cronops``: signals first, then the command line."""

import atexit
import contextlib
import io
import os
import signal
import sys
import threading
from types import FrameType

_TERMINATED = 128 + signal.SIGTERM
_INTERRUPTED = 128 + signal.SIGINT


def _terminate(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a handler's signature
    raise SystemExit(_TERMINATED)


def _reopen_closed_streams() -> None:
    """Have something behind 0, 1 and 2: else the next socket opened becomes our output."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
            setattr(sys, name, os.fdopen(number, "r" if name == "stdin" else "w"))


def _write_whatever_comes() -> None:
    """A locale that lacks a letter must not end a command half-way through its result."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def main() -> int:
    """Run the command line; the process's exit code.

    As process 1 of a container Python ignores SIGTERM until it has a handler, so that comes
    before the imports, which take longest. A run replaces it by its own.
    """
    signal.signal(signal.SIGTERM, _terminate)
    _reopen_closed_streams()
    _write_whatever_comes()
    code = 0
    try:
        from cronops.cli.failure import run

        code = run(sys.argv[1:])
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _INTERRUPTED
    except OSError as error:
        # Nothing is left to be said on stdout; the interpreter must not try it again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):  # else whoever read it has seen enough
            sys.stderr.write(f"error: {error.strerror}\n")
            return code or 1
    return code


def command() -> None:
    """`main`, and out: taking the interpreter apart would cost a fifth of a short run.

    What was registered for the end is still done, and no thread is cut short.
    """
    code = main()
    if threading.active_count() > 1:
        sys.exit(code)
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    command()
