"""``cronops schedules scan-http``."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from cronops.cli.output import note, paint, print_line, printable, show_json
from cronops.cli.session import Json
from cronops.cli.tree import examples, operator_app
from cronops.errors import ExitCode, UsageError

app = operator_app()

_LARGEST = 8 << 20
_SKIPPED = frozenset((".git", ".hg", ".svn", "node_modules", "__pycache__", ".venv"))


@app.command(
    "scan-http",
    epilog=examples(
        "cronops schedules scan-http k8s charts /etc/cron.d /etc/nginx",
        "crontab -l > shop.cron && cronops schedules scan-http shop.cron",
        "cronops schedules scan-http deploy --json",
    ),
)
def scan_http(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="Files, and directories with all below.")
    ],
    as_json: Json = False,
) -> None:
    """Look for what could still start a job over HTTP, and fail where there is something.

    In crontabs, manifests, ingresses and web servers' configuration. Nothing is asked for. A line
    that a person has looked at is let through by a comment in it or above it:
    "cronops: http-ok", and why. Ends with 0 where nothing is found, else with 1.
    """
    from cronops.schedules.http_triggers import find_triggers

    rows = []
    count = 0
    for path in _files(paths):
        text = _text(path)
        if text is None:
            continue
        count += 1
        rows += [{"file": str(path), **vars(found)} for found in find_triggers(text)]
    if as_json:
        show_json(rows)
    for row in rows if not as_json else ():
        place = f"{printable(str(row['file']))}:{row['line']}"
        print_line(f"{place}: {paint('found', 'red')}: {row['why']}")
        print_line(f"    {printable(str(row['text']))[:200]}")
    note(f"{count:,} files: {len(rows):,} places that could start a job over HTTP")
    if rows:
        raise typer.Exit(ExitCode.FAILED)


def _files(paths: list[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.exists():
            raise UsageError(f"there is nothing at {path}")
        yield from _below(path) if path.is_dir() else (path,)


def _below(directory: Path) -> Iterator[Path]:
    """Regular files, sorted; links are not followed, so that there is no end to none."""
    try:
        found = sorted(directory.iterdir())
    except OSError as error:
        raise UsageError(f"cannot read {directory}: {error.strerror}") from None
    for path in found:
        if path.is_symlink():
            continue
        if path.is_dir():
            if path.name not in _SKIPPED:
                yield from _below(path)
        elif path.is_file():
            yield path


def _text(path: Path) -> str | None:
    """The file's text; None where it has none, which is said of what is too large to tell."""
    try:
        with path.open("rb") as stream:
            content = stream.read(_LARGEST + 1)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    if b"\0" in content[:8192]:
        return None
    if len(content) > _LARGEST:
        raise UsageError(f"{path} is too large to be looked through: it has more than 8 MiB")
    return content.decode("utf-8", "replace")
