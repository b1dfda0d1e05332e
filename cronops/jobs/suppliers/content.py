"""Reads a file, whatever its format, as one stream of lines for COPY."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

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
        self._rows: CsvRows | XmlRows
        if setting.format == "xml":
            self._rows = XmlRows(setting, self._stream, tally, name=part.name)
        else:
            name = part.name
            self._rows = CsvRows(setting, blocks(self._stream, encoding), tally, name=name)
        self.order = self._rows.order

    @property
    def may_repeat(self) -> bool:
        return self._rows.may_repeat

    def lines(self) -> Iterator[str]:
        with self._stream:
            yield from self._rows


class _Meter:
    """Tells how much has been read."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self._total, self._progress, self._done = total, progress, 0

    def watch(self, stream: BinaryIO) -> BinaryIO:
        if self._progress is None:
            return stream
        read, tell = stream.read, self._progress

        class Watched:
            def read(_, size: int = -1) -> bytes:
                got = read(size)
                self._done += len(got)
                tell(self._done, self._total)
                return got

            def close(_) -> None:
                stream.close()

            def __enter__(me) -> "Watched":
                return me

            def __exit__(_, *__: object) -> None:
                stream.close()

        return Watched()  # type: ignore[return-value]
