"""What servers answer to FTP's LIST, which no standard describes."""

import re
from collections.abc import Iterable, Iterator

from cronops.clients.transfer.protocol import RemoteFile

# -rw-r--r--   1 ftp  ftp   1024 Nov 24 04:00 stock vom 3. Mai.csv
_UNIX = re.compile(
    r"(?P<kind>[-a-z])[-rwxsStTlL]{9}[.+@]?\s+\d+\s+\S.*?\s+(?P<size>\d+)\s+"
    r"(?:[^\W\d]{3,}\.?\s+\d{1,2}|\d{1,2}\.?\s+[^\W\d]{3,}\.?|\d{4}-\d\d-\d\d)\s+"
    r"(?:\d{1,2}:\d\d|\d{4})\s(?P<name>.+)"
)
# 11-24-26  04:00AM               1024 stock.csv
_DOS = re.compile(
    r"\d\d[-/]\d\d[-/]\d{2,4}\s+\d\d:\d\d(?:[AP]M)?\s+(?:(?P<directory><\w+>)|(?P<size>\d+))\s+"
    r"(?P<name>.+)"
)
_TOTAL = re.compile(r"total\s+\d+", re.I)


class UnknownListing(Exception):
    """A listing in a form that is not known here."""


def read_listing(lines: Iterable[str]) -> Iterator[RemoteFile]:
    """The regular files of a listing; without their times, whose zone and year it does not tell.

    Raises `UnknownListing` at a line of another form.
    """
    for line in lines:
        if not line.strip() or _TOTAL.fullmatch(line.strip()):
            continue
        if unix := _UNIX.fullmatch(line):
            if unix["kind"] == "-":
                yield RemoteFile(unix["name"], int(unix["size"]), None)
        elif dos := _DOS.fullmatch(line):
            if not dos["directory"]:
                yield RemoteFile(dos["name"], int(dos["size"]), None)
        else:
            raise UnknownListing(line)
