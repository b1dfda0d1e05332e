"""CR-003: remind customers, by mail, of licences that end soon."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

from cronops.contract.context import JobContext
from cronops.contract.job import Need, Outcome, job
from cronops.contract.retry import Retry
from cronops.errors import PermanentError, TransientError
from cronops.owners import MARKETING_CRM, SHARED_OPS, WEBSHOP

if TYPE_CHECKING:
    import psycopg

    from cronops.clients.mail import Mail
    from cronops.jobs.customers.due import Due, Tenant
    from cronops.jobs.customers.sending import Sending

_SHOP = ("tenant", "customer", "license")
_LISTED = 10
_NOW = "SELECT clock_timestamp()"
_DRY_RUN = "dry run: nothing was sent or recorded"
_LIST_UNKNOWN = "cronops customers reminders --state unknown"


def _check(*, preview: int | None, **others: Any) -> None:
    if preview is not None and any(others.values()):
        raise ValueError("--preview only shows a mail: give no other option of the job with it")


@job(
    "customers notify-license-expiration",
    cr="CR-003",
    lock="cron.customers.license-expiry",
    timeout=timedelta(hours=1),
    # A server that is busy stays so for minutes: the next schedule is the better second try.
    retry=Retry(on=TransientError, attempts=2, initial=timedelta(seconds=2)),
    idempotency="licence, its last day and the offset: claimed before it is sent, and never sent "
    "again unless the server surely did not take it",
    accountable=WEBSHOP,
    responsible=SHARED_OPS,
    consulted=(MARKETING_CRM,),
    counts=("sent", "unknown", "deferred", "refused", "unaddressed", "failed"),
    impact="customers are not told that their licence ends, and are locked out without a warning",
    drains=True,
    needs=(Need("mail", "mail.host", "connect"), Need("mail", "mail.password", "secret")),
    check=_check,
)
def notify_license_expiration(
    ctx: JobContext,
    *,
    tenant: Annotated[list[str], "Only the tenant of this code."] = [],  # noqa: B006 - read only
    license: Annotated[list[int], "Only the licence of this number."] = [],  # noqa: B006 - as above
    resend_unknown: Annotated[
        bool, "Also send what may have been sent: whoever got it gets it twice."
    ] = False,
    dry_run: Annotated[bool, "Make the mails and list the licences; send nothing."] = False,
    preview: Annotated[int | None, "Print the mail of this licence, and do nothing else."] = None,
) -> Outcome:
    """Remind customers of licences that end soon.

    Of CRONOPS_CUSTOMERS__OFFSETS (14, 7 and 1 days before) the tightest that is due is sent, once.
    What fails for one customer or tenant does not stop the others.
    """
    from cronops.db.shop import check_shop
    from cronops.jobs.customers.due import load_tenants

    # What an earlier attempt sent is sent; what it only met is met again.
    ctx.keep_counts("sent", "unknown")
    with ctx.connect("reminders") as connection:
        check_shop(connection, ctx.settings, *_SHOP)
        now = _now(connection)
        if preview is not None:
            return _show(ctx, connection, preview, now)
        run = _Run(ctx, connection, now, dry_run=dry_run, resend=resend_unknown)
        run.all_of(load_tenants(connection, tenant), license)
        return run.outcome()


def _now(connection: "psycopg.Connection[Any]") -> datetime:
    row = connection.execute(_NOW).fetchone()
    assert row is not None  # noqa: S101 - a SELECT without FROM has one row
    now: datetime = row[0]
    return now


def _show(
    ctx: JobContext, connection: "psycopg.Connection[Any]", license_id: int, now: datetime
) -> Outcome:
    """Print one mail as it would go now."""
    from cronops.jobs.customers.due import load_one
    from cronops.jobs.customers.preview import show
    from cronops.jobs.customers.wording import Wording, WordingError

    tenant, due = load_one(connection, ctx.settings.customers, license_id, now)
    try:
        show(Wording(ctx.settings.customers, tenant).mail(due))
    except WordingError as error:
        raise PermanentError(f"tenant {tenant.code}: {error}") from None
    return Outcome(warnings=("preview: nothing was sent or recorded",))


class _Run:
    """One run over the tenants: what it met, and how it ends."""

    def __init__(
        self,
        ctx: JobContext,
        connection: "psycopg.Connection[Any]",
        now: datetime,
        *,
        dry_run: bool,
        resend: bool,
    ) -> None:
        from cronops.jobs.customers.ledger import RETRIED, Ledger

        self._ctx = ctx
        self._connection = connection
        self._now = now
        self._dry_run = dry_run
        self._states = (*RETRIED, "unknown") if resend else RETRIED
        self._ledger = Ledger(ctx, connection, self._states)
        self._met: dict[str, list[int]] = {}
        self._tried: set[int] = set()
        self._tenant_problems: dict[str, str] = {}

    def all_of(self, tenants: "list[Tenant]", licenses: list[int]) -> None:
        """Send what is due of these tenants."""
        from cronops.jobs.customers.sending import Sending

        if not self._dry_run:
            abandoned = self._ledger.take_over()
            if abandoned:
                self._ctx.log.warning(
                    "a run that died was sending these: they are unknown now",
                    licenses=abandoned[:_LISTED],
                    count=len(abandoned),
                )
        with Sending(self._ctx, self._ledger) as sending:
            # New ones first: those that are put off each time must not keep them from going.
            every = [(one, again) for again in ((), self._states) for one in tenants]
            done = 0
            for one, again in every:
                for due, mail in self._mails(one, licenses, again):
                    if self._ctx.stopping:
                        return
                    if due.license_id in self._tried:
                        continue
                    self._one(sending, one, due, mail)
                    done += 1
                    self._ctx.progress(done)

    def _mails(
        self, tenant: "Tenant", licenses: list[int], again: tuple[str, ...]
    ) -> "Iterator[tuple[Due, Mail]]":
        """Due reminders of a tenant as mails; why there are none is noted, once."""
        from cronops.jobs.customers.due import load_due
        from cronops.jobs.customers.wording import Wording, WordingError

        of = self._ctx.settings.customers
        if tenant.code in self._tenant_problems:
            return
        try:
            today = tenant.today(self._now)
            due = load_due(self._connection, of, tenant, today, again=again, licenses=licenses)
            wording: Wording | None = None
            for one in due:
                # A tenant without a sender matters once it has something to send.
                wording = wording or Wording(of, tenant)
                yield one, wording.mail(one)
        except (WordingError, ValueError) as error:
            self._tenant_problems[tenant.code] = str(error)
            self._ctx.count("failed")
            self._ctx.log.warning("tenant failed", tenant=tenant.code, reason=str(error))

    def _one(self, sending: "Sending", tenant: "Tenant", due: "Due", mail: "Mail") -> None:
        from cronops.clients.mail import mailbox

        facts = {"license": due.license_id, "tenant": tenant.code, "days": due.days_before}
        try:
            mailbox(mail.to)
        except ValueError as error:
            self._ctx.log.warning("no address to write to", reason=str(error), **facts)
            self._meet("unaddressed", due.license_id)
            return
        if self._dry_run:
            self._ctx.log.info("would send", **facts)
            self._ctx.count("sent")
            return
        self._tried.add(due.license_id)
        state = sending.send(tenant, due, mail)
        if state is not None:
            self._meet(state, due.license_id)

    def _meet(self, what: str, license_id: int) -> None:
        self._ctx.count(what)
        self._met.setdefault(what, []).append(license_id)

    def outcome(self) -> Outcome:
        """The run's outcome. Raises where somebody, or the next attempt, has to do something."""
        # An earlier attempt may have met them, and been followed by one that met none.
        if not self._dry_run and self._ctx.counts.get("unknown"):
            raise PermanentError(
                f"no answer came for {_these(self._ledger.unknown_of_run())}: perhaps the mails "
                f"arrived. See: {_LIST_UNKNOWN}"
            )
        if self._tenant_problems:
            reasons = "; ".join(f"{code}: {why}" for code, why in self._tenant_problems.items())
            raise PermanentError(
                f"no reminders for {len(self._tenant_problems)} tenants: {reasons}"
            )
        if self._met.get("deferred"):
            raise TransientError(
                f"the mail server did not take {_these(self._met['deferred'])} now; the next run "
                "tries again"
            )
        return Outcome(warnings=tuple(self._warnings()))

    def _warnings(self) -> Iterator[str]:
        if self._dry_run:
            yield _DRY_RUN
        for what, text in (
            ("refused", "the mail server refused"),
            ("unaddressed", "there is no address to write to for"),
        ):
            if self._met.get(what):
                yield f"{text} {_these(self._met[what])}"
        unknown = self._ledger.count_unknown(_earliest(self._now))
        if unknown:
            yield f"{unknown:,} earlier reminders are unknown; see: {_LIST_UNKNOWN}"


def _earliest(now: datetime) -> date:
    """The earliest day it is anywhere."""
    return (now - timedelta(hours=12)).date()


def _these(licenses: list[int]) -> str:
    named = ", ".join(map(str, licenses[:_LISTED]))
    more = f" and {len(licenses) - _LISTED:,} more" if len(licenses) > _LISTED else ""
    return f"{'licence' if len(licenses) == 1 else 'licences'} {named}{more}"
