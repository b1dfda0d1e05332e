"""CR-009 and CR-010, as their feature files tell them."""

from pytest_bdd import given, parsers, scenarios, then, when

from tests.acceptance.conftest import World
from tests.acceptance.suppliers import add_supplier, imported, send_file

scenarios(
    "features/cr_009_suppliers_import_all.feature", "features/cr_010_suppliers_import_one.feature"
)


@given("the suppliers 12 and 23")
def suppliers(world: World) -> None:
    for supplier in (12, 23):
        add_supplier(world, supplier)


@given(parsers.parse('supplier 12 has sent "{one}", and supplier 23 has sent "{other}"'))
def sent(world: World, one: str, other: str) -> None:
    send_file(world, 12, one)
    send_file(world, 23, other)


@when(parsers.parse('supplier 12 has sent "{row}", and supplier 23 has sent what is no table'))
def sent_rubbish(world: World, row: str) -> None:
    send_file(world, 12, row, name="second.csv")
    send_file(world, 23, name="second.csv").write_bytes(b"\x00\x01 no table at all")


@when("somebody changes the stock of supplier 23 by hand, and it sends the same file again")
def changed(world: World) -> None:
    world.database.query("UPDATE supplier_stock SET qty = 1 WHERE supplier_id = 23")
    send_file(world, 23, "A1;7")


@then(parsers.re(r"supplier 12 has (?P<one>nothing|\d+) of A1, and supplier 23 has (?P<other>\d+)"))
def has(world: World, one: str, other: str) -> None:
    expected = {} if one == "nothing" else {12: int(one)}
    assert imported(world) == expected | {23: int(other)}
