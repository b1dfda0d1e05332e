"""Sends reminders one by one, each claimed before and settled after."""

from types import TracebackType
from typing import TYPE_CHECKING, Self

from cronops.clients.mail import Mail, MailClient, MailRefused, MailUnknown, NoMailServer
from cronops.errors import CronopsError, TransientError

if TYPE_CHECKING:
    from cronops.contract.context import JobContext
    from cronops.jobs.customers.due import Due, Tenant
    from cronops.jobs.customers.ledger import Ledger, State

_MOST_IN_A_ROW = 20
"""After so many mails put off one after the other, the server has other troubles than these."""


class Sending:
    """The connection to the mail server, and the ledger beside it."""

    def __init__(self, ctx: "JobContext", ledger: "Ledger") -> None:
        self._ctx = ctx
        self._ledger = ledger
        self._mailer = MailClient(ctx.settings, pause=ctx.pause)
        self._put_off = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._mailer:
            self._ledger.flush()

    def send(self, tenant: "Tenant", due: "Due", mail: Mail) -> "State | None":
        """How it ended; None where it was sent before. Raises what concerns every mail."""
        ctx = self._ctx
        reminder = self._ledger.claim(tenant, due)
        if reminder is None:
            return None
        ctx.step("send", license=due.license_id, days=due.days_before, tenant=tenant.code)
        try:
            said = self._mailer.send(mail, correlation_id=ctx.correlation_id)
        except MailRefused as error:
            return self._settle(reminder, due, "refused", str(error))
        except MailUnknown as error:
            return self._settle(reminder, due, "unknown", str(error))
        except TransientError as error:
            self._settle(reminder, due, "deferred", str(error))
            self._put_off += 1
            if isinstance(error, NoMailServer) or self._put_off >= _MOST_IN_A_ROW:
                raise
            return "deferred"
        except CronopsError as error:
            self._ledger.answered(reminder, "deferred", str(error))
            raise
        self._put_off = 0
        self._ledger.answered(reminder, "sent", said)
        return "sent"

    def _settle(self, reminder: int, due: "Due", state: "State", reason: str) -> "State":
        self._ledger.answered(reminder, state, reason)
        self._ctx.log.warning(f"reminder {state}", license=due.license_id, reason=reason)
        return state
