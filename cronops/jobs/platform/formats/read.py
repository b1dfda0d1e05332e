"""The reading of a document in the format that a platform's configuration names."""

from typing import Literal

from cronops.jobs.platform.formats.mapping import Reading
from cronops.jobs.platform.formats.order import Page

Format = Literal["json", "xml", "opentrans"]


def read_document(
    content: bytes, form: Format, reading: Reading, source: str, *, limit: int
) -> Page:
    """The orders of a document. Raises `BadInput` where it cannot be read at all."""
    if form == "json":
        from cronops.jobs.platform.formats.json_orders import read_json

        return read_json(content, reading, source)
    if form == "xml":
        from cronops.jobs.platform.formats.xml_orders import read_xml

        return read_xml(content, reading, source, limit=limit)
    from cronops.jobs.platform.formats.opentrans import read_opentrans

    return read_opentrans(content, reading, source, limit=limit)
