"""Which article a supplier's row is of: all rows at once, by the identifiers they have.

EAN, MPN, article number, Tyre24 id, TopM id: the first of them that some article has decides.
It is *certain* where exactly one article has it and no later identifier is another article's alone.
Else it is for a person to say: ambiguous, in conflict, or by a part number too short to mean much.
What a person has accepted holds for later files, whatever they say.
"""

from collections.abc import Sequence

from psycopg import sql

SHORT_MPN = 5
"""A part number of fewer letters matches by chance."""

_BY = """
LEFT JOIN (
    SELECT {key} AS value, min(a.id) AS id, count(*) AS hits FROM article AS a
    WHERE a.{column} <> '' {wanted} GROUP BY 1
) AS {alias} ON {alias}.value = s.{column}
"""
_WANTED = "AND {key} IN (SELECT {column} FROM supplier_row)"
_REMEMBERED = """
LEFT JOIN (
    SELECT r.sku, r.state, r.reason, r.article_id, a.id AS accepted
    FROM supplier_match_review AS r
    LEFT JOIN article AS a ON a.id = r.article_id AND r.state = 'accepted'
    WHERE r.supplier_id = {supplier}
) AS review ON review.sku = s.sku
"""
_CASE_FIRST = "WHEN {alias}.id IS NOT NULL THEN {value}"
_CASE_DOUBT = "WHEN {alias}.id IS NOT NULL THEN {doubt}"
_DOUBT = """
CASE WHEN {alias}.hits > 1 THEN {ambiguous} {conflicts} {short} END
"""
_CONFLICT = "WHEN {later}.hits = 1 AND {later}.id <> {alias}.id THEN {conflict}"

_MATCHED = """
SELECT s.sku, s.qty, s.price, s.delivery_days, {identifiers} AS identifiers,
       {candidate} AS candidate, {doubt} AS doubt, review.sku IS NOT NULL AS is_reviewed,
       review.state, review.reason, review.article_id AS proposed, review.accepted
FROM supplier_row AS s {joins}
WHERE s.qty IS NOT NULL
"""
_IDENTIFIERS = "jsonb_strip_nulls(jsonb_build_object({pairs}))"


def matched_rows(identifiers: Sequence[str], supplier: int, *, are_few: bool) -> sql.Composed:
    """A query of every staged row with its `candidate` (an article or NULL) and the `doubt`.

    Where rows `are_few`, only the articles that they may be of are looked at: a delta of some
    hundred rows need not group a shop of some hundred thousand.

    `doubt` is NULL where the candidate is certain. `accepted` is the article that a person has
    accepted, where there is one and it is still there.
    """
    aliases = {name: sql.Identifier(f"by_{name}") for name in identifiers}
    wanted = sql.SQL(_WANTED if are_few else "")
    joins = [
        sql.SQL(_BY).format(
            key=key_of(name),
            column=sql.Identifier(name),
            alias=alias,
            wanted=wanted.format(key=key_of(name), column=sql.Identifier(name)),
        )
        for name, alias in aliases.items()
    ]
    joins.append(sql.SQL(_REMEMBERED).format(supplier=sql.Literal(supplier)))
    candidate = [
        sql.SQL(_CASE_FIRST).format(alias=alias, value=sql.SQL("{}.id").format(alias))
        for alias in aliases.values()
    ]
    doubt = [
        sql.SQL(_CASE_DOUBT).format(
            alias=aliases[name], doubt=_doubt(name, identifiers[place + 1 :], aliases)
        )
        for place, name in enumerate(identifiers)
    ]
    return sql.SQL(_MATCHED).format(
        identifiers=_shown(identifiers),
        candidate=_case(candidate, "bigint"),
        doubt=_case(doubt, "text"),
        joins=sql.SQL(" ").join(joins),
    )


def key_of(identifier: str) -> sql.Composable:
    """What of an article `a` is compared with a row's identifier."""
    if identifier == "ean":
        # An EAN-8, or one that the shop keeps without its zeros, is the same number.
        return sql.SQL("lpad(a.ean, 13, '0')")
    return sql.SQL("a.{}").format(sql.Identifier(identifier))


def _doubt(name: str, later: Sequence[str], aliases: dict[str, sql.Identifier]) -> sql.Composable:
    alias = aliases[name]
    conflicts = [
        sql.SQL(_CONFLICT).format(
            later=aliases[other], alias=alias, conflict=sql.Literal(f"{name}_against_{other}")
        )
        for other in later
    ]
    short: sql.Composable = sql.SQL("")
    if name == "mpn":
        short = sql.SQL("WHEN length(s.mpn) < {} THEN 'short_mpn'").format(sql.Literal(SHORT_MPN))
    return sql.SQL(_DOUBT).format(
        alias=alias,
        ambiguous=sql.Literal(f"{name}_ambiguous"),
        conflicts=sql.SQL(" ").join(conflicts),
        short=short,
    )


def _case(branches: Sequence[sql.Composable], kind: str) -> sql.Composable:
    if not branches:
        return sql.SQL("NULL::" + kind)
    return sql.SQL("CASE {} END").format(sql.SQL(" ").join(branches))


def _shown(identifiers: Sequence[str]) -> sql.Composable:
    # Only rows in doubt show what they were matched by; for the others it is not computed.
    pairs = [
        sql.SQL("{}, s.{}").format(sql.Literal(name), sql.Identifier(name)) for name in identifiers
    ]
    return sql.SQL(_IDENTIFIERS).format(pairs=sql.SQL(", ").join(pairs))
