"""The report of changes: a mail to whoever looks after vehicles, before the changes are made."""

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from cronops.clients.mail import Mail

if TYPE_CHECKING:
    import psycopg

    from cronops.jobs.driveright.ledger import Sync

_LISTED = 100
_CHANGES = """
SELECT kind, vehicle, external_id, what FROM driveright_change
WHERE sync = %(sync)s ORDER BY kind, vehicle, external_id LIMIT %(limit)s
"""
_PROBLEMS = """
SELECT external_id, problem FROM driveright_problem
WHERE sync = %(sync)s ORDER BY external_id, problem LIMIT %(limit)s
"""
_SEE_ALL = "All of them: cronops driveright changes --limit 100000"


def report(
    connection: "psycopg.Connection[Any]",
    sync: "Sync",
    *,
    sender: str,
    to: str,
    environment: str,
    domain: str,
) -> Mail:
    """The mail; its Message-ID is the sync's, whenever it is made."""
    asked = {"sync": sync.id, "limit": _LISTED}
    changes = connection.execute(_CHANGES, asked).fetchall()
    problems = connection.execute(_PROBLEMS, asked).fetchall()
    of = sync.counts
    summary = (
        f"{of['added']:,} added, {of['changed']:,} changed, {of['retired']:,} retired, "
        f"{of['malformed']:,} malformed"
    )
    lines = [
        f"DriveRight sync {sync.id} has pulled {of['pulled']:,} vehicles: {summary}.",
        "The changes are made right after this mail.",
    ]
    if changes:
        lines += ["", "Changes:"]
        lines += [f"  {kind:<8} {vehicle} ({id_}): {what}" for kind, vehicle, id_, what in changes]
    if problems:
        lines += ["", "Malformed, and left as they were:"]
        lines += [f"  {id_ or 'without an id'}: {problem}" for id_, problem in problems]
    if of["added"] + of["changed"] + of["retired"] > len(changes):
        lines += ["", _SEE_ALL]
    return Mail(
        sender=sender,
        to=to,
        subject=f"[{environment}] DriveRight: {summary}",
        text="\n".join(lines) + "\n",
        html=None,
        message_id=f"<driveright.{quote(environment, safe='')}.{sync.id}@{domain}>",
        headers={"Auto-Submitted": "auto-generated"},
    )
