"""One supplier's import setting: where its files come from and how they are to be read."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import timedelta
from decimal import Decimal
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Literal

from cronops.errors import BadInput

if TYPE_CHECKING:
    import psycopg

Mode = Literal["full", "delta"]

IDENTIFIERS = ("ean", "mpn", "article_number", "tyre24_id", "topm_id")
"""What may name an article, in the order of trust."""
REQUIRED = ("sku", "qty")
STORED = ("sku", "qty", "price", "delivery_days", *IDENTIFIERS)
"""What is staged of a row."""
FIELDS = (*STORED, "currency")
"""What a column map may name."""

_ACTIVE = "SELECT supplier_id FROM supplier_import_setting WHERE active ORDER BY supplier_id"
_KNOWN = "SELECT supplier_id, name, active FROM supplier_import_setting ORDER BY supplier_id"


@dataclass(frozen=True, kw_only=True)
class ImportSetting:
    """A row of `supplier_import_setting`; the defaults are the table's."""

    supplier_id: int
    name: str
    active: bool = True
    source: str | None = None
    """Where files are fetched from; None means that they are put into ``incoming/``."""
    credential: str | None = None
    glob: str = "*.csv"
    delta_glob: str | None = None
    """In a setting of mode ``full``: files of this pattern are deltas."""
    member_glob: str = "*"
    """Which members of a ZIP are read, in the order of their names."""
    format: Literal["csv", "xml"] = "csv"
    delimiter: str = ";"
    quote: str = '"'
    encoding: str = "auto"
    decimal: Literal[".", ","] = "."
    thousands: str = ""
    header: bool = True
    row_tag: str | None = None
    """The XML element that is a row."""
    trailer: str | None = None
    """How the last line begins that says how many rows there are."""
    column_map: Mapping[str, str | int] = field(default_factory=dict)
    """Field to header's name or position from 1; in XML a path below the row: ``a/b/@c``."""
    mode: Mode = "full"
    yes_qty: int = 1
    """What a quantity of ``Y`` stands for."""
    currency: str = "EUR"
    max_age: timedelta | None = None
    min_rows: int = 1
    max_drop_pct: Decimal = Decimal(30)
    max_reject_pct: Decimal = Decimal(5)
    quiet: timedelta = timedelta(seconds=2)
    """How long a file must not have grown before it is taken."""

    def wants(self, name: str) -> bool:
        """Whether a file of that name is this supplier's."""
        return fnmatchcase(name, self.glob) or self._is_delta(name)

    def mode_of(self, name: str) -> Mode:
        """How a file of that name is meant."""
        return "delta" if self._is_delta(name) else self.mode

    def _is_delta(self, name: str) -> bool:
        return self.delta_glob is not None and fnmatchcase(name, self.delta_glob)


COLUMNS = tuple(one.name for one in fields(ImportSetting))
_LOAD = f"SELECT {', '.join(COLUMNS)} FROM supplier_import_setting WHERE supplier_id = %(id)s"  # noqa: S608 - names of our own


def find_setting(connection: "psycopg.Connection[Any]", supplier: int) -> ImportSetting | None:
    """The supplier's setting, or None."""
    row = connection.execute(_LOAD, {"id": supplier}).fetchone()
    return None if row is None else ImportSetting(**dict(zip(COLUMNS, row, strict=True)))


def active_suppliers(connection: "psycopg.Connection[Any]") -> list[int]:
    """The suppliers whose setting is active, by id."""
    return [row[0] for row in connection.execute(_ACTIVE).fetchall()]


def active_setting(connection: "psycopg.Connection[Any]", supplier: int) -> ImportSetting:
    """The active setting of that supplier; `BadInput` naming the nearest where there is none."""
    from cronops.jobs.suppliers.settings_check import setting_of

    found = find_setting(connection, supplier)
    if found is None:
        raise BadInput(unknown_supplier(connection, supplier))
    if not found.active:
        raise BadInput(
            f"supplier {supplier} ({found.name}) is not active; "
            f"switch it on: cronops suppliers enable {supplier}"
        )
    _, problems = setting_of(asdict(found))
    if problems:  # another program has written it
        raise BadInput(
            f"the setting of supplier {supplier} cannot be used: {'; '.join(problems)}; "
            f"mend it: cronops suppliers set {supplier}"
        )
    return found


def unknown_supplier(connection: "psycopg.Connection[Any]", supplier: int) -> str:
    """A sentence that nobody has that id, with the nearest ids and their names."""
    known = {row[0]: row[1] for row in connection.execute(_KNOWN).fetchall()}
    if not known:
        return f"no supplier {supplier} is set up; set one up: cronops suppliers set --help"
    near = ", ".join(f"{one} ({known[one]})" for one in nearest_ids(supplier, known))
    return f"no supplier {supplier} is set up; the nearest: {near}; see: cronops suppliers list"


def nearest_ids(wanted: int, known: Iterable[int], *, most: int = 3) -> Sequence[int]:
    """Ids that look like `wanted`, then those next to it in number."""
    ids = list(known)
    alike = get_close_matches(str(wanted), map(str, ids), n=most, cutoff=0.5)
    by_distance = sorted(ids, key=lambda one: (abs(one - wanted), one))
    return list(dict.fromkeys([*map(int, alike), *by_distance]))[:most]


def as_json(column_map: Mapping[str, str | int]) -> str:
    """A column map as it is stored."""
    return json.dumps(dict(column_map), ensure_ascii=False)
