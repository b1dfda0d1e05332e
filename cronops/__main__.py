"""``cronops`` and ``python -m cronops``: signals first, then the command line."""

import atexit
import contextlib
import os
import signal
import sys
import threading
from types import FrameType

_TERMINATED = 128 + signal.SIGTERM
_INTERRUPTED = 128 + signal.SIGINT


def _terminate(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a handler's signature
    raise SystemExit(_TERMINATED)


def main() -> int:
    """Run the command line; the process's exit code.

    As process 1 of a container Python ignores SIGTERM until it has a handler, so that comes
    before the imports, which take longest. A run replaces it by its own.
    """
    signal.signal(signal.SIGTERM, _terminate)
    try:
        from cronops.cli.failure import run

        code = run(sys.argv[1:])
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough; the interpreter must not try to flush more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
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
