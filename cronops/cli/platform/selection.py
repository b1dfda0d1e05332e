"""How platforms are named on the command line."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from cronops.cli.session import Session
    from cronops.jobs.platform.platforms import Platform

Code = Annotated[str, typer.Argument(metavar="CODE", help="The platform's code, as in tyre24.")]
MaybePlatform = Annotated[
    str | None,
    typer.Option("--platform", metavar="CODE", help="Only of this platform.", show_default=False),
]


def find_platform(at: "Session", code: str) -> "Platform":
    """The platform of that code. Raises `BadInput`, naming what is near."""
    from cronops.jobs.platform.platforms import all_platforms, find

    return find(all_platforms(at.connection), code)


def platform_id(at: "Session", code: str | None) -> int | None:
    """The id of a platform that may be named."""
    return None if code is None else find_platform(at, code).id


def audit(
    at: "Session", action: str, subject: str, reason: str | None, details: dict[str, Any]
) -> None:
    """Write a line of the audit trail, in the open transaction."""
    from cronops.db.audit import write_audit

    write_audit(
        at.connection,
        actor=at.actor,
        action=action,
        subject=subject,
        reason=reason,
        details=details,
    )
