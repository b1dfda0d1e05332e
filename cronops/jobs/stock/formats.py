"""How priced articles become the lines of a file: in SQL, so that PostgreSQL writes them."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from cronops.jobs.stock.setting import NUMBER_FIELDS, TEXT_FIELDS, WHOLE_FIELDS, ExportSetting

if TYPE_CHECKING:
    from psycopg.sql import Composable, Composed

# Lines that are made whole are copied as CSV of one column, where COPY's text format would escape
# them. The quote and the delimiter cannot occur in JSON; in XML they must not, and `clean` takes
# them away.
_WHOLE_LINE = "FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02', ENCODING 'UTF8'"
_CELLS = "FORMAT csv, DELIMITER {delimiter}, ENCODING 'UTF8'"
_EVERY_CELL_QUOTED = "FORMAT csv, DELIMITER {delimiter}, FORCE_QUOTE *, ENCODING 'UTF8'"

# Both parts read the one result of `priced`, which is in order. What is last says how many there
# were of what.
_STATEMENT = """
COPY (
    {prices}
    SELECT {cells} FROM priced WHERE left_out IS NULL
    UNION ALL
    SELECT {summary} FROM priced
) TO STDOUT ({options})
"""
_SUMMARY = """
concat_ws(' ',
    count(*) FILTER (WHERE left_out IS NULL),
    count(*) FILTER (WHERE left_out IS NULL AND raised),
    count(*) FILTER (WHERE left_out IS NULL AND coalesce(ean, '') = ''),
    count(*) FILTER (WHERE left_out IS NULL AND qty = 0),
    count(*) FILTER (WHERE left_out = 'missing_price'),
    count(*) FILTER (WHERE left_out = 'missing_ean'),
    count(*) FILTER (WHERE left_out = 'inactive'),
    count(*) FILTER (WHERE left_out = 'not_positive')
)
"""
SUMMARY_COUNTS = (
    "rows",
    "raised",
    "without_ean",
    "sold_out",
    "missing_price",
    "missing_ean",
    "inactive",
    "not_positive",
)
"""What the last line counts, in its order."""

# What the shop's columns hold may be no number.
_NUMBER = "trim_scale(nullif({field}, 'NaN'::numeric))::text"
_CENTS = "{field}::text"
_COMMA = "replace({number}, '.', ',')"
_MOMENT = """to_char({field} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')"""
_GUARDED = """
CASE WHEN left({text}, 1) IN ('=', '+', '-', '@', E'\\t', E'\\r')
    THEN '''' || {text} ELSE {text} END
"""
_JSON_TEXT = "coalesce(to_json({text}::text)::text, 'null')"
_JSON_NUMBER = "coalesce({number}, 'null')"
_XML_TEXT = """
coalesce(replace(replace(replace({text}, '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '')
"""
_XML_NUMBER = "coalesce({text}, '')"
_MONEY = ("price",)
_NOT_IN_XML = bytes(code for code in range(32) if code not in b"\t\n\r")
_NO_CHARACTERS = ("\ufffe".encode(), "\uffff".encode())

ROOT_ELEMENT, ROW_ELEMENT = "articles", "article"


def copy_statement(setting: ExportSetting, prices: "Composed") -> "Composed":
    """``COPY (…) TO STDOUT``: a line an article, then one with the `SUMMARY_COUNTS`.

    `prices` is what `price_query` made.
    """
    from psycopg import sql

    if setting.format == "csv":
        cells = [_cell(setting, source) for _, source in setting.column_map]
        options = _EVERY_CELL_QUOTED if setting.quoting == "all" else _CELLS
    else:
        cells = [_json_line(setting) if setting.format == "jsonl" else _xml_line(setting)]
        options = _WHOLE_LINE
    summary = sql.SQL(", ").join([sql.SQL(_SUMMARY), *[sql.SQL("NULL")] * (len(cells) - 1)])
    return sql.SQL(_STATEMENT).format(
        prices=prices,
        cells=sql.SQL(", ").join(cells),
        summary=summary,
        options=sql.SQL(options).format(delimiter=sql.Literal(setting.delimiter)),
    )


def counts_of(summary: bytes, setting: ExportSetting) -> dict[str, int]:
    """The counts in the last line."""
    line = summary.decode("ascii").rstrip("\n")
    if setting.format == "csv":
        line = next(csv.reader([line], delimiter=setting.delimiter))[0]
    return dict(zip(SUMMARY_COUNTS, map(int, line.split()), strict=True))


def fields_of(setting: ExportSetting) -> set[str]:
    """The fields that its columns show."""
    return {source for _, source in setting.column_map if not source.startswith("=")}


def clean(setting: ExportSetting, lines: bytes) -> bytes:
    """Lines in UTF-8, without what their format cannot hold at all: control characters in XML."""
    if setting.format != "xml":
        return lines
    lines = lines.translate(None, _NOT_IN_XML)
    for character in _NO_CHARACTERS:
        lines = lines.replace(character, b"")
    return lines


def head(setting: ExportSetting) -> str:
    """What stands before the first article."""
    if setting.format == "xml":
        name = "utf-8" if setting.encoding == "utf-8-sig" else setting.encoding
        name = "iso-8859-1" if name == "latin-1" else name
        return f'<?xml version="1.0" encoding="{name}"?>\n<{ROOT_ELEMENT}>\n'
    if setting.format == "jsonl" or not setting.header:
        return ""
    written = io.StringIO()
    csv.writer(
        written,
        delimiter=setting.delimiter,
        quoting=csv.QUOTE_ALL if setting.quoting == "all" else csv.QUOTE_MINIMAL,
        lineterminator="\n",
    ).writerow([target for target, _ in setting.column_map])
    return written.getvalue()


def tail(setting: ExportSetting) -> str:
    """What stands behind the last article."""
    return f"</{ROOT_ELEMENT}>\n" if setting.format == "xml" else ""


def _cell(setting: ExportSetting, source: str) -> "Composable":
    """A cell of CSV, as text: PostgreSQL adds the quotes; NULL for an empty one."""
    from psycopg import sql

    text = _as_text(setting, source)
    if setting.guard_formulas and source in TEXT_FIELDS:
        text = sql.SQL(_GUARDED).format(text=text)
    # An empty text would be quoted, to tell it from NULL.
    return sql.SQL("coalesce({}, '')" if setting.quoting == "all" else "nullif({}, '')").format(
        text
    )


def _as_text(setting: ExportSetting, source: str) -> "Composable":
    from psycopg import sql

    if source.startswith("="):
        return sql.SQL("{}::text").format(sql.Literal(source[1:]))
    if source == "currency":
        return sql.SQL("'EUR'")
    field = sql.Identifier(source)
    if source in NUMBER_FIELDS:
        number = sql.SQL(_CENTS if source in _MONEY else _NUMBER).format(field=field)
        return sql.SQL(_COMMA).format(number=number) if setting.decimal_mark == "," else number
    if source == "updated_at":
        return sql.SQL(_MOMENT).format(field=field)
    return sql.SQL("{}::text").format(field)


def _json_line(setting: ExportSetting) -> "Composable":
    from psycopg import sql

    return _joined(
        (
            f"{',' if number else '{'}{_json_name(target)}:",
            sql.SQL(
                _JSON_NUMBER.replace("{number}", "{text}")
                if source in (*NUMBER_FIELDS, *WHOLE_FIELDS)
                else _JSON_TEXT
            ).format(text=_as_text(setting, source)),
        )
        for number, (target, source) in enumerate(setting.column_map)
    ) + sql.SQL(" || '}'")


def _json_name(target: str) -> str:
    import json

    return json.dumps(target, ensure_ascii=False)


def _xml_line(setting: ExportSetting) -> "Composable":
    from psycopg import sql

    parts = []
    closing = f"<{ROW_ELEMENT}>"
    for target, source in setting.column_map:
        is_text = source in TEXT_FIELDS or source.startswith("=")
        text = sql.SQL(_XML_TEXT if is_text else _XML_NUMBER).format(text=_as_text(setting, source))
        parts.append((f"{closing}<{target}>", text))
        closing = f"</{target}>"
    end = sql.SQL(" || {}").format(sql.Literal(f"{closing}</{ROW_ELEMENT}>"))
    return _joined(iter(parts)) + end


def _joined(parts: "Iterator[tuple[str, Composable]]") -> "Composed":
    """Fixed texts and what stands between them, as one expression."""
    from psycopg import sql

    flat: Sequence[Composable] = [
        one for text, value in parts for one in (sql.Literal(text), value)
    ]
    return sql.SQL(" || ").join(flat)
