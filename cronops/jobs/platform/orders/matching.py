"""Finds the shop's article for each line: by number, EAN, MPN, then the platform's own id."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cronops.errors import ConfigurationError

if TYPE_CHECKING:
    import psycopg
    from psycopg import sql

    from cronops.jobs.platform.orders.model import OrderLine

_ONE_WAY = """
SELECT wanted.place, {rank} AS rank, article.id, article.is_active
FROM unnest(%(places)s::integer[], %({values})s::text[]) AS wanted (place, value)
JOIN article ON article.{column} = wanted.value
"""
_NOT_A_DIGIT = re.compile(r"\D")


@dataclass(frozen=True)
class Match:
    """What was found for a line."""

    article_id: int | None
    matched_by: str | None
    doubt: str | None
    """Why a person must look, where one must."""


def match(
    connection: "psycopg.Connection[Any]", lines: "Sequence[OrderLine]", own_column: str | None
) -> list[Match]:
    """The article of each line. Raises `ConfigurationError` where there is no shop to look in."""
    import psycopg

    if not lines:
        return []
    values = {
        "places": list(range(len(lines))),
        "article_number": [line.article_number for line in lines],
        "ean": [normal_ean(line.ean) for line in lines],
        "mpn": [line.mpn for line in lines],
        "own": [line.platform_article_id for line in lines],
    }
    try:
        rows = connection.execute(_statement(own_column), values).fetchall()
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
        raise ConfigurationError(
            "the shop's articles cannot be read, so no line of an order finds its article; set "
            "CRONOPS_DB__SHOP_SCHEMA to where they are, in the shape docs/shop.md shows"
        ) from None
    found: dict[int, dict[int, list[tuple[int, bool]]]] = {}
    for place, rank, article, is_active in rows:
        found.setdefault(place, {}).setdefault(rank, []).append((article, is_active))
    return [_judged(line, found.get(place, {})) for place, line in enumerate(lines)]


def normal_ean(text: str | None) -> str | None:
    """Thirteen digits of what may be written with blanks, as UPC, or as GTIN-14."""
    digits = _NOT_A_DIGIT.sub("", text or "")
    if len(digits) == 12:
        digits = f"0{digits}"
    if len(digits) == 14 and digits[0] == "0":
        digits = digits[1:]
    return digits or None


_WAYS = ("article number", "EAN", "MPN", "platform's id")


def _judged(line: "OrderLine", found: dict[int, list[tuple[int, bool]]]) -> Match:
    for rank in sorted(found):
        articles = found[rank]
        if len(articles) == 1:
            article, is_active = articles[0]
            doubt = None if is_active else f"line {line.position}: its article is not active"
            return Match(article, _WAYS[rank], doubt)
    if found:
        ways = " and ".join(_WAYS[rank] for rank in sorted(found))
        return Match(None, None, f"line {line.position}: its {ways} fits several articles")
    named = ", ".join(
        f"{way} {value}"
        for way, value in zip(
            _WAYS,
            (line.article_number, line.ean, line.mpn, line.platform_article_id),
            strict=True,
        )
        if value
    )
    return Match(None, None, f"line {line.position}: no article has {named or 'an empty name'}")


@lru_cache
def _statement(own_column: str | None) -> "sql.Composed":
    from psycopg import sql

    ways = [("article_number", "article_number"), ("ean", "ean"), ("mpn", "mpn")]
    if own_column is not None:
        ways.append(("own", own_column))
    return sql.SQL(" UNION ALL ").join(
        sql.SQL(_ONE_WAY).format(
            rank=sql.Literal(rank), values=sql.SQL(values), column=sql.Identifier(column)
        )
        for rank, (values, column) in enumerate(ways)
    )
