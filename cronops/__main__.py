"""``cronops`` and ``python -m cronops``: signals first, then the command line."""

import os
import signal
import sys
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


if __name__ == "__main__":
    sys.exit(main())
