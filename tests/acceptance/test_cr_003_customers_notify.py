"""CR-003, as the feature file tells it."""

import re
from collections.abc import Iterator

import pytest
from pytest_bdd import given, parsers, scenarios, then

from cronops.db.shop import create_shop
from tests.acceptance.conftest import World
from tests.partners import MailServer, mail_server
from tests.partners.smtp import AFTER_DATA

scenarios("features/cr_003_customers_notify.feature")


@pytest.fixture
def server() -> Iterator[MailServer]:
    """A mail server with STARTTLS and a login."""
    with mail_server() as running:
        yield running


def _numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", text)]


@given(parsers.re(r"a tenant whose customers' licences end in (?P<days>[\d, and]+) days"))
def licences(world: World, server: MailServer, days: str) -> None:
    world.environment |= server.environment
    with world.database.connect() as connection:
        create_shop(connection, world.database.settings().db.shop_schema)
        connection.execute(
            "INSERT INTO tenant (id, code, name, zone, language, sender)"
            " VALUES (1, 'nord', 'Reifen Nord', 'Europe/Berlin', 'de', 'shop@nord.example')"
        )
        for number in _numbers(days):
            connection.execute(
                "INSERT INTO customer (id, tenant_id, email, status)"
                " VALUES (%(n)s, 1, %(n)s || '@example.org', 'approved')",
                {"n": number},
            )
            connection.execute(
                "INSERT INTO license (id, tenant_id, customer_id, valid_until) VALUES"
                " (%(n)s, 1, %(n)s, (now() AT TIME ZONE 'Europe/Berlin')::date + %(n)s)",
                {"n": number},
            )


@given("the mail server takes one mail, and is cut off before it can say so")
def cut_off(server: MailServer) -> None:
    server.mood.answers, server.mood.times = {AFTER_DATA: "cut"}, 1


@then(
    parsers.re(
        r"the customers whose licences end in (?P<days>[\d, and]+) days have got a mail each"
    )
)
def got_one_each(server: MailServer, days: str) -> None:
    assert sorted(server.recipients) == sorted(f"{one}@example.org" for one in _numbers(days))


@then("the customer whose licence ends in 14 days has got the same mail twice")
def got_it_twice(server: MailServer) -> None:
    assert server.recipients == ["14@example.org"] * 2
    first, second = server.mails
    assert first["Message-ID"] == second["Message-ID"]


@then("no mail was sent")
def none_sent(server: MailServer) -> None:
    assert server.envelopes == []
