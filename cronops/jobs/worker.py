"""Entry point of a replacement worker process; started by the supervisor, never by hand."""

import sys

from cronops.config import load_settings
from cronops.contract.channel import Ends, SharedPage
from cronops.contract.child import run_worker
from cronops.jobs.registry import load_job
from cronops.jobs.wiring import WIRING
from cronops.telemetry import configure_logging


def main() -> None:
    """``python -m cronops.jobs.worker JOB READ WRITE PAGE PARENT NUMBER``: descriptors and ids."""
    name, *numbers = sys.argv[1:]
    read, write, page, parent, worker = map(int, numbers)
    settings = load_settings().settings
    configure_logging(settings)
    run_worker(
        load_job(name),
        settings,
        WIRING,
        ends=Ends(read, write),
        page=SharedPage(page),
        parent=parent,
        worker=worker,
    )


if __name__ == "__main__":
    main()
