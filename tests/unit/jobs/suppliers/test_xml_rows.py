"""Suppliers' XML files."""

from io import BytesIO
from xml.etree.ElementTree import fromstring

import pytest

from cronops.jobs.suppliers.setting import ImportSetting
from cronops.jobs.suppliers.tally import Tally
from cronops.jobs.suppliers.xml_rows import Place, XmlRows

PLAIN = '<i sku="A1"><ident ean="E"/><stock><total>5</total></stock><empty/></i>'
NAMED = '<i xmlns="urn:x" sku="A1"><ident ean="E"/><stock><total>5</total></stock><empty/></i>'
PREFIXED = (
    '<p:i xmlns:p="urn:x" sku="A1"><p:ident ean="E"/><p:stock><p:total>5</p:total></p:stock>'
    "<p:empty/></p:i>"
)


@pytest.mark.parametrize("text", [PLAIN, NAMED, PREFIXED])
@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("@sku", "A1"),
        ("ident/@ean", "E"),
        ("stock/total", "5"),
        ("./stock/total", "5"),
        ("*/total", "5"),
        ("empty", ""),
        ("@none", ""),
        ("none/@ean", ""),
        ("none/total", ""),
    ],
)
def test_places_in_a_row(text: str, path: str, found: str) -> None:
    assert Place(path).text_in(fromstring(text)) == found


def test_rows_are_counted_and_bad_ones_shown_by_their_number() -> None:
    by = ImportSetting(
        supplier_id=1,
        name="x",
        format="xml",
        row_tag="i",
        column_map={"sku": "@s", "qty": "q", "price": "p"},
    )
    rows = '<i s="A1"><q>5</q><p>1.5</p></i><i s="A2"><q>x</q></i><i><q>1</q></i>'
    tally = Tally()

    read = XmlRows(by, BytesIO(f"<all>{rows}</all>".encode()), tally, name="stock.xml")

    assert read.order == ("sku", "qty", "price")
    assert "".join(read) == "A1\t5\t1.5000\nA2\t\t\n"
    assert tally.examples == [
        (2, "qty", "sku=A2, qty=x, price="),
        (3, "sku_missing", "sku=, qty=1, price="),
    ]
