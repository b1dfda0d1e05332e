"""``cronops platform enable``, ``disable``, ``cursor`` and ``replay``."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cronops.cli.output import note, print_line, show_json
from cronops.cli.platform.selection import Code, audit, find_platform
from cronops.cli.session import Json, MaybeReason, past, session
from cronops.cli.tree import examples, operator_app
from cronops.errors import BadInput, UsageError

if TYPE_CHECKING:
    from cronops.cli.session import Session
    from cronops.jobs.platform.formats.order import Page
    from cronops.jobs.platform.platforms import Platform

app = operator_app()

_SWITCH = "UPDATE platform SET active = %(active)s, updated_at = now() WHERE id = %(platform)s"
_FETCH = """
SELECT platform_fetch.id, code, source, content, platform_fetch.state
FROM platform_fetch JOIN platform ON platform.id = platform_id
WHERE platform_fetch.id = %(id)s
FOR UPDATE OF platform_fetch
"""


@app.command(epilog=examples("cronops platform enable tyre24"))
def enable(code: Code, reason: MaybeReason = None, as_json: Json = False) -> None:
    """Pull a platform's orders from now on."""
    _switch(code, active=True, reason=reason, as_json=as_json)


@app.command(epilog=examples('cronops platform disable tyre24 --reason "contract ended"'))
def disable(code: Code, reason: MaybeReason = None, as_json: Json = False) -> None:
    """Do not pull a platform's orders any more; what was pulled stays."""
    _switch(code, active=False, reason=reason, as_json=as_json)


@app.command(
    epilog=examples(
        "cronops platform cursor tyre24",
        'cronops platform cursor tyre24 --set 2d --reason "orders of Monday are missing"',
    )
)
def cursor(
    code: Code,
    to: Annotated[
        datetime | None,
        typer.Option(
            "--set",
            parser=past,
            metavar="TIME",
            help="Read on from there: 2d (ago), or 2026-11-23T04:00:00Z.",
            show_default=False,
        ),
    ] = None,
    reason: MaybeReason = None,
    as_json: Json = False,
) -> None:
    """Show how far a platform is read, or have it read again from an earlier time.

    What was stored already is recognized, and not enqueued again.
    """
    from cronops.jobs.platform.store import move_cursor

    with session("platform cursor") as at:
        found = find_platform(at, code)
        shown = dict(found.cursor)
        if to is not None:
            if found.adapter != "rest":
                raise UsageError(
                    f"platform {code} has no cursor: {found.adapter} reads whatever is there"
                )
            if not reason:
                raise UsageError("say why with --reason: whoever finds it moved will want to know")
            if to > datetime.now(UTC):
                raise UsageError("a cursor in the future would leave out orders")
            shown = {"since": to.astimezone(UTC).isoformat()}
            with at.connection.transaction():
                move_cursor(at.connection, found.id, shown)
                details = {"from": dict(found.cursor), "to": shown}
                audit(at, "platform cursor", code, reason, details)
    if as_json:
        show_json({"code": code, "cursor": shown})
    elif to is not None:
        print_line(f"The next pull of {code} reads on from {shown['since']}.")
    else:
        since = shown.get("since")
        print_line(f"{code} is read up to {since}." if since else f"{code} has no cursor.")


@app.command(
    epilog=examples("cronops platform fetches --state refused", "cronops platform replay 17")
)
def replay(
    fetch: Annotated[int, typer.Argument(metavar="FETCH", min=1, help="Its id: platform fetches.")],
    reason: MaybeReason = None,
    as_json: Json = False,
) -> None:
    """Read a stored answer again, after its configuration or adapter was mended.

    Orders that are stored already, word for word, are not enqueued again; those that read
    otherwise now are enqueued as revisions.
    """
    with session("platform replay") as at, at.connection.transaction():
        row = at.connection.execute(_FETCH, {"id": fetch}).fetchone()
        if row is None:
            raise BadInput(f"there is no fetch {fetch}; see: cronops platform fetches")
        _, code, source, content, state = row
        if content is None:
            raise BadInput(f"fetch {fetch} holds nothing: it was {state}")
        page, taken = _replayed(at, find_platform(at, code), fetch, bytes(content), source)
        audit(at, "platform replay", code, reason, {"fetch": fetch, "new": taken.new})
    if as_json:
        show_json({"fetch": fetch, "orders": len(page.orders), "new": taken.new})
    else:
        print_line(f"{len(page.orders)} orders read, {taken.new} of them new and enqueued.")
    for problem in page.problems:
        note(f"warning: {problem}")


def _replayed(
    at: "Session", platform: "Platform", fetch: int, content: bytes, source: str
) -> "tuple[Page, Any]":
    from cronops.jobs.platform.adapters.protocol import Fetched
    from cronops.jobs.platform.adapters.table import Caller, adapter_for
    from cronops.jobs.platform.taking import take
    from cronops.queue.enqueue import enqueue_many

    correlation = f"replay-{fetch}"
    adapter = adapter_for(platform, Caller(at.settings, correlation, lambda _: True))
    page = adapter.read(Fetched(content, source))
    taken = take(
        at.connection,
        platform,
        fetch,
        page,
        lambda messages: enqueue_many(at.connection, messages),
        correlation_id=correlation,
        acknowledge=adapter.acknowledges_at_once > 0,
    )
    return page, taken


def _switch(code: str, *, active: bool, reason: str | None, as_json: bool) -> None:
    word = "enable" if active else "disable"
    with session(f"platform {word}") as at:
        found = find_platform(at, code)
        if found.active != active:
            with at.connection.transaction():
                at.connection.execute(_SWITCH, {"platform": found.id, "active": active})
                audit(at, f"platform {word}", code, reason, {})
    if as_json:
        show_json({"code": code, "active": active, "changed": found.active != active})
    elif found.active == active:
        print_line(f"Platform {code} was {word}d already.")
    else:
        print_line(f"{word.capitalize()}d platform {code}.")
