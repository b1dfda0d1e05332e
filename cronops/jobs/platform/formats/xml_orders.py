"""Orders in XML, of whatever names: each order element is made into what JSON would give."""

from typing import TYPE_CHECKING, Any

from cronops.errors import BadInput
from cronops.jobs.platform.formats.mapping import Reading, read_records
from cronops.jobs.platform.formats.order import Page

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element


def read_xml(content: bytes, reading: Reading, source: str, *, limit: int) -> Page:
    """The orders of an XML document: `fields.orders` is the tag of each order's element.

    A child is found by its tag, an attribute by ``@name``, the text of an element that has
    attributes by ``#text``; of a tag that comes several times all are a list. Namespaces are left
    out. Raises `BadInput` naming the place.
    """
    root = parsed(content, source, limit=limit)
    tag = reading.fields.orders
    if tag is None:
        raise BadInput(f"{source}: set fields.orders to the tag of an order's element")
    if local_name(root) == tag:
        elements = [root]
    else:
        elements = [element for element in root.iter() if local_name(element) == tag]
    if not elements and len(root):
        raise BadInput(
            f"{source}: there is no <{tag}> in <{local_name(root)}>; set fields.orders to the tag "
            "of an order's element"
        )
    return read_records([as_record(element) for element in elements], reading)


def parsed(content: bytes, source: str, *, limit: int) -> "Element":
    """The root of a document, defused. Raises `BadInput` that names the source."""
    from cronops.clients.xml import parse

    start = content[:512].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if not start:
        raise BadInput(f"{source}: nothing came where XML was expected")
    if start.startswith((b"<!doctype html", b"<html")):
        raise BadInput(
            f"{source}: an HTML page came where XML was expected: a login or error page, perhaps"
        )
    return parse(content, limit=limit, name=source)


def local_name(element: "Element") -> str:
    """The tag without its namespace."""
    return str(element.tag).rpartition("}")[2]


def as_record(element: "Element") -> Any:
    """An element as an object, or as text where there is nothing else to it."""
    record: dict[str, Any] = {
        f"@{name.rpartition('}')[2]}": value for name, value in element.attrib.items()
    }
    for child in element:
        name, value = local_name(child), as_record(child)
        known = record.get(name)
        if isinstance(known, list):
            known.append(value)
        else:
            record[name] = value if name not in record else [known, value]
    text = (element.text or "").strip()
    if not record:
        return text
    if text:
        record["#text"] = text
    return record
