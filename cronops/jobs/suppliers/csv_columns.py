"""Which column of a supplier's CSV file holds what."""

from collections.abc import Sequence
from difflib import get_close_matches

from cronops.errors import BadInput
from cronops.jobs.suppliers.setting import FIELDS, REQUIRED, ImportSetting


def columns_of(
    name: str, setting: ImportSetting, width: int, header: Sequence[str] | None
) -> list[str | None]:
    """What each of `width` columns holds, None for what nobody asks for.

    `name` is the file's, or ``zip/member``. Raises `BadInput` where a mapped column is missing;
    a delta need not have more than SKU and quantity.
    """
    columns: list[str | None] = [None] * width
    folded = [cell.casefold() for cell in header or ()]
    # Of a member of a ZIP, the ZIP's name says how it is meant.
    is_delta = setting.mode_of(name.partition("/")[0]) == "delta"
    for field in FIELDS:
        wanted = setting.column_map.get(field)
        if wanted is None:
            continue
        place = _place(wanted, folded, width)
        if place is None:
            if is_delta and field not in REQUIRED:
                continue
            raise BadInput(f"{name}{_lacks(field, wanted, width, header)}")
        if columns[place] is not None:
            raise BadInput(f"{name}: column {place + 1} is both {columns[place]} and {field}")
        columns[place] = field
    return columns


def _place(wanted: str | int, folded: Sequence[str], width: int) -> int | None:
    if isinstance(wanted, int):
        return wanted - 1 if wanted <= width else None
    name = wanted.strip().casefold()
    return folded.index(name) if name in folded else None


def _lacks(field: str, wanted: str | int, width: int, header: Sequence[str] | None) -> str:
    if header is None or isinstance(wanted, int):
        return f" has {width} columns, and no column {wanted} for {field}"
    near = get_close_matches(wanted, header, n=1)
    hint = f" (is it {near[0]!r} now?)" if near else ""
    shown = ", ".join(repr(cell[:100]) for cell in header[:20])
    return f": the header lacks {wanted!r} for {field}{hint}; it has {shown}"
