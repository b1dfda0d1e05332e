"""Supplier imports, against the bare statements of the same guarantees, and as people write them.

The whole command is timed, from its start to its end: reading, checking every row, matching,
guarding, merging, recording and putting the file away. Bare are psql's ``\\copy`` into an unlogged
table and the fastest statements we know that match, guard and merge alike, in one transaction;
they believe every row.
"""

from collections.abc import Callable, Sequence

from benchmarks.database import Database
from benchmarks.harness import Goal, Ratio, Section, alternate
from benchmarks.one_import import ARTICLES, CHANGED, HUNDREDTH, NEW, SHUFFLED, Bench
from benchmarks.workers import PeerEnvironment

PEER_ROWS = 100_000


def run(database: Database, peers: PeerEnvironment, quick: bool) -> Sequence[Section]:
    """Three kinds of change; the ways of others; memory at two sizes."""
    rows, rounds = (50_000, 2) if quick else (1_000_000, 5)
    with database.sibling("imports") as own:
        bench = Bench(own, rows)
        sections = [_against_bare(bench, rows, rounds)]
        sections.append(_against_others(bench, peers, rows, rounds))
        sections.append(_memory(bench, rows, 1 if quick else 2))
        return sections


def _against_bare(bench: Bench, rows: int, rounds: int) -> Section:
    section = Section(
        f"Supplier import, {rows:,} rows",
        "rows/s",
        f"One full file of {rows:,} rows, sku, EAN, MPN, quantity, price and days, matched against "
        f"{ARTICLES:,} articles. "
        + " ".join((__doc__ or "").replace("``", "`").split("\n\n")[1].split()),
    )
    for case, goal in ((NEW, 0.85), (CHANGED, 0.85), (SHUFFLED, 0.85), (HUNDREDTH, 0.6)):
        ours, bare = f"cronops suppliers import-stock, {case}", f"psql, {case}"
        subjects: dict[str, Callable[[], float]] = {
            bare: lambda case=case: bench.bare(case),  # type: ignore[misc]
            ours: lambda case=case: bench.ours(case),  # type: ignore[misc]
        }
        section.add(alternate(subjects, rounds))
        section.compare(f"import / psql, {case}", ours, bare, Goal(goal))
    return section


def _explained() -> str:
    """The module's second paragraph, as Markdown."""
    return " ".join((__doc__ or "").replace("``", "`").split("\n\n")[1].split())


def _against_others(bench: Bench, peers: PeerEnvironment, rows: int, rounds: int) -> Section:
    section = Section(
        "Supplier import, as people write it",
        "rows/s",
        f"The same file's first {PEER_ROWS:,} rows, all new, and ours with {rows:,} as well. "
        "pandas: `read_csv` and `to_sql` in chunks of 10,000, then one INSERT … ON CONFLICT that "
        "matches. pydantic: a model a row, SQLAlchemy's INSERT … ON CONFLICT in batches of 1,000. "
        "Neither guards anything, and both are timed from start to end, imports included.",
    )
    few = bench.sized(PEER_ROWS)
    small, large = (
        f"cronops suppliers import-stock, {count:,} rows" for count in (PEER_ROWS, rows)
    )
    subjects: dict[str, Callable[[], float]] = {
        "pandas to_sql": lambda: few.peer(peers, "pandas"),
        "pydantic and SQLAlchemy": lambda: few.peer(peers, "pydantic"),
        small: lambda: few.ours(NEW),
        large: lambda: bench.ours(NEW),
    }
    section.add(alternate(subjects, min(rounds, 3)))
    for name in ("pandas to_sql", "pydantic and SQLAlchemy"):
        section.compare(f"{large} / {name}", large, name, Goal(5))
        section.compare(f"{small} / {name}", small, name)
    return section


def _memory(bench: Bench, rows: int, rounds: int) -> Section:
    few = rows // 10
    section = Section(
        "Supplier import, memory",
        "MB",
        "The highest resident memory (VmHWM) of the import's processes, supervisor and worker "
        "added up, pages they share counted twice; all rows new.",
        digits=1,
    )
    small, large = f"{few:,} rows", f"{rows:,} rows"
    section.add(
        alternate(
            {small: lambda: bench.sized(few).peak(), large: lambda: bench.sized(rows).peak()},
            rounds,
        )
    )
    low, high = section.median(small), section.median(large)
    grown = high - low if low is not None and high is not None else None
    section.ratios.append(Ratio("growth", grown, Goal(20, at_most=True), unit=" MB"))
    return section
