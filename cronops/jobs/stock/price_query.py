"""The prices of all articles of an export in one statement, as `pricing` makes them one by one.

The order in which rules are tried does not depend on the article, so each rule has a rank. Rules
that name the same criteria are looked up by one hash join; of what the joins find, the least rank
wins. So the work grows with the kinds of rule in use, not with their number: ten thousand rules
cost what ten do.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from cronops.jobs.stock.pricing import CRITERIA, Terms

if TYPE_CHECKING:
    import psycopg
    from psycopg.sql import Composable, Composed

_KEYS = ("article_number", "supplier_id", *CRITERIA)
"""What a rule is looked up by."""

_OF_ARTICLE = {
    "article_number": "a.article_number",
    "supplier_id": "o.supplier_id",
    "category": "a.category",
    "brand": "a.brand",
    "product_type": "a.type",
    "wheel_diameter": "a.wheel_diameter",
    "tyre_size": "a.tyre_size",
}

PLANNER = (
    "SET LOCAL jit = off",
    # A join over all articles: where the tables have not been analysed yet, the planner takes
    # them for small, and other joins take minutes.
    "SET LOCAL enable_nestloop = off",
    "SET LOCAL enable_mergejoin = off",
    "SET LOCAL work_mem = '64MB'",
)
"""Before the statement, in its transaction."""

_APPLICABLE = """
    active
    AND (valid_from IS NULL OR valid_from <= {today})
    AND (valid_until IS NULL OR valid_until >= {today})
    AND (customer_id IS NULL OR customer_id = {customer})
    AND (supplier_id IS NULL OR supplier_id = coalesce({supplier}, supplier_id))
"""
_KINDS = "SELECT DISTINCT {named} FROM margin_rule WHERE {applicable}"

_RULES = """
rules AS MATERIALIZED (
    SELECT row_number() OVER (ORDER BY
            article_number IS NULL,
            num_nonnulls({criteria}) DESC,
            priority DESC,
            customer_id IS NULL,
            supplier_id IS NULL,
            {unnamed},
            id
        ) AS rank, *
    FROM margin_rule WHERE {applicable}
)"""
_OFFER = """
offer AS (
    SELECT DISTINCT ON (article_id) *
    FROM (
        SELECT article_id, supplier_id, sku, qty,
            CASE WHEN price > 0 AND price < 'NaN' THEN price END AS price,
            delivery_days, updated_at
        FROM supplier_stock
        WHERE article_id IS NOT NULL AND supplier_id = coalesce({supplier}, supplier_id)
    ) AS offered
    ORDER BY article_id, price IS NULL, qty <= 0, price, supplier_id, sku COLLATE "C"
)"""
_KIND_JOIN = """
    LEFT JOIN (
        SELECT {keys}, min(rank) AS rank FROM rules WHERE {named} GROUP BY {keys}
    ) AS {kind} ON {matches}"""
_GENERAL = "(SELECT min(rank) FROM rules WHERE {named})"
# OFFSET 0 keeps what is computed below it from being computed anew wherever it is named above:
# a quarter of the work.
_PRICED = """
priced AS MATERIALIZED (
    SELECT {names}, purchase_price, price, raised, rule_id, CASE
            WHEN is_active IS NOT TRUE THEN 'inactive'
            WHEN price IS NULL THEN 'missing_price'
            WHEN {require_ean} AND coalesce(ean, '') = '' THEN 'missing_ean'
            WHEN price <= 0 THEN 'not_positive'
        END AS left_out
    FROM (
        SELECT *, round(
                CASE WHEN raised THEN purchase_price + {surcharge} ELSE exact END, 2
            ) AS price
        FROM (
            SELECT *, exact < purchase_price AND NOT {allow_below} AS raised
            FROM (
                SELECT matched.*, rules.id AS rule_id,
                    purchase_price + {surcharge} + CASE rules.kind
                        WHEN 'percent' THEN purchase_price * rules.value * 0.01
                        WHEN 'amount' THEN rules.value
                        ELSE 0
                    END AS exact
                FROM (
                    SELECT {fields}, coalesce(o.price, {base_price}) AS purchase_price,
                        {rank} AS rank
                    FROM offer AS o JOIN article AS a ON a.id = o.article_id {joins}
                ) AS matched
                LEFT JOIN rules ON rules.rank = matched.rank
                OFFSET 0
            ) AS added
        ) AS compared
        OFFSET 0
    ) AS rounded
    ORDER BY article_number COLLATE "C"
)"""
_BASE_PRICE = "CASE WHEN a.base_price > 0 AND a.base_price < 'NaN' THEN a.base_price END"

FIELDS = {
    "article_number": "a.article_number",
    "type": "a.type",
    "ean": "a.ean",
    "mpn": "a.mpn",
    "tyre24_id": "a.tyre24_id",
    "topm_id": "a.topm_id",
    "brand": "a.brand",
    "category": "a.category",
    "wheel_diameter": "a.wheel_diameter",
    "tyre_size": "a.tyre_size",
    "base_price": "a.base_price",
    "weight": "a.weight",
    "is_active": "a.is_active",
    "supplier_id": "o.supplier_id",
    "sku": "o.sku",
    "qty": "greatest(o.qty, 0)",
    "delivery_days": "o.delivery_days",
    "updated_at": "o.updated_at",
}
"""What ``priced`` offers beside prices, and where each comes from."""
_NEEDED = ("article_number", "ean", "is_active", "qty")


Kind = tuple[str, ...]
"""Keys that a rule names."""


def price_query(
    connection: "psycopg.Connection[Any]", terms: Terms, fields: Iterable[str], *, today: date
) -> "Composed":
    """The beginning of a statement: ``WITH …, priced AS (…)``.

    ``priced`` has a row for each article that somebody offers, in the order of article numbers:
    the fields asked for, ``purchase_price``, ``price``, ``raised``, ``rule_id``, and ``left_out``,
    which says why it is not exported, or NULL. `fields` are names of `FIELDS`.

    Call it in the transaction in which the statement will run: it asks which kinds of rule are in
    use, and that must be true for both.
    """
    from psycopg import sql

    supplier = _whole(terms.supplier_id)
    applicable = sql.SQL(_APPLICABLE).format(
        today=sql.Literal(today), customer=_whole(terms.customer_id), supplier=supplier
    )
    joins, rank = _joins(_kinds_in_use(connection, applicable))
    rules = sql.SQL(_RULES).format(
        criteria=sql.SQL(", ").join(map(sql.Identifier, CRITERIA)),
        unnamed=sql.SQL(", ").join(
            sql.SQL("{} IS NULL").format(sql.Identifier(name)) for name in CRITERIA
        ),
        applicable=applicable,
    )
    wanted = [name for name in FIELDS if name in {*fields, *_NEEDED}]
    priced = sql.SQL(_PRICED).format(
        names=sql.SQL(", ").join(map(sql.Identifier, wanted)),
        fields=sql.SQL(", ").join(
            sql.SQL("{} AS {}").format(sql.SQL(FIELDS[name]), sql.Identifier(name))
            for name in wanted
        ),
        base_price=sql.SQL(_BASE_PRICE if terms.use_base_price else "NULL"),
        rank=rank,
        joins=joins,
        surcharge=sql.SQL("{}::numeric").format(sql.Literal(terms.surcharge)),
        allow_below=sql.Literal(terms.allow_below_purchase),
        require_ean=sql.Literal(terms.require_ean),
    )
    offer = sql.SQL(_OFFER).format(supplier=supplier)
    return sql.SQL("WITH ") + sql.SQL(",").join((rules, offer, priced))


def _kinds_in_use(
    connection: "psycopg.Connection[Any]", applicable: "Composable"
) -> Sequence[Kind]:
    """Which keys rules name together; an empty one is that of a rule for everything."""
    from psycopg import sql

    named = sql.SQL(", ").join(
        sql.SQL("{} IS NOT NULL").format(sql.Identifier(key)) for key in _KEYS
    )
    rows = connection.execute(sql.SQL(_KINDS).format(named=named, applicable=applicable)).fetchall()
    return sorted(
        tuple(key for key, is_named in zip(_KEYS, row, strict=True) if is_named) for row in rows
    )


def _joins(kinds: Sequence[Kind]) -> "tuple[Composable, Composable]":
    """The joins that look rules up, and the least rank that they find."""
    from psycopg import sql

    joins, ranks = [], []
    for number, kind in enumerate(kinds):
        named = sql.SQL(" AND ").join(
            sql.SQL("{} IS NOT NULL" if key in kind else "{} IS NULL").format(sql.Identifier(key))
            for key in _KEYS
        )
        if not kind:
            ranks.append(sql.SQL(_GENERAL).format(named=named))
            continue
        name = sql.Identifier(f"kind_{number}")
        matches = sql.SQL(" AND ").join(
            sql.SQL("{}.{} = {}").format(name, sql.Identifier(key), sql.SQL(_OF_ARTICLE[key]))
            for key in kind
        )
        keys = sql.SQL(", ").join(map(sql.Identifier, kind))
        joins.append(sql.SQL(_KIND_JOIN).format(keys=keys, named=named, kind=name, matches=matches))
        ranks.append(sql.SQL("{}.rank").format(name))
    least = sql.SQL("least({})").format(sql.SQL(", ").join(ranks))
    return sql.Composed(joins), least if ranks else sql.SQL("NULL::bigint")


def _whole(number: int | None) -> "Composable":
    """As an integer in the statement, NULL included."""
    from psycopg import sql

    return sql.SQL("{}::integer").format(sql.Literal(number))
