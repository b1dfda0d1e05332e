"""What became of a file's rows, counted per reason; the file of those that were not taken."""

import csv
import os
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

MOST_LISTED = 10_000
LONGEST_SHOWN = 1_000
# A terminal that shows the list obeys none of a stranger's control characters,
_UNSHOWABLE = dict.fromkeys((*range(9), *range(11, 32), *range(127, 160)), "\ufffd")
# and a spreadsheet that opens it computes nothing.
_FORMULA = ("=", "+", "-", "@", "\t")


class Tally:
    """Counts rows, and lists those of note in a CSV file, which is made for the first one."""

    def __init__(self, listing: Path | None = None) -> None:
        self.taken = 0
        self.rejected: Counter[str] = Counter()
        """Rows left out, by reason."""
        self.noted: Counter[str] = Counter()
        """Rows taken although something was wrong with them, by reason."""
        self.examples: list[tuple[int, str, str]] = []
        self._listing = listing
        self._file: TextIO | None = None
        self._writer: Any = None
        self._listed = 0

    @property
    def rows(self) -> int:
        """All rows of the file."""
        return self.taken + self.rejected.total()

    @property
    def rejected_pct(self) -> float:
        """How many of 100 rows were left out."""
        return 100 * self.rejected.total() / self.rows if self.rows else 0.0

    def reject(self, line: int, reason: str, raw: str) -> None:
        """A row is left out."""
        self.rejected[reason] += 1
        self._list(line, "rejected", reason, raw)

    def note(self, line: int, reason: str, raw: str) -> None:
        """A row is taken, but."""
        self.noted[reason] += 1
        self._list(line, "taken", reason, raw)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the listing; it is on the disk then."""
        if self._file is not None:
            if self._listed > MOST_LISTED:
                self._writer.writerow(["", "", f"{self._listed - MOST_LISTED} more", ""])
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._file = None

    def _list(self, line: int, outcome: str, reason: str, raw: str) -> None:
        self._listed += 1
        shown = raw.rstrip("\r\n")[:LONGEST_SHOWN]
        if outcome == "rejected" and len(self.examples) < 20:
            self.examples.append((line, reason, shown))
        if self._listing is None or self._listed > MOST_LISTED:
            return
        if self._file is None:
            self._file = self._listing.open("w", encoding="utf-8", errors="replace", newline="")
            self._writer = csv.writer(self._file, delimiter=";")
            self._writer.writerow(["line", "row", "reason", "raw"])
        harmless = ("'" if shown.startswith(_FORMULA) else "") + shown.translate(_UNSHOWABLE)
        self._writer.writerow([line, outcome, reason, harmless])
