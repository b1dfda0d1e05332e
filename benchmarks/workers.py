"""Worker processes, ours and others', started together and timed alike."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.database import ROOT, Database
from benchmarks.harness import Unmeasurable, progress

PEER_ENVIRONMENT = ROOT / ".venv-bench"
REQUIREMENTS = ROOT / "benchmarks" / "requirements.txt"
PEERS = ("pgqueuer", "chancy", "procrastinate")
LIMIT_SECONDS = 300


class PeerEnvironment:
    """The peers' own virtual environment, made when first asked for."""

    def __init__(self) -> None:
        self._python = PEER_ENVIRONMENT / "bin" / "python"
        self._installed: dict[str, str] = {}

    def prepare(self, database: Database) -> None:
        """Install what is missing and create the peers' tables; says what cannot be had."""
        if not self._python.exists():
            progress(f"making {PEER_ENVIRONMENT.name} for the peers")
            subprocess.run([sys.executable, "-m", "venv", PEER_ENVIRONMENT], check=True)
        install = [self._python, "-m", "pip", "install", "--quiet", "--requirement", REQUIREMENTS]
        if subprocess.run(install, check=False).returncode:
            progress("not every peer could be installed")
        for peer in PEERS:
            done = subprocess.run(
                self.command(peer, "install", database.url, 0),
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode == 0:
                self._installed[peer] = self._version(peer)
            else:
                progress(f"{peer}: not installed: {_last_line(done.stderr)}")

    @property
    def versions(self) -> Mapping[str, str]:
        """Name to version of each peer that could be installed."""
        return self._installed

    def command(self, peer: str, verb: str, *arguments: object) -> list[str]:
        """The command line that has `peer` do `verb`."""
        module = f"benchmarks.peers.{peer}"
        return [str(self._python), "-m", module, verb, *map(str, arguments)]

    def call(self, peer: str, verb: str, *arguments: object) -> dict[str, float]:
        """Have `peer` do `verb`; its answer. Raises `Unmeasurable` where it is not installed."""
        if peer not in self._installed:
            raise Unmeasurable("not installed")
        return _answer(
            subprocess.run(
                self.command(peer, verb, *arguments),
                cwd=ROOT,
                capture_output=True,
                text=True,
                timeout=LIMIT_SECONDS,
                check=False,
            )
        )

    def rate(self, database: Database, peer: str, count: int, workers: int) -> float:
        """Messages a second of `workers` processes of `peer`."""
        self.call(peer, "fill", database.url, count)
        database.settle()
        return together([self.command(peer, "work", database.url, count)] * workers, count)

    def _version(self, package: str) -> str:
        code = f"import importlib.metadata as m; print(m.version({package!r}))"
        return subprocess.run(
            [self._python, "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()


def together(
    commands: Sequence[Sequence[str]], count: int, env: Mapping[str, str] | None = None
) -> float:
    """Start all, let them begin at once when all are connected; messages a second.

    The time runs from the first message in anybody's hands to the last commit.
    Raises `Unmeasurable` where a worker fails or not exactly `count` messages were handled.
    """
    processes = [
        subprocess.Popen(
            command,
            cwd=ROOT,
            env=env,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for command in commands
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            process.stdout.readline()
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        answers = []
        for process in processes:
            out, err = process.communicate(timeout=LIMIT_SECONDS)
            done = subprocess.CompletedProcess(process.args, process.returncode, out, err)
            answers.append(_answer(done))
    finally:
        for process in processes:
            process.kill()
            process.wait()
    handled = sum(answer["handled"] for answer in answers)
    if handled != count:
        raise Unmeasurable(f"{handled:.0f} of {count} messages were handled")
    began = min(answer["first"] for answer in answers if answer["handled"])
    return count / (max(answer["last"] for answer in answers if answer["handled"]) - began)


def first_message(command: Sequence[str], env: Mapping[str, str] | None = None) -> float:
    """Milliseconds from the process's start to its first message in a handler."""
    began = time.time()
    done = subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    return 1000 * (_answer(done)["first"] - began)


def _answer(done: subprocess.CompletedProcess[str]) -> dict[str, float]:
    if done.returncode:
        raise Unmeasurable(f"failed: {_last_line(done.stderr)}")
    lines = done.stdout.strip().splitlines()
    answer: dict[str, float] = json.loads(lines[-1])
    return answer


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no message"])[-1]


def command_of(executable: str) -> str:
    """The installed command beside this Python."""
    return str(Path(sys.executable).parent / executable)
