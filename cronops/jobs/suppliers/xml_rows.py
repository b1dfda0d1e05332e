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
        self._paths = {field: str(path) for field, path in setting.column_map.items()}
        self.order = tuple(field for field in STORED if field in self._paths)
        self._rows = RowReader(setting, self.order, tally)

    def __iter__(self) -> Iterator[str]:
        """Text for COPY, block by block; a row's number stands for its line."""
        from cronops.clients.xml import iter_elements

        lines: list[str] = []
        tag = self._setting.row_tag or ""
        elements = iter_elements(self._stream, tag, name=self._name)
        for number, element in enumerate(elements, 1):
            texts = {field: text_at(element, path) for field, path in self._paths.items()}
            lines.append(self._rows.read(texts, number, _shown(texts)))
            if len(lines) >= _BLOCK_ROWS:
                yield "".join(lines)
                lines = []
        yield "".join(lines)


def text_at(element: "Element", path: str) -> str:
    """The text of the first element at the path, or an attribute's: ``Stock/Total/@unit``."""
    way, at, attribute = path.rpartition("@")
    if not at:
        return element.findtext(path) or ""
    below = way.rstrip("/")
    found = element.find(below) if below else element
    return "" if found is None else found.get(attribute, "")


def _shown(texts: Mapping[str, str]) -> str:
    return ", ".join(f"{field}={text}" for field, text in texts.items())
