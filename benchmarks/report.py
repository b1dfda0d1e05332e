"""The page made of all measurements: the goals, each subject, machine and versions."""

import os
import platform
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.database import Database
from benchmarks.harness import Section, markdown

LIBRARIES = ("cronops", "psycopg", "SQLAlchemy", "pydantic", "typer", "structlog")
SERVER_SETTINGS = ("fsync", "synchronous_commit", "full_page_writes", "shared_buffers")
GIGABYTE = 1 << 30
GOALS = "Goals"
MACHINE = "Machine and versions"


def page(
    sections: Sequence[Section],
    database: Database,
    peers: Mapping[str, str],
    *,
    minutes: float,
    quick: bool,
    earlier: str = "",
) -> str:
    """The whole page as Markdown; of an `earlier` page, the subjects that were not measured now."""
    scope = []
    if quick:
        scope.append("**This was a quick trial at small sizes; its figures mean little.**")
    measured = f"*Measured {datetime.now(UTC):%Y-%m-%d %H:%M} UTC.*"
    new = {section.title: _dated(markdown(section), measured) for section in sections}
    kept = _sections(earlier)
    kept.pop(GOALS, None)
    kept.pop(MACHINE, None)
    bodies = {**kept, **new}
    lines = [
        "# Performance",
        "",
        "<!-- Made by `make bench`; do not edit. -->",
        "",
        "Made by `make bench`. What is compared was measured in one run, on one server; "
        '`make bench ARGS="--only NAME"` measures one subject anew. Every figure is the median of '
        "alternating runs (A B A B …) with the lowest and the highest beside it. Absolute figures "
        "vary by machine and by what else it does: the goals are ratios. A ratio is the median of "
        "the rounds' own ratios, lowest and highest in brackets.",
        "",
        *scope,
        "",
        f"## {GOALS}",
        "",
        *_goals(sections, _sections(earlier).get(GOALS, ""), bodies),
        "",
    ]
    lines += bodies.values()
    lines += [f"## {MACHINE}", "", *_machine(database, peers, minutes), ""]
    return "\n".join(lines)


def _sections(text: str) -> dict[str, str]:
    """Each section of a page by its title."""
    _, *parts = re.split(r"^(?=## )", text, flags=re.MULTILINE)
    return {part.partition("\n")[0].removeprefix("## "): part.rstrip() + "\n" for part in parts}


def _dated(section: str, measured: str) -> str:
    head, _, rest = section.partition("\n\n")
    return f"{head}\n\n{measured}\n\n{rest}"


def _goals(sections: Sequence[Section], earlier: str, titles: Iterable[str]) -> list[str]:
    """A line for each ratio that has a goal, in the order of the sections."""
    lines: dict[str, list[str]] = {}
    for line in earlier.splitlines()[4:]:
        if line:
            lines.setdefault(line.split(" | ")[0].removeprefix("| "), []).append(line)
    for section in sections:
        lines[section.title] = [
            f"| {section.title} | {ratio.name} | {ratio.shown} | {ratio.goal}{ratio.unit} "
            f"| {ratio.verdict} |"
            for ratio in section.ratios
            if ratio.goal
        ]
    return [
        "| subject | ratio | measured | goal | reached |",
        "|---|---|---|---|---|",
        *(line for title in titles for line in lines.get(title, ())),
    ]


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
        "last measured": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, in {minutes:.0f} minutes",
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
