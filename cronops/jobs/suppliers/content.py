"""Reads a file, whatever its format, as one stream of lines for COPY."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Self, cast

from cronops.errors import BadInput
from cronops.jobs.suppliers.archive import Part, parts_of
from cronops.jobs.suppliers.csv_rows import CsvRows
from cronops.jobs.suppliers.setting import ImportSetting
from cronops.jobs.suppliers.tally import Tally
from cronops.jobs.suppliers.text_blocks import blocks, encoding_of
from cronops.jobs.suppliers.xml_rows import XmlRows

Progress = Callable[[int, int], None]


class Content:
    """A file's rows: `order` names the fields of each line, `lines` are the lines in blocks."""

    def __init__(self, first: "_Rows", lines: Iterator[str], *, has_others: bool) -> None:
        self.order, self.lines = first.order, lines
        self._first, self._has_others = first, has_others

    @property
    def may_repeat(self) -> bool:
        """Whether a SKU may have come twice; known when all lines have been read."""
        return self._has_others or self._first.may_repeat


@contextmanager
def read_content(
    path: Path, setting: ImportSetting, tally: Tally, *, progress: Progress | None = None
) -> Iterator[Content]:
    """Open the file; its lines are read as they are asked for. Raises `BadInput`."""
    with parts_of(path, setting.member_glob) as parts:
        total = sum(part.size for part in parts)
        meter = _Meter(total, progress)
        first = _Rows(parts[0], setting, tally, meter)

        def lines() -> Iterator[str]:
            yield from first.lines()
            for part in parts[1:]:
                rows = _Rows(part, setting, tally, meter)
                if rows.order != first.order:
                    raise BadInput(f"{part.name} has its columns in another order than its sisters")
                yield from rows.lines()

        yield Content(first, lines(), has_others=len(parts) > 1)


class _Rows:
    """The rows of one part."""

    def __init__(self, part: Part, setting: ImportSetting, tally: Tally, meter: "_Meter") -> None:
        encoding = setting.encoding
        if setting.format == "csv" and encoding == "auto":
            encoding = encoding_of(part.open)
        self._stream = meter.watch(part.open())
        try:
            self._rows = self._open(part.name, setting, tally, encoding)
        except BaseException:
            self._stream.close()
            raise
        self.order = self._rows.order

    def _open(
        self, name: str, setting: ImportSetting, tally: Tally, encoding: str
    ) -> CsvRows | XmlRows:
        if setting.format == "xml":
            return XmlRows(setting, self._stream, tally, name=name)
        return CsvRows(setting, blocks(self._stream, encoding), tally, name=name)

    @property
    def may_repeat(self) -> bool:
        return self._rows.may_repeat

    def lines(self) -> Iterator[str]:
        with self._stream:
            yield from self._rows


class _Meter:
    """Tells how much of all parts has been read."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self._total, self._progress, self._done = total, progress, 0

    def watch(self, stream: BinaryIO) -> BinaryIO:
        """The stream, its every block counted."""
        return stream if self._progress is None else cast("BinaryIO", _Watched(stream, self))

    def add(self, count: int) -> None:
        self._done += count
        if self._progress is not None:
            self._progress(self._done, self._total)


class _Watched:
    """What `CsvRows` and `XmlRows` need of a stream."""

    def __init__(self, stream: BinaryIO, meter: _Meter) -> None:
        self._stream, self._meter = stream, meter

    def read(self, size: int = -1) -> bytes:
        got = self._stream.read(size)
        self._meter.add(len(got))
        return got

    def close(self) -> None:
        self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
