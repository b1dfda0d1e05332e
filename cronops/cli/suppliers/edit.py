"""``cronops suppliers set``, ``enable`` and ``disable``."""

import json
import tomllib
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cronops.cli.output import as_json_value, note, print_line, show_json
from cronops.cli.session import Json, MaybeReason, session
from cronops.cli.suppliers.selection import Supplier, known_setting
from cronops.cli.tree import examples, operator_app
from cronops.errors import BadInput, UsageError

if TYPE_CHECKING:
    from cronops.cli.session import Session
    from cronops.jobs.suppliers.setting import ImportSetting

app = operator_app()


def _text(name: str, metavar: str, help_text: str) -> Any:
    return typer.Option(name, metavar=metavar, help=help_text, show_default=False)


@app.command(
    "set",
    epilog=examples(
        "cronops suppliers set 23 --name 'Reifen Nord' --map sku=ArtNr --map ean=EAN "
        "--map qty=Bestand",
        "cronops suppliers set 23 --decimal , --max-age 26h --glob 'stock_*.csv'",
        "cronops suppliers set 23 --source sftp://files.example.com/outbound --credential nord",
        "cronops suppliers set 23 --from nord.toml  # fields as `show --json` names them",
    ),
)
def set_(
    supplier: Supplier,
    name: Annotated[str | None, _text("--name", "TEXT", "What people call it.")] = None,
    source: Annotated[
        str | None,
        _text(
            "--source",
            "URL",
            "Where files are fetched from: sftp://host/dir, ftps://, ftp://, https://, or a "
            "directory below the root; none: they are put into incoming/.",
        ),
    ] = None,
    credential: Annotated[
        str | None,
        _text("--credential", "NAME", "Its entry in CRONOPS_CLIENTS__CREDENTIALS."),
    ] = None,
    glob: Annotated[
        str | None, _text("--glob", "PATTERN", "Names of files; default *.csv.")
    ] = None,
    delta_glob: Annotated[
        str | None,
        _text("--delta-glob", "PATTERN", "Of a full supplier: names of delta files."),
    ] = None,
    member_glob: Annotated[
        str | None, _text("--member-glob", "PATTERN", "In a ZIP: names of members.")
    ] = None,
    mode: Annotated[
        str | None,
        _text("--mode", "full|delta", "In a full file, what is absent has no stock."),
    ] = None,
    quiet: Annotated[
        str | None,
        _text("--quiet", "DURATION", "How long a file must not have grown; default 2s."),
    ] = None,
    column: Annotated[
        list[str] | None,
        _text(
            "--map",
            "FIELD=COLUMN",
            "A field's column, by its header, its position from 1 or, in XML, its path. Fields: "
            "sku, qty, price, delivery_days, ean, mpn, article_number, tyre24_id, topm_id, "
            "currency. FIELD= alone takes it away. May be given several times.",
        ),
    ] = None,
    format_: Annotated[
        str | None, _text("--format", "csv|xml", "Default csv; either inside a ZIP.")
    ] = None,
    delimiter: Annotated[
        str | None, _text("--delimiter", "LETTER", "Default ;. A word: tab.")
    ] = None,
    quote: Annotated[str | None, _text("--quote", "LETTER", 'Default ". none for none.')] = None,
    encoding: Annotated[
        str | None, _text("--encoding", "NAME", "Default auto; windows-1252, …")
    ] = None,
    decimal: Annotated[str | None, _text("--decimal", ".|,", "Default a point.")] = None,
    thousands: Annotated[
        str | None, _text("--thousands", "LETTER", "Between thousands; default none.")
    ] = None,
    header: Annotated[
        bool | None,
        typer.Option(
            "--header/--no-header",
            help="Whether the first line names the columns.",
            show_default=False,
        ),
    ] = None,
    row_tag: Annotated[
        str | None, _text("--row-tag", "NAME", "In XML: the element that is a row.")
    ] = None,
    trailer: Annotated[
        str | None,
        _text("--trailer", "TEXT", "How the last line begins that tells the rows."),
    ] = None,
    yes_qty: Annotated[
        int | None, _text("--yes-qty", "NUMBER", "What a quantity of Y means; default 1.")
    ] = None,
    max_age: Annotated[
        str | None,
        _text("--max-age", "DURATION", "Older files are skipped; none arriving fails."),
    ] = None,
    min_rows: Annotated[
        int | None, _text("--min-rows", "NUMBER", "Fewer rows fail the file; default 1.")
    ] = None,
    max_drop_pct: Annotated[
        str | None,
        _text("--max-drop-pct", "PERCENT", "Of SKUs in stock that may fall to 0; 30."),
    ] = None,
    max_reject_pct: Annotated[
        str | None,
        _text("--max-reject-pct", "PERCENT", "Of rows that may be rejected; 5."),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="FILE",
            help="JSON or TOML with the fields; options given beside it win.",
            show_default=False,
        ),
    ] = None,
    reason: MaybeReason = None,
    as_json: Json = False,
) -> None:
    """Set up a supplier's import, or change what is given of it. Shows what has changed."""
    given = {
        "name": name,
        "source": source,
        "credential": credential,
        "glob": glob,
        "delta_glob": delta_glob,
        "member_glob": member_glob,
        "mode": mode,
        "quiet": quiet,
        "format": format_,
        "delimiter": delimiter,
        "quote": quote,
        "encoding": encoding,
        "decimal": decimal,
        "thousands": thousands,
        "header": header,
        "row_tag": row_tag,
        "trailer": trailer,
        "yes_qty": yes_qty,
        "max_age": max_age,
        "min_rows": min_rows,
        "max_drop_pct": max_drop_pct,
        "max_reject_pct": max_reject_pct,
    }
    options = {field: value for field, value in given.items() if value is not None}
    fields = _read(file, supplier) if file else {}
    with session("suppliers set") as at:
        _set(at, supplier, fields | options, column or [], reason, file=file, as_json=as_json)


def _set(
    at: "Session",
    supplier: int,
    values: dict[str, Any],
    columns: list[str],
    reason: str | None,
    *,
    file: Path | None,
    as_json: bool,
) -> None:
    from cronops.jobs.suppliers.setting import find_setting
    from cronops.jobs.suppliers.settings_check import changes, setting_of
    from cronops.jobs.suppliers.upkeep import save_setting

    before = find_setting(at.connection, supplier)
    merged = (asdict(before) if before else {}) | values | {"supplier_id": supplier}
    if columns:
        merged["column_map"] = _mapped(dict(merged.get("column_map") or {}), columns)
    after, problems = setting_of(merged)
    if after is not None:
        problems = _place_problems(at, after)
    if after is None or problems:
        where = f"{file}: " if file else ""
        text = f"{where}supplier {supplier} was not changed: {'; '.join(problems)}"
        raise BadInput(text) if file else UsageError(text)
    changed = changes(before, after)
    if changed:
        details = {field: [as_json_value(one) for one in two] for field, two in changed.items()}
        save_setting(at.connection, after, details, actor=at.actor, reason=reason)
    _report(before, after, changed, as_json=as_json)


def _place_problems(at: "Session", setting: "ImportSetting") -> list[str]:
    from cronops.clients.transfer import check_location

    credential = setting.credential
    if credential is not None and credential not in at.settings.clients.credentials:
        note(
            f"warning: there is no credential {credential!r} here; the pod's "
            "CRONOPS_CLIENTS__CREDENTIALS has to have it"
        )
    if setting.source is None:
        return []
    try:
        check_location(setting.source, root=at.settings.suppliers.root)
    except ValueError as error:
        return [f"source: {error}"]
    return []


def _mapped(column_map: dict[str, Any], columns: list[str]) -> dict[str, Any]:
    for text in columns:
        field, equals, column = text.partition("=")
        if not equals:
            raise UsageError(f"--map is FIELD=COLUMN, as in sku=ArtNr; not {text!r}")
        if column:
            column_map[field.strip()] = column
        else:
            column_map.pop(field.strip(), None)
    return column_map


def _read(file: Path, supplier: int) -> dict[str, Any]:
    try:
        text = file.read_text(encoding="utf-8")
        values = tomllib.loads(text) if file.suffix == ".toml" else json.loads(text)
    except (ValueError, OSError, RecursionError) as error:
        raise BadInput(f"{file} cannot be read: {error}") from None
    if isinstance(values, dict) and isinstance(values.get("setting"), dict):
        values = values["setting"]  # what `show --json` prints
    if not isinstance(values, dict):
        raise BadInput(f"{file} must hold the fields of one supplier")
    if values.get("supplier_id", supplier) != supplier:
        raise BadInput(f"{file} is of supplier {values['supplier_id']}, not {supplier}")
    return values


def _report(
    before: "ImportSetting | None",
    after: "ImportSetting",
    changed: dict[str, tuple[Any, Any]],
    *,
    as_json: bool,
) -> None:
    if as_json:
        was_new = before is None
        show_json({"supplier": after.supplier_id, "created": was_new, "changed": changed})
        return
    if not changed:
        print_line(f"Supplier {after.supplier_id} ({after.name}) is as it was.")
        return
    verb = "Changed" if before else "Set up"
    print_line(f"{verb} supplier {after.supplier_id} ({after.name}).")
    for field, (old, new) in changed.items():
        if before:
            print_line(f"  {field}: {_shown(old)} -> {_shown(new)}")


def _shown(value: Any) -> str:
    return json.dumps(as_json_value(value), ensure_ascii=False)


@app.command(epilog=examples("cronops suppliers enable 23"))
def enable(supplier: Supplier, reason: MaybeReason = None, as_json: Json = False) -> None:
    """Import this supplier's files again."""
    _switch(supplier, reason, active=True, as_json=as_json)


@app.command(
    epilog=examples('cronops suppliers disable 23 --reason "their files are of last year"')
)
def disable(supplier: Supplier, reason: MaybeReason = None, as_json: Json = False) -> None:
    """Leave this supplier out of imports; its stock stays as it is."""
    _switch(supplier, reason, active=False, as_json=as_json)


def _switch(supplier: int, reason: str | None, *, active: bool, as_json: bool) -> None:
    from cronops.jobs.suppliers.upkeep import switch

    with session("suppliers enable" if active else "suppliers disable") as at:
        setting = known_setting(at, supplier)
        changed = switch(at.connection, supplier, active=active, actor=at.actor, reason=reason)
    if as_json:
        show_json({"supplier": supplier, "active": active, "changed": changed})
    else:
        state = "active" if active else "not active"
        was = "is" if changed else "was already"
        print_line(f"Supplier {supplier} ({setting.name}) {was} {state}.")
