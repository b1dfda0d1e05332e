"""The page made of all measurements: the goals, each subject, machine and versions."""

import os
import platform
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.database import Database
from benchmarks.harness import Section, markdown

LIBRARIES = ("cronops", "psycopg", "SQLAlchemy", "pydantic", "typer", "structlog")
SERVER_SETTINGS = ("fsync", "synchronous_commit", "full_page_writes", "shared_buffers")
GIGABYTE = 1 << 30


def page(
    sections: Sequence[Section],
    database: Database,
    peers: Mapping[str, str],
    *,
    minutes: float,
    quick: bool,
    only: Sequence[str] | None,
) -> str:
    """The whole page as Markdown."""
    scope = []
    if quick:
        scope.append("**This was a quick trial at small sizes; its figures mean little.**")
    if only:
        scope.append(f"Only a part was measured: {', '.join(only)}.")
    lines = [
        "# Performance",
        "",
        "<!-- Made by `make bench`; do not edit. -->",
        "",
        "Made by `make bench`, in one run, on one server. Every figure is the median of "
        "alternating runs (A B A B …) with the lowest and the highest beside it. Absolute figures "
        "vary by machine and by what else it does: the goals are ratios. A ratio is the median of "
        "the rounds' own ratios, lowest and highest in brackets.",
        "",
        *scope,
        "",
        "## Goals",
        "",
        *_goals(sections),
        "",
    ]
    lines += [markdown(section) for section in sections]
    lines += ["## Machine and versions", "", *_machine(database, peers, minutes), ""]
    return "\n".join(lines)


def _goals(sections: Sequence[Section]) -> list[str]:
    lines = ["| subject | ratio | measured | goal | reached |", "|---|---|---|---|---|"]
    lines += [
        f"| {section.title} | {ratio.name} | {ratio.shown} | {ratio.goal}{ratio.unit} "
        f"| {ratio.verdict} |"
        for section in sections
        for ratio in section.ratios
        if ratio.goal
    ]
    return lines


def _machine(database: Database, peers: Mapping[str, str], minutes: float) -> list[str]:
    with database.connect() as connection:
        row = connection.execute("SELECT current_setting('server_version')").fetchone()
        assert row is not None
        settings = []
        for name in SERVER_SETTINGS:
            value = connection.execute(f"SHOW {name}").fetchone()
            assert value is not None
            settings.append(f"{name} {value[0]}")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIGABYTE
    facts = {
        "measured": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, in {minutes:.0f} minutes",
        "load average": "{:.1f}, {:.1f}, {:.1f} at the end".format(*os.getloadavg()),
        "machine": f"{os.cpu_count()} cores ({_processor()}), {memory:.0f} GB, "
        f"{platform.system()} {platform.release()}",
        "Python": sys.version.split()[0],
        "PostgreSQL": f"{row[0]}, embedded, over a local socket; {', '.join(settings)}",
        "libraries": ", ".join(f"{name} {version(name)}" for name in LIBRARIES),
        "peers": ", ".join(f"{name} {found}" for name, found in peers.items()) or "none installed",
    }
    return ["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in facts.items())]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
