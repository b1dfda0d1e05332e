"""Runs the command line against a test's database, as a pod would: another process."""

import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from tests.databases import Database
from tests.warm_python import WarmPython

_WARM = WarmPython()


def run_cronops(
    *arguments: str,
    env: Mapping[str, str],
    cwd: Path,
    input: str | None = None,
    timeout: float = 60,
    module: str = "cronops",
) -> "subprocess.CompletedProcess[str]":
    """``python -m cronops ARGUMENTS`` to its end, with exactly that environment.

    Another `module` may stand in for cronops, which then does something besides.
    """
    if _WARM.can_run(env):
        return _WARM.run(module, arguments, env=env, cwd=cwd, input=input, timeout=timeout)
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env=env,
        cwd=cwd,
        input=input,
        stdin=subprocess.DEVNULL if input is None else None,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


class CommandLine:
    """``python -m cronops`` with the environment of `database`."""

    def __init__(self, database: Database, directory: Path) -> None:
        self.database = database
        self.directory = directory
        self._started: list[subprocess.Popen[str]] = []

    def __call__(
        self,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        timeout: float = 60,
        input: str | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run to the end; `env` is laid over the database's."""
        return run_cronops(
            *arguments,
            env=self._environment(env),
            cwd=self.directory,
            input=input,
            timeout=timeout,
        )

    def start(
        self, *arguments: str, env: Mapping[str, str] | None = None
    ) -> "subprocess.Popen[str]":
        """Start it; whatever still runs at the end of the test is killed."""
        process = subprocess.Popen(
            self.command(*arguments),
            env=self._environment(env),
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._started.append(process)
        return process

    def close(self) -> None:
        """Kill what was started and still runs."""
        for process in self._started:
            with suppress(ProcessLookupError):
                process.kill()  # does nothing where it was waited for
            for stream in (process.stdout, process.stderr):
                if stream is not None:
                    stream.close()
            process.wait(timeout=30)

    def command(self, *arguments: str) -> list[str]:
        """The words to start it by, for a test that does that itself."""
        return [sys.executable, "-m", "cronops", *arguments]

    def _environment(self, env: Mapping[str, str] | None) -> dict[str, str]:
        return self.database.env | dict(env or {})
