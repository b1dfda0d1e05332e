"""Kills a run, supervisor and all, at any of its logged steps: `JobContext.step`.

Run as ``python -m tests.stepping FILE NUMBER ARGUMENT…``: the command line with those arguments,
which notes each step in FILE and is killed when it comes to step NUMBER (from 1; 0 means never).
"""

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.commands import run_cronops
from tests.databases import Database

ROOT = Path(__file__).parents[1]


def run_to_step(
    database: Database,
    directory: Path,
    number: int,
    *arguments: str,
    env: Mapping[str, str] | None = None,
    timeout: float = 60,
) -> list[str]:
    """Run a command, killed at its step `number`; the steps it came to, the last one included.

    With 0 it runs to its end. A lease of a run that was killed lasts a second: give ``--wait 30s``.
    """
    noted = directory / "steps.txt"
    noted.write_text("")
    environment = database.env | {
        "CRONOPS_LOCK__TTL": "1",
        "PYTHONPATH": os.pathsep.join([str(ROOT), database.env.get("PYTHONPATH", "")]),
        **dict(env or {}),
    }
    done = run_cronops(
        str(noted),
        str(number),
        *arguments,
        env=environment,
        cwd=directory,
        timeout=timeout,
        module="tests.stepping",
    )
    steps = noted.read_text().splitlines()
    if number:
        assert done.returncode == -signal.SIGKILL, f"it never came to step {number}: {done.stderr}"
    else:
        assert done.returncode == 0, done.stderr
    return steps


def main() -> int:
    """Be the command, with a step that kills."""
    from cronops.cli.failure import run
    from cronops.contract.context import JobContext

    noted, number, *arguments = sys.argv[1:]
    supervisor, went_on = os.getpid(), JobContext.step

    def step(ctx: JobContext, name: str, **facts: object) -> None:
        went_on(ctx, name, **facts)
        with Path(noted).open("a") as file:
            file.write(f"{name}\n")
        if len(Path(noted).read_text().splitlines()) == int(number):
            # The whole pod at once: nobody is left to record anything.
            os.kill(supervisor, signal.SIGKILL)
            os.kill(os.getpid(), signal.SIGKILL)

    JobContext.step = step  # type: ignore[method-assign]
    return run(arguments)


if __name__ == "__main__":
    sys.exit(main())
