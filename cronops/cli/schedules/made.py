"""What ``render`` and ``chart`` share: a directory written, or compared with what it should be."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from cronops.cli.output import note, print_line, printable, show_json
from cronops.cli.schedules.folder import Changes, Folder
from cronops.errors import ExitCode, UsageError

STREAM = "-"
"""Instead of a directory: everything on stdout."""
# So many names are told; the rest is counted.
_TOLD = 20

Out = Annotated[
    str,
    typer.Option("--out", metavar="DIRECTORY", help="Where to write; it is made if need be."),
]
Check = Annotated[
    bool,
    typer.Option(
        "--check", help="Write nothing; show how the directory differs, and exit 1 if it does."
    ),
]


def write_or_compare(
    files: Mapping[str, str], out: str, *, check: bool, as_json: bool, again: str
) -> None:
    """Write `files` into `out`, or with `check` compare; `again` is the command that writes."""
    if out in ("", STREAM):
        raise UsageError(f"--out {out!r} names no directory; name one, or a path for a new one")
    folder = Folder(Path(out))
    folder.refuse_another(files)
    if check:
        _compare(folder, files, out, as_json=as_json, again=again)
        return
    changes = folder.write(files)
    if as_json:
        show_json({"directory": out, **changes.__dict__})
    else:
        _show(changes, out)


def _compare(
    folder: Folder, files: Mapping[str, str], out: str, *, as_json: bool, again: str
) -> None:
    from cronops.schedules.diff import drift

    found = folder.found()
    difference = drift(files, found, out.rstrip("/"))
    foreign = folder.foreign(files)
    names = sorted(n for n in files.keys() | found.keys() if files.get(n) != found.get(n))
    if as_json:
        show_json(
            {"directory": out, "current": not difference, "differing": names, "foreign": foreign}
        )
    elif difference:
        for line in difference.rstrip("\n").split("\n"):
            # A foreign file may hold anything, and be shown at somebody's terminal.
            print_line(printable(line))
    else:
        print_line(f"{out}: {len(files)} files, as they should be.")
    if not difference:
        return
    if foreign:
        note(f"not made by cronops, to be removed by hand: {_listed(foreign)}")
    if len(foreign) < len(names):
        note(f"to bring it up to date: {again}")
    raise typer.Exit(ExitCode.FAILED)


def _show(changes: Changes, out: str) -> None:
    for verb, names in (("wrote", changes.written), ("removed", changes.removed)):
        if names:
            print_line(f"{verb} {_listed(names)}")
    if changes.foreign:
        note(f"left alone, not made by cronops: {_listed(changes.foreign)}")
    print_line(
        f"{out}: {len(changes.written)} written, {len(changes.removed)} removed, "
        f"{changes.unchanged} unchanged."
    )


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _TOLD} more" if len(names) > _TOLD else ""
    return printable(", ".join(names[:_TOLD])) + more
