"""`make demo`: the jobs that move goods and money, on a sample shop; each command as one types it.

Works in the directories that the settings name, which `make demo` puts below ``.data/demo``. Uses
the server that ``CRONOPS_DATABASE_URL`` names; where none is named, the embedded one, which is
stopped again at the end.
"""

import sys
from collections.abc import Iterator

from cronops.samples import (
    customers,
    driveright,
    exports,
    hits,
    images,
    orders,
    sessions,
    suppliers,
    upkeep,
    vehicles,
)
from cronops.samples.tour import Step, show_on_own_server

_PARTS = (
    suppliers,
    exports,
    orders,
    images,
    customers,
    hits,
    driveright,
    vehicles,
    upkeep,
    sessions,
)


def tour() -> Iterator[Step]:
    """The commands, in order."""
    yield Step("Create the tables, or bring them up to date.", "db upgrade")
    yield Step(
        "A shop to work for. In earnest its articles are the shop's own table.",
        "--count 1000",
        program="python -m cronops.samples.articles",
    )
    for part in _PARTS:
        yield from part.tour()
    yield Step("What ran?", "runs list")


def main() -> int:
    """Run the tour; the exit code of the first command that ends otherwise than expected, or 0."""
    return show_on_own_server(tour())


if __name__ == "__main__":
    sys.exit(main())
