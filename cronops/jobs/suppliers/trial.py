"""Reads a file as an import would, and changes nothing."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from cronops.errors import BadInput
from cronops.jobs.suppliers.content import read_content
from cronops.jobs.suppliers.merge import merge, stage
from cronops.jobs.suppliers.setting import ImportSetting
from cronops.jobs.suppliers.tally import Tally

if TYPE_CHECKING:
    import psycopg

_FIRST_ROWS = """
SELECT sku, qty, price, delivery_days, ean, mpn, article_number, tyre24_id, topm_id
FROM supplier_row WHERE qty IS NOT NULL ORDER BY ctid LIMIT 10
"""


def try_file(
    connection: "psycopg.Connection[Any]", setting: ImportSetting, path: Path
) -> dict[str, Any]:
    """First rows, what would be rejected and why, what would change; `refused` says why not."""
    import psycopg
    from psycopg.rows import dict_row

    tally = Tally()
    found: dict[str, Any] = {"refused": None, "first_rows": []}
    with connection.transaction():
        try:
            with read_content(path, setting, tally) as content:
                stage(connection, content.order, content.lines)
            with connection.cursor(row_factory=dict_row) as cursor:
                found["first_rows"] = cursor.execute(_FIRST_ROWS).fetchall()
            merged = merge(
                connection,
                setting,
                tally,
                content.order,
                may_repeat=content.may_repeat,
                is_full=setting.mode_of(path.name) == "full",
                step=lambda _: None,
            )
            found |= {
                "rows": merged.rows,
                "new": merged.new,
                "changed": merged.changed,
                "zeroed": merged.zeroed,
                "review": merged.review,
                "repeated": merged.repeated,
                "unmatched": merged.unmatched,
            }
        except BadInput as error:
            found["refused"] = str(error)
        raise psycopg.Rollback
    found["rejected"] = dict(tally.rejected.most_common())
    found["noted"] = dict(tally.noted.most_common())
    found["rejects"] = [
        {"line": line, "reason": reason, "raw": raw} for line, reason, raw in tally.examples
    ]
    return found
