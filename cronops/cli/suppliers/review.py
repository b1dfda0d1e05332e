"""``cronops suppliers review list``, ``accept`` and ``reject``."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cronops.cli.names import nearest
from cronops.cli.output import Column, print_line, show_json, show_table
from cronops.cli.session import Json, Limit, MaybeReason, session
from cronops.cli.suppliers.selection import MaybeSupplier, known_setting
from cronops.cli.tree import examples, operator_app
from cronops.errors import UsageError

if TYPE_CHECKING:
    from cronops.cli.session import Session

app = operator_app()

_COLUMNS = (
    Column("supplier_id", "supplier"),
    Column("sku"),
    Column("state"),
    Column("reason", "doubt"),
    Column("article_id", "proposed"),
    Column("candidates"),
    Column("identifiers", shrinks=True),
    Column("found_at", "found"),
)

Sku = Annotated[
    str, typer.Argument(metavar="SKU", help="The supplier's number, as the list shows it.")
]
Of = Annotated[int, typer.Option("--supplier", metavar="ID", min=1, help="The supplier's id.")]


@app.command(
    "list",
    epilog=examples(
        "cronops suppliers review list --supplier 23",
        "cronops suppliers review list --state accepted --json",
    ),
)
def list_(
    supplier: MaybeSupplier = None,
    state: Annotated[
        Literal["open", "accepted", "rejected"],
        typer.Option("--state", help="Those that wait, or those that were decided."),
    ] = "open",
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List matches that are not certain: their rows are imported without an article."""
    from cronops.jobs.suppliers.upkeep import list_reviews

    with session("suppliers review list") as at:
        if supplier is not None:
            known_setting(at, supplier)
        rows = list_reviews(at.connection, supplier, state=state, limit=limit)
    show_table(rows, _COLUMNS, as_json=as_json, empty="No match waits for anybody.")


@app.command(
    epilog=examples(
        "cronops suppliers review accept --supplier 23 A-4711",
        "cronops suppliers review accept --supplier 23 A-4711 --article 815",
    )
)
def accept(
    sku: Sku,
    supplier: Of,
    article: Annotated[
        int | None,
        typer.Option(
            "--article",
            metavar="ID",
            min=1,
            help="The shop's article; default: the one proposed.",
            show_default=False,
        ),
    ] = None,
    reason: MaybeReason = None,
    as_json: Json = False,
) -> None:
    """Say that a match is right: stock has the article at once, and in later imports."""
    with session("suppliers review accept") as at:
        chosen = _decide(at, supplier, sku, article, reason, is_accepted=True)
    if as_json:
        show_json({"supplier": supplier, "sku": sku, "state": "accepted", "article_id": chosen})
    else:
        print_line(f"Accepted: {sku} of supplier {supplier} is article {chosen}.")


@app.command(epilog=examples("cronops suppliers review reject --supplier 23 A-4711"))
def reject(sku: Sku, supplier: Of, reason: MaybeReason = None, as_json: Json = False) -> None:
    """Say that a match is wrong: it is not asked again unless another article is proposed."""
    with session("suppliers review reject") as at:
        _decide(at, supplier, sku, None, reason, is_accepted=False)
    if as_json:
        show_json({"supplier": supplier, "sku": sku, "state": "rejected", "article_id": None})
    else:
        print_line(f"Rejected: {sku} of supplier {supplier} stays without an article.")


def _decide(
    at: "Session",
    supplier: int,
    sku: str,
    article: int | None,
    reason: str | None,
    *,
    is_accepted: bool,
) -> int | None:
    from cronops.db.shop import check_shop
    from cronops.jobs.suppliers.upkeep import decide, known_skus

    known_setting(at, supplier)
    check_shop(at.connection, at.settings)
    try:
        return decide(
            at.connection,
            supplier,
            sku,
            article=article,
            is_accepted=is_accepted,
            actor=at.actor,
            reason=reason,
        )
    except LookupError:
        hint = nearest(sku, known_skus(at.connection, supplier))
        raise UsageError(
            f"nothing is in doubt about {sku!r} of supplier {supplier}"
            f"{hint or '; see: cronops suppliers review list'}"
        ) from None
