"""The four stages of a sync, each durable: what it has done is recorded with what it did."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from cronops.errors import BadInput, ConfigurationError, CronopsError, Interrupted, NeedsAPerson

if TYPE_CHECKING:
    from cronops.clients.mail import Mail
    from cronops.contract.context import JobContext
    from cronops.jobs.driveright.ledger import Ledger, Sync
    from cronops.jobs.driveright.matching import Facts
    from cronops.jobs.driveright.provider import Page, Provider

_STOPPED = "told to stop; the next run goes on from here"


@dataclass
class Work:
    """What a stage works with."""

    ctx: "JobContext"
    ledger: "Ledger"
    sync: "Sync"
    provider: "Callable[[], Provider]"
    accept_changes: bool = False
    resend_report: bool = False

    def go_on_to(self, stage: str) -> None:
        """The next stage is to be done from here on, in the open transaction."""
        self.sync.stage, self.sync.status = stage, "running"
        self.ledger.save(self.sync)


def pull(work: Work) -> None:
    """Put all that DriveRight has aside, page by page, each with the cursor of the next."""
    from cronops.jobs.driveright.provider import CursorRefused

    sync, ledger = work.sync, work.ledger
    with work.provider() as provider:
        while True:
            if work.ctx.stopping:
                raise Interrupted(_STOPPED)
            try:
                page = provider.page(sync.cursor)
            except CursorRefused as refused:
                _pull_anew(work, str(refused))
            if sync.cursor is not None and page.total != sync.total:
                _pull_anew(work, f"it had {sync.total:,} vehicles, and has {page.total:,} now")
            _keep(work, page)
            work.ctx.step("pulled", vehicles=len(page.vehicles))
            if page.next is None:
                break
    staged = ledger.count_staged(sync)
    unnamed = sync.counts.get("unnamed", 0)
    if staged + unnamed != sync.total:
        _pull_anew(work, f"it said {sync.total:,} vehicles, and gave {staged + unnamed:,}")
    if not staged:
        _pull_anew(work, "it gave no vehicle at all")
    work.go_on_to("sync")


def _keep(work: Work, page: "Page") -> None:
    """Put a page aside and move the cursor, in one transaction."""
    from cronops.jobs.driveright.vehicles import read_vehicle

    sync, ledger = work.sync, work.ledger
    if page.next is not None and (page.next == sync.cursor or not page.vehicles):
        _pull_anew(work, "it gave the same page once more, which would never end")
    read, unnamed = [], []
    for raw in page.vehicles:
        try:
            read.append(read_vehicle(raw))
        except ValueError as error:
            unnamed.append(str(error))
    with ledger.connection.transaction():
        if sync.cursor is None:
            ledger.clear(sync, found_too=True)
            sync.counts = {}
        ledger.stage_page(sync, read, unnamed)
        sync.cursor, sync.total = page.next, page.total
        sync.counts = {
            "pulled": sync.counts.get("pulled", 0) + len(page.vehicles),
            "unnamed": sync.counts.get("unnamed", 0) + len(unnamed),
        }
        ledger.save(sync)
    work.ctx.progress(sync.counts["pulled"], page.total)


def _pull_anew(work: Work, why: str) -> NoReturn:
    """Forget what was pulled, and say why."""
    work.sync.cursor = work.sync.total = None
    raise BadInput(
        f"DriveRight's answer is not whole: {why}. Nothing was changed; the next run pulls anew"
    )


def compare(work: Work) -> None:
    """Write down what would change; a person is asked where that is much."""
    from cronops.jobs.driveright import matching

    sync, ledger = work.sync, work.ledger
    held: str | None = None
    with ledger.connection.transaction():
        ledger.connection.execute("DELETE FROM driveright_change WHERE sync = %s", (sync.id,))
        ledger.connection.execute(
            "DELETE FROM driveright_problem WHERE sync = %s AND problem LIKE %s",
            (sync.id, "%is the name of another vehicle, too"),
        )
        unnamed = sync.counts.get("unnamed", 0)
        facts = matching.compare(ledger.connection, sync.id, unnamed=unnamed)
        sync.counts = {**sync.counts, **facts._asdict()}
        held = None if work.accept_changes else _too_much(work.ctx, facts)
        if held is None:
            work.go_on_to("email")
        else:
            sync.status = "held"
            ledger.save(sync, problem=held)
    work.ctx.step("compared", **facts._asdict())
    if held is not None:
        raise NeedsAPerson(held)


def _too_much(ctx: "JobContext", facts: "Facts") -> str | None:
    """Why a person should look first."""
    of = ctx.settings.driveright
    found = []
    if facts.retired * 100 > facts.before * of.max_retired_pct:
        found.append(f"{facts.retired:,} of {facts.before:,} vehicles would be retired")
    if facts.changed * 100 > facts.before * of.max_changed_pct and facts.before:
        found.append(f"{facts.changed:,} of {facts.before:,} vehicles would be changed")
    if facts.malformed * 100 > facts.pulled * of.max_malformed_pct:
        found.append(f"{facts.malformed:,} of {facts.pulled:,} vehicles are malformed")
    if not found:
        return None
    return (
        f"{'; '.join(found)}: nothing was changed. Look: cronops driveright changes. Where it is "
        "right: cronops driveright sync --accept-changes; else pull anew: --restart"
    )


def email(work: Work) -> None:
    """Mail the report, once, where there is something to tell and somebody to tell it."""
    sync, ctx = work.sync, work.ctx
    of = ctx.settings.driveright
    told = sync.counts["added"] + sync.counts["changed"] + sync.counts["retired"]
    if sync.report == "sending":
        # The run died between the mail and its record.
        sync.report = "unknown"
        work.ledger.save(sync)
    if sync.report == "sent" or (sync.report == "unknown" and not work.resend_report):
        ctx.log.info("the report is not sent again", report=sync.report)
    elif not told or of.report_to is None:
        sync.report = "skipped"
    else:
        _send(work, of.report_to)
    work.go_on_to("update")


def _send(work: Work, to: str) -> None:
    """Send the report; what was surely not taken leaves it unsent."""
    from cronops.clients.mail import MailClient, MailUnknown

    sync, ledger = work.sync, work.ledger
    mail = _report(work, to)
    sync.report = "sending"
    ledger.save(sync)
    work.ctx.step("mail")
    try:
        with MailClient(work.ctx.settings, pause=work.ctx.pause) as mailer:
            mailer.send(mail, correlation_id=work.ctx.correlation_id)
    except MailUnknown as error:
        sync.report = "unknown"
        ledger.save(sync)
        work.ctx.log.warning("nobody can tell whether the report arrived", reason=str(error))
        return
    except CronopsError:
        sync.report = "none"
        ledger.save(sync)
        raise
    sync.report = "sent"
    ledger.save(sync)
    work.ctx.step("mailed")


def _report(work: Work, to: str) -> "Mail":
    from cronops.clients.mail import mailbox
    from cronops.jobs.driveright.report import report

    sender = work.ctx.settings.driveright.report_from
    if sender is None:
        raise ConfigurationError(
            "the report has no sender: set CRONOPS_DRIVERIGHT__REPORT_FROM, or unset "
            "CRONOPS_DRIVERIGHT__REPORT_TO"
        )
    try:
        domain = mailbox(sender).domain
    except ValueError as error:
        raise ConfigurationError(f"CRONOPS_DRIVERIGHT__REPORT_FROM: {error}") from None
    return report(
        work.ledger.connection,
        work.sync,
        sender=sender,
        to=to,
        environment=work.ctx.settings.environment,
        domain=domain,
    )


def update(work: Work) -> None:
    """Make the changes, all in one transaction, and end the sync with them."""
    from cronops.jobs.driveright import matching

    ledger = work.ledger
    with ledger.connection.transaction():
        matching.apply(ledger.connection, work.sync.id)
        ledger.clear(work.sync, found_too=False)
        work.sync.status = "done"
        ledger.save(work.sync)
    work.ctx.step("updated")


STAGES: dict[str, Callable[[Work], None]] = {
    "pull": pull,
    "sync": compare,
    "email": email,
    "update": update,
}
"""By name, in the order in which they are done."""
