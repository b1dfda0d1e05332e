"""What a job declares that it needs."""

from datetime import timedelta
from typing import Any

import pytest

from cronops import Need, Outcome, Retry, job
from cronops.cli.contract import contract_lines
from cronops.cli.jobs import job_record
from cronops.contract.job import Job
from cronops.errors import DeclarationError

MAIL = Need("mail", "mail.url", "connect")


def declare(*needs: Any) -> Job:
    def work(ctx: Any) -> Outcome:
        """Work."""
        return Outcome()

    return job(
        "probe work",
        cr="CR-999",
        lock="probe.work",
        timeout=timedelta(minutes=1),
        retry=Retry.never(),
        idempotency="writes nothing",
        accountable="Shared Ops",
        responsible="Shared Ops",
        needs=needs,
    )(work)


def test_needs_are_part_of_the_contract() -> None:
    declared = declare(MAIL)

    assert declared.needs == (MAIL,)
    assert dict(contract_lines(declared))["needs"] == "mail (connect, mail.url)"
    assert job_record(declared)["needs"] == [
        {"name": "mail", "setting": "mail.url", "access": "connect"}
    ]
    assert "needs" not in dict(contract_lines(declare()))


@pytest.mark.parametrize(
    ("need", "said"),
    [
        ("mail", "must be like Need("),
        (Need("mail", "mail.url", "reach"), "must be like Need("),  # type: ignore[arg-type]
        (Need("Mail Server", "mail.url", "connect"), "a name is lower-case letters"),
    ],
)
def test_what_is_no_need_is_refused(need: Any, said: str) -> None:
    with pytest.raises(DeclarationError, match=r"^job 'probe work': needs=") as caught:
        declare(need)
    assert said in str(caught.value)
