"""``cronops suppliers try``: what an import of a file would do."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cronops.cli.output import Column, print_line, show_json, show_record, show_table
from cronops.cli.session import Json, session
from cronops.cli.suppliers.selection import known_setting
from cronops.cli.tree import examples, operator_app
from cronops.errors import BadInput, ExitCode, UsageError

app = operator_app()

_ROWS = tuple(
    Column(name, shrinks=name in ("sku", "mpn"))
    for name in ("sku", "qty", "price", "delivery_days", "ean", "mpn", "article_number")
)
_REJECTS = (Column("line"), Column("reason"), Column("raw", shrinks=True))


@app.command("try", epilog=examples("cronops suppliers try stock.csv --supplier 23"))
def try_(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="A file such as the supplier sends.",
        ),
    ],
    supplier: Annotated[
        int, typer.Option("--supplier", metavar="ID", min=1, help="Whose setting to read it by.")
    ],
    as_json: Json = False,
) -> None:
    """Read a file by a supplier's setting: first rows, rejects, matches. Nothing is written.

    Ends with 65 where an import would reject the file.
    """
    from cronops.db.shop import check_shop
    from cronops.jobs.suppliers.trial import try_file

    if not file.is_file():
        raise UsageError(f"there is no file {file}")
    with session("suppliers try") as at:
        setting = known_setting(at, supplier)
        check_shop(at.connection, at.settings)
        try:
            trial = try_file(at.connection, setting, file)
        except OSError as error:
            raise BadInput(f"{file} cannot be read: {error.strerror or error}") from None
    if as_json:
        show_json(trial)
    else:
        _show(trial)
    if trial["refused"]:
        raise typer.Exit(ExitCode.BAD_INPUT)


def _show(trial: dict[str, Any]) -> None:
    show_table(trial["first_rows"], _ROWS, as_json=False, empty="No row could be taken.")
    if trial["rejects"]:
        print_line("")
        show_table(trial["rejects"], _REJECTS, as_json=False, empty="")
    print_line("")
    show_record(
        {name: value for name, value in trial.items() if name not in ("first_rows", "rejects")},
        as_json=False,
    )
