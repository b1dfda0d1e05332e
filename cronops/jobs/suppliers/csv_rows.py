"""A supplier's CSV file as blocks for COPY."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from operator import lt

from cronops.errors import BadInput
from cronops.jobs.suppliers import fields
from cronops.jobs.suppliers.csv_columns import columns_of
from cronops.jobs.suppliers.row import RowReader
from cronops.jobs.suppliers.row_pattern import quoted_columns, row_pattern
from cronops.jobs.suppliers.setting import STORED, ImportSetting
from cronops.jobs.suppliers.tally import Tally
from cronops.jobs.suppliers.text_blocks import LONGEST_LINE, REPLACEMENT, Block

MOST_LINES_OF_A_ROW = 50


class CsvRows:
    """Reads one file, or one member of a ZIP, line by line or block by block.

    `order` names the fields of the lines for COPY; it is known once the header has been read,
    with the first block.
    """

    def __init__(
        self, setting: ImportSetting, blocks: Iterator[Block], tally: Tally, *, name: str
    ) -> None:
        self._setting, self._blocks, self._tally, self._name = setting, blocks, tally, name
        self._line = 0
        self._open: list[str] = []
        """Lines of a row whose quote has not been closed yet."""
        self._declared: int | None = None
        self._taken_before = tally.rows
        csv.field_size_limit(LONGEST_LINE)
        first = next(blocks, None)
        while first is not None and not first.text.strip() and not first.is_endless:
            self._line += first.text.count("\n")
            first = next(blocks, None)
        if first is None:
            raise BadInput(f"{name} is empty")
        if first.is_endless:
            raise BadInput(f"{name}: line {self._line + 1} is longer than {LONGEST_LINE:,} letters")
        self._first = self._read_header(first)
        self.order = tuple(field for field in self._fields if field is not None and field in STORED)
        self._rows = RowReader(setting, self.order, tally)
        self._pattern = row_pattern(setting, self._fields, self._quoted_columns())
        self._ean = self.order.index("ean") if "ean" in self.order else None
        self._sku = self.order.index("sku")
        self._last_sku = ""
        self.may_repeat = False
        """Whether a SKU may have come twice: none has where each is greater than the one before."""

    def __iter__(self) -> Iterator[str]:
        """Text for COPY, block by block."""
        if self._first.text:
            yield self._read(self._first)
        for block in self._blocks:
            yield self._read(block)
        if self._open:
            yield self._give_up_on_open_row(is_last=True)
        self._check_trailer()

    # --- the header ----------------------------------------------------------------------------

    def _read_header(self, first: Block) -> Block:
        text = first.text
        while self._setting.header:
            line, _, text = text.partition("\n")
            self._line += 1
            if line.strip():
                header = [cell.strip() for cell in self._first_cells(line)]
                self._width = len(header)
                self._fields = columns_of(self._name, self._setting, self._width, header)
                break
        else:
            line = next(line for line in text.splitlines() if line.strip())
            self._width = len(self._first_cells(line))
            self._fields = columns_of(self._name, self._setting, self._width, None)
        return Block(text)

    def _first_cells(self, line: str) -> Sequence[str]:
        try:
            return self._split(line.rstrip("\r")) or ()
        except csv.Error:
            raise BadInput(
                f"{self._name}: the first line cannot be cut into columns: a quote, or a line end "
                f"of another kind, is in the middle of it: {line[:200]!a}"
            ) from None

    def _quoted_columns(self) -> Sequence[bool]:
        lines = (line for line in self._first.text.splitlines() if line.strip())
        quoted = quoted_columns(next(lines, ""), self._setting)
        return quoted if len(quoted) == self._width else [False] * self._width

    # --- rows ----------------------------------------------------------------------------------

    def _read(self, block: Block) -> str:
        if block.is_endless:
            before = self._give_up_on_open_row() if self._open else ""
            self._line += 1
            cells = self._cut(block.text)[:-1]  # the last one is cut off
            return before + self._rows.reject(
                self._texts(cells), self._line, "line_too_long", block.text
            )
        text = block.text
        if not self._open and text[-1] == "\n" and not self._may_have_trailer(text):
            rows = self._pattern.findall(text)
            if len(rows) == text.count("\n") and self._eans_are_right(rows):
                place = self._sku
                self._look_at_order([row[place] for row in rows])
                self._line += len(rows)
                self._tally.taken += len(rows)
                return self._for_copy("\n".join(map("\t".join, rows))) + "\n"
        lines = "".join(self._line_by_line(text))
        self._look_at_order([line.split("\t")[self._sku] for line in lines.split("\n")[:-1]])
        return lines

    def _look_at_order(self, skus: list[str]) -> None:
        if skus and not self.may_repeat:
            self.may_repeat = not all(map(lt, [self._last_sku, *skus], skus))
            self._last_sku = skus[-1]

    def _for_copy(self, text: str) -> str:
        # Nothing but prices has a comma here: see row_pattern.
        return text.replace(",", ".") if self._setting.decimal == "," else text

    def _eans_are_right(self, rows: Sequence[Sequence[str]]) -> bool:
        if self._ean is None:
            return True
        place = self._ean
        return fields.all_fit_check_digit("".join([row[place] for row in rows]).encode("ascii"))

    def _may_have_trailer(self, text: str) -> bool:
        trailer = self._setting.trailer
        if trailer is None:
            return False
        return self._declared is not None or text.startswith(trailer) or f"\n{trailer}" in text

    def _line_by_line(self, text: str) -> Iterator[str]:
        # Not splitlines(): that takes more letters for line ends than a CSV file has.
        lines = text.split("\n")
        last = lines.pop()
        for line in lines:
            self._line += 1
            if not self._open and self._declared is None:
                found = self._pattern.fullmatch(f"{line}\n")
                if found is not None:
                    row = found.groups()
                    if self._eans_are_right([row]) and not self._is_trailer(line):
                        self._tally.taken += 1
                        yield self._for_copy("\t".join(row)) + "\n"
                        continue
            yield self._patiently(line)
        if last:
            self._line += 1
            yield self._last_line(last)

    def _last_line(self, line: str) -> str:
        """A line without a line end: the last one, or the last that arrived."""
        before = self._tally.rejected.total()
        text = self._patiently(line)
        if self._open or self._tally.rejected.total() > before:
            raise BadInput(
                f"{self._name} is truncated: its last line, {self._line}, has no end and is no "
                "whole row"
            )
        return text

    def _patiently(self, line: str) -> str:
        if self._open and self._is_whole_row(line):
            self._line -= 1
            before = self._give_up_on_open_row()
            self._line += 1
            return before + self._patiently(line)
        if self._open:
            line = "\n".join([*self._open, line])
        elif not line.strip():
            return ""
        elif self._is_trailer(line):
            self._declared = self._count_in(line)
            return ""
        number = self._line - line.count("\n")
        if self._declared is not None:
            self._tally.reject(number, "behind_trailer", line)
            return ""
        is_several = "\n" in line
        reason = "nul" if "\x00" in line else "encoding" if REPLACEMENT in line else None
        if reason is not None and not is_several:
            return self._rows.reject(self._texts(self._cut(line)), number, reason, line)
        try:
            split = self._split(line.rstrip("\r"))
        except csv.Error:
            self._open = line.split("\n")
            return self._give_up_on_open_row()
        if split is None:
            self._open = line.split("\n")
            too_long = sum(map(len, self._open)) > LONGEST_LINE
            if len(self._open) > MOST_LINES_OF_A_ROW or too_long:
                return self._give_up_on_open_row()
            return ""
        while len(split) > self._width and not split[-1].strip():
            split.pop()
        if is_several and (reason is not None or len(split) != self._width):
            # Rather a stray quote that took in the rows behind it, than one bad row of many lines.
            self._open = line.split("\n")
            return self._give_up_on_open_row()
        self._open = []
        if len(split) != self._width:
            return self._rows.reject(self._texts(split), number, "columns", line)
        return self._rows.read(self._texts(split), number, line)

    def _is_whole_row(self, line: str) -> bool:
        """Whether it is rather a row than a line in the middle of a cell."""
        return self._setting.quote not in line and bool(self._pattern.fullmatch(f"{line}\n"))

    def _give_up_on_open_row(self, *, is_last: bool = False) -> str:
        """The quote that was opened is never closed: its line is rejected, the others read."""
        first, *others = self._open
        self._open = []
        if is_last and not others:
            raise BadInput(f"{self._name} is truncated: its last row is never closed")
        self.may_repeat = True
        at = self._line
        self._line = at - len(others)
        cells = [cell.strip(f"{self._setting.quote} ") for cell in self._cut(first)]
        text = self._rows.reject(self._texts(cells), self._line, "quoting", first)
        for line in others:
            self._line += 1
            text += self._patiently(line)
        self._line = at
        return text

    def _split(self, line: str) -> list[str] | None:
        """The row's cells; None where a quote is still open."""
        setting = self._setting
        reader = csv.reader(
            [line],
            delimiter=setting.delimiter,
            quotechar=setting.quote or None,
            quoting=csv.QUOTE_MINIMAL if setting.quote else csv.QUOTE_NONE,
            strict=True,
        )
        try:
            return next(reader, [])
        except csv.Error as error:
            if "unexpected end" in str(error):
                return None
            raise

    def _cut(self, line: str) -> list[str]:
        """The cells of a line that cannot be told apart for certain."""
        return line.rstrip("\r").split(self._setting.delimiter)

    def _texts(self, cells: Sequence[str]) -> Mapping[str, str]:
        return {
            field: cell
            for field, cell in zip(self._fields, cells, strict=False)
            if field is not None
        }

    # --- the trailer ---------------------------------------------------------------------------

    def _is_trailer(self, line: str) -> bool:
        return self._setting.trailer is not None and line.startswith(self._setting.trailer)

    def _count_in(self, line: str) -> int:
        rest = line.removeprefix(self._setting.trailer or "").strip().strip(self._setting.delimiter)
        if not rest.isascii() or not rest.isdigit():
            raise BadInput(f"{self._name}: the last line tells no number of rows: {line[:100]!r}")
        return int(rest)

    def _check_trailer(self) -> None:
        if self._setting.trailer is None:
            return
        rows = self._tally.rows - self._taken_before
        if self._declared is None:
            raise BadInput(
                f"{self._name} is truncated: no line begins with {self._setting.trailer!r}"
            )
        if self._declared != rows:
            raise BadInput(
                f"{self._name} is truncated: it has {rows:,} rows and says {self._declared:,}"
            )
