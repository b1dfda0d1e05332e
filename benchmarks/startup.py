"""Start-up: what every pod pays before it works, as whole processes."""

import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence

from benchmarks import ours, raw
from benchmarks.database import ROOT, Database
from benchmarks.harness import Goal, Section, Unmeasurable, alternate
from benchmarks.workers import PEERS, PeerEnvironment, command_of, first_message

BARE = "python -c pass"
TYPER = "import typer"
LIBRARIES = "import typer, psycopg, pydantic"
VERSION = "cronops --version"
HELP = "cronops --help"
EMPTY = "an empty cronops queue process"


def run(database: Database, peers: PeerEnvironment, quick: bool) -> Sequence[Section]:
    """Whole processes against the imports they cannot do without; the first message done."""
    return [
        _processes(database, 3 if quick else 15),
        _first_message(database, peers, 2 if quick else 5),
    ]


def _processes(database: Database, rounds: int) -> Section:
    section = Section(
        "Start-up",
        "ms",
        "Whole processes, from start to exit, bytecode compiled, database warm. The empty queue is "
        "worked under the whole contract: supervised child, lease, run record, outcome.",
    )
    database.execute("TRUNCATE queue_message")
    commands: Mapping[str, Sequence[str]] = {
        BARE: [sys.executable, "-c", "pass"],
        TYPER: [sys.executable, "-c", "import typer"],
        LIBRARIES: [sys.executable, "-c", "import typer, psycopg, pydantic"],
        VERSION: [command_of("cronops"), "--version"],
        HELP: [command_of("cronops"), "--help"],
        EMPTY: ours.command(),
    }
    subjects: dict[str, Callable[[], float]] = {
        name: lambda command=command: _milliseconds(command, database.env)  # type: ignore[misc]
        for name, command in commands.items()
    }
    alternate(subjects, 1)  # once unmeasured: bytecode and page cache
    section.add(alternate(subjects, rounds))
    section.compare("--version / import typer", VERSION, TYPER, Goal(1.3, at_most=True))
    section.compare("--help / import typer", HELP, TYPER, Goal(1.5, at_most=True))
    section.compare(
        "empty queue process / its libraries", EMPTY, LIBRARIES, Goal(1.3, at_most=True)
    )
    return section


def _first_message(database: Database, peers: PeerEnvironment, rounds: int) -> Section:
    section = Section(
        "The first message",
        "ms",
        "From the process's start to the first message in a handler, one message waiting.",
    )

    def of_peer(peer: str) -> float:
        peers.call(peer, "fill", database.url, 1)
        return first_message(peers.command(peer, "first", database.url, 1))

    def of_raw() -> float:
        for statement in raw.CREATE:
            database.execute(statement)
        database.execute(raw.FILL.format(count=1))
        command = [sys.executable, "-m", "benchmarks.raw", "fused", database.url, "1", "at once"]
        return first_message(command, database.env)

    subjects: dict[str, Callable[[], float]] = {
        "raw psycopg": of_raw,
        "cronops": lambda: ours.first_message(database),
        **{peer: lambda peer=peer: of_peer(peer) for peer in PEERS},  # type: ignore[misc]
    }
    section.add(alternate(subjects, rounds), peers.versions)
    section.compare("cronops / raw psycopg", "cronops", "raw psycopg")
    return section


def _milliseconds(command: Sequence[str], env: Mapping[str, str]) -> float:
    began = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - began
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise Unmeasurable(f"exit {done.returncode}: {last[:200]}")
    return 1000 * seconds
