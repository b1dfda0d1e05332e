"""``python -m benchmarks``: measure, print, and with ``--write`` make the page of the results."""

import argparse
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks import (
    audits,
    claim_history,
    counters,
    enqueue,
    exports,
    fence,
    images,
    imports,
    mails,
    manifests,
    memory,
    orders,
    ours,
    queue_throughput,
    retention,
    sessions,
    simulations,
    startup,
)
from benchmarks.database import Database, temporary_database
from benchmarks.harness import Section, markdown
from benchmarks.report import page
from benchmarks.workers import PeerEnvironment

Subject = Callable[[Database, PeerEnvironment, bool], Sequence[Section]]

SUBJECTS: Mapping[str, Subject] = {
    "startup": startup.run,
    "queue": queue_throughput.run,
    "enqueue": enqueue.run,
    "fence": lambda database, _, quick: fence.run(database, quick),
    "memory": lambda database, _, quick: memory.run(database, quick),
    "images": lambda database, _, quick: images.run(database, quick),
    "orders": lambda database, _, quick: orders.run(database, quick),
    "manifests": manifests.run,
    "imports": imports.run,
    "exports": exports.run,
    "retention": lambda database, _, quick: retention.run(database, quick),
    "sessions": lambda database, _, quick: sessions.run(database, quick),
    "counters": lambda database, _, quick: counters.run(database, quick),
    "mails": lambda database, _, quick: mails.run(database, quick),
    "simulations": lambda database, _, quick: simulations.run(database, quick),
    "audits": lambda database, _, quick: audits.run(database, quick),
    "history": lambda database, _, quick: claim_history.run(database, quick),
}


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--only", action="append", choices=SUBJECTS, metavar="NAME", help=", ".join(SUBJECTS)
    )
    parser.add_argument("--quick", action="store_true", help="small sizes, few runs: a trial")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the page, as Markdown")
    options = parser.parse_args()
    began = time.monotonic()
    sections: list[Section] = []
    with temporary_database() as database:
        ours.install_handlers(database)
        peers = PeerEnvironment()
        peers.prepare(database)
        for name in options.only or SUBJECTS:
            print(f"{name} ({time.monotonic() - began:.0f} s)", flush=True)
            try:
                measured = SUBJECTS[name](database, peers, options.quick)
            except Exception as error:
                traceback.print_exc()
                about = f"**Could not be measured**: {type(error).__name__}: {error}"
                measured = [Section(name.capitalize(), "", about)]
            sections += measured
            for section in measured:
                print("\n" + markdown(section), flush=True)
        text = page(
            sections,
            database,
            peers.versions,
            minutes=(time.monotonic() - began) / 60,
            quick=options.quick,
            earlier=_earlier(options.write) if options.only else "",
        )
    if options.write:
        options.write.write_text(text, encoding="utf-8")
        print(f"wrote {options.write}")


def _earlier(file: Path | None) -> str:
    """What the page holds already: its subjects that are not measured now stay in it."""
    return file.read_text(encoding="utf-8") if file is not None and file.exists() else ""


if __name__ == "__main__":
    main()
