"""A supplier's XML file as lines for COPY."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, BinaryIO

from cronops.jobs.suppliers.row import RowReader
from cronops.jobs.suppliers.setting import STORED, ImportSetting
from cronops.jobs.suppliers.tally import Tally

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_BLOCK_ROWS = 1_000


class XmlRows:
    """Reads one file, or one member of a ZIP, row by row."""

    may_repeat = True
    """Whether a SKU may have come twice."""

    def __init__(
        self, setting: ImportSetting, stream: BinaryIO, tally: Tally, *, name: str
    ) -> None:
        self._setting, self._stream, self._tally, self._name = setting, stream, tally, name
        self._places = {field: Place(str(path)) for field, path in setting.column_map.items()}
        self.order = tuple(field for field in STORED if field in self._places)
        self._rows = RowReader(setting, self.order, tally)

    def __iter__(self) -> Iterator[str]:
        """Text for COPY, block by block; a row's number stands for its line."""
        from cronops.clients.xml import iter_elements

        lines: list[str] = []
        tag = self._setting.row_tag or ""
        elements = iter_elements(self._stream, tag, name=self._name)
        for number, element in enumerate(elements, 1):
            texts = {field: place.text_in(element) for field, place in self._places.items()}
            lines.append(self._rows.read(texts, number, _shown(texts)))
            if len(lines) >= _BLOCK_ROWS:
                yield "".join(lines)
                lines = []
        yield "".join(lines)


class Place:
    """Where a field is in an element: ``Stock/Total``, ``Ident/@ean``, ``@sku``; any namespace."""

    def __init__(self, path: str) -> None:
        way, at, self._attribute = path.rpartition("@")
        steps = (way if at else path).rstrip("/").split("/")
        self._way = "/".join(_in_any_namespace(step) for step in steps if step)
        self._is_attribute = bool(at)

    def text_in(self, element: "Element") -> str:
        """The text of the first element there, or of its attribute; nothing where there is none."""
        found = element.find(self._way) if self._way else element
        if found is None:
            return ""
        return found.get(self._attribute, "") if self._is_attribute else found.text or ""


def is_place(path: str) -> bool:
    """Whether a path is one that elements are searched by, and stays below the row."""
    from xml.etree.ElementTree import Element

    if path.startswith("/") or ".." in path.split("/"):
        return False
    try:
        Place(path).text_in(Element("row"))
    except (SyntaxError, ValueError, LookupError, TypeError):
        return False
    return True


def _in_any_namespace(step: str) -> str:
    return step if step.startswith(("{", ".", "*")) else f"{{*}}{step}"


def _shown(texts: Mapping[str, str]) -> str:
    return ", ".join(f"{field}={text}" for field, text in texts.items())
