"""``cronops schedules import-crontab``."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cronops.cli.output import note, paint, print_line, show_json
from cronops.cli.schedules.file import read_file
from cronops.cli.session import Json
from cronops.cli.tree import examples, operator_app
from cronops.errors import BadInput, ExitCode, UsageError

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from cronops.schedules.crontab.propose import Proposed

app = operator_app()


@app.command(
    "import-crontab",
    epilog=examples(
        "crontab -l | cronops schedules import-crontab -",
        "cronops schedules import-crontab /etc/crontab /etc/cron.d/shop --out proposal.yaml",
        "cronops schedules import-crontab old.cron --time-zone Europe/Berlin --json",
    ),
)
def import_crontab(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Crontabs; - for standard input.")
    ],
    time_zone: Annotated[
        str,
        typer.Option(
            "--time-zone", metavar="NAME", help="The zone of the machine that cron ran on."
        ),
    ] = "Europe/Brussels",
    kind: Annotated[
        Literal["user", "system"] | None,
        typer.Option(
            "--kind",
            show_default="by what is in it",
            help="A command behind the times, or a user and then a command.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE",
            show_default="standard output",
            help="Write the proposal there; a file that is there already is not replaced.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Make schedules of old crontabs, and lose no line of them.

    The legacy scripts become their jobs, with their arguments, from behind cd, nice, flock and
    redirections. What is not known is kept as a comment. Where cron and the cluster would run it
    at other times in the next two years, that is said. Ends with 1 where a person has to look.
    """
    from cronops.schedules.crontab.propose import named_apart
    from cronops.schedules.crontab.written import written

    zone = _zone(time_zone)
    now = datetime.now(UTC)
    proposals = named_apart([one for name in files for one in _read(name, zone, now, kind)])
    if as_json:
        show_json([_row(one) for one in proposals])
    elif out is not None:
        _write(out, written(proposals))
    else:
        print_line(written(proposals).rstrip("\n"))
    if _tell(proposals):
        raise typer.Exit(ExitCode.FAILED)


def _zone(name: str) -> "ZoneInfo":
    from cronops.schedules.zones import zone_of

    zone = zone_of(name)
    if zone is None:
        raise UsageError(f"no time zone is called {name!r}")
    return zone


def _read(name: str, zone: "ZoneInfo", now: datetime, kind: Any) -> "Sequence[Proposed]":
    from cronops.schedules.crontab.lines import is_crontab, read_crontab
    from cronops.schedules.crontab.propose import propose

    file = read_file(name)
    try:
        text = file.text.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = file.text.decode("latin-1")
    lines = read_crontab(text, kind)
    if "\0" in text or not is_crontab(lines):
        raise BadInput(f"{file.name} is no crontab: most of its lines are nothing that cron takes")
    return propose(file.name, lines, zone=zone, now=now)


def _write(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        raise UsageError(f"{path} is there already; name another file") from None
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from None


def _tell(proposals: "Sequence[Proposed]") -> bool:
    """Say what a person has to look at; whether there is anything."""
    made = [one for one in proposals if one.fate == "schedule"]
    kept = [one for one in proposals if one.fate == "kept"]
    look = [one for one in proposals if one.look]
    for one in look:
        for told in one.look:
            note(f"{one.file}:{one.line}: {paint('look', 'yellow', errors=True)}: {told}")
    note(
        f"{len(proposals):,} lines: {len(made):,} schedules, {len(kept):,} kept as they are, "
        f"{len(look):,} to look at"
    )
    return bool(look)


def _row(one: "Proposed") -> dict[str, Any]:
    differences = one.timing.differences if one.timing is not None else ()
    return {
        "file": one.file,
        "line": one.line,
        "text": one.text,
        "fate": one.fate,
        "name": one.name,
        "cr": one.cr,
        "command": one.command,
        "schedule": one.schedule,
        "time_zone": one.time_zone,
        "remarks": one.remarks,
        "look": one.look,
        "differences": [
            {"at": found.at, "runs": "cron" if found.by_cron else "cluster"}
            for found in differences
        ],
    }
