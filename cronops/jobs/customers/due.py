"""Which licences end soon, and whose reminder is due."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from cronops.errors import UsageError

if TYPE_CHECKING:
    import psycopg

    from cronops.config.rooms import CustomersSettings

_PAGE = 500

_TENANTS = "SELECT id, code, name, zone, language, sender FROM tenant ORDER BY id"
# The tightest offset that is due is the only one: whoever missed 14 and 7 days hears of 1.
_DUE = """
SELECT license.id AS license_id, license.valid_until, due.days AS days_before,
    license.valid_until - %(today)s::date AS days_left, customer.id AS customer_id,
    customer.email, customer.firstname, customer.lastname, customer.language
FROM license
JOIN customer ON customer.id = license.customer_id
CROSS JOIN LATERAL (
    SELECT min(days) AS days FROM unnest(%(offsets)s::integer[]) AS days
    WHERE days >= license.valid_until - %(today)s::date
) AS due
LEFT JOIN reminder ON reminder.license_id = license.id
    AND reminder.valid_until = license.valid_until AND reminder.days_before = due.days
WHERE license.tenant_id = %(tenant)s
    AND license.valid_until BETWEEN %(today)s::date AND %(today)s::date + %(earliest)s
    AND license.status = 'active' AND customer.status = 'approved'
    AND (%(renewing_too)s OR license.auto_renew IS NOT TRUE)
    AND (CASE WHEN %(again)s THEN reminder.state = ANY(%(states)s) ELSE reminder.state IS NULL END)
    AND (%(licenses)s::bigint[] IS NULL OR license.id = ANY(%(licenses)s))
    AND license.id > %(after)s
ORDER BY license.id LIMIT %(page)s
"""
_ONE = """
SELECT license.id AS license_id, license.valid_until, license.tenant_id,
    customer.id AS customer_id, customer.email, customer.firstname, customer.lastname,
    customer.language
FROM license JOIN customer ON customer.id = license.customer_id WHERE license.id = %(license)s
"""
_LOWEST = -(2**63)


@dataclass(frozen=True)
class Tenant:
    """A white-label shop."""

    id: int
    code: str
    name: str
    zone: str
    language: str
    sender: str | None

    def today(self, now: datetime) -> date:
        """The day it is there. Raises `ValueError` where its zone is none."""
        from zoneinfo import ZoneInfo

        try:
            return now.astimezone(ZoneInfo(self.zone)).date()
        except Exception:
            raise ValueError(f"no time zone is called {self.zone!r}") from None


@dataclass(frozen=True)
class Due:
    """A reminder to be sent: one licence, one offset."""

    license_id: int
    valid_until: date
    days_before: int
    """The offset: the reminder's key with the two above."""
    days_left: int
    customer_id: int
    email: str | None
    firstname: str | None
    lastname: str | None
    language: str | None

    @property
    def key(self) -> str:
        """The key as text: what the Message-ID is made of."""
        return f"{self.license_id}.{self.valid_until:%Y%m%d}.{self.days_before}"


def load_tenants(connection: "psycopg.Connection[Any]", codes: Sequence[str]) -> list[Tenant]:
    """All tenants, or those of these codes. Raises `UsageError` for a code there is not."""
    from psycopg.rows import class_row

    with connection.cursor(row_factory=class_row(Tenant)) as cursor:
        every = cursor.execute(_TENANTS).fetchall()
    unknown = set(codes) - {one.code for one in every}
    if unknown:
        raise UsageError(
            f"no tenant has the code {', '.join(sorted(unknown))}; there are "
            f"{', '.join(one.code for one in every[:20]) or 'none'}"
        )
    return [one for one in every if not codes or one.code in codes]


def load_due(
    connection: "psycopg.Connection[Any]",
    settings: "CustomersSettings",
    tenant: Tenant,
    today: date,
    *,
    again: Sequence[str] = (),
    licenses: Sequence[int] = (),
) -> Iterator[Due]:
    """A tenant's due reminders that were not tried yet, or those in a state of `again`, by page."""
    from psycopg.rows import class_row

    asked: dict[str, Any] = {
        "tenant": tenant.id,
        "today": today,
        "offsets": list(settings.offsets),
        "earliest": max(settings.offsets),
        "renewing_too": settings.renewing_too,
        "again": bool(again),
        "states": list(again),
        "licenses": list(licenses) or None,
        "after": _LOWEST,
        "page": _PAGE,
    }
    while True:
        with connection.cursor(row_factory=class_row(Due)) as cursor:
            page = cursor.execute(_DUE, asked).fetchall()
        yield from page
        if len(page) < _PAGE:
            return
        asked["after"] = page[-1].license_id


def load_one(
    connection: "psycopg.Connection[Any]",
    settings: "CustomersSettings",
    license_id: int,
    now: datetime,
) -> tuple[Tenant, Due]:
    """A licence as if its next reminder were due, for a look at the mail."""
    from psycopg.rows import dict_row

    with connection.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(_ONE, {"license": license_id}).fetchone()
    if found is None:
        raise UsageError(f"there is no licence {license_id}")
    tenant_id = found.pop("tenant_id")
    tenant = next(one for one in load_tenants(connection, ()) if one.id == tenant_id)
    left = (found["valid_until"] - tenant.today(now)).days
    due = [days for days in settings.offsets if days >= left]
    days_before = min(due) if due else max(settings.offsets)
    return tenant, Due(days_before=days_before, days_left=left, **found)
