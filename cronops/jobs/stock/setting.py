"""An export's settings: what is exported, how it reads, and where it goes."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from cronops.errors import ConfigurationError
from cronops.jobs.stock.pricing import Terms

if TYPE_CHECKING:
    import psycopg

FORMATS = ("csv", "jsonl", "xml")
QUOTINGS = ("minimal", "all")
ENCODINGS = ("utf-8", "utf-8-sig", "windows-1252", "latin-1")
DECIMAL_MARKS = (".", ",")

TEXT_FIELDS = (
    "article_number",
    "type",
    "ean",
    "mpn",
    "tyre24_id",
    "topm_id",
    "brand",
    "category",
    "tyre_size",
    "sku",
)
NUMBER_FIELDS = ("price", "purchase_price", "base_price", "weight", "wheel_diameter")
WHOLE_FIELDS = ("qty", "supplier_id", "delivery_days")
SOURCES = (*TEXT_FIELDS, *NUMBER_FIELDS, *WHOLE_FIELDS, "currency", "updated_at")
"""What a column may show; beside these ``=text``, the same text in every row."""

PLACEHOLDERS = ("id", "name", "platform", "supplier", "customer", "date", "time")
"""What a file name may hold in braces; date and time are those of the generation, in UTC."""

SOME_MOMENT = "20261123T040000Z"
"""A moment as file names show it, to see what a name looks like."""

_DELIMITER = re.compile(r"[\t!#$%&'()*+,./:;<=>?@\\^_`{|}~ -]")
_ELEMENT = re.compile(r"(?!(?i:xml))[A-Za-z_][A-Za-z0-9_.-]{0,99}")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_FILE_NAME = re.compile(r"[A-Za-z0-9_+=@,-][A-Za-z0-9_+=@, .-]{0,199}")
_LOGIN = re.compile(r"^([a-z]+://)[^/]*@", re.IGNORECASE)
_TEMPORARY = (".part", ".tmp")
_LOAD = "SELECT {columns} FROM export_setting ORDER BY id"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportSetting:
    """One row of ``export_setting``."""

    id: int
    name: str
    platform: str
    supplier_id: int | None = None
    customer_id: int | None = None
    format: str = "csv"
    delimiter: str = ";"
    quoting: str = "minimal"
    encoding: str = "utf-8"
    decimal_mark: str = "."
    header: bool = True
    guard_formulas: bool = False
    column_map: Sequence[tuple[str, str]]
    """Name at the other end and source, in the order of the file."""
    transport: str
    credential: str | None = None
    file_pattern: str
    transport_surcharge: Decimal = Decimal(0)
    allow_below_purchase: bool = False
    use_base_price: bool = False
    require_ean: bool = False
    min_rows: int | None = None
    max_drop_pct: Decimal | None = None
    active: bool = False

    @property
    def label(self) -> str:
        """For people: ``7 'acme tyres'``."""
        return f"{self.id} {self.name!r}"

    @property
    def destination(self) -> str:
        """Where its files go, under which names; what was delivered elsewhere does not count."""
        return f"{self.place.rstrip('/')}/{self.file_pattern}"

    @property
    def place(self) -> str:
        """The transport for people: without the login that somebody wrote into it by hand."""
        return _LOGIN.sub(r"\1", self.transport)

    @property
    def terms(self) -> Terms:
        """What it says about prices."""
        return Terms(
            supplier_id=self.supplier_id,
            customer_id=self.customer_id,
            surcharge=self.transport_surcharge,
            allow_below_purchase=self.allow_below_purchase,
            use_base_price=self.use_base_price,
            require_ean=self.require_ean,
        )

    def file_name(self, moment: str) -> str:
        """The file's name at the other end; `moment` is ``20261123T040000Z``."""
        values = {
            "id": str(self.id),
            "name": self.name,
            "platform": self.platform,
            "supplier": str(self.supplier_id or "all"),
            "customer": str(self.customer_id or "all"),
            "date": moment[:8],
            "time": moment[9:15],
        }
        return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), self.file_pattern)


COLUMNS = tuple(field.name for field in fields(ExportSetting))


def from_row(row: Mapping[str, Any]) -> ExportSetting:
    """A setting from a row's columns."""
    values = dict(row)
    values["column_map"] = [tuple(pair) for pair in values["column_map"]]
    return ExportSetting(**values)


def load_settings(connection: "psycopg.Connection[Any]") -> list[ExportSetting]:
    """Every export's settings, by id."""
    from psycopg import sql
    from psycopg.rows import dict_row

    columns = sql.SQL(", ").join(map(sql.Identifier, COLUMNS))
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(sql.SQL(_LOAD).format(columns=columns)).fetchall()
    return [from_row(row) for row in rows]


def check(setting: ExportSetting) -> None:
    """Raise `ConfigurationError`, naming all that is wrong with it."""
    problems = list(problems_of(setting))
    if problems:
        raise ConfigurationError(
            f"export {setting.label} cannot run: {'; '.join(problems)}; "
            f"see: cronops stock exports set --help"
        )


def problems_of(setting: ExportSetting) -> Iterator[str]:
    """What is wrong with it, for whoever wrote it."""
    for name, value, choices in (
        ("format", setting.format, FORMATS),
        ("quoting", setting.quoting, QUOTINGS),
        ("encoding", setting.encoding, ENCODINGS),
        ("decimal mark", setting.decimal_mark, DECIMAL_MARKS),
    ):
        if value not in choices:
            yield f"{name} {value!r} is none of {', '.join(choices)}"
    for name, value in (("name", setting.name), ("platform", setting.platform)):
        if not value.strip() or not value.isprintable():
            yield f"{name} {value!r} must be printable text"
    if setting.format == "csv" and not _DELIMITER.fullmatch(setting.delimiter):
        yield f'delimiter {setting.delimiter!r} must be a tab or one ASCII punctuation mark, not "'
    if setting.format == "jsonl":
        if setting.encoding != "utf-8":
            yield "JSON lines are always UTF-8: write encoding utf-8"
        if setting.decimal_mark != ".":
            yield "JSON numbers have a decimal point: write decimal mark ."
    if setting.place != setting.transport:
        yield "its URL holds a login: name a credential instead, and keep its password in a secret"
    if setting.transport_surcharge < 0:
        yield f"transport surcharge {setting.transport_surcharge} is negative"
    if setting.min_rows is not None and setting.min_rows < 1:
        yield f"min rows {setting.min_rows} must be at least 1"
    if setting.max_drop_pct is not None and not 0 <= setting.max_drop_pct <= 100:
        yield f"max drop {setting.max_drop_pct} must be 0 to 100 per cent"
    yield from _problems_of_columns(setting)
    yield from _problems_of_file_name(setting)


def _problems_of_columns(setting: ExportSetting) -> Iterator[str]:
    if not setting.column_map:
        yield "it has no columns: write --column 'sku=article_number', one for each"
    targets = [target for target, _ in setting.column_map]
    for target, source in setting.column_map:
        if not target or not target.isprintable():
            yield f"column {target!r} must be named by printable text"
        elif setting.format == "xml" and not _ELEMENT.fullmatch(target):
            yield f"column {target!r} cannot be the name of an XML element"
        if targets.count(target) > 1:
            yield f"column {target!r} occurs twice"
        if source.startswith("="):
            if not source[1:].isprintable():
                yield f"column {target!r}: its text must be printable"
        elif source not in SOURCES:
            yield f"column {target!r}: {source!r} is none of {', '.join(SOURCES)}, nor =text"


def _problems_of_file_name(setting: ExportSetting) -> Iterator[str]:
    for name in _PLACEHOLDER.findall(setting.file_pattern):
        if name not in PLACEHOLDERS:
            yield f"file name: {{{name}}} is none of {', '.join(PLACEHOLDERS)}"
            return
    name = setting.file_name(SOME_MOMENT)
    if not _FILE_NAME.fullmatch(name) or name.endswith((".", " ", *_TEMPORARY)):
        yield (
            f"file name {name!r} must be letters, digits, blanks and -_+=@,. and begin with none "
            "of blank and dot; it names no directory, and ends neither in .part nor .tmp"
        )
