"""What operators change and look at: settings, matches in doubt, the history of files."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from cronops.db.audit import write_audit
from cronops.errors import UsageError
from cronops.jobs.suppliers.setting import COLUMNS, ImportSetting

if TYPE_CHECKING:
    import psycopg

_SAVE = f"""
INSERT INTO supplier_import_setting ({", ".join(COLUMNS)})
VALUES ({", ".join(f"%({name})s" for name in COLUMNS)})
ON CONFLICT (supplier_id) DO UPDATE SET updated_at = now(),
    {", ".join(f"{name} = excluded.{name}" for name in COLUMNS[1:])}
"""  # noqa: S608 - names of our own
_SWITCH = """
UPDATE supplier_import_setting SET active = %(active)s, updated_at = now()
WHERE supplier_id = %(supplier)s AND active <> %(active)s
"""
_LIST = """
SELECT s.supplier_id, s.name, s.active, s.mode, s.format, s.source, s.glob, s.max_age,
       file.finished_at AS last_import, file.name AS last_file,
       (SELECT count(*) FROM supplier_match_review AS r
        WHERE r.supplier_id = s.supplier_id AND r.state = 'open') AS in_review
FROM supplier_import_setting AS s
LEFT JOIN LATERAL (
    SELECT f.finished_at, f.name FROM import_file AS f
    WHERE f.supplier_id = s.supplier_id AND f.result = 'imported'
    ORDER BY f.finished_at DESC LIMIT 1
) AS file ON true
ORDER BY s.supplier_id
"""
_STOCK = """
SELECT count(*) AS skus, count(*) FILTER (WHERE qty > 0) AS in_stock,
       count(*) FILTER (WHERE article_id IS NULL) AS unmatched, max(updated_at) AS last_change
FROM supplier_stock WHERE supplier_id = %(supplier)s
"""
_FILES = """
SELECT id, supplier_id, name, result, mode, finished_at, modified_at, size, counts, reason, sha256,
       kept_as, run_id
FROM import_file WHERE %(supplier)s::integer IS NULL OR supplier_id = %(supplier)s
ORDER BY finished_at DESC, id DESC LIMIT %(limit)s
"""
_REVIEWS = """
SELECT supplier_id, sku, state, reason, article_id, candidates, identifiers, found_at, decided_at,
       decided_by
FROM supplier_match_review
WHERE (%(supplier)s::integer IS NULL OR supplier_id = %(supplier)s) AND state = %(state)s
ORDER BY found_at, supplier_id, sku LIMIT %(limit)s
"""
_REVIEW = """
SELECT state, article_id, candidates FROM supplier_match_review
WHERE supplier_id = %(supplier)s AND sku = %(sku)s FOR UPDATE
"""
_SKUS = """
SELECT sku FROM supplier_match_review WHERE supplier_id = %(supplier)s ORDER BY sku LIMIT 10000
"""
_DECIDE = """
UPDATE supplier_match_review SET state = %(state)s, article_id = %(article)s,
    decided_at = now(), decided_by = %(actor)s
WHERE supplier_id = %(supplier)s AND sku = %(sku)s
"""
_LINK = """
UPDATE supplier_stock SET article_id = %(article)s, updated_at = now()
WHERE supplier_id = %(supplier)s AND sku = %(sku)s AND article_id IS DISTINCT FROM %(article)s
"""
_ARTICLE_EXISTS = "SELECT EXISTS (SELECT FROM article WHERE id = %(article)s)"


def save_setting(
    connection: "psycopg.Connection[Any]",
    setting: ImportSetting,
    changed: Mapping[str, Any],
    *,
    actor: str,
    reason: str | None,
) -> None:
    """Write the setting, and what was changed (as JSON takes it) to the audit trail."""
    from psycopg.types.json import Jsonb

    values = asdict(setting) | {"column_map": Jsonb(dict(setting.column_map))}
    with connection.transaction():
        connection.execute(_SAVE, values)
        write_audit(
            connection,
            actor=actor,
            action="suppliers set",
            subject=str(setting.supplier_id),
            reason=reason,
            details=changed,
        )


def switch(
    connection: "psycopg.Connection[Any]",
    supplier: int,
    *,
    active: bool,
    actor: str,
    reason: str | None,
) -> bool:
    """Switch a supplier's imports on or off; whether that was a change."""
    with connection.transaction():
        values = {"active": active, "supplier": supplier}
        changed = connection.execute(_SWITCH, values).rowcount > 0
        if changed:
            write_audit(
                connection,
                actor=actor,
                action=f"suppliers {'enable' if active else 'disable'}",
                subject=str(supplier),
                reason=reason,
            )
    return changed


def list_suppliers(connection: "psycopg.Connection[Any]") -> list[dict[str, Any]]:
    """Every setting, with its last import and how many matches wait for a person."""
    return _rows(connection, _LIST, {})


def stock_of(connection: "psycopg.Connection[Any]", supplier: int) -> dict[str, Any]:
    """How much the supplier has, and how much of it is of no article."""
    (row,) = _rows(connection, _STOCK, {"supplier": supplier})
    return row


def list_files(
    connection: "psycopg.Connection[Any]", supplier: int | None, *, limit: int
) -> list[dict[str, Any]]:
    """The files that were dealt with, the newest first."""
    return _rows(connection, _FILES, {"supplier": supplier, "limit": limit})


def list_reviews(
    connection: "psycopg.Connection[Any]", supplier: int | None, *, state: str, limit: int
) -> list[dict[str, Any]]:
    """Matches in doubt, or decided, the oldest first."""
    return _rows(connection, _REVIEWS, {"supplier": supplier, "state": state, "limit": limit})


def known_skus(connection: "psycopg.Connection[Any]", supplier: int) -> Sequence[str]:
    """The SKUs of the supplier that were ever in doubt."""
    return [row[0] for row in connection.execute(_SKUS, {"supplier": supplier}).fetchall()]


def decide(
    connection: "psycopg.Connection[Any]",
    supplier: int,
    sku: str,
    *,
    article: int | None,
    is_accepted: bool,
    actor: str,
    reason: str | None,
) -> int | None:
    """Accept a match, of the proposed article or of `article`, or reject it; the article.

    Stock follows at once, and later imports keep to it. Raises `LookupError` where that SKU was
    never in doubt, `UsageError` where it is not clear which article is meant, or there is none.
    """
    values: dict[str, Any] = {"supplier": supplier, "sku": sku, "actor": actor}
    with connection.transaction():
        row = connection.execute(_REVIEW, values).fetchone()
        if row is None:
            raise LookupError(sku)
        state, proposed, candidates = row
        chosen = proposed
        if is_accepted:
            chosen = _chosen(connection, article, proposed, candidates)
        values |= {"article": chosen, "state": "accepted" if is_accepted else "rejected"}
        connection.execute(_DECIDE, values)
        if is_accepted or state == "accepted":
            connection.execute(_LINK, values | {"article": chosen if is_accepted else None})
        write_audit(
            connection,
            actor=actor,
            action=f"suppliers review {'accept' if is_accepted else 'reject'}",
            subject=f"{supplier} {sku}",
            reason=reason,
            details={"article_id": chosen},
        )
    return chosen if is_accepted else None


def _chosen(
    connection: "psycopg.Connection[Any]",
    article: int | None,
    proposed: int | None,
    candidates: Sequence[int],
) -> int:
    if article is None and len(candidates) > 1:
        shown = ", ".join(map(str, candidates))
        raise UsageError(f"it may be one of several articles: name one by --article: {shown}")
    chosen = proposed if article is None else article
    row = connection.execute(_ARTICLE_EXISTS, {"article": chosen}).fetchone()
    if chosen is None or row is None or not row[0]:
        raise UsageError(f"the shop has no article with the id {chosen}")
    return int(chosen)


def _rows(
    connection: "psycopg.Connection[Any]", query: str, values: Mapping[str, Any]
) -> list[dict[str, Any]]:
    from psycopg.rows import dict_row

    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, values).fetchall()
