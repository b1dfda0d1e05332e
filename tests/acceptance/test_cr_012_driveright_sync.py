"""CR-012, as the feature file tells it."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from pytest_bdd import given, parsers, scenarios, then, when

from tests.acceptance.conftest import World
from tests.partners import MailServer, mail_server
from tests.partners.driveright import DriveRightServer, driveright_server, vehicle
from tests.partners.smtp import AT_RCPT

scenarios("features/cr_012_driveright_sync.feature")


@dataclass
class Partners:
    """DriveRight, and the mail server."""

    driveright: DriveRightServer
    mails: MailServer


@pytest.fixture
def partners(world: World) -> Iterator[Partners]:
    """Both running, DriveRight without vehicles; the settings know them."""
    with driveright_server() as driveright, mail_server() as mails:
        world.environment |= {
            **mails.environment,
            **driveright.environment,
            "CRONOPS_DRIVERIGHT__PAGE_SIZE": "100",
            "CRONOPS_DRIVERIGHT__REPORT_TO": "vehicles@shop.example",
            "CRONOPS_DRIVERIGHT__REPORT_FROM": "cronops@shop.example",
        }
        yield Partners(driveright, mails)


@given(parsers.parse("DriveRight has {count:d} vehicles"))
def vehicles(partners: Partners, count: int) -> None:
    partners.driveright.vehicles[:] = [vehicle(number) for number in range(count)]


@given("the mail server takes nothing")
def takes_nothing(partners: Partners) -> None:
    partners.mails.mood.answers = {AT_RCPT: "550 no"}


@given(parsers.parse("they are synced, and DriveRight has only {count:d} of them from then on"))
def only(world: World, partners: Partners, count: int) -> None:
    assert world.run("driveright sync").returncode == 0
    del partners.driveright.vehicles[count:]


@when("the mail server is in order again")
def in_order(partners: Partners) -> None:
    partners.mails.mood.answers = {}


@then(parsers.parse("we have {count:d} active vehicles"))
def active(world: World, count: int) -> None:
    assert world.database.query("SELECT count(*) FROM vehicle WHERE active") == [(count,)]


@then("the report was mailed once")
def mailed(partners: Partners) -> None:
    assert partners.mails.recipients == ["vehicles@shop.example"]


@then("DriveRight was asked for its vehicles only once")
def asked_once(partners: Partners) -> None:
    assert partners.driveright.asked == 1
