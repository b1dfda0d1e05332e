"""From the staging table into `supplier_stock`: one merge that writes only what differs.

Everything here happens in the one transaction of a file, which the caller ends: with the fence
and COMMIT, or, where a guard refuses the file or it was only a trial, with ROLLBACK.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg import sql

from cronops.errors import BadInput
from cronops.jobs.suppliers.matching import key_of, matched_rows
from cronops.jobs.suppliers.setting import IDENTIFIERS, ImportSetting
from cronops.jobs.suppliers.tally import Tally

if TYPE_CHECKING:
    import psycopg

# Hashes and sorts of a million rows want room; it is given back with the transaction.
_ROOM = "SET LOCAL work_mem = '128MB'"
# Temporary tables live in memory of the session, which is 8 MB otherwise.
_ROOM_FOR_TABLES = "SET LOCAL temp_buffers = '128MB'"
# Up to so many rows, matching looks up their articles; beyond, it groups all articles.
_FEW = 50_000
_STAGE = """
CREATE TEMPORARY TABLE supplier_row (
    sku text NOT NULL, qty integer, price numeric(12,4), delivery_days smallint,
    ean text, mpn text, article_number text, tyre24_id text, topm_id text
) ON COMMIT DROP
"""
_COPY = "COPY supplier_row ({columns}) FROM STDIN (FORMAT text, NULL '')"
# What was read later stands further on: COPY fills an empty table in order.
_DROP_REPEATED = """
DELETE FROM supplier_row AS s USING (
    SELECT sku, max(ctid) AS last FROM supplier_row WHERE qty IS NOT NULL
    GROUP BY sku HAVING count(*) > 1
) AS repeated
WHERE s.sku = repeated.sku AND s.qty IS NOT NULL AND s.ctid < repeated.last
"""
_CHANGES = """
CREATE TEMPORARY TABLE supplier_change ON COMMIT DROP AS
SELECT m.sku, m.qty, {price} AS price, {delivery_days} AS delivery_days, {article} AS article_id,
       t.qty AS old_qty, t.sku IS NULL AS is_new, {differs} AS differs,
       CASE WHEN {to_review} THEN m.doubt END AS doubt,
       CASE WHEN {to_review} THEN m.candidate END AS candidate,
       CASE WHEN {to_review} THEN m.identifiers END AS identifiers
FROM ({matched}) AS m
LEFT JOIN supplier_stock AS t ON t.supplier_id = {supplier} AND t.sku = m.sku
WHERE t.sku IS NULL OR {differs} OR {to_review}
"""
# One is open already, or was rejected, for the same reason and article: nothing new to say.
_TO_REVIEW = """(m.doubt IS NOT NULL AND m.state IS DISTINCT FROM 'accepted'
    AND (NOT m.is_reviewed OR (m.reason, m.proposed) IS DISTINCT FROM (m.doubt, m.candidate)))"""
_ABSENT = """
CREATE TEMPORARY TABLE supplier_absent ON COMMIT DROP AS
SELECT t.sku FROM supplier_stock AS t
WHERE t.supplier_id = %(supplier)s AND t.qty > 0
    AND NOT EXISTS (SELECT FROM supplier_row AS s WHERE s.sku = t.sku)
"""
_FALLEN = "SELECT count(*) FROM supplier_change WHERE qty = 0 AND old_qty > 0"
_IN_STOCK = "SELECT count(*) FROM supplier_stock WHERE supplier_id = %(supplier)s AND qty > 0"
_UPDATE = """
UPDATE supplier_stock AS t SET qty = c.qty, price = c.price, delivery_days = c.delivery_days,
    article_id = c.article_id, updated_at = now()
FROM supplier_change AS c
WHERE t.supplier_id = %(supplier)s AND t.sku = c.sku AND c.differs AND NOT c.is_new
"""
_INSERT = """
INSERT INTO supplier_stock (supplier_id, sku, article_id, qty, price, delivery_days)
SELECT %(supplier)s, sku, article_id, qty, price, delivery_days FROM supplier_change WHERE is_new
ORDER BY sku
"""
_ZERO = """
UPDATE supplier_stock AS t SET qty = 0, updated_at = now() FROM supplier_absent AS a
WHERE t.supplier_id = %(supplier)s AND t.sku = a.sku
"""
_REVIEW = """
INSERT INTO supplier_match_review AS r
    (supplier_id, sku, reason, article_id, candidates, identifiers)
SELECT %(supplier)s, c.sku, c.doubt, c.candidate, coalesce(found.ids, ARRAY[]::bigint[]),
       c.identifiers
FROM supplier_change AS c
LEFT JOIN (
    SELECT sku, (array_agg(DISTINCT id ORDER BY id))[1:20] AS ids FROM ({hits}) AS hit GROUP BY sku
) AS found ON found.sku = c.sku
WHERE c.doubt IS NOT NULL
ON CONFLICT (supplier_id, sku) DO UPDATE SET state = 'open', reason = excluded.reason,
    article_id = excluded.article_id, candidates = excluded.candidates,
    identifiers = excluded.identifiers, found_at = now(), decided_at = NULL, decided_by = NULL
"""
_HITS = """
SELECT d.sku, a.id FROM supplier_change AS d
JOIN article AS a ON {key} = d.identifiers ->> {name}
WHERE d.doubt IS NOT NULL
"""
_UNMATCHED = """
SELECT count(*) FROM supplier_stock WHERE supplier_id = %(supplier)s AND article_id IS NULL
"""


@dataclass(frozen=True)
class Merged:
    """What one file did, or would do."""

    rows: int
    """Rows taken, each SKU once."""
    repeated: int
    new: int
    changed: int
    zeroed: int
    review: int
    """Matches that a person is newly asked about."""
    unmatched: int
    """What the supplier has in all that is of no article of ours."""


def stage(
    connection: "psycopg.Connection[Any]", order: Sequence[str], lines: Iterable[str]
) -> None:
    """Fill the staging table; `order` names the fields of each line."""
    connection.execute(_ROOM)
    connection.execute(_ROOM_FOR_TABLES)
    connection.execute(_STAGE)
    copy_in = sql.SQL(_COPY).format(columns=sql.SQL(", ").join(map(sql.Identifier, order)))
    with connection.cursor() as cursor, cursor.copy(copy_in) as copy:
        for block in lines:
            if block:
                copy.write(block)


def merge(
    connection: "psycopg.Connection[Any]",
    setting: ImportSetting,
    tally: Tally,
    order: Sequence[str],
    *,
    may_repeat: bool,
    is_full: bool,
    step: Callable[[str], None],
) -> Merged:
    """Match, guard and merge what is staged. Raises `BadInput` where a guard refuses the file.

    `may_repeat` is False where it is known that no SKU was staged twice: looking for them costs
    a tenth of the whole.
    """
    values = {"supplier": setting.supplier_id}
    check_shares(setting, tally)
    repeated = connection.execute(_DROP_REPEATED).rowcount if may_repeat else 0
    rows = tally.taken - repeated
    if rows < setting.min_rows:
        raise BadInput(
            f"{rows:,} rows, and at least {setting.min_rows:,} are expected (min_rows): "
            "nothing was changed"
        )
    connection.execute("ANALYZE supplier_row")
    step("match")
    identifiers = [name for name in IDENTIFIERS if name in order]
    are_few = tally.taken < _FEW
    connection.execute(_changes(setting.supplier_id, order, identifiers, are_few=are_few))
    connection.execute("ANALYZE supplier_change")
    if is_full:
        _guard_drop(connection, setting, connection.execute(_ABSENT, values).rowcount)
    step("merge")
    changed = connection.execute(_UPDATE, values).rowcount
    new = connection.execute(_INSERT, values).rowcount
    zeroed = connection.execute(_ZERO, values).rowcount if is_full else 0
    review = connection.execute(_review(identifiers), values).rowcount if identifiers else 0
    return Merged(
        rows=rows,
        repeated=repeated,
        new=new,
        changed=changed,
        zeroed=zeroed,
        review=review,
        unmatched=_number(connection, _UNMATCHED, values),
    )


def check_shares(setting: ImportSetting, tally: Tally) -> None:
    """Raise `BadInput` where more rows were rejected than the setting allows."""
    if tally.rejected_pct > setting.max_reject_pct:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in tally.rejected.most_common())
        raise BadInput(
            f"{tally.rejected.total():,} of {tally.rows:,} rows were rejected, "
            f"{tally.rejected_pct:.1f} % where {float(setting.max_reject_pct):g} % are allowed "
            f"(max_reject_pct): {reasons}; nothing was changed"
        )


def _guard_drop(connection: "psycopg.Connection[Any]", setting: ImportSetting, absent: int) -> None:
    fallen = absent + _number(connection, _FALLEN, {})
    if not fallen:
        return
    in_stock = _number(connection, _IN_STOCK, {"supplier": setting.supplier_id})
    share = 100 * fallen / in_stock
    if share > setting.max_drop_pct:
        raise BadInput(
            f"{fallen:,} of {in_stock:,} SKUs in stock would fall to 0, {share:.1f} % where "
            f"{float(setting.max_drop_pct):g} % are allowed (max_drop_pct): nothing was changed"
        )


def _changes(
    supplier: int, order: Sequence[str], identifiers: Sequence[str], *, are_few: bool
) -> sql.Composed:
    """The narrowing: of all rows, those that are new, differ, or raise a question.

    A field that the file does not have keeps its value.
    """
    accepted = sql.SQL("WHEN m.accepted IS NOT NULL THEN m.accepted")
    by_identifier = sql.SQL("WHEN m.doubt IS NULL THEN m.candidate")
    kept = sql.SQL("ELSE t.article_id")
    article = sql.SQL("CASE {} {} END").format(accepted, by_identifier if identifiers else kept)
    new = {
        "qty": sql.SQL("m.qty"),
        "price": sql.SQL("m.price" if "price" in order else "t.price"),
        "delivery_days": sql.SQL(
            "m.delivery_days" if "delivery_days" in order else "t.delivery_days"
        ),
        "article_id": article,
    }
    compared = [
        sql.SQL("t.{} IS DISTINCT FROM {}").format(sql.Identifier(name), value)
        for name, value in new.items()
    ]
    return sql.SQL(_CHANGES).format(
        price=new["price"],
        delivery_days=new["delivery_days"],
        article=article,
        differs=sql.SQL("({})").format(sql.SQL(" OR ").join(compared)),
        to_review=sql.SQL(_TO_REVIEW),
        matched=matched_rows(identifiers, supplier, are_few=are_few),
        supplier=sql.Literal(supplier),
    )


def _review(identifiers: Sequence[str]) -> sql.Composed:
    hits = [sql.SQL(_HITS).format(key=key_of(name), name=sql.Literal(name)) for name in identifiers]
    return sql.SQL(_REVIEW).format(hits=sql.SQL(" UNION ALL ").join(hits))


def _number(connection: "psycopg.Connection[Any]", query: str, values: dict[str, Any]) -> int:
    row = connection.execute(query, values).fetchone()
    return int(row[0]) if row else 0
