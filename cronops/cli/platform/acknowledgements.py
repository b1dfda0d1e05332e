"""``cronops platform unacknowledged`` and ``acknowledge``: what a platform does not know of."""

from typing import Annotated

import typer

from cronops.cli.output import Column, print_line, show_json, show_table
from cronops.cli.platform.look import rows_of
from cronops.cli.platform.selection import Code, MaybePlatform, audit, find_platform, platform_id
from cronops.cli.session import Json, Limit, Reason, session
from cronops.cli.tree import examples, operator_app
from cronops.errors import BadInput

app = operator_app()

_WAITING = "acknowledge AND acknowledged_at IS NULL"
_LIST = f"""
SELECT platform_order.id, code AS platform, external_id, received_at, refusals,
    CASE WHEN given_up_at IS NULL THEN 'tried' ELSE 'given up' END AS state, refusal
FROM platform_order JOIN platform ON platform.id = platform_id
WHERE {_WAITING} AND (%(platform)s::integer IS NULL OR platform_id = %(platform)s)
ORDER BY platform_order.id DESC LIMIT %(limit)s
"""  # noqa: S608 - made of constants
_CHOSEN = f"""
WHERE platform_id = %(platform)s AND {_WAITING}
    AND (%(orders)s::text[] IS NULL OR external_id = ANY(%(orders)s))
RETURNING external_id
"""
_AGAIN = f"""
UPDATE platform_order SET given_up_at = NULL, refusals = 0, refusal = NULL,
    acknowledge_since = clock_timestamp()
{_CHOSEN}
"""  # noqa: S608 - made of constants
_DONE = f"UPDATE platform_order SET acknowledged_at = clock_timestamp() {_CHOSEN}"  # noqa: S608

_COLUMNS = (
    Column("platform"),
    Column("external_id", "order"),
    Column("state"),
    Column("refusals"),
    Column("received_at", "received"),
    Column("refusal", "last refusal", shrinks=True),
)


@app.command(
    epilog=examples(
        "cronops platform unacknowledged", "cronops platform unacknowledged --platform tyre24"
    )
)
def unacknowledged(
    platform: MaybePlatform = None, limit: Limit = 20, as_json: Json = False
) -> None:
    """List orders that we have, and whose platform does not know it."""
    with session("platform unacknowledged") as at:
        values = {"platform": platform_id(at, platform), "limit": limit}
        rows = rows_of(at.connection, _LIST, values)
    show_table(rows, _COLUMNS, as_json=as_json, empty="Every order is acknowledged.")


@app.command(
    epilog=examples(
        'cronops platform acknowledge tyre24 --reason "its address is mended"',
        'cronops platform acknowledge tyre24 ORD-1 --done --reason "told them by mail"',
    )
)
def acknowledge(
    code: Code,
    reason: Reason,
    orders: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ORDER", help="Only these, by the platform's ids.", show_default=False
        ),
    ] = None,
    done: Annotated[
        bool, typer.Option("--done", help="The platform knows, or need not: note that.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Have the next pull acknowledge what was given up, or note that somebody did it."""
    with session("platform acknowledge") as at, at.connection.transaction():
        found = find_platform(at, code)
        values = {"platform": found.id, "orders": orders or None}
        rows = at.connection.execute(_DONE if done else _AGAIN, values).fetchall()
        changed = sorted({row[0] for row in rows})
        if missing := sorted(set(orders or ()) - set(changed)):
            raise BadInput(
                f"order {missing[0]!r} of {code} does not wait for an acknowledgement; see: "
                f"cronops platform unacknowledged --platform {code}"
            )
        if changed:
            details = {"done": done, "orders": changed[:100]}
            audit(at, "platform acknowledge", code, reason, details)
    if as_json:
        show_json({"code": code, "done": done, "orders": changed})
    elif not changed:
        print_line(f"Every order of {code} is acknowledged.")
    else:
        noun = "1 order" if len(changed) == 1 else f"{len(changed):,} orders"
        print_line(
            f"{noun} of {code} noted as acknowledged."
            if done
            else f"The next pull acknowledges {noun} of {code}."
        )
