"""The reading of a document in the format that a platform's configuration names."""

from typing import Literal

from cronops.errors import BadInput
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


def why_unreadable(error: Exception, source: str) -> str:
    """What is said of a document whose reading failed so."""
    if isinstance(error, BadInput):
        return str(error)
    # Whatever the mistake is, the answer is kept, and must not end this pull and each after it.
    # The error's text may quote what the platform sent, customers and all.
    return f"{source}: its reading failed with {type(error).__name__}, a mistake of the adapter"
