"""``cronops stock price``: how a price came about."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cronops.cli.names import nearest
from cronops.cli.output import Column, print_line, show_json, show_record, show_table
from cronops.cli.session import Json, session
from cronops.cli.stock.rules import margin_of, names_of
from cronops.cli.tree import examples, operator_app
from cronops.errors import BadInput

if TYPE_CHECKING:
    from cronops.jobs.stock.explanation import Explanation

app = operator_app()

_SHOWN = 5
_COLUMNS = (
    Column("id", "rule"),
    Column("for", shrinks=True),
    Column("margin"),
    Column("verdict"),
)
_LEFT_OUT = {
    "inactive": "it is not active",
    "missing_price": "nobody says a purchase price",
    "missing_ean": "it has no EAN, and the export requires one",
    "not_positive": "it would cost nothing, or less",
}


@app.command(
    epilog=examples(
        "cronops stock price A0000017 --export 7", "cronops stock price A0000017 --json"
    )
)
def price(
    article: Annotated[str, typer.Argument(metavar="ARTICLE", help="An article number.")],
    export: Annotated[
        int | None,
        typer.Option(
            "--export", metavar="ID", help="As this export prices it.", show_default=False
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Explain an article's price: which offer, which margin rule, and why that one.

    Without an export: of all suppliers, for no customer in particular, without a surcharge.
    """
    from cronops.db.shop import check_shop
    from cronops.jobs.stock.explanation import explain, similar_articles
    from cronops.jobs.stock.pricing import Terms
    from cronops.jobs.stock.setting import load_settings
    from cronops.jobs.stock.upkeep import find_export

    with session("stock price") as at:
        check_shop(at.connection, at.settings)
        terms = Terms()
        if export is not None:
            terms = find_export(load_settings(at.connection), export).terms
        found = explain(at.connection, article, terms, zone=at.settings.stock.zone)
        if found is None:
            known = similar_articles(at.connection, article)
            raise BadInput(f"there is no article {article!r}{nearest(article, known)}")
    if as_json:
        show_json(_as_json(found, export))
    else:
        _show(found, export)


def _show(found: "Explanation", export: int | None) -> None:
    priced, article = found.priced, found.article
    described = [article.product_type, article.brand, article.category, article.tyre_size]
    record: dict[str, Any] = {
        "article": f"{article.article_number} ({', '.join(one for one in described if one)})"
    }
    if export is not None:
        record["export"] = export
    if priced is None:
        show_record({**record, "price": "none: nobody offers it"}, as_json=False)
        return
    offer = priced.offer
    record["offer"] = (
        f"supplier {offer.supplier_id}, sku {offer.sku}, {offer.qty} in stock; the best of "
        f"{found.offers}"
    )
    if priced.purchase is not None:
        record["purchase price"] = f"{priced.purchase} EUR"
        record["margin"] = "0, as no rule applies"
        if priced.rule:
            record["margin"] = (
                f"{priced.margin.normalize():+f} EUR, by rule {priced.rule.id}: "
                f"{margin_of(priced.rule)} on {names_of(priced.rule)}"
            )
        if priced.raised:
            record["margin"] += "; left out, as it would sell below the purchase price"
        record["surcharge"] = f"{found.surcharge} EUR"
    record["price"] = f"{priced.price} EUR" if priced.price is not None else "none"
    if priced.left_out:
        record["price"] += f"; not exported: {_LEFT_OUT[priced.left_out]}"
    show_record(record, as_json=False)
    rows = _rules(found)
    if rows:
        print_line("")
        show_table(rows[:_SHOWN], _COLUMNS, as_json=False, empty="")
    later = len(rows[_SHOWN:])
    print_line("")
    if later:
        print_line(f"{later} more apply, and come later.")
    print_line(f"{found.others} do not apply.")


def _rules(found: "Explanation") -> list[dict[str, Any]]:
    from cronops.jobs.stock.explanation import why_later

    first = found.applicable[0] if found.applicable else None
    return [
        {
            "id": rule.id,
            "for": names_of(rule),
            "margin": margin_of(rule),
            "verdict": "wins" if rule is first else why_later(rule, first) if first else "",
        }
        for rule in found.applicable
    ]


def _as_json(found: "Explanation", export: int | None) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "article": asdict(found.article),
        "export": export,
        "surcharge": found.surcharge,
        "offers": found.offers,
        "priced": None if found.priced is None else asdict(found.priced),
        "applicable": [
            {**asdict(rule), "verdict": row["verdict"]}
            for rule, row in zip(found.applicable, _rules(found), strict=True)
        ],
        "others": found.others,
    }
