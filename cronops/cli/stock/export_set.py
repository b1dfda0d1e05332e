"""``cronops stock exports set``: change an export, or make one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cronops.cli.output import Column, note, print_line, show_json, show_table
from cronops.cli.session import Json, MaybeReason, session
from cronops.cli.tree import examples, operator_app
from cronops.errors import UsageError

if TYPE_CHECKING:
    from cronops.cli.session import Session
    from cronops.jobs.stock.setting import ExportSetting

app = operator_app()


@app.command(
    "set",
    epilog=examples(
        "cronops stock exports set --name acme --platform tyre24 --supplier 12 \\",
        "  --column sku=article_number --column stock=qty --column price=price \\",
        "  --to sftp://files.example.com/in --credential acme --file-name stock.csv",
        "cronops stock exports set 7 --surcharge 4.90 --max-drop 30",
        "cronops stock exports set 7 --supplier none  # of all suppliers",
        "cronops stock exports set --from acme.toml",
    ),
)
def set_(
    export: Annotated[
        int | None,
        typer.Argument(metavar="ID", help="An export's id; without it a new one is made."),
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="What people call it.")] = None,
    platform: Annotated[str | None, typer.Option("--platform", help="Whom it is for.")] = None,
    supplier: Annotated[
        str | None,
        typer.Option("--supplier", metavar="ID|none", help="Only this supplier's stock."),
    ] = None,
    customer: Annotated[
        str | None,
        typer.Option("--customer", metavar="ID|none", help="Whose margin rules apply as well."),
    ] = None,
    format: Annotated[
        str | None, typer.Option("--format", metavar="csv|jsonl|xml", help="What is written.")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            "--column",
            metavar="NAME=SOURCE",
            help="A column, in order, given once for each: its name there and the field it shows. "
            "NAME==TEXT shows the same text in every row. All columns are replaced.",
        ),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="URL",
            help="A directory below the export directory, or sftp://, ftps://, ftp://, https://.",
        ),
    ] = None,
    credential: Annotated[
        str | None,
        typer.Option("--credential", metavar="NAME|none", help="One of the settings' credentials."),
    ] = None,
    file_name: Annotated[
        str | None,
        typer.Option(
            "--file-name",
            metavar="PATTERN",
            help="With {id}, {name}, {platform}, {supplier}, {customer}, {date} or {time}.",
        ),
    ] = None,
    surcharge: Annotated[
        str | None, typer.Option("--surcharge", metavar="EUR", help="For transport, an article.")
    ] = None,
    delimiter: Annotated[
        str | None, typer.Option("--delimiter", metavar="CHARACTER", help="Of CSV; or: tab.")
    ] = None,
    quoting: Annotated[
        str | None, typer.Option("--quoting", metavar="minimal|all", help="Of CSV.")
    ] = None,
    encoding: Annotated[
        str | None,
        typer.Option("--encoding", help="utf-8, utf-8-sig, windows-1252 or latin-1."),
    ] = None,
    decimal_mark: Annotated[
        str | None, typer.Option("--decimal-mark", metavar=".|,", help="Of CSV and XML.")
    ] = None,
    header: Annotated[
        bool | None, typer.Option("--header/--no-header", help="A first line with names, in CSV.")
    ] = None,
    guard_formulas: Annotated[
        bool | None,
        typer.Option(
            "--guard-formulas/--no-guard-formulas",
            help="In CSV, ' before texts that a spreadsheet would take for a formula.",
        ),
    ] = None,
    allow_below_purchase: Annotated[
        bool | None,
        typer.Option(
            "--allow-below-purchase/--no-allow-below-purchase",
            help="Let a negative margin sell below the purchase price.",
        ),
    ] = None,
    use_base_price: Annotated[
        bool | None,
        typer.Option(
            "--use-base-price/--no-use-base-price",
            help="Where no supplier says a price, take the article's.",
        ),
    ] = None,
    require_ean: Annotated[
        bool | None,
        typer.Option("--require-ean/--no-require-ean", help="Leave out articles without one."),
    ] = None,
    min_rows: Annotated[
        str | None,
        typer.Option("--min-rows", metavar="NUMBER|none", help="Refuse to publish fewer."),
    ] = None,
    max_drop: Annotated[
        str | None,
        typer.Option(
            "--max-drop",
            metavar="PERCENT|none",
            help="Refuse to publish when so much less than last time.",
        ),
    ] = None,
    from_file: Annotated[
        Path | None,
        typer.Option(
            "--from", metavar="FILE", help="Settings in JSON or TOML; options go before them."
        ),
    ] = None,
    reason: MaybeReason = None,
    as_json: Json = False,
) -> None:
    """Change an export, or make a new one; it is checked as a whole, and shows what changed.

    A new one is not active: see what `stock export --dry-run --export ID` says, then enable it.
    """
    from cronops.jobs.stock.setting_file import read_setting, setting_from

    given = {
        "name": name,
        "platform": platform,
        "supplier_id": supplier,
        "customer_id": customer,
        "format": format,
        "column_map": column,
        "transport": to,
        "credential": credential,
        "file_pattern": file_name,
        "transport_surcharge": surcharge,
        "delimiter": delimiter,
        "quoting": quoting,
        "encoding": encoding,
        "decimal_mark": decimal_mark,
        "header": header,
        "guard_formulas": guard_formulas,
        "allow_below_purchase": allow_below_purchase,
        "use_base_price": use_base_price,
        "require_ean": require_ean,
        "min_rows": min_rows,
        "max_drop_pct": max_drop,
    }
    values = read_setting(from_file) if from_file else {}
    values |= {key: value for key, value in given.items() if value is not None}
    if not values:
        raise UsageError("say what to set; see: cronops stock exports set --help")
    from cronops.jobs.stock.neighbours import check_is_alone
    from cronops.jobs.stock.setting import load_settings
    from cronops.jobs.stock.upkeep import find_export, save_export

    with session("stock exports set") as at:
        every = load_settings(at.connection)
        before = find_export(every, export) if export else None
        setting = setting_from(values, before=before)
        _check_place(at, setting)
        if setting.active:
            check_is_alone(setting, every, root=at.settings.stock.export_dir)
        old, number = save_export(at.connection, setting, actor=at.actor, reason=reason)
    _show_changes(old, setting, number, as_json=as_json)


def _check_place(at: "Session", setting: "ExportSetting") -> None:
    """Refuse a place that no transfer can reach; warn of a credential that is not there (yet)."""
    from cronops.clients.transfer import check_location
    from cronops.errors import BadInput
    from cronops.jobs.stock.shelf import check_is_not_ours

    root = at.settings.stock.export_dir
    try:
        check_location(setting.transport, root=root)
        check_is_not_ours(setting.transport, root)
    except ValueError as error:
        raise BadInput(f"--to {setting.place!r}: {error}") from None
    if setting.credential and setting.credential not in at.settings.clients.credentials:
        note(
            f"warning: there is no credential {setting.credential!r} in "
            "CRONOPS_CLIENTS__CREDENTIALS here; the pod that exports needs one"
        )


def _show_changes(
    before: "ExportSetting | None", after: "ExportSetting", number: int, *, as_json: bool
) -> None:
    from cronops.jobs.stock.upkeep import changes

    found = changes(before, after)
    if as_json:
        changed = {name: {"before": old, "after": new} for name, (old, new) in found.items()}
        show_json({"id": number, "created": before is None, "changed": changed})
        return
    label = f"{number} {after.name!r}"
    if before is None:
        print_line(f"Made export {label}; it is not active yet.")
    elif not found:
        print_line(f"Export {label} is set so already.")
    else:
        print_line(f"Changed export {label}:")
    rows = [{"setting": name, "before": old, "after": new} for name, (old, new) in found.items()]
    columns = [Column("setting"), Column("before", shrinks=True), Column("after", shrinks=True)]
    if before is None:
        del columns[1]
    if rows:
        show_table(rows, columns, as_json=False, empty="")
    if before is None:
        note(
            f"try it with: cronops stock export --dry-run --export {number}; then: cronops stock "
            f"exports enable {number}"
        )
